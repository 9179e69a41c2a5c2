"""`/imports`: registers as files; checked row by row, then written all or nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from app.errors import Invalid, Unavailable, field_errors
from app.http import API, InLanguage, Route, Session, answers_for, created
from app.models.base import Page
from app.models.codes.files import ImportKind
from app.models.imports import ImportForm, ImportRead, ImportRowRead
from app.paging import ListQuery
from app.permissions import Permission
from app.registers import Register, read_register
from app.security import Actor, allowed, authenticate, require_role, runtime_of
from app.services import imports
from app.strict_json import StrictJsonError, loads
from app.tokens import Claims
from app.uploads.in_memory import UploadInMemory, received_in_memory

MOST_AT_ONCE = 3  # files of one process that are in memory together

FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file", "kind"],
    "properties": {
        "file": {"type": "string", "format": "binary", "description": "CSV (UTF-8) or XLSX, at most 20 MB."},
        "kind": {"type": "string", "enum": [kind.value for kind in ImportKind]},
        "lead_id": {
            "type": "string",
            "format": "uuid",
            "description": "Who leads the cases; needed for sensitive ones.",
        },
        "over_limit_reason": {
            "type": "string",
            "maxLength": 200,
            "description": "Why the lead is given more cases than allowed.",
        },
        "mapping": {"type": "string", "description": "JSON: every header with its field, or null to leave it out."},
    },
    "additionalProperties": False,
}
EXAMPLE = {"file": "(the file)", "kind": "people", "mapping": '{"Name": "known_as", "Remarks": null}'}
BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM, "example": EXAMPLE}}}
}


@dataclass(frozen=True, slots=True)
class Received:
    """A register that was read. `content` is the file's hash; `digest` that of all parts, for Idempotency-Key."""

    form: ImportForm
    register: Register
    content: bytes
    digest: bytes


class ImportRoute(Route):
    """A Route that reads a register before a connection is taken, from those alone who may send one."""

    _in_memory = 0

    @asynccontextmanager
    async def body_of(self, request: Request, claims: Claims, permission: Permission) -> AsyncIterator[None]:
        """Token and role, then the file: nobody else has 20 MB read."""
        await self._read(request, claims, permission)
        yield

    async def _read(self, request: Request, claims: Claims, permission: Permission) -> None:
        runtime = runtime_of(request)
        async with runtime.database.transaction() as session:
            require_role(await authenticate(runtime, session, claims), permission)
        if self._in_memory >= MOST_AT_ONCE:
            raise Unavailable(retry_after=5)
        self._in_memory += 1
        try:
            upload = await received_in_memory(request, ImportForm.model_fields)
            form = _form(upload)
            how = form.kind, form.mapping, form.over_limit_reason
            register = await run_in_threadpool(read_register, upload.file, *how)
            request.state.upload = Received(form, register, upload.content, upload.digest)
        finally:
            self._in_memory -= 1


sending = APIRouter(prefix=API, tags=["imports"], route_class=ImportRoute)
router = APIRouter(prefix=API, tags=["imports"], route_class=Route)


@sending.post("/imports", status_code=201, openapi_extra=BODY)
async def send_import(
    request: Request,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.IMPORT_EDIT)],
) -> ImportRead:
    """Send a register. What is wrong with the file is told at once; its rows are checked after this answer."""
    sent: Received = request.state.upload
    runtime = runtime_of(request)
    digest = runtime.keys.digest("import-file", actor.own_organisation.bytes + sent.content)
    made = await imports.take_import(session, actor, sent.form, sent.register, digest)
    imports.wake(session, runtime)
    created(response, f"/imports/{made.id}")
    return made


@router.get("/imports")
async def list_imports(
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.IMPORT_READ)],
) -> Page[ImportRead]:
    """Your imports, newest first."""
    return await imports.list_imports(session, query)


@router.get("/imports/{import_id}")
async def read_import(
    import_id: UUID, session: Session, actor: Annotated[Actor, allowed(Permission.IMPORT_READ)]
) -> ImportRead:
    """One import of yours: where it stands and how many rows are done."""
    return await imports.read_import(session, import_id)


@router.get("/imports/{import_id}/rows")
async def list_import_rows(
    import_id: UUID,
    query: Annotated[imports.ImportRowsQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.IMPORT_READ)],
    language: InLanguage,
) -> Page[ImportRowRead]:
    """The report row by row, as far as the check is; gone when the import is over."""
    return await imports.list_rows(session, import_id, query, language)


@router.post("/imports/{import_id}/commit", status_code=202)
async def commit_import(
    import_id: UUID,
    request: Request,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.IMPORT_EDIT)],
) -> ImportRead:
    """Write every row, or none. The answer comes before the work: read the import until it is committed."""
    wished = await imports.wish_commit(session, actor, import_id)
    imports.wake(session, runtime_of(request))
    answers_for(response, f"/imports/{import_id}")
    return wished


@router.delete("/imports/{import_id}", status_code=204)
async def delete_import(
    import_id: UUID, session: Session, actor: Annotated[Actor, allowed(Permission.IMPORT_EDIT)]
) -> None:
    """Take the import away with its file and report; what it has written stays."""
    await imports.take_away(session, import_id)


def _form(upload: UploadInMemory) -> ImportForm:
    """The texts beside the file. Raises Invalid."""
    values: dict[str, Any] = dict(upload.fields)
    if "mapping" in values:
        try:
            values["mapping"] = loads(values["mapping"].encode())
        except StrictJsonError as error:
            raise Invalid.at("/mapping", error.code, "The mapping is not a JSON object.") from None
    try:
        return ImportForm.model_validate(values)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False)]
        raise Invalid(field_errors(found)) from None
