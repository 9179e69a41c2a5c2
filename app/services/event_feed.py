"""The stream of an organisation's referral events, page by page, for who cannot or will not receive webhooks.

Ordered by transaction and then by id. A page stops at the oldest transaction that is still open: what commits late is
behind the cursor for nobody.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.db import fetch
from app.errors import Invalid
from app.models.base import Body
from app.models.webhook import EventData, EventPage, EventRead
from app.paging import CursorText, Limit
from app.security import Actor
from app.services.deliveries import VIA

MOST_TRANSACTIONS = 2**63
BEFORE_ALL = UUID(int=0)
# The row policies say which of these the caller may know.
PAGE = """
    select * from (
        (select id, type, at, case_id, referral_id, data ->> 'status' as status, xid from events
          where partner_id = %(organisation)s and referral_id is not null
            and xid < pg_snapshot_xmin(pg_current_snapshot()) and (xid, id) > (%(xid)s::text::xid8, %(id)s)
          order by xid, id limit %(limit)s)
        union all
        (select id, type, at, case_id, referral_id, data ->> 'status', xid from events
          where organisation_id = %(organisation)s and referral_id is not null
            and xid < pg_snapshot_xmin(pg_current_snapshot()) and (xid, id) > (%(xid)s::text::xid8, %(id)s)
          order by xid, id limit %(limit)s)) happened
     order by xid, id limit %(limit)s
"""


class EventsQuery(Body):
    """`after`: the `next_cursor` of the page before; left out: from the beginning."""

    after: CursorText | None = None
    limit: Limit = 50


@dataclass(frozen=True, slots=True)
class Place:
    """The last event that was read by an organisation: its transaction and its id."""

    organisation_id: UUID
    xid: int = 0
    id: UUID = BEFORE_ALL

    def encode(self) -> str:
        """The text that the caller sends back."""
        parts = f"{self.organisation_id}|{self.xid}|{self.id}"
        return base64.urlsafe_b64encode(parts.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, organisation_id: UUID) -> Self:
        """The place; 422 for anything that was not made here for this organisation."""
        try:
            parts = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
            owner, xid, own_id = parts.split("|")
            place = cls(UUID(owner), int(xid), UUID(own_id))
            if place.organisation_id != organisation_id or not 0 <= place.xid < MOST_TRANSACTIONS:
                raise ValueError
        except (ValueError, binascii.Error):
            raise Invalid.at("/query/after", "cursor_invalid", "The cursor was not made by this list.") from None
        return place


async def list_events(session: AsyncSession, actor: Actor, query: EventsQuery) -> EventPage:
    """What has happened after the cursor, in order. An empty page gives the same cursor again."""
    own = actor.own_organisation
    place = Place.decode(query.after, own) if query.after is not None else Place(own)
    asked = {"organisation": own, "xid": str(place.xid), "id": place.id, "limit": query.limit}
    rows = await fetch(session, PAGE, asked)
    for row in rows:
        touched(session, row.case_id, VIA)
    cursor = Place(own, int(rows[-1].xid), rows[-1].id).encode() if rows else query.after
    return EventPage(items=[_read(row) for row in rows], next_cursor=cursor)


def _read(row: Any) -> EventRead:
    data = EventData(referral_id=row.referral_id, status=row.status)
    return EventRead(id=row.id, type=row.type, timestamp=row.at, data=data)
