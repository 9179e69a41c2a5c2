"""Referrals in: a partner sends a client. An intake opens at the receiving organisation, which the partner never sees.

It follows the referral by its id or by its own number."""

from collections.abc import Callable
from hmac import compare_digest
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.calendar import day_of
from app.db import fetch, run
from app.errors import ExternalIdReused, Invalid
from app.ids import new_id
from app.models.case import CaseCreate
from app.models.codes.cases import Category, Sensitivity
from app.models.codes.consents import ConsentPurpose
from app.models.codes.people import OrganisationKind
from app.models.codes.referrals import ReferredFrom, Sector
from app.models.consent import ConsentCreate
from app.models.organisation import Organisation
from app.models.referral import Referral, ReferralDirection
from app.models.referral_in import ReferralInCreate
from app.models.referral_reads import PartnerRead
from app.sealing import seal
from app.security import Actor
from app.services.addressed import referral_row
from app.services.consents import add_consent
from app.services.events import record
from app.services.first_date import first_within, plan_first_date
from app.services.intake_rows import Opened, sensitivity_of
from app.services.opening import open_received
from app.services.people import check_person
from app.services.places import check_place
from app.services.referral_content import Told
from app.services.referral_views import full_read
from app.services.referrals import TELL, put_referral, referral_code
from app.services.silence import answer_due

# The same number sent twice at once: the second waits here and then finds the first; a unique index stands behind.
TAKE_TURNS = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
KNOWN = "select referral_of_external_id(%(external_id)s) as id"
DIGEST = "sent"  # in session.info: the keyed hash of what is sent

SECTORS: dict[Category, Sector] = {
    Category.HEALTH_REFERRAL: Sector.HEALTH,
    Category.DOMESTIC_VIOLENCE: Sector.SAFETY,
    Category.MARITAL_ISSUE: Sector.OTHER,
    Category.SOCIAL_ASSISTANCE: Sector.SOCIAL_PROTECTION,
    Category.FINANCIAL_ASSISTANCE: Sector.SOCIAL_PROTECTION,
    Category.VITAL_DOCUMENTS: Sector.REGISTRATION,
    Category.ID_POOR: Sector.SOCIAL_PROTECTION,
    Category.LAND_DISPUTE: Sector.LEGAL,
    Category.DISASTER_RELIEF: Sector.RELIEF,
}
SENT_BY: dict[OrganisationKind, ReferredFrom] = {
    OrganisationKind.HEALTH: ReferredFrom.HEALTH_SERVICE,
    OrganisationKind.POLICE: ReferredFrom.POLICE,
    OrganisationKind.LEGAL_AID: ReferredFrom.LEGAL_AID,
    OrganisationKind.EDUCATION: ReferredFrom.SCHOOL,
    OrganisationKind.NGO: ReferredFrom.NGO,
}


async def refer_in(session: AsyncSession, actor: Actor, wanted: ReferralInCreate) -> tuple[PartnerRead, bool]:
    """Send a client; True when this very number was not sent before, 409 when something else was sent under it. 422
    for a place or an organisation that does not exist, and for a consent that is over."""
    await session.execute(TAKE_TURNS, {"name": f"referral {actor.own_organisation} {wanted.external_id}"})
    known: UUID | None = (await fetch(session, KNOWN, {"external_id": wanted.external_id}))[0].id
    if known is not None:
        return await _again(session, actor, await referral_row(session, known), wanted), False
    sender = await _check(session, actor, wanted)
    intake = _intake(wanted, SENT_BY.get(sender.kind, ReferredFrom.OTHER))
    case = await open_received(session, actor, intake, wanted.organisation_id)
    consent = await add_consent(session, actor, case, _consent(wanted), "/consent")
    row = _row(session, actor, case, wanted, consent.id, standard=sensitivity_of(intake) is Sensitivity.STANDARD)
    await put_referral(session, row, Told({"disclosed": {}}, {}))
    touched(session, case.id, "opener")
    await record(session, actor, "case.opened", case_id=case.id, organisation_id=case.organisation_id, for_team=True)
    await run(session, TELL, {"id": row.id, "what": "requested"})
    await plan_first_date(session, actor, case, None, first_within(session, intake.category))
    return await _read(session, actor, row), True


async def _again(session: AsyncSession, actor: Actor, row: Referral, wanted: ReferralInCreate) -> PartnerRead:
    """The first referral, to who sends the same once more. Another client under its number would be lost in silence."""
    if row.sent_digest is not None and not compare_digest(row.sent_digest, _digest(session, wanted)):
        raise ExternalIdReused
    return await _read(session, actor, row)


def _digest(session: AsyncSession, wanted: ReferralInCreate) -> bytes:
    """Of what was said, whatever fields there will be one day that say nothing."""
    digest: Callable[[bytes], bytes] = session.info[DIGEST]
    return digest(wanted.model_dump_json(exclude_defaults=True).encode())


async def _read(session: AsyncSession, actor: Actor, row: Referral) -> PartnerRead:
    found = await full_read(session, actor, row)
    assert isinstance(found, PartnerRead)  # noqa: S101 (the caller is a partner)
    return found


async def _check(session: AsyncSession, actor: Actor, wanted: ReferralInCreate) -> Organisation:
    receiver = await session.get(Organisation, wanted.organisation_id)
    own = actor.own_organisation  # its supervisors and its partner's account would be the two sides of one referral
    if receiver is None or not receiver.active or receiver.kind is not OrganisationKind.NGO or receiver.id == own:
        raise Invalid.at("/organisation_id", "unknown_organisation", "There is no such organisation to take a case.")
    expires_on = wanted.consent.expires_on
    if expires_on is not None and expires_on < day_of(actor.now):
        raise Invalid.at("/consent/expires_on", "consent_expired", "The consent is over.")
    await check_place(session, wanted.commune_code, wanted.village_code)
    await check_person(session, actor, wanted.client, "/client")
    sender = await session.get(Organisation, actor.own_organisation)
    assert sender is not None  # noqa: S101 (a partner has one)
    return sender


def _intake(wanted: ReferralInCreate, sent_by: ReferredFrom) -> CaseCreate:
    return CaseCreate(
        category=wanted.category,
        client=wanted.client,
        commune_code=wanted.commune_code,
        village_code=wanted.village_code,
        priority=wanted.priority,
        summary=wanted.need_summary,
        safe_contact=wanted.safe_contact,
        referred_from=sent_by,
    )


def _consent(wanted: ReferralInCreate) -> ConsentCreate:
    given = wanted.consent.model_dump()
    return ConsentCreate(purpose=ConsentPurpose.REFERRAL, organisation_id=wanted.organisation_id, **given)


def _row(
    session: AsyncSession, actor: Actor, case: Opened, wanted: ReferralInCreate, consent_id: UUID, *, standard: bool
) -> Referral:
    row = Referral(
        id=new_id(),
        case_id=case.id,
        organisation_id=case.organisation_id,
        partner_id=actor.own_organisation,
        direction=ReferralDirection.IN,
        code=referral_code(),
        consent_id=consent_id,
        external_id=wanted.external_id,
        sent_digest=_digest(session, wanted),
        sector=SECTORS[wanted.category],
        protected=not standard,
        standard=standard,
        province_code=wanted.commune_code[:2],
        priority=wanted.priority,
        due_at=answer_due(session, wanted.priority, actor.now),
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )
    seal(session, row, {"reason": wanted.need_summary, "shared_fields": []})
    return row
