"""Who works on a case: assign, list, end. Triggers derive access from it in the same write."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.db import fetch
from app.errors import CaseloadFull, Cause, Conflict, ConsentRequired, Forbidden, Invalid, NotFound
from app.models.assignment import Assignment, AssignmentCreate, AssignmentRead
from app.models.base import Page
from app.models.case import Colleague
from app.models.codes.cases import AssignmentRole, CaseloadLevel
from app.models.codes.consents import ConsentPurpose
from app.models.codes.people import Role
from app.models.user import User
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.sealing import opened, seal
from app.security import Actor, require_step_up
from app.services.agreed import has_active
from app.services.carrying import level_with
from app.services.colleagues import names_of, user_as_they_stay
from app.services.events import record
from app.services.standing import Standing, standing_for
from app.services.visible import access_for, lock_case

REVIEW_LASTS = timedelta(days=7)
CASEWORK = {Role.CASEWORKER, Role.SUPERVISOR}
MAY_BE_ASSIGNED = "select may_be_assigned(%(case_id)s, %(user_id)s) as free"
DIED = "select app_client_died(%(case_id)s) as died"
LEADS = """
    select exists (select from cases where id = %(case_id)s and lead_id = %(user_id)s)
        or exists (select from case_stubs(only_case => %(case_id)s) where lead_id = %(user_id)s) as leads
