"""The worker: alive, modest in what it touches, exact about what it takes away, hard to stop by accident."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from app import worker
from app.calendar import day_of
from app.database_urls import DatabaseUrls
from app.keys import ensure
from app.main import create_app
from app.settings import Settings, SetupError, child_environment, use
from tests.cases import SUPPORT, open_case
from tests.cast import Cast, FrozenClock, answered
from tests.conftest import settings_for

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)


@pytest.fixture
def owner(fresh_database: DatabaseUrls) -> Iterator[psycopg.Connection]:
    """Sees everything."""
    with psycopg.connect(fresh_database.admin, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def at_work(fresh_database: DatabaseUrls) -> AsyncIterator[psycopg.AsyncConnection]:
    """The worker's own connection."""
    async with await psycopg.AsyncConnection.connect(fresh_database.worker, autocommit=True) as connection:
        yield connection


@pytest.fixture
def user(owner: psycopg.Connection) -> UUID:
    return add_user(owner)


def add_user(owner: psycopg.Connection) -> UUID:
    user_id = uuid4()
    owner.execute(
        """insert into users (id, version, created_at, updated_at, username, display_name, role, language,
                              active, system, principal)
           values (%s, 1, now(), now(), %s, 'x', 'admin', 'km', true, false, gen_random_uuid())""",
        [user_id, str(user_id)],
    )
    return user_id


def add_session(
    owner: psycopg.Connection,
    user: UUID,
    expires_at: datetime,
    ended_at: datetime | None = None,
    tokens: int = 1,
) -> UUID:
    session_id = uuid4()
    owner.execute(
        "insert into sessions (id, user_id, created_at, expires_at, ended_at) values (%s, %s, %s, %s, %s)",
        [session_id, user, NOW - timedelta(days=90), expires_at, ended_at],
    )
    owner.execute(
        """insert into refresh_tokens (digest, session_id, created_at, expires_at)
           select uuid_send(gen_random_uuid()), %s, %s, %s from generate_series(1, %s)""",
        [session_id, NOW, NOW, tokens],
    )
    return session_id


