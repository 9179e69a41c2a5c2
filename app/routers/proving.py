"""Operations that take a password: it is checked before the request's transaction begins."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from fastapi import Depends, Response
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from app.audit import refusals_of
from app.http import Route, asker_of, deed_of
from app.security import Runtime, authenticate, declared_permission, read_claims, require_role, runtime_of
from app.services.sign_in import turn
from app.strict_json import StrictJsonError, loads

Look = Callable[[Runtime, str | None, str, Any], Awaitable[Any]]


def looked_at(look: Look, model: type[BaseModel]) -> Any:
    """Names in a signature what is checked beforehand: `proof: Annotated[Proof, looked_at(look_at_factors, StepUp)]`.

    `look` gets the runtime, the caller's address and user name, and the body; what it gives is the argument.
    """
    return Depends(_LookedAt(look, model))


class _LookedAt:
    def __init__(self, look: Look, model: type[BaseModel]) -> None:
        self.look, self.model = look, model

    async def __call__(self, request: Request) -> Any:
        return getattr(request.state, "looked_at", None)  # FastAPI asks before it refuses a wrong body


class ProvingRoute(Route):
    """A Route that hashes while no connection is held; a request that is wrong anyway is answered without.

    It remembers no Idempotency-Key: each proof is one of its own, and no hash of a password is kept anywhere but in
    its own row.
    """

    @property
    def keyed(self) -> bool:
        """Does a POST here take an Idempotency-Key?"""
        return _what(self.dependant) is None

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        permission, what = declared_permission(self.dependant), _what(self.dependant)
        if permission is None or what is None:
            return answer

        async def prove(request: Request) -> Response:
            runtime, asker, deed = runtime_of(request), asker_of(request), deed_of(self, permission)
            async with refusals_of(runtime, request.scope, deed, asker):
                asker.claims = await read_claims(request)
                body = await request.body()
                async with runtime.database.transaction() as session:
                    actor = await authenticate(runtime, session, asker.claims)
                    require_role(actor, permission)
            host = request.client.host if request.client else None
            async with turn(host):
                given = _given(request, body, what.model)
                if given is not None:
                    async with refusals_of(runtime, request.scope, deed, asker):
                        request.state.looked_at = await what.look(runtime, host, actor.username, given)
                return await answer(Request(unkeyed(request.scope), _again(body)))

        return prove


def _given(request: Request, body: bytes, model: type[BaseModel]) -> BaseModel | None:
    """The body as the operation takes it; None for one that it is going to refuse."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" or request.scope["query_string"]:
        return None
    try:
        return model.model_validate(loads(body))
    except (StrictJsonError, ValidationError):
        return None


def unkeyed(scope: Scope) -> Scope:
    """The request without its Idempotency-Key."""
    return {**scope, "headers": [(name, value) for name, value in scope["headers"] if name != b"idempotency-key"]}


def _again(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _what(dependant: Dependant) -> _LookedAt | None:
    return next((part.call for part in dependant.dependencies if isinstance(part.call, _LookedAt)), None)
