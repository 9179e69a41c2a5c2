"""Consents of a case: give, list, withdraw. A liaison's access ends with the consent, in the same write."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import day_of, refuse_future_day
from app.errors import Conflict, Invalid, NotFound
from app.models.base import Page
from app.models.case import OfCase
from app.models.codes import ConsentPurpose
from app.models.consent import Consent, ConsentCreate, ConsentRead, Withdrawal
from app.models.organisation import Organisation
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.security import Actor
from app.services.cases import open_for_change
from app.services.events import record
from app.services.visible import access_for, lock_case


async def give_consent(session: AsyncSession, actor: Actor, case_id: UUID, given: ConsentCreate) -> ConsentRead:
    """Record what the client agreed to; 409 when the case is closed."""
    case = await open_for_change(session, case_id, Permission.CONSENT_EDIT)
    return _read(await add_consent(session, actor, case, given, ""), actor)


async def add_consent(session: AsyncSession, actor: Actor, case: OfCase, given: ConsentCreate, pointer: str) -> Consent:
    """Write one consent of a case that is being opened or changed; errors point below `pointer`."""
    refuse_future_day(given.obtained_on, actor.now, f"{pointer}/obtained_on")
    if given.organisation_id is not None and await session.get(Organisation, given.organisation_id) is None:
        raise Invalid.at(f"{pointer}/organisation_id", "unknown_organisation", "There is no such organisation.")
    consent = Consent(
        case_id=case.id,
        organisation_id=case.organisation_id,
        recipient_id=given.organisation_id,
        shared_fields=[field.value for field in given.shared_fields],
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
        **given.model_dump(exclude={"organisation_id", "shared_fields"}),
    )
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
    return Page[ConsentRead](items=[_read(row, actor) for row in rows], next_cursor=cursor)


async def read_consent(session: AsyncSession, actor: Actor, case_id: UUID, consent_id: UUID) -> ConsentRead:
    """One consent; 404 when it is not of this case."""
    await access_for(session, case_id, Permission.CONSENT_READ)
    return _read(await _of_case(session, case_id, consent_id), actor)


async def withdraw_consent(
    session: AsyncSession, actor: Actor, case_id: UUID, consent_id: UUID, withdrawal: Withdrawal
) -> ConsentRead:
    """End a consent now, also of a closed case; what rests on it ends with it. 409 when it was withdrawn before."""
    await access_for(session, case_id, Permission.CONSENT_EDIT)
    await lock_case(session, case_id)
    consent = await _of_case(session, case_id, consent_id)
    if consent.withdrawn_at is not None:
        raise Conflict
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
    return _read(consent, actor)


async def has_active(session: AsyncSession, actor: Actor, case_id: UUID, purpose: ConsentPurpose) -> bool:
    """Is there an active consent with this purpose today?"""
    statement = select(Consent).where(col(Consent.case_id) == case_id, col(Consent.purpose) == purpose)
    return any(is_active(consent, actor) for consent in (await session.execute(statement)).scalars())


def is_active(consent: Consent, actor: Actor) -> bool:
    """Not withdrawn, and its last day is not over in Phnom Penh."""
    lasts = consent.expires_on is None or consent.expires_on >= day_of(actor.now)
    return consent.withdrawn_at is None and lasts


async def _of_case(session: AsyncSession, case_id: UUID, consent_id: UUID) -> Consent:
    statement = select(Consent).where(col(Consent.id) == consent_id, col(Consent.case_id) == case_id)
    consent = (await session.execute(statement)).scalar_one_or_none()
    if consent is None:
        raise NotFound
    return consent


def _read(consent: Consent, actor: Actor) -> ConsentRead:
    values = consent.model_dump(include=set(ConsentRead.model_fields) - {"organisation_id"})
    return ConsentRead(organisation_id=consent.recipient_id, active=is_active(consent, actor), **values)
