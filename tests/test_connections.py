"""The pool's connections: what dies is replaced, what is cancelled comes back, what failed is no success."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import AsyncAdaptedQueuePool, text
from sqlalchemy.exc import DBAPIError

from app.database_urls import DatabaseUrls
from app.db import Database, fetch
from app.main import create_app
from app.settings import Settings
from tests.cast import Cast, FrozenClock

PLACES = 4
ENDED = (
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'samaki' and datname = %s"
)
BUSY = "select count(*) from pg_stat_activity where query like %s and state = 'active' and pid <> pg_backend_pid()"


@pytest.fixture
async def connections(app_settings: Settings) -> AsyncIterator[Database]:
    """A small pool of the test's own, every place of it in use once."""
    assert app_settings.database_url is not None
    small = app_settings.model_copy(update={"pool_size": PLACES, "pool_timeout_seconds": 0.5})
    opened = Database(app_settings.database_url.get_secret_value(), small, dict)
    await fill(opened)
    yield opened
    await opened.close()


async def fill(opened: Database) -> set[int]:
    """Take every place at once; gives the server processes behind them."""
    barrier = asyncio.Barrier(PLACES)

    async def one() -> int:
        async with opened.transaction() as session:
            rows = await fetch(session, "select pg_backend_pid() as pid", {})
            await barrier.wait()
            return int(rows[0].pid)

    return set(await asyncio.gather(*(one() for _ in range(PLACES))))


def taken(opened: Database) -> int:
    pool = opened.engine.pool
    assert isinstance(pool, AsyncAdaptedQueuePool)
    return pool.checkedout()


async def until_busy(superuser: psycopg.Connection[Any], mark: str) -> None:
    """Waits until a statement with this mark is being executed."""
    while superuser.execute(BUSY, [f"%{mark}%"]).fetchone() == (0,):  # noqa: ASYNC110 (the database has no event)
        await asyncio.sleep(0.005)


async def test_no_request_fails_for_connections_that_ended_while_idle(
    connections: Database, superuser: psycopg.Connection[Any]
) -> None:
    before = await fill(connections)
    for pid in before:
        superuser.execute("select pg_terminate_backend(%s, 5000)", [pid])
    after = await fill(connections)
    assert len(after) == PLACES
    assert not before & after


async def test_answers_are_good_at_once_after_every_connection_was_ended(
    database: DatabaseUrls, app_settings: Settings, cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    assert app_settings.database_url is not None
    small = app_settings.model_copy(update={"database_url": SecretStr(database.runtime), "pool_size": PLACES})
    app = create_app(small, clock)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://samaki.test/api/v1", auth=cast.client("caseworker").auth
        ) as lead:
            for _ in range(2):
                answers = await asyncio.gather(*(lead.get("/cases") for _ in range(12)))
                assert Counter(answer.status_code for answer in answers) == {200: 12}
                superuser.execute(ENDED, [superuser.info.dbname])


@pytest.mark.parametrize("through_sqlalchemy", [True, False])
async def test_a_connection_that_dies_at_work_fails_its_own_request_only(
    connections: Database, superuser: psycopg.Connection[Any], through_sqlalchemy: bool
) -> None:
    mark = uuid4().hex

    async def work() -> None:
        async with connections.transaction() as session:
            slow = f"select pg_sleep(4) /* {mark} */"
            await (session.execute(text(slow)) if through_sqlalchemy else fetch(session, slow, {}))

    task = asyncio.create_task(work())
    await until_busy(superuser, mark)
    superuser.execute("select pg_terminate_backend(pid) from pg_stat_activity where query like %s", [f"%{mark}%"])
    with pytest.raises((psycopg.OperationalError, DBAPIError)):
        await task
    assert taken(connections) == 0
    assert len(await fill(connections)) == PLACES


async def test_a_cancelled_request_gives_its_connection_back_even_when_cancelled_again_and_again(
    connections: Database, superuser: psycopg.Connection[Any]
) -> None:
    for impatience in range(12):
        mark = uuid4().hex

        async def work(mark: str = mark) -> None:
            async with connections.transaction() as session:
                await fetch(session, f"select pg_sleep(4) /* {mark} */", {})

        task = asyncio.create_task(work())
        await until_busy(superuser, mark)
        for _ in range(1 + impatience):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert taken(connections) == 0, impatience
    assert len(await fill(connections)) == PLACES


async def test_whoever_is_cancelled_while_waiting_for_a_connection_takes_no_place(connections: Database) -> None:
    async with connections.transaction(), connections.transaction(), connections.transaction():
        async with connections.transaction():
            waiting = [asyncio.create_task(fill(connections)) for _ in range(3)]
            await asyncio.sleep(0)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        assert taken(connections) == PLACES - 1
    assert taken(connections) == 0
    assert len(await fill(connections)) == PLACES


async def test_a_failed_statement_that_the_code_passes_over_is_not_committed_as_a_success(
    connections: Database,
) -> None:
    async def pass_over() -> None:
        async with connections.transaction() as session:
            with suppress(psycopg.errors.DivisionByZero):
                await fetch(session, "select 1 / 0", {})

    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        await pass_over()
    assert taken(connections) == 0
    assert len(await fill(connections)) == PLACES


async def test_nothing_of_a_transaction_is_left_on_its_connection(connections: Database) -> None:
    async def fail() -> None:
        async with connections.transaction() as session:
            await fetch(session, "select set_config('samaki.principals', 'somebody', true)", {})
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    for _ in range(PLACES):
        async with connections.transaction() as session:
            rows = await fetch(session, "select coalesce(current_setting('samaki.principals', true), '') as who", {})
            assert rows[0].who == ""
