"""The stream of an organisation's referral events, page by page, for who cannot or will not receive webhooks.

Ordered by transaction and then by the place within the referral: each referral's events come in their order, whoever
wrote them and however many in one transaction (decision 0028). A page stops at the oldest transaction that is still
open: what commits late is behind the cursor for nobody.
"""

import base64
import binascii
import hmac
from collections.abc import Callable
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

CURSORS = "feed_cursors"  # in session.info: the keyed hash by which a cursor is known to be made here
BEFORE_ALL = UUID(int=0)
ID_BYTES = MARK_BYTES = 16
PLACE = "select place_xid as xid, place from feed_place(%(id)s)"
# The row policies say which of these the caller may know.
_OF = """
    select id, type, at, case_id, referral_id, data ->> 'status' as status, xid, coalesce(referral_place, 0) as place
      from events
     where {side} = %(organisation)s and referral_id is not null and xid < pg_snapshot_xmin(pg_current_snapshot())
       and (xid, coalesce(referral_place, 0), id) > (%(xid)s::text::xid8, %(place)s, %(id)s)
     order by xid, coalesce(referral_place, 0), id limit %(limit)s
"""
PAGE = f"""
    select * from (({_OF.format(side="partner_id")}) union all ({_OF.format(side="organisation_id")})) happened
     order by xid, place, id limit %(limit)s
"""  # noqa: S608 (two columns of ours)


class EventsQuery(Body):
    """`after`: the `next_cursor` of the page before; left out: from the beginning."""

    after: CursorText | None = None
    limit: Limit = 50


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """The last event that an organisation has read. Where it stands in the stream is looked up: the numbers of
    transactions are nobody's business, and others after a restore."""

    organisation_id: UUID
    event_id: UUID

    def encode(self, session: AsyncSession) -> str:
        """The text that the caller sends back: 16 bytes of each id and of a keyed hash of both."""
        ids = self.organisation_id.bytes + self.event_id.bytes
        return base64.urlsafe_b64encode(ids + self._mark(session)).decode()

    @classmethod
    def decode(cls, session: AsyncSession, text: str, organisation_id: UUID) -> Self:
        """The cursor; 422 for anything that was not made here for this organisation."""
        try:
            held = base64.b64decode(text, altchars=b"-_", validate=True)
            cursor = cls(organisation_id, UUID(bytes=held[ID_BYTES : 2 * ID_BYTES]))
            if not hmac.compare_digest(held, base64.urlsafe_b64decode(cursor.encode(session))):
                raise ValueError
        except (ValueError, binascii.Error):
            raise _not_ours() from None
        return cursor

    def _mark(self, session: AsyncSession) -> bytes:
        digest: Callable[[bytes], bytes] = session.info[CURSORS]
        return digest(self.organisation_id.bytes + self.event_id.bytes)[:MARK_BYTES]


async def list_events(session: AsyncSession, actor: Actor, query: EventsQuery) -> EventPage:
    """What has happened after the cursor, each referral's in its order. An empty page gives the same cursor again."""
    own = actor.own_organisation
    xid, place, own_id = "0", 0, BEFORE_ALL
    if query.after is not None:
        own_id = FeedCursor.decode(session, query.after, own).event_id
        xid, place = await _place_of(session, own_id)
    asked = {"organisation": own, "xid": xid, "place": place, "id": own_id, "limit": query.limit}
    rows = await fetch(session, PAGE, asked)
    for row in rows:
        touched(session, row.case_id, VIA)
    cursor = FeedCursor(own, rows[-1].id).encode(session) if rows else query.after
    return EventPage(items=[_read(row) for row in rows], next_cursor=cursor)


def _read(row: Any) -> EventRead:
    data = EventData(referral_id=row.referral_id, status=row.status)
    return EventRead(id=row.id, type=row.type, timestamp=row.at, data=data)


async def _place_of(session: AsyncSession, event_id: UUID) -> tuple[str, int]:
    """Its transaction and its place within the referral, also of one that the caller may not read any more."""
    found = await fetch(session, PLACE, {"id": event_id})
    if not found:
        raise _not_ours()
    return str(found[0].xid), found[0].place


def _not_ours() -> Invalid:
    return Invalid.at("/query/after", "cursor_invalid", "The cursor was not made by this list.")
