"""`/break-glass`: opening a case in an emergency, and the review of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, Route, Session, answers_for, created
from app.models.base import Page
from app.models.break_glass import BreakGlass, BreakGlassRead, BreakGlassReview
from app.permissions import Permission
from app.security import Actor, allowed
from app.services import break_glass

router = APIRouter(prefix=API, tags=["break-glass"], route_class=Route)


@router.post("/break-glass", status_code=201)
async def open_in_an_emergency(
    wanted: BreakGlass,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.BREAK_GLASS_OPEN)],
) -> BreakGlassRead:
    """See a case of your organisation for four hours, to read and to note; its lead and the supervisors are told."""
    grant = await break_glass.break_glass(session, actor, wanted)
    created(response, f"/break-glass/{grant.id}")
    return grant


@router.get("/break-glass")
async def list_emergency_access(
    query: Annotated[break_glass.BreakGlassQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.BREAK_GLASS_READ)],
) -> Page[BreakGlassRead]:
    """Your own grants, those on cases that you lead, and for a supervisor those of the organisation; newest first."""
    return await break_glass.list_grants(session, query)


@router.get("/break-glass/{grant_id}")
async def read_emergency_access(
    grant_id: UUID, session: Session, actor: Annotated[Actor, allowed(Permission.BREAK_GLASS_READ)]
) -> BreakGlassRead:
    """One grant."""
    return await break_glass.read_grant(session, grant_id)


@router.post("/break-glass/{grant_id}/review")
async def review_emergency_access(
    grant_id: UUID,
    said: BreakGlassReview,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.BREAK_GLASS_REVIEW)],
) -> BreakGlassRead:
    """Say what somebody else's emergency access was; one that was not justified ends at once."""
    answers_for(response, f"/break-glass/{grant_id}")
    return await break_glass.review(session, actor, grant_id, said)
