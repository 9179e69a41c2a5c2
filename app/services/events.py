"""Writing what happened into the one stream, in the transaction of the change itself."""

from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import run
from app.models.codes import NoteAudience
from app.security import Actor

INSERT = """
    insert into events (id, case_id, organisation_id, type, audience, at, actor_id, subject_id, data, private)
    values (%(id)s, %(case_id)s, %(organisation_id)s, %(type)s, %(audience)s, %(at)s, %(actor_id)s, %(subject_id)s,
            %(data)s, %(private)s)
"""


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
    of people, kept apart."""
    await session.flush()
    await run(
        session,
        INSERT,
        {
            "id": uuid4(),
            "case_id": case_id,
            "organisation_id": organisation_id,
            "type": event_type,
            "audience": (NoteAudience.TEAM if for_team else NoteAudience.CASEWORKERS).value,
            "at": actor.now,
            "actor_id": actor.id,
            "subject_id": subject_id,
            "data": Jsonb(data or {}),
            "private": Jsonb({"reason": reason} if reason else {}),
        },
    )
