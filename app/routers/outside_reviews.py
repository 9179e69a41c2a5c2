"""`/cases/{case_id}/outside-reviews` for a lead without supervisors who could act, `/outside-reviews` for the admin."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, Route, Session, created
from app.models.base import Page
from app.models.outside_review import OutsideReviewCreate, OutsideReviewRead, WaitingReview
from app.paging import ListQuery
from app.permissions import Permission
from app.security import Actor, allowed
from app.services import outside_reviews

router = APIRouter(prefix=API, tags=["assignments"], route_class=Route)


@router.post("/cases/{case_id}/outside-reviews", status_code=201)
async def ask_outside(
    case_id: UUID,
    wanted: OutsideReviewCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.OUTSIDE_REVIEW_ASK)],
) -> OutsideReviewRead:
    """Ask for a supervisor of another signatory organisation, while none of yours could act on the case."""
    asked = await outside_reviews.ask(session, actor, case_id, wanted)
    created(response, f"/cases/{case_id}/outside-reviews/{asked.id}")
    return asked


@router.get("/cases/{case_id}/outside-reviews/{outside_review_id}")
async def read_outside_review(
    case_id: UUID,
    outside_review_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.OUTSIDE_REVIEW_READ)],
) -> OutsideReviewRead:
    """What was asked, and what came of it."""
    return await outside_reviews.read(session, case_id, outside_review_id)


@router.delete("/cases/{case_id}/outside-reviews/{outside_review_id}", status_code=204)
async def withdraw_outside_review(
    case_id: UUID,
    outside_review_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.OUTSIDE_REVIEW_ASK)],
) -> None:
    """Take it back while nobody has completed it."""
    await outside_reviews.take_back(session, actor, case_id, outside_review_id)


@router.get("/outside-reviews")
async def list_waiting_reviews(
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.OUTSIDE_REVIEW_COMPLETE)],
) -> Page[WaitingReview]:
    """Which organisation asks for whom, newest first; of the case nothing."""
    return await outside_reviews.list_waiting(session, query)


@router.post("/outside-reviews/{waiting_id}/complete", status_code=204)
async def complete_outside_review(
    waiting_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.OUTSIDE_REVIEW_COMPLETE)],
) -> None:
    """Say yes: the named supervisor reviews the case for seven days."""
    await outside_reviews.complete(session, actor, waiting_id)
