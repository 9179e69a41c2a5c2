"""`/webhooks` of a partner's organisation and what is on its way to them, and `/events` for who rather asks."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response

from app.http import API, IfMatch, Route, Session, answers_for, created
from app.models.base import Page
from app.models.webhook import (
    DeliveryRead,
    EventPage,
    Redelivered,
    Redelivery,
    SecretRotation,
    WebhookCreate,
    WebhookRead,
    WebhookSecret,
    WebhookUpdate,
)
from app.paging import ListQuery
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import deliveries, event_feed, webhooks
from app.webhook_route import AddressRoute, Looked

naming = APIRouter(prefix=API, tags=["webhooks"], route_class=AddressRoute)
router = APIRouter(prefix=API, tags=["webhooks"], route_class=Route)


@naming.post("/webhooks", status_code=201)
async def add_webhook(
    wanted: WebhookCreate,
    response: Response,
    session: Session,
    seen: Looked,
    actor: Annotated[Actor, allowed(Permission.WEBHOOK_EDIT)],
) -> WebhookSecret:
    """Have events of referrals sent to your system. The secret is in this answer and can never be read again."""
    made = await webhooks.add_webhook(session, actor, wanted, seen)
    created(response, f"/webhooks/{made.id}")
    response.headers["ETag"] = etag(made.version)
    return made


@router.get("/webhooks")
async def list_webhooks(
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.WEBHOOK_READ)],
) -> Page[WebhookRead]:
    """Your organisation's webhooks, newest first."""
    return await webhooks.list_webhooks(session, actor, query)


@router.get("/webhooks/{webhook_id}")
async def read_webhook(
    webhook_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.WEBHOOK_READ)],
) -> WebhookRead:
    """One webhook, without its secret; `stopped_because` says why it sends nothing."""
    found = await webhooks.read_webhook(session, actor, webhook_id)
    response.headers["ETag"] = etag(found.version)
    return found


@naming.patch("/webhooks/{webhook_id}")
async def edit_webhook(
    webhook_id: UUID,
    change: WebhookUpdate,
    response: Response,
    session: Session,
    seen: Looked,
    actor: Annotated[Actor, allowed(Permission.WEBHOOK_EDIT)],
    if_match: IfMatch = None,
) -> WebhookRead:
    """Change the fields that you send. From then on you keep it: it sends what you may know."""
    changed = await webhooks.edit_webhook(session, actor, webhook_id, change, if_match, seen)
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.delete("/webhooks/{webhook_id}", status_code=204)
async def end_webhook(
    webhook_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.WEBHOOK_EDIT)],
    if_match: IfMatch = None,
) -> None:
    """Take a webhook away, with all that is on its way to it."""
    await webhooks.end_webhook(session, actor, webhook_id, if_match)


@router.post("/webhooks/{webhook_id}/rotate-secret")
async def rotate_webhook_secret(
    webhook_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.WEBHOOK_EDIT)],
    wanted: Annotated[SecretRotation | None, Body()] = None,
    if_match: IfMatch = None,
) -> WebhookSecret:
    """A new secret, with `If-Match`. Until `old_secret_valid_until` every message is signed with both."""
    changed = await webhooks.rotate_secret(session, actor, webhook_id, wanted or SecretRotation(), if_match)
    answers_for(response, f"/webhooks/{webhook_id}")
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.get("/webhooks/{webhook_id}/deliveries")
async def list_deliveries(
    webhook_id: UUID,
    query: Annotated[deliveries.DeliveriesQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.EVENT_READ)],
) -> Page[DeliveryRead]:
    """What was sent, waits or is dead, newest first."""
    return await deliveries.list_deliveries(session, webhook_id, query)


@router.post("/webhooks/{webhook_id}/redeliver", status_code=202)
async def redeliver(
    webhook_id: UUID,
    wanted: Redelivery,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.EVENT_READ)],
) -> Redelivered:
    """Send again, with the same ids: one event, all since a time, or all that is dead."""
    answers_for(response, f"/webhooks/{webhook_id}/deliveries")
    return await deliveries.redeliver(session, actor, webhook_id, wanted)


@router.get("/events")
async def list_events(
    query: Annotated[event_feed.EventsQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.EVENT_READ)],
) -> EventPage:
    """What has happened to the referrals of your organisation, in order: all that webhooks send, and nothing else."""
    return await event_feed.list_events(session, actor, query)
