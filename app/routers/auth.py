"""`/auth`, `/me` and the public keys: proving who you are, and reading who you are taken for."""

import base64
import binascii
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote_plus
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from app.audit import RENEWAL, SIGN_IN, Asker, Deed, refusals_of
from app.errors import Invalid, Unauthenticated, UnsupportedMediaType, field_errors
from app.http import API, Route, Session, answers_for
from app.models.base import Page
from app.models.factor import PasswordChange, SessionRead, StepUp, TotpConfirm, TotpEnrolment
from app.models.user import ClientGrant, KeySet, Me, PasswordGrant, RefreshGrant, TokenRead, UserDetailsRead
from app.paging import ListQuery
from app.permissions import Permission
from app.policy import permissions_of
from app.routers.proving import ProvingRoute, looked_at
from app.security import Actor, allowed, runtime_of
from app.services import own_factors, second_factor, sessions, sign_in, user_details
from app.services.sign_in import Proof

router = APIRouter(prefix=API, tags=["auth"], route_class=ProvingRoute)
well_known = APIRouter(tags=["auth"], route_class=Route)

Grant = PasswordGrant | RefreshGrant | ClientGrant

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 10
GRANTS: dict[str, type[Grant]] = {
    "password": PasswordGrant,
    "refresh_token": RefreshGrant,
    "client_credentials": ClientGrant,
}
_BODY = {
    "required": True,
    "content": {FORM: {"schema": {"oneOf": [g.model_json_schema() for g in GRANTS.values()]}}},
}


@router.post("/auth/token", response_model_exclude_none=True, openapi_extra={"requestBody": _BODY})
async def get_token(request: Request) -> TokenRead:
    """Sign in, go on with a session, or sign a system in; a form. Systems may use HTTP Basic instead."""
    runtime, grant = runtime_of(request), await _read_grant(request)
    host = request.client.host if request.client else None
    asker = Asker(sign_in.throttled_address(host))
    match grant:
        case PasswordGrant():
            asker.account = grant.username
            async with refusals_of(runtime, request.scope, Deed(SIGN_IN), asker):
                return await sign_in.sign_in(runtime, host, grant.username, grant.password, grant.otp, system=False)
        case ClientGrant():
            asker.account = grant.client_id
            async with refusals_of(runtime, request.scope, Deed(SIGN_IN), asker):
                return await sign_in.sign_in(runtime, host, grant.client_id, grant.client_secret, system=True)
        case RefreshGrant():
            async with refusals_of(runtime, request.scope, Deed(RENEWAL), asker):
                return await sessions.refresh(runtime, grant.refresh_token)


@router.post("/auth/logout", status_code=204)
async def log_out(session: Session, actor: Annotated[Actor, allowed(Permission.SELF)]) -> None:
    """End this session: none of its tokens is taken any more."""
    await sessions.end_session(session, actor.session_id, actor.now, "logout")


@router.get("/auth/sessions")
async def list_sessions(
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.SELF)],
) -> Page[SessionRead]:
    """Your sign-ins that still count, newest first."""
    return await sessions.list_sessions(session, actor, query)


@router.delete("/auth/sessions/{session_id}", status_code=204)
async def end_own_session(
    session_id: UUID, session: Session, actor: Annotated[Actor, allowed(Permission.SELF)]
) -> None:
    """End one of your sign-ins, on a lost phone for one: at once."""
    await sessions.end_own_session(session, actor, session_id)


@router.post("/auth/step-up", status_code=204)
async def step_up(
    _: StepUp,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.SELF)],
    proof: Annotated[Proof, looked_at(own_factors.look_at_factors, StepUp)],
) -> None:
    """Prove your factors again; for five minutes you may then do what asks for it (`step_up_required`)."""
    await own_factors.step_up(session, actor, proof)


@router.put("/me/password", status_code=204)
async def change_password(
    _: PasswordChange,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.SELF)],
    wanted: Annotated[own_factors.NewPassword, looked_at(own_factors.look_at_passwords, PasswordChange)],
) -> None:
    """Choose another password; every other session of yours ends."""
    await own_factors.change_password(session, actor, wanted)


@router.post("/me/totp")
async def propose_totp(
    request: Request, response: Response, session: Session, actor: Annotated[Actor, allowed(Permission.SELF)]
) -> TotpEnrolment:
    """A secret for your authenticator app, shown once; it counts when you have confirmed a code of it."""
    answers_for(response, "/me")
    return await second_factor.propose(runtime_of(request), session, actor)


@router.post("/me/totp/confirm", status_code=204)
async def confirm_totp(
    given: TotpConfirm, request: Request, session: Session, actor: Annotated[Actor, allowed(Permission.SELF)]
) -> None:
    """Make the new second factor count: from now on every sign-in asks for its code."""
    await second_factor.confirm(runtime_of(request), session, actor, given.otp)


@router.get("/me")
async def read_me(actor: Annotated[Actor, allowed(Permission.SELF)]) -> Me:
    """Who you are and what you may do."""
    return Me(
        id=actor.id,
        username=actor.username,
        display_name=actor.display_name,
        role=actor.role,
        organisation_id=actor.organisation_id,
        communes=list(actor.communes),
        permissions=permissions_of(actor.role, actor.scopes),
        mfa_enrolled=actor.mfa_enrolled,
        language=actor.language,
    )


@router.get("/me/details")
async def read_own_details(
    session: Session, actor: Annotated[Actor, allowed(Permission.SELF_DETAILS)]
) -> UserDetailsRead:
    """The names, phones and relatives that are kept of you, so that you are kept away from cases of your own family."""
    return await user_details.read_own(session, actor)


@well_known.get("/.well-known/jwks.json")
async def read_key_set(request: Request, response: Response) -> KeySet:
    """The public keys with which anybody can check our access tokens."""
    response.headers["Cache-Control"] = "public, max-age=300"
    return KeySet.model_validate(runtime_of(request).keys.jwks())


async def _read_grant(request: Request) -> Grant:
    """What the form asks for; 415 for any other body, 422 for fields missing, doubled or not of the grant."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise UnsupportedMediaType
    fields = _fields(await request.body())
    if "grant_type" not in fields:
        raise Invalid.at("/grant_type", "required", "This field is required.")
    model = GRANTS.get(fields["grant_type"])
    if model is None:
        raise Invalid.at("/grant_type", "unknown_code", "This is not one of the codes of the list.")
    if model is ClientGrant:
        fields |= _basic_credentials(request, fields)
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        found: list[dict[str, Any]] = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise Invalid(field_errors(found, fields)) from None


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise Invalid.at("", "malformed_body", "The body cannot be read.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise Invalid.at("", "duplicate_field", "A field is named twice.")
    return fields


def _basic_credentials(request: Request, fields: dict[str, str]) -> dict[str, str]:
    """Client id and secret of the Authorization header, if it is Basic; one way at a time (RFC 6749, 2.3)."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    if fields.keys() & {"client_id", "client_secret"}:
        raise Invalid.at("", "credentials_twice", "Credentials are either in the header or in the form.")
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        return {"client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}
    except (binascii.Error, ValueError):
        raise Unauthenticated from None
