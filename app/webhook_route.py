"""The route of operations that name an address: where it leads is found out while no connection is held."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from app.http import Route
from app.permissions import Permission
from app.security import authenticate, require_role, runtime_of
from app.strict_json import StrictJsonError
from app.tokens import Claims
from app.webhooks.looking import LookedAt


class AddressRoute(Route):
    """As every route; for who may name an address (401, 403), it is looked at before the transaction."""

    @asynccontextmanager
    async def body_of(self, request: Request, claims: Claims, permission: Permission) -> AsyncIterator[None]:
        """The body, and at `request.state.looked_at` what became of the address in it."""
        runtime, url = runtime_of(request), await _url_in(request)
        request.state.looked_at = LookedAt(good=False)
        if url is not None:
            async with runtime.database.transaction() as session:
                require_role(await authenticate(runtime, session, claims), permission)
            request.state.looked_at = await LookedAt.at(runtime.hooks, url)
        yield


async def _url_in(request: Request) -> str | None:
    """The address in the body, if there is one; what else is wrong with the body is said later."""
    try:
        body = await request.json()
    except StrictJsonError:
        return None
    url = body.get("url") if isinstance(body, dict) else None
    return url if isinstance(url, str) else None


async def _looked_at(request: Request) -> LookedAt:
    looked_at: LookedAt = request.state.looked_at
    return looked_at


Looked = Annotated[LookedAt, Depends(_looked_at)]
