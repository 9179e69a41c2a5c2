"""Ids that a device chose while it was away, for what it then writes."""

from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch
from app.errors import Cause, Conflict
from app.ids import new_id

Table = Literal["cases", "notes", "follow_ups", "actions", "home_visits"]
_LOOK = "select app_id_is_taken('{0}', %(id)s) as taken, exists (select from {0} where id = %(id)s) as seen"


async def id_for(session: AsyncSession, table: Table, wanted: UUID | None) -> UUID:
    """The id of a row that is about to be written: the one that is wanted, when it is free.

    409 when the caller sees a row of this id. A hidden one is none for the caller: the new row gets another id.
    """
    if wanted is None:
        return new_id()
    looked = await _look(session, table, wanted)
    if looked.seen:
        raise Conflict(Cause.EXISTS)
    return new_id() if looked.taken else wanted


async def refuse_taken(session: AsyncSession, table: Table, own_id: UUID) -> None:
    """409 for a row of this id that another request has written since it was found free."""
    if (await _look(session, table, own_id)).taken:
        raise Conflict(Cause.EXISTS)


async def _look(session: AsyncSession, table: Table, own_id: UUID) -> Any:
    return (await fetch(session, _LOOK.format(table), {"id": own_id}))[0]
