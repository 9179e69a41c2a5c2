"""Words between the two sides while a referral is worked on, and the receipt of what was told and opened."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import touched
from app.db import fetch, run
from app.errors import ConsentRequired, Forbidden, IllegalTransition, NotFound
from app.ids import new_id
from app.models.base import Page
from app.models.case import Colleague
from app.models.codes.referrals import ReferralStatus
from app.models.organisation import Organisation
from app.models.referral import OPEN_STATUSES, MessageCreate, Referral, ReferralDirection, ReferralMessage
from app.models.referral_reads import MessageRead, Opening, Party, ReceiptRead
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.sealing import load_keys, opened, ring_of
from app.security import Actor
from app.services.addressed import referral_row
from app.services.colleagues import names_of
from app.services.referral_keys import check_still_seen, gone_meanwhile
from app.services.referral_moves import hold
from app.services.referral_views import VIA_DISCLOSED, VIA_ROW, is_partner_of, snapshot_of_row
from app.services.referrals import TELL
from app.services.visible import access_for

MESSAGES = "referral_messages"
OPENINGS = "select * from referral_openings(%(id)s)"


async def add_message(session: AsyncSession, actor: Actor, referral_id: UUID, written: MessageCreate) -> MessageRead:
    """Write to the other side. 409 before the yes and after the end, when nobody may read it."""
    held = await hold(session, actor, referral_id)
    row = held.row
    if row.status not in OPEN_STATUSES or row.status is ReferralStatus.REQUESTED:
        raise IllegalTransition
    snapshot = await snapshot_of_row(session, row.id)
    if snapshot is None:  # the consent has run out: the recipient reads and writes nothing of her any more
        await check_still_seen(session, row.id)
        raise ConsentRequired
    message = ReferralMessage(
        id=new_id(),
        referral_id=row.id,
        snapshot_id=snapshot.id,
        case_id=row.case_id,
        organisation_id=row.organisation_id,
        by_partner=is_partner_of(row, actor),
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )
    message.sealed = ring_of(session).seal(MESSAGES, message.id, snapshot.id, {"text": written.text})
    session.add(message)
    with gone_meanwhile():
        await session.flush()
        await run(session, TELL, {"id": row.id, "what": "message"})
    touched(session, row.case_id, VIA_DISCLOSED if message.by_partner else VIA_ROW)
    return (await _reads(session, row, [message]))[0]


async def list_messages(session: AsyncSession, actor: Actor, referral_id: UUID, query: ListQuery) -> Page[MessageRead]:
    """What the two sides wrote, newest first; nothing for the recipient once the disclosure has closed."""
    row = await referral_row(session, referral_id)
    partner = is_partner_of(row, actor)
    if not partner:
        await access_for(session, row.case_id, Permission.REFERRAL_READ)
    await snapshot_of_row(session, row.id)  # its key first: what closes now takes the messages away, not their key
    statement = select(ReferralMessage).where(col(ReferralMessage.referral_id) == row.id)
    rows, cursor = await newest_first(session, statement, ReferralMessage.created_at, ReferralMessage.id, query)
    touched(session, row.case_id, VIA_DISCLOSED if partner and rows else VIA_ROW)
    return Page[MessageRead](items=await _reads(session, row, rows), next_cursor=cursor)


async def read_message(session: AsyncSession, actor: Actor, referral_id: UUID, message_id: UUID) -> MessageRead:
    """One of them; 404 when it is of another referral, or closed to the caller."""
    row = await referral_row(session, referral_id)
    partner = is_partner_of(row, actor)
    if not partner:
        await access_for(session, row.case_id, Permission.REFERRAL_READ)
    await snapshot_of_row(session, row.id)  # its key first, as above
    statement = select(ReferralMessage).where(
        col(ReferralMessage.id) == message_id, col(ReferralMessage.referral_id) == row.id
    )
    message = await session.scalar(statement)
    if message is None:
        raise NotFound
    touched(session, row.case_id, VIA_DISCLOSED if partner else VIA_ROW)
    return (await _reads(session, row, [message]))[0]


async def read_receipt(session: AsyncSession, actor: Actor, referral_id: UUID) -> ReceiptRead:
    """What was told, to whom, and each time that it was opened; for who works on the case."""
    row = await referral_row(session, referral_id)
    if is_partner_of(row, actor):
        raise Forbidden
    await access_for(session, row.case_id, Permission.REFERRAL_READ)
    if row.direction is not ReferralDirection.OUT:
        raise NotFound
    snapshot = await snapshot_of_row(session, row.id)
    recipient = await session.get(Organisation, row.partner_id)
    if snapshot is None or recipient is None:
        raise NotFound
    await load_keys(session, [row.case_id])
    openings = await fetch(session, OPENINGS, {"id": row.id})
    return ReceiptRead(
        referral_id=row.id,
        code=row.code,
        recipient=Party(id=recipient.id, name=recipient.name),
        shared_fields=opened(session, row)["shared_fields"],
        shared_at=snapshot.updated_at if snapshot.sealed is not None else snapshot.created_at,
        contact_suspended_at=row.contact_suspended_at,
        open=row.disclosed_until is not None and row.disclosed_until > actor.now,
        openings=[
            Opening(
                at=one.at,
                user=Colleague(id=one.user_id, display_name=one.display_name),
                organisation_id=one.organisation_id,
            )
            for one in openings
        ],
    )


async def _reads(session: AsyncSession, row: Referral, messages: Sequence[ReferralMessage]) -> list[MessageRead]:
    authors = await names_of(session, (message.created_by for message in messages))
    asked = row.direction is ReferralDirection.OUT  # the partner is the recipient
    return [
        MessageRead(
            id=message.id,
            from_recipient=message.by_partner is asked,
            author=authors[message.created_by],
            text=ring_of(session).open(MESSAGES, message.id, message.snapshot_id, message.sealed)["text"],
            created_at=message.created_at,
        )
        for message in messages
    ]
