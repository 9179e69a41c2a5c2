"""The cohort of a quarter: taken once, kept sealed, and what else was told of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import namedtuple_row
from psycopg.types.json import Jsonb

from app.freezing.reports import figures_of
from app.freezing.steps import LONGER, SET_CLOCK, Connection, Job, held_by
from app.freezing.work import Told
from app.ids import new_id
from app.periods import Period
from app.sealing import KeyRing

SNAPSHOT = "set transaction isolation level repeatable read"
# One cohort is taken at a time. Before the transaction, whose picture must be of what the one before it has left; that
# a period has one cohort and a case is in one rests on keys.
LOCK = "select pg_advisory_lock(hashtextextended('export cohorts', 0))"
UNLOCK = "select pg_advisory_unlock(hashtextextended('export cohorts', 0))"

COHORT = """
    select c.id, c.frozen_at, c.withdrawn_at, c.sealed, k.kek_id, k.wrapped
      from export_cohorts c left join vault.data_keys k on k.home = c.id
     where c.period = %s
"""
TAKE = "select * from freeze_cohort(%s, %s, %s, %s)"
KEEP = "select seal_cohort(%s, %s, %s, %s)"
NAME = (
    "update exports set cohort_id = %(cohort)s where id = %(id)s and run = %(run)s and state = 'freezing' returning id"
)
NEVER_AGAIN = """
    update exports set state = 'withdrawn', withdrawn_at = %(now)s, cohort_id = %(cohort)s, run = null
     where id = %(id)s and run = %(run)s and state = 'freezing' returning id
"""
EARLIER = """
    select id, profile, known from exports
     where cohort_id = %(cohort)s and state in ('frozen', 'released') and id <> %(id)s order by requested_at, id
"""
TOLD = "select body from told_of_cohort(%s)"
KNOW = """
    update exports set known = coalesce(known, %(known)s)
     where id = %(id)s and run = %(run)s and state = 'freezing' returning known
"""


@dataclass(frozen=True, slots=True)
class Cohort:
    """The rows of the cases, by column, as they stood at `frozen_at`."""

    id: UUID
    frozen_at: datetime
    rows: dict[str, list[Any]]


async def cohort_of(connection: Connection, job: Job, ring: KeyRing, period: Period, now: datetime) -> Cohort | None:
    """The cohort of the release's quarter, taken now when it is the first; None when it was withdrawn meanwhile.

    Raises SealBroken, SerializationFailure, LostExport.
    """
    async with _alone(connection), connection.transaction():
        await connection.execute(SNAPSHOT)
        await connection.execute(LONGER)
        await connection.execute(SET_CLOCK, [now.isoformat()])
        row = await _one(connection, COHORT, [job.period])
        if row is None:
            cohort = await _taken(connection, ring, period, now)
        elif row.withdrawn_at is not None:
            await held_by(connection, NEVER_AGAIN, {**job.held, "cohort": row.id, "now": now})
            return None
        else:
            ring.add(row.id, row.kek_id, row.wrapped)
            document = ring.key(row.id).open("export_cohorts", row.id, bytes(row.sealed))
            cohort = Cohort(row.id, row.frozen_at, document["rows"])
        await held_by(connection, NAME, {**job.held, "cohort": cohort.id})
        return cohort


async def known_to(connection: Connection, job: Job, cohort: Cohort, now: datetime) -> tuple[Told, ...]:
    """What this release must be audited with, the same at every try: each release before it with what that one knew,
    and last its own. Raises LostExport."""
    async with connection.transaction():
        await connection.execute(SET_CLOCK, [now.isoformat()])
        asked = {"cohort": cohort.id, "id": job.id}
        earlier = await (await connection.execute(EARLIER, asked)).fetchall()
        reports = [row[0] for row in await (await connection.execute(TOLD, [cohort.id])).fetchall()]
        own = {"releases": [str(row[0]) for row in earlier], "figures": figures_of(reports)}
        known = (await held_by(connection, KNOW, {**job.held, "known": Jsonb(own)}))[0]
    return (*(Told.of(str(row[0]), row[1], row[2]) for row in earlier), Told.of(str(job.id), job.profile, known))


async def _taken(connection: Connection, ring: KeyRing, period: Period, now: datetime) -> Cohort:
    own_id = new_id()
    cursor = await connection.execute(TAKE, [own_id, str(period), period.starts_on, period.ends_on])
    names = [column.name for column in cursor.description or ()]
    rows = await cursor.fetchall()
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    ring.make(own_id)
    sealed = ring.seal("export_cohorts", own_id, own_id, {"rows": columns})
    await connection.execute(KEEP, [own_id, sealed, *ring.wrapped(own_id)])
    return Cohort(own_id, now, columns)


async def _one(connection: Connection, statement: str, values: list[Any]) -> Any:
    async with connection.cursor(row_factory=namedtuple_row) as cursor:
        await cursor.execute(statement, values)
        return await cursor.fetchone()


@asynccontextmanager
async def _alone(connection: Connection) -> AsyncIterator[None]:
    await connection.execute(LOCK)
    try:
        yield
    finally:
        if not connection.broken:
            await connection.execute(UNLOCK)
