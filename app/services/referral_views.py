"""From the rows of referrals to what a reader of either side may read of them."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import touched
from app.calendar import day_of
from app.db import fetch
from app.errors import NotFound
from app.models.codes.consents import ConsentPurpose
from app.models.codes.people import Role, Sex
from app.models.codes.referrals import Sector, ServiceWarningCode
from app.models.consent import Consent
from app.models.organisation import Organisation
from app.models.referral import OPEN_STATUSES, TELLING_SECTORS, Referral, ReferralDirection, ReferralSnapshot
from app.models.referral_reads import (
    Disclosed,
    PartnerRead,
    PartnerSummary,
    Party,
    ReferralRead,
    ReferralSummary,
)
from app.models.service import ServiceWarning
from app.permissions import Permission
from app.policy import role_may
from app.sealing import load_keys, opened, ring_of
from app.security import Actor
from app.services.agreed import agreed_by_all, is_active
from app.services.colleagues import names_of
from app.services.incident_views import CLIENT
from app.services.names import age_on
from app.services.referral_content import CONTACT, OPEN_PART
from app.services.referral_keys import check_still_seen, load_its_keys, load_referral_keys
from app.services.service_warnings import recipient_warnings, told, warnings_of

# How a case was reached, for the trail: the row alone, or what was told with it.
VIA_ROW, VIA_DISCLOSED = "referral", "disclosed"
_AS_THEY_ARE = (
    *("id", "code", "province_code", "priority", "status", "business_status", "appointment_at"),
    *("reason_code", "outcome_code", "due_at", "answered_at", "ended_at", "version", "created_at", "updated_at"),
)


def is_partner_of(row: Referral, actor: Actor) -> bool:
    """Does the caller read it as the other organisation, or as a partner's account of the case's own?

    Everybody else whom the row policy shows it sees the case.
    """
    return actor.role is Role.PARTNER or row.partner_id == actor.organisation_id


async def summaries(
    session: AsyncSession, actor: Actor, rows: Sequence[Referral]
) -> list[ReferralSummary | PartnerSummary]:
    """Rows of a list, in their order: three queries for all of them."""
    parties = await _parties(session, rows)
    rows = await load_referral_keys(session, rows, [row.case_id for row in rows if not is_partner_of(row, actor)])
    for row in rows:
        touched(session, row.case_id, VIA_ROW)
    return [_summary(session, actor, row, parties) for row in rows]


async def full_read(session: AsyncSession, actor: Actor, row: Referral) -> ReferralRead | PartnerRead:
    """One referral as the caller may read it; what is told of the client when it is open to the caller."""
    parties = await _parties(session, [row])
    await load_its_keys(session, row)
    if is_partner_of(row, actor):
        return await _partner_read(session, actor, row, parties)
    touched(session, row.case_id, VIA_ROW)
    words = opened(session, row)
    return ReferralRead(
        warnings=await _warnings(session, actor, row),
        **_face(session, actor, row, parties, words.get("service_type")),
        case_id=row.case_id,
        shared_fields=words.get("shared_fields", []),
        reason=words.get("reason"),
        message=words.get("message"),
        requested_by=(await names_of(session, [row.created_by]))[row.created_by],
    )


async def _warnings(session: AsyncSession, actor: Actor, row: Referral) -> list[ServiceWarning]:
    """What does not fit her at the service of the directory, or the recipient, while the referral is open; of one in,
    that a child was sent without her caregiver's yes, or somebody without her own."""
    if row.status not in OPEN_STATUSES:
        return []
    if row.direction is ReferralDirection.IN:
        return told({ServiceWarningCode.CONSENT_INCOMPLETE} if await _is_incomplete(session, actor, row) else set())
    of_recipient = await recipient_warnings(session, row.partner_id, row.sector)
    if row.service_id is None:
        return of_recipient
    found = await fetch(session, CLIENT, {"case_id": row.case_id})
    if not found:
        raise NotFound
    private = ring_of(session).open("people", found[0].id, row.case_id, found[0].sealed)
    age = age_on(private, day_of(actor.now))
    return [*await warnings_of(session, row.service_id, age=age, sex=Sex(found[0].sex)), *of_recipient]


async def _is_incomplete(session: AsyncSession, actor: Actor, row: Referral) -> bool:
    """Is the consent with which she was sent one that stands, and yet not of all who must agree?"""
    statement = select(Consent).where(
        col(Consent.case_id) == row.case_id, col(Consent.purpose) == ConsentPurpose.REFERRAL
    )
    given = (await session.execute(statement)).scalars().all()
    own = [one for one in given if one.id == row.consent_id and is_active(one, actor)]
    agreed = {one.id for one in await agreed_by_all(session, actor, row.case_id, given)}
    return any(one.id not in agreed for one in own)


