"""`/cases/{case_id}/whereabouts`: where a client is hidden, for lead and assigned."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, IfNoneMatch, Route, Session, created
from app.models.whereabouts import WhereaboutsKept, WhereaboutsQuery, WhereaboutsRead, WhereaboutsWrite
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import whereabouts

router = APIRouter(prefix=API, tags=["whereabouts"], route_class=Route)


@router.get("/cases/{case_id}/whereabouts")
async def read_whereabouts(
    case_id: UUID,
    query: Annotated[WhereaboutsQuery, Query()],
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.WHEREABOUTS_READ)],
) -> WhereaboutsRead:
    """Where she is; asks for step-up and for a reason each time, and the trail keeps the reason."""
    found = await whereabouts.read_whereabouts(session, actor, case_id, query.reason_code)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/cases/{case_id}/whereabouts",
    responses={201: {"model": WhereaboutsKept, "description": "The first record, sent with `If-None-Match: *`."}},
)
async def replace_whereabouts(
    case_id: UUID,
    told: WhereaboutsWrite,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.WHEREABOUTS_EDIT)],
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> WhereaboutsKept:
    """Write where she is now; the earlier record is destroyed. The first time with `If-None-Match: *`."""
    kept = await whereabouts.replace_whereabouts(session, actor, case_id, told, if_match, if_none_match)
    response.headers["ETag"] = etag(kept.version)
    if kept.version == 1:
        response.status_code = 201
        created(response, f"/cases/{case_id}/whereabouts")
    return kept


@router.delete("/cases/{case_id}/whereabouts", status_code=204)
async def remove_whereabouts(
    case_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.WHEREABOUTS_EDIT)],
    if_match: IfMatch = None,
) -> None:
    """Destroy the record."""
    await whereabouts.remove_whereabouts(session, actor, case_id, if_match)
