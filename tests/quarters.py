"""Quarters of cases and their releases: a database of the test's own, cases put there by hand, the worker's code."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

import httpx
import psycopg

from app.database_urls import DatabaseUrls
from app.freezing import Freezer
from app.main import create_app
from app.models.codes.people import Role
from tests.cast import COMMUNE, OTHER_COMMUNE, Cast, FrozenClock, add_cast, answered
from tests.conftest import settings_for

PERIOD = "2024Q3"
DAY = datetime(2024, 8, 14, 3, tzinfo=UTC)
BANDS = ("12-17", "18-29", "18-29", "30-44", "30-44", "45-59", "60+")
CATEGORIES = (
    "social_assistance",
    "social_assistance",
    "health_referral",
    "domestic_violence",
    "land_dispute",
    "id_poor",
)
CASE: tuple[LiteralString, ...] = (
    """insert into people (id, version, created_at, updated_at, organisation_id, case_id, role, sex, created_by, sealed)
       values (%(client)s, 1, %(created)s, %(created)s, %(organisation)s, %(case)s, 'client', %(sex)s, %(by)s, '')""",
    """insert into cases (id, version, created_at, updated_at, code, organisation_id, category, sensitivity, status,
                          priority, risk_level, commune_code, client_id, client_sex, client_age_band,
                          client_disability, opened_at, closed_at, outcome, team_version, created_by, sealed)
       values (%(case)s, 1, %(created)s, %(created)s, %(code)s, %(organisation)s, %(category)s, 'sensitive', %(status)s,
               'routine', 'not_assessed', %(commune)s, %(client)s, %(sex)s, %(band)s, %(disability)s, %(opened)s,
               %(closed)s, %(outcome)s, 1, %(by)s, '')""",
)
CONSENT: LiteralString = """
    insert into consents (id, version, created_at, updated_at, case_id, organisation_id, purpose, given_by, form,
                          obtained_on, shared_fields, created_by, sealed)
    values (gen_random_uuid(), 1, %(created)s, %(created)s, %(case)s, %(organisation)s, 'statistics', 'client',
            'verbal', '2024-07-01', '[]', %(by)s, '')
