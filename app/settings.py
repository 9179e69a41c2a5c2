"""Every setting of Samaki, read from `SAMAKI_*` and nowhere else; `samaki check` lists them."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

CONTAINER_SECRETS = Path("/run/secrets")
PLACEHOLDERS = {"change-me", "changeme"}

UrlSetting = Literal[
    "database_url",
    "owner_database_url",
    "worker_database_url",
    "reports_database_url",
    "backup_database_url",
    "loader_database_url",
]
URL_SETTINGS: tuple[UrlSetting, ...] = get_args(UrlSetting)
SecretSetting = UrlSetting | Literal["key_encryption_keys"]

CommaList = Annotated[list[str], NoDecode]


class SetupError(Exception):
    """Something the operator can put right; its text is one sentence that says how."""


def default_data_dir() -> Path:
    """Where data live when nobody says: the system's place for root, else the user's own."""
    if os.geteuid() == 0:
        return Path("/var/lib/samaki")
    return Path.home() / ".local" / "share" / "samaki"


class Settings(BaseSettings):
    """All settings. Sources in order: arguments, environment, files in /run/secrets, defaults."""

    model_config = SettingsConfigDict(
        env_prefix="SAMAKI_",
        env_ignore_empty=True,
        env_parse_none_str="none",
        secrets_dir=CONTAINER_SECRETS if CONTAINER_SECRETS.is_dir() else None,
        frozen=True,
        hide_input_in_errors=True,
    )

    database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL 15 or later, runtime role; unset: the embedded server"
    )
    owner_database_url: SecretStr | None = Field(
        default=None, description="role that owns the tables and migrates; unset: as database_url"
    )
    worker_database_url: SecretStr | None = Field(
        default=None, description="role of the worker; unset: as database_url"
    )
    reports_database_url: SecretStr | None = Field(
        default=None, description="role of the reports; unset: as database_url"
    )
    backup_database_url: SecretStr | None = Field(
        default=None, description="role of the backup; unset: as database_url"
    )
    loader_database_url: SecretStr | None = Field(
        default=None, description="role of the bulk loader; unset: as database_url"
    )
    data_dir: Path = Field(
        default_factory=default_data_dir, description="embedded PostgreSQL, keys and locks live here"
    )
    keys_dir: Path = Field(default_factory=lambda data: data["data_dir"] / "keys", description="key files, each 0600")
    key_encryption_keys: SecretStr | None = Field(
        default=None, description="keys that wrap data keys, in base64, newest first; unset: kek-*.key in keys_dir"
    )
    postgresql_programs: Path | None = Field(
        default=None, description="directory of pg_dump and pg_restore; unset: the embedded server's, else PATH"
    )
    demo: bool = Field(default=False, description="demo mode: loopback only, API page on, no second factor")
    mfa_required: bool = Field(
        default_factory=lambda data: not data["demo"],
        description="supervisors, admins, auditors and partner persons need a second factor; unset: unless demo",
    )
    host: str = Field(default="127.0.0.1", description="address to serve on")
    port: int = Field(default=8000, ge=0, le=65535, description="port to serve on; 0: any free one")
    workers: int = Field(default=1, ge=1, le=64, description="API processes")
    trusted_proxies: CommaList = Field(
        default=[], description="addresses whose X-Forwarded-For is believed, comma-separated"
    )
    pool_size: int = Field(default=12, ge=1, le=100, description="database connections per API process")
    pool_timeout_seconds: float = Field(default=2, gt=0, description="wait for a connection, then 503")
    statement_timeout_ms: int = Field(default=5000, ge=1, description="longest statement of a request")
    prepare_threshold: int | None = Field(
        default=5, ge=0, description="uses before a statement is prepared; none behind PgBouncer"
    )
    limit_concurrency: int = Field(default=512, ge=128, description="requests at once, then 503")
    body_limit_bytes: int = Field(default=1_000_000, ge=1024, description="largest request body")
    attachments_per_case: int = Field(default=50, ge=1, description="files attached to one case at most")
    cors_origins: CommaList = Field(
        default=[], description="origins of front ends that may call from a browser, comma-separated"
    )
    issuer: str = Field(default="samaki", min_length=1, description="iss of access tokens")
    audience: str = Field(default="samaki-api", min_length=1, description="aud of access tokens")
    access_token_minutes: int = Field(default=15, ge=1, le=15, description="life of an access token")
    refresh_idle_days: int = Field(default=7, ge=1, description="a session unused for so long ends")
    refresh_absolute_days: int = Field(default=30, ge=1, description="every session ends after so long")
    requests_per_minute: int = Field(default=1200, ge=1, description="requests per account and process")
    searches_per_minute: int = Field(default=60, ge=1, description="searches for people per account and process")
    visits_per_minute: int = Field(
        default=300, ge=1, description="requests without an account per address and process, for the public directory"
    )
    search_floor_ms: int = Field(default=40, ge=0, le=1000, description="no search is answered sooner")
    failed_sign_ins_per_account: int = Field(default=10, ge=1, description="per account in 15 minutes")
    failed_sign_ins_per_address: int = Field(default=100, ge=1, description="per address in 15 minutes")
    audit_anchor_file: Path | None = Field(
        default=None, description="signed heads of the trail are appended here, on another disk at best"
    )
    audit_anchor_url: str | None = Field(default=None, description="signed heads are posted here; https, no secrets")
    erasure_ledger: Path = Field(
        default_factory=lambda data: data["data_dir"] / "erasures.jsonl",
        description="erased cases, which no restored backup may revive; on a disk of its own at best",
    )
    retention_days: int = Field(default=1825, ge=0, description="closed cases are erased after so long; 0: never")
    retention_days_by_category: CommaList = Field(
        default=[], description="where a category differs, comma-separated: domestic_violence=3650"
    )
    caseload_warn_at: int = Field(default=20, ge=1, description="open cases that one person leads before it is said")
    caseload_full_at: int = Field(default=25, ge=1, description="with so many, only a supervisor's reason adds one")
    alert_cases_opened_per_hour: int = Field(
        default=40, ge=1, description="different cases that one account opens in an hour before supervisors are told"
    )
    alert_cases_listed_per_hour: int = Field(
        default=400, ge=1, description="the same for cases on pages of lists as well"
    )
    referral_stat_hours: int = Field(default=4, ge=1, le=720, description="for the recipient of a referral `stat`")
    referral_asap_hours: int = Field(default=24, ge=1, le=720, description="the same for `asap`")
    referral_urgent_hours: int = Field(default=72, ge=1, le=2160, description="the same for `urgent`")
    referral_routine_hours: int = Field(default=336, ge=1, le=8760, description="the same for `routine`")
    referral_open_after_completion_days: int = Field(
        default=30,
        ge=0,
        le=365,
        description="what was told stays open to the recipient after the referral is completed",
    )
    referral_open_without_change_days: int = Field(
        default=90, ge=1, le=365, description="the same for a referral on which nothing happens"
    )

    year_start_month: int = Field(default=1, ge=1, le=12, description="month in which the programme's year begins")
    risk_high_first_action_hours: int = Field(
        default=24, ge=1, le=168, description="at high risk, for the first action"
    )
    risk_high_follow_up_days: int = Field(default=7, ge=1, le=90, description="at high risk, to the next follow-up")
    risk_high_review_hours: int = Field(default=72, ge=1, le=720, description="at high risk, for a supervisor's review")
    risk_medium_first_action_hours: int = Field(default=72, ge=1, le=720, description="the same at medium risk")
    risk_medium_follow_up_days: int = Field(default=14, ge=1, le=90, description="the same at medium risk")
    risk_low_first_action_hours: int = Field(default=168, ge=1, le=720, description="at low risk, or not assessed")
    risk_low_follow_up_days: int = Field(default=30, ge=1, le=90, description="at low risk, or not assessed")

    @field_validator("trusted_proxies", "cors_origins", "retention_days_by_category", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("data_dir", "keys_dir", "audit_anchor_file", "postgresql_programs", "erasure_ledger")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value and value.expanduser().resolve()

    @field_validator("retention_days_by_category")
    @classmethod
    def _category_and_days(cls, value: list[str]) -> list[str]:
        if not all(re.fullmatch(r"[a-z_]{1,40}=[0-9]{1,6}", part) for part in value):
            raise ValueError("each is a category and its days: domestic_violence=3650")
        return value

    @field_validator(*URL_SETTINGS)
    @classmethod
    def _no_placeholder(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and _password(value.get_secret_value()) in PLACEHOLDERS:
            raise ValueError("still holds the placeholder password; set a real one")
        return value

    @field_validator("audit_anchor_url")
    @classmethod
    def _only_https(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("https://"):
            raise ValueError("must be an https address")
        return value

    @model_validator(mode="after")
    def _demo_stays_at_home(self) -> Self:
        if self.demo and not is_loopback(self.host):
            raise ValueError("demo mode serves loopback only; set SAMAKI_HOST=127.0.0.1")
        return self


def is_loopback(host: str) -> bool:
    """Whether a service on `host` can be reached from this machine alone."""
    return host in {"localhost", "::1"} or host.startswith("127.")


def _password(url: str) -> str | None:
    try:
        password = urlsplit(url).password
    except ValueError:  # not a URL at all: app.database_urls says so in a sentence
        return None
    return unquote(password) if password else None


_current: Settings | None = None


def settings() -> Settings:
    """The settings of this process, read once. Raises pydantic's ValidationError."""
    global _current  # noqa: PLW0603 one process has one set of settings
    if _current is None:
        _current = Settings()
    return _current


def use(chosen: Settings) -> Settings:
    """Make `chosen` the settings of this process: the command line, after --data-dir and the like."""
    global _current  # noqa: PLW0603
    _current = chosen
    return chosen


def child_environment(parent: Settings, secrets: Iterable[SecretSetting]) -> dict[str, str]:
    """The environment of a child process: the parent's settings, and of the secret ones only `secrets`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SAMAKI_")}
    return inherited | dict(_variables(parent, set(secrets)))


def _variables(parent: Settings, secrets: set[SecretSetting]) -> Iterable[tuple[str, str]]:
    for name in Settings.model_fields:
        value: Any = getattr(parent, name)
        if isinstance(value, SecretStr):
            if name in secrets:
                yield f"SAMAKI_{name.upper()}", value.get_secret_value()
        elif isinstance(value, list):
            yield f"SAMAKI_{name.upper()}", ",".join(value)
        elif name not in URL_SETTINGS:
            yield f"SAMAKI_{name.upper()}", "none" if value is None else str(value)
