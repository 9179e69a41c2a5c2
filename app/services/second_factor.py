"""The second factor: time-based codes (TOTP, RFC 6238), each good once, their secret sealed in the database."""

from datetime import datetime
from hmac import compare_digest
from uuid import UUID

import pyotp
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Cause, Conflict, Forbidden, Invalid, Unavailable
from app.logs import log
from app.models.factor import TotpEnrolment
from app.sealed_secret import SecretSeal, UnreadableSecret
from app.security import Actor, Runtime, require_step_up

ISSUER = "Samaki"
STEP = 30  # seconds
WINDOW = (1, 0, -1)  # steps by which the clock of a phone may be ahead or behind

IS_PERSON = text("select not system from users where id = :id")
# A secret that was never confirmed may be replaced by another; one that counts may not.
PROPOSE = text("""
    insert into user_totp (user_id, secret, created_at, last_step) values (:id, :secret, :now, 0)
    on conflict (user_id) do update set secret = excluded.secret, created_at = excluded.created_at
     where user_totp.confirmed_at is null
    returning user_id
""")
PROPOSED = text("select secret from user_totp where user_id = :id and confirmed_at is null for update")
CONFIRM = text("update user_totp set confirmed_at = :now, last_step = :step where user_id = :id")
PAID = text("update user_credentials set mfa_due = false where user_id = :id")
# Of uses at once one moves the mark; for the others, and for every older code, the row is no longer there.
USE_UP = text("""
    update user_totp set last_step = :step
     where user_id = :id and confirmed_at is not null and last_step < :step
    returning user_id
""")


def totp_seal(runtime: Runtime) -> SecretSeal:
    """What seals the secrets of `user_totp`."""
    return SecretSeal(runtime.keys, "totp", "user_totp")


def step_of(secret: str, otp: str, now: datetime) -> int | None:
    """The 30-second step (since 1970) whose code this is, the latest within ± 1 of now; None for a wrong code."""
    totp, given = pyotp.TOTP(secret, interval=STEP), otp.encode()
    present = int(now.timestamp()) // STEP
    codes = {present + offset: totp.generate_otp(present + offset).encode() for offset in WINDOW}
    return next((step for step, code in codes.items() if compare_digest(code, given)), None)


async def use_up(session: AsyncSession, user_id: UUID, step: int) -> bool:
    """Take this step's code, and every older one, out of use; False when somebody was faster."""
    return await session.scalar(USE_UP, {"id": user_id, "step": step}) is not None


async def propose(runtime: Runtime, session: AsyncSession, actor: Actor) -> TotpEnrolment:
    """A new secret, which counts once a code of it was confirmed. 409 with a factor that counts, 403 for a system."""
    if not await session.scalar(IS_PERSON, {"id": actor.id}):
        raise Forbidden
    require_step_up(actor)
    secret = pyotp.random_base32()
    sealed = totp_seal(runtime).seal(secret.encode(), actor.id)
    if await session.scalar(PROPOSE, {"id": actor.id, "secret": sealed, "now": actor.now}) is None:
        raise Conflict(Cause.FACTOR_STANDS)
    uri = pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=actor.username, issuer_name=ISSUER)
    return TotpEnrolment(secret=secret, otpauth_uri=uri)


async def confirm(runtime: Runtime, session: AsyncSession, actor: Actor, otp: str) -> None:
    """The factor counts from now on, and this code was its first. 422 for a wrong code, 409 without a proposal."""
    sealed = await session.scalar(PROPOSED, {"id": actor.id})
    if sealed is None:
        raise Conflict(Cause.NOTHING_ASKED)
    step = step_of(opened(runtime, sealed, actor.id), otp, actor.now)
    if step is None:
        raise Invalid.at("/otp", "otp_invalid", "This is not the code of this moment.")
    await session.execute(CONFIRM, {"id": actor.id, "now": actor.now, "step": step})
    await session.execute(PAID, {"id": actor.id})


def opened(runtime: Runtime, sealed: bytes, user_id: UUID) -> str:
    """The secret in base32; 503, and a line in the log, for a row that was changed or moved."""
    try:
        return totp_seal(runtime).open(bytes(sealed), user_id).decode()
    except UnreadableSecret:
        log.error("totp.unreadable", actor_id=str(user_id))
        raise Unavailable from None
