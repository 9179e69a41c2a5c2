"""`/cases/{case_id}/assignments`, `/cases/{case_id}/exclusions` and `/caseload`: who works on a case, and who never."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, Route, Session, answers_for, created
from app.models.assignment import (
    AssignmentCreate,
    AssignmentRead,
    ExclusionCreate,
    ExclusionLift,
    ExclusionRead,
    HandedOver,
    Handover,
)
from app.models.base import Page
from app.models.case import Caseload
from app.paging import ListQuery
from app.permissions import Permission
from app.security import Actor, allowed
from app.services import assignments, caseload, exclusions, handing_over

router = APIRouter(prefix=API, tags=["assignments"], route_class=Route)


@router.post("/cases/{case_id}/assignments", status_code=201)
async def assign(
    case_id: UUID,
    wanted: AssignmentCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSIGNMENT_EDIT)],
) -> AssignmentRead:
    """Put somebody on the case; a new lead replaces the old one."""
    assignment = await assignments.assign(session, actor, case_id, wanted)
    created(response, f"/cases/{case_id}/assignments/{assignment.id}")
    return assignment


@router.get("/cases/{case_id}/assignments")
async def list_assignments(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSIGNMENT_READ)],
) -> Page[AssignmentRead]:
    """Who works and worked on the case; a liaison sees the own assignments."""
    return await assignments.list_assignments(session, case_id, query)


@router.get("/cases/{case_id}/assignments/{assignment_id}")
async def read_assignment(
    case_id: UUID,
    assignment_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSIGNMENT_READ)],
) -> AssignmentRead:
    """One assignment."""
    return await assignments.read_assignment(session, case_id, assignment_id)


@router.delete("/cases/{case_id}/assignments/{assignment_id}", status_code=204)
async def end_assignment(
    case_id: UUID,
    assignment_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSIGNMENT_EDIT)],
) -> None:
    """End an assignment; access ends in the same write."""
    await assignments.end_assignment(session, actor, case_id, assignment_id)


@router.post("/cases/{case_id}/exclusions", status_code=201)
async def exclude(
    case_id: UUID,
    wanted: ExclusionCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.EXCLUSION_EDIT)],
) -> ExclusionRead:
    """Hide the case, and every case of its client, from a user: at once and everywhere."""
    exclusion = await exclusions.exclude(session, actor, case_id, wanted)
    created(response, f"/cases/{case_id}/exclusions/{exclusion.id}")
    return exclusion


@router.get("/cases/{case_id}/exclusions")
async def list_exclusions(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.EXCLUSION_READ)],
) -> Page[ExclusionRead]:
    """Who must never see the case; for the lead and the supervisors."""
    return await exclusions.list_exclusions(session, case_id, query)


@router.get("/cases/{case_id}/exclusions/{exclusion_id}")
async def read_exclusion(
    case_id: UUID,
    exclusion_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.EXCLUSION_READ)],
) -> ExclusionRead:
    """One exclusion."""
    return await exclusions.read_exclusion(session, case_id, exclusion_id)


@router.post("/cases/{case_id}/exclusions/{exclusion_id}/lift")
async def lift(
    case_id: UUID,
    exclusion_id: UUID,
    wanted: ExclusionLift,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.EXCLUSION_READ)],
) -> ExclusionRead:
    """Ask to lift an exclusion; a second person, one of the two a supervisor, completes it."""
    answers_for(response, f"/cases/{case_id}/exclusions/{exclusion_id}")
    return await exclusions.lift(session, actor, case_id, exclusion_id, wanted)


@router.get("/caseload")
async def list_caseload(
    query: Annotated[caseload.CaseloadQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CASELOAD_READ)],
) -> Caseload:
    """The open cases of your organisation as stubs, and how many each of your colleagues carries; `needs_lead=true` for
    those that nobody carries."""
    return await caseload.list_caseload(session, query)


@router.post("/users/{user_id}/handover")
async def hand_over(
    user_id: UUID,
    wanted: Handover,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSIGNMENT_HANDOVER)],
) -> HandedOver:
    """Give what a leaver of your organisation carries to a colleague; what they may not take waits for a lead."""
    return await handing_over.hand_over(session, actor, user_id, wanted)
