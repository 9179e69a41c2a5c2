"""What somebody may do in a case of the demo: each act is one call of a service of the API."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar import day_of
from app.demo.draws import Draws
from app.demo.invented import incident
from app.models.assignment import AssignmentCreate, ExclusionCreate, ExclusionLift
from app.models.case import CaseRow, Closure, SafeContact, Transition
from app.models.codes.care import ContactChannel
from app.models.codes.cases import AssignmentRole, CaseStatus, NoteAudience, RiskLevel
from app.models.codes.consents import ConsentForm, ConsentPurpose
from app.models.codes.walls import ExclusionReason
from app.models.consent import ConsentCreate, Withdrawal
from app.models.follow_up import FollowUpCreate, FollowUpRead, FollowUpState, FollowUpUpdate
from app.models.note import NoteCreate
from app.models.person import CasePersonCreate
from app.paging import ListQuery
from app.security import Actor
from app.services.assignments import assign
from app.services.consents import give_consent, list_consents, withdraw_consent
from app.services.exclusions import exclude, lift, list_exclusions
from app.services.first_look import look_by
from app.services.follow_up_views import said_in
from app.services.follow_ups import change_follow_up, list_follow_ups, plan_follow_up
from app.services.incidents import report_incident
from app.services.lifecycle import move
from app.services.notes import add_note
from app.services.people import add_to_case
from app.services.risk_clock import clock_of, longest_wait
from app.services.safe_contact import window_at
from app.services.visible import lock_case

Doing = Callable[[AsyncSession, Actor, UUID], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Act:
    """`who` does something in a case; `soon`: within the hour after the act before."""

    who: str
    do: Doing
    soon: bool = False


def note(who: str, text: str, audience: NoteAudience | None = None, *, soon: bool = False) -> Act:
    """Write a note."""
    return Act(who, lambda s, a, case_id: add_note(s, a, case_id, NoteCreate(text=text, audience=audience)), soon)


def step(
    who: str, to: CaseStatus, reason: str | None = None, closure: Closure | None = None, *, soon: bool = False
) -> Act:
    """Move the case one step."""
    wanted = Transition(to=to, reason=reason, closure=closure)
    return Act(who, lambda s, a, case_id: move(s, a, case_id, wanted, None), soon)


def consent(who: str, purpose: ConsentPurpose, form: ConsentForm, expires_on: date | None = None) -> Act:
    """Record what the client agrees to on that day; one that ends is given for that day at least."""

    async def do(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
        today = day_of(actor.now)
        last = max(today, expires_on) if expires_on else None
        given = ConsentCreate(purpose=purpose, form=form, obtained_on=today, expires_on=last)
        await give_consent(session, actor, case_id, given)

    return Act(who, do)


def withdrawal(who: str, purpose: ConsentPurpose, reason: str) -> Act:
    """Record that the client takes this consent back."""

    async def do(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
        given = await list_consents(session, actor, case_id, ListQuery())
        found = next(one.id for one in given.items if one.purpose is purpose)
        await withdraw_consent(session, actor, case_id, found, Withdrawal(reason=reason))

    return Act(who, do)


def assignment(
    who: str,
    user_id: UUID,
    role: AssignmentRole,
    reason: str,
    *,
    until: datetime | None = None,
    soon: bool = False,
) -> Act:
    """Put somebody on the case."""
    wanted = AssignmentCreate(user_id=user_id, role=role, reason=reason, until=until)
    return Act(who, lambda s, a, case_id: assign(s, a, case_id, wanted), soon)


def exclusion(who: str, user_id: UUID, reason: ExclusionReason) -> Act:
    """Hide the case and every case of its client from somebody."""
    wanted = ExclusionCreate(user_id=user_id, reason_code=reason)
    return Act(who, lambda s, a, case_id: exclude(s, a, case_id, wanted))


def lifting(who: str, reason: str) -> Act:
    """Ask for the lifting of the only exclusion, or complete what another person asked."""

    async def do(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
        [found] = (await list_exclusions(session, case_id, ListQuery())).items
        await lift(session, actor, case_id, found.id, ExclusionLift(reason=reason))

    return Act(who, do)


def new_person(who: str, added: CasePersonCreate) -> Act:
    """Add a further person."""
    return Act(who, lambda s, a, case_id: add_to_case(s, a, case_id, added))


def new_incident(who: str, draws: Draws) -> Act:
    """Record what the client tells; it happened before that day."""
    return Act(who, lambda s, a, case_id: report_incident(s, a, case_id, incident(draws, a.now - timedelta(days=1))))


def due(who: str, at: datetime) -> Act:
    """Make a visit or call of the date that the opening has planned: then, or as soon afterwards as she may be seen."""

    async def do(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
        case = await lock_case(session, case_id)
        planned = (await list_follow_ups(session, actor, case_id, ListQuery())).items
        first = next((one for one in planned if one.state is FollowUpState.PLANNED), None)
        said, limit = said_in(case), await _latest(session, actor, case, first)
        channel = said.channels[0] if said and said.channels else ContactChannel.VISIT
        due_at = _open_at(said, channel, min(at, limit))
        if due_at > limit:  # somebody has to look at it sooner: as soon as she may be reached
            due_at = _open_at(said, channel, actor.now)
        if due_at > limit:
            return
        if first is None:  # a closing that waits for its decision: she is told of it
            await plan_follow_up(session, actor, case_id, FollowUpCreate(due_at=due_at, channel=channel))
        else:
            wanted = FollowUpUpdate(due_at=due_at, channel=channel)
            await change_follow_up(session, actor, case_id, first.id, wanted, f'"{first.version}"')

    return Act(who, do, soon=True)


async def _latest(session: AsyncSession, actor: Actor, case: CaseRow, first: FollowUpRead | None) -> datetime:
    """Until when somebody has to look at it: by its risk, once that is known; violence within a day."""
    if case.risk_level is RiskLevel.NOT_ASSESSED:
        return min(
            actor.now + longest_wait(session, case), await look_by(session, case) or datetime.max.replace(tzinfo=UTC)
        )
    return first.due_at if first else actor.now + clock_of(session, case.risk_level).follow_up


def _open_at(said: SafeContact | None, channel: ContactChannel, at: datetime) -> datetime:
    """Then, or as soon afterwards as she may be reached."""
    window = window_at(said, channel, at)
    return at if window.allowed else window.opens_next or at
