"""One database URL per role, derived from the settings or from the embedded server; pure functions."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from pydantic import SecretStr

from app.settings import Settings, SetupError, UrlSetting

if TYPE_CHECKING:
    from app.embedded import EmbeddedPostgres

DATABASE = "samaki"
SUPERUSER = "postgres"

ROLE_OF: dict[UrlSetting, str] = {
    "database_url": "samaki_runtime",
    "owner_database_url": "samaki_owner",
    "worker_database_url": "samaki_worker",
    "reports_database_url": "samaki_reports",
    "backup_database_url": "samaki_backup",
    "loader_database_url": "samaki_loader",
}
SECRET_PARAMETERS = {"password", "sslpassword"}


class DatabaseUrlError(SetupError):
    """A database URL that cannot be understood; never quotes it."""


@dataclass(frozen=True)
class DatabaseUrls:
    """libpq URLs, one per role; `admin` is the login that may create roles. Never shown by repr."""

    runtime: str = field(repr=False)
    owner: str = field(repr=False)
    worker: str = field(repr=False)
    reports: str = field(repr=False)
    backup: str = field(repr=False)
    loader: str = field(repr=False)
    admin: str = field(repr=False)

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Unset URLs are the runtime URL, working as the role in question. Raises DatabaseUrlError."""
        if settings.database_url is None:
            raise DatabaseUrlError(
                "SAMAKI_DATABASE_URL is missing; the other SAMAKI_…_DATABASE_URL only stand beside it"
            )
        admin = _given(settings, "owner_database_url")
        return cls._of(lambda name: working_as(_given(settings, name), ROLE_OF[name]), admin)

    @classmethod
    def from_embedded(cls, postgres: "EmbeddedPostgres") -> Self:
        """On the embedded server every role logs in by itself, through the socket."""
        admin = postgres.url(SUPERUSER, DATABASE)
        return cls._of(lambda name: postgres.url(ROLE_OF[name], DATABASE), admin)

    @classmethod
    def _of(cls, url: Callable[[UrlSetting], str], admin: str) -> Self:
        return cls(
            runtime=url("database_url"),
            owner=url("owner_database_url"),
            worker=url("worker_database_url"),
            reports=url("reports_database_url"),
            backup=url("backup_database_url"),
            loader=url("loader_database_url"),
            admin=admin,
        )

    def into(self, settings: Settings) -> Settings:
        """The same settings with every URL filled in, for this process and its children."""
        urls = {
            "database_url": self.runtime,
            "owner_database_url": self.owner,
            "worker_database_url": self.worker,
            "reports_database_url": self.reports,
            "backup_database_url": self.backup,
            "loader_database_url": self.loader,
        }
        return settings.model_copy(update={name: SecretStr(url) for name, url in urls.items()})


def working_as(url: str, role: str) -> str:
    """`url` itself when its user is `role`; otherwise with `options=-c role=…`, so that the session works
    as that role from its first statement and RESET ROLE falls back to it."""
    parts = urlsplit(url)
    if unquote(parts.username or "") == role:
        return url
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    query["options"] = f"{query.get('options', '')} -c role={role}".strip()
    return f"postgresql://{parts.netloc}{parts.path}?{urlencode(query, quote_via=quote)}"


def libpq_url(url: str) -> str:
    """`postgresql://…` from the spellings people use. Raises DatabaseUrlError."""
    scheme, separator, rest = url.strip().partition("://")
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise DatabaseUrlError("a database URL must look like postgresql://user:password@host:5432/samaki")
    try:
        urlsplit(f"postgresql://{rest}")
    except ValueError:
        raise DatabaseUrlError("a database URL cannot be read: look at its host and brackets") from None
    return f"postgresql://{rest}"


def sqlalchemy_url(url: str) -> str:
    """The same address for SQLAlchemy with psycopg 3 (one driver, sync and async)."""
    return "postgresql+psycopg" + libpq_url(url).removeprefix("postgresql")


def redacted(url: str) -> str:
    """The URL without its secrets, for people. Raises DatabaseUrlError."""
    parts = urlsplit(libpq_url(url))
    user, at, place = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    query = [(key, "***" if key in SECRET_PARAMETERS else value) for key, value in parse_qsl(parts.query)]
    shown = f"?{urlencode(query, safe='/* =', quote_via=quote)}" if query else ""
    return f"postgresql://{name}{colon}{'***' if colon else ''}{at}{place}{parts.path}{shown}"


def _given(settings: Settings, name: UrlSetting) -> str:
    value: SecretStr | None = getattr(settings, name) or settings.database_url
    return libpq_url(value.get_secret_value()) if value else ""
