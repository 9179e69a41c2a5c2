"""Partners' systems: accounts that sign in with client credentials and act as their organisation."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import Conflict, NotFound
from app.ids import new_id
from app.models.base import Page
from app.models.codes import Language, Role
from app.models.organisation import ClientCreate, ClientRead, ClientSecret
from app.models.user import User, UserCredential
from app.paging import ListQuery, newest_first
from app.security import Actor, require_step_up
from app.services.belonging import BELONGING
from app.services.organisations import organisation_row
from app.services.sessions import end_sessions_of


async def add_client(
    session: AsyncSession,
    actor: Actor,
    organisation_id: UUID,
    wanted: ClientCreate,
    secret: str,
    secret_hash: str,
) -> ClientSecret:
    """A new system of a partner, with its secret in the answer. 409 when the organisation is no partner."""
    organisation = await organisation_row(session, organisation_id, lock=True)
    require_step_up(actor)
    if organisation.kind not in BELONGING[Role.PARTNER].kinds:
        raise Conflict
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
    )
    session.add(client)
    await session.flush()
    session.add(UserCredential(user_id=client.id, password_hash=secret_hash, changed_at=actor.now))
    await session.flush()
    return ClientSecret(**_read(client).model_dump(), client_secret=secret)


async def list_clients(session: AsyncSession, organisation_id: UUID, query: ListQuery) -> Page[ClientRead]:
    """The systems of an organisation, ended ones too, newest first."""
    await organisation_row(session, organisation_id)
    rows, cursor = await newest_first(session, _of(organisation_id), User.created_at, User.id, query)
    return Page[ClientRead](items=[_read(row) for row in rows], next_cursor=cursor)


async def read_client(session: AsyncSession, organisation_id: UUID, client_id: UUID) -> ClientRead:
    """One system, without its secret; 404 when it is not of this organisation."""
    return _read(await _one(session, _of(organisation_id).where(col(User.id) == client_id)))


async def end_client(session: AsyncSession, actor: Actor, organisation_id: UUID, client_id: UUID) -> None:
    """Shut a system out at once and for good; again is no change."""
    statement = _of(organisation_id).where(col(User.id) == client_id)
    client = await _one(session, statement.with_for_update(key_share=True))
    require_step_up(actor)
    if client.active:
        client.active = False
        client.touch(actor.now)
        await session.flush()
        await end_sessions_of(session, client.id, actor.now, "deactivated")


def _of(organisation_id: UUID) -> Any:
    return select(User).where(col(User.system).is_(True), col(User.organisation_id) == organisation_id)


async def _one(session: AsyncSession, statement: Any) -> User:
    row: User | None = await session.scalar(statement)
    if row is None:
        raise NotFound
    return row


def _read(client: User) -> ClientRead:
    return ClientRead(
        id=client.id,
        client_id=client.username,
        name=client.display_name,
        active=client.active,
        created_at=client.created_at,
    )
