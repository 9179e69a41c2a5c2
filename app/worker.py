"""The worker: a process of its own that shows that it is alive and takes away what has served its time."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from app import logs
from app.audit_heads import Anchor, sign_when_due
from app.erasures import ledger_of
from app.freezing import Freezer, freezer_of
from app.keys import KeyStore, load_audit_keys
from app.logs import log
from app.reading_watch import ReadingLimits, watch_when_due
from app.reminders import remind
from app.retention import Retention, retention_days
from app.settings import Settings, SetupError, settings
from app.webhooks.delivering import AT_ONCE, Deliverer
from app.webhooks.sending import Sender
from app.webhooks.signing import seal_of

NAME = "worker"
# On the worker's connection, in autocommit mode; True when there may be more to do at once.
Chore = Callable[[psycopg.AsyncConnection, datetime], Awaitable[bool]]
# Work on a connection in autocommit mode; gives the seconds to pause before it is done again.
Round = Callable[[psycopg.AsyncConnection], Awaitable[float]]
PAUSE_SECONDS = 10.0
DELIVERY_PAUSE_SECONDS = 0.5
FREEZE_PAUSE_SECONDS = 2.0
CATCH_UP_SECONDS = 0.1  # a gap between full batches, so that catching up never fills the database's day
LONGEST_BACKOFF_SECONDS = 30.0
SESSION_SETTINGS = "set time zone 'UTC'; set statement_timeout = '30s'; set lock_timeout = '5s'"
SET_CLOCK = "select set_config('samaki.now', %s, true)"
HEARTBEAT = """
    insert into worker_heartbeats (name, seen_at) values (%(name)s, %(now)s)
    on conflict (name) do update set seen_at = excluded.seen_at
"""


@dataclass(frozen=True, slots=True)
class Duty:
    """One statement of housekeeping for at most `batch` rows; `keep` is how long its rows stay."""

    name: str
    statement: str
    batch: int
    keep: timedelta = timedelta(0)


# The tokens of a session go before the session itself, which they refer to. It ended when somebody ended it
# or when it expired, whichever came first (least() passes over null). The last duty has a row for each case.
DUTIES = (
    Duty(
        "idempotency_keys.deleted",
        """delete from idempotency_keys where (actor_id, key) in
             (select actor_id, key from idempotency_keys where created_at < %(before)s
               order by created_at limit %(batch)s)""",
        batch=1000,
        keep=timedelta(days=90),
    ),
    Duty(
        "sign_in_attempts.deleted",
        """delete from sign_in_attempts where id in
             (select id from sign_in_attempts where at < %(before)s limit %(batch)s)""",
        batch=1000,
        keep=timedelta(days=1),
    ),
    Duty(
        "refresh_tokens.deleted",
        """with past as materialized
             (select id from sessions where least(ended_at, expires_at) < %(before)s order by id limit 100)
           delete from refresh_tokens where digest in
             (select t.digest from past join refresh_tokens t on t.session_id = past.id limit %(batch)s)""",
        batch=1000,
        keep=timedelta(days=30),
    ),
    Duty(
        "sessions.deleted",
        """delete from sessions where id in
             (select s.id from sessions s where least(s.ended_at, s.expires_at) < %(before)s
                 and not exists (select from refresh_tokens t where t.session_id = s.id)
               order by s.id limit %(batch)s)""",
        batch=100,
        keep=timedelta(days=30),
    ),
    Duty("imports.expired", "select from generate_series(1, expire_imports(%(batch)s))", batch=20),
    Duty("deliveries.forgotten", "select from generate_series(1, forget_deliveries(%(batch)s))", batch=500),
    Duty("access.swept", "select from generate_series(1, sweep_expired_access(%(batch)s))", batch=100),
)


def main() -> None:
    """Run with this process's settings until SIGTERM or SIGINT. Raises SetupError without a database, UnusableKey."""
    chosen = settings()
    if chosen.worker_database_url is None:
        raise SetupError("SAMAKI_WORKER_DATABASE_URL is missing")
    logs.configure()
    url = chosen.worker_database_url.get_secret_value()
    asyncio.run(run(url, *_chores(chosen), deliverer=_deliverer(chosen), freezer=freezer_of(chosen)))


def _deliverer(chosen: Settings) -> Deliverer:
    """What partners are sent, beside the housekeeping and on a connection of its own."""
    return Deliverer(seal_of(KeyStore.load(chosen.keys_dir)), Sender(demo=chosen.demo, at_once=AT_ONCE))


