"""A person's own factors: proving them again (step-up), and choosing another password."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Invalid
from app.models.factor import PasswordChange, StepUp
from app.passwords import hash_password, password_problem
from app.security import Actor, Runtime
from app.services.sessions import end_other_sessions, prove_session
from app.services.sign_in import Proof, accept, prove

HOLD_SELF = text("select from users where id = :id for no key update")
CHANGE_PASSWORD = text("""
    update user_credentials set password_hash = :hash, changed_at = :now, must_change = false where user_id = :id
""")
PROBLEMS = {
    "too_short": "A password has at least 12 characters.",
    "too_long": "A password has at most 1,024 characters.",
    "contains_username": "A password does not contain the user name.",
    "unencodable": "A password has no lone surrogates.",
    "too_common": "This password is too easily guessed.",
    "unchanged": "This is the present password.",
}


@dataclass(frozen=True, slots=True)
class NewPassword:
    """The present password's proof, and the hash of the one to come."""

    proof: Proof
    hashed: str


async def look_at_factors(runtime: Runtime, host: str | None, username: str, given: StepUp) -> Proof:
    """Before the transaction: refuses as a sign-in does, and counts as one."""
    return await prove(runtime, host, username, given.password, given.otp)


async def step_up(session: AsyncSession, actor: Actor, proof: Proof) -> None:
    """Within it: the session counts as just signed in."""
    await accept(session, proof)
    await prove_session(session, actor)


async def look_at_passwords(runtime: Runtime, host: str | None, username: str, given: PasswordChange) -> NewPassword:
    """Before the transaction: 422 for what cannot become the password, 401 (counted) for a wrong present one."""
    problem = password_problem(given.new_password, username)
    if problem is None and given.new_password == given.current_password:
        problem = "unchanged"
    if problem is not None:
        raise Invalid.at("/new_password", problem, PROBLEMS[problem])
    proof = await prove(runtime, host, username, given.current_password, None, password_only=True)
    return NewPassword(proof, await hash_password(given.new_password))


async def change_password(session: AsyncSession, actor: Actor, wanted: NewPassword) -> None:
    """Within it: the new password counts, and every other session of the person is over."""
    await session.execute(HOLD_SELF, {"id": actor.id})
    await accept(session, wanted.proof)
    await session.execute(CHANGE_PASSWORD, {"id": actor.id, "hash": wanted.hashed, "now": actor.now})
    await end_other_sessions(session, actor, "password_changed")
