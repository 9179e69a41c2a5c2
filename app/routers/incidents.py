"""`/cases/{case_id}/incidents`: what happened, as data."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Route, Session, created
from app.models.base import Page
from app.models.incident import IncidentCreate, IncidentRead, IncidentUpdate
from app.paging import ListQuery
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import incidents

router = APIRouter(prefix=API, tags=["incidents"], route_class=Route)


@router.post("/cases/{case_id}/incidents", status_code=201)
async def report_incident(
    case_id: UUID,
    told: IncidentCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.INCIDENT_EDIT)],
) -> IncidentRead:
    """Record an incident; it makes the case sensitive."""
    incident = await incidents.report_incident(session, actor, case_id, told)
    created(response, f"/cases/{case_id}/incidents/{incident.id}")
    response.headers["ETag"] = etag(incident.version)
    return incident


@router.get("/cases/{case_id}/incidents")
async def list_incidents(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.INCIDENT_READ)],
) -> Page[IncidentRead]:
    """The incidents of the case, newest recorded first."""
    return await incidents.list_incidents(session, actor, case_id, query)


@router.get("/cases/{case_id}/incidents/{incident_id}")
async def read_incident(
    case_id: UUID,
    incident_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.INCIDENT_READ)],
) -> IncidentRead:
    """One incident."""
    incident = await incidents.read_incident(session, actor, case_id, incident_id)
    response.headers["ETag"] = etag(incident.version)
    return incident


@router.patch("/cases/{case_id}/incidents/{incident_id}")
async def edit_incident(
    case_id: UUID,
    incident_id: UUID,
    change: IncidentUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.INCIDENT_EDIT)],
    if_match: IfMatch = None,
) -> IncidentRead:
    """Change the fields that you send."""
    incident = await incidents.edit_incident(session, actor, case_id, incident_id, change, if_match)
    response.headers["ETag"] = etag(incident.version)
    return incident
