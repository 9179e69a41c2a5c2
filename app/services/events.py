"""Writing what happened into the one stream, in the transaction of the change itself."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import insert
from app.ids import new_id
from app.models.codes import NoteAudience
from app.sealing import ring_of
from app.security import Actor


async def record(
    session: AsyncSession,
    actor: Actor,
    event_type: str,
    *,
    case_id: UUID,
    organisation_id: UUID,
    subject_id: UUID | None = None,
    for_team: bool = False,
    data: dict[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Add one event of a case, after the change itself is flushed. `data`: codes and ids only; `reason`: words
    of people, sealed with the case's key."""
    await session.flush()
    event_id = new_id()
    sealed = ring_of(session).seal("events", event_id, case_id, {"reason": reason}) if reason else None
    await insert(
        session,
        "events",
        {
            "id": event_id,
            "case_id": case_id,
            "organisation_id": organisation_id,
            "type": event_type,
            "audience": NoteAudience.TEAM if for_team else NoteAudience.CASEWORKERS,
            "at": actor.now,
            "actor_id": actor.id,
            "subject_id": subject_id,
            "data": data or {},
            "sealed": sealed,
        },
    )