def count(owner: psycopg.Connection, table: str) -> int:
    row = owner.execute(f"select count(*) from {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


async def test_a_tick_shows_that_the_worker_is_alive(
    at_work: psycopg.AsyncConnection, owner: psycopg.Connection
) -> None:
    for moment in (NOW, NOW + timedelta(seconds=10)):
        assert await worker.tick(at_work, moment) is False
        assert owner.execute("select name, seen_at from worker_heartbeats").fetchall() == [("worker", moment)]


async def test_answers_kept_for_repetition_go_after_ninety_days(
    at_work: psycopg.AsyncConnection, owner: psycopg.Connection, user: UUID
) -> None:
    for name, age in (("old", timedelta(days=90, seconds=1)), ("young", timedelta(days=89, hours=23))):
        owner.execute(
            "insert into idempotency_keys (actor_id, key, digest, created_at) values (%s, %s, '', %s)",
            [user, name, NOW - age],
        )
    await worker.tick(at_work, NOW)
    assert owner.execute("select key from idempotency_keys").fetchall() == [("young",)]


async def test_attempts_to_sign_in_go_after_a_day(at_work: psycopg.AsyncConnection, owner: psycopg.Connection) -> None:
    for address, age in (("old", timedelta(days=1, seconds=1)), ("young", timedelta(hours=23))):
        owner.execute(
            "insert into sign_in_attempts (id, account, address, at) values (gen_random_uuid(), '', %s, %s)",
            [address, NOW - age],
        )
    await worker.tick(at_work, NOW)
    assert owner.execute("select address from sign_in_attempts").fetchall() == [("young",)]


async def test_sessions_go_with_their_tokens_thirty_days_after_their_end(
    at_work: psycopg.AsyncConnection, owner: psycopg.Connection, user: UUID
) -> None:
    long_ago, lately, later = NOW - timedelta(days=31), NOW - timedelta(days=29), NOW + timedelta(days=5)
    add_session(owner, user, expires_at=long_ago)
    add_session(owner, user, expires_at=later, ended_at=long_ago, tokens=3)
    add_session(owner, user, expires_at=long_ago, tokens=0)
    kept = {
        add_session(owner, user, expires_at=lately),
        add_session(owner, user, expires_at=later),
        add_session(owner, user, expires_at=later, ended_at=lately, tokens=2),
    }
    await worker.tick(at_work, NOW)
    assert {row[0] for row in owner.execute("select id from sessions")} == kept
    assert {row[0] for row in owner.execute("select session_id from refresh_tokens")} == kept
    assert count(owner, "refresh_tokens") == 4


async def test_much_is_taken_away_in_many_small_batches(
    at_work: psycopg.AsyncConnection, owner: psycopg.Connection, user: UUID
) -> None:
    owner.execute(
        """insert into idempotency_keys (actor_id, key, digest, created_at)
           select %s, n, '', %s from generate_series(1, 2500) n""",
        [user, NOW - timedelta(days=100)],
    )
    add_session(owner, user, expires_at=NOW - timedelta(days=60), tokens=2200)
    left = []
    while await worker.tick(at_work, NOW):
        left.append((count(owner, "idempotency_keys"), count(owner, "refresh_tokens"), count(owner, "sessions")))
    assert left == [(1500, 1200, 1), (500, 200, 1)]
    assert (count(owner, "idempotency_keys"), count(owner, "refresh_tokens"), count(owner, "sessions")) == (
        0,
        0,
        0,
    )


async def test_access_that_time_has_ended_leaves_the_table_and_its_assignment_ends(
    cast: Cast, clock: FrozenClock, database: DatabaseUrls, superuser: psycopg.Connection
) -> None:
    case_id = await open_case(cast, consents=[{**SUPPORT, "expires_on": str(day_of(clock()))}])
    wanted = {"user_id": cast.id("liaison"), "role": "liaison", "reason": "Support in the commune."}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/assignments", json=wanted), 201)

    def rows() -> int:
        row = superuser.execute(
            "select count(*) from case_access where case_id = %s and via = 'liaison'", [case_id]
        ).fetchone()
        assert row is not None
        return int(row[0])

    async with await psycopg.AsyncConnection.connect(database.worker, autocommit=True) as connection:
        await worker.tick(connection, clock())
        assert rows() == 1
        clock.advance(days=2)
        await worker.tick(connection, clock())
    assert rows() == 0
    ended = superuser.execute(
        "select end_reason, ended_at from assignments where case_id = %s and role = 'liaison'", [case_id]
    ).fetchall()
    assert ended == [("expired", clock())]


async def test_the_service_is_ready_while_the_worker_lives_and_the_database_has_its_present_shape(
    fresh_database: DatabaseUrls,
    at_work: psycopg.AsyncConnection,
    owner: psycopg.Connection,
    keys_dir: Path,
) -> None:
    app = create_app(settings_for(fresh_database, keys_dir))
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://samaki.test") as client,
    ):

        async def status() -> int:
            return (await client.get("/health/ready")).status_code

        assert (await client.get("/health/live")).json() == {"status": "ok"}
        assert await status() == 503  # no worker was ever there
        await worker.tick(at_work, datetime.now(UTC))
        assert await status() == 200
        await worker.tick(at_work, datetime.now(UTC) - timedelta(minutes=3))
        assert await status() == 503
        await worker.tick(at_work, datetime.now(UTC))
        owner.execute("update schema_sql set sha256 = 'of another version'")
        assert await status() == 503
        owner.execute("drop table schema_sql")
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_the_worker_may_touch_what_it_cleans_and_nothing_else(owner: psycopg.Connection) -> None:
    granted = owner.execute(
        """select table_name, string_agg(privilege_type, ' ' order by privilege_type)
             from information_schema.role_table_grants
            where grantee in ('samaki_worker', 'PUBLIC') and table_schema = 'public' group by table_name"""
    ).fetchall()
    assert dict(granted) == {
        "audit_heads": "SELECT",
        "audit_signatures": "INSERT SELECT",
        "audit_verifications": "INSERT",
        "erasure_ledger": "SELECT",
        **dict.fromkeys(("exports", "export_cohorts"), "SELECT"),  # rows that name nobody
        **dict.fromkeys(("export_files", "export_chunks"), "INSERT SELECT"),
        "idempotency_keys": "DELETE SELECT",
        "refresh_tokens": "DELETE SELECT",
        "sessions": "DELETE SELECT",
        "sign_in_attempts": "DELETE SELECT",
        "worker_heartbeats": "INSERT SELECT UPDATE",
    }
    columns = owner.execute(
        """select table_schema, table_name, column_name, privilege_type from information_schema.column_privileges p
            where grantee = 'samaki_worker' and not exists (
              select from information_schema.role_table_grants t
               where t.grantee = p.grantee and t.table_name = p.table_name
                 and t.privilege_type = p.privilege_type) order by 3"""
    ).fetchall()
    # Data keys are wrapped anew by it; what they seal it cannot read.
    assert [one for one in columns if one[1] != "exports"] == [
        ("vault", "data_keys", name, "UPDATE") for name in ("kek_id", "wrapped")
    ]
    assert not {"requested_by", "released_at", "period"} & {name for _, table, name, _ in columns if table == "exports"}
    powers = owner.execute(
        """select p.proname from pg_proc p
            where p.pronamespace = 'public'::regnamespace and p.prosecdef
              and p.prorettype <> 'trigger'::regtype
              and has_function_privilege('samaki_worker', p.oid, 'execute')"""
    ).fetchall()
    assert {name for (name,) in powers} == {
        *("claim_deliveries", "settle_deliveries", "forget_deliveries"),
        *("erase_due_case", "erasures_undone", "replay_erasure"),
        *(
            "sweep_expired_access",
            "watch_reading",
            "tell_overdue",
            "tell_overdue_referrals",
            "close_disclosures",
            "tell_overdue_transfers",
            "escalate_cases",
            "expire_imports",
        ),
        *("freeze_cohort", "seal_cohort", "told_of_cohort", "hold_reports_of_cohort"),
    }


