"""`/businesses`: businesses that women of the register started."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Route, Session, created
from app.models.base import Page
from app.models.business import BusinessCreate, BusinessRead, BusinessUpdate
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import businesses

router = APIRouter(prefix=API, tags=["programme"], route_class=Route)


@router.get("/businesses")
async def list_businesses(
    query: Annotated[businesses.BusinessQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.BUSINESS_READ)],
) -> Page[BusinessRead]:
    """Your organisation's businesses, newest first."""
    return await businesses.list_businesses(session, actor, query)


@router.post("/businesses", status_code=201)
async def add_business(
    wanted: BusinessCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.BUSINESS_EDIT)],
) -> BusinessRead:
    """Write a business down; its owner is somebody of the register."""
    added = await businesses.add_business(session, actor, wanted)
    created(response, f"/businesses/{added.id}")
    response.headers["ETag"] = etag(added.version)
    return added


@router.get("/businesses/{business_id}")
async def read_business(
    business_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.BUSINESS_READ)],
) -> BusinessRead:
    """One business."""
    found = await businesses.read_business(session, business_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/businesses/{business_id}")
async def edit_business(
    business_id: UUID,
    change: BusinessUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.BUSINESS_EDIT)],
    if_match: IfMatch = None,
) -> BusinessRead:
    """Change the fields that you send, of what you wrote down or supervise."""
    changed = await businesses.edit_business(session, actor, business_id, change, if_match)
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.delete("/businesses/{business_id}", status_code=204)
async def delete_business(
    business_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.BUSINESS_EDIT)],
    if_match: IfMatch = None,
) -> None:
    """Take away what you wrote down or supervise."""
    await businesses.delete_business(session, actor, business_id, if_match)
