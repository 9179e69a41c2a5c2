"""`/cases/{case_id}/death-review`: a supervisor looks at a case whose client has died."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from app.http import API, Route, Session, answers_for
from app.models.case import CaseRead, DeathReview
from app.permissions import Permission
from app.security import Actor, allowed
from app.services import cases, deaths

router = APIRouter(prefix=API, tags=["cases"], route_class=Route)


@router.post("/cases/{case_id}/death-review")
async def review_death(
    case_id: UUID,
    wanted: DeathReview,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.DEATH_REVIEW)],
) -> CaseRead:
    """Write down what the review found; due 72 hours after the death was recorded, and shown as waiting until then."""
    await deaths.review_death(session, actor, case_id, wanted)
    answers_for(response, f"/cases/{case_id}")
    return await cases.read_case(session, actor, case_id)  # type: ignore[return-value]  # no liaison reviews
