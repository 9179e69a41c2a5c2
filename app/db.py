"""Engine and transactions: one request is one transaction, with the caller's settings for the row policies."""

import select
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, PoolProxiedConnection, event, text
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from app.database_urls import sqlalchemy_url
from app.settings import Settings

Clock = Callable[[], datetime]
Driver = psycopg.AsyncConnection[Any]

BEGIN_REQUEST = "select * from begin_request(%(session_id)s, %(clock)s, %(mfa_required)s)"
COMMITTED = "after_commit"
SET_CLOCK = text("select set_config('samaki.now', :clock, true)")


class Database:
    """The runtime role's connections. `clock` is None in production: then the database's clock rules."""

    def __init__(
        self,
        url: str,
        settings: Settings,
        make_ring: Callable[[], object],
        clock: Clock | None = None,
        shared: Mapping[str, Any] | None = None,
    ) -> None:
        self.engine = _engine(url, settings)
        self.settings = settings
        self.make_ring = make_ring  # a transaction's keys (app.sealing)
        self.clock = clock
        self.shared = shared or {}  # what every transaction has at hand (app.screening_tokens)

    def now(self) -> datetime:
        """The time of work that has no transaction yet (reading a token)."""
        return self.clock() if self.clock else datetime.now(UTC)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A transaction that is committed when the block ends well, and rolled back when it raises."""
        held = await self.engine.raw_connection()
        driver: Driver = held.driver_connection  # type: ignore[assignment]
        info = {
            **self.shared,
            "settings": self.settings,
            "held": held,
            "engine": self.engine.sync_engine,
            "ring": self.make_ring(),
        }
        session = AsyncSession(sync_session_class=_OnHeld, info=info)
        try:
            yield session
            if driver.info.transaction_status is TransactionStatus.INERROR:
                # PostgreSQL would answer the COMMIT with a quiet ROLLBACK, and we the caller with a success.
                raise psycopg.errors.InFailedSqlTransaction("a statement failed and its error was passed over")
            if session.in_transaction():
                await session.commit()
            await driver.commit()
            for call in session.info.get(COMMITTED, ()):
                await call()
        finally:
            await _give_back(session, held, driver)

    async def begin_request(self, session: AsyncSession, session_id: UUID, *, mfa_required: bool = False) -> Any | None:
        """Write the caller's settings into the transaction; None when the session is not alive.

        No settings, but a row, for an account that owes a factor. `mfa_required`: roles that need a second one do.
        """
        clock = self.clock() if self.clock else None
        parameters = {"session_id": session_id, "clock": clock, "mfa_required": mfa_required}
        rows = await fetch(session, BEGIN_REQUEST, parameters)
        return rows[0] if rows else None

    async def use_clock(self, session: AsyncSession) -> datetime:
        """For transactions without a caller (sign-in): the time, the same in Python and in the database."""
        now = self.now()
        if self.clock:
            await session.execute(SET_CLOCK, {"clock": now.isoformat()})
        return now

    async def close(self) -> None:
        """Give every connection back."""
        await self.engine.dispose()


def after_commit(session: AsyncSession, call: Callable[[], Awaitable[None]]) -> None:
    """Have this done when the transaction is committed and before anybody is told; what it raises is the answer."""
    session.info.setdefault(COMMITTED, []).append(call)


async def fetch(
    session: AsyncSession, statement: str, parameters: Mapping[str, Any], *, prepare: bool | None = None
) -> list[Any]:
    """All rows of a statement in the session's transaction, as named tuples, straight from the driver.

    For the few statements that every request waits for: it takes half the time of a result of SQLAlchemy.
    `prepare=False` has it planned anew each time, for values of which some are rare and some are not.
    """
    async with driver_of(session).cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(statement, parameters, prepare=prepare)
        return await cursor.fetchall()


async def run(session: AsyncSession, statement: str, parameters: Mapping[str, Any]) -> None:
    """The same for a statement without rows."""
    await driver_of(session).execute(statement, parameters)


async def insert(session: AsyncSession, table: str, values: Mapping[str, Any]) -> None:
    """One new row, for the tables that every intake writes; documents (dict, list) become JSON."""
    await run(session, _insert(table, tuple(values)), _all_stored(values))


async def insert_if_free(session: AsyncSession, table: str, values: Mapping[str, Any]) -> bool:
    """The same; False, and nothing is written, when a unique value of the row is taken."""
    statement = f"{_insert(table, tuple(values))} on conflict do nothing"
    return (await driver_of(session).execute(statement, _all_stored(values))).rowcount == 1


async def update(session: AsyncSession, table: str, row_id: UUID, values: Mapping[str, Any]) -> bool:
    """Change a row by its id; False when there is none, or none that the caller may still change."""
    done = await driver_of(session).execute(_update(table, tuple(values)), {**_all_stored(values), "row_id": row_id})
    return done.rowcount == 1


@lru_cache
def _insert(table: str, columns: tuple[str, ...]) -> str:
    named = ", ".join(f"%({column})s" for column in columns)
    return f"insert into {table} ({', '.join(columns)}) values ({named})"  # noqa: S608 (names of our own columns)


@lru_cache
def _update(table: str, columns: tuple[str, ...]) -> str:
    assignments = ", ".join(f"{column} = %({column})s" for column in columns)
    return f"update {table} set {assignments} where id = %(row_id)s"  # noqa: S608 (names of our own columns)


def _all_stored(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _stored(value) for name, value in values.items()}


def _stored(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    return Jsonb(value) if isinstance(value, dict | list) else value


def driver_of(session: AsyncSession) -> Driver:
    """The driver's connection of the session's transaction."""
    driver: Driver = session.info["held"].driver_connection
    if driver is None:
        raise psycopg.OperationalError("the session has lost its connection")
    return driver


class _OnHeld(Session):
    """SQLAlchemy's session on the connection that the request holds; what never asks for it pays nothing for it.

    A request that reads through `fetch` alone takes half the time of one with a session that connects by itself.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"expire_on_commit": False})

    def get_bind(self, *_: Any, **__: Any) -> Connection:
        """The held connection as SQLAlchemy's own, made at the first use."""
        if "connection" not in self.info:
            self.info["connection"] = Connection(self.info["engine"], self.info["held"])
        connection: Connection = self.info["connection"]
        return connection


