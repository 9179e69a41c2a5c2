"""Proving factors (password or client secret, code), and how often one may guess (safety.md, Sign-in and tokens)."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from math import ceil
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

from sqlalchemy import Row, delete, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import MfaRequired, RateLimited, Unauthenticated
from app.models.user import SignInAttempt, TokenRead
from app.passwords import hash_password, needs_rehash, password_matches
from app.security import Runtime
from app.services.second_factor import opened, step_of, use_up
from app.services.sessions import open_session

WINDOW = timedelta(minutes=15)

LOCK = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")

# When the failure that filled the account's or the address's measure happened; null while there is room.
FILLED_AT = text("""
    select max(at) from (
        (select at from sign_in_attempts
          where account = :account and address = :address and at > :since
          order by at desc offset :of_account limit 1)
        union all
        (select at from sign_in_attempts
          where address = :address and at > :since
          order by at desc offset :of_address limit 1)
    ) as filled
""")

FIND = text("""
    select u.id, u.scopes, c.password_hash, c.changed_at, t.secret, t.last_step,
           u.system = :system and u.active and coalesce(o.active, true) as admitted
      from users u
      join user_credentials c on c.user_id = u.id
      left join user_totp t on t.user_id = u.id and t.confirmed_at is not null and not u.system
      left join organisations o on o.id = u.organisation_id
     where u.username = :username
""")

HOLD_USER = text("select from users where id = :id for share")

# Leaves changed_at: it is the same password.
REHASH = text("update user_credentials set password_hash = :hash where user_id = :id")

# Sign-ins from one address take turns in this process, so that right passwords that arrive together do not
# count each other as failures. What many processes do at once is bounded by `reserve`.
_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


@dataclass(frozen=True, slots=True)
class Proof:
    """Factors that were right when they were looked at; `accept` says whether they still are, and uses them up."""

    username: str
    system: bool
    found: Row[Any]
    step: int | None
    renewed: str | None
    attempt_id: UUID


def turn(host: str | None) -> asyncio.Lock:
    """Held from the first look at the factors until they are used up."""
    return _turns.setdefault(throttled_address(host), asyncio.Lock())


async def sign_in(
    runtime: Runtime, host: str | None, username: str, secret: str, otp: str | None = None, *, system: bool
) -> TokenRead:
    """Tokens for a person (or a partner's system) with the right factors; refuses as `prove` does."""
    async with turn(host):
        proof = await prove(runtime, host, username, secret, otp, system=system)
        async with runtime.database.transaction() as session:
            now = await runtime.database.use_clock(session)
            await accept(session, proof)
            found = proof.found
            return await open_session(runtime, session, found.id, now, scopes=found.scopes, account=username)


async def prove(
    runtime: Runtime,
    host: str | None,
    username: str,
    secret: str,
    otp: str | None,
    *,
    system: bool = False,
    password_only: bool = False,
) -> Proof:
    """Look at the factors.

    401 alike, after the same work, for an unknown name, a wrong secret, and an account that may not sign in here;
    `mfa_required` only to who has the right password; 401 again for a code that is wrong, late or used; 429 once too
    many attempts failed. No connection is held while the secret is checked.
    """
    attempt_id = await reserve(runtime, throttled_address(host), username)
    async with runtime.database.transaction() as session:
        found = (await session.execute(FIND, {"username": username, "system": system})).one_or_none()
    matches = await password_matches(found.password_hash if found else None, secret)
    if found is None or not matches or not found.admitted:
        raise Unauthenticated
    step = None
    if found.secret is not None and not password_only:
        if otp is None:
            await _take_back(runtime, attempt_id)
            raise MfaRequired
        step = step_of(opened(runtime, found.secret, found.id), otp, runtime.database.now())
        if step is None or step <= found.last_step:
            raise Unauthenticated
    renewed = await hash_password(secret) if needs_rehash(found.password_hash) else None
    return Proof(username, system, found, step, renewed, attempt_id)


async def accept(session: AsyncSession, proof: Proof) -> None:
    """Use the factors up and take the attempt back; 401 when the account changed while they were looked at.

    Who deactivates the user or resets factors holds the user's row and then ends the sessions there are.
    """
    found = proof.found
    await session.execute(HOLD_USER, {"id": found.id})
    present = (await session.execute(FIND, {"username": proof.username, "system": proof.system})).one_or_none()
    if present is None or not present.admitted:
        raise Unauthenticated
    if (present.changed_at, present.secret) != (found.changed_at, found.secret):
        raise Unauthenticated
    if proof.step is not None and not await use_up(session, found.id, proof.step):
        raise Unauthenticated
    if proof.renewed is not None:
        await session.execute(REHASH, {"id": found.id, "hash": proof.renewed})
    await session.execute(delete(SignInAttempt).where(col(SignInAttempt.id) == proof.attempt_id))


async def reserve(runtime: Runtime, address: str, username: str) -> UUID:
    """Count an attempt before its secret is checked, so that guesses made at once cannot pass the limits.

    429 when 10 attempts of this account and address, or 100 of the address, failed within 15 minutes.
    """
    async with runtime.database.transaction() as session:
        now = await runtime.database.use_clock(session)
        account = runtime.keys.digest("sign-in", username.encode())
        await session.execute(LOCK, {"name": f"sign-in {address}"})
        # A statement after the lock's: it must see what those before us in the line have written.
        await _refuse_when_full(runtime, session, account, address, now)
        attempt = SignInAttempt(account=account, address=address, at=now)
        session.add(attempt)
    return attempt.id


def throttled_address(host: str | None) -> str:
    """What counts as one address: of IPv6 the /64, because one customer has all of it."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return host or ""
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or IPv6Network((int(address), 64), strict=False))


async def _refuse_when_full(
    runtime: Runtime, session: AsyncSession, account: bytes, address: str, now: datetime
) -> None:
    filled_at = await session.scalar(
        FILLED_AT,
        {
            "account": account,
            "address": address,
            "since": now - WINDOW,
            "of_account": runtime.settings.failed_sign_ins_per_account - 1,
            "of_address": runtime.settings.failed_sign_ins_per_address - 1,
        },
    )
    if filled_at is not None:
        raise RateLimited(retry_after=ceil((filled_at + WINDOW - now).total_seconds()), policy="sign-in")


async def _take_back(runtime: Runtime, attempt_id: UUID) -> None:
    """The password was right: asking for the code is no failure."""
    async with runtime.database.transaction() as session:
        await session.execute(delete(SignInAttempt).where(col(SignInAttempt.id) == attempt_id))
