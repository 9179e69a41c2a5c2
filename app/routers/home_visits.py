"""`/home-visits`: families seen at home, by whom, about what, and what came of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Route, Session, created
from app.models.base import Page
from app.models.home_visit import HomeVisitCreate, HomeVisitRead, HomeVisitUpdate
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import home_visits

router = APIRouter(prefix=API, tags=["programme"], route_class=Route)


@router.get("/home-visits")
async def list_home_visits(
    query: Annotated[home_visits.HomeVisitQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.HOME_VISIT_READ)],
) -> Page[HomeVisitRead]:
    """Your organisation's visits that you may see, newest first; with `case_id` those of a case that you see."""
    return await home_visits.list_visits(session, actor, query)


@router.post("/home-visits", status_code=201)
async def add_home_visit(
    wanted: HomeVisitCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.HOME_VISIT_EDIT)],
) -> HomeVisitRead:
    """Write a visit down; linked to a case that you work on it stands on that case's timeline."""
    added = await home_visits.add_visit(session, actor, wanted)
    created(response, f"/home-visits/{added.id}")
    response.headers["ETag"] = etag(added.version)
    return added


@router.get("/home-visits/{home_visit_id}")
async def read_home_visit(
    home_visit_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.HOME_VISIT_READ)],
) -> HomeVisitRead:
    """One visit; `case_id` is null unless you see that case."""
    found = await home_visits.read_visit(session, home_visit_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/home-visits/{home_visit_id}")
async def edit_home_visit(
    home_visit_id: UUID,
    change: HomeVisitUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.HOME_VISIT_EDIT)],
    if_match: IfMatch = None,
) -> HomeVisitRead:
    """Change the fields that you send, of what you wrote down or supervise."""
    changed = await home_visits.edit_visit(session, actor, home_visit_id, change, if_match)
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.delete("/home-visits/{home_visit_id}", status_code=204)
async def delete_home_visit(
    home_visit_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.HOME_VISIT_EDIT)],
    if_match: IfMatch = None,
) -> None:
    """Take away what you wrote down or supervise."""
    await home_visits.delete_visit(session, actor, home_visit_id, if_match)
