"""Referrals out: ask one service of one organisation with the client's consent, look, and tell anew what had closed."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.db import fetch, run
from app.errors import ConsentRequired, Forbidden, Invalid, NotFound
from app.ids import new_case_code, new_id
from app.models.base import Page
from app.models.case import CaseRow
from app.models.codes.cases import Sensitivity
from app.models.codes.consents import ConsentPurpose, SharedField
from app.models.codes.referrals import SERVICE_TYPE_SECTOR, ReferralStatus, ServiceStatus
from app.models.consent import Consent
from app.models.organisation import Organisation
from app.models.referral import (
    PROTECTED_SERVICES,
    Referral,
    ReferralCreate,
    ReferralSnapshot,
    ShareAnew,
)
from app.models.referral_reads import PartnerRead, PartnerSummary, ReferralRead, ReferralSummary
from app.models.service import Service
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.sealing import opened, ring_of, seal, write_key
from app.security import Actor
from app.services.addressed import referral_row
from app.services.agreed import agreed_by_her
from app.services.cases import open_for_change, raise_to_sensitive
from app.services.incident_views import CLIENT
from app.services.referral_content import CONTACT, OPEN_PART, Told, check_fields, check_reachable, snapshot_of, told_of
from app.services.referral_keys import gone_meanwhile, load_its_keys
from app.services.referral_moves import HOLD
from app.services.referral_steps import may_share_anew
from app.services.referral_views import full_read, is_partner_of, snapshot_of_row, summaries
from app.services.silence import answer_due, check_due
from app.services.visible import access_for

OPEN_TO_BOTH, TOLD = "referral", "referral_snapshot"  # parts of the case's keys: for others than who sees the case
TELL = "select tell_referral(%(id)s, %(what)s)"


async def ask_referral(session: AsyncSession, actor: Actor, case_id: UUID, wanted: ReferralCreate) -> ReferralRead:
    """Ask another organisation for a service. 409 `consent_required` unless the client agreed to a referral to it, or
    to its sector, with every field that is to be told, and `unsafe_contact`
    for where she is when nobody may contact her; 422 for an organisation or service that cannot be asked."""
    access = await access_for(session, case_id, Permission.REFERRAL_ASK)
    fields = check_fields(wanted.shared_fields)
    check_due(session, actor, wanted.due_at)
    await _check_recipient(session, wanted, access.organisation_id)
    case = await open_for_change(session, case_id, Permission.REFERRAL_ASK)
    consent = await consent_for(session, actor, case_id, wanted, fields)
    row = _row(session, actor, case, consent, wanted)
    told = await _told(session, actor, case, wanted.reason, fields)
    await put_referral(session, row, snapshot_of(told, **_around(case, wanted)))
    await run(session, TELL, {"id": row.id, "what": "requested"})
    asked = await full_read(session, actor, row)
    if row.protected:
        await raise_to_sensitive(session, case, actor)  # as the last thing: it may end the caller's own access
    assert isinstance(asked, ReferralRead)  # noqa: S101 (the caller sees the case)
    return asked


async def share_anew(session: AsyncSession, actor: Actor, referral_id: UUID, wanted: ShareAnew) -> ReferralRead:
    """Take the snapshot anew, with today's consent: after her safe contact changed, or when more is agreed to. 409
    `unsafe_contact` as when it was asked."""
    row = await referral_row(session, referral_id)
    if is_partner_of(row, actor):
        raise Forbidden
    access = await access_for(session, row.case_id, Permission.REFERRAL_ASK)
    case = await open_for_change(session, access.case_id, Permission.REFERRAL_ASK)
    await fetch(session, HOLD, {"id": referral_id})  # a yes at the same time is a step before, or after
    row = await referral_row(session, referral_id)
    may_share_anew(row)
    await load_its_keys(session, row)
    words = opened(session, row)
    earlier = [SharedField(name) for name in words["shared_fields"]]
    fields = check_fields(earlier if wanted.shared_fields is None else wanted.shared_fields)
    again = ReferralCreate(
        organisation_id=row.partner_id, service_type=words["service_type"], reason=words["reason"], shared_fields=fields
    )
    row.consent_id = (await consent_for(session, actor, case.id, again, fields)).id
    row.contact_suspended_at = None
    if row.status is not ReferralStatus.REQUESTED:  # before the yes nothing of it is the recipient's to see
        row.touch(actor.now)
    seal(session, row, {**words, "shared_fields": fields})
    snapshot = await snapshot_of_row(session, row.id)
    if snapshot is None:
        raise NotFound
    told = await _told(session, actor, case, words["reason"], fields)
    _seal_told(session, snapshot, snapshot_of(told, **_around(case, again, words["message"])))
    snapshot.touch(actor.now)
    with gone_meanwhile():
        await session.flush()
        await run(session, TELL, {"id": row.id, "what": "shared"})
    asked = await full_read(session, actor, row)
    assert isinstance(asked, ReferralRead)  # noqa: S101
    return asked


async def list_of_case(
    session: AsyncSession, actor: Actor, case_id: UUID, query: ListQuery
) -> Page[ReferralSummary | PartnerSummary]:
    """The referrals of a case, in and out, newest first."""
    await access_for(session, case_id, Permission.REFERRAL_READ)
    statement = select(Referral).where(col(Referral.case_id) == case_id)
    rows, cursor = await newest_first(session, statement, Referral.created_at, Referral.id, query)
    return Page(items=await summaries(session, actor, rows), next_cursor=cursor)


async def read_referral(session: AsyncSession, actor: Actor, referral_id: UUID) -> ReferralRead | PartnerRead:
    """One, from the caller's side; 404 when it is none of the caller's."""
    return await full_read(session, actor, await referral_row(session, referral_id))


async def read_of_case(
    session: AsyncSession, actor: Actor, case_id: UUID, referral_id: UUID
) -> ReferralRead | PartnerRead:
    """The same below a case; 404 when it is another's."""
    await access_for(session, case_id, Permission.REFERRAL_READ)
    row = await referral_row(session, referral_id)
    if row.case_id != case_id:
        raise NotFound
    return await full_read(session, actor, row)


