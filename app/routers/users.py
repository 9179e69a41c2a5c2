"""`/users`: the people who sign in."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Session, answers_for, created
from app.models.base import Page
from app.models.user import UserCreate, UserCreated, UserRead, UserUpdate
from app.passwords import new_password
from app.policy import Permission
from app.preconditions import etag
from app.routers.issuing import Issued, IssuingRoute, issuing
from app.security import Actor, allowed
from app.services import users
from app.services.users import UserFilter

router = APIRouter(prefix=API, tags=["users"], route_class=IssuingRoute)


@router.get("/users")
async def list_users(
    filters: Annotated[UserFilter, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.USER_READ)],
) -> Page[UserRead]:
    """The people who sign in, newest first; every filter narrows."""
    return await users.list_users(session, filters)


@router.post("/users", status_code=201)
async def add_user(
    wanted: UserCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.USER_EDIT)],
    issued: Annotated[Issued, issuing(new_password)],
) -> UserCreated:
    """Add a person. The first password is in this answer and can never be read again."""
    user = await users.add_user(session, actor, wanted, issued.secret, issued.hashed)
    created(response, f"/users/{user.id}")
    response.headers["ETag"] = etag(user.version)
    return user


@router.get("/users/{user_id}")
async def read_user(
    user_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.USER_READ)],
) -> UserRead:
    """One person."""
    user = await users.read_user(session, user_id)
    response.headers["ETag"] = etag(user.version)
    return user


@router.patch("/users/{user_id}")
async def edit_user(
    user_id: UUID,
    change: UserUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.USER_EDIT)],
    if_match: IfMatch = None,
) -> UserRead:
    """Change the fields that you send; what a role or place no longer allows ends at once."""
    user = await users.edit_user(session, actor, user_id, change, if_match)
    response.headers["ETag"] = etag(user.version)
    return user


@router.post("/users/{user_id}/deactivate")
async def deactivate(
    user_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.USER_EDIT)],
    if_match: IfMatch = None,
) -> UserRead:
    """Shut a person out at once, on every device."""
    user = await users.deactivate(session, actor, user_id, if_match)
    answers_for(response, f"/users/{user_id}")
    response.headers["ETag"] = etag(user.version)
    return user
