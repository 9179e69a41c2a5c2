"""Writing what happened into the one stream, in the transaction of the change itself."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.models.codes import NoteAudience
from app.models.event import Event
from app.security import Actor


def record(  # noqa: PLR0913 (an event is what it says)
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
    """Add one event of a case. `data`: codes and ids only; `reason`: words of people, kept apart."""
    session.add(
        Event(
            case_id=case_id,
            organisation_id=organisation_id,
            type=event_type,
            audience=NoteAudience.TEAM if for_team else NoteAudience.CASEWORKERS,
            at=actor.now,
            actor_id=actor.id,
            subject_id=subject_id,
            data=data or {},
            private={"reason": reason} if reason else {},
        )
    )
