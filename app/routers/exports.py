"""`/exports`: anonymised releases of a quarter's cases, from the request to the files (exports.md)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.responses import StreamingResponse

from app.file_routes import DownloadRoute
from app.http import API, IfNoneMatch, Route, Session, answers_for, created, told_on
from app.models.base import Page
from app.models.export import ExportApprove, ExportCreate, ExportKeySet, ExportRead
from app.paging import ListQuery
from app.permissions import Permission
from app.security import Actor, allowed, runtime_of
from app.services import export_files, exports

router = APIRouter(prefix=API, tags=["exports"], route_class=Route)
well_known = APIRouter(tags=["exports"], route_class=Route)
opening = APIRouter(prefix=API, tags=["exports"], route_class=DownloadRoute)

MANIFEST = "manifest.json"
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
UNKNOWN = "application/octet-stream"  # Parquet, too

FileName = Annotated[str, Path(max_length=100)]
Asked = Annotated[str | None, Header(alias="Range", max_length=200)]
IfRange = Annotated[str | None, Header(max_length=200)]
Downloader = Annotated[Actor, allowed(Permission.EXPORT_DOWNLOAD)]


def _answers(example: str) -> dict[int | str, dict[str, Any]]:
    content = {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}, "example": example}}}
    return {
        200: content,
        206: {"description": "The part that was asked for.", **content},
        304: {"description": "You have it already."},
    }


@router.post("/exports", status_code=202, responses={200: {"model": ExportRead, "description": "It was there."}})
async def request_export(
    wanted: ExportCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.EXPORT_REQUEST)],
) -> ExportRead:
    """Ask for the release of a profile and a quarter: the first request has it frozen, every other gets the same."""
    found, is_new = await exports.request_export(session, actor, wanted)
    if is_new:
        created(response, f"/exports/{found.id}")
    else:
        response.status_code = 200
        answers_for(response, f"/exports/{found.id}")
    return found


@router.get("/exports")
async def list_exports(
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.EXPORT_READ)],
) -> Page[ExportRead]:
    """Releases, newest first: every one for auditors, those with rows of your organisation for supervisors."""
    return await exports.list_exports(session, query)


@router.get("/exports/{export_id}")
async def read_export(
    export_id: UUID, session: Session, actor: Annotated[Actor, allowed(Permission.EXPORT_READ)]
) -> ExportRead:
    """Where a release stands, how far the freezing is, and how well it withstands an attack."""
    return await exports.read_export(session, export_id)


@router.post("/exports/{export_id}/approve")
async def approve_export(
    export_id: UUID,
    said: ExportApprove,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.EXPORT_APPROVE)],
) -> ExportRead:
    """Say yes for your organisation to the release whose report you read; the last yes releases it."""
    return await exports.approve_export(session, actor, export_id, said)


@opening.get(
    "/exports/{export_id}/manifest",
    response_class=StreamingResponse,
    response_model=None,
    responses=_answers('{"files": [], "period": "2024Q3"}'),
)
async def read_export_manifest(
    export_id: UUID,
    request: Request,
    session: Session,
    actor: Downloader,
    range_: Asked = None,
    if_range: IfRange = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The signed manifest of a release, files and measures: for auditors, and for who approves it once it is frozen."""
    found = await export_files.open_file(session, export_id, MANIFEST, range_, if_range, if_none_match)
    return _answer(request, actor, found)


@opening.get(
    "/exports/{export_id}/files/{name}",
    response_class=StreamingResponse,
    response_model=None,
    responses=_answers("place,sex,age,category"),
)
async def read_export_file(
    export_id: UUID,
    name: FileName,
    request: Request,
    session: Session,
    actor: Downloader,
    range_: Asked = None,
    if_range: IfRange = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One file of a release; the same bytes for everybody, for ever, or none.

    Who approves it reads `risk-en.html` and `risk-km.html` before she does.
    """
    found = await export_files.open_file(session, export_id, name, range_, if_range, if_none_match)
    return _answer(request, actor, found)


@well_known.get("/.well-known/export-keys.json")
async def read_export_key_set(request: Request, response: Response) -> ExportKeySet:
    """The public keys with which anybody can check the signature of a release."""
    response.headers["Cache-Control"] = "public, max-age=300"
    return ExportKeySet.model_validate(runtime_of(request).export_key_set)


def _answer(request: Request, actor: Actor, found: export_files.StoredFile) -> Response:
    if found.unchanged:
        return Response(status_code=304, headers={"ETag": found.etag})
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f'attachment; filename="{found.name}"',
        "Content-Length": str(found.span.length),
        "ETag": found.etag,
    }
    if found.partial:
        headers["Content-Range"] = found.span.header
    parts = export_files.parts_of(runtime_of(request), actor, found)
    kind = MEDIA_TYPES.get(found.name.rpartition(".")[2], UNKNOWN)
    return StreamingResponse(told_on(request, parts), 206 if found.partial else 200, headers, media_type=kind)
