"""Papers and photographs of a case: who works on it adds, reads and removes them; nobody else comes near."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.db import insert
from app.errors import Cause, Conflict, NotFound
from app.models.attachment import Attachment, AttachmentRead
from app.models.base import Page
from app.models.case import Colleague
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.preconditions import check_match
from app.sealing import load_keys, opened, ring_of, seal, write_key
from app.security import Actor
from app.services.cases import open_for_change
from app.services.colleagues import names_of
from app.services.events import record
from app.services.visible import access_for
from app.uploads.receiving import Upload

PART = "attachment"  # what their keys are called in vault.data_keys (migrations/sql/136_attachments.sql)


async def add_attachment(
    session: AsyncSession, actor: Actor, case_id: UUID, upload: Upload, most: int
) -> AttachmentRead:
    """Keep the file with the case. 409 when the case is closed, or has `most` of them already."""
    case = await open_for_change(session, case_id, Permission.ATTACHMENT_EDIT)
    count = select(func.count()).select_from(Attachment).where(col(Attachment.case_id) == case_id)
    if (await session.execute(count)).scalar_one() >= most:
        raise Conflict(Cause.TOO_MANY)
    spool = upload.spool
    row = Attachment(
        id=spool.id,
        case_id=case.id,
        organisation_id=case.organisation_id,
        media_type=upload.media_type,
        size=spool.size,
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )
    ring_of(session).add(row.id, *spool.wrapped)
    await write_key(session, row.id, case.organisation_id, case.id, part=PART)
    seal(session, row, {"name": upload.name})
    session.add(row)
    await _tell(session, actor, row, "attachment.added")
    await _store(session, row, upload)
    return (await _reads(session, [row]))[0]


async def list_attachments(session: AsyncSession, case_id: UUID, query: ListQuery) -> Page[AttachmentRead]:
    """What is attached, newest first; 403 for everybody but lead, assigned and cover."""
    await access_for(session, case_id, Permission.ATTACHMENT_READ)
    statement = select(Attachment).where(col(Attachment.case_id) == case_id)
    rows, cursor = await newest_first(session, statement, Attachment.created_at, Attachment.id, query)
    return Page[AttachmentRead](items=await _reads(session, list(rows)), next_cursor=cursor)


async def read_attachment(session: AsyncSession, case_id: UUID, attachment_id: UUID) -> AttachmentRead:
    """One; 404 when it is not of this case."""
    await access_for(session, case_id, Permission.ATTACHMENT_READ)
    return (await _reads(session, [await of_case(session, case_id, attachment_id)]))[0]


async def remove_attachment(
    session: AsyncSession, actor: Actor, case_id: UUID, attachment_id: UUID, if_match: str | None
) -> None:
    """Destroy it and its key. 428/412 by If-Match, 409 when the case is closed."""
    await open_for_change(session, case_id, Permission.ATTACHMENT_EDIT)
    row = await of_case(session, case_id, attachment_id)
    check_match(if_match, row.version)
    await session.delete(row)
    await _tell(session, actor, row, "attachment.removed")


async def of_case(session: AsyncSession, case_id: UUID, attachment_id: UUID) -> Attachment:
    """The row of one attachment of a case that the caller sees; 404 when it is not of this case."""
    statement = select(Attachment).where(col(Attachment.id) == attachment_id, col(Attachment.case_id) == case_id)
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound
    return row


async def _store(session: AsyncSession, row: Attachment, upload: Upload) -> None:
    place = {"attachment_id": row.id, "case_id": row.case_id, "organisation_id": row.organisation_id}
    for number, chunk in upload.spool.sealed():
        await insert(session, "attachment_chunks", {**place, "number": number, "content": chunk})


async def _reads(session: AsyncSession, rows: list[Attachment]) -> list[AttachmentRead]:
    await load_keys(session, [row.id for row in rows])
    names: dict[UUID, Colleague] = await names_of(session, [row.created_by for row in rows])
    return [
        AttachmentRead(
            **row.model_dump(include={"id", "case_id", "media_type", "size", "version", "created_at", "updated_at"}),
            name=opened(session, row)["name"],
            added_by=names[row.created_by],
        )
        for row in rows
    ]


async def _tell(session: AsyncSession, actor: Actor, row: Attachment, event: str) -> None:
    await record(session, actor, event, case_id=row.case_id, organisation_id=row.organisation_id, subject_id=row.id)
