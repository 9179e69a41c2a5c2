"""From the token of a request to its Actor, and the permission that each router names in its signature."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter, SlidingWindowCounterRateLimiter
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Database
from app.erasures import Ledger
from app.errors import (
    ConfirmationRequired,
    Forbidden,
    MfaRequired,
    PasswordChangeRequired,
    RateLimited,
    StepUpRequired,
    Unauthenticated,
)
from app.file_bounds import FileBounds
from app.keys import KeyStore
from app.models.codes.people import Language, Role
from app.permissions import Permission
from app.policy import STEP_UP_LASTS, role_may
from app.sealing.key_encryption import KeyEncryption
from app.settings import Settings
from app.tokens import AccessTokens, Claims, InvalidToken
from app.webhooks.sending import Sender

if TYPE_CHECKING:  # it counts by definitions that stand above this file
    from app.organisation_totals import OrganisationTotals


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is calling, as the database knows it in this very transaction."""

    id: UUID
    session_id: UUID
    username: str
    display_name: str
    role: Role
    organisation_id: UUID | None
    communes: tuple[str, ...]
    language: Language
    now: datetime
    proved_at: datetime
    mfa_enrolled: bool = False
    password_due: bool = False
    mfa_due: bool = False
    scopes: frozenset[str] | None = None  # of a system; None: a person
    confirmation_due: bool = False

    @property
    def is_nobody(self) -> bool:
        """Is something owed first, a factor or somebody's yes? To the row policies such an account is nobody."""
        return self.password_due or self.mfa_due or self.confirmation_due

    @property
    def own_organisation(self) -> UUID:
        """The organisation that casework staff always has; 403 for who has none."""
        if self.organisation_id is None:
            raise Forbidden
        return self.organisation_id


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request: its transaction and its caller."""

    session: AsyncSession
    actor: Actor


class RequestRate:
    """Requests of one account, or address, in one process (safety.md: 1,200 a minute, of which 60 searches)."""

    def __init__(self, per_minute: int, policy: str = "requests") -> None:
        self._item, self._policy = RateLimitItemPerMinute(per_minute), policy
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def count(self, account: UUID | str) -> None:
        """Count one request; 429 beyond the limit."""
        if not await self._limiter.hit(self._item, str(account)):
            raise RateLimited(retry_after=5, policy=self._policy)


class StrangerRate:
    """Refusals of strangers that get a row of their own, by address; beyond the limit they are only counted."""

    MOST_ADDRESSES = 10_000  # beyond, the addresses of one minute are counted as one, the empty one

    def __init__(self, per_minute: int = 60) -> None:
        self._item = RateLimitItemPerMinute(per_minute)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._beyond: Counter[str] = Counter()

    async def has_room(self, address: str) -> bool:
        """Whether this refusal gets its own row; else it was counted."""
        if await self._limiter.hit(self._item, address):
            return True
        known = address in self._beyond or len(self._beyond) < self.MOST_ADDRESSES
        self._beyond[address if known else ""] += 1
        return False

    def take(self) -> list[tuple[str, int]]:
        """Addresses with what was counted since the last call, which forgets it."""
        taken, self._beyond = self._beyond, Counter()
        return list(taken.items())

    def give_back(self, untold: Iterable[tuple[str, int]]) -> None:
        """What could not be told yet is counted on."""
        for address, counted in untold:
            self._beyond[address] += counted


@dataclass(frozen=True, slots=True)
class Runtime:
    """What one running process holds; at `app.state.runtime`."""

    settings: Settings
    database: Database
    keys: KeyStore
    kek: KeyEncryption
    tokens: AccessTokens
    rate: RequestRate
    searches: RequestRate
    visits: RequestRate
    ledger: Ledger
    hooks: Sender
    totals: "OrganisationTotals"
    export_key_set: dict[str, list[dict[str, str]]]  # the public halves of what signs releases
    strangers: StrangerRate = field(default_factory=StrangerRate)
    files: FileBounds = field(default_factory=FileBounds)
    import_waits: asyncio.Event = field(default_factory=asyncio.Event)  # wakes app.importing


def runtime_of(request: Request) -> Runtime:
    """The process's runtime."""
    runtime: Runtime = request.app.state.runtime
    return runtime


async def read_claims(request: Request, late: timedelta = timedelta(0)) -> Claims:
    """What the bearer token says; 401 without a good one, or one that ran out longer ago than `late`.

    Reads neither body nor database.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    runtime = runtime_of(request)
    if scheme.lower() != "bearer":
        raise Unauthenticated
    try:
        claims = runtime.tokens.read(token, runtime.database.now(), late)
    except InvalidToken:
        raise Unauthenticated from None
    await runtime.rate.count(claims.subject)
    return claims


async def authenticate(runtime: Runtime, session: AsyncSession, claims: Claims) -> Actor:
    """The Actor of a live session; 401 after logout, deactivation, or the session's end."""
    return await act_as(runtime, session, claims.session, claims.subject)


async def act_as(runtime: Runtime, session: AsyncSession, session_id: UUID, user_id: UUID) -> Actor:
    """The same by the ids: for work that goes on after its request, in the name of who asked for it (app.importing)."""
    row = await runtime.database.begin_request(session, session_id, mfa_required=runtime.settings.mfa_required)
    if row is None or row.user_id != user_id:
        raise Unauthenticated
    return Actor(
        id=row.user_id,
        session_id=session_id,
        username=row.username,
        display_name=row.display_name,
        role=Role(row.role),
        organisation_id=row.organisation_id,
        communes=tuple(row.communes),
        language=Language(row.language),
        now=row.at,
        proved_at=row.proved_at,
        mfa_enrolled=row.mfa_enrolled,
        password_due=row.password_due,
        mfa_due=row.mfa_due,
        scopes=None if row.scopes is None else frozenset(row.scopes),
        confirmation_due=row.confirmation_due,
    )


def allowed(permission: Permission) -> Any:
    """Names an operation's permission in its signature: `actor: Annotated[Actor, allowed(Permission.NOTE_ADD)]`.

    The route reads the name and has checked it (401, 403) before anything else of the request is looked at.
    """
    return Depends(_Allowed(permission))


class _Allowed:
    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, request: Request) -> Actor:
        call: Call = request.state.call
        return call.actor


async def current_session(request: Request) -> AsyncSession:
    """The transaction of the request."""
    call: Call = request.state.call
    return call.session


def declared_permission(dependant: Dependant) -> Permission | None:
    """The permission that an operation names, or None for a public one."""
    for part in dependant.dependencies:
        if isinstance(part.call, _Allowed):
            return part.call.permission
    return None


def require_role(actor: Actor, permission: Permission) -> None:
    """403 when the caller's role, or scopes, may never use the operation, whatever the id; before that 401 while the
    account owes a factor, and 403 to a system that nobody of its organisation has confirmed."""
    if permission is not Permission.SELF and actor.password_due:
        raise PasswordChangeRequired
    if permission is not Permission.SELF and actor.mfa_due:
        raise MfaRequired
    if permission is not Permission.SELF and actor.confirmation_due:
        raise ConfirmationRequired
    if not role_may(actor.role, permission, actor.scopes):
        raise Forbidden


def require_step_up(actor: Actor) -> None:
    """401 `step_up_required` unless the session proved its factors (sign-in, step-up) within the last five minutes.

    Asked after visibility: what the caller cannot see is 404, whenever they last typed their password.
    """
    if actor.now - actor.proved_at > STEP_UP_LASTS:
        raise StepUpRequired
