"""Referrals in the cases of the demo, in every state and on both sides; each act one call of a service of the API."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar import day_of
from app.demo.acts import Act
from app.demo.stories import Story
from app.models.case import CaseCreate
from app.models.codes.cases import CaseStatus, Category, Priority
from app.models.codes.consents import ConsentForm, ConsentPurpose, SharedField
from app.models.codes.referrals import ReferralOutcome, ReferralReason, ReferralStatus, ServiceType
from app.models.consent import ConsentCreate
from app.models.referral import ReferralCreate, ReferralTransition
from app.models.referral_in import ReferralInConsent, ReferralInCreate
from app.security import Actor
from app.services.consents import give_consent
from app.services.referral_moves import move_referral
from app.services.referrals import ask_referral

S, T = ReferralStatus, ServiceType

# Whom a category is referred to, and for what; the two partners of the demo.
ASKED: dict[Category, tuple[str, tuple[ServiceType, ...]]] = {
    Category.HEALTH_REFERRAL: ("health", (T.GENERAL_HEALTH, T.FAMILY_PLANNING, T.ANTENATAL_CARE, T.SAFE_ABORTION)),
    Category.DOMESTIC_VIOLENCE: ("health", (T.CLINICAL_MANAGEMENT_OF_RAPE, T.MENTAL_HEALTH, T.GENERAL_HEALTH)),
    Category.MARITAL_ISSUE: ("legal_aid", (T.LEGAL_AID,)),
    Category.LAND_DISPUTE: ("legal_aid", (T.LEGAL_AID, T.LAND_CERTIFICATE)),
    Category.VITAL_DOCUMENTS: ("legal_aid", (T.BIRTH_CERTIFICATE, T.MARRIAGE_CERTIFICATE)),
}
PARTNER_OF = {"health": "partner_health", "legal_aid": "partner_legal"}
TOLD = [SharedField.NAME, SharedField.AGE, SharedField.SAFE_CONTACT, SharedField.PHONE, SharedField.NEED_SUMMARY]
# How far the referrals of open cases have come, and how those of closed ones ended.
OPEN_WAYS: tuple[tuple[ReferralStatus, ...], ...] = (
    (),
    (S.ACCEPTED,),
    (S.ACCEPTED, S.IN_PROGRESS),
    (S.ACCEPTED, S.ON_HOLD),
    (S.ACCEPTED, S.COMPLETED),
    (S.REJECTED,),
)
ENDED_WAYS: tuple[tuple[ReferralStatus, ...], ...] = (
    (S.ACCEPTED, S.COMPLETED),
    (S.ACCEPTED, S.IN_PROGRESS, S.COMPLETED),
    (S.ACCEPTED, S.FAILED),
    (S.REJECTED,),
    (S.CANCELLED,),
)


@dataclass(slots=True)
class _Referral:
    """One referral of a story; its id is known once it was asked."""

    who: str
    partner: str
    organisation_id: UUID
    service_type: ServiceType
    ids: list[UUID] = field(default_factory=list)


def refer_in(story: Story, lead: str, organisations: dict[str, UUID]) -> Iterator[Act]:
    """Her consent, what is asked, and how both sides take it on; nothing where the partner must not see her."""
    if story.category not in ASKED or story.number % 7 == 3 or story.status is CaseStatus.INTAKE:
        return
    kind, services = ASKED[story.category]
    if story.excluded_at_intake == PARTNER_OF[kind]:
        return
    asked = _Referral(lead, PARTNER_OF[kind], organisations[kind], services[story.number % len(services)])
    yield Act(lead, lambda s, a, case_id: _agree(s, a, case_id, asked))
    yield Act(lead, lambda s, a, case_id: _ask(s, a, case_id, asked, story), soon=True)
    ended = story.status in {CaseStatus.CLOSED, CaseStatus.CLOSURE_REQUESTED}
    ways = ENDED_WAYS if ended else OPEN_WAYS
    # By what and how far the case is, so that every state is left in some, whatever the numbers of cases are.
    place = list(ASKED).index(story.category) + list(CaseStatus).index(story.status)
    for to in ways[(story.number if ended else place) % len(ways)]:
        yield _step(asked, to)


def sent_by_partner(intake: CaseCreate, external_id: str) -> ReferralInCreate:
    """The same intake, as a partner sends it."""
    assert intake.organisation_id is not None  # noqa: S101 (the story names it)
    assert intake.client is not None  # noqa: S101
    return ReferralInCreate(
        organisation_id=intake.organisation_id,
        category=intake.category,
        commune_code=intake.commune_code,
        village_code=intake.village_code,
        client=intake.client,
        safe_contact=intake.safe_contact,
        consent=ReferralInConsent(form=ConsentForm.VERBAL, obtained_on=intake.consents[0].obtained_on),
        priority=Priority.URGENT,
        need_summary=intake.summary,
        external_id=external_id,
    )


async def _agree(session: AsyncSession, actor: Actor, case_id: UUID, asked: _Referral) -> None:
    given = ConsentCreate(
        purpose=ConsentPurpose.REFERRAL,
        organisation_id=asked.organisation_id,
        shared_fields=TOLD,
        form=ConsentForm.VERBAL,
        obtained_on=day_of(actor.now),
    )
    await give_consent(session, actor, case_id, given)


async def _ask(session: AsyncSession, actor: Actor, case_id: UUID, asked: _Referral, story: Story) -> None:
    wanted = ReferralCreate(
        organisation_id=asked.organisation_id,
        service_type=asked.service_type,
        priority=list(Priority)[story.number % len(Priority)],
        reason="នាងត្រូវការជំនួយ។ Please see her soon.",
        shared_fields=TOLD,
        message="Ring before noon.",
    )
    asked.ids.append((await ask_referral(session, actor, case_id, wanted)).id)


def _step(asked: _Referral, to: ReferralStatus) -> Act:
    async def do(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
        step = ReferralTransition(
            to=to,
            reason_code=ReferralReason.NO_CAPACITY if to in {S.REJECTED, S.ON_HOLD} else ReferralReason.UNREACHABLE,
            outcome_code=ReferralOutcome.ATTENDED if to is S.COMPLETED else None,
        )
        await move_referral(session, actor, asked.ids[0], step)

    return Act(asked.who if to is S.CANCELLED else asked.partner, do)
