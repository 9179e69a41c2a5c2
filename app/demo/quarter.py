"""Loading the demo quarter: the cast, then every story through the services of the API, once."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import sqlalchemy as sa
from rich.progress import Progress
from sqlalchemy.pool import NullPool

from app.database_urls import DatabaseUrls, sqlalchemy_url
from app.db import Database
from app.demo.accounts import Account, read_accounts, renew_accounts
from app.demo.cast import SEED, SET_UP, SIGNATORY, CastIds, add_sandbox, cast_ids, set_up
from app.demo.directory import add_directory
from app.demo.draws import Draws
from app.demo.gatherings import Gatherings
from app.demo.programme import QUARTERS
from app.demo.rounds import Rounds
from app.demo.stage import Stage, StoryClock, drawn, settle
from app.demo.stories import stories
from app.demo.telling import Teller
from app.keys import KeyStore
from app.screening_tokens import of_people
from app.sealing import KeyRing
from app.sealing.key_encryption import key_encryption
from app.settings import Settings, SetupError

QUIET_SECONDS = 2
SESSIONS_LEFT = sa.text("select exists (select from sessions where id = any (:sessions))")
TOLD = sa.text("select exists (select from cases where organisation_id = :ngo)")
OTHER_ACCOUNTS = sa.text("select exists (select from users where id <> all (:users))")
Thing = TypeVar("Thing")


def load_demo(urls: DatabaseUrls, settings: Settings, now: datetime | None = None) -> list[Account]:
    """Load the demo quarter unless it is there, and return its accounts.

    Raises SetupError in a database that holds other people's accounts. Each step is one transaction that is
    safe to repeat, so the next start goes on where one was cut off. Recent cases end the day before `now`.
    Passwords are new on the first start and whenever the file of the accounts is missing.
    """
    ids = cast_ids()
    engine = sa.create_engine(sqlalchemy_url(urls.loader), poolclass=NullPool, hide_parameters=True)
    if _is_loaded(engine, ids):
        with engine.begin() as connection:
            add_sandbox(connection, ids)
        return read_accounts(settings.data_dir) or renew_accounts(engine, settings.data_dir, ids)
    with engine.begin() as connection:
        _refuse_other_accounts(connection, ids)
        set_up(connection, ids)
        add_directory(connection, ids, now or datetime.now(UTC))
    accounts = renew_accounts(engine, settings.data_dir, ids)
    if not _is_told(engine, ids):
        asyncio.run(_tell_all(urls, settings, ids, now or datetime.now(UTC)))
    with engine.begin() as connection:
        settle(connection, ids)
    return accounts


async def _tell_all(urls: DatabaseUrls, settings: Settings, ids: CastIds, now: datetime) -> None:
    clock = StoryClock(SET_UP)
    kek = key_encryption(settings)
    keys = KeyStore.load(settings.keys_dir)
    database = Database(urls.runtime, settings, lambda: KeyRing(kek), clock, of_people(keys))
    draws = Draws(SEED)
    try:
        async with database.transaction() as session:
            with drawn(Draws(SEED + 1)):
                teller = Teller(Stage(database, clock, session, ids), draws, now)
                await teller.fill_registers()
                for story in _shown(stories(draws, now)):
                    await teller.tell(story)
                await _tell_programme(teller.stage)
    finally:
        await database.close()


async def _tell_programme(stage: Stage) -> None:
    """Three quarters of activities, visits and what came of them, from draws of their own."""
    draws = Draws(SEED + 2)
    gatherings, rounds = Gatherings(stage, draws), Rounds(stage, draws)
    for quarter in _shown(QUARTERS):
        await rounds.tell(quarter, await gatherings.tell(quarter))
        stage.session.expunge_all()


def _shown(things: Sequence[Thing]) -> Iterator[Thing]:
    """The same things, with a bar on the terminal when they take more than a moment."""
    started = time.monotonic()
    progress = Progress(transient=True)
    bar = progress.add_task("demo quarter", total=len(things))
    try:
        for thing in things:
            yield thing
            progress.advance(bar)
            if not progress.live.is_started and time.monotonic() - started > QUIET_SECONDS:
                progress.start()
    finally:
        progress.stop()


def _is_loaded(engine: sa.Engine, ids: CastIds) -> bool:
    """Every case is told, and nobody of the cast is signed in for the telling any more."""
    with engine.connect() as connection:
        left = connection.execute(SESSIONS_LEFT, {"sessions": list(ids.sessions.values())}).scalar_one()
    return _is_told(engine, ids) and not left


def _is_told(engine: sa.Engine, ids: CastIds) -> bool:
    with engine.connect() as connection:
        found: bool = connection.execute(TOLD, {"ngo": ids.organisations[SIGNATORY]}).scalar_one()
    return found


def _refuse_other_accounts(connection: sa.Connection, ids: CastIds) -> None:
    if connection.execute(OTHER_ACCOUNTS, {"users": list(ids.users.values())}).scalar_one():
        raise SetupError("this database holds other people's accounts; the demo needs one of its own")
