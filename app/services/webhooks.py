"""A partner's own webhooks: made, changed and ended by its people, after a step-up; its systems may look at them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import Invalid, NotFound, WebhookLimit
from app.ids import new_id
from app.models.base import Page
from app.models.case import Colleague
from app.models.webhook import SecretRotation, Webhook, WebhookCreate, WebhookRead, WebhookSecret, WebhookUpdate
from app.paging import ListQuery, newest_first
from app.preconditions import check_match
from app.sealed_secret import SecretSeal
from app.security import Actor, require_step_up
from app.services.colleagues import names_of
from app.services.organisations import organisation_row
from app.webhooks.looking import LookedAt
from app.webhooks.signing import SEALED_AS, new_secret

MOST = 5  # of one organisation
OLD_SECRET_LASTS = timedelta(days=1)
OLD_SECRET_LASTS_AT_MOST = timedelta(days=30)


async def add_webhook(session: AsyncSession, actor: Actor, wanted: WebhookCreate, seen: LookedAt) -> WebhookSecret:
    """A new webhook, with its secret in the answer. 409 when the organisation has MOST, 422 for where it leads."""
    require_step_up(actor)
    _check_address(seen)
    await organisation_row(session, actor.own_organisation, lock=True)  # of two at once one counts the other
    if (await session.scalar(select(func.count()).select_from(Webhook)) or 0) >= MOST:
        raise WebhookLimit
    own_id, secret = new_id(), new_secret()
    row = Webhook(
        id=own_id,
        organisation_id=actor.own_organisation,
        created_by=actor.id,
        keeper_id=actor.id,
        url=wanted.url,
        events=_once(wanted.events),
        sealed=_seal(session).seal(secret.encode(), own_id),
        created_at=actor.now,
        updated_at=actor.now,
    )
    session.add(row)
    await session.flush()
    return WebhookSecret(**(await _read(session, actor, row)).model_dump(), secret=secret)


async def list_webhooks(session: AsyncSession, actor: Actor, query: ListQuery) -> Page[WebhookRead]:
    """The organisation's, newest first."""
    rows, cursor = await newest_first(session, select(Webhook), Webhook.created_at, Webhook.id, query)
    people = await names_of(session, (row.keeper_id for row in rows))
    items = [_as_read(actor, row, people[row.keeper_id]) for row in rows]
    return Page[WebhookRead](items=items, next_cursor=cursor)


async def read_webhook(session: AsyncSession, actor: Actor, webhook_id: UUID) -> WebhookRead:
    """One; 404 when it is not of the caller's organisation."""
    return await _read(session, actor, await webhook_row(session, webhook_id))


async def edit_webhook(
    session: AsyncSession, actor: Actor, webhook_id: UUID, change: WebhookUpdate, if_match: str | None, seen: LookedAt
) -> WebhookRead:
    """Merge the fields sent; who changes it keeps it from now on. 428/412 by If-Match, 422 for where it would lead."""
    row = await _for_change(session, actor, webhook_id)
    check_match(if_match, row.version)
    sent = change.sent()
    if "url" in sent:
        _check_address(seen)
    if sent:
        row.url = sent.get("url", row.url)
        row.events = _once(sent.get("events", row.events))
        row.active = sent.get("active", row.active)
        row.stopped_because = None if "active" in sent else row.stopped_because
        await _kept_by(session, actor, row)
    return await _read(session, actor, row)


async def rotate_secret(
    session: AsyncSession, actor: Actor, webhook_id: UUID, wanted: SecretRotation, if_match: str | None
) -> WebhookSecret:
    """A new secret; the old one signs beside it for a while, and the one before that no more. 428/412 by If-Match: of
    several who rotate at once, all but one would hold a secret that is dead already."""
    row = await _for_change(session, actor, webhook_id)
    check_match(if_match, row.version)
    until = wanted.old_valid_until or actor.now + OLD_SECRET_LASTS
    if not actor.now <= until <= actor.now + OLD_SECRET_LASTS_AT_MOST:
        raise Invalid.at("/old_valid_until", "out_of_range", "Between now and thirty days from now.")
    secret = new_secret()
    row.previous_sealed, row.previous_until = row.sealed, until
    row.sealed = _seal(session).seal(secret.encode(), row.id)
    await _kept_by(session, actor, row)
    return WebhookSecret(**(await _read(session, actor, row)).model_dump(), secret=secret)


async def end_webhook(session: AsyncSession, actor: Actor, webhook_id: UUID, if_match: str | None) -> None:
    """Take it away, with all that is on its way to it."""
    row = await _for_change(session, actor, webhook_id)
    check_match(if_match, row.version)
    await session.delete(row)
    await session.flush()


async def webhook_row(session: AsyncSession, webhook_id: UUID, *, lock: bool = False) -> Webhook:
    """The row, locked for a change if asked; 404 when it is not of the caller's organisation."""
    statement = select(Webhook).where(col(Webhook.id) == webhook_id)
    row = await session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if row is None:
        raise NotFound
    return row


async def _for_change(session: AsyncSession, actor: Actor, webhook_id: UUID) -> Webhook:
    await webhook_row(session, webhook_id)
    require_step_up(actor)
    return await webhook_row(session, webhook_id, lock=True)


def _check_address(seen: LookedAt) -> None:
    if not seen.good:
        message = (
            "An https address that the whole internet can reach, on port 443 or 8443, and that leads nowhere else."
        )
        raise Invalid.at("/url", "webhook_address", message)


async def _kept_by(session: AsyncSession, actor: Actor, row: Webhook) -> None:
    row.keeper_id = actor.id
    row.touch(actor.now)
    await session.flush()


def _seal(session: AsyncSession) -> SecretSeal:
    seal: SecretSeal = session.info[SEALED_AS]
    return seal


def _once(topics: Iterable[Any]) -> list[str]:
    return sorted({str(topic) for topic in topics})


async def _read(session: AsyncSession, actor: Actor, row: Webhook) -> WebhookRead:
    return _as_read(actor, row, (await names_of(session, [row.keeper_id]))[row.keeper_id])


def _as_read(actor: Actor, row: Webhook, keeper: Colleague) -> WebhookRead:
    until = row.previous_until
    return WebhookRead(
        keeper=keeper,
        old_secret_valid_until=until if until is not None and until > actor.now else None,
        **row.model_dump(
            include={"id", "url", "events", "active", "stopped_because", "version", "created_at", "updated_at"}
        ),
    )
