"""`samaki load`: a million synthetic cases by COPY, with the access that follows from them, all or none."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Lock

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.pool import NullPool

from app.database_urls import DatabaseUrls, sqlalchemy_url
from app.demo.draws import BLOCK, DEMO_BLOCK, code_in
from app.demo.load_people import LoadPeople, load_accounts, load_people, write_people
from app.demo.load_rows import COLUMNS, Lines, LoadKeys, LoadRows
from app.keys import KeyStore
from app.models.user import User
from app.sealing.key_encryption import key_encryption
from app.search_tokens import SearchTokens
from app.settings import Settings, SetupError

CONNECTIONS = 2  # while the server indexes one chunk, the next is made and sent
DERIVED_AT_ONCE = 25_000  # cases; the rows of one principal then arrive together, which its indexes like
# Not looking up every foreign key takes half the time, where the administrator allows it (roles.sql).
UNCHECKED = """
    select set_config('session_replication_role', 'replica', true)
     where has_parameter_privilege('session_replication_role', 'SET')
"""
# Tables that are being filled have no statistics: the planner would read them whole for every chunk.
PLANS = "set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off"
DERIVE = """
    insert into case_access (principal, case_id, mode, via, expires_at, opened_at, status, category)
    select principal, case_id, mode, via, expires_at, opened_at, status, category
      from case_access_rows where case_id = any (%s::uuid[])
"""

# What 164_reports.sql does for every other case: it came, and if it is closed it went.
FLOW = """
    insert into case_flow (id, case_id, organisation_id, at, kind, enters, commune_code, category, client_sex,
                           client_age_band, client_disability, sensitive, late, statistics)
    select gen_random_uuid(), c.id, c.organisation_id, s.at, s.kind, s.enters, c.commune_code, c.category, c.client_sex,
           c.client_age_band, c.client_disability, c.sensitivity = 'sensitive', false, false
      from cases c
     cross join lateral (values ('opened', true, c.opened_at), ('closed', false, c.closed_at)) s (kind, enters, at)
     where c.id = any (%s::uuid[]) and (s.enters or c.status = 'closed')
"""

Report = Callable[[int], None]


def load_cases(urls: DatabaseUrls, settings: Settings, cases: int, seed: int, progress: Report) -> list[User]:
    """Add `cases` synthetic cases, all or none, and return the accounts of the bench (see load_accounts).

    `progress` is called with the number of cases written so far. Every seed (0 to 2,969) has codes and ids of
    its own; raises SetupError for one that was loaded before, and for more than ten million cases.
    """
    if not 0 <= seed < DEMO_BLOCK or cases > BLOCK:
        raise SetupError(f"a load has at most {BLOCK:,} cases and a seed from 0 to {DEMO_BLOCK - 1:,}")
    people = load_people(seed, cases)
    _refuse_again(urls, seed)
    _write_people(urls, people)
    keys = LoadKeys(key_encryption(settings), SearchTokens.of(KeyStore.load(settings.keys_dir)))
    chunks = _Chunks(LoadRows(seed, cases, people, datetime.now(UTC).date(), keys), progress)
    try:
        _copy_all(urls, chunks)
    except psycopg.errors.UniqueViolation:
        raise SetupError(f"a case has a code of seed {seed} already; choose another with --seed") from None
    _tidy(urls)
    return load_accounts()


class _Chunks:
    """The chunks of a load, handed out to several threads, each chunk to one."""

    def __init__(self, rows: LoadRows, progress: Report) -> None:
        self._chunks, self._progress = rows.chunks(), progress
        self._lock, self._done, self._stopped = Lock(), 0, False

    def next(self) -> Lines | None:
        """A chunk that nobody else has; None after the last."""
        with self._lock:
            return None if self._stopped else next(self._chunks, None)

    def written(self, lines: Lines) -> None:
        """One chunk more is in the tables."""
        with self._lock:
            self._done += len(lines["cases"])
            self._progress(self._done)

    def stop(self) -> None:
        """Hand out no more: one thread failed, so the others need not go on."""
        self._stopped = True


def _refuse_again(urls: DatabaseUrls, seed: int) -> None:
    with psycopg.connect(urls.loader) as connection:
        query = "select exists (select from cases where code = %s)"
        if connection.execute(query, [code_in(seed, 0)]).fetchone() == (True,):
            raise SetupError(f"seed {seed} has been loaded before; choose another with --seed")


def _write_people(urls: DatabaseUrls, people: LoadPeople) -> None:
    engine = sa.create_engine(sqlalchemy_url(urls.loader), poolclass=NullPool, hide_parameters=True)
    with engine.begin() as connection:
        write_people(connection, people)


def _copy_all(urls: DatabaseUrls, chunks: _Chunks) -> None:
    """Write every chunk; the connections commit one after the other when all are through, or none does."""
    with ExitStack() as stack, ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="load") as threads:
        connections = [stack.enter_context(psycopg.connect(urls.loader)) for _ in range(CONNECTIONS)]
        try:
            for future in [threads.submit(_copy_some, connection, chunks) for connection in connections]:
                future.result()
        finally:
            chunks.stop()


def _copy_some(connection: psycopg.Connection, chunks: _Chunks) -> None:
    try:
        connection.execute(UNCHECKED)
        connection.execute(PLANS)
        waiting: list[str] = []
        while (lines := chunks.next()) is not None:
            waiting += _copy(connection, lines)
            if len(waiting) >= DERIVED_AT_ONCE:
                _derive(connection, waiting)
                waiting = []
            chunks.written(lines)
        _derive(connection, waiting)
    except BaseException:
        chunks.stop()
        raise


def _derive(connection: psycopg.Connection, cases: list[str]) -> None:
    for statement in (DERIVE, FLOW):
        connection.execute(statement, [cases])


def _copy(connection: psycopg.Connection, lines: Lines) -> list[str]:
    """Write one chunk; returns the ids of its cases."""
    for table, columns in COLUMNS.items():
        into = sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(*table.split(".")), sql.SQL(columns))
        with connection.cursor().copy(into) as copy:
            copy.write("".join(lines[table]))
    # Cases and clients refer to each other: checked here, so that what is still to be checked stays little.
    connection.execute("set constraints all immediate; set constraints all deferred")
    return [line[:32] for line in lines["cases"]]


def _tidy(urls: DatabaseUrls) -> None:
    """Statistics, and the map of rows that everybody sees: the first query is as fast as any later one."""
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        for table in (*COLUMNS, "case_access", "case_flow", "users", "organisations"):
            connection.execute(sql.SQL("vacuum (analyze) {}").format(sql.Identifier(*table.split("."))))
