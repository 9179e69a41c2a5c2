"""Consents of a case: give, list, confirm, withdraw. What rests on a consent ends with it, in the same write."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import day_of, refuse_future_day
from app.db import fetch
from app.errors import Cause, Conflict, Invalid, NotFound
from app.models.base import Page
from app.models.case import CaseRow, OfCase
from app.models.codes.cases import CaseStatus
from app.models.codes.consents import ConsentPurpose
from app.models.consent import BypassRead, Consent, ConsentCreate, ConsentRead, Withdrawal
from app.models.organisation import Organisation
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.sealing import opened, seal
from app.security import Actor
from app.services.agreed import OF_ALL, agreed_by_all, check_bypass, client_of, is_active, services_consent
from app.services.caregivers import check_caregiver
from app.services.cases import open_for_change
from app.services.deaths import has_died
from app.services.events import record
from app.services.next_follow_up import end_planned, plan_asking
from app.services.visible import access_for, lock_case

BYPASS_LASTS = timedelta(hours=24)
CAUSES = {"same_person": Cause.SAME_PERSON, "lapsed": Cause.LAPSED}
CONFIRM = "select confirm_bypass(%(case_id)s, %(consent_id)s) as outcome"


async def give_consent(session: AsyncSession, actor: Actor, case_id: UUID, given: ConsentCreate) -> ConsentRead:
    """Record what the client agreed to; 409 when the case is closed, or she has died."""
    case = await open_for_change(session, case_id, Permission.CONSENT_EDIT)
    if has_died(case):
        raise Conflict(Cause.CLIENT_DIED)
    if given.bypass is not None:
        check_bypass(given, await client_of(session, case_id), day_of(actor.now), "")
    return await _read(session, actor, await add_consent(session, actor, case, given, ""))


async def add_consent(session: AsyncSession, actor: Actor, case: OfCase, given: ConsentCreate, pointer: str) -> Consent:
    """Write one consent of a case that is being opened or changed; errors point below `pointer`."""
    refuse_future_day(given.obtained_on, actor.now, f"{pointer}/obtained_on")
    if given.organisation_id is not None and await session.get(Organisation, given.organisation_id) is None:
        raise Invalid.at(f"{pointer}/organisation_id", "unknown_organisation", "There is no such organisation.")
    await check_caregiver(session, case.id, given, pointer)
    consent = Consent(
        case_id=case.id,
        organisation_id=case.organisation_id,
        recipient_id=given.organisation_id,
        shared_fields=[field.value for field in given.shared_fields],
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
        bypass_until=actor.now + BYPASS_LASTS if given.bypass else None,
        **given.model_dump(exclude={"organisation_id", "shared_fields", "bypass"}),
    )
    if given.bypass:
        seal(session, consent, {"bypass": given.bypass.reason})
    session.add(consent)
    await record(
        session,
        actor,
        "consent.given",
        case_id=case.id,
        organisation_id=case.organisation_id,
        subject_id=consent.id,
        data={"purpose": given.purpose},
    )
    return consent


async def list_consents(session: AsyncSession, actor: Actor, case_id: UUID, query: ListQuery) -> Page[ConsentRead]:
    """The consents of a case, newest first."""
    await access_for(session, case_id, Permission.CONSENT_READ)
    statement = select(Consent).where(col(Consent.case_id) == case_id)
    rows, cursor = await newest_first(session, statement, Consent.created_at, Consent.id, query)
    return Page[ConsentRead](items=await _reads(session, actor, case_id, rows), next_cursor=cursor)


async def read_consent(session: AsyncSession, actor: Actor, case_id: UUID, consent_id: UUID) -> ConsentRead:
    """One consent; 404 when it is not of this case."""
    await access_for(session, case_id, Permission.CONSENT_READ)
    return await _read(session, actor, await _of_case(session, case_id, consent_id))


async def withdraw_consent(
    session: AsyncSession, actor: Actor, case_id: UUID, consent_id: UUID, withdrawal: Withdrawal
) -> ConsentRead:
    """End a consent now, also of a closed case; what rests on it ends with it. 409 when it was withdrawn before.

    Without her consent to services every contact that was planned ends, and one task is left: to ask again, or close.
    """
    await access_for(session, case_id, Permission.CONSENT_EDIT)
    case = await lock_case(session, case_id)
    consent = await _of_case(session, case_id, consent_id)
    if consent.withdrawn_at is not None:
        raise Conflict(Cause.ENDED)
    consent.withdrawn_at, consent.withdrawn_by = actor.now, actor.id
    consent.touch(actor.now)
    await record(
        session,
        actor,
        "consent.withdrawn",
        case_id=case_id,
        organisation_id=consent.organisation_id,
        subject_id=consent.id,
        data={"purpose": consent.purpose},
        reason=withdrawal.reason,
    )
    if consent.purpose is ConsentPurpose.SERVICES and case.status is not CaseStatus.CLOSED:
        await _stop_contacts(session, actor, case)
    return await _read(session, actor, consent)


async def _stop_contacts(session: AsyncSession, actor: Actor, case: CaseRow) -> None:
    if (await services_consent(session, actor, case.id)).active:
        return
    await end_planned(session, actor, case.id)
    asking = await plan_asking(session, actor, case)
    await record(
        session,
        actor,
        "follow_up.planned",
        case_id=case.id,
        organisation_id=case.organisation_id,
        subject_id=asking.id,
    )


async def confirm_bypass(session: AsyncSession, actor: Actor, case_id: UUID, consent_id: UUID) -> ConsentRead:
    """Stand by it, as the second person, that a minor is cared for without a caregiver's consent.

    409 for who recorded it, once it is confirmed or withdrawn, and after its 24 hours.
    """
    await access_for(session, case_id, Permission.CONSENT_CONFIRM)
    await lock_case(session, case_id)
    consent = await _of_case(session, case_id, consent_id)
    outcome = (await fetch(session, CONFIRM, {"case_id": case_id, "consent_id": consent_id}))[0].outcome
    if outcome != "confirmed":
        raise Conflict(CAUSES.get(outcome, Cause.NOTHING_ASKED))
    await session.refresh(consent)
    await record(
        session,
        actor,
        "consent.bypass_confirmed",
        case_id=case_id,
        organisation_id=consent.organisation_id,
        subject_id=consent.id,
    )
    return await _read(session, actor, consent)


async def _of_case(session: AsyncSession, case_id: UUID, consent_id: UUID) -> Consent:
    statement = select(Consent).where(col(Consent.id) == consent_id, col(Consent.case_id) == case_id)
    consent = (await session.execute(statement)).scalar_one_or_none()
    if consent is None:
        raise NotFound
    return consent


async def _read(session: AsyncSession, actor: Actor, consent: Consent) -> ConsentRead:
    return (await _reads(session, actor, consent.case_id, [consent]))[0]


async def _reads(session: AsyncSession, actor: Actor, case_id: UUID, consents: Sequence[Consent]) -> list[ConsentRead]:
    services = (await services_consent(session, actor, case_id)).active
    whole = {one.id for one in await _whole(session, actor, case_id, consents)}

    def _all_agreed(one: Consent) -> bool:
        return services if one.purpose is ConsentPurpose.SERVICES else one.purpose not in OF_ALL or one.id in whole

    return [
        ConsentRead(
            organisation_id=one.recipient_id,
            bypass=_bypass(session, one),
            active=is_active(one, actor) and _all_agreed(one),
            **one.model_dump(include=set(ConsentRead.model_fields) - {"organisation_id"}),
        )
        for one in consents
    ]


async def _whole(session: AsyncSession, actor: Actor, case_id: UUID, consents: Sequence[Consent]) -> Sequence[Consent]:
    """Those of the consents that count; what is not shown beside them may be the other half of one."""
    if not any(one.purpose in OF_ALL for one in consents):
        return ()
    statement = select(Consent).where(col(Consent.case_id) == case_id, col(Consent.purpose).in_(OF_ALL))
    return await agreed_by_all(session, actor, case_id, (await session.execute(statement)).scalars().all())


def _bypass(session: AsyncSession, consent: Consent) -> BypassRead | None:
    if consent.bypass_until is None:
        return None
    return BypassRead(
        reason=opened(session, consent)["bypass"],
        confirm_until=consent.bypass_until,
        confirmed_at=consent.bypass_confirmed_at,
        confirmed_by=consent.bypass_confirmed_by,
    )
