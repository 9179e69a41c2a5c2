"""Users: the people who sign in. Partners' systems are in clients.py and never among them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import NotFound
from app.models.base import Page
from app.models.codes import Role
from app.models.user import User, UserCreate, UserCreated, UserCredential, UserRead, UserUpdate
from app.paging import ListQuery, newest_first
from app.preconditions import check_match, check_match_if_sent
from app.security import Actor
from app.services.belonging import check_belonging, hold_admins, keep_an_admin
from app.services.sessions import end_sessions_of

_PLACE = {"role", "organisation_id", "communes"}


class UserFilter(ListQuery):
    """The query of the list of users; every filter narrows."""

    role: Role | None = None
    organisation_id: UUID | None = None
    active: bool | None = None


async def list_users(session: AsyncSession, filters: UserFilter) -> Page[UserRead]:
    """Users that pass the filters, newest first."""
    statement = _people()
    for name in ("role", "organisation_id", "active"):
        if (wanted := getattr(filters, name)) is not None:
            statement = statement.where(col(getattr(User, name)) == wanted)
    rows, cursor = await newest_first(session, statement, User.created_at, User.id, filters)
    return Page[UserRead](items=[UserRead.model_validate(row) for row in rows], next_cursor=cursor)


async def read_user(session: AsyncSession, user_id: UUID) -> UserRead:
    """One user; 404 for a partner's system as for an unknown id."""
    return UserRead.model_validate(await _one(session, _people().where(col(User.id) == user_id)))


async def add_user(
    session: AsyncSession, actor: Actor, wanted: UserCreate, password: str, password_hash: str
) -> UserCreated:
    """A new user with the first password: 422 where they do not belong, 409 for a name in use."""
    user = await insert_user(session, actor.now, wanted, password_hash)
    return UserCreated(**UserRead.model_validate(user).model_dump(), initial_password=password)


async def insert_user(session: AsyncSession, now: datetime, wanted: UserCreate, password_hash: str) -> User:
    """The rows of a new user; a name in use is refused by the unique constraint."""
    await check_belonging(session, wanted.role, wanted.organisation_id, wanted.communes)
    fields = wanted.model_dump() | {"communes": _ordered(wanted.communes)}
    user = User.named(now, **fields)
    session.add(user)
    await session.flush()
    session.add(UserCredential(user_id=user.id, password_hash=password_hash, changed_at=now))
    await session.flush()
    return user


async def edit_user(
    session: AsyncSession, actor: Actor, user_id: UUID, change: UserUpdate, if_match: str | None
) -> UserRead:
    """Merge the fields sent. 428/412 by If-Match, 422 where they would not belong, 409 for the last admin."""
    user = await _held(session, user_id)
    check_match(if_match, user.version)
    await _apply(session, user, change.sent(), actor.now)
    return UserRead.model_validate(user)


async def deactivate(session: AsyncSession, actor: Actor, user_id: UUID, if_match: str | None) -> UserRead:
    """Shut a user out at once, everywhere; again is no change. 412 by If-Match, 409 for the last admin."""
    user = await _held(session, user_id)
    check_match_if_sent(if_match, user.version)
    if user.active:
        await _apply(session, user, {"active": False}, actor.now)
    return UserRead.model_validate(user)


async def _apply(session: AsyncSession, user: User, sent: dict[str, Any], now: datetime) -> None:
    if not sent:
        return
    if sent.keys() & _PLACE:
        place = {name: sent.get(name, getattr(user, name)) for name in _PLACE}
        await check_belonging(session, **place)
    if "communes" in sent:
        sent["communes"] = _ordered(sent["communes"])
    for name, value in sent.items():
        setattr(user, name, value)
    user.touch(now)
    await session.flush()
    if not user.active:
        await end_sessions_of(session, user.id, now, "deactivated")
    await keep_an_admin(session)


async def _held(session: AsyncSession, user_id: UUID) -> User:
    """The user's row, locked for a change, after those of the admins; 404 when there is none."""
    await hold_admins(session)
    user: User = await _one(session, _people().where(col(User.id) == user_id).with_for_update(key_share=True))
    return user


def _people() -> Any:
    return select(User).where(col(User.system).is_(False))


async def _one(session: AsyncSession, statement: Any) -> Any:
    row = await session.scalar(statement)
    if row is None:
        raise NotFound
    return row


def _ordered(communes: Sequence[str]) -> list[str]:
    return sorted(set(communes))
