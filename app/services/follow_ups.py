"""Follow-ups: planned within what the client said is safe, recorded, and none without a next one."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import refuse_future
from app.errors import CaseClosed, Cause, Conflict, Invalid, NotFound
from app.models.base import Page
from app.models.codes.care import FollowUpOutcome
from app.models.codes.cases import CaseStatus
from app.models.follow_up import (
    FollowUp,
    FollowUpCreate,
    FollowUpRead,
    FollowUpRecord,
    FollowUpRecorded,
    FollowUpUpdate,
)
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.preconditions import check_match, check_match_if_sent
from app.sealing import opened, seal
from app.security import Actor
from app.services.agreed import require_contact
from app.services.assignments import works_on
from app.services.cases import open_for_change
from app.services.events import record
from app.services.follow_up_views import channel_of, read_of, reads_of, said_in, said_on
from app.services.met_again import follow_outcome
from app.services.next_follow_up import escalate, is_last_in_time, next_planned, planned_on, require_in_time
from app.services.own_ids import id_for
from app.services.safe_contact import require_safe_contact
from app.services.visible import access_for, lock_case


async def plan_follow_up(session: AsyncSession, actor: Actor, case_id: UUID, wanted: FollowUpCreate) -> FollowUpRead:
    """Plan one. 409 `unsafe_contact` outside what she said, `consent_required` without her consent, 422 for an assignee
    who does not work on the case."""
    case = await open_for_change(session, case_id, Permission.FOLLOW_UP_PLAN)
    assignee_id = wanted.assignee_id or actor.id
    await _check_assignee(session, actor, case_id, assignee_id)
    await require_contact(session, actor, case)
    require_safe_contact(said_in(case), wanted.channel, wanted.due_at)
    await require_in_time(session, actor, case, wanted.due_at, "/due_at")
    row = FollowUp(
        id=await id_for(session, "follow_ups", wanted.id),
        case_id=case_id,
        organisation_id=case.organisation_id,
        due_at=wanted.due_at,
        assignee_id=assignee_id,
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )
    seal(session, row, {"channel": wanted.channel})
    session.add(row)
    await _give_way(session, actor, row)
    await _tell(session, actor, row, "follow_up.planned")
    return await read_of(session, actor, said_in(case), row)


async def list_follow_ups(session: AsyncSession, actor: Actor, case_id: UUID, query: ListQuery) -> Page[FollowUpRead]:
    """Those of the case that the caller may read, newest planned first."""
    await access_for(session, case_id, Permission.FOLLOW_UP_READ)
    statement = select(FollowUp).where(col(FollowUp.case_id) == case_id)
    rows, cursor = await newest_first(session, statement, FollowUp.created_at, FollowUp.id, query)
    items = await reads_of(session, actor, await said_on(session, case_id), rows)
    return Page[FollowUpRead](items=items, next_cursor=cursor)


async def read_follow_up(session: AsyncSession, actor: Actor, case_id: UUID, follow_up_id: UUID) -> FollowUpRead:
    """One; 404 when it is not of this case or not for the caller."""
    await access_for(session, case_id, Permission.FOLLOW_UP_READ)
    row = await _of_case(session, case_id, follow_up_id)
    return await read_of(session, actor, await said_on(session, case_id), row)


async def change_follow_up(
    session: AsyncSession,
    actor: Actor,
    case_id: UUID,
    follow_up_id: UUID,
    change: FollowUpUpdate,
    if_match: str | None,
) -> FollowUpRead:
    """Plan it otherwise. 428/412 by If-Match, 409 once it is recorded or cancelled, `unsafe_contact`, or
    `consent_required`."""
    case = await open_for_change(session, case_id, Permission.FOLLOW_UP_PLAN)
    row = await _of_case(session, case_id, follow_up_id)
    check_match(if_match, row.version)
    _check_planned(row)
    if change.assignee_id is not None:
        await _check_assignee(session, actor, case_id, change.assignee_id)
        row.assignee_id = change.assignee_id
    if change.due_at is not None:
        await require_in_time(session, actor, case, change.due_at, "/due_at", besides=row.id)
        row.due_at = change.due_at
    channel = change.channel or channel_of(session, row)
    kept, row.of_opening = opened(session, row), False  # somebody plans it now
    if channel is not None:
        await require_contact(session, actor, case)
        require_safe_contact(said_in(case), channel, row.due_at)
        kept["asks_consent"] = False
    seal(session, row, {**kept, "channel": channel})
    row.touch(actor.now)
    await _tell(session, actor, row, "follow_up.changed", fields=sorted(change.model_fields_set))
    return await read_of(session, actor, said_in(case), row)


async def record_follow_up(
    session: AsyncSession,
    actor: Actor,
    case_id: UUID,
    follow_up_id: UUID,
    told: FollowUpRecord,
    if_match: str | None,
) -> FollowUpRecorded:
    """Write down what came of it; the next one is planned with it. 409 when it was recorded or cancelled before."""
    await access_for(session, case_id, Permission.FOLLOW_UP_RECORD)
    case = await lock_case(session, case_id)
    if case.status is CaseStatus.CLOSED:
        raise CaseClosed
    row = await _of_case(session, case_id, follow_up_id)
    check_match_if_sent(if_match, row.version)
    _check_planned(row)
    refuse_future(told.happened_at, actor.now, "/happened_at")
    seal(session, row, {**opened(session, row), "outcome": told.outcome, "note": told.note})
    row.happened_at, row.recorded_by = told.happened_at, actor.id
    row.touch(actor.now)
    await session.flush()  # before: the date of the opening, which ends with it, is not one in time for the risk
    following = await next_planned(session, actor, case, row, told)
    await _tell(session, actor, row, "follow_up.recorded")
    if following is not None:
        await _tell(session, actor, following, "follow_up.planned")
    if told.outcome is FollowUpOutcome.UNSAFE_TO_CONTACT:
        await escalate(session, case.id)
    said = said_in(case)
    views = await reads_of(session, actor, said, [row, *([following] if following is not None else [])])
    await follow_outcome(session, actor, case, row, told)  # last: who records may see nothing of the case afterwards
    return FollowUpRecorded(**dict(views[0]), next=views[1] if following is not None else None)


async def cancel_follow_up(
    session: AsyncSession, actor: Actor, case_id: UUID, follow_up_id: UUID, if_match: str | None
) -> None:
    """Take back what was planned. 409 for the last date, or the last in time for the risk, of a case that is not about
    to close: none is forgotten."""
    case = await open_for_change(session, case_id, Permission.FOLLOW_UP_PLAN)
    row = await _of_case(session, case_id, follow_up_id)
    check_match(if_match, row.version)
    _check_planned(row)
    if case.status is not CaseStatus.CLOSURE_REQUESTED and await is_last_in_time(session, actor, case, row):
        raise Conflict(Cause.LAST_DATE)
    row.ended_at = actor.now
    row.touch(actor.now)
    await _tell(session, actor, row, "follow_up.cancelled")


async def _give_way(session: AsyncSession, actor: Actor, to: FollowUp) -> None:
    """The date that the opening has planned ends with what somebody plans within it. With what is recorded the database
    ends it (140_worklist.sql): who records may not see it."""
    statement = select(FollowUp).where(*planned_on(to.case_id), col(FollowUp.of_opening), col(FollowUp.id) != to.id)
    for row in (await session.execute(statement.where(col(FollowUp.due_at) >= to.due_at))).scalars().all():
        row.ended_at = actor.now
        row.touch(actor.now)
        await _tell(session, actor, row, "follow_up.cancelled")


def _check_planned(row: FollowUp) -> None:
    if row.happened_at is not None or row.ended_at is not None:
        raise Conflict(Cause.ENDED)


async def _check_assignee(session: AsyncSession, actor: Actor, case_id: UUID, user_id: UUID) -> None:
    if not await works_on(session, actor, case_id, user_id):
        raise Invalid.at("/assignee_id", "not_on_case", "This person does not work on the case.")


async def _of_case(session: AsyncSession, case_id: UUID, follow_up_id: UUID) -> FollowUp:
    statement = select(FollowUp).where(col(FollowUp.id) == follow_up_id, col(FollowUp.case_id) == case_id)
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound
    return row


async def _tell(session: AsyncSession, actor: Actor, row: FollowUp, event: str, **data: object) -> None:
    await record(
        session,
        actor,
        event,
        case_id=row.case_id,
        organisation_id=row.organisation_id,
        subject_id=row.id,
        data=data,
    )
