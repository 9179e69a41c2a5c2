"""The files of a release, given part by part as they are stored: to auditors, once it is released; those on its risks
to who approves it, once it is frozen; to nobody when it is withdrawn, not even the rest of what is on its way."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.byte_range import Span, asked_span, whole
from app.db import fetch
from app.errors import Cause, Conflict, NotFound, Withdrawn
from app.export_parts import CHUNK
from app.models.codes.files import ExportState
from app.models.export import ExportFile
from app.security import Actor, Runtime
from app.services.addressed import export_row

TOGETHER = 8  # parts, so two megabytes in memory
PARTS = """
    select number, content from export_chunks
     where export_id = %(id)s and name = %(name)s and number between %(first)s and %(last)s order by number
"""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that may be sent, and which part of it; `partial` where a part was asked for."""

    export_id: UUID
    name: str
    sha256: str
    span: Span
    partial: bool
    unchanged: bool  # the caller has it already

    @property
    def etag(self) -> str:
        """A stored file never changes: its hash."""
        return f'"{self.sha256}"'


async def open_file(
    session: AsyncSession,
    export_id: UUID,
    name: str,
    asked: str | None = None,
    if_range: str | None = None,
    if_none_match: str | None = None,
) -> StoredFile:
    """Find one file of a release. 404, 409 before any may be read, 410 once it is withdrawn, 416."""
    row = await _readable(session, export_id, name)
    tag = f'"{row.sha256}"'
    span = asked_span(asked, row.size) if if_range in {None, tag} else None
    unchanged = if_none_match is not None and _names(if_none_match, tag)
    return StoredFile(export_id, name, row.sha256, span or whole(row.size), span is not None, unchanged)


async def parts_of(runtime: Runtime, actor: Actor, file: StoredFile) -> AsyncIterator[bytes]:
    """What was asked for, in order. Raises when it may be read no more, which cuts the answer off.

    No connection is held while the caller is slow.
    """
    for first, last in _batches(file.span):
        async with runtime.files.moving(), runtime.database.transaction() as session:
            required = runtime.settings.mfa_required
            if await runtime.database.begin_request(session, actor.session_id, mfa_required=required) is None:
                raise NotFound
            await _readable(session, file.export_id, file.name)
            asked = {"id": file.export_id, "name": file.name, "first": first, "last": last}
            parts = [_part(file.span, row.number, bytes(row.content)) for row in await fetch(session, PARTS, asked)]
        for part in parts:
            yield part


async def _readable(session: AsyncSession, export_id: UUID, name: str) -> ExportFile:
    """Of the files that the caller sees, which the row policies decide; 409 while there are none."""
    export = await export_row(session, export_id)
    if export.state is ExportState.WITHDRAWN:
        raise Withdrawn
    found = (await session.execute(select(ExportFile).where(col(ExportFile.export_id) == export_id))).scalars().all()
    if not found:
        raise Conflict(Cause.NOT_RELEASED)
    for row in found:
        if row.name == name:
            return row
    raise NotFound


def _names(if_none_match: str, tag: str) -> bool:
    named = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return "*" in named or tag in named


def _batches(span: Span) -> list[tuple[int, int]]:
    """The numbers of the chunks in which the span lies, some at a time: first and last."""
    end = span.last // CHUNK
    return [(first, min(first + TOGETHER - 1, end)) for first in range(span.first // CHUNK, end + 1, TOGETHER)]


def _part(span: Span, number: int, content: bytes) -> bytes:
    begins = number * CHUNK
    return content[max(0, span.first - begins) : span.last + 1 - begins]
