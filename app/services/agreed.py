"""What a client has agreed to and what stands of it.

To services and referrals she agrees herself, and for a minor a caregiver too, unless two people pass the caregiver by.
Decision 0019 says what counts where her age is known by the year only, or not at all.
"""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import day_of
from app.db import fetch
from app.errors import ConsentRequired, Invalid
from app.models.case import CaseRow
from app.models.codes.cases import CaseStatus
from app.models.codes.consents import ConsentGivenBy, ConsentPurpose
from app.models.codes.incidents import DatePrecision
from app.models.codes.people import CaregiverBypass, PersonRole
from app.models.consent import Consent, ConsentCreate
from app.models.person import Person
from app.sealing import opened
from app.security import Actor

OF_AGE = 18
MATURE = 15  # years from which a minor may decide for herself, when a second person thinks so too
CLIENT, CAREGIVER = ConsentGivenBy.CLIENT, ConsentGivenBy.CAREGIVER
# Support by a committee liaison asks for no caregiver (decision 0019); services are counted by the database.
OF_ALL = {ConsentPurpose.REFERRAL, ConsentPurpose.STATISTICS}
PARTS = "select client, caregiver, bypass, ended from services_consent(%(case_id)s)"


@dataclass(frozen=True, slots=True)
class ServicesConsent:
    """`active`: who must agree have agreed. `ended`: something that was agreed to was withdrawn or is over."""

    active: bool
    ended: bool


async def has_active(session: AsyncSession, actor: Actor, case_id: UUID, purpose: ConsentPurpose) -> bool:
    """Is there an active consent with this purpose today?"""
    statement = select(Consent).where(col(Consent.case_id) == case_id, col(Consent.purpose) == purpose)
    return any(is_active(consent, actor) for consent in (await session.execute(statement)).scalars())


def is_active(consent: Consent, actor: Actor) -> bool:
    """Not withdrawn, and its last day is not over in Phnom Penh."""
    lasts = consent.expires_on is None or consent.expires_on >= day_of(actor.now)
    return consent.withdrawn_at is None and lasts


async def agreed_by_all(
    session: AsyncSession, actor: Actor, case_id: UUID, consents: Sequence[Consent]
) -> list[Consent]:
    """Those of these consents to a referral or to statistics to which all who must have agreed have: the client, and
    for a minor a caregiver, to as much and to the same recipient, unless two people pass the caregiver by."""
    standing = [one for one in consents if one.purpose in OF_ALL and is_active(one, actor)]
    if not standing:
        return []
    needed = {CLIENT}
    if await _is_minor(session, actor, case_id):
        parts = (await fetch(session, PARTS, {"case_id": case_id}))[0]
        needed |= set() if parts.bypass else {CAREGIVER}
    return [
        one for one in standing if needed <= {who for other in standing if _covers(other, one) for who in _by(other)}
    ]


async def agreed_by_her(
    session: AsyncSession, actor: Actor, case_id: UUID, consents: Sequence[Consent]
) -> list[Consent]:
    """The same, where it is the client's own yes: on no other rests what is told to others."""
    return [one for one in await agreed_by_all(session, actor, case_id, consents) if CLIENT in _by(one)]


def _by(consent: Consent) -> set[ConsentGivenBy]:
    """Whose yes it is; of a caregiver who is doubted since nothing is left."""
    both = consent.given_by is ConsentGivenBy.CLIENT_AND_CAREGIVER
    people = {CLIENT, CAREGIVER} if both else {ConsentGivenBy(consent.given_by)}
    return people - {CAREGIVER} if consent.caregiver_doubted_at is not None else people


def _covers(other: Consent, one: Consent) -> bool:
    same = (one.purpose, one.recipient_id or one.sector) == (other.purpose, other.recipient_id or other.sector)
    return same and set(one.shared_fields) <= set(other.shared_fields)


async def services_consent(session: AsyncSession, actor: Actor, case_id: UUID) -> ServicesConsent:
    """How the consent to services stands at this moment, for anybody who sees the case."""
    parts = (await fetch(session, PARTS, {"case_id": case_id}))[0]
    active = parts.client
    if active and not (parts.caregiver or parts.bypass):
        active = not await _is_minor(session, actor, case_id)
    return ServicesConsent(active=active, ended=parts.ended)


async def may_contact(session: AsyncSession, actor: Actor, case: CaseRow) -> bool:
    """May a contact be planned? With her consent; at intake also to ask for it, unless she had taken it back."""
    given = await services_consent(session, actor, case.id)
    return given.active or (case.status is CaseStatus.INTAKE and not given.ended)


async def require_contact(session: AsyncSession, actor: Actor, case: CaseRow) -> None:
    """409 `consent_required` for planning a contact that she did not agree to."""
    if not await may_contact(session, actor, case):
        raise ConsentRequired


def may_be_minor(private: Mapping[str, Any], today: date) -> bool:
    """Could she be under 18 today? Of a year she is taken to be born on the last day; without a date she is not."""
    written = private.get("birth_date")
    if written is None:
        return False
    born = _latest(date.fromisoformat(written), DatePrecision(private.get("birth_date_precision") or "unknown"))
    return _years(born, today) < OF_AGE


def check_bypass(given: ConsentCreate, private: Mapping[str, Any], today: date, pointer: str) -> None:
    """422 for calling a child mature. Of a month or year she is taken to be born at its start."""
    written = private.get("birth_date")
    if given.bypass is None or given.bypass.reason is not CaregiverBypass.MATURE_MINOR or written is None:
        return
    born, precision = date.fromisoformat(written), DatePrecision(private.get("birth_date_precision") or "unknown")
    if precision is DatePrecision.MONTH:
        born = born.replace(day=1)
    elif precision not in {DatePrecision.EXACT, DatePrecision.DAY}:
        born = born.replace(month=1, day=1)
    if _years(born, today) < MATURE:
        raise Invalid.at(f"{pointer}/bypass/reason", "too_young", "She is too young to be called a mature minor.")


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _latest(birth: date, precision: DatePrecision) -> date:
    if precision in {DatePrecision.EXACT, DatePrecision.DAY}:
        return birth
    if precision is DatePrecision.MONTH:
        return birth.replace(day=monthrange(birth.year, birth.month)[1])
    return date(birth.year, 12, 31)


async def client_of(session: AsyncSession, case_id: UUID) -> dict[str, Any]:
    """The private part of the client's row; nothing for who does not see it."""
    statement = select(Person).where(col(Person.case_id) == case_id, col(Person.role) == PersonRole.CLIENT)
    client = await session.scalar(statement)
    return opened(session, client) if client is not None else {}


async def _is_minor(session: AsyncSession, actor: Actor, case_id: UUID) -> bool:
    return may_be_minor(await client_of(session, case_id), day_of(actor.now))
