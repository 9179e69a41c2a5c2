"""The steps of the work on an import, each within the transaction of who calls them (`app.importing`).

Whoever works holds the import by a name of the run and a lease: a run that finds another name there has lost it, and
what it has not committed never was.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch, run, update
from app.errors import FieldError, NotFound, Problem
from app.models.codes.files import ImportRowStatus, ImportState
from app.models.imports import Import
from app.sealing import load_keys, ring_of
from app.security import Actor
from app.services.addressed import import_row
from app.services.carrying import lead_as_they_stay
from app.services.import_records import ADD, write_records
from app.services.import_rows import Scales, Weighed, weigh_chunk
from app.services.import_writing import name_leads, write_rows
from app.services.imports import REPORTS
from app.services.intake_rows import Opened

LEASE = timedelta(seconds=90)
AT_ONCE = 250  # leads named in one statement
LONGER = "set local statement_timeout = '60s'"

CLAIM = "select * from claim_import(%(run)s)"
FAIL = "select fail_import(%(id)s, %(run)s, %(why)s)"
COUNT_CHUNKS = "select count(*) as chunks from import_chunks where import_id = %(id)s"
# With the import's own row, so that nobody else goes on with it and everybody sees how far it is.
PROGRESS = """
    update imports set rows_done = %(done)s, errors = %(errors)s, duplicates = %(duplicates)s,
                       unchanged = %(unchanged)s, state = %(state)s, lease_until = %(lease_until)s
     where id = %(id)s and run = %(run)s and state = 'checking'
 returning id
"""
RENEW = """
    update imports set rows_done = %(done)s, lease_until = %(lease_until)s
     where id = %(id)s and run = %(run)s and state = 'committing'
 returning id
"""
WRITTEN = """
    update imports set state = 'committed', rows_done = rows_total, unchanged = %(unchanged)s, written = %(written)s,
                       ended_at = %(now)s, lease_until = null
     where id = %(id)s and run = %(run)s and state = 'committing'
 returning id
"""


class LostImport(Exception):  # noqa: N818 - what became of the work
    """Somebody took the import away, or goes on with it: what was done last is rolled back."""


class ImportStopped(Exception):  # noqa: N818 - as above
    """The import cannot be written any more; `why` is a code."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Job:
    """An import that this run works on, and in whose name."""

    id: UUID
    run: UUID
    session_id: UUID
    user_id: UUID
    committing: bool


@dataclass(slots=True)
class Tally:
    """What was found so far."""

    done: int = 0
    errors: int = 0
    duplicates: int = 0
    unchanged: int = 0
    opened: list[Opened] = field(default_factory=list)
    written: int = 0

    def add(self, rows: list[Weighed]) -> dict[str, int]:
        """Count a chunk; gives its own counts."""
        statuses = [row.status for row in rows]
        own = {
            "errors": statuses.count(ImportRowStatus.ERROR),
            "duplicates": statuses.count(ImportRowStatus.DUPLICATE_SUGGESTED),
            "unchanged": statuses.count(ImportRowStatus.UNCHANGED),
        }
        self.done += len(rows)
        self.errors += own["errors"]
        self.duplicates += own["duplicates"]
        self.unchanged += own["unchanged"]
        return own


async def claim(session: AsyncSession, run_id: UUID) -> Job | None:
    """The next import that waits, held by this run; None when there is none."""
    rows = await fetch(session, CLAIM, {"run": run_id})
    return Job(rows[0].id, run_id, rows[0].session_id, rows[0].user_id, rows[0].committing) if rows else None


async def fail(session: AsyncSession, job: Job, why: str) -> None:
    """End the import without anything written."""
    await run(session, FAIL, {"id": job.id, "run": job.run, "why": why})


async def held(session: AsyncSession, job: Job) -> tuple[Import, int]:
    """The import with the number of its chunks and its key at hand. Raises LostImport."""
    try:
        row = await import_row(session, job.id)
    except NotFound:
        raise LostImport from None
    if row.run != job.run:
        raise LostImport
    await load_keys(session, [row.id])
    return row, (await fetch(session, COUNT_CHUNKS, {"id": row.id}))[0].chunks


async def check_chunk(session: AsyncSession, actor: Actor, job: Job, number: int, tally: Tally, scales: Scales) -> bool:
    """Weigh one chunk, write the report on it and how far the check is; True after the last."""
    source, chunks = await held(session, job)
    chunk_id, rows = await weigh_chunk(session, actor, source, number, scales, suggest=True)
    lines = [[row.row.number, row.status, _said(row.errors), _said(row.warnings)] for row in rows]
    sealed = ring_of(session).seal(REPORTS, chunk_id, source.id, {"rows": lines})
    await update(session, "import_chunks", chunk_id, {**tally.add(rows), "report_sealed": sealed})
    is_last = number + 1 >= chunks
    values = {
        **_held(job, actor),
        "done": tally.done,
        "errors": tally.errors,
        "duplicates": tally.duplicates,
        "unchanged": tally.unchanged,
        "state": ImportState.CHECKED if is_last else ImportState.CHECKING,
    }
    if not await fetch(session, PROGRESS, {**values, "lease_until": None if is_last else values["lease_until"]}):
        raise LostImport
    return is_last


async def write_chunk(
    session: AsyncSession, actor: Actor, source: Import, number: int, tally: Tally, scales: Scales
) -> None:
    """Weigh a chunk once more and write what is new of it. Raises ImportStopped at the first row with an error."""
    _, rows = await weigh_chunk(session, actor, source, number, scales, suggest=False)
    tally.add(rows)
    if tally.errors:
        raise ImportStopped("row_errors")
    new = [row for row in rows if row.status is not ImportRowStatus.UNCHANGED]
    if source.kind in ADD:
        records = [(row.row.body, row.digest) for row in new if row.row.body is not None and row.digest is not None]
        try:
            await write_records(session, actor, source.kind, records)
        except Problem:
            raise ImportStopped("row_errors") from None
    else:
        tally.opened += await write_rows(session, actor, source, new)
    tally.written += len(new)


async def tell_progress(session: AsyncSession, actor: Actor, job: Job, done: int) -> None:
    """Beside the transaction that writes: how far it is. Raises LostImport."""
    if not await fetch(session, RENEW, {**_held(job, actor), "done": done}):
        raise LostImport


async def name_some_leads(session: AsyncSession, actor: Actor, source: Import, tally: Tally) -> AsyncIterator[None]:
    """Name the lead of each case, some at a time. Raises Invalid for a lead who cannot lead any more.

    Last, because nobody changes the lead's account from here until the transaction ends.
    """
    if tally.opened:
        await lead_as_they_stay(session, source.lead_id or actor.id, source.organisation_id)
    for first in range(0, len(tally.opened), AT_ONCE):
        await name_leads(session, actor, tally.opened[first : first + AT_ONCE])
        yield


async def finish(session: AsyncSession, actor: Actor, job: Job, tally: Tally) -> None:
    """The end of the import, and of its file and key with it. Raises LostImport."""
    values = {"id": job.id, "run": job.run, "now": actor.now, "unchanged": tally.unchanged, "written": tally.written}
    if not await fetch(session, WRITTEN, values):
        raise LostImport


def _said(found: Sequence[FieldError]) -> list[list[str]]:
    return [[one.pointer, one.code, one.message] for one in found]


def _held(job: Job, actor: Actor) -> dict[str, object]:
    return {"id": job.id, "run": job.run, "lease_until": actor.now + LEASE}
