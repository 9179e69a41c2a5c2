"""The steps of the care plan: planned, changed, done, or taken back, and no open case without a next date."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import end_of, refuse_future
from app.db import fetch
from app.errors import CaseClosed, Cause, Conflict, Invalid, NotFound
from app.models.action import Action, ActionCancel, ActionCreate, ActionDone, ActionRead, ActionState, ActionUpdate
from app.models.base import Page
from app.models.case import CaseRow
from app.models.codes.cases import CaseStatus
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.preconditions import check_match, check_match_if_sent
from app.sealing import opened, seal
from app.security import Actor
from app.services.action_rows import new_row, read_of, reads_of, state_of, tell
from app.services.assignments import works_on
from app.services.cases import open_for_change
from app.services.next_follow_up import plan_by_the_clock
from app.services.own_ids import id_for
from app.services.visible import access_for, lock_case

NEXT_DUE = "select next_due_at from cases where id = %(case_id)s"
_PRIVATE = {"title", "need", "note"}


async def add_action(session: AsyncSession, actor: Actor, case_id: UUID, wanted: ActionCreate) -> ActionRead:
    """Plan a step. 422 for an assignee who does not work on the case, 409 when it is closed."""
    case = await open_for_change(session, case_id, Permission.ACTION_EDIT)
    assignee_id = wanted.assignee_id or actor.id
    await _check_assignee(session, actor, case_id, assignee_id)
    due_at = end_of(wanted.due_on)
    row = new_row(actor, case, due_at=due_at, assignee_id=assignee_id, urgent=wanted.urgent)
    row.id = await id_for(session, "actions", wanted.id)
    seal(session, row, {**wanted.model_dump(mode="json", include=_PRIVATE), "prompt": None})
    session.add(row)
    await tell(session, actor, row, "action.added")
    return await read_of(session, row)


async def list_actions(session: AsyncSession, case_id: UUID, query: ListQuery) -> Page[ActionRead]:
    """Those of the case that the caller may read, newest planned first."""
    await access_for(session, case_id, Permission.ACTION_READ)
    statement = select(Action).where(col(Action.case_id) == case_id)
    rows, cursor = await newest_first(session, statement, Action.created_at, Action.id, query)
    return Page[ActionRead](items=await reads_of(session, rows), next_cursor=cursor)


async def read_action(session: AsyncSession, case_id: UUID, action_id: UUID) -> ActionRead:
    """One; 404 when it is not of this case or not for the caller."""
    await access_for(session, case_id, Permission.ACTION_READ)
    return await read_of(session, await _of_case(session, case_id, action_id))


async def change_action(
    session: AsyncSession, actor: Actor, case_id: UUID, action_id: UUID, change: ActionUpdate, if_match: str | None
) -> ActionRead:
    """Merge the fields sent. 428/412 by If-Match, 409 once it is done or taken back, 422 for putting off what the
    server asked for."""
    await open_for_change(session, case_id, Permission.ACTION_EDIT)
    row = await _of_case(session, case_id, action_id)
    check_match(if_match, row.version)
    _check_open(row)
    if _is_asked_for(session, row):
        _refuse_putting_off(row, change)
    if change.assignee_id is not None:
        await _check_assignee(session, actor, case_id, change.assignee_id)
        row.assignee_id = change.assignee_id
    if change.due_on is not None:
        latest = row.due_at if _is_asked_for(session, row) else end_of(change.due_on)
        row.due_on, row.due_at = change.due_on, min(end_of(change.due_on), latest)
    if change.urgent is not None:
        row.urgent = change.urgent
    seal(session, row, {**opened(session, row), **change.model_dump(mode="json", exclude_unset=True, include=_PRIVATE)})
    row.touch(actor.now)
    await tell(session, actor, row, "action.changed", fields=sorted(change.model_fields_set))
    return await read_of(session, row)


async def complete_action(
    session: AsyncSession, actor: Actor, case_id: UUID, action_id: UUID, told: ActionDone, if_match: str | None
) -> ActionRead:
    """It is done. 409 when it was done or taken back before. Where it was the last date, a follow-up is planned."""
    await access_for(session, case_id, Permission.ACTION_COMPLETE)
    case = await lock_case(session, case_id)
    if case.status is CaseStatus.CLOSED:
        raise CaseClosed
    row = await _of_case(session, case_id, action_id)
    check_match_if_sent(if_match, row.version)
    _check_open(row)
    refuse_future(told.completed_at, actor.now, "/completed_at")
    row.completed_at, row.completed_by = told.completed_at or actor.now, actor.id
    if told.note is not None:
        seal(session, row, {**opened(session, row), "note": told.note})
    row.touch(actor.now)
    await tell(session, actor, row, "action.completed")
    if not await _has_next_date(session, case):
        await plan_by_the_clock(session, actor, case, assignee_id=actor.id)
    return await read_of(session, row)


async def cancel_action(
    session: AsyncSession, actor: Actor, case_id: UUID, action_id: UUID, if_match: str | None
) -> None:
    """Take it back. 409 for the last date of a case that is not about to close: none is forgotten; and for what the
    server asked for, which nobody drops without a word (`drop_action`)."""
    case = await open_for_change(session, case_id, Permission.ACTION_EDIT)
    row = await _of_case(session, case_id, action_id)
    check_match(if_match, row.version)
    _check_open(row)
    if _is_asked_for(session, row):
        raise Conflict(Cause.ASKED_FOR_BY_RULE)
    await _end(session, actor, case, row)


async def drop_action(
    session: AsyncSession, actor: Actor, case_id: UUID, action_id: UUID, told: ActionCancel, if_match: str | None
) -> ActionRead:
    """Take it back with the reason, which stays in the timeline; also what the server asked for. 409 as above."""
    case = await open_for_change(session, case_id, Permission.ACTION_EDIT)
    row = await _of_case(session, case_id, action_id)
    check_match_if_sent(if_match, row.version)
    _check_open(row)
    await _end(session, actor, case, row, told.reason)
    return await read_of(session, row)


async def _end(session: AsyncSession, actor: Actor, case: CaseRow, row: Action, reason: str | None = None) -> None:
    row.ended_at = actor.now
    row.touch(actor.now)
    await tell(session, actor, row, "action.cancelled", reason)
    if not await _has_next_date(session, case):
        raise Conflict(Cause.LAST_DATE)


def _is_asked_for(session: AsyncSession, row: Action) -> bool:
    return opened(session, row)["prompt"] is not None


def _refuse_putting_off(row: Action, change: ActionUpdate) -> None:
    """What the server asked for is done in time; who has a reason to leave it says so."""
    if "due_on" in change.model_fields_set and change.due_on > row.due_on:
        raise Invalid.at("/due_on", "later_than_risk_allows", "Do it in time, or take it back with a reason.")
    if change.urgent is False and row.urgent:
        raise Invalid.at("/urgent", "not_allowed", "This stays urgent. Do it, or take it back with a reason.")


async def _has_next_date(session: AsyncSession, case: CaseRow) -> bool:
    """After the change is written. A liaison does not see what others planned, but that something is."""
    if case.status is CaseStatus.CLOSURE_REQUESTED:
        return True
    await session.flush()
    rows = await fetch(session, NEXT_DUE, {"case_id": case.id})
    return bool(rows) and rows[0].next_due_at is not None


def _check_open(row: Action) -> None:
    if state_of(row) is not ActionState.OPEN:
        raise Conflict(Cause.ENDED)


async def _check_assignee(session: AsyncSession, actor: Actor, case_id: UUID, user_id: UUID) -> None:
    if not await works_on(session, actor, case_id, user_id):
        raise Invalid.at("/assignee_id", "not_on_case", "This person does not work on the case.")


async def _of_case(session: AsyncSession, case_id: UUID, action_id: UUID) -> Action:
    statement = select(Action).where(col(Action.id) == action_id, col(Action.case_id) == case_id)
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound
    return row
