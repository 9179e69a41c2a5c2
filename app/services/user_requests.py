"""Requests about accounts: an admin asks, somebody whom the account concerns confirms, and only then it is done."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import String, Uuid, any_, literal, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models.base import Page
from app.models.codes.people import OrganisationKind, Role, UserRequestKind
from app.models.organisation import Organisation
from app.models.user import User
from app.models.user_request import Notice, RequestRead, UserRequest, Wanted
from app.paging import ListQuery, newest_first
from app.security import Actor
from app.services.belonging import party_of
from app.services.colleagues import names_of

PLACE = ("role", "organisation_id", "communes")
# A second change while one is open asks for both; a reset takes the place of whatever is open.
MERGED = {UserRequestKind.CREATE, UserRequestKind.CHANGE}

# Open requests and the parties for which the caller may say yes; never the requester, never whom it is about.
# A signatory's supervisor also speaks for an organisation in which nobody else could: somebody has to be the first.
CONFIRMABLE = text("""
    with me as (
        select u.id, u.role, u.organisation_id::text as home,
               u.role = 'supervisor' and coalesce(o.signatory and o.active, false) as speaks_for_signatories
          from users u left join organisations o on o.id = u.organisation_id
         where u.id = :me and u.active and not u.system)  -- an admin makes systems, so none says yes to an admin
    select r.id, r.user_id, r.kind, party
      from me, user_requests r cross join lateral unnest(r.awaiting) party
     where r.settled_at is null and r.requested_by <> me.id and r.user_id <> me.id
       and case
             when r.kind = 'client' then party = me.home and me.role = 'partner'  -- nobody else speaks for its systems
             when party = 'administration' then me.role = 'admin' or me.speaks_for_signatories
             when party = 'signatories' then me.speaks_for_signatories
             else (party = me.home and me.role in ('supervisor', 'partner'))
               or (me.speaks_for_signatories and not exists (
                     select from users k join organisations o on o.id = k.organisation_id
                      where k.organisation_id::text = party and k.active and o.active and not k.system
                        and k.role in ('supervisor', 'partner') and k.id <> r.user_id))
           end
""").columns(id=Uuid(), user_id=Uuid(), kind=String(), party=String())


async def ask(session: AsyncSession, actor: Actor, user: User, kind: UserRequestKind, wanted: dict[str, Any]) -> None:
    """Put a request about a user whose row is held, in the place of one that is open."""
    earlier = await open_request(session, user.id)
    if earlier is not None and earlier.kind in MERGED and kind in MERGED:
        kind, wanted = earlier.kind, {**earlier.wanted, **wanted}
    await withdraw(session, user.id, actor.now)
    session.add(
        UserRequest(
            user_id=user.id,
            kind=kind,
            wanted=wanted,
            awaiting=await _parties(session, user, kind, wanted),
            requested_by=actor.id,
            created_at=actor.now,
        )
    )
    await session.flush()


async def withdraw(session: AsyncSession, user_id: UUID, now: datetime) -> None:
    """Nobody needs to confirm any more what is open about this user."""
    still_open = (col(UserRequest.user_id) == user_id, col(UserRequest.settled_at).is_(None))
    await session.execute(update(UserRequest).where(*still_open).values(settled_at=now))


async def open_request(session: AsyncSession, user_id: UUID) -> UserRequest | None:
    """The request that is open about this user."""
    return (await open_requests(session, [user_id])).get(user_id)


async def open_requests(session: AsyncSession, user_ids: Iterable[UUID]) -> dict[UUID, UserRequest]:
    """The same for several users, in one query."""
    still_open = (col(UserRequest.user_id).in_(list(user_ids)), col(UserRequest.settled_at).is_(None))
    found = await session.scalars(select(UserRequest).where(*still_open).execution_options(populate_existing=True))
    return {one.user_id: one for one in found}


async def parties_spoken_for(session: AsyncSession, actor: Actor, user_id: UUID) -> set[str]:
    """For which of the parties awaited about this person the caller may say yes; none when nothing is open."""
    rows = CONFIRMABLE.subquery()
    about = (rows.c.user_id == user_id, rows.c.kind != UserRequestKind.CLIENT.value)  # clients.py confirms systems
    return set(await session.scalars(select(rows.c.party).where(*about), {"me": actor.id}))


async def list_notices(session: AsyncSession, actor: Actor, query: ListQuery) -> Page[Notice]:
    """What was asked about the caller, what the caller asked or may confirm, and, for who speaks for an organisation,
    what was asked about its people; newest first."""
    rows = CONFIRMABLE.subquery()
    waiting = set(await session.scalars(select(rows.c.id), {"me": actor.id}))
    concerns = [
        col(UserRequest.user_id) == actor.id,
        col(UserRequest.requested_by) == actor.id,
        literal(actor.id) == any_(col(UserRequest.confirmed_by)),
        col(UserRequest.id).in_(waiting),
    ]
    # A system speaks for nobody: it is told what is asked about itself.
    if actor.role in {Role.SUPERVISOR, Role.PARTNER} and actor.scopes is None:
        colleagues = select(col(User.id)).where(col(User.organisation_id) == actor.organisation_id)
        concerns.append(col(UserRequest.user_id).in_(colleagues))
    statement = select(UserRequest).where(or_(*concerns))
    found, cursor = await newest_first(session, statement, UserRequest.created_at, UserRequest.id, query)
    items = await _notices(session, found, waiting)
    return Page[Notice](items=items, next_cursor=cursor)


async def notice_of(session: AsyncSession, request: UserRequest) -> Notice:
    """One request, for who has just confirmed it."""
    return (await _notices(session, [request], set()))[0]


def request_read(request: UserRequest) -> RequestRead:
    """A request as it is sent out."""
    return RequestRead(
        id=request.id,
        kind=request.kind,
        wanted=Wanted.model_validate(request.wanted),
        requested_by=request.requested_by,
        requested_at=request.created_at,
        settled_at=request.settled_at,
        confirmed=request.settled_at is not None and not request.awaiting,
    )


async def _notices(session: AsyncSession, found: Iterable[UserRequest], waiting: set[UUID]) -> list[Notice]:
    requests = list(found)
    users = await names_of(session, (one.user_id for one in requests))
    named = select(col(User.id), col(User.username)).where(col(User.id).in_(users))
    usernames = {row.id: row.username for row in await session.execute(named)}
    return [
        Notice(
            **dict(request_read(one)),
            user=users[one.user_id],
            username=usernames[one.user_id],
            may_confirm=one.id in waiting,
        )
        for one in requests
    ]


async def _parties(session: AsyncSession, user: User, kind: UserRequestKind, wanted: dict[str, Any]) -> list[str]:
    """Who must say yes: for the place that is left and for the one that is taken; a new account leaves none."""
    present = {name: getattr(user, name) for name in PLACE}
    following = present | {name: value for name, value in wanted.items() if name in PLACE}
    places = [following] if kind in {UserRequestKind.CREATE, UserRequestKind.CLIENT} else [present, following]
    parties = set()
    for place in places:
        home = None if place["organisation_id"] is None else UUID(str(place["organisation_id"]))
        parties.add(party_of(Role(place["role"]), home, await _kind(session, home)))
    return sorted(parties)


async def _kind(session: AsyncSession, organisation_id: UUID | None) -> OrganisationKind | None:
    if organisation_id is None:
        return None
    kind: OrganisationKind | None = await session.scalar(
        select(col(Organisation.kind)).where(col(Organisation.id) == organisation_id)
    )
    return kind
