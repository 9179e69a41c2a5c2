"""`/cases/{case_id}/attachments`: papers and photographs, for who works on the case."""

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.responses import StreamingResponse

from app.file_routes import FORM, DownloadRoute, Uploaded, UploadRoute
from app.http import API, IfMatch, Route, Session, created, told_on
from app.models.attachment import AttachmentRead
from app.models.base import Page
from app.paging import ListQuery
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed, runtime_of
from app.services import attachment_content, attachments

router = APIRouter(prefix=API, tags=["attachments"], route_class=Route)
adding = APIRouter(prefix=API, tags=["attachments"], route_class=UploadRoute)
opening = APIRouter(prefix=API, tags=["attachments"], route_class=DownloadRoute)

_BYTES: dict[str, Any] = {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.7"}}}


@adding.post("/cases/{case_id}/attachments", status_code=201, openapi_extra=FORM)
async def add_attachment(
    case_id: UUID,
    upload: Uploaded,
    request: Request,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ATTACHMENT_EDIT)],
) -> AttachmentRead:
    """Send one file, at most 20 MB: JPEG, PNG, WebP, PDF or plain text. Photographs are kept without place and time."""
    most = runtime_of(request).settings.attachments_per_case
    made = await attachments.add_attachment(session, actor, case_id, upload, most)
    created(response, f"/cases/{case_id}/attachments/{made.id}")
    response.headers["ETag"] = etag(made.version)
    return made


@router.get("/cases/{case_id}/attachments")
async def list_attachments(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ATTACHMENT_READ)],
) -> Page[AttachmentRead]:
    """What is attached to the case, newest first."""
    return await attachments.list_attachments(session, case_id, query)


@router.get("/cases/{case_id}/attachments/{attachment_id}")
async def read_attachment(
    case_id: UUID,
    attachment_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ATTACHMENT_READ)],
) -> AttachmentRead:
    """One attachment, without its content."""
    found = await attachments.read_attachment(session, case_id, attachment_id)
    response.headers["ETag"] = etag(found.version)
    return found


@opening.get(
    "/cases/{case_id}/attachments/{attachment_id}/content",
    response_class=StreamingResponse,
    response_model=None,
    responses={200: _BYTES, 206: {"description": "The part that was asked for.", **_BYTES}},
)
async def read_attachment_content(
    case_id: UUID,
    attachment_id: UUID,
    request: Request,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ATTACHMENT_READ)],
    range_: Annotated[str | None, Header(alias="Range", max_length=200)] = None,
    if_range: Annotated[str | None, Header(max_length=200)] = None,
) -> StreamingResponse:
    """The file itself. `Range` goes on where a download was cut off, with `If-Range` only if it is still the same."""
    found = await attachment_content.open_content(session, case_id, attachment_id, range_, if_range)
    parts = attachment_content.parts_of(runtime_of(request), actor, found)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
        "Content-Length": str(found.span.length),
        "ETag": found.etag,
    }
    if found.partial:
        headers["Content-Range"] = found.span.header
    status = 206 if found.partial else 200
    return StreamingResponse(told_on(request, parts), status, headers, media_type=found.media_type.value)


@router.delete("/cases/{case_id}/attachments/{attachment_id}", status_code=204)
async def remove_attachment(
    case_id: UUID,
    attachment_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ATTACHMENT_EDIT)],
    if_match: IfMatch = None,
) -> None:
    """Destroy it, for good."""
    await attachments.remove_attachment(session, actor, case_id, attachment_id, if_match)