"""


async def assign(session: AsyncSession, actor: Actor, case_id: UUID, wanted: AssignmentCreate) -> AssignmentRead:
    """Put somebody on the case, in place of what they had there.

    409 for an excluded person, for the lead in a lesser place, `consent_required` for a liaison without consent, and
    `caseload_full` for a new lead who carries as many cases as allowed, unless a supervisor says why one more.
    """
    standing = await standing_for(session, case_id, Permission.ASSIGNMENT_EDIT)
    if wanted.role is AssignmentRole.REVIEWER and standing.oversees:
        require_step_up(actor)
    leads = wanted.role is AssignmentRole.LEAD
    user = await user_as_they_stay(session, wanted.user_id, alone=leads)
    if user is None or not user.active:
        raise Invalid.at("/user_id", "unknown_user", "There is no such user.")
    _check_who_assigns(actor, standing, user, wanted)
    if wanted.role is AssignmentRole.LIAISON:
        await _check_liaison(session, actor, case_id, standing, user)
    else:
        _check_colleague(standing, user, wanted.role)
    _check_until(actor, wanted)
    if wanted.role is AssignmentRole.COVER and await _has_died(session, case_id):
        raise Conflict(Cause.CLIENT_DIED if standing.access else None)  # nobody goes to her door
    if not await may_be_assigned(session, case_id, user.id):
        raise Conflict(Cause.KEPT_AWAY)
    if not leads and await _leads(session, case_id, user.id):
        raise Conflict(Cause.IS_LEAD)  # the new place would replace the lead's, and nobody would lead
    caseload = await level_with(session, user.id, but_case=case_id) if leads else None
    over = caseload is CaseloadLevel.OVER
    if over and wanted.over_limit_reason is None:
        raise CaseloadFull
    row = row_of(actor, case_id, standing.organisation_id, wanted)
    seal(session, row, words_of(wanted.reason, wanted.over_limit_reason if over else None))
    # First the event: who hands the lead over may see nothing of the case a moment later.
    await record(
        session,
        actor,
        "assignment.added",
        case_id=case_id,
        organisation_id=standing.organisation_id,
        subject_id=row.id,
        data={"role": row.role, "user_id": str(user.id), **({"over_limit": True} if over else {})},
        reason=wanted.reason,
    )
    session.add(row)
    await session.flush()
    read = _read(session, row, Colleague(id=user.id, display_name=user.display_name))
    return read.model_copy(update={"caseload": caseload})


def words_of(reason: str | None, over_limit_reason: str | None) -> dict[str, str]:
    """What is sealed of an assignment."""
    said = {"reason": reason, "over_limit_reason": over_limit_reason}
    return {name: words for name, words in said.items() if words is not None}


def _check_who_assigns(actor: Actor, standing: Standing, user: User, wanted: AssignmentCreate) -> None:
    """A lead names liaisons and caseworkers; a supervisor takes a case that she cannot see as its reviewer only."""
    reviewer = wanted.role is AssignmentRole.REVIEWER
    if not standing.oversees and (reviewer or user.role is Role.SUPERVISOR):
        raise Forbidden
    if standing.access is None and user.id == actor.id and not reviewer:
        raise Forbidden
    if wanted.over_limit_reason is not None and not standing.oversees:
        raise Forbidden
    if reviewer and wanted.reason is None:
        raise Invalid.at("/reason", "required", "A review has a reason.")


async def may_be_assigned(session: AsyncSession, case_id: UUID, user_id: UUID) -> bool:
    """Is the user free of exclusions here? Answered only to who may assign on the case."""
    rows = await fetch(session, MAY_BE_ASSIGNED, {"case_id": case_id, "user_id": user_id})
    return bool(rows[0].free)


async def _has_died(session: AsyncSession, case_id: UUID) -> bool:
    return bool((await fetch(session, DIED, {"case_id": case_id}))[0].died)


async def _leads(session: AsyncSession, case_id: UUID, user_id: UUID) -> bool:
    return bool((await fetch(session, LEADS, {"case_id": case_id, "user_id": user_id}))[0].leads)


async def _check_liaison(session: AsyncSession, actor: Actor, case_id: UUID, standing: Standing, user: User) -> None:
    if standing.access is None:
        raise Forbidden  # consent and commune of a case that is only a stub are not known, so not to be asked
    if user.role is not Role.CCWC_LIAISON:
        raise Invalid.at("/user_id", "role_not_fitting", "Only a committee liaison is assigned as liaison.")
    case = await lock_case(session, case_id)
    if case.commune_code not in user.communes:
        raise Invalid.at("/user_id", "not_of_commune", "The liaison is not of the case's commune.")
    if not await has_active(session, actor, case_id, ConsentPurpose.CCWC_SUPPORT):
        raise ConsentRequired


def _check_colleague(standing: Standing, user: User, role: AssignmentRole) -> None:
    fits = user.role in ({Role.SUPERVISOR} if role is AssignmentRole.REVIEWER else CASEWORK)
    if not fits or user.organisation_id != standing.organisation_id:
        raise Invalid.at("/user_id", "role_not_fitting", "The person cannot have this role on the case.")


def _check_until(actor: Actor, wanted: AssignmentCreate) -> None:
    if wanted.role is AssignmentRole.COVER and wanted.until is None:
        raise Invalid.at("/until", "required", "A cover has an end.")
    if wanted.until is not None and wanted.role not in {AssignmentRole.COVER, AssignmentRole.REVIEWER}:
        raise Invalid.at("/until", "not_allowed", "Only a cover or a review has an end from the start.")
    if wanted.until is not None and wanted.until <= actor.now:
        raise Invalid.at("/until", "in_the_past", "The end has passed already.")


def row_of(actor: Actor, case_id: UUID, organisation_id: UUID, wanted: AssignmentCreate) -> Assignment:
    """A new assignment; a review lasts seven days at most."""
    until = wanted.until
    if wanted.role is AssignmentRole.REVIEWER:
        latest = actor.now + REVIEW_LASTS
        until = min(until, latest) if until else latest
    return Assignment(
        case_id=case_id,
        organisation_id=organisation_id,
        user_id=wanted.user_id,
        role=wanted.role,
        until=until,
        created_at=actor.now,
        created_by=actor.id,
    )


async def list_assignments(session: AsyncSession, case_id: UUID, query: ListQuery) -> Page[AssignmentRead]:
    """Assignments of a case, ended ones too, newest first; a liaison sees the own ones."""
    await access_for(session, case_id, Permission.ASSIGNMENT_READ)
    statement = select(Assignment).where(col(Assignment.case_id) == case_id)
    rows, cursor = await newest_first(session, statement, Assignment.created_at, Assignment.id, query)
    users = await names_of(session, (row.user_id for row in rows))
    return Page[AssignmentRead](items=[_read(session, row, users[row.user_id]) for row in rows], next_cursor=cursor)


async def works_on(session: AsyncSession, actor: Actor, case_id: UUID, user_id: UUID) -> bool:
    """Has this person an active place on the case in which contacts are theirs to make? A review is none."""
    statement = select(col(Assignment.id)).where(
        col(Assignment.case_id) == case_id,
        col(Assignment.user_id) == user_id,
        col(Assignment.ended_at).is_(None),
        or_(col(Assignment.until).is_(None), col(Assignment.until) > actor.now),
        col(Assignment.role) != AssignmentRole.REVIEWER,
    )
    return await session.scalar(statement.limit(1)) is not None


async def read_assignment(session: AsyncSession, case_id: UUID, assignment_id: UUID) -> AssignmentRead:
    """One assignment; 404 when it is not of this case or not to be seen."""
    await access_for(session, case_id, Permission.ASSIGNMENT_READ)
    row = await _of_case(session, case_id, assignment_id)
    return _read(session, row, (await names_of(session, [row.user_id]))[row.user_id])


async def end_assignment(session: AsyncSession, actor: Actor, case_id: UUID, assignment_id: UUID) -> None:
    """End an assignment; 409 for the lead's (name another lead) and for one that has ended.

    A review is ended by supervisors only: 403 for a lead who is none.
    """
    standing = await standing_for(session, case_id, Permission.ASSIGNMENT_EDIT)
    if standing.access is None:
        raise NotFound  # on a stub nobody else's assignment is seen
    standing.require_more_than_broken_glass()
    await lock_case(session, case_id)
    row = await _of_case(session, case_id, assignment_id)
    if row.ended_at is not None or row.role is AssignmentRole.LEAD:
        raise Conflict(Cause.ENDED if row.ended_at else Cause.IS_LEAD)
    if row.role is AssignmentRole.REVIEWER and not standing.oversees:
        raise Forbidden
    row.ended_at, row.ended_by, row.end_reason = actor.now, actor.id, "ended"
    await record(
        session,
        actor,
        "assignment.ended",
        case_id=case_id,
        organisation_id=row.organisation_id,
        subject_id=row.id,
        data={"role": row.role, "reason": "ended"},
    )


async def _of_case(session: AsyncSession, case_id: UUID, assignment_id: UUID) -> Assignment:
    statement = select(Assignment).where(col(Assignment.id) == assignment_id, col(Assignment.case_id) == case_id)
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound
    return row


def _read(session: AsyncSession, row: Assignment, user: Colleague) -> AssignmentRead:
    values = row.model_dump(include=set(AssignmentRead.model_fields))
    words = opened(session, row)
    told = {name: words.get(name) for name in ("reason", "over_limit_reason")}
    return AssignmentRead(user=user, **told, **values)