async def snapshot_of_row(session: AsyncSession, referral_id: UUID) -> ReferralSnapshot | None:
    """The snapshot with its key, where it is open to the caller; None otherwise. 404 when the referral has gone for
    the caller in between."""
    statement = select(ReferralSnapshot).where(col(ReferralSnapshot.referral_id) == referral_id)
    reading = statement.execution_options(populate_existing=True)
    found: ReferralSnapshot | None = await session.scalar(reading)
    if found is None:
        return None
    await load_keys(session, [found.id])
    if not ring_of(session).has(found.id):  # taken away in between, or lost
        await check_still_seen(session, referral_id)
        found = await session.scalar(reading)
    return found


async def _partner_read(session: AsyncSession, actor: Actor, row: Referral, parties: dict[UUID, Party]) -> PartnerRead:
    may_read = role_may(actor.role, Permission.REFERRAL_READ, actor.scopes)  # a system may be allowed to answer only
    snapshot = await snapshot_of_row(session, row.id) if may_read else None
    words: dict[str, Any] = {}
    disclosed = None
    if snapshot is not None and snapshot.sealed is not None:
        ring = ring_of(session)
        words = opened(session, snapshot)
        contact = ring.open(CONTACT, snapshot.id, snapshot.id, snapshot.contact_sealed)
        if row.direction is ReferralDirection.OUT:  # of whom the partner sent itself nothing is told back
            disclosed = Disclosed(**words["disclosed"], **contact)
    touched(session, row.case_id, VIA_ROW if disclosed is None else VIA_DISCLOSED)
    return PartnerRead(
        **_face(session, actor, row, parties, words.get("service_type")),
        external_id=_own_number(row, actor),
        commune_code=words.get("commune_code"),
        message=words.get("message"),
        disclosed=disclosed,
    )


def _summary(
    session: AsyncSession, actor: Actor, row: Referral, parties: dict[UUID, Party]
) -> ReferralSummary | PartnerSummary:
    if is_partner_of(row, actor):
        return PartnerSummary(**_face(session, actor, row, parties, None), external_id=_own_number(row, actor))
    service_type = opened(session, row).get("service_type")
    return ReferralSummary(**_face(session, actor, row, parties, service_type), case_id=row.case_id)


def _face(
    session: AsyncSession, actor: Actor, row: Referral, parties: dict[UUID, Party], service_type: str | None
) -> dict[str, Any]:
    """The fields of ReferralFace. `service_type`: as the caller knows it beside what both sides may read."""
    words = ring_of(session).open(OPEN_PART, row.id, row.id, row.open_sealed)
    hidden = is_partner_of(row, actor) and service_type is None and row.protected
    outwards = row.direction is ReferralDirection.OUT
    sender, recipient = (row.organisation_id, row.partner_id) if outwards else (row.partner_id, row.organisation_id)
    known = service_type or words.get("service_type")
    return {
        "direction": "incoming" if recipient == actor.organisation_id else "outgoing",
        "sender": parties[sender],
        "recipient": parties[recipient],
        "service_type": known,
        # Words that were said to another step, and not to the one that ended it, are no reason of the end.
        "status_reason": words.get("reason") if words.get("reason_of", row.status) == row.status else None,
        "overdue": row.status in OPEN_STATUSES and row.due_at < actor.now,
        # Before the yes it would say to the recipient that a telephone is among what will be told.
        "contact_suspended": row.contact_suspended_at is not None
        and (row.answered_at is not None or not is_partner_of(row, actor)),
        **{name: getattr(row, name) for name in _AS_THEY_ARE},
        "sector": Sector.OTHER if hidden and row.sector in TELLING_SECTORS else row.sector,
        "service_id": row.service_id if known else None,  # whose type anybody reads in the directory
    }


def _own_number(row: Referral, actor: Actor) -> str | None:
    return row.external_id if row.partner_id == actor.organisation_id else None


async def _parties(session: AsyncSession, rows: Iterable[Referral]) -> dict[UUID, Party]:
    wanted = {own_id for row in rows for own_id in (row.organisation_id, row.partner_id)}
    statement = select(col(Organisation.id), col(Organisation.name)).where(col(Organisation.id).in_(wanted))
    return {row.id: Party(id=row.id, name=row.name) for row in (await session.execute(statement)).all()}
