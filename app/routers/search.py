"""`/people/search`, `/people/matches` and `/people/{person_id}/links`."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from app.http import API, Route, Session, created
from app.models.base import Page
from app.models.search import LinkCreate, LinkRead, MatchesWanted, PersonFound, PersonMatch
from app.paging import ListQuery
from app.permissions import Permission
from app.routers.proving import unkeyed
from app.security import Actor, allowed, runtime_of
from app.services import links, matches, search


class SearchRoute(Route):
    """A Route whose answers and refusals all take at least a floor of time, and that remembers no Idempotency-Key.

    The floor is waited for when the transaction is over and holds nothing. A search writes nothing that could be
    written twice, and no hash of what was searched for is kept.
    """

    keyed = False

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def slowly(request: Request) -> Response:
            clock = asyncio.get_running_loop().time
            earliest = clock() + runtime_of(request).settings.search_floor_ms / 1000
            try:
                return await answer(Request(unkeyed(request.scope), request.receive))
            finally:
                await asyncio.sleep(max(0, earliest - clock()))

        return slowly


router = APIRouter(prefix=API, tags=["people"], route_class=Route)
searching = APIRouter(prefix=API, tags=["people"], route_class=SearchRoute)


@searching.post("/people/search")
async def search_people(
    wanted: search.PersonSearch,
    request: Request,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.PERSON_SEARCH)],
) -> Page[PersonFound]:
    """Find people whom you see: by name in either script and order, by telephone, by the code of a case."""
    await runtime_of(request).searches.count(actor.id)
    return await search.search_people(session, actor, wanted)


@searching.post("/people/matches")
async def match_people(
    wanted: MatchesWanted,
    request: Request,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.PERSON_SEARCH)],
) -> Page[PersonMatch]:
    """Likely duplicates of a person among the people whom you see, with reasons; likeliest first."""
    await runtime_of(request).searches.count(actor.id)
    return await matches.match_people(session, actor, wanted)


@router.post("/people/{person_id}/links", status_code=201)
async def link_person(
    person_id: UUID,
    wanted: LinkCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.PERSON_EDIT)],
) -> LinkRead:
    """Say that two records are of the same human."""
    made = await links.link(session, actor, person_id, wanted)
    created(response, f"/people/{person_id}/links/{made.id}")
    return made


@router.get("/people/{person_id}/links")
async def list_links(
    person_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.PERSON_READ)],
) -> Page[LinkRead]:
    """Other records of the same human that you see too, newest link first."""
    return await links.list_links(session, actor, person_id, query)


@router.get("/people/{person_id}/links/{link_id}")
async def read_link(
    person_id: UUID,
    link_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.PERSON_READ)],
) -> LinkRead:
    """One link."""
    return await links.read_link(session, actor, person_id, link_id)


@router.delete("/people/{person_id}/links/{link_id}", status_code=204)
async def unlink_person(
    person_id: UUID,
    link_id: UUID,
    session: Session,
    _: Annotated[Actor, allowed(Permission.PERSON_EDIT)],
) -> None:
    """Say that two records are not of the same human after all."""
    await links.unlink(session, person_id, link_id)
