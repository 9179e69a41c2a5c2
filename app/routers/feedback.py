"""`/feedback`: what is said of public services, anonymously."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Route, Session, created
from app.models.base import Page
from app.models.feedback import FeedbackCreate, FeedbackRead, FeedbackUpdate
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import feedback

router = APIRouter(prefix=API, tags=["programme"], route_class=Route)


@router.get("/feedback")
async def list_feedback(
    query: Annotated[feedback.FeedbackQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.FEEDBACK_READ)],
) -> Page[FeedbackRead]:
    """Your organisation's feedback, newest first; never of the commune office or the police for a liaison."""
    return await feedback.list_feedback(session, actor, query)


@router.post("/feedback", status_code=201)
async def add_feedback(
    wanted: FeedbackCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.FEEDBACK_EDIT)],
) -> FeedbackRead:
    """Write feedback down; as a liaison, of a commune of yours, and not on the commune office or the police."""
    added = await feedback.add_feedback(session, actor, wanted)
    created(response, f"/feedback/{added.id}")
    response.headers["ETag"] = etag(added.version)
    return added


@router.get("/feedback/{feedback_id}")
async def read_feedback(
    feedback_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.FEEDBACK_READ)],
) -> FeedbackRead:
    """One; `text` and `response` are null unless you wrote it down or supervise."""
    found = await feedback.read_feedback(session, actor, feedback_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/feedback/{feedback_id}")
async def edit_feedback(
    feedback_id: UUID,
    change: FeedbackUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.FEEDBACK_EDIT)],
    if_match: IfMatch = None,
) -> FeedbackRead:
    """Change the fields that you send, of what you wrote down or supervise."""
    changed = await feedback.edit_feedback(session, actor, feedback_id, change, if_match)
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.delete("/feedback/{feedback_id}", status_code=204)
async def delete_feedback(
    feedback_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.FEEDBACK_EDIT)],
    if_match: IfMatch = None,
) -> None:
    """Take away what you wrote down or supervise."""
    await feedback.delete_feedback(session, actor, feedback_id, if_match)
