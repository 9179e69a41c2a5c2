"""What the bench measures on: an embedded server of its own with the load data, and one caller with 50,000 cases."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from app import schema
from app.database_urls import DatabaseUrls
from app.demo.load import load_cases
from app.embedded import EmbeddedPostgres
from app.keys import KeyStore, ensure
from app.settings import Settings, use
from app.tokens import AccessTokens

CALLER = "bench_caseworker"
# Who asks for the worklist: a caseworker with 25 open cases, and the supervisor of 30 such.
DAY_CASEWORKER, DAY_SUPERVISOR = "day_caseworker", "day_supervisor"


@dataclass(frozen=True)
class Caller:
    """Somebody with an open session."""

    user_id: UUID
    organisation_id: UUID
    session_id: UUID


@dataclass(frozen=True)
class Stage:
    """A loaded database, the settings of a server in front of it, and who calls."""

    urls: DatabaseUrls
    settings: Settings
    callers: dict[str, Caller]

    def token(self, who: str = CALLER) -> str:
        """A fresh access token of a caller (it lives 15 minutes)."""
        keys = KeyStore.load(self.settings.keys_dir)
        tokens = AccessTokens(keys, self.settings.issuer, self.settings.audience)
        return tokens.issue(self.callers[who].user_id, self.callers[who].session_id, datetime.now(UTC))[0]

    def known_ids(self) -> set[UUID]:
        """Ids that are the same in every request."""
        return {
            own_id for one in self.callers.values() for own_id in (one.user_id, one.session_id, one.organisation_id)
        }


@contextmanager
def stage(data_dir: Path, cases: int) -> Iterator[Stage]:
    """Start the server, load the cases once, and open a session for the caller."""
    data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
    ensure(data_dir / "keys")
    plain = Settings(
        data_dir=data_dir, requests_per_minute=100_000_000, searches_per_minute=100_000_000, mfa_required=False
    )
    with EmbeddedPostgres(data_dir) as postgres:
        urls = DatabaseUrls.from_embedded(postgres)
        schema.prepare(urls.admin)
        schema.upgrade(urls.owner)
        with psycopg.connect(urls.admin, autocommit=True) as connection:
            if _one(connection, "select count(*) from (select 1 from cases limit 1) c") == 0:
                _load(urls, plain, cases)
            settings = use(urls.into(plain))
            now = datetime.now(UTC)
            callers = {name: sign_in(connection, name, now) for name in (CALLER, DAY_CASEWORKER, DAY_SUPERVISOR)}
        try:
            yield Stage(urls, settings, callers)
        finally:
            _forget(urls, now)


def sign_in(connection: psycopg.Connection, name: str, now: datetime) -> Caller:
    """A session of somebody of the load data, for a day."""
    found = connection.execute("select id, organisation_id from users where username = %s", [name]).fetchone()
    assert found is not None, f"the load data has no {name}: load it anew in an empty data directory"
    caller = Caller(*found, session_id=uuid4())
    connection.execute(
        "insert into sessions (id, user_id, created_at, expires_at) values (%s, %s, %s, %s)",
        [caller.session_id, caller.user_id, now, now + timedelta(days=1)],
    )
    return caller


def _forget(urls: DatabaseUrls, since: datetime) -> None:
    """Take away what a run has written; no trigger and no foreign key need look at it."""
    with psycopg.connect(urls.admin) as connection:
        connection.execute("set local session_replication_role = replica")
        connection.execute(
            "create temporary table written on commit drop as select id from cases where created_at >= %s", [since]
        )
        of_cases = ("follow_ups", "search_tokens", "people", "consents", "assignments", "events", "case_access")
        for table in (*of_cases, "vault.data_keys"):
            connection.execute(f"delete from {table} where case_id in (select id from written)".encode())
        connection.execute("delete from cases where id in (select id from written)")


def _load(urls: DatabaseUrls, settings: Settings, cases: int) -> None:
    columns = (TextColumn("load data"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        bar = progress.add_task("cases", total=cases)
        load_cases(urls, settings, cases, 1, lambda done: progress.update(bar, completed=done))


def _one(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return int(row[0])


def counted(urls: DatabaseUrls, table: str) -> int:
    """Rows of a table."""
    with psycopg.connect(urls.admin) as connection:
        return _one(connection, f"select count(*) from {table}")
