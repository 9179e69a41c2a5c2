"""What is on its way to a webhook: what became of each event, and having events sent again."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import touched
from app.db import fetch
from app.errors import Cause, Conflict, Invalid, NotFound
from app.models.base import Page
from app.models.webhook import DeliveryRead, DeliveryStatus, Redelivered, Redelivery, WebhookDelivery
from app.paging import ListQuery, newest_first
from app.security import Actor
from app.services.webhooks import webhook_row

VIA = "referral"
# In one request; who has missed more reads GET /events, or asks for it in parts.
MOST_AGAIN = 10_000
REACHES_BACK = timedelta(days=90)
AGAIN = "select redeliver(%(webhook)s, %(event)s, %(since)s, %(at_most)s) as done"


class DeliveriesQuery(ListQuery):
    """Which deliveries: by where they stand, or all."""

    status: DeliveryStatus | None = None


async def list_deliveries(session: AsyncSession, webhook_id: UUID, query: DeliveriesQuery) -> Page[DeliveryRead]:
    """Newest first; only of referrals that the caller may know."""
    await webhook_row(session, webhook_id)
    statement = select(WebhookDelivery).where(col(WebhookDelivery.webhook_id) == webhook_id)
    if query.status is not None:
        statement = statement.where(col(WebhookDelivery.status) == query.status)
    rows, cursor = await newest_first(session, statement, WebhookDelivery.created_at, WebhookDelivery.id, query)
    for row in rows:
        touched(session, row.case_id, VIA)
    return Page[DeliveryRead](items=[_read(row) for row in rows], next_cursor=cursor)


async def redeliver(session: AsyncSession, actor: Actor, webhook_id: UUID, wanted: Redelivery) -> Redelivered:
    """Have events sent again, in their order. 404 for an event that the caller may not know or that the webhook is not
    told, 409 for more than MOST_AGAIN at once."""
    await webhook_row(session, webhook_id)
    if wanted.since is not None and not actor.now - REACHES_BACK <= wanted.since <= actor.now:
        raise Invalid.at("/since", "out_of_range", "Within the last ninety days.")
    asked = {"webhook": webhook_id, "event": wanted.event_id, "since": wanted.since, "at_most": MOST_AGAIN}
    done = (await fetch(session, AGAIN, asked))[0].done
    if done > MOST_AGAIN:
        raise Conflict(Cause.TOO_MANY)
    if wanted.event_id is not None and not done:
        raise NotFound
    return Redelivered(queued=done)


def _read(row: WebhookDelivery) -> DeliveryRead:
    waits = row.status is DeliveryStatus.PENDING
    fields = row.model_dump(include=set(DeliveryRead.model_fields))
    return DeliveryRead(**fields | {"next_attempt_at": row.next_attempt_at if waits else None})
