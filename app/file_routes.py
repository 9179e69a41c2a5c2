"""The routes of operations that take a file instead of a JSON body, or give one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from starlette.requests import Request

from app.errors import NotFound
from app.http import Route
from app.permissions import Permission
from app.security import authenticate, require_role, runtime_of
from app.services.addressed import is_addressable
from app.services.visible import access_for
from app.tokens import Claims
from app.uploads.receiving import Upload, received

# What the description says of the body; a parameter of FastAPI's would read it before anybody is asked.
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                },
                "example": {"file": "letter.pdf"},
            }
        },
    }
}


class UploadRoute(Route):
    """As every route, except for the body: who may not send it is told so first, then it is read in parts.

    No connection to the database is held while it comes, and it is on no disk in clear.
    """

    @asynccontextmanager
    async def body_of(self, request: Request, claims: Claims, permission: Permission) -> AsyncIterator[None]:
        """The file, at `request.state.upload` while the transaction of the request runs."""
        await _refuse_who_may_not(request, claims, permission)
        bounds = runtime_of(request).files
        async with bounds.coming(), received(request) as upload:
            request.state.upload = upload
            async with bounds.moving():
                yield


class DownloadRoute(Route):
    """As every route, and few at a time: what it reads before it answers may be large."""

    @asynccontextmanager
    async def body_of(self, request: Request, claims: Claims, permission: Permission) -> AsyncIterator[None]:
        """No body; a place for the transaction."""
        async with runtime_of(request).files.moving():
            yield


async def _uploaded(request: Request) -> Upload:
    upload: Upload = request.state.upload
    return upload


Uploaded = Annotated[Upload, Depends(_uploaded)]


async def _refuse_who_may_not(request: Request, claims: Claims, permission: Permission) -> None:
    """401, 403 and 404 before anything is sent; all of it is asked again when the file is stored."""
    runtime = runtime_of(request)
    async with runtime.database.transaction() as session:
        require_role(await authenticate(runtime, session, claims), permission)
        for name, value in request.path_params.items():
            if not await is_addressable(session, name, str(value), permission):
                raise NotFound
            if name == "case_id":
                await access_for(session, UUID(str(value)), permission)
