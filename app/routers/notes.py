"""`/cases/{case_id}/notes` and the case's timeline."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, Route, Session, created
from app.models.base import Page
from app.models.event import TimelineRead
from app.models.note import NoteCreate, NoteRead
from app.paging import ListQuery
from app.permissions import Permission
from app.security import Actor, allowed
from app.services import notes, timeline

router = APIRouter(prefix=API, tags=["notes"], route_class=Route)


@router.post("/cases/{case_id}/notes", status_code=201)
async def add_note(
    case_id: UUID,
    written: NoteCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.NOTE_ADD)],
) -> NoteRead:
    """Add a note for the caseworkers, or for the team with the liaisons."""
    note = await notes.add_note(session, actor, case_id, written)
    created(response, f"/cases/{case_id}/notes/{note.id}")
    return note


@router.get("/cases/{case_id}/notes")
async def list_notes(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.NOTE_READ)],
) -> Page[NoteRead]:
    """The notes that you may read, newest first."""
    return await notes.list_notes(session, case_id, query)


@router.get("/cases/{case_id}/notes/{note_id}")
async def read_note(
    case_id: UUID, note_id: UUID, session: Session, actor: Annotated[Actor, allowed(Permission.NOTE_READ)]
) -> NoteRead:
    """One note."""
    return await notes.read_note(session, case_id, note_id)


@router.get("/cases/{case_id}/timeline")
async def read_timeline(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.TIMELINE_READ)],
) -> Page[TimelineRead]:
    """Who did what on the case, when and why, newest first."""
    return await timeline.read_timeline(session, case_id, query)
