"""`/users`: the people who sign in."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Session, answers_for, created
from app.models.base import Page
from app.models.codes.people import UserRequestKind
from app.models.user import UserCreate, UserRead, UserUpdate
from app.models.user_request import Confirmed, Notice
from app.paging import ListQuery
from app.passwords import new_password
from app.permissions import Permission
from app.preconditions import etag
from app.routers.issuing import Issued, IssuingRoute, issuing
from app.security import Actor, allowed
from app.services import confirming, user_requests, users
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
) -> UserRead:
    """Ask for a new person. Active, with a first password, once somebody of their organisation has confirmed."""
    user = await users.add_user(session, actor, wanted)
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
    """Change the fields that you send. Role, place and coming back wait in `pending` until they are confirmed."""
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


@router.post("/users/{user_id}/reset-password")
async def reset_password(
    user_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.USER_EDIT)],
    if_match: IfMatch = None,
) -> UserRead:
    """Ask that a person gets a new password. It goes to who confirms, never to who asks."""
    user = await users.ask_reset(session, actor, user_id, UserRequestKind.PASSWORD_RESET, if_match)
    answers_for(response, f"/users/{user_id}")
    response.headers["ETag"] = etag(user.version)
    return user


@router.post("/users/{user_id}/reset-mfa")
async def reset_mfa(
    user_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.USER_EDIT)],
    if_match: IfMatch = None,
) -> UserRead:
    """Ask that a person's second factor is taken away, and the password with it; both are then chosen anew."""
    user = await users.ask_reset(session, actor, user_id, UserRequestKind.MFA_RESET, if_match)
    answers_for(response, f"/users/{user_id}")
    response.headers["ETag"] = etag(user.version)
    return user


@router.post("/users/{user_id}/confirm")
async def confirm(
    user_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.USER_CONFIRM)],
    issued: Annotated[Issued, issuing(new_password)],
    if_match: IfMatch = None,
) -> Confirmed:
    """Say yes to what an admin asked about a person of yours. A password, if it takes one, is in this answer alone."""
    return await confirming.confirm(session, actor, user_id, if_match, issued.secret, issued.hashed)


@router.get("/me/notices")
async def list_notices(
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.NOTICE_READ)],
) -> Page[Notice]:
    """What was asked about your account, what you asked or may confirm, and about whom you speak for; newest first."""
    return await user_requests.list_notices(session, actor, query)