def _chores(chosen: Settings) -> tuple[Chore, ...]:
    """What is more than one statement: the trail signed and watched, what waits told, what is due erased."""
    anchor = Anchor(load_audit_keys(chosen.keys_dir)[0], chosen.audit_anchor_file, chosen.audit_anchor_url)
    limits = ReadingLimits(chosen.alert_cases_opened_per_hour, chosen.alert_cases_listed_per_hour)

    async def sign(connection: psycopg.AsyncConnection, now: datetime) -> bool:
        await sign_when_due(connection, anchor, now)
        return False

    async def watch(connection: psycopg.AsyncConnection, now: datetime) -> bool:
        await watch_when_due(connection, limits, now)
        return False

    return sign, watch, remind, Retention(ledger_of(chosen), retention_days(chosen)).tick


async def run(url: str, *chores: Chore, deliverer: Deliverer, freezer: Freezer) -> None:
    """Work as the worker's role at `url` until SIGTERM or SIGINT; what was begun is finished first."""
    stop = asyncio.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with asyncio.TaskGroup() as all_of_it:
            all_of_it.create_task(keep_house(url, stop, *chores))
            all_of_it.create_task(deliver(url, stop, deliverer))
            all_of_it.create_task(freeze(url, stop, freezer))
    finally:
        for number, handler in before.items():
            asyncio.get_running_loop().remove_signal_handler(number)
            signal.signal(number, handler)


async def keep_house(url: str, stop: asyncio.Event, *chores: Chore) -> None:
    """Tick and do the chores until `stop` is set."""

    async def once(connection: psycopg.AsyncConnection) -> float:
        now = await _database_time(connection)
        full = await tick(connection, now)
        for chore in chores:
            full = await chore(connection, now) or full
        return CATCH_UP_SECONDS if full else PAUSE_SECONDS

    await _again_and_again(url, stop, once)


async def deliver(url: str, stop: asyncio.Event, deliverer: Deliverer) -> None:
    """Send what waits for partners' webhooks until `stop` is set."""

    async def once(connection: psycopg.AsyncConnection) -> float:
        await deliverer.drain(connection, stop)
        return DELIVERY_PAUSE_SECONDS

    await _again_and_again(url, stop, once)


async def freeze(url: str, stop: asyncio.Event, freezer: Freezer) -> None:
    """Make the releases that auditors ask for until `stop` is set."""

    async def once(connection: psycopg.AsyncConnection) -> float:
        worked = await freezer.step(connection, await _database_time(connection), stop)
        return CATCH_UP_SECONDS if worked else FREEZE_PAUSE_SECONDS

    await _again_and_again(url, stop, once)


async def _again_and_again(url: str, stop: asyncio.Event, once: Round) -> None:
    """Until `stop` is set; when the database fails, pause longer and longer."""
    failures = 0
    while not stop.is_set():
        try:
            async with await _connect(url) as connection:
                while not stop.is_set():
                    pause = await once(connection)
                    failures = 0
                    await _pause(stop, pause)
        except psycopg.Error as error:
            failures += 1
            log.warning("worker.database_failed", exc_info=error, code=error.sqlstate, count=failures)
            await _pause(stop, min(2.0**failures, LONGEST_BACKOFF_SECONDS))


async def tick(connection: psycopg.AsyncConnection, now: datetime) -> bool:
    """A sign of life, then each duty once, each in a transaction of its own.

    `connection` is in autocommit mode. True when a duty found as much as it may take at once: there is more.
    """
    async with connection.transaction():
        await connection.execute(HEARTBEAT, {"name": NAME, "now": now})
    full = False
    for duty in DUTIES:
        async with connection.transaction():
            await connection.execute(SET_CLOCK, [now.isoformat()])
            values = {"before": now - duty.keep, "batch": duty.batch}
            done = (await connection.execute(duty.statement, values)).rowcount
        if done:
            log.info(duty.name, count=done)
        full = full or done >= duty.batch
    return full


async def _connect(url: str) -> psycopg.AsyncConnection:
    connection = await psycopg.AsyncConnection.connect(
        url, autocommit=True, connect_timeout=5, prepare_threshold=None, application_name="samaki-worker"
    )
    await connection.execute(SESSION_SETTINGS)
    return connection


async def _database_time(connection: psycopg.AsyncConnection) -> datetime:
    """The one clock that API and worker share."""
    row = await (await connection.execute("select now()")).fetchone()
    assert row is not None  # noqa: S101
    moment: datetime = row[0]
    return moment


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, or less when it is time to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
