"""Notes on a case; a liaison reads and writes those for the team."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import CaseClosed, NotFound
from app.models.base import Page
from app.models.case import Colleague
from app.models.codes.cases import CaseStatus, NoteAudience
from app.models.note import Note, NoteCreate, NoteRead
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.policy import forbid
from app.sealing import opened, seal
from app.security import Actor
from app.services.colleagues import names_of
from app.services.events import record
from app.services.own_ids import id_for
from app.services.visible import access_for, lock_case


async def add_note(session: AsyncSession, actor: Actor, case_id: UUID, written: NoteCreate) -> NoteRead:
    """Add a note; 403 for a liaison writing to caseworkers only, 409 when the case is closed."""
    access = await access_for(session, case_id, Permission.NOTE_ADD)
    forbid(access.is_liaison and written.audience is NoteAudience.CASEWORKERS)
    case = await lock_case(session, case_id)
    if case.status is CaseStatus.CLOSED:
        raise CaseClosed
    audience = written.audience or (NoteAudience.TEAM if access.is_liaison else NoteAudience.CASEWORKERS)
    note = Note(
        id=await id_for(session, "notes", written.id),
        case_id=case_id,
        organisation_id=case.organisation_id,
        audience=audience,
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )
    seal(session, note, {"text": written.text})
    session.add(note)
    await record(
        session,
        actor,
        "note.added",
        case_id=case_id,
        organisation_id=case.organisation_id,
        subject_id=note.id,
        for_team=audience is NoteAudience.TEAM,
    )
    return _read(session, note, Colleague(id=actor.id, display_name=actor.display_name))


async def list_notes(session: AsyncSession, case_id: UUID, query: ListQuery) -> Page[NoteRead]:
    """The notes that the caller may read, newest first."""
    await access_for(session, case_id, Permission.NOTE_READ)
    statement = select(Note).where(col(Note.case_id) == case_id)
    rows, cursor = await newest_first(session, statement, Note.created_at, Note.id, query)
    return Page[NoteRead](items=await reads_of(session, rows), next_cursor=cursor)


async def read_note(session: AsyncSession, case_id: UUID, note_id: UUID) -> NoteRead:
    """One note; 404 when it is not of this case or not for the caller."""
    await access_for(session, case_id, Permission.NOTE_READ)
    statement = select(Note).where(col(Note.id) == note_id, col(Note.case_id) == case_id)
    note = (await session.execute(statement)).scalar_one_or_none()
    if note is None:
        raise NotFound
    return (await reads_of(session, [note]))[0]


async def reads_of(session: AsyncSession, rows: Sequence[Note]) -> list[NoteRead]:
    """Rows of whatever cases, in their order."""
    authors = await names_of(session, (row.created_by for row in rows))
    return [_read(session, row, authors[row.created_by]) for row in rows]


def _read(session: AsyncSession, note: Note, author: Colleague) -> NoteRead:
    return NoteRead(
        id=note.id,
        case_id=note.case_id,
        text=opened(session, note)["text"],
        audience=note.audience,
        author=author,
        created_at=note.created_at,
    )
