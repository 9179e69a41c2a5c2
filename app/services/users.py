"""Users: the people who sign in. Partners' systems are in clients.py and never among them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import Cause, Conflict, NotFound
from app.models.base import Page
from app.models.codes.people import Role, UserRequestKind
from app.models.user import User, UserCreate, UserCredential, UserRead, UserUpdate
from app.paging import ListQuery, newest_first
from app.preconditions import check_match, check_match_if_sent
from app.security import Actor, require_step_up
from app.services.belonging import check_belonging, hold_admins, keep_an_admin
from app.services.sessions import end_sessions_of
from app.services.user_details import DETAILS, add_details, change_details
from app.services.user_requests import ask, open_requests, request_read, withdraw

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
    return Page[UserRead](items=await _read(session, rows), next_cursor=cursor)


async def read_user(session: AsyncSession, user_id: UUID) -> UserRead:
    """One user; 404 for a partner's system as for an unknown id."""
    return (await _read(session, [await _one(session, _people().where(col(User.id) == user_id))]))[0]


async def add_user(session: AsyncSession, actor: Actor, wanted: UserCreate) -> UserRead:
    """A new user, who is not active, and has no password, before somebody else confirmed.

    422 where they do not belong, 409 for a name in use.
    """
    require_step_up(actor)
    user = await _insert(session, actor.now, wanted, active=False)
    await ask(session, actor, user, UserRequestKind.CREATE, {"active": True})
    return (await _read(session, [user]))[0]


async def insert_user(session: AsyncSession, now: datetime, wanted: UserCreate, password_hash: str) -> User:
    """The rows of a user who may sign in at once: for whoever runs the machine, who needs no confirmation."""
    user = await _insert(session, now, wanted, active=True)
    session.add(UserCredential(user_id=user.id, password_hash=password_hash, changed_at=now))
    await session.flush()
    return user


async def edit_user(
    session: AsyncSession, actor: Actor, user_id: UUID, change: UserUpdate, if_match: str | None
) -> UserRead:
    """Merge the fields sent; role, place, coming back, and the loss of a detail wait for a confirmation.

    428/412 by If-Match, 422 where they would not belong, 409 for the last admin.
    """
    user = await held_user(session, user_id)
    require_step_up(actor)
    check_match(if_match, user.version)
    sent = change.sent()
    if "communes" in sent:
        sent["communes"] = _ordered(sent["communes"])
    details = {name: sent.pop(name) for name in DETAILS if name in sent}
    waits = {name: sent[name] for name in sent if _waits(user, name, sent[name])}
    await _check_place(session, user, sent)
    # Before the row itself is changed: screening locks the client graph, and that change the user's cases.
    loses = await change_details(session, user, details, sent.get("display_name", user.display_name))
    if loses is not None:
        waits["details"] = loses
    at_once = {name: value for name, value in sent.items() if name not in _PLACE and name not in waits}
    await apply_change(session, user, at_once, actor.now)
    if waits:
        await ask(session, actor, user, UserRequestKind.CHANGE, to_jsonable_python(waits))
    if (waits or details) and not at_once:
        user.touch(actor.now)
    await session.flush()
    return (await _read(session, [user]))[0]


async def deactivate(session: AsyncSession, actor: Actor, user_id: UUID, if_match: str | None) -> UserRead:
    """Shut a user out at once, everywhere; again is no change. 412 by If-Match, 409 for the last admin.

    What takes access away does not wait for a confirmation.
    """
    user = await held_user(session, user_id)
    require_step_up(actor)
    check_match_if_sent(if_match, user.version)
    if user.active or (await open_requests(session, [user_id])):
        await apply_change(session, user, {"active": False}, actor.now)
    return (await _read(session, [user]))[0]


async def ask_reset(
    session: AsyncSession, actor: Actor, user_id: UUID, kind: UserRequestKind, if_match: str | None
) -> UserRead:
    """Ask that a person gets new factors; nothing changes before somebody else confirmed. 409 for who is not active."""
    user = await held_user(session, user_id)
    require_step_up(actor)
    check_match_if_sent(if_match, user.version)
    if not user.active:
        raise Conflict(Cause.INACTIVE)
    await ask(session, actor, user, kind, {})
    user.touch(actor.now)
    await session.flush()
    return (await _read(session, [user]))[0]


async def apply_change(session: AsyncSession, user: User, changed: dict[str, Any], now: datetime) -> None:
    """Write fields of a user whose row is held; what they no longer allow ends at once."""
    if not changed:
        return
    if changed.keys() & _PLACE:
        await check_belonging(session, **{name: changed.get(name, getattr(user, name)) for name in _PLACE})
    for name, value in changed.items():
        setattr(user, name, value)
    user.touch(now)
    await session.flush()
    if changed.get("active") is False:
        await withdraw(session, user.id, now)
        await end_sessions_of(session, user.id, now, "deactivated")
    await keep_an_admin(session)


async def held_user(session: AsyncSession, user_id: UUID) -> User:
    """The user's row, locked for a change, after those of the admins; 404 when there is none."""
    await hold_admins(session)
    user: User = await _one(session, _people().where(col(User.id) == user_id).with_for_update(key_share=True))
    return user


async def _insert(session: AsyncSession, now: datetime, wanted: UserCreate, *, active: bool) -> User:
    """The row of a new user; a name in use is refused by the unique constraint."""
    await check_belonging(session, wanted.role, wanted.organisation_id, wanted.communes)
    fields = wanted.model_dump(exclude=set(DETAILS)) | {"communes": _ordered(wanted.communes), "active": active}
    user = User.named(now, **fields)
    session.add(user)
    await session.flush()
    await add_details(session, user, wanted.model_dump(include=set(DETAILS)))
    return user


def _waits(user: User, name: str, value: Any) -> bool:
    """Does this change wait for a confirmation? Taking access away never does."""
    return (name in _PLACE or (name == "active" and value is True)) and value != getattr(user, name)


async def _check_place(session: AsyncSession, user: User, sent: dict[str, Any]) -> None:
    """422 where the user would not belong, with what else is being asked."""
    if not sent.keys() & _PLACE:
        return
    earlier = (await open_requests(session, [user.id])).get(user.id)
    asked = {name: value for name, value in (earlier.wanted if earlier else {}).items() if name in _PLACE}
    place = {name: sent.get(name, asked.get(name, getattr(user, name))) for name in _PLACE}
    await check_belonging(session, Role(place["role"]), place["organisation_id"], place["communes"])


async def _read(session: AsyncSession, users: Iterable[User]) -> list[UserRead]:
    found = list(users)
    pending = await open_requests(session, (user.id for user in found))
    return [
        UserRead.model_validate(user).model_copy(
            update={"pending": request_read(pending[user.id]) if user.id in pending else None}
        )
        for user in found
    ]


def _people() -> Any:
    return select(User).where(col(User.system).is_(False))


async def _one(session: AsyncSession, statement: Any) -> Any:
    row = await session.scalar(statement)
    if row is None:
        raise NotFound
    return row


def _ordered(communes: Sequence[str]) -> list[str]:
    return sorted(set(communes))
