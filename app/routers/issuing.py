"""Secrets that an operation hands out once: made and hashed before the request's transaction begins."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Response
from fastapi.dependencies.models import Dependant
from starlette.requests import Request

from app.audit import refusals_of
from app.http import Route, asker_of, deed_of
from app.passwords import hash_password
from app.security import authenticate, declared_permission, read_claims, require_role, runtime_of


@dataclass(frozen=True, slots=True)
class Issued:
    """A new secret, and the argon2id hash to store."""

    secret: str
    hashed: str


def issuing(make: Callable[[], str]) -> Any:
    """Names in a signature what the operation issues: `issued: Annotated[Issued, issuing(new_password)]`."""
    return Depends(_Issuing(make))


class _Issuing:
    def __init__(self, make: Callable[[], str]) -> None:
        self.make = make

    async def __call__(self, request: Request) -> Issued:
        issued: Issued = request.state.issued
        return issued


class IssuingRoute(Route):
    """A Route that hashes while no connection is held, and only for who may have the secret (401, 403)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        permission = declared_permission(self.dependant)
        make = _maker(self.dependant)
        if permission is None or make is None:
            return answer

        async def issue(request: Request) -> Response:
            runtime = runtime_of(request)
            asker = asker_of(request)
            async with refusals_of(runtime, request.scope, deed_of(self, permission), asker):
                asker.claims = await read_claims(request)
                async with runtime.database.transaction() as session:
                    require_role(await authenticate(runtime, session, asker.claims), permission)
            secret = make()
            request.state.issued = Issued(secret, await hash_password(secret))
            return await answer(request)

        return issue


def _maker(dependant: Dependant) -> Callable[[], str] | None:
    for part in dependant.dependencies:
        if isinstance(part.call, _Issuing):
            return part.call.make
    return None
