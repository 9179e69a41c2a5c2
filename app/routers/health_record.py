"""`/cases/{case_id}/health`: what is known of a client's pregnancy, for who works on the case."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from app.http import API, IfMatch, IfNoneMatch, Route, Session, created
from app.models.health import HealthRead, HealthWrite
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import health

router = APIRouter(prefix=API, tags=["health-record"], route_class=Route)


@router.get("/cases/{case_id}/health")
async def read_health_record(
    case_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.HEALTH_READ)],
) -> HealthRead:
    """The health record, with the weeks that are left until twelve are full."""
    found = await health.read_health(session, actor, case_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/cases/{case_id}/health",
    responses={201: {"model": HealthRead, "description": "The first record, sent with `If-None-Match: *`."}},
)
async def replace_health_record(
    case_id: UUID,
    told: HealthWrite,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.HEALTH_EDIT)],
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> HealthRead:
    """Write the record whole; it makes the case sensitive. The first time with `If-None-Match: *`."""
    kept = await health.replace_health(session, actor, case_id, told, if_match, if_none_match)
    response.headers["ETag"] = etag(kept.version)
    if kept.version == 1:
        response.status_code = 201
        created(response, f"/cases/{case_id}/health")
    return kept
