"""`/sync`: what a device that was away pulls and pushes (docs/decisions/0025)."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.requests import Request

from app.errors import DeviceWiped, Unauthenticated
from app.http import API, Later, Route, Session
from app.models.sync import SyncPage, SyncPush, SyncQuery, SyncResults
from app.permissions import Permission
from app.routers.proving import unkeyed
from app.routers.pushing import push
from app.security import Actor, allowed, read_claims, runtime_of
from app.services import sync
from app.services.sessions import was_ended

# A stolen phone may be on the air again long after its last token ran out; ended sessions are kept as long.
LATE = timedelta(days=30)


class DeviceRoute(Route):
    """A Route that tells the device of an ended session to delete what it holds: 410 instead of 401.

    It takes no Idempotency-Key for a push as a whole: each item has its own.
    """

    keyed = False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await answer(Request(unkeyed(request.scope), request.receive))
            except Unauthenticated:
                claims = await read_claims(request, LATE)
                if await was_ended(runtime_of(request), claims.session):
                    raise DeviceWiped from None
                raise

        return told


router = APIRouter(prefix=API, tags=["offline"], route_class=DeviceRoute)


@router.get("/sync")
async def list_changes(
    query: Annotated[SyncQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.SYNC)],
) -> SyncPage:
    """What changed in the cases assigned to you. Ask on while `has_more`, and next time with the last cursor."""
    return await sync.changes(session, actor, query)


@router.post("/sync", response_model=SyncResults)
async def push_changes(pushed: SyncPush, actor: Annotated[Actor, allowed(Permission.SYNC)]) -> Response:
    """Up to 200 changes, one after the other; each answers for itself, and one that fails stops none."""

    async def work(request: Request) -> Response:
        results = SyncResults(results=[await push(request, item) for item in pushed.items])
        return Response(results.model_dump_json(), media_type="application/json")

    return Later(work)