async def _give_back(session: AsyncSession, held: PoolProxiedConnection, driver: Driver) -> None:
    """Return the connection without a transaction, or not at all: the next caller must find nothing of this one."""
    clean = False
    try:
        with suppress(psycopg.Error, SQLAlchemyError):
            if session.in_transaction():
                await session.close()
            await driver.rollback()
        clean = driver.info.transaction_status is TransactionStatus.IDLE
    finally:  # nothing here waits: who is cancelled once more in the rollback must not keep a place of the pool
        if not clean:
            await driver.close()
        if held.is_valid:  # else SQLAlchemy has noticed it too, and taken the connection out
            held.close()


def _engine(url: str, settings: Settings) -> AsyncEngine:
    connect: dict[str, Any] = {
        "prepare_threshold": settings.prepare_threshold,
        "connect_timeout": 5,
        "application_name": "samaki",
    }
    engine = create_async_engine(
        sqlalchemy_url(url),
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.pool_timeout_seconds,
        pool_use_lifo=True,
        pool_reset_on_return=None,  # `_give_back` has done it
        connect_args=connect,
        hide_parameters=True,  # values of people never reach a log or an error
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("set time zone 'UTC'")
            cursor.execute(f"set statement_timeout = {int(settings.statement_timeout_ms)}")
            cursor.execute("set idle_in_transaction_session_timeout = '30s'")
        connection.commit()

    @event.listens_for(engine.sync_engine, "checkout")
    def look_at(_: Any, record: ConnectionPoolEntry, __: Any) -> None:
        if _hung_up(record.driver_connection):
            raise DisconnectionError  # the pool connects anew: nobody's request fails for a restart that is over

    return engine


def _hung_up(driver: Driver | None) -> bool:
    """Whether an idle connection is closed, or has something to read: unasked, the server only says goodbye."""
    if driver is None or driver.closed:
        return True
    waiting = select.poll()
    waiting.register(driver.fileno(), select.POLLIN)
    return bool(waiting.poll(0))
