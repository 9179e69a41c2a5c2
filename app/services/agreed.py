"""What a client has agreed to and what stands of it.

To services she agrees herself, and for a minor a caregiver too, unless two people pass the caregiver by. Decision 0019
says what counts where her age is known by the year only, or not at all.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import day_of
from app.db import fetch
from app.errors import ConsentRequired
from app.models.case import CaseRow
from app.models.codes import CaseStatus, ConsentPurpose, DatePrecision, PersonRole
from app.models.consent import Consent
from app.models.person import Person
from app.sealing import opened
from app.security import Actor

OF_AGE = 18
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
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day)) < OF_AGE


def _latest(birth: date, precision: DatePrecision) -> date:
    if precision in {DatePrecision.EXACT, DatePrecision.DAY}:
        return birth
    if precision is DatePrecision.MONTH:
        return birth.replace(day=monthrange(birth.year, birth.month)[1])
    return date(birth.year, 12, 31)


async def _is_minor(session: AsyncSession, actor: Actor, case_id: UUID) -> bool:
    statement = select(Person).where(col(Person.case_id) == case_id, col(Person.role) == PersonRole.CLIENT)
    client = await session.scalar(statement)
    return client is not None and may_be_minor(opened(session, client), day_of(actor.now))
