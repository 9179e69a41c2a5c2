"""The route of every operation: one request is one transaction, committed before the answer leaves.

Order: token (401), role (403), repeated request, then the body. What the caller addresses but cannot see is a 404
even when the body is wrong too.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any, get_args, get_origin

from fastapi import Depends, Header, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from app.audit import Asker, Deed, append, as_id, ids_of, refusals_of
from app.errors import FieldError, Invalid, NotFound, Problem, UnsupportedMediaType
from app.errors.titles import choose_language
from app.idempotency import KeyedPost
from app.logs import AlreadyTold, log
from app.models.audit import audit_kind
from app.permissions import Permission
from app.security import (
    Call,
    authenticate,
    current_session,
    declared_permission,
    read_claims,
    require_role,
    runtime_of,
)
from app.services.addressed import is_addressable
from app.services.sign_in import throttled_address
from app.strict_json import StrictRequest
from app.tokens import Claims

Session = Annotated[AsyncSession, Depends(current_session)]
IfMatch = Annotated[str | None, Header(max_length=200)]
IfNoneMatch = Annotated[str | None, Header(max_length=200)]
Handler = Callable[[Request], Awaitable[Response]]


def wanted_language(request: Request) -> str:
    """ "en" or "km", by Accept-Language."""
    return choose_language(request.headers.get("accept-language"))


InLanguage = Annotated[str, Depends(wanted_language)]

API = "/api/v1"
REPLAYED = "replayed"


class Later(Response):
    """An answer that is worked out when the transaction of the request is over and holds nothing any more."""

    def __init__(self, work: Callable[[Request], Awaitable[Response]]) -> None:
        super().__init__()
        self.work = work


class Route(APIRoute):
    """An operation that names its permission runs inside the caller's transaction; one that names none is public."""

    request_class: type[StrictRequest] = StrictRequest
    media_types: frozenset[str] = frozenset({"application/json"})
    unknown_query: type[Invalid] = Invalid

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()
        permission = declared_permission(self.dependant)
        known_query = _query_names(self.dependant)
        deed = deed_of(self, permission)

        async def answer(request: Request) -> Response:
            strict = self.request_class(request.scope, request.receive)
            if permission is None:
                _refuse_query(strict, known_query, self.unknown_query)
                return await handler(strict)
            runtime, asker = runtime_of(strict), asker_of(strict)
            async with refusals_of(runtime, strict.scope, deed, asker):
                asker.claims = claims = await read_claims(strict)
                strict.state.actor_id, strict.state.telling = str(claims.subject), (deed, asker)
                async with (
                    self.body_of(strict, claims, permission),
                    runtime.database.transaction() as session,
                ):
                    actor = await authenticate(runtime, session, claims)
                    require_role(actor, permission)
                    strict.state.call = Call(session, actor)
                    keyed = await KeyedPost.claim(strict, session, actor)
                    if keyed is None or keyed.earlier_status is None:
                        response = await _visible_first(strict, session, permission, self.checked(handler, known_query))
                        if keyed is not None:
                            keyed.remember(session, actor, response)
                        await append(session, deed, response.status_code, **_told(strict, response))
                        if not isinstance(response, Later):
                            return response
                        finish = response.work
                    else:
                        finish = keyed.replay  # whose reading has its own row
                        if keyed.earlier_location is None:
                            await append(session, deed, keyed.earlier_status, reason=REPLAYED)
            return await finish(strict)

        return answer

    @property
    def takes_nothing(self) -> bool:
        """Whether it is a step that its path alone tells: what a body said, nobody would read."""
        reads = self.methods is not None and self.methods <= {"GET", "HEAD"}
        return not reads and self.body_field is None and "requestBody" not in (self.openapi_extra or {})

    def checked(self, handler: Handler, known_query: Mapping[str, bool]) -> Handler:
        """The handler, behind the checks of parameters and of the body's type."""
        takes_json, takes_nothing = self.body_field is not None, self.takes_nothing
        may_be_empty = self.body_field is not None and not self.body_field.field_info.is_required()

        async def run(request: Request) -> Response:
            _refuse_query(request, known_query, self.unknown_query)
            if takes_nothing and (await request.body()).strip() not in {b"", b"{}"}:
                raise self.unknown_query([FieldError("", "unknown_field", "This operation takes no body.")])
            nothing_sent = may_be_empty and not await request.body()
            if takes_json and not nothing_sent and _media_type(request) not in self.media_types:
                raise UnsupportedMediaType
            return await handler(request)

        return run

    @asynccontextmanager
    async def body_of(self, request: Request, claims: Claims, permission: Permission) -> AsyncIterator[None]:
        """Read the body before a connection is taken: a slow sender must not hold one."""
        if self.body_field is not None or self.takes_nothing:
            await request.body()
        yield


