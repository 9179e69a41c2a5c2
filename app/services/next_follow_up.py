"""What is planned when a follow-up is recorded: by the person who recorded it, else by the clock of the risk."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.db import run
from app.errors import Invalid
from app.models.case import CaseRow, SafeContact
from app.models.codes import CaseStatus, ContactChannel, FollowUpOutcome, RiskLevel
from app.models.follow_up import FollowUp, FollowUpRecord
from app.sealing import opened, seal
from app.security import Actor
from app.services.assignments import works_on
from app.services.first_date import FIRST
from app.services.follow_up_views import channel_of, said_in
from app.services.safe_contact import require_safe_contact, window_at
from app.services.visible import save_case

AT_ONCE = timedelta(hours=24)
# How long a client waits at most for the next one (product.md); not assessed: no longer than at low risk.
WITHIN = {
    RiskLevel.HIGH: timedelta(days=7),
    RiskLevel.MEDIUM: timedelta(days=14),
    RiskLevel.LOW: timedelta(days=30),
    RiskLevel.NOT_ASSESSED: timedelta(days=30),
}
# After these nobody waits for the ordinary date: a new danger assessment, or somebody looks for her.
URGENT = {FollowUpOutcome.MET_NEW_INCIDENT, FollowUpOutcome.UNSAFE_TO_CONTACT}


def planned_on(case_id: UUID) -> tuple[Any, ...]:
    """The condition for what is still planned on a case."""
    return (
        col(FollowUp.case_id) == case_id,
        col(FollowUp.happened_at).is_(None),
        col(FollowUp.ended_at).is_(None),
    )


async def has_future(session: AsyncSession, actor: Actor, case_id: UUID) -> bool:
    """Is a contact still to come? The date that an opening plans by itself is none: nobody waits for it."""
    statement = select(FollowUp).where(*planned_on(case_id), col(FollowUp.due_at) > actor.now)
    rows = (await session.execute(statement)).scalars()
    return any(FIRST not in opened(session, row) for row in rows)


async def end_planned(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
    """Nothing is due on a case that closes."""
    changed = {"ended_at": actor.now, "updated_at": actor.now, "version": col(FollowUp.version) + 1}
    await session.execute(update(FollowUp).where(*planned_on(case_id)).values(changed))


async def next_planned(
    session: AsyncSession,
    actor: Actor,
    case: CaseRow,
    recorded: FollowUp,
    told: FollowUpRecord,
) -> FollowUp | None:
    """Add the next follow-up, with the same person. None when the case is about to close and none was asked for.

    When contact was found unsafe it is suspended, and the next date is one at the desk.
    """
    channel = channel_of(session, recorded)
    if told.outcome is FollowUpOutcome.RESCHEDULED and told.next_due_at is None:
        raise Invalid.at("/next_due_at", "required", "A rescheduled follow-up has a next date.")
    if told.outcome is FollowUpOutcome.UNSAFE_TO_CONTACT:
        channel = None
        await _suspend_contact(session, actor, case)
    if told.next_due_at is not None and channel is not None:
        require_safe_contact(said_in(case), channel, told.next_due_at)
    due_at = told.next_due_at
    if due_at is None:
        if case.status is CaseStatus.CLOSURE_REQUESTED:
            return None
        due_at, channel = _by_the_clock(said_in(case), channel, actor.now, _wait(case.risk_level, told.outcome))
    row = FollowUp(
        case_id=case.id,
        organisation_id=case.organisation_id,
        due_at=due_at,
        assignee_id=await _whose(session, actor, recorded),
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )
    seal(session, row, {"channel": channel})
    session.add(row)
    return row


async def _whose(session: AsyncSession, actor: Actor, recorded: FollowUp) -> UUID:
    """The same person's, unless another had to stand in for who has left the case."""
    if await works_on(session, actor, recorded.case_id, recorded.assignee_id):
        return recorded.assignee_id
    stands_in = await works_on(session, actor, recorded.case_id, actor.id)
    return actor.id if stands_in else recorded.assignee_id


def _wait(risk: RiskLevel, outcome: FollowUpOutcome) -> timedelta:
    lost_at_high_risk = outcome is FollowUpOutcome.NOT_FOUND and risk is RiskLevel.HIGH
    return AT_ONCE if outcome in URGENT or lost_at_high_risk else WITHIN[risk]


def _by_the_clock(
    said: SafeContact | None, channel: ContactChannel | None, now: datetime, wait: timedelta
) -> tuple[datetime, ContactChannel | None]:
    """The latest moment within the wait at which she may be reached; where there is none, the desk at its end."""
    latest = now + wait
    if channel is None or window_at(said, channel, latest).allowed:
        return latest, channel
    found, opening = None, window_at(said, channel, now).opens_next
    while opening is not None and opening <= latest:
        found, opening = opening, window_at(said, channel, opening).opens_next
    return (latest, None) if found is None else (found, channel)


async def escalate(session: AsyncSession, case_id: UUID) -> None:
    """Have somebody beside the lead look at the case: its supervisors are told, without why."""
    await run(session, "select escalate_case(%(case_id)s)", {"case_id": case_id})


async def _suspend_contact(session: AsyncSession, actor: Actor, case: CaseRow) -> None:
    said = case.private.get("safe_contact") or {}
    case.private = {**case.private, "safe_contact": {**said, "do_not_contact": True}}
    case.touch(actor.now)
    await save_case(session, case)
