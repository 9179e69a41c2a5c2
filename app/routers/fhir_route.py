"""The route of the FHIR face: the same token, role, transaction and trail as everywhere, in FHIR's formats."""

from collections.abc import Callable, Coroutine
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from app.errors import FHIR, FHIR_JSON, FieldError, Invalid, NotAcceptable, SearchRefused, field_errors
from app.fhir.types import Element
from app.http import Route
from app.preconditions import etag
from app.routers.proving import unkeyed
from app.strict_json import StrictJsonError, StrictRequest

JSON_PATCH = "application/json-patch+json"
_FORMATS = frozenset({"json", "application/json", "text/json", FHIR_JSON, "application/fhir json"})  # + is a space
_ACCEPTED = frozenset({"*/*", "application/*", "application/json", FHIR_JSON})
_REPEATED = frozenset({"_lastUpdated"})


class FhirRequest(StrictRequest):
    """JSON as FHIR has it: nothing in it is null."""

    async def json(self) -> Any:
        """The body as Python values; StrictJsonError `json_null` for one with a null."""
        value = await super().json()
        level = [value]
        while level:
            if any(one is None for one in level):
                raise StrictJsonError("json_null")
            level = [inner for one in level for inner in _inside(one)]
        return value


class _Handling(APIRoute):
    """What is looked at when the caller is known and before the operation itself."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            _refuse_other_formats(request)
            _refuse_repeated(request)
            try:
                return await handler(request)
            except RequestValidationError as error:
                wrong = [one for one in error.errors() if one["loc"][:1] == ("query",)]
                if not wrong:
                    raise
                raise SearchRefused(field_errors(wrong)) from None
            except Invalid as error:
                if not (error.errors and all(one.pointer.startswith("/query") for one in error.errors)):
                    raise
                # A list knows its cursor by a name of its own.
                named = [
                    FieldError(one.pointer.replace("/cursor", "/_cursor"), one.code, one.message)
                    for one in error.errors
                ]
                raise SearchRefused(named) from None

        return handle


class FhirRoute(Route, _Handling):
    """An operation of the FHIR face. A transaction is not repeated by an Idempotency-Key but by its identifier."""

    request_class = FhirRequest
    media_types = frozenset({FHIR_JSON, "application/json"})
    unknown_query = SearchRefused
    keyed = False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def without_key(request: Request) -> Response:
            return await handler(Request(unkeyed(request.scope), request.receive))

        return without_key


class FhirPatchRoute(FhirRoute):
    """The same for a JSON Patch."""

    media_types = frozenset({JSON_PATCH})


class FhirResponse(JSONResponse):
    """An answer in FHIR's own type; its content is written already."""

    media_type = FHIR_JSON

    def render(self, content: bytes) -> bytes:
        """The content as it is."""
        return content


def answer(resource: Element, version: int | None = None, updated_at: datetime | None = None) -> Response:
    """A resource, with what a change of it needs: its weak entity tag and the time of its last change."""
    headers = {} if version is None else {"ETag": f"W/{etag(version)}"}
    if updated_at is not None:
        headers["Last-Modified"] = format_datetime(updated_at, usegmt=True)
    return FhirResponse(resource.model_dump_json(exclude_none=True).encode(), headers=headers)


def strong(if_match: str | None) -> str | None:
    """If-Match with FHIR's weak tags as ours are written: `W/"3"` is `"3"`."""
    return if_match and ",".join(tag.strip().removeprefix("W/") for tag in if_match.split(","))


def base_of(request: Request) -> str:
    """The address of the face, as the caller has it."""
    return str(request.base_url).rstrip("/") + FHIR


def _refuse_other_formats(request: Request) -> None:
    """406 for XML and whatever else is not JSON, by `_format` or else by Accept."""
    if (wanted := request.query_params.get("_format")) is not None:
        if wanted.partition(";")[0].strip() not in _FORMATS:
            raise NotAcceptable
    elif accepted := request.headers.get("accept"):
        kinds = {part.partition(";")[0].strip().lower() for part in accepted[:500].split(",")}
        if not kinds & _ACCEPTED:
            raise NotAcceptable


def _refuse_repeated(request: Request) -> None:
    """Said twice a parameter would have to hold twice; only a span of time can."""
    names = [name for name, _ in request.query_params.multi_items()]
    if twice := sorted({name for name in names if names.count(name) > 1} - _REPEATED):
        message = "This parameter is taken once."
        raise SearchRefused([FieldError(f"/query/{name}", "too_many", message) for name in twice])


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
