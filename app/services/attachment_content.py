"""The content of an attachment, opened part by part: first all of what is asked, so that a broken seal is an answer
and an alarm; then once more while it is sent, each part under the caller's rights at that moment."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.byte_range import Span, asked_span, whole
from app.db import fetch
from app.errors import NotFound, SealedAway
from app.logs import log
from app.models.attachment import MediaType
from app.permissions import Permission
from app.preconditions import etag
from app.sealing import load_keys, opened, ring_of
from app.sealing.chunks import CHUNK, open_chunk
from app.sealing.data_key import DataKey
from app.sealing.key_encryption import SealBroken
from app.security import Actor, Runtime
from app.services.attachments import of_case
from app.services.visible import access_for

PARTS = """
    select number, content from attachment_chunks
     where attachment_id = %(id)s and number between %(first)s and %(last)s order by number
"""
TOGETHER = 4  # chunks, so a megabyte in memory


@dataclass(frozen=True, slots=True)
class Content:
    """A file that may be sent, and which part of it; `partial` where a part was asked for."""

    id: UUID
    case_id: UUID
    name: str
    media_type: MediaType
    span: Span
    partial: bool
    key: DataKey

    @property
    def etag(self) -> str:
        """The content of an attachment never changes."""
        return etag(self.id)


async def open_content(
    session: AsyncSession, case_id: UUID, attachment_id: UUID, asked: str | None, if_range: str | None
) -> Content:
    """Find the file and try every part that is asked for. 404, 416; 503 and an alarm when a part does not open."""
    await access_for(session, case_id, Permission.ATTACHMENT_READ)
    row = await of_case(session, case_id, attachment_id)
    await load_keys(session, [row.id])
    name = opened(session, row)["name"]
    span = asked_span(asked, row.size) if if_range in {None, etag(row.id)} else None
    key = ring_of(session).key(row.id)
    content = Content(row.id, case_id, name, row.media_type, span or whole(row.size), span is not None, key)
    for first, last in _batches(content.span):
        await _parts(session, content, first, last)
    return content


async def parts_of(runtime: Runtime, actor: Actor, content: Content) -> AsyncIterator[bytes]:
    """What was asked for, in order. Raises when the caller may read it no more, which cuts the answer off.

    No connection is held while the caller is slow.
    """
    for first, last in _batches(content.span):
        async with runtime.files.moving(), runtime.database.transaction() as session:
            required = runtime.settings.mfa_required
            if await runtime.database.begin_request(session, actor.session_id, mfa_required=required) is None:
                raise NotFound
            await access_for(session, content.case_id, Permission.ATTACHMENT_READ)
            await of_case(session, content.case_id, content.id)
            parts = await _parts(session, content, first, last)
        for part in parts:
            yield part


def _batches(span: Span) -> list[tuple[int, int]]:
    """The numbers of the chunks in which the span lies, some at a time: first and last."""
    end = span.last // CHUNK
    return [(first, min(first + TOGETHER - 1, end)) for first in range(span.first // CHUNK, end + 1, TOGETHER)]


async def _parts(session: AsyncSession, content: Content, first: int, last: int) -> list[bytes]:
    rows = await fetch(session, PARTS, {"id": content.id, "first": first, "last": last})
    try:
        if [row.number for row in rows] != list(range(first, last + 1)):
            raise SealBroken
        return [_part(content, row) for row in rows]
    except SealBroken:
        log.error("seal.broken", code="attachment_chunks", case_id=content.id)
        raise SealedAway from None


def _part(content: Content, row: Any) -> bytes:
    """One chunk, opened; of the first and the last only what lies in the span."""
    span, begins = content.span, row.number * CHUNK
    part = open_chunk(content.key, content.id, row.number, bytes(row.content), size=span.size)
    return part[max(0, span.first - begins) : span.last + 1 - begins]
