"""Rows of the programme's registers: each is written as its own operation writes it, and so held to the same rules.

The dry run writes each row too, and takes it back at once: what would be refused is known then, in the operation's
words.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import insert
from app.errors import FieldError, Invalid, NotFound, Problem
from app.ids import new_id
from app.models.base import Body
from app.models.codes.files import ImportKind
from app.registers import column_of
from app.security import Actor
from app.services.activities import add_activity
from app.services.businesses import add_business
from app.services.distributions import add_distribution
from app.services.feedback import add_feedback
from app.services.home_visits import add_visit

ADD: dict[ImportKind, Callable[[AsyncSession, Actor, Any], Awaitable[Any]]] = {
    ImportKind.ACTIVITIES: add_activity,
    ImportKind.HOME_VISITS: add_visit,
    ImportKind.BUSINESSES: add_business,
    ImportKind.FEEDBACK: add_feedback,
    ImportKind.DISTRIBUTIONS: add_distribution,
}
_NAMED = ("household_id", "owner_id", "activity_id")


async def refusal_of(session: AsyncSession, actor: Actor, kind: ImportKind, body: Body) -> tuple[FieldError, ...]:
    """What the operation would refuse of this row; nothing is left of it."""
    try:
        async with session.begin_nested() as point:
            await ADD[kind](session, actor, body)
            await point.rollback()
    except Invalid as refused:
        return tuple(FieldError(column_of(one.pointer), one.code, one.message) for one in refused.errors)
    except NotFound:
        named = [name for name in _NAMED if getattr(body, name, None) is not None]
        pointer = f"/{named[0]}" if len(named) == 1 else ""
        return (FieldError(pointer, "unknown_reference", "An id names nothing that exists."),)
    except Problem as refused:
        return (FieldError("", refused.code, "This is not allowed."),)
    return ()


async def write_records(
    session: AsyncSession, actor: Actor, kind: ImportKind, rows: Sequence[tuple[Body, bytes]]
) -> None:
    """Write these rows, each with the keyed hash by which it is known again. Raises what the operation refuses."""
    for body, digest in rows:
        await ADD[kind](session, actor, body)
        known: dict[str, UUID | bytes | Any] = {
            "id": new_id(),
            "organisation_id": actor.own_organisation,
            "digest": digest,
            "case_id": None,
            "created_at": actor.now,
            "created_by": actor.id,
        }
        await insert(session, "imported_rows", known)
