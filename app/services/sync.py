"""What changed in the cases that a caller works on, for a device that was away.

A run asks page by page for what changed since the run before began. Nothing is marked as sent: a device that loses an
answer asks with the same cursor again. Where the work on a case began since, all of it is sent.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.db import fetch
from app.errors import Invalid
from app.models.action import Action
from app.models.base import Read
from app.models.follow_up import FollowUp
from app.models.note import Note
from app.models.sync import SyncChange, SyncPage, SyncQuery, SyncType
from app.sealing import ring_of
from app.security import Actor
from app.services import action_rows
from app.services.case_views import detail_of
from app.services.follow_up_views import reads_across, said_of
from app.services.notes import reads_of
from app.services.visible import CURRENT, detail_rows

# A change is dated when its transaction begins and seen when it ends, so each run looks back by more than one may last.
LOOKS_BACK = timedelta(minutes=2)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
NOWHERE = UUID(int=0)
ORDER = list(SyncType)  # of the changes of one case

# The first principal is the caller's own. Who assigned her, and when, says since when the case is hers.
_OWN = f"""
    with own as materialized (
        select a.case_id, max(s.created_at) as since
          from case_access a
          join assignments s on s.case_id = a.case_id and s.user_id = (select app_user_id()) and s.ended_at is null
         where a.principal = (select (app_principals())[1]) and a.via <> 'break_glass' and {CURRENT}
         group by a.case_id)
"""
OWN = f"{_OWN} select case_id from own order by case_id"
CHANGED = f"""
    {_OWN}
    select kind, id, case_id from (
        select 0 as kind, c.id, c.id as case_id
          from own join cases c on c.id = own.case_id
          left join people p on p.id = c.client_id
         where greatest(own.since, c.updated_at, p.updated_at) > %(since)s
            or exists (select from events e where e.case_id = c.id and e.at > %(since)s)
        union all
        select 1, n.id, n.case_id from own join notes n on n.case_id = own.case_id
         where greatest(own.since, n.updated_at) > %(since)s
        union all
        select 2, f.id, f.case_id from own join follow_ups f on f.case_id = own.case_id
         where greatest(own.since, f.updated_at) > %(since)s
        union all
        select 3, s.id, s.case_id from own join actions s on s.case_id = own.case_id
         where greatest(own.since, s.updated_at) > %(since)s) changed
     where (case_id, kind, id) > (%(case_id)s, %(kind)s, %(id)s)
     order by case_id, kind, id
     limit %(wanted)s
"""


@dataclass(frozen=True, slots=True)
class SyncCursor:
    """A place in a run: what it looks for (`since`), when it began, and the last change that was sent."""

    since: datetime
    began: datetime
    case_id: UUID = NOWHERE
    kind: int = -1
    id: UUID = NOWHERE

    def encode(self) -> str:
        """The text that the device sends back."""
        parts = (self.since.isoformat(), self.began.isoformat(), self.case_id, self.kind, self.id)
        return base64.urlsafe_b64encode("|".join(map(str, parts)).encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, now: datetime) -> Self:
        """The place; 422 for anything that was not made here."""
        try:
            parts = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
            since, began, case_id, kind, own_id = parts.split("|")
            cursor = cls(_moment(since), _moment(began), UUID(case_id), int(kind), UUID(own_id))
            if not BEGINNING <= cursor.began <= now or not -1 <= cursor.kind < len(ORDER):
                raise ValueError
        except (ValueError, OverflowError, binascii.Error):
            raise Invalid.at("/query/cursor", "cursor_invalid", "The cursor was not made by this list.") from None
        return cursor


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError
    return moment.astimezone(UTC)


async def changes(session: AsyncSession, actor: Actor, query: SyncQuery) -> SyncPage:
    """One page of a run, and where the next page, or the next run, goes on."""
    here = SyncCursor.decode(query.cursor, actor.now) if query.cursor is not None else SyncCursor(BEGINNING, actor.now)
    if query.cursor is not None and here.kind < 0:  # the run before was finished: this one begins now
        here = replace(here, began=actor.now)
    values = {"since": here.since, "case_id": here.case_id, "kind": here.kind, "id": here.id}
    rows = await fetch(session, CHANGED, {**values, "wanted": query.limit + 1})
    page, more = rows[: query.limit], len(rows) > query.limit
    sent = await _read(session, actor, page)
    if more:
        last = page[-1]
        after = replace(here, case_id=last.case_id, kind=last.kind, id=last.id)
        return SyncPage(changes=sent, next_cursor=after.encode(), has_more=True, visible_case_ids=None)
    after = SyncCursor(since=here.began - LOOKS_BACK, began=actor.now)
    own = [row.case_id for row in await fetch(session, OWN, {})]
    return SyncPage(changes=sent, next_cursor=after.encode(), has_more=False, visible_case_ids=own)


async def _read(session: AsyncSession, actor: Actor, rows: Sequence[Any]) -> list[SyncChange]:
    """The things themselves, in the order of `rows`: a query for each type, and one for their cases."""
    cases = await detail_rows(session, list(dict.fromkeys(row.case_id for row in rows)))
    ring = ring_of(session)
    said = {own_id: said_of(ring.open("cases", own_id, own_id, row.sealed)) for own_id, (row, _) in cases.items()}
    of_type = {kind: [row.id for row in rows if ORDER[row.kind] is kind and row.case_id in cases] for kind in SyncType}
    found: dict[UUID, Read] = {own_id: detail_of(*cases[own_id], actor, ring) for own_id in of_type[SyncType.CASE]}
    notes = await _rows(session, Note, of_type[SyncType.NOTE])
    found |= {note.id: note for note in await reads_of(session, notes)}
    follow_ups = await _rows(session, FollowUp, of_type[SyncType.FOLLOW_UP])
    found |= {planned.id: planned for planned in await reads_across(session, actor, said, follow_ups)}
    actions = await _rows(session, Action, of_type[SyncType.ACTION])
    found |= {action.id: action for action in await action_rows.reads_of(session, actions)}
    return [_change(ORDER[row.kind], row.id, found[row.id]) for row in rows if row.id in found]


async def _rows(session: AsyncSession, table: type[Any], ids: Sequence[UUID]) -> Sequence[Any]:
    if not ids:
        return []
    return (await session.execute(select(table).where(col(table.id).in_(ids)))).scalars().all()


def _change(kind: SyncType, own_id: UUID, data: Any) -> SyncChange:
    return SyncChange(type=kind, id=own_id, version=getattr(data, "version", 1), data=data)
