"""`/cases/{case_id}/follow-ups`: who sees or calls the client next, and what came of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Route, Session, created
from app.models.base import Page
from app.models.follow_up import FollowUpCreate, FollowUpRead, FollowUpRecord, FollowUpRecorded, FollowUpUpdate
from app.paging import ListQuery
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import follow_ups

router = APIRouter(prefix=API, tags=["follow-ups"], route_class=Route)


@router.post("/cases/{case_id}/follow-ups", status_code=201)
async def plan_follow_up(
    case_id: UUID,
    wanted: FollowUpCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.FOLLOW_UP_PLAN)],
) -> FollowUpRead:
    """Plan a contact, within what the client said is safe."""
    planned = await follow_ups.plan_follow_up(session, actor, case_id, wanted)
    created(response, f"/cases/{case_id}/follow-ups/{planned.id}")
    response.headers["ETag"] = etag(planned.version)
    return planned


@router.get("/cases/{case_id}/follow-ups")
async def list_follow_ups(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.FOLLOW_UP_READ)],
) -> Page[FollowUpRead]:
    """The follow-ups that you may read, newest planned first; a liaison's are those given to her or him."""
    return await follow_ups.list_follow_ups(session, actor, case_id, query)


@router.get("/cases/{case_id}/follow-ups/{follow_up_id}")
async def read_follow_up(
    case_id: UUID,
    follow_up_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.FOLLOW_UP_READ)],
) -> FollowUpRead:
    """One follow-up."""
    found = await follow_ups.read_follow_up(session, actor, case_id, follow_up_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/cases/{case_id}/follow-ups/{follow_up_id}")
async def change_follow_up(
    case_id: UUID,
    follow_up_id: UUID,
    change: FollowUpUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.FOLLOW_UP_PLAN)],
    if_match: IfMatch = None,
) -> FollowUpRead:
    """Plan it for another time, channel or person."""
    changed = await follow_ups.change_follow_up(session, actor, case_id, follow_up_id, change, if_match)
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.delete("/cases/{case_id}/follow-ups/{follow_up_id}", status_code=204)
async def cancel_follow_up(
    case_id: UUID,
    follow_up_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.FOLLOW_UP_PLAN)],
    if_match: IfMatch = None,
) -> None:
    """Take back what was planned; the last date of a case stays until it is about to close."""
    await follow_ups.cancel_follow_up(session, actor, case_id, follow_up_id, if_match)


@router.post("/cases/{case_id}/follow-ups/{follow_up_id}/record")
async def record_follow_up(
    case_id: UUID,
    follow_up_id: UUID,
    told: FollowUpRecord,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.FOLLOW_UP_RECORD)],
    if_match: IfMatch = None,
) -> FollowUpRecorded:
    """Write down what came of it. Without `next_due_at` the risk says when the next one is, where contact is safe."""
    recorded = await follow_ups.record_follow_up(session, actor, case_id, follow_up_id, told, if_match)
    response.headers["ETag"] = etag(recorded.version)
    return recorded
