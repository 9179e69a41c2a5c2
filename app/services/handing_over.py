"""What a leaver carries goes to a colleague: by a supervisor of their organisation, on stubs too, in one transaction.

Nobody outside casework chooses who sees a case, so an admin hands nothing over: deactivating or moving a person puts
their cases into the queue of those that need a lead, and a supervisor may hand them over from there as well.
"""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.db import fetch
from app.errors import CaseloadFull, Invalid, NotFound
from app.models.assignment import AssignmentCreate, HandedOver, Handover
from app.models.codes.cases import AssignmentRole, CaseloadLevel
from app.models.user import User
from app.relations import Relation
from app.sealing import load_keys, seal
from app.security import Actor
from app.services.assignments import CASEWORK, row_of, words_of
from app.services.carrying import level_with
from app.services.colleagues import users_alone
from app.services.events import record

HELD = "select * from handover_of(%(leaver)s, %(successor)s)"
LEAVE = "select leave_case(%(case_id)s, %(leaver)s, %(successor)s) as left"


async def hand_over(session: AsyncSession, actor: Actor, leaver_id: UUID, wanted: Handover) -> HandedOver:
    """Give what the leaver holds to a colleague: every place on open cases on which the caller may assign.

    From the rest, where the colleague must be kept away, the leaver goes all the same: those wait for a lead. 404 for
    a person who is not of the caller's organisation, 409 `caseload_full` for all of it or for nothing.
    """
    leaver, successor = await _both_alone(session, leaver_id, wanted.to_user_id)
    if leaver is None or leaver.system or leaver.organisation_id != actor.own_organisation:
        raise NotFound
    _check_successor(actor, leaver, successor)
    held = await fetch(session, HELD, {"leaver": leaver_id, "successor": wanted.to_user_id})
    leads = [one for one in held if one.role == AssignmentRole.LEAD]
    more = sum(one.free for one in leads)
    caseload = await level_with(session, wanted.to_user_id, more=more)
    over = caseload is CaseloadLevel.OVER and more > 0
    if over and wanted.over_limit_reason is None:
        raise CaseloadFull
    await load_keys(session, (one.case_id for one in held))
    handed_over = 0
    for one in held:
        touched(session, one.case_id, Relation.STUB)
        successor_id = wanted.to_user_id if one.free else None
        to = {"case_id": one.case_id, "leaver": leaver_id, "successor": successor_id}
        if (await fetch(session, LEAVE, to))[0].left and one.free:
            await _take_over(session, actor, one, wanted, over=over)
            handed_over += 1
    return HandedOver(handed_over=handed_over, needs_lead=len(leads) - more, caseload=caseload)


async def _both_alone(session: AsyncSession, leaver_id: UUID, successor_id: UUID) -> tuple[User | None, User | None]:
    """Both people, held in one order: of two handovers at once the second finds what the first has left and given."""
    held = await users_alone(session, (leaver_id, successor_id))
    return held[leaver_id], held[successor_id]


def _check_successor(actor: Actor, leaver: User, successor: User | None) -> None:
    if successor is not None and successor.id in {leaver.id, actor.id}:
        code = "same_person" if successor.id == leaver.id else "not_to_yourself"
        raise Invalid.at("/to_user_id", code, "The cases go to somebody else.")
    fits = successor is not None and successor.active and successor.organisation_id == actor.own_organisation
    if successor is None or not fits or successor.role not in CASEWORK:
        raise Invalid.at("/to_user_id", "unknown_colleague", "There is no such colleague to take the cases.")


async def _take_over(session: AsyncSession, actor: Actor, held: Any, wanted: Handover, *, over: bool) -> None:
    role, successor_id = AssignmentRole(held.role), wanted.to_user_id
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
