"""Imports of registers: taken in sealed, told of, wished to be written, taken away. The work itself is elsewhere.

`import_checking` and `import_writing` do it chunk by chunk, called by `app.importing`, in the name of the uploader.
"""

import base64
import binascii
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import after_commit, fetch, insert
from app.errors import FieldError, ImportBlocked, Invalid, NotFound
from app.errors.messages import in_language
from app.ids import new_id
from app.models.base import Page
from app.models.codes.files import ImportKind, ImportRowStatus, ImportState
from app.models.imports import Import, ImportCounts, ImportForm, ImportRead, ImportRowRead, RowError
from app.paging import ListQuery, newest_first
from app.registers import Register
from app.sealing import load_keys, make_key, ring_of
from app.security import Actor, Runtime
from app.services.addressed import import_row
from app.services.carrying import lead_as_they_stay

CHUNKS, REPORTS = "import_chunks", "import_chunks.report"
KEPT = timedelta(hours=24)
OVER = {ImportState.COMMITTED, ImportState.FAILED, ImportState.EXPIRED}

EARLIER = "select id from imports where digest = %(digest)s order by created_at desc, id desc limit 1"
# Of each status, the chunks that have such a row, in the order of the file.
PART = """
    select id, report_sealed from import_chunks
     where import_id = %(id)s and last_row > %(after)s and report_sealed is not null {having}
     order by number limit 1
"""
HAVING: dict[ImportRowStatus | None, str] = {
    None: "",
    ImportRowStatus.ERROR: "and errors > 0",
    ImportRowStatus.DUPLICATE_SUGGESTED: "and duplicates > 0",
    ImportRowStatus.UNCHANGED: "and unchanged > 0",
    ImportRowStatus.OK: "and rows > errors + duplicates + unchanged",
}


class ImportRowsQuery(ListQuery):
    """Which rows of the report: those of one status, or all."""

    status: ImportRowStatus | None = None


async def take_import(
    session: AsyncSession, actor: Actor, form: ImportForm, register: Register, digest: bytes
) -> ImportRead:
    """Keep the file, sealed with a key of its own, to be checked. `digest`: the keyed hash of the file.

    422 where a sensitive row has no lead to go to.
    """
    lead_id = await _lead(session, actor, form, register)
    earlier = await fetch(session, EARLIER, {"digest": digest})
    row = Import(
        organisation_id=actor.own_organisation,
        kind=form.kind,
        lead_id=lead_id,
        digest=digest,
        repeat_of=earlier[0].id if earlier else None,
        rows_total=register.rows,
        session_id=actor.session_id,
        created_at=actor.now,
        created_by=actor.id,
    )
    session.add(row)
    await session.flush()
    await make_key(session, row.id, row.organisation_id)
    await _keep(session, row, register)
    return read_of(row)


async def list_imports(session: AsyncSession, query: ListQuery) -> Page[ImportRead]:
    """The caller's imports, newest first."""
    rows, cursor = await newest_first(session, select(Import), Import.created_at, Import.id, query)
    return Page[ImportRead](items=[read_of(row) for row in rows], next_cursor=cursor)


async def read_import(session: AsyncSession, import_id: UUID) -> ImportRead:
    """One import, as far as the work on it has come; 404 when it is another's."""
    return read_of(await import_row(session, import_id))


async def list_rows(
    session: AsyncSession, import_id: UUID, query: ImportRowsQuery, language: str
) -> Page[ImportRowRead]:
    """The report as far as it goes, in the order of the file and in this language ("en" or "km").

    404 when it is gone with the import's end.
    """
    row = await import_row(session, import_id)
    after, found = _place(query.cursor), list[ImportRowRead]()
    if row.state in OVER:
        raise NotFound
    await load_keys(session, [row.id])
    part = PART.format(having=HAVING[query.status])
    while len(found) <= query.limit:
        chunks = await fetch(session, part, {"id": row.id, "after": after})
        if not chunks:
            break
        report = ring_of(session).open(REPORTS, chunks[0].id, row.id, chunks[0].report_sealed)["rows"]
        found += [_row_read(line, language) for line in report if line[0] > after and query.status in {None, line[1]}]
        after = report[-1][0]
    shown = found[: query.limit]
    return Page[ImportRowRead](items=shown, next_cursor=_cursor(shown[-1].row) if len(found) > query.limit else None)


