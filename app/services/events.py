"""Writing what happened into the one stream, in the transaction of the change itself."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import insert
from app.ids import new_id
from app.models.event import EventAudience
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
    for_oversight: bool = False,
    data: dict[str, Any] | None = None,
    reason: str | None = None,
) -> None:
    """Add one event of a case, after the change itself is flushed. `data`: codes and ids only; `reason`: words
    of people, sealed with the case's key. `for_oversight`: it is about the exclusion or match `subject_id`, and is read
    by who may read that, never by whom it keeps away."""
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
            "audience": _audience(for_team=for_team, for_oversight=for_oversight),
            "at": actor.now,
            "actor_id": actor.id,
            "subject_id": subject_id,
            "data": data or {},
            "sealed": sealed,
        },
    )


def _audience(*, for_team: bool, for_oversight: bool) -> EventAudience:
    if for_oversight:
        return EventAudience.OVERSIGHT
    return EventAudience.TEAM if for_team else EventAudience.CASEWORKERS
