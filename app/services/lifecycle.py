"""The steps of a case from intake to a safe closure, who may take them, and what must hold first."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar import day_of
from app.errors import ConsentRequired, Forbidden, IllegalTransition, Invalid
from app.models.case import CaseRow, Transition
from app.models.codes.cases import CaseStatus, Sensitivity
from app.models.codes.people import Role
from app.permissions import Permission
from app.preconditions import check_match_if_sent
from app.relations import Access, Relation
from app.security import Actor
from app.services.action_rows import end_open_actions
from app.services.agreed import check_bypass, client_of, services_consent
from app.services.assistance_closing import end_assistance
from app.services.closing import check_closing
from app.services.consents import add_consent
from app.services.deaths import has_died
from app.services.events import record
from app.services.first_date import keep_dated
from app.services.next_follow_up import end_planned
from app.services.readiness import require_plan
from app.services.visible import access_for, lock_case, save_case

S = CaseStatus

STEPS: dict[CaseStatus, frozenset[CaseStatus]] = {
    S.INTAKE: frozenset({S.ASSESSMENT, S.CLOSED}),
    S.ASSESSMENT: frozenset({S.PLANNING, S.CLOSURE_REQUESTED}),
    S.PLANNING: frozenset({S.ASSESSMENT, S.IMPLEMENTATION, S.CLOSURE_REQUESTED}),
    S.IMPLEMENTATION: frozenset({S.PLANNING, S.FOLLOW_UP, S.CLOSURE_REQUESTED}),
    S.FOLLOW_UP: frozenset({S.PLANNING, S.IMPLEMENTATION, S.CLOSURE_REQUESTED}),
    S.CLOSURE_REQUESTED: frozenset({S.FOLLOW_UP, S.CLOSED}),
    S.CLOSED: frozenset({S.ASSESSMENT}),
}


def steps_of(case: CaseRow) -> frozenset[CaseStatus]:
    """Where the case may go from here; a standard case may skip assessment and planning."""
    steps = STEPS[case.status]
    if case.status is S.INTAKE and case.sensitivity is Sensitivity.STANDARD:
        return steps | {S.IMPLEMENTATION}
    return steps


async def move(session: AsyncSession, actor: Actor, case_id: UUID, step: Transition, if_match: str | None) -> CaseRow:
    """Take one step. 403 by who asks, 409 for an illegal step or a missing consent, 422 for closure or reason."""
    access = await access_for(session, case_id, Permission.CASE_MOVE)
    case = await lock_case(session, case_id)
    check_match_if_sent(if_match, case.version)
    if step.to not in steps_of(case):
        raise IllegalTransition(sorted(steps_of(case)))
    _check_who(access, actor, case, step.to)
    await _agree_again(session, actor, case, step)
    await _check_guard(session, actor, case, step)
    before = case.status
    _apply(case, actor, step)
    if step.to is S.CLOSED or has_died(case):
        await end_open_actions(session, actor, case.id)
    if step.to is S.CLOSED:
        await end_planned(session, actor, case.id)
        await end_assistance(session, actor, case.id)
    # First the event: a cover who records the client's death sees nothing of the case a moment later.
    await record(
        session,
        actor,
        "case.status_changed",
        case_id=case.id,
        organisation_id=case.organisation_id,
        for_team=True,
        data={"from": before, "to": step.to},
        reason=step.reason,
    )
    await save_case(session, case)
    if step.to not in {S.CLOSED, S.CLOSURE_REQUESTED}:
        await keep_dated(session, actor, case)
    return case


async def _agree_again(session: AsyncSession, actor: Actor, case: CaseRow, step: Transition) -> None:
    """A closed case takes a consent with its reopening: without one it could not be reopened, nor agreed to."""
    if step.consents and case.status is not S.CLOSED:
        raise Invalid.at("/consents", "not_allowed", "Consents come with reopening here, else on their own.")
    for number, given in enumerate(step.consents):
        if given.bypass is not None:
            check_bypass(given, await client_of(session, case.id), day_of(actor.now), f"/consents/{number}")
        await add_consent(session, actor, case, given, f"/consents/{number}")
    await session.flush()


def _check_who(access: Access, actor: Actor, case: CaseRow, to: CaseStatus) -> None:
    leads = Relation.LEAD in access.relations
    supervisor = actor.role is Role.SUPERVISOR
    if case.status is S.CLOSURE_REQUESTED:
        allowed = _may_decide_closure(access, actor, case, to)
    elif S.CLOSED in {case.status, to}:
        allowed = leads or supervisor
    else:
        allowed = access.works or Relation.SUPERVISOR in access.relations
    if not allowed:
        raise Forbidden


def _may_decide_closure(access: Access, actor: Actor, case: CaseRow, to: CaseStatus) -> bool:
    """Who asked, or leads, takes the request back; a supervisor decides it."""
    if to is S.FOLLOW_UP and (Relation.LEAD in access.relations or actor.id == case.closure_requested_by):
        return True
    supervisor = actor.role is Role.SUPERVISOR
    if case.sensitivity is Sensitivity.SENSITIVE:
        return supervisor and Relation.REVIEWER in access.relations and actor.id != case.closure_requested_by
    return supervisor or (to is S.CLOSED and Relation.LEAD in access.relations)


async def _check_guard(session: AsyncSession, actor: Actor, case: CaseRow, step: Transition) -> None:
    starts = case.status in {S.INTAKE, S.CLOSED} and step.to is not S.CLOSED
    if starts and not (await services_consent(session, actor, case.id)).active:
        raise ConsentRequired
    if case.status in {S.INTAKE, S.PLANNING} and step.to is S.IMPLEMENTATION:
        await require_plan(session, case)
    await check_closing(session, actor, case, step)
    explained = (S.CLOSURE_REQUESTED, S.FOLLOW_UP), (S.CLOSED, S.ASSESSMENT)
    if (case.status, step.to) in explained and step.reason is None:
        raise Invalid.at("/reason", "required", "This step needs a reason.")


def _apply(case: CaseRow, actor: Actor, step: Transition) -> None:
    case.status = step.to
    if step.closure is not None:
        case.private = {**case.private, "closure": step.closure.model_dump(mode="json")}
        case.closure_reason, case.outcome = step.closure.reason, step.closure.outcome
        case.closure_requested_by = actor.id
    if step.to is S.CLOSED:
        case.closed_at = actor.now
    elif step.to is not S.CLOSURE_REQUESTED:
        # Open again: the closure stays in the timeline, not on the case.
        case.private = {name: value for name, value in case.private.items() if name != "closure"}
        case.closed_at = case.closure_reason = case.outcome = case.closure_requested_by = None
    case.team_version += 1
    case.touch(actor.now)
