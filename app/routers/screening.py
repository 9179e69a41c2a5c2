"""`/screening` and `/cases/{case_id}/screening`: users who may be a perpetrator, or a relative of one."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, Route, Session, answers_for
from app.models.base import Page
from app.models.screening import MatchAnswer, MatchRead
from app.permissions import Permission
from app.security import Actor, allowed
from app.services import screening
from app.services.screening import MatchQuery

router = APIRouter(prefix=API, tags=["screening"], route_class=Route)


@router.get("/screening")
async def list_all_matches(
    query: Annotated[MatchQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.SCREENING_READ)],
) -> Page[MatchRead]:
    """Matches on cases that you lead, and for a supervisor on those that she sees; `status=open` wait for an answer."""
    return await screening.list_matches(session, query)


@router.get("/cases/{case_id}/screening")
async def list_matches(
    case_id: UUID,
    query: Annotated[MatchQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.SCREENING_READ)],
) -> Page[MatchRead]:
    """Colleagues whose name, phone or relative met a perpetrator of the case; they are kept away until you answer."""
    return await screening.list_matches_of(session, case_id, query)


@router.get("/cases/{case_id}/screening/{match_id}")
async def read_match(
    case_id: UUID,
    match_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.SCREENING_READ)],
) -> MatchRead:
    """One match."""
    return await screening.read_match(session, case_id, match_id)


@router.post("/cases/{case_id}/screening/{match_id}/answer")
async def answer_match(
    case_id: UUID,
    match_id: UUID,
    said: MatchAnswer,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.SCREENING_ANSWER)],
) -> MatchRead:
    """Say that it is the same person or a relative, who stays excluded, or somebody else, who is free again."""
    answers_for(response, f"/cases/{case_id}/screening/{match_id}")
    return await screening.answer(session, actor, case_id, match_id, said)
