"""The steps of a freezing, each in a transaction of its own on the worker's connection.

Whoever works holds the release by a name of the run and a lease, as with imports: who finds another name there, or
that it was withdrawn, has lost it, and nothing of what it computed is kept.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

Connection = psycopg.AsyncConnection[Any]

LEASE = timedelta(seconds=60)
FAILED = "internal_error"  # nobody foresaw it
SET_CLOCK = "select set_config('samaki.now', %s, true)"
LONGER = "set local statement_timeout = '10min'"
# In the order of the requests within a quarter: a later release knows what the earlier ones tell.
CLAIM = """
    update exports set state = 'freezing', run = %(run)s, lease_until = %(until)s, stage = 'rows', share = 0
     where id = (select e.id from exports e
                  where (e.state = 'requested' and coalesce(e.not_before <= %(now)s, true)
                         or e.state = 'freezing' and e.lease_until < %(now)s)
                    and not exists (select from exports o
                                     where o.period = e.period and o.state in ('requested', 'freezing')
                                       and (o.requested_at, o.id) < (e.requested_at, e.id))
                  order by e.requested_at, e.id limit 1 for update skip locked)
 returning id, profile, period, tries
"""
IN_WORK = "select id from exports where state = 'freezing'"
TELL = """
    update exports set stage = %(stage)s, share = %(share)s, lease_until = %(until)s
     where id = %(id)s and run = %(run)s and state = 'freezing' returning id
"""
ENDED = """
    update exports set state = %(state)s, code = %(code)s, not_before = %(not_before)s, tries = tries + %(tries)s,
                       stage = null, run = null, lease_until = null
     where id = %(id)s and run = %(run)s and state = 'freezing'
"""


class LostExport(Exception):  # noqa: N818 - what became of the work
    """It was withdrawn, or another run goes on with it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A release that this run freezes."""

    id: UUID
    run: UUID
    profile: str
    period: str
    tries: int

    @property
    def held(self) -> dict[str, Any]:
        """What every statement names it by."""
        return {"id": self.id, "run": self.run}


async def claim(connection: Connection, now: datetime) -> Job | None:
    """The release that is next, for this run alone."""
    run = uuid4()
    async with connection.transaction():
        values = {"run": run, "now": now, "until": now + LEASE}
        row = await (await connection.execute(CLAIM, values)).fetchone()
    return None if row is None else Job(row[0], run, row[1], row[2], row[3])


async def in_work(connection: Connection) -> frozenset[str]:
    """The ids of what somebody freezes."""
    rows = await (await connection.execute(IN_WORK)).fetchall()
    return frozenset(str(row[0]) for row in rows)


async def tell(connection: Connection, job: Job, stage: str, share: float, now: datetime) -> None:
    """How far it is, for who looks, and that somebody works on it. Raises LostExport."""
    async with connection.transaction():
        await held_by(connection, TELL, {**job.held, "stage": stage, "share": share, "until": now + LEASE})


async def refuse(connection: Connection, job: Job, code: str) -> None:
    """It cannot be released, and this is why."""
    await _end(connection, job, "refused", code, None)


async def give_back(connection: Connection, job: Job, code: str | None, not_before: datetime | None) -> None:
    """It waits again; `code`: why the try failed."""
    await _end(connection, job, "requested", code, not_before)


async def _end(connection: Connection, job: Job, state: str, code: str | None, not_before: datetime | None) -> None:
    values = {"state": state, "code": code, "not_before": not_before, "tries": int(code == FAILED)}
    async with connection.transaction():
        await connection.execute(ENDED, {**job.held, **values})


async def held_by(connection: Connection, statement: str, values: dict[str, Any]) -> Any:
    """A change of the release, as long as it is this run's."""
    row = await (await connection.execute(statement, values)).fetchone()
    if row is None:
        raise LostExport
    return row
