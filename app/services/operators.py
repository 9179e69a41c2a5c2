"""What whoever runs the machine does from the command line: the very first users, and a lost password."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import append_by_operator
from app.errors import FieldError, Invalid, field_errors
from app.models.organisation import Organisation
from app.models.user import User, UserCreate, UserCredential
from app.passwords import hash_password, new_password, password_problem
from app.services.sessions import end_sessions_of
from app.services.users import insert_user
from app.settings import SetupError


async def create_user(
    session: AsyncSession,
    now: datetime,
    *,
    username: str,
    display_name: str,
    role: str,
    organisation_name: str | None = None,
    communes: Sequence[str] = (),
    password: str | None = None,
) -> tuple[User, str]:
    """A user who may sign in at once, and the password, a new one unless given. Raises SetupError."""
    password = password or new_password()
    if problem := password_problem(password, username):
        raise SetupError(f"the password is not accepted: {problem}")
    password_hash = await hash_password(password)
    try:
        wanted = UserCreate.model_validate(
            {
                "username": username,
                "display_name": display_name,
                "role": role,
                "organisation_id": await _organisation_named(session, organisation_name),
                "communes": list(communes),
            }
        )
        if await session.scalar(select(col(User.id)).where(col(User.username) == username)):
            raise SetupError("there is a user of that name already")
        user = await insert_user(session, now, wanted, password_hash)
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise SetupError(_sentence(field_errors(found))) from None
    except Invalid as error:
        raise SetupError(_sentence(error.errors)) from None
    await append_by_operator(session, now, "add_user", 201, user.id)
    return user, password


async def reset_password(session: AsyncSession, now: datetime, username: str) -> str:
    """A new password for a person, who is signed out everywhere. Raises SetupError for an unknown name."""
    password = new_password()
    password_hash = await hash_password(password)
    # Held first, so that a sign-in with the old password is either refused or among the sessions ended.
    statement = select(User).where(col(User.username) == username, col(User.system).is_(False))
    user = await session.scalar(statement.with_for_update(key_share=True))
    if user is None:
        raise SetupError("there is no user of that name")
    await session.merge(UserCredential(user_id=user.id, password_hash=password_hash, changed_at=now))
    await end_sessions_of(session, user.id, now, "password_reset")
    await append_by_operator(session, now, "reset_password", 200, user.id)
    return password


async def _organisation_named(session: AsyncSession, name: str | None) -> UUID | None:
    if name is None:
        return None
    statement = select(col(Organisation.id)).where(col(Organisation.name) == name)
    found = (await session.scalars(statement)).all()
    if len(found) != 1:
        raise SetupError(
            "there is no organisation of that name" if not found else "several organisations have that name"
        )
    return found[0]


def _sentence(errors: Sequence[FieldError]) -> str:
    return "; ".join(f"{error.pointer.lstrip('/')}: {error.message}" for error in errors)