async def until(true: Callable[[], bool]) -> None:
    """Look again and again for at most ten seconds."""
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 (what is awaited happens in another process)
            await asyncio.sleep(0.01)


async def test_the_worker_goes_on_after_the_database_cut_its_connection(
    fresh_database: DatabaseUrls, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(worker, "LONGEST_BACKOFF_SECONDS", 0.01)

    def workers() -> set[int]:
        found = owner.execute(
            """select pid from pg_stat_activity
                where application_name = 'samaki-worker' and datname = current_database()"""
        )
        return {row[0] for row in found}

    stop = asyncio.Event()
    task = asyncio.create_task(worker.keep_house(fresh_database.worker, stop))
    try:
        await until(lambda: count(owner, "worker_heartbeats") == 1)
        before = workers()
        owner.execute("select pg_terminate_backend(pid) from unnest(%s::int[]) pid", [list(before)])
        await until(lambda: bool(workers() - before))
        owner.execute("delete from worker_heartbeats")
        await until(lambda: count(owner, "worker_heartbeats") == 1)
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await task


@pytest.mark.parametrize("wanted", [signal.SIGTERM, signal.SIGINT])
async def test_a_worker_that_is_told_to_stop_ends_well_and_says_only_what_a_log_may(
    fresh_database: DatabaseUrls, owner: psycopg.Connection, tmp_path: Path, wanted: signal.Signals
) -> None:
    ensure(tmp_path / "keys")
    environment = child_environment(Settings(data_dir=tmp_path), [])
    urls = {
        "SAMAKI_DATABASE_URL": fresh_database.runtime,
        "SAMAKI_WORKER_DATABASE_URL": fresh_database.worker,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "from app.worker import main; main()"),
        env=environment | urls,
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
    )
    try:
        await until(lambda: count(owner, "worker_heartbeats") == 1)
        process.send_signal(wanted)
        async with asyncio.timeout(10):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    lines: list[dict[str, Any]] = [json.loads(line) for line in said.decode().splitlines()]
    assert all("dropped" not in line and line["event"] != "unnamed" for line in lines)


def test_a_worker_without_a_database_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("app.settings._current", None)
    use(Settings(data_dir=tmp_path))
    with pytest.raises(SetupError, match="SAMAKI_WORKER_DATABASE_URL"):
        worker.main()
