"""`/cases/{case_id}/safety-plan`: what she does when it becomes dangerous."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from app.http import API, IfMatch, IfNoneMatch, Route, Session, created
from app.models.safety_plan import SafetyPlanRead, SafetyPlanWrite
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import safety_plans

router = APIRouter(prefix=API, tags=["care-plan"], route_class=Route)


@router.get("/cases/{case_id}/safety-plan")
async def read_safety_plan(
    case_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.SAFETY_PLAN_READ)],
) -> SafetyPlanRead:
    """The safety plan, or why none is needed."""
    found = await safety_plans.read_safety_plan(session, case_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/cases/{case_id}/safety-plan",
    responses={201: {"model": SafetyPlanRead, "description": "The first plan, sent with `If-None-Match: *`."}},
)
async def write_safety_plan(
    case_id: UUID,
    told: SafetyPlanWrite,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.SAFETY_PLAN_EDIT)],
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> SafetyPlanRead:
    """Write the whole plan, made together with her. The first time with `If-None-Match: *`."""
    written = await safety_plans.write_safety_plan(session, actor, case_id, told, if_match, if_none_match)
    response.headers["ETag"] = etag(written.version)
    if written.version == 1:
        response.status_code = 201
        created(response, f"/cases/{case_id}/safety-plan")
    return written
