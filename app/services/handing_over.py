"""What a leaver carries goes to a colleague: by a supervisor of their organisation, on stubs too, in one transaction.

Nobody outside casework chooses who sees a case, so an admin hands nothing over: deactivating or moving a person puts
their cases into the queue of those that need a lead, and a supervisor may hand them over from there as well.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.db import fetch, run
from app.errors import CaseloadFull, Invalid, NotFound
from app.models.assignment import AssignmentCreate, HandedOver, Handover
from app.models.codes import AssignmentRole, CaseloadLevel
from app.models.user import User
from app.relations import Relation
from app.sealing import load_keys, seal
from app.security import Actor
from app.services.assignments import CASEWORK, row_of, words_of
from app.services.carrying import level_with
from app.services.colleagues import user_as_they_stay
from app.services.events import record

HELD = "select * from handover_of(%(leaver)s, %(successor)s)"
LEAVE = "select leave_case(%(case_id)s, %(leaver)s)"


async def hand_over(session: AsyncSession, actor: Actor, leaver_id: UUID, wanted: Handover) -> HandedOver:
    """Give what the leaver holds to a colleague: every place on open cases on which the caller may assign.

    From the rest, where the colleague must be kept away, the leaver goes all the same: those wait for a lead. 404 for
    a person who is not of the caller's organisation, 409 `caseload_full` for all of it or for nothing.
    """
    await _check_leaver(session, actor, leaver_id)
    successor = await _successor(session, actor, leaver_id, wanted)
    held = await fetch(session, HELD, {"leaver": leaver_id, "successor": successor.id})
    led = [one.case_id for one in held if one.role == AssignmentRole.LEAD]
    taken = [one for one in held if one.free]
    more = sum(one.role == AssignmentRole.LEAD for one in taken)
    caseload = await level_with(session, successor.id, more=more)
    over = caseload is CaseloadLevel.OVER and more > 0
    if over and wanted.over_limit_reason is None:
        raise CaseloadFull
    await load_keys(session, (one.case_id for one in taken))
    for one in held:
        touched(session, one.case_id, Relation.STUB)
        await run(session, LEAVE, {"case_id": one.case_id, "leaver": leaver_id})
        if one.free:
            await _take_over(session, actor, one, successor.id, wanted, over=over)
    return HandedOver(handed_over=len(taken), needs_lead=len(led) - more, caseload=caseload)


async def _check_leaver(session: AsyncSession, actor: Actor, leaver_id: UUID) -> None:
    leaver = await session.get(User, leaver_id)
    if leaver is None or leaver.system or leaver.organisation_id != actor.own_organisation:
        raise NotFound


async def _successor(session: AsyncSession, actor: Actor, leaver_id: UUID, wanted: Handover) -> User:
    # Alone, so that of two handovers at once the second counts what the first has given.
    user = await user_as_they_stay(session, wanted.to_user_id, alone=True)
    fits = user is not None and user.active and user.organisation_id == actor.own_organisation
    if user is None or not fits or user.role not in CASEWORK or user.id in {leaver_id, actor.id}:
        raise Invalid.at("/to_user_id", "unknown_colleague", "There is no such colleague to take the cases.")
    return user


async def _take_over(
    session: AsyncSession, actor: Actor, held: Any, successor_id: UUID, wanted: Handover, *, over: bool
) -> None:
    role = AssignmentRole(held.role)
    place = AssignmentCreate(user_id=successor_id, role=role, until=held.until)
    row = row_of(actor, held.case_id, held.organisation_id, place)
    leads = role is AssignmentRole.LEAD
    seal(session, row, words_of(wanted.reason, wanted.over_limit_reason if over and leads else None))
    await record(
        session,
        actor,
        "assignment.added",
        case_id=held.case_id,
        organisation_id=held.organisation_id,
        subject_id=row.id,
        data={"role": role, "user_id": str(successor_id), **({"over_limit": True} if over and leads else {})},
        reason=wanted.reason,
    )
    session.add(row)
    await session.flush()