async def wish_commit(session: AsyncSession, actor: Actor, import_id: UUID) -> ImportRead:
    """Have a checked import without errors written, in the name of who asks now. 409 `import_blocked` otherwise."""
    row = await import_row(session, import_id, lock=True)
    blocked_by = [row.state.value] if row.state is not ImportState.CHECKED else []
    if blocked_by or row.errors:
        raise ImportBlocked(blocked_by or ["row_errors"])
    if row.kind is ImportKind.CASES:
        await lead_as_they_stay(session, row.lead_id or actor.id, row.organisation_id)
    row.state, row.session_id = ImportState.COMMITTING, actor.session_id
    row.rows_done, row.run, row.lease_until = 0, None, None
    await session.flush()
    return read_of(row)


async def take_away(session: AsyncSession, import_id: UUID) -> None:
    """The import with file, report and key. 409 while it is being written."""
    row = await import_row(session, import_id, lock=True)
    if row.state is ImportState.COMMITTING:
        raise ImportBlocked([row.state.value])
    await session.delete(row)
    await session.flush()


def wake(session: AsyncSession, runtime: Runtime) -> None:
    """Have this process look for work once the request is committed."""

    async def now() -> None:
        runtime.import_waits.set()

    after_commit(session, now)


def read_of(row: Import) -> ImportRead:
    """The import as its uploader reads it."""
    reported = row.errors + row.duplicates + row.unchanged
    checked = row.rows_done if row.state in {ImportState.QUEUED, ImportState.CHECKING} else row.rows_total
    return ImportRead(
        rows=ImportCounts(
            total=row.rows_total,
            done=row.rows_done,
            ok=max(0, checked - reported),
            error=row.errors,
            duplicate_suggested=row.duplicates,
            unchanged=row.unchanged,
            written=row.written,
        ),
        expires_at=row.created_at + KEPT,
        **row.model_dump(include=ImportRead.model_fields.keys() - {"rows", "expires_at"}),
    )


async def _lead(session: AsyncSession, actor: Actor, form: ImportForm, register: Register) -> UUID | None:
    if form.kind is not ImportKind.CASES:
        for name, given in (("lead_id", form.lead_id), ("over_limit_reason", form.over_limit_reason)):
            if given is not None:
                raise Invalid.at(f"/{name}", "not_allowed", "Only cases have a lead.")
        return None
    if form.lead_id is None:
        if register.sensitive:
            raise Invalid.at("/lead_id", "required", "Sensitive cases need a named lead.")
        return None
    return await lead_as_they_stay(session, form.lead_id, actor.own_organisation)


async def _keep(session: AsyncSession, row: Import, register: Register) -> None:
    ring = ring_of(session)
    for number, chunk in enumerate(register.chunks):
        own_id = new_id()
        values = {
            "id": own_id,
            "import_id": row.id,
            "organisation_id": row.organisation_id,
            "number": number,
            "rows": chunk.rows,
            "first_row": chunk.first_row,
            "last_row": chunk.last_row,
            "sealed": ring.seal_text(CHUNKS, own_id, row.id, chunk.document),
            **dict.fromkeys(("errors", "duplicates", "unchanged"), 0),
        }
        await insert(session, CHUNKS, values)


def _row_read(line: Sequence[Any], language: str) -> ImportRowRead:
    number, status, errors, *warnings = line  # none in a report of an earlier version
    told = [one for found in warnings for one in found]
    return ImportRowRead(row=number, status=status, errors=_errors(errors, language), warnings=_errors(told, language))


def _errors(found: Sequence[Sequence[str]], language: str) -> list[RowError]:
    told = in_language((FieldError(*one) for one in found), language)
    return [RowError(pointer=one.pointer, code=one.code, message=one.message) for one in told]


def _cursor(row: int) -> str:
    return base64.urlsafe_b64encode(f"row {row}".encode()).decode().rstrip("=")


def _place(cursor: str | None) -> int:
    """The row at which the last page ended, 0 for none; 422 for anything that was not made here."""
    if cursor is None:
        return 0
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        word, _, number = text.partition(" ")
        if word != "row" or not (number.isdigit() and len(number) <= 9):
            raise ValueError
    except (ValueError, binascii.Error):
        raise Invalid.at("/query/cursor", "cursor_invalid", "The cursor was not made by this list.") from None
    return int(number)
