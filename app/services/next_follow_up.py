"""What is planned next: by the person who recorded a follow-up, else by the clock of the risk."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.db import fetch, run
from app.errors import Invalid
from app.models.case import CaseRow, SafeContact
from app.models.codes.care import ContactChannel, FollowUpOutcome
from app.models.codes.cases import CaseStatus, RiskLevel
from app.models.follow_up import FollowUp, FollowUpRecord
from app.sealing import opened, seal
from app.security import Actor
from app.services.agreed import may_contact
from app.services.assignments import works_on
from app.services.events import record
from app.services.first_date import AWAITED
from app.services.first_look import look_by
from app.services.follow_up_views import channel_of, said_in
from app.services.risk_clock import longest_wait, reckoned
from app.services.safe_contact import require_safe_contact, window_at
from app.services.visible import save_case

AT_ONCE = timedelta(hours=24)
LEAD = "select lead_id from cases where id = %(case_id)s"
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
    """Is a contact still to come? The date that an opening plans by itself is none, nobody waits for it, until the risk
    rises; asking for her consent again is none either: closing is the other answer."""
    statement = select(FollowUp).where(*planned_on(case_id), col(FollowUp.due_at) > actor.now)
    rows = (await session.execute(statement)).scalars()
    return any(_is_awaited(row, opened(session, row)) for row in rows)


def _is_awaited(row: FollowUp, private: dict[str, Any]) -> bool:
    return not private.get("asks_consent") and (not row.of_opening or AWAITED in private)


async def end_planned(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
    """Nothing is due any more, on a case that closes or whose client takes her consent back."""
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

    When contact was found unsafe it is suspended, and the next date is one at the desk; so it is without her consent,
    to ask for it again when that is safe.
    """
    channel = channel_of(session, recorded)
    if told.outcome is FollowUpOutcome.RESCHEDULED and told.next_due_at is None:
        raise Invalid.at("/next_due_at", "required", "A rescheduled follow-up has a next date.")
    if told.outcome is FollowUpOutcome.UNSAFE_TO_CONTACT:
        channel = None
        await _suspend_contact(session, actor, case)
    asks_consent = not await may_contact(session, actor, case)
    if asks_consent:
        channel = None
    if told.next_due_at is not None and channel is not None:
        require_safe_contact(said_in(case), channel, told.next_due_at)
    if told.next_due_at is not None:
        await require_in_time(session, actor, case, told.next_due_at, "/next_due_at")
    due_at = told.next_due_at
    if due_at is None:
        if case.status is CaseStatus.CLOSURE_REQUESTED:
            return None
        wait = AT_ONCE if is_urgent(case, told.outcome) else longest_wait(session, case)
        due_at, channel = _by_the_clock(said_in(case), channel, actor.now, wait)
    whose = await _whose(session, actor, recorded)
    return _add(session, actor, case, due_at, channel, whose, asks_consent=asks_consent)


async def plan_asking(session: AsyncSession, actor: Actor, case: CaseRow) -> FollowUp:
    """The one task that is left when the consent to services ends: the lead asks again in person when that is safe, or
    closes. No longer than the risk allows a client to wait."""
    lead_id = (await fetch(session, LEAD, {"case_id": case.id}))[0].lead_id
    due_at = actor.now + longest_wait(session, case)
    return _add(session, actor, case, due_at, None, lead_id or actor.id, asks_consent=True)


async def plan_by_the_clock(session: AsyncSession, actor: Actor, case: CaseRow, *, assignee_id: UUID) -> None:
    """Plan the next contact at the latest moment that the risk allows, in the first way that she named; without her
    consent it is to ask for it again."""
    said, may = said_in(case), await may_contact(session, actor, case)
    channel = said.channels[0] if said and said.channels else ContactChannel.VISIT
    wait = longest_wait(session, case)
    due_at, way = _by_the_clock(said, channel if may else None, actor.now, wait)
    row = _add(session, actor, case, due_at, way, assignee_id, asks_consent=not may)
    await _tell(session, actor, row, "follow_up.planned")


async def bring_forward(session: AsyncSession, actor: Actor, case: CaseRow, planned: FollowUp) -> None:
    """Move what is planned to the latest moment that the risk allows, unless it is sooner."""
    wait = longest_wait(session, case)
    if planned.of_opening:
        seal(session, planned, {**opened(session, planned), AWAITED: True})
    if planned.due_at <= actor.now + wait:
        return
    planned.due_at, channel = _by_the_clock(said_in(case), channel_of(session, planned), actor.now, wait)
    seal(session, planned, {**opened(session, planned), "channel": channel})
    planned.touch(actor.now)
    await _tell(session, actor, planned, "follow_up.changed", fields=["due_at"], because="risk")


async def require_in_time(
    session: AsyncSession, actor: Actor, case: CaseRow, due_at: datetime, pointer: str, besides: UUID | None = None
) -> None:
    """422 for the only next date of a case that is later than the risk allows; `besides` is not counted."""
    if not await _waits_too_long(session, actor, case, due_at, besides):
        return
    raise Invalid.at(pointer, "later_than_risk_allows", "The risk of the case does not allow to wait so long.")


async def is_last_in_time(session: AsyncSession, actor: Actor, case: CaseRow, planned: FollowUp) -> bool:
    """Is this the date that keeps the case from waiting for longer than its risk allows?"""
    return await _waits_too_long(session, actor, case, None, planned.id)


async def _waits_too_long(
    session: AsyncSession, actor: Actor, case: CaseRow, due_at: datetime | None, besides: UUID | None
) -> bool:
    latest = actor.now + longest_wait(session, case)
    first = await look_by(session, case)
    if first is not None:
        latest = min(latest, first)
    if due_at is not None and due_at <= latest:
        return False
    others = select(col(FollowUp.id)).where(*planned_on(case.id), col(FollowUp.id) != besides)
    others = others.where(col(FollowUp.due_at) <= latest)
    return await session.scalar(others.limit(1)) is None


def _add(
    session: AsyncSession,
    actor: Actor,
    case: CaseRow,
    due_at: datetime,
    channel: ContactChannel | None,
    assignee_id: UUID,
    *,
    asks_consent: bool = False,
) -> FollowUp:
    row = FollowUp(
        case_id=case.id,
        organisation_id=case.organisation_id,
        due_at=due_at,
        assignee_id=assignee_id,
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )
    seal(session, row, {"channel": channel, "asks_consent": asks_consent})
    session.add(row)
    return row


async def _whose(session: AsyncSession, actor: Actor, recorded: FollowUp) -> UUID:
    """The same person's, unless another had to stand in for who has left the case."""
    if await works_on(session, actor, recorded.case_id, recorded.assignee_id):
        return recorded.assignee_id
    stands_in = await works_on(session, actor, recorded.case_id, actor.id)
    return actor.id if stands_in else recorded.assignee_id


def is_urgent(case: CaseRow, outcome: FollowUpOutcome) -> bool:
    """Nobody waits for the ordinary date: it happened again, contact is unsafe, or she is lost at high risk."""
    return outcome in URGENT or is_lost(case, outcome)


def is_lost(case: CaseRow, outcome: FollowUpOutcome) -> bool:
    """Not found at high risk, or where violence was never assessed."""
    return outcome is FollowUpOutcome.NOT_FOUND and reckoned(case) is RiskLevel.HIGH


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


async def _tell(session: AsyncSession, actor: Actor, row: FollowUp, event: str, **data: object) -> None:
    case_id, organisation_id = row.case_id, row.organisation_id
    await record(session, actor, event, case_id=case_id, organisation_id=organisation_id, subject_id=row.id, data=data)
