"""Saying yes to what an admin asked about an account, and doing it: the password goes to who said yes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import Cause, Conflict, Forbidden, Invalid, NotFound
from app.models.codes.people import Role, UserRequestKind
from app.models.user import User, UserCredential, UserTotp
from app.models.user_request import Confirmed, UserRequest
from app.preconditions import check_match_if_sent
from app.security import Actor, require_step_up
from app.services.sessions import end_sessions_of
from app.services.user_details import settle_details
from app.services.user_requests import notice_of, open_request, parties_spoken_for
from app.services.users import apply_change, held_user

ISSUES_PASSWORD = {UserRequestKind.CREATE, UserRequestKind.PASSWORD_RESET, UserRequestKind.MFA_RESET}


async def confirm(
    session: AsyncSession, actor: Actor, user_id: UUID, if_match: str | None, password: str, password_hash: str
) -> Confirmed:
    """Say yes for every party that the caller speaks for; the last one's yes does what was asked.

    404 where nothing waits for the caller; to an admin, who sees every user: 403, or 409 when nothing is open at all.
    412 when the request is no longer the one that was read.
    """
    await _check_asked(session, actor, user_id)
    require_step_up(actor)
    user = await held_user(session, user_id)
    parties = await _check_asked(session, actor, user_id)  # the lock may have waited for another's yes
    check_match_if_sent(if_match, user.version)
    request = await open_request(session, user_id)
    if request is None:
        raise NotFound
    request.awaiting = [party for party in request.awaiting if party not in parties]
    request.confirmed_by = [*request.confirmed_by, actor.id]
    done, seen = not request.awaiting, user.version
    if done:
        request.settled_at = actor.now
        await _do(session, user, request, actor.now, password_hash)
    if user.version == seen:
        user.touch(actor.now)
    await session.flush()
    issued = password if done and request.kind in ISSUES_PASSWORD else None
    return Confirmed(**dict(await notice_of(session, request)), initial_password=issued)


async def _check_asked(session: AsyncSession, actor: Actor, user_id: UUID) -> set[str]:
    parties = await parties_spoken_for(session, actor, user_id)
    if parties:
        return parties
    known = select(col(User.id)).where(col(User.id) == user_id, col(User.system).is_(False))
    if actor.role is not Role.ADMIN or await session.scalar(known) is None:
        raise NotFound
    if await open_request(session, user_id) is None:
        raise Conflict(Cause.NOTHING_ASKED)
    raise Forbidden


async def _do(session: AsyncSession, user: User, request: UserRequest, now: datetime, password_hash: str) -> None:
    if request.kind in ISSUES_PASSWORD:
        await _issue_password(session, user, request.kind, now, password_hash)
    wanted = _typed(request.wanted)
    if wanted.pop("details", None):
        await settle_details(session, user.id)
    try:
        await apply_change(session, user, wanted, now)
    except Invalid:
        # The organisation or the commune is no longer what it was when it was asked.
        raise Conflict(Cause.OUTDATED) from None


async def _issue_password(
    session: AsyncSession, user: User, kind: UserRequestKind, now: datetime, password_hash: str
) -> None:
    """A password that is good for choosing another one; who resets the second factor must prove the first anew."""
    mfa_reset = kind is UserRequestKind.MFA_RESET
    if mfa_reset:
        await session.execute(delete(UserTotp).where(col(UserTotp.user_id) == user.id))
    before = await session.get(UserCredential, user.id)
    mfa_due = mfa_reset or (before is not None and before.mfa_due)
    issued = UserCredential(
        user_id=user.id, password_hash=password_hash, changed_at=now, must_change=True, mfa_due=mfa_due
    )
    await session.merge(issued)
    await end_sessions_of(session, user.id, now, kind.value)


def _typed(wanted: dict[str, Any]) -> dict[str, Any]:
    """Values of JSON as those of a user's row."""
    typed = dict(wanted)
    if typed.get("organisation_id") is not None:
        typed["organisation_id"] = UUID(typed["organisation_id"])
    if "role" in typed:
        typed["role"] = Role(typed["role"])
    return typed
