"""Where runs take place: one API, one database; every run has people and organisations of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg
from pydantic import SecretStr

from app import logs
from app.database_urls import DatabaseUrls
from app.main import create_app
from app.models.codes.people import Role
from app.settings import Settings
from tests.cast import COMMUNE, OTHER_COMMUNE, Cast, FrozenClock, add_cast
from tests.oracle.api import Api

MORE_PEOPLE = {
    "third_caseworker": (Role.CASEWORKER, "ngo", []),
    "second_stranger": (Role.CASEWORKER, "other_ngo", []),
    "third_supervisor": (Role.SUPERVISOR, "ngo", []),
    "liaison_of_both": (Role.CCWC_LIAISON, "council", [COMMUNE, OTHER_COMMUNE]),
}

# What is derived against its statement; rows whose time has passed wait for the worker, and give nothing.
DERIVED: LiteralString = """
    with derived as (
        select principal, case_id, mode::text, via::text, expires_at, opened_at, status::text, category::text
          from case_access
         where case_id = any(%(cases)s::uuid[]) and (expires_at is null or expires_at > app_now())
    ), stated as (
        select principal, case_id, mode::text, via::text, expires_at, opened_at, status::text, category::text
          from case_access_rows
         where case_id = any(%(cases)s::uuid[])
    )
    select count(*)
      from ((table derived except table stated) union all (table stated except table derived)) different
"""


def wrongly_derived(admin: psycopg.Connection, now: datetime, case_ids: list[str]) -> int:
    """How many rows of `case_access` of these cases are not as its one readable statement says."""
    admin.execute("select set_config('samaki.now', %s, false)", [now.isoformat()])
    row = admin.execute(DERIVED, {"cases": case_ids}).fetchone()
    assert row is not None
    return int(row[0])


class Nowhere(StringIO):
    """Where the log of a run goes, which answers hundreds of thousands of requests."""

    def write(self, text: str) -> int:
        return len(text)


class Stage:
    """One application with a clock of its own, and connections that see everything."""

    def __init__(self, transport: httpx.ASGITransport, runtime: Any, clock: FrozenClock, urls: DatabaseUrls) -> None:
        self.transport, self.runtime, self.clock = transport, runtime, clock
        self.admin = psycopg.connect(urls.admin, autocommit=True)
        self.worker = psycopg.connect(urls.worker, autocommit=True)

    @asynccontextmanager
    async def world(self) -> AsyncIterator[Api]:
        """New people in new organisations, who share nothing with those of other runs but the database."""
        self._wait_for_the_morning()
        async with Cast(self.transport, self.runtime, self.clock) as cast:
            await add_cast(cast)
            for name, (role, organisation, communes) in MORE_PEOPLE.items():
                await cast.add(name, role, organisation, list(communes))
            yield Api(cast, self.admin, self.worker)

    def _wait_for_the_morning(self) -> None:
        """Every run begins at the same hour, so that it can be repeated."""
        at = self.clock()
        morning = at.replace(hour=3, minute=0)
        self.clock.at = morning if morning >= at else morning + timedelta(days=1)


@asynccontextmanager
async def stage(urls: DatabaseUrls, keys_dir: Path) -> AsyncIterator[Stage]:
    """The application in front of a migrated database with the areas of the cast, and nothing else in it."""
    settings = Settings(
        database_url=SecretStr(urls.runtime),
        keys_dir=keys_dir,
        erasure_ledger=keys_dir.parent / "erasures.jsonl",
        requests_per_minute=10_000_000,
        searches_per_minute=10_000_000,
        search_floor_ms=0,
        pool_size=8,
        mfa_required=False,
        caseload_full_at=100_000,  # the rules written a second time know of no limit, and of no transfer or handover
    )
    clock = FrozenClock()
    app = create_app(settings, clock)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        opened = Stage(transport, app.state.runtime, clock, urls)
        with opened.admin, opened.worker:
            logs.configure(Nowhere())
            try:
                yield opened
            finally:
                logs.configure()