async def put_referral(session: AsyncSession, row: Referral, told: Told) -> None:
    """Write a new referral with its snapshot and the keys of both."""
    snapshot = ReferralSnapshot(
        id=new_id(),
        referral_id=row.id,
        case_id=row.case_id,
        organisation_id=row.organisation_id,
        created_at=row.created_at,
        updated_at=row.created_at,
    )
    ring = ring_of(session)
    for home, part in ((row.id, OPEN_TO_BOTH), (snapshot.id, TOLD)):
        ring.make(home)
        await write_key(session, home, row.organisation_id, row.case_id, part=part)
    _seal_told(session, snapshot, told)
    public = {} if row.protected or "service_type" not in told.words else {"service_type": told.words["service_type"]}
    row.open_sealed = ring.seal(OPEN_PART, row.id, row.id, public)
    session.add(row)
    await session.flush()
    session.add(snapshot)
    await session.flush()


async def consent_for(
    session: AsyncSession, actor: Actor, case_id: UUID, wanted: ReferralCreate, fields: list[SharedField]
) -> Consent:
    """The consent on which the referral rests; 409 without one for this recipient or sector that covers every field."""
    statement = select(Consent).where(col(Consent.case_id) == case_id, col(Consent.purpose) == ConsentPurpose.REFERRAL)
    newest = statement.order_by(col(Consent.created_at).desc(), col(Consent.id).desc())
    for consent in await agreed_by_her(session, actor, case_id, (await session.execute(newest)).scalars().all()):
        names_it = consent.recipient_id == wanted.organisation_id
        names_sector = consent.recipient_id is None and consent.sector == SERVICE_TYPE_SECTOR[wanted.service_type]
        if (names_it or names_sector) and set(fields) <= set(consent.shared_fields):
            return consent
    raise ConsentRequired


async def _check_recipient(session: AsyncSession, wanted: ReferralCreate, sender_id: UUID) -> None:
    found = await session.get(Organisation, wanted.organisation_id)
    if found is None or not found.active or found.id == sender_id:
        raise Invalid.at("/organisation_id", "unknown_organisation", "There is no such organisation to refer to.")
    if wanted.service_id is None:
        return
    service = await session.get(Service, wanted.service_id)
    if service is None or service.organisation_id != found.id or service.service_type != wanted.service_type:
        raise Invalid.at("/service_id", "unknown_service", "The organisation has no such service.")
    if service.status is not ServiceStatus.ACTIVE:
        raise Invalid.at("/service_id", "inactive_service", "This service is not offered at present.")


def _row(session: AsyncSession, actor: Actor, case: CaseRow, consent: Consent, wanted: ReferralCreate) -> Referral:
    row = Referral(
        id=new_id(),
        case_id=case.id,
        organisation_id=case.organisation_id,
        partner_id=wanted.organisation_id,
        code=referral_code(),
        consent_id=consent.id,
        service_id=wanted.service_id,
        sector=SERVICE_TYPE_SECTOR[wanted.service_type],
        protected=wanted.service_type in PROTECTED_SERVICES,
        standard=case.sensitivity is Sensitivity.STANDARD,
        province_code=case.commune_code[:2],
        priority=wanted.priority,
        due_at=wanted.due_at or answer_due(session, wanted.priority, actor.now),
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )
    words = {
        "service_type": wanted.service_type,
        "reason": wanted.reason,
        "message": wanted.message,
        "shared_fields": check_fields(wanted.shared_fields),
    }
    seal(session, row, words)
    return row


def referral_code() -> str:
    """A code of the referral's own, which says nothing of the case's."""
    return f"RF{new_case_code()[2:]}"


async def _told(
    session: AsyncSession, actor: Actor, case: CaseRow, reason: str, fields: list[SharedField]
) -> dict[str, Any]:
    found = await fetch(session, CLIENT, {"case_id": case.id})
    if not found:
        raise NotFound
    client = found[0]
    private = ring_of(session).open("people", client.id, case.id, client.sealed)
    check_reachable(case, fields)
    return told_of(case, client.sex, private, reason, fields, actor.now)


def _around(case: CaseRow, wanted: ReferralCreate, message: str | None = None) -> dict[str, Any]:
    return {
        "service_type": wanted.service_type,
        "commune_code": case.commune_code,
        "message": wanted.message if message is None else message,
    }


def _seal_told(session: AsyncSession, snapshot: ReferralSnapshot, told: Told) -> None:
    seal(session, snapshot, told.words)
    contact = ring_of(session).seal(CONTACT, snapshot.id, snapshot.id, told.contact) if told.contact else None
    snapshot.contact_sealed = contact