def deed_of(route: APIRoute, permission: Permission | None) -> Deed:
    """What the trail calls an operation: its id in the API's description."""
    name = getattr(route.endpoint, "__name__", "")
    return Deed(name, audit_kind(permission)) if permission else Deed(name)


def asker_of(request: Request) -> Asker:
    """Who asks, before the token is read, and the ids in the path."""
    return Asker(throttled_address(request.client.host if request.client else None), asked=request.path_params)


def _told(request: Request, response: Response) -> dict[str, Any]:
    """The subject of a row: what was made, else what the path names below a case; and whether it was asked before."""
    made = as_id(response.headers.get("location", "").rpartition("/")[2])
    replayed = REPLAYED if request.scope["state"].get("replays") else None
    return {"subject": made or ids_of(request.path_params)[1], "reason": replayed}


async def _visible_first(request: Request, session: AsyncSession, permission: Permission, handler: Handler) -> Response:
    """Run the handler; when the request itself is wrong, first say whether what it addresses exists at all."""
    try:
        return await handler(request)
    except (RequestValidationError, Invalid, UnsupportedMediaType):
        for name, value in request.path_params.items():
            if not await is_addressable(session, name, str(value), permission):
                raise NotFound from None
        raise


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _query_names(dependant: Dependant) -> dict[str, bool]:
    """The parameters of an operation: may it be sent several times?"""
    names: dict[str, bool] = {}
    for part in [dependant, *dependant.dependencies]:
        for field in part.query_params:
            model = field.field_info.annotation
            if isinstance(model, type) and issubclass(model, BaseModel):
                names |= {info.alias or name: _is_list(info) for name, info in model.model_fields.items()}
            else:
                names[field.alias] = _is_list(field.field_info)
    return names


def _is_list(field: FieldInfo) -> bool:
    kinds = (field.annotation, *get_args(field.annotation))  # also where it may be left out
    return any(get_origin(kind) is list for kind in kinds)


def _refuse_query(request: Request, known: Mapping[str, bool], refusal: type[Invalid]) -> None:
    """422 for a parameter that there is not, and for one that is sent twice where one is meant, as in a body."""
    if not request.scope["query_string"]:
        return
    sent = Counter(name for name, _ in request.query_params.multi_items())
    wrong = [_unknown(name) for name in sorted(sent.keys() - known.keys())]
    wrong += [
        FieldError(f"/query/{name}", "duplicate_field", "This parameter was sent twice.")
        for name in sorted(name for name, times in sent.items() if times > 1 and known.get(name) is False)
    ]
    if wrong:
        raise refusal(wrong[:20])


def _unknown(name: str) -> FieldError:
    speakable = name.isidentifier() and name.isascii() and len(name) <= 64
    return FieldError(f"/query/{name}" if speakable else "/query", "unknown_field", "There is no such parameter.")


async def told_on(request: Request, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The parts of an answer that is on its way already; a refusal meanwhile is in the trail too, and cuts it off.

    Raises AlreadyTold for a refusal, which is what was wanted; whatever else goes wrong is a failure as anywhere.
    """
    deed, asker = request.state.telling
    try:
        async with refusals_of(runtime_of(request), request.scope, deed, asker):
            async for part in parts:
                yield part
    except Problem as problem:
        if problem.status >= 500:
            raise
        log.info("answer.cut", code=problem.code)
        raise AlreadyTold from None


def created(response: Response, path: str) -> None:
    """201's Location, below the API's base."""
    response.headers["Location"] = API + path


def answers_for(response: Response, path: str) -> None:
    """Where the resource of a 200 answer to a POST can be read again."""
    response.headers["Content-Location"] = API + path
