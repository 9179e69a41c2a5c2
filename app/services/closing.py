"""What must be at its end before a case closes: a list of guards, each with the code that it blocks by."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import day_of, start_of
from app.errors import ClosureBlocked, Invalid
from app.models.action import Action
from app.models.case import CaseRow, Transition
from app.models.codes.care import FollowUpOutcome
from app.models.codes.cases import CaseStatus, ClosureReason
from app.models.follow_up import FollowUp
from app.models.referral import OPEN_STATUSES, Referral
from app.sealing import opened
from app.security import Actor
from app.services.action_rows import open_on
from app.services.assistance_closing import STARTED, UNDECIDED, UNPAID, has_assistance
from app.services.next_follow_up import has_future
from app.services.readiness import has_unreviewed_plan, has_unreviewed_rise

INTAKE_REASONS = frozenset(ClosureReason) - {ClosureReason.NEEDS_MET, ClosureReason.OTHER}
TOLD_THAT_SHE_MAY_RETURN = {ClosureReason.NEEDS_MET, ClosureReason.CLIENT_REQUEST, ClosureReason.DECLINED}

ATTEMPTS, ATTEMPTS_SPAN = 3, timedelta(days=30)
# After these she was reached: an attempt before it says nothing about today.
REACHED = {
    FollowUpOutcome.MET_SAFE,
    FollowUpOutcome.MET_CONCERN,
    FollowUpOutcome.MET_NEW_INCIDENT,
    FollowUpOutcome.DECLINED,
}


@dataclass(frozen=True, slots=True)
class Closing:
    """A closing that is asked for or decided: by whom, of which case, and why."""

    session: AsyncSession
    actor: Actor
    case: CaseRow
    reason: ClosureReason


Guard = Callable[[Closing], Awaitable[bool]]  # True: this blocks


async def future_follow_up(closing: Closing) -> bool:
    """A contact is still to come."""
    return await has_future(closing.session, closing.actor, closing.case.id)


async def too_few_attempts(closing: Closing) -> bool:
    """`no_contact` needs three attempts over 30 days, and nobody reached her after them."""
    if closing.reason is not ClosureReason.NO_CONTACT:
        return False
    attempts: list[datetime] = []
    for outcome, happened_at in await _recorded(closing.session, closing.case):
        if outcome in REACHED:
            attempts.clear()
        elif outcome is FollowUpOutcome.NOT_FOUND:
            attempts.append(happened_at)
    return len(attempts) < ATTEMPTS or attempts[-1] - attempts[0] < ATTEMPTS_SPAN


async def unreviewed_safety_plan(closing: Closing) -> bool:
    """The safety plan of a case of domestic violence was not looked at again; who has died needs none."""
    return closing.reason is not ClosureReason.DIED and await has_unreviewed_plan(closing.session, closing.case)


async def urgent_action(closing: Closing) -> bool:
    """Something urgent is still to be done for her: urgent health care, a first step at high risk. Death ends it."""
    if closing.reason is ClosureReason.DIED:
        return False
    statement = select(col(Action.id)).where(*open_on(closing.case.id), col(Action.urgent))
    return await closing.session.scalar(statement.limit(1)) is not None


async def unreviewed_risk(closing: Closing) -> bool:
    """A supervisor has not looked yet at a risk that became high."""
    return await has_unreviewed_rise(closing.session, closing.case)


async def open_referral(closing: Closing) -> bool:
    """Another organisation, or this one for a partner, has not come to the end of what it was asked."""
    statement = select(col(Referral.id)).where(
        col(Referral.case_id) == closing.case.id, col(Referral.status).in_(OPEN_STATUSES)
    )
    return await closing.session.scalar(statement.limit(1)) is not None


async def undecided_assistance(closing: Closing) -> bool:
    """A request for help waits for a decision."""
    return await has_assistance(closing.session, closing.case.id, UNDECIDED)


async def unpaid_assistance(closing: Closing) -> bool:
    """Help that was granted has not reached the client."""
    return await has_assistance(closing.session, closing.case.id, UNPAID)


async def half_paid_assistance(closing: Closing) -> bool:
    """Of help that was granted a part has reached the client: its rest is paid, or given up by who may decide. Who has
    died closes with it: the next visit is what must not wait."""
    if closing.reason is ClosureReason.DIED:
        return False
    return await has_assistance(closing.session, closing.case.id, STARTED)


# Asked when a closure is given (the request to close, an intake that closes) and again when it is decided.
OF_THE_REASON: dict[str, Guard] = {
    "too_few_attempts": too_few_attempts,
}
# Asked when a case, or an intake, is to be closed now: what nobody lets drop by closing.
OF_DANGER: dict[str, Guard] = {
    "urgent_action": urgent_action,
    "risk_review": unreviewed_risk,
}
# Asked when an intake is to be closed, whose other requests are taken back with it.
OF_THE_INTAKE: dict[str, Guard] = {
    "unpaid_assistance": half_paid_assistance,
}
# Asked when a closure is decided: what is not at its end. One line for each.
AT_THE_END: dict[str, Guard] = {
    "future_follow_up": future_follow_up,
    "safety_plan_review": unreviewed_safety_plan,
    "open_referral": open_referral,
    "undecided_assistance": undecided_assistance,
    "unpaid_assistance": unpaid_assistance,
}


async def check_closing(session: AsyncSession, actor: Actor, case: CaseRow, step: Transition) -> None:
    """422 for a closure that is missing, misplaced or incomplete; 409 `closure_blocked` with what blocks it."""
    closes_intake = case.status is CaseStatus.INTAKE and step.to is CaseStatus.CLOSED
    decides = case.status is CaseStatus.CLOSURE_REQUESTED and step.to is CaseStatus.CLOSED
    if step.to is CaseStatus.CLOSURE_REQUESTED or closes_intake:
        _check_closure(step, closes_intake)
    elif step.closure is not None:
        raise Invalid.at("/closure", "not_allowed", "A closure comes with the request to close, nowhere else.")
    reason = step.closure.reason if step.closure is not None else case.closure_reason
    if reason is None or not (decides or step.closure is not None):
        return
    closing = Closing(session, actor, case, ClosureReason(reason))
    guards = dict(OF_THE_REASON)
    guards |= OF_DANGER if closes_intake or decides else {}
    guards |= OF_THE_INTAKE if closes_intake else {}
    guards |= AT_THE_END if decides else {}
    if blocked := [code for code, blocks in guards.items() if await blocks(closing)]:
        raise ClosureBlocked(blocked)


def _check_closure(step: Transition, closes_intake: bool) -> None:
    closure = step.closure
    if closure is None:
        raise Invalid.at("/closure", "required", "Closing needs the closure.")
    if closes_intake:
        if closure.reason not in INTAKE_REASONS:
            raise Invalid.at("/closure/reason", "not_allowed", "An intake is not closed for this reason.")
        return
    if closure.reason is ClosureReason.DIED:
        return  # nobody is there to be told
    if closure.reason in TOLD_THAT_SHE_MAY_RETURN:
        if closure.informed_can_return is not True:
            raise Invalid.at("/closure/informed_can_return", "must_be_informed", "The client must know she may return.")
    elif closure.informed_can_return is None:
        raise Invalid.at("/closure/informed_can_return", "required", "Say whether the client knows she may return.")
    elif closure.informed_can_return == "not_possible" and step.reason is None:
        raise Invalid.at("/reason", "required", "Say why the client could not be told.")


async def _recorded(session: AsyncSession, case: CaseRow) -> list[tuple[FollowUpOutcome, datetime]]:
    """What came of the follow-ups of a case since it was opened, in the order in which they happened."""
    statement = select(FollowUp).where(
        col(FollowUp.case_id) == case.id, col(FollowUp.happened_at) >= start_of(day_of(case.opened_at))
    )
    rows = (await session.execute(statement.order_by(col(FollowUp.happened_at), col(FollowUp.id)))).scalars()
    return [(FollowUpOutcome(opened(session, row)["outcome"]), row.happened_at) for row in rows if row.happened_at]
