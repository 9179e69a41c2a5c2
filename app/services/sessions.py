"""Sessions: opened by a sign-in, carried on by rotating refresh tokens, ended once and for all."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import RENEWAL, SESSION_ENDED, SIGN_IN, Deed, append_apart
from app.errors import NotFound, Unauthenticated
from app.models.base import Page
from app.models.factor import SessionRead
from app.models.user import RefreshToken, SignInSession, TokenRead
from app.paging import ListQuery, newest_first
from app.passwords import new_secret
from app.security import Actor, Runtime
from app.tokens import LIFETIME

ALIVE = text("""
    select s.user_id
      from sessions s
      join users u on u.id = s.user_id
      left join organisations o on o.id = u.organisation_id
     where s.id = :session_id and s.ended_at is null and s.expires_at > :now
       and u.active and coalesce(o.active, true)
""")


async def open_session(
    runtime: Runtime, session: AsyncSession, user_id: UUID, now: datetime, *, scopes: list[str] | None, account: str
) -> TokenRead:
    """A new session: of a person for weeks, of a system (it has `scopes`) for one access token; then it asks again."""
    days = runtime.settings.refresh_absolute_days
    life = timedelta(days=days) if scopes is None else timedelta(seconds=LIFETIME)
    opened = SignInSession(user_id=user_id, created_at=now, expires_at=now + life)
    session.add(opened)
    await session.flush()
    refresh_token = _add_refresh_token(runtime, session, opened.id, now) if scopes is None else None
    await append_apart(runtime, session, Deed(SIGN_IN), 200, session_id=opened.id, account=account)
    tokens = _tokens(runtime, user_id, opened.id, refresh_token, now)
    return tokens if scopes is None else tokens.model_copy(update={"scope": " ".join(scopes)})


async def refresh(runtime: Runtime, token: str) -> TokenRead:
    """New tokens for an unused refresh token; 401 otherwise, and a used one ends its session.

    Of two uses at once one waits for the other, and then counts as the second.
    """
    async with runtime.database.transaction() as session:
        now = await runtime.database.use_clock(session)
        renewed = await _rotate(runtime, session, _digest(runtime, token), now)
    # Raised only here: inside the block it would undo the end of the session.
    if renewed is None:
        raise Unauthenticated
    return renewed


async def list_sessions(session: AsyncSession, actor: Actor, query: ListQuery) -> Page[SessionRead]:
    """The caller's sign-ins that still count, newest first."""
    alive = (col(SignInSession.ended_at).is_(None), col(SignInSession.expires_at) > actor.now)
    statement = select(SignInSession).where(col(SignInSession.user_id) == actor.id, *alive)
    rows, cursor = await newest_first(session, statement, SignInSession.created_at, SignInSession.id, query)
    items = [
        SessionRead(id=row.id, created_at=row.created_at, expires_at=row.expires_at, current=row.id == actor.session_id)
        for row in rows
    ]
    return Page[SessionRead](items=items, next_cursor=cursor)


async def end_own_session(session: AsyncSession, actor: Actor, session_id: UUID) -> None:
    """End one of the caller's sessions on another device, or this one; 404 for everybody else's; again is no change.

    The reason stays with it: a device whose session was ended from elsewhere is told so at its next /sync.
    """
    statement = select(col(SignInSession.id)).where(
        col(SignInSession.id) == session_id, col(SignInSession.user_id) == actor.id
    )
    if await session.scalar(statement) is None:
        raise NotFound
    await end_session(session, session_id, actor.now, "logout" if session_id == actor.session_id else "ended_remotely")


async def was_ended(runtime: Runtime, session_id: UUID) -> bool:
    """Did somebody end this session, and was it not only left alone for too long?"""
    async with runtime.database.transaction() as session:
        statement = select(col(SignInSession.id)).where(
            col(SignInSession.id) == session_id, col(SignInSession.ended_at).is_not(None)
        )
        return await session.scalar(statement) is not None


async def end_other_sessions(session: AsyncSession, actor: Actor, reason: str) -> None:
    """End every session of the caller but this one. The caller's row is held, for which a sign-in under way waits."""
    others = (col(SignInSession.user_id) == actor.id) & (col(SignInSession.id) != actor.session_id)
    await _end(session, others, actor.now, reason)


async def prove_session(session: AsyncSession, actor: Actor) -> None:
    """From now on, and for five minutes, this session may do what asks for a step-up."""
    await session.execute(
        update(SignInSession).where(col(SignInSession.id) == actor.session_id).values(proved_at=actor.now)
    )


async def end_session(session: AsyncSession, session_id: UUID, now: datetime, reason: str) -> None:
    """End one session: its tokens are refused from the next request on."""
    await _end(session, col(SignInSession.id) == session_id, now, reason)


async def end_sessions_of(session: AsyncSession, user_id: UUID, now: datetime, reason: str) -> None:
    """End every session of a user. The caller holds the user's row, for which a sign-in under way waits."""
    await _end(session, col(SignInSession.user_id) == user_id, now, reason)


async def _rotate(runtime: Runtime, session: AsyncSession, digest: bytes, now: datetime) -> TokenRead | None:
    token = await session.scalar(select(RefreshToken).where(col(RefreshToken.digest) == digest).with_for_update())
    if token is None:
        return None
    if token.used_at is not None:
        await end_session(session, token.session_id, now, "refresh_token_reused")
        ended = Deed(SESSION_ENDED)
        await append_apart(runtime, session, ended, 401, session_id=token.session_id, reason="refresh_token_reused")
        return None
    # Read after the lock was had, not joined to it: a row joined to a locked one is as old as the wait.
    user_id = await session.scalar(ALIVE, {"session_id": token.session_id, "now": now})
    if user_id is None or token.expires_at <= now:
        return None
    token.used_at = now
    following = _add_refresh_token(runtime, session, token.session_id, now)
    await append_apart(runtime, session, Deed(RENEWAL), 200, session_id=token.session_id)
    return _tokens(runtime, user_id, token.session_id, following, now)


def _add_refresh_token(runtime: Runtime, session: AsyncSession, session_id: UUID, now: datetime) -> str:
    secret = new_secret()
    idle = now + timedelta(days=runtime.settings.refresh_idle_days)
    session.add(
        RefreshToken(
            digest=_digest(runtime, secret),
            session_id=session_id,
            created_at=now,
            expires_at=idle,
        )
    )
    return secret


def _tokens(runtime: Runtime, user_id: UUID, session_id: UUID, refresh_token: str | None, now: datetime) -> TokenRead:
    access_token, seconds = runtime.tokens.issue(user_id, session_id, now)
    return TokenRead(access_token=access_token, expires_in=seconds, refresh_token=refresh_token)


def _digest(runtime: Runtime, token: str) -> bytes:
    return runtime.keys.digest("refresh-token", token.encode())


async def _end(session: AsyncSession, whose: ColumnElement[bool], now: datetime, reason: str) -> None:
    statement = update(SignInSession).where(whose, col(SignInSession.ended_at).is_(None))
    await session.execute(statement.values(ended_at=now, end_reason=reason))
