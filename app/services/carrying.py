"""Who can carry one more case: the caseload's limits, asked wherever somebody is chosen to lead.

Who opens a case for themselves is not asked: nobody is turned away at the door. Cases are counted as far as the one who
chooses may know of them (134_transfers.sql), so that no refusal tells of a hidden one.
"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.caseload import SHARED_AS, CaseloadLimits
from app.db import fetch
from app.errors import CaseloadFull, Invalid
from app.models.codes.cases import CaseloadLevel
from app.models.codes.people import Role
from app.security import Actor
from app.services.colleagues import user_as_they_stay

LED = "select user_id, led from cases_led(%(users)s::uuid[], %(but_case)s)"


async def level_with(
    session: AsyncSession, user_id: UUID, *, more: int = 1, but_case: UUID | None = None
) -> CaseloadLevel:
    """How full the person's caseload would be with so many more; `but_case` is one that is not counted twice.

    The caller holds the person alone (`user_as_they_stay`), so that two at once do not both find the last place.
    """
    return level_at(limits_of(session), await led_by(session, user_id, but_case) + more)


async def lead_as_they_stay(
    session: AsyncSession, user_id: UUID, organisation_id: UUID, *, alone: bool = False
) -> UUID:
    """The colleague who is to lead, as nobody changes them until this transaction ends; 422 for who cannot lead."""
    lead = await user_as_they_stay(session, user_id, alone=alone)
    works_here = lead is not None and lead.active and lead.organisation_id == organisation_id
    if lead is None or not works_here or lead.role not in {Role.CASEWORKER, Role.SUPERVISOR}:
        raise Invalid.at("/lead_id", "unknown_colleague", "There is no such colleague to lead a case.")
    return user_id


async def lead_with_room(session: AsyncSession, actor: Actor, lead_id: UUID, organisation_id: UUID) -> UUID:
    """The same for a case that is about to be there; 409 `caseload_full` when somebody else is chosen who is full."""
    if await lead_is_full(session, actor, lead_id, organisation_id):
        raise CaseloadFull
    return lead_id


async def lead_is_full(session: AsyncSession, actor: Actor, lead_id: UUID, organisation_id: UUID) -> bool:
    """Would the colleague who is to lead one more case, held like that, carry more than allowed? Never the caller."""
    chosen = lead_id != actor.id
    await lead_as_they_stay(session, lead_id, organisation_id, alone=chosen)
    return chosen and await level_with(session, lead_id) is CaseloadLevel.OVER


def level_of(session: AsyncSession, led: int) -> CaseloadLevel:
    """How full a caseload of so many open cases is."""
    return level_at(limits_of(session), led)


def limits_of(session: AsyncSession) -> CaseloadLimits | None:
    """The limits of this installation; None where a story is told as it was, the demo."""
    found: CaseloadLimits | None = session.info.get(SHARED_AS)
    return found


def level_at(limits: CaseloadLimits | None, led: int) -> CaseloadLevel:
    """How full a caseload of so many open cases is, by these limits."""
    if limits is None or led < limits.warn_at:
        return CaseloadLevel.NORMAL
    if led < limits.full_at:
        return CaseloadLevel.HIGH
    return CaseloadLevel.FULL if led == limits.full_at else CaseloadLevel.OVER


async def led_by(session: AsyncSession, user_id: UUID, but_case: UUID | None = None) -> int:
    """How many open cases the person leads, as far as the caller may know."""
    rows = await fetch(session, LED, {"users": [user_id], "but_case": but_case})
    return int(rows[0].led) if rows else 0
