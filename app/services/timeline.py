"""The timeline of a case: who did what, when, and why."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models.base import Page
from app.models.case import Colleague
from app.models.event import Event, TimelineRead
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.sealing import opened
from app.services.colleagues import names_of
from app.services.visible import access_for


async def read_timeline(session: AsyncSession, case_id: UUID, query: ListQuery) -> Page[TimelineRead]:
    """The events that the caller may read, newest first; reasons are not for liaisons."""
    access = await access_for(session, case_id, Permission.TIMELINE_READ)
    statement = select(Event).where(col(Event.case_id) == case_id)
    rows, cursor = await newest_first(session, statement, Event.at, Event.id, query)
    actors = await names_of(session, (row.actor_id for row in rows))
    return Page[TimelineRead](
        items=[_read(session, row, actors, access.is_liaison) for row in rows], next_cursor=cursor
    )


def _read(session: AsyncSession, event: Event, actors: dict[UUID, Colleague], without_reason: bool) -> TimelineRead:
    return TimelineRead(
        id=event.id,
        type=event.type,
        at=event.at,
        actor=actors.get(event.actor_id) if event.actor_id else None,
        subject_id=event.subject_id,
        data=event.data,
        reason=None if without_reason else opened(session, event).get("reason"),
    )
