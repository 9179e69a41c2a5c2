"""`/areas`, `/codes` and `/staff`: what forms are filled from."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from pydantic import TypeAdapter

from app.http import API, Route, Session
from app.labels import CodeRead, code_lists
from app.models.area import AreaCode, AreaRead
from app.models.base import Page
from app.models.user import StaffRead
from app.permissions import Permission
from app.security import Actor, allowed
from app.services import areas, colleagues

router = APIRouter(prefix=API, tags=["areas"], route_class=Route)

CACHEABLE = {"Cache-Control": "private, max-age=3600"}
# The lists are the same for everybody until the next version: written out once.
_CODES = TypeAdapter(dict[str, list[CodeRead]]).dump_json(code_lists())
_CODES_ETAG = f'"{hashlib.sha256(_CODES).hexdigest()[:32]}"'


@router.get("/areas")
async def list_areas(
    query: Annotated[areas.AreaQuery, Query()],
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.AREAS_READ)],
) -> Page[AreaRead]:
    """Provinces, districts, communes and villages, in the order of their codes."""
    response.headers.update(CACHEABLE)
    return await areas.list_areas(session, query)


@router.get("/areas/{code}")
async def read_area(
    code: AreaCode,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.AREAS_READ)],
) -> AreaRead:
    """One area."""
    response.headers.update(CACHEABLE)
    return await areas.read_area(session, code)


@router.get("/codes", response_model=dict[str, list[CodeRead]], responses={304: {"description": "As you have them."}})
async def list_codes(
    actor: Annotated[Actor, allowed(Permission.CODES_READ)],
    if_none_match: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Every code list by name, each code with its English and Khmer label."""
    headers = {**CACHEABLE, "ETag": _CODES_ETAG}
    if if_none_match is not None and _CODES_ETAG in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(_CODES, headers=headers, media_type="application/json")


@router.get("/staff")
async def list_staff(
    query: Annotated[colleagues.StaffQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.STAFF_READ)],
) -> Page[StaffRead]:
    """Whom you may assign or exclude: caseworkers, supervisors, liaisons and people of partners."""
    return await colleagues.list_staff(session, query)
