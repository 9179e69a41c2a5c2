"""`/services`: the directory of services, for who sends and who takes clients."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Route, Session, created
from app.models.base import Page
from app.models.service import ServiceCreate, ServiceRead, ServiceUpdate
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import services

router = APIRouter(prefix=API, tags=["services"], route_class=Route)


@router.get("/services")
async def list_services(
    query: Annotated[services.ServiceQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.DIRECTORY_READ)],
) -> Page[ServiceRead]:
    """Services of every organisation and status, newest first. A shelter has no location: no `area_code` finds it."""
    return await services.list_services(session, query)


@router.post("/services", status_code=201)
async def add_service(
    wanted: ServiceCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.SERVICE_EDIT)],
) -> ServiceRead:
    """Add a service of your own organisation; an admin names any."""
    service = await services.add_service(session, actor, wanted)
    created(response, f"/services/{service.id}")
    response.headers["ETag"] = etag(service.version)
    return service


@router.get("/services/{service_id}")
async def read_service(
    service_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.DIRECTORY_READ)],
) -> ServiceRead:
    """One service."""
    service = await services.read_service(session, service_id)
    response.headers["ETag"] = etag(service.version)
    return service


@router.patch("/services/{service_id}")
async def edit_service(
    service_id: UUID,
    change: ServiceUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.SERVICE_EDIT)],
    if_match: IfMatch = None,
) -> ServiceRead:
    """Change the fields that you send; a service that is over becomes `defunct`, it is never taken away."""
    service = await services.edit_service(session, actor, service_id, change, if_match)
    response.headers["ETag"] = etag(service.version)
    return service
