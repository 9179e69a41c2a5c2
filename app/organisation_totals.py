"""The second, small pool: the reports role counts over a whole organisation, through column grants without names or
words. Nothing else in the service holds a connection of this role."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.database_urls import DatabaseUrls
from app.db import Database, fetch, run
from app.indicators.case_records import RECORDS_OF_CASES, bounds_of
from app.indicators.cases import CaseCount
from app.indicators.reading import Found, Scope, read
from app.indicators.records import digest_of
from app.indicators.report import records_of
from app.models.report_version import RecordsBehind
from app.periods import Period
from app.settings import Settings

CONNECTIONS = 2
LONGEST_STATEMENT_MS = 60_000
# One picture of everything, and a promise to change none of it.
SNAPSHOT = "set transaction isolation level repeatable read, read only"
# Who has a programme in a quarter, and of several the one that signs for all.
ORGANISATIONS = """
    select o.id, o.name, o.signatory from organisations o
     where case when %(only)s::uuid is not null then o.id = %(only)s
                else exists (select from activities a
                              where a.organisation_id = o.id and a.starts_on between %(first)s and %(last)s)
                  or exists (select from home_visits v
                              where v.organisation_id = o.id and v.visited_on between %(first)s and %(last)s) end
     order by o.name, o.id
"""


@dataclass(frozen=True, slots=True)
class Totals:
    """What was counted over the whole organisation, and what is behind each figure."""

    found: Found
    records: dict[str, RecordsBehind]


class OrganisationTotals:
    """The reports role's connections."""

    def __init__(self, settings: Settings) -> None:
        small = settings.model_copy(
            update={"pool_size": CONNECTIONS, "statement_timeout_ms": LONGEST_STATEMENT_MS, "prepare_threshold": None}
        )
        self._database = Database(DatabaseUrls.from_settings(settings).reports, small, lambda: None)

    @asynccontextmanager
    async def _looking(self) -> AsyncIterator[AsyncSession]:
        async with self._database.transaction() as session:
            await run(session, SNAPSHOT, {})
            yield session

    async def count(self, scope: Scope) -> Totals:
        """Everything that a report says of the organisation of `scope`."""
        async with self._looking() as session:
            found = await read(session, scope)
            records = {code: digest_of(ids) for code, ids in records_of(found).items()}
            return Totals(found, records | await _of_cases(session, scope))

    async def organisations(self, period: Period, only: UUID | None) -> list[Any]:
        """Id, name and signatory of the organisations with a programme in the quarter; of `only` this one."""
        days = {"first": period.starts_on, "last": period.ends_on}
        async with self._looking() as session:
            return await fetch(session, ORGANISATIONS, {"only": only, **days})

    async def close(self) -> None:
        """Give every connection back."""
        await self._database.close()


async def _of_cases(session: AsyncSession, scope: Scope) -> dict[str, RecordsBehind]:
    rows = await fetch(session, RECORDS_OF_CASES, bounds_of(scope), prepare=False)
    found = {row.code: RecordsBehind(count=row.cases, sha256=row.sha256) for row in rows}
    return {count: found.get(count, digest_of(())) for count in CaseCount}
