"""`/activities`: trainings, workshops, meetings, forums and campaigns of the programme."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Route, Session, created
from app.models.activity import ActivityCreate, ActivityRead, ActivitySummary, ActivityUpdate
from app.models.base import Page
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import activities

router = APIRouter(prefix=API, tags=["programme"], route_class=Route)


@router.get("/activities")
async def list_activities(
    query: Annotated[activities.ActivityQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ACTIVITY_READ)],
) -> Page[ActivitySummary]:
    """Your organisation's activities, newest first; `kind` may be given several times."""
    return await activities.list_activities(session, actor, query)


@router.post("/activities", status_code=201)
async def add_activity(
    wanted: ActivityCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ACTIVITY_EDIT)],
) -> ActivityRead:
    """Write an activity down, with how many came; name people of the register so that heads can be counted."""
    activity = await activities.add_activity(session, actor, wanted)
    created(response, f"/activities/{activity.id}")
    response.headers["ETag"] = etag(activity.version)
    return activity


@router.get("/activities/{activity_id}")
async def read_activity(
    activity_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ACTIVITY_READ)],
) -> ActivityRead:
    """One activity; `participants` is null unless you wrote it down or supervise."""
    activity = await activities.read_activity(session, actor, activity_id)
    response.headers["ETag"] = etag(activity.version)
    return activity


@router.patch("/activities/{activity_id}")
async def edit_activity(
    activity_id: UUID,
    change: ActivityUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ACTIVITY_EDIT)],
    if_match: IfMatch = None,
) -> ActivityRead:
    """Change the fields that you send, of what you wrote down or supervise."""
    activity = await activities.edit_activity(session, actor, activity_id, change, if_match)
    response.headers["ETag"] = etag(activity.version)
    return activity


@router.delete("/activities/{activity_id}", status_code=204)
async def delete_activity(
    activity_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ACTIVITY_EDIT)],
    if_match: IfMatch = None,
) -> None:
    """Take it away; not while a commitment or a business refers to it."""
    await activities.delete_activity(session, actor, activity_id, if_match)