"""


def put_case(
    db: psycopg.Connection[Any],
    cast: Cast,
    draws: random.Random,
    *,
    organisation: str = "ngo",
    opened: datetime = DAY,
    statistics: bool = True,
    **more: Any,
) -> UUID:
    """One case with a client of its own; what is not named is drawn."""
    status = draws.choice(("closed", "closed", "planning", "follow_up"))
    values: dict[str, Any] = {
        "case": uuid4(),
        "client": uuid4(),
        "code": uuid4().hex[:12],
        "organisation": cast.organisations[organisation],
        "by": cast.users["caseworker" if organisation == "ngo" else "stranger"].id,
        "sex": draws.choices(("female", "male"), (9, 1))[0],
        "band": draws.choice(BANDS),
        "category": draws.choice(CATEGORIES),
        "commune": draws.choice((COMMUNE, OTHER_COMMUNE)),
        "disability": draws.choice((True, False, False)),
        "status": status,
        "closed": opened + timedelta(days=20) if status == "closed" else None,
        "outcome": draws.choice(("improved", "resolved", "unchanged")) if status == "closed" else None,
        "opened": opened,
        "created": opened,
        **more,
    }
    with db.transaction():
        db.execute("select set_config('samaki.now', %s, true)", [cast.clock().isoformat()])
        for statement in (*CASE, *([CONSENT] if statistics else [])):
            db.execute(statement, values)
    own_id: UUID = values["case"]
    return own_id


@dataclass
class Quarters:
    """The cases of some quarters, the people who ask for their releases, and the worker that freezes them."""

    cast: Cast
    db: psycopg.Connection[Any]
    urls: DatabaseUrls
    directory: Path
    draws: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - no secret

    @property
    def freezer(self) -> Freezer:
        """A worker that was just started."""
        runtime = self.cast.runtime
        return Freezer(runtime.kek, runtime.settings.keys_dir, self.directory, 1)

    def case(self, **more: Any) -> UUID:
        """One case as its draws have it; gives its id."""
        return put_case(self.db, self.cast, self.draws, **more)

    def cases(self, count: int, **more: Any) -> list[UUID]:
        """So many."""
        return [self.case(**more) for _ in range(count)]

    async def request(self, profile: str = "auditor-v1", period: str = PERIOD, who: str = "auditor") -> httpx.Response:
        """Ask for a release."""
        return await self.cast.client(who).post("/exports", json={"profile": profile, "period": period})

    async def requested(self, profile: str = "auditor-v1", period: str = PERIOD) -> str:
        """The id of a new one."""
        own_id: str = answered(await self.request(profile, period), 202)["id"]
        return own_id

    async def work(self, after: timedelta = timedelta(0)) -> int:
        """A worker that is just started freezes what waits; gives how many it took. `after`: so much later."""
        freezer, stop, taken = self.freezer, asyncio.Event(), 0
        async with await psycopg.AsyncConnection.connect(self.urls.worker, autocommit=True) as connection:
            while await freezer.step(connection, self.cast.clock() + after, stop):
                taken += 1
        return taken

    @asynccontextmanager
    async def freezing(self, after: timedelta = timedelta(0)) -> AsyncIterator[asyncio.Task[bool]]:
        """A worker that takes one release, while the test does something else; it is killed at the end of the block."""
        async with await psycopg.AsyncConnection.connect(self.urls.worker, autocommit=True) as connection:
            task = asyncio.create_task(self.freezer.step(connection, self.cast.clock() + after, asyncio.Event()))
            try:
                yield task
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def until(self, statement: LiteralString) -> None:
        """Wait until this number is not 0; the real clock bounds it."""
        async with asyncio.timeout(60):
            while not self.count(statement):  # noqa: ASYNC110 - what another process writes tells nobody
                await asyncio.sleep(0.02)

    async def read(self, export_id: str, who: str = "auditor") -> Any:
        """Where it stands."""
        return answered(await self.cast.client(who).get(f"/exports/{export_id}"), 200)

    async def frozen(self, profile: str = "auditor-v1", period: str = PERIOD) -> Any:
        """A new release as it waits for its second person."""
        export_id = await self.requested(profile, period)
        await self.work()
        found = await self.read(export_id)
        assert found["state"] == "frozen", found["code"]
        return found

    async def approve(self, export: Any, who: str = "supervisor", sha256: str | None = None) -> httpx.Response:
        """The second person's yes."""
        said = {"manifest_sha256": sha256 or export["manifest_sha256"]}
        return await self.cast.client(who).post(f"/exports/{export['id']}/approve", json=said)

    async def released(self, profile: str = "auditor-v1", period: str = PERIOD, who: str = "supervisor") -> Any:
        """A new release, all the way."""
        export = await self.frozen(profile, period)
        answered(await self.approve(export, who), 200)
        return await self.read(export["id"])

    async def files(self, export: Any, who: str = "auditor") -> dict[str, bytes]:
        """Everything that an auditor downloads."""
        found = {}
        for one in export["files"]:
            answer = await self.cast.client(who).get(f"/exports/{export['id']}/files/{one['name']}")
            assert answer.status_code == 200
            found[one["name"]] = answer.content
        return found

    def count(self, statement: LiteralString, *values: Any) -> int:
        """One number from the tables themselves."""
        row = self.db.execute(statement, values).fetchone()
        assert row is not None
        return int(row[0])


@asynccontextmanager
async def quarters_in(
    urls: DatabaseUrls, keys_dir: Path, clock: FrozenClock, directory: Path, **changed: Any
) -> AsyncIterator[Quarters]:
    """A service of its own, with a second auditor and supervisors enough. `changed`: settings of it."""
    application = create_app(settings_for(urls, keys_dir).model_copy(update=changed), clock)
    transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
    async with (
        application.router.lifespan_context(application),
        Cast(transport, application.state.runtime, clock) as people,
    ):
        await add_cast(people)
        await people.add("second_auditor", Role.AUDITOR, None, [])
        with psycopg.connect(urls.admin, autocommit=True) as db:
            yield Quarters(people, db, urls, directory)
