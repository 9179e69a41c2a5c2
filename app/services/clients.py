"""Partners' systems: accounts that sign in with client credentials and act as their organisation."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import Cause, Conflict, FieldError, Forbidden, Invalid, NotFound
from app.ids import new_id
from app.models.base import Page
from app.models.codes.people import Language, Role, UserRequestKind
from app.models.organisation import ClientCreate, ClientRead, ClientSecret
from app.models.user import User, UserCredential
from app.paging import ListQuery, newest_first
from app.policy import scopes_of_systems
from app.security import Actor, require_step_up
from app.services.addressed import organisation_seen
from app.services.belonging import BELONGING
from app.services.organisations import organisation_row
from app.services.sessions import end_sessions_of
from app.services.user_requests import ask, open_request, withdraw


async def add_client(
    session: AsyncSession,
    actor: Actor,
    organisation_id: UUID,
    wanted: ClientCreate,
    secret: str,
    secret_hash: str,
) -> ClientSecret:
    """A new system of a partner, with its secret in the answer; it reaches nothing before `confirm_client`.

    422 for a scope that no system may have, 409 when the organisation is no partner.
    """
    organisation = await organisation_row(session, organisation_id, lock=True)
    require_step_up(actor)
    if organisation.kind not in BELONGING[Role.PARTNER].kinds:
        raise Conflict(Cause.WRONG_KIND)
    scopes = _scopes(wanted.scopes)
    own_id = new_id()
    client = User.named(
        actor.now,
        id=own_id,
        username=str(own_id),
        display_name=wanted.name,
        role=Role.PARTNER,
        organisation_id=organisation_id,
        language=Language.EN,
        system=True,
        scopes=scopes,
    )
    session.add(client)
    await session.flush()
    session.add(UserCredential(user_id=client.id, password_hash=secret_hash, changed_at=actor.now))
    await ask(session, actor, client, UserRequestKind.CLIENT, {})
    return ClientSecret(**_read(client).model_dump(), client_secret=secret)


async def confirm_client(
    session: AsyncSession, actor: Actor, organisation_id: UUID, client_id: UUID, secret: str, secret_hash: str
) -> ClientSecret:
    """Say yes, for one's own organisation, to a system that an admin made; only the answer holds its new secret.

    Who says so is its keeper: a case from which that person is excluded is none for the system either (decision 0036).
    The secret that the admin saw, and every session that it opened, count no more. 409 for one that is confirmed, or
    ended, already; 403 to who made it, should that person have come here since.
    """
    client = await _held(session, organisation_id, client_id)
    require_step_up(actor)
    if client.confirmed_at is not None or not client.active:
        raise Conflict(Cause.NOTHING_ASKED)
    request = await open_request(session, client_id)
    if request is not None and request.requested_by == actor.id:
        raise Forbidden
    client.confirmed_at, client.keeper_id = actor.now, actor.id
    client.touch(actor.now)
    await session.merge(UserCredential(user_id=client.id, password_hash=secret_hash, changed_at=actor.now))
    if request is not None:
        request.awaiting, request.confirmed_by, request.settled_at = [], [actor.id], actor.now
    await session.flush()
    await end_sessions_of(session, client.id, actor.now, "confirmed")
    return ClientSecret(**_read(client).model_dump(), client_secret=secret)


async def list_clients(session: AsyncSession, organisation_id: UUID, query: ListQuery) -> Page[ClientRead]:
    """The systems of an organisation, ended ones too, newest first."""
    await organisation_seen(session, organisation_id)
    rows, cursor = await newest_first(session, _of(organisation_id), User.created_at, User.id, query)
    return Page[ClientRead](items=[_read(row) for row in rows], next_cursor=cursor)


async def read_client(session: AsyncSession, organisation_id: UUID, client_id: UUID) -> ClientRead:
    """One system, without its secret; 404 when it is not of this organisation."""
    await organisation_seen(session, organisation_id)
    return _read(await _one(session, _of(organisation_id).where(col(User.id) == client_id)))


async def end_client(session: AsyncSession, actor: Actor, organisation_id: UUID, client_id: UUID) -> None:
    """Shut a system out at once and for good; again is no change."""
    client = await _held(session, organisation_id, client_id)
    require_step_up(actor)
    if client.active:
        client.active = False
        client.touch(actor.now)
        await session.flush()
        await withdraw(session, client.id, actor.now)
        await end_sessions_of(session, client.id, actor.now, "deactivated")


def _of(organisation_id: UUID) -> Any:
    return select(User).where(col(User.system).is_(True), col(User.organisation_id) == organisation_id)


async def _held(session: AsyncSession, organisation_id: UUID, client_id: UUID) -> User:
    """The row of a system that the caller sees, held: a sign-in under way waits for what becomes of it."""
    await organisation_seen(session, organisation_id)
    statement = _of(organisation_id).where(col(User.id) == client_id)
    return await _one(session, statement.with_for_update(key_share=True))


async def _one(session: AsyncSession, statement: Any) -> User:
    row: User | None = await session.scalar(statement)
    if row is None:
        raise NotFound
    return row


def _scopes(wanted: Iterable[str] | None) -> list[str]:
    """What a new system may do, each once: everything that systems may do today unless something is named."""
    allowed = {one.value for one in scopes_of_systems()}
    if wanted is None:
        return sorted(allowed)
    named = list(wanted)
    unknown = [place for place, one in enumerate(named) if one not in allowed]
    if unknown:
        message = "This is not one of the codes of the list."
        raise Invalid([FieldError(f"/scopes/{place}", "unknown_code", message) for place in unknown])
    return sorted(set(named))


def _read(client: User) -> ClientRead:
    return ClientRead(
        id=client.id,
        client_id=client.username,
        name=client.display_name,
        scopes=client.scopes or [],
        active=client.active,
        confirmed=client.confirmed_at is not None,
        created_at=client.created_at,
    )
