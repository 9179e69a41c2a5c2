"""The people of the tests, by role, each with a client that calls the API as them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from types import TracebackType
from typing import Any, Self
from uuid import UUID, uuid4

import httpx
from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncSession

from app.models.codes.people import AreaLevel, OrganisationKind, Role
from app.models.organisation import Organisation
from app.models.user import SignInSession, User, UserCredential
from app.security import Runtime

START = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
COMMUNE, OTHER_COMMUNE, VILLAGE = "170201", "170301", "17020101"


class FrozenClock:
    """The application's clock in tests; it only moves when told to."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **duration: float) -> None:
        """Let time pass: `advance(hours=4)`."""
        self.at += timedelta(**duration)


# By name: role, organisation and communes.
PEOPLE: Mapping[str, tuple[Role, str | None, list[str]]] = {
    "caseworker": (Role.CASEWORKER, "ngo", []),
    "colleague": (Role.CASEWORKER, "ngo", []),
    "supervisor": (Role.SUPERVISOR, "ngo", []),
    "second_supervisor": (Role.SUPERVISOR, "ngo", []),
    "stranger": (Role.CASEWORKER, "other_ngo", []),
    "other_supervisor": (Role.SUPERVISOR, "other_ngo", []),
    "liaison": (Role.CCWC_LIAISON, "council", [COMMUNE]),
    "second_liaison": (Role.CCWC_LIAISON, "council", [COMMUNE]),
    "other_liaison": (Role.CCWC_LIAISON, "council", [OTHER_COMMUNE]),
    "partner": (Role.PARTNER, "clinic", []),
    "auditor": (Role.AUDITOR, None, []),
    "admin": (Role.ADMIN, None, []),
}
ORGANISATIONS = {
    "ngo": OrganisationKind.NGO,
    "other_ngo": OrganisationKind.NGO,
    "council": OrganisationKind.COMMUNE_COUNCIL,
    "clinic": OrganisationKind.HEALTH,
}
AREAS = [
    ("17", AreaLevel.PROVINCE, None),
    ("1702", AreaLevel.DISTRICT, "17"),
    ("1703", AreaLevel.DISTRICT, "17"),
    (COMMUNE, AreaLevel.COMMUNE, "1702"),
    (OTHER_COMMUNE, AreaLevel.COMMUNE, "1703"),
    (VILLAGE, AreaLevel.VILLAGE, COMMUNE),
]


PASSWORD = "a boat on the great lake"
STEP_UP_WANTED = 'Bearer error="insufficient_user_authentication"'


@cache
def password_hash() -> str:
    """The hash of everybody's password, made once."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


class _Bearer(httpx.Auth):
    """A token for the present moment at every request, so that frozen time may be moved.

    When the sign-in has become too old for what is asked, steps up and asks again, as a front end does.
    """

    def __init__(self, runtime: Runtime, clock: FrozenClock, user_id: UUID, session_id: UUID) -> None:
        self.runtime, self.clock, self.user_id, self.session_id = runtime, clock, user_id, session_id

    def auth_flow(self, request: httpx.Request) -> Any:
        token, _ = self.runtime.tokens.issue(self.user_id, self.session_id, self.clock())
        request.headers.setdefault("Authorization", f"Bearer {token}")
        response = yield request
        if response.headers.get("WWW-Authenticate") == STEP_UP_WANTED:
            bearer = {"Authorization": f"Bearer {token}"}
            url = request.url.copy_with(path="/api/v1/auth/step-up", query=None)
            yield httpx.Request("POST", url, json={"password": PASSWORD}, headers=bearer)
            yield request


class Cast:
    """Ids and clients by name; `add` puts more people on the stage."""

    def __init__(self, transport: httpx.AsyncBaseTransport, runtime: Runtime, clock: FrozenClock) -> None:
        self.transport, self.runtime, self.clock = transport, runtime, clock
        self.users: dict[str, User] = {}
        self.organisations: dict[str, UUID] = {}
        self.sessions: dict[str, UUID] = {}
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            await client.aclose()

    def id(self, name: str) -> str:
        """The user's id as the API writes it."""
        return str(self.users[name].id)

    def organisation(self, name: str) -> str:
        """The organisation's id as the API writes it."""
        return str(self.organisations[name])

    def client(self, name: str) -> httpx.AsyncClient:
        """A client that calls as this person; "nobody" has no token."""
        if name not in self._clients:
            auth = None
            if name != "nobody":
                auth = _Bearer(self.runtime, self.clock, self.users[name].id, self.sessions[name])
            self._clients[name] = httpx.AsyncClient(
                transport=self.transport, base_url="http://samaki.test/api/v1", auth=auth
            )
        return self._clients[name]

    def recognise(self, other: Self) -> None:
        """The people of another cast, whose database ours is a copy of."""
        self.users |= other.users
        self.organisations |= other.organisations
        self.sessions |= other.sessions

    async def add(self, name: str, role: Role, organisation: str | None, communes: list[str]) -> None:
        """One more person with an open session."""
        now = self.clock()
        user = User.named(
            now,
            username=f"{name}.{uuid4().hex[:6]}",
            display_name=name.replace("_", " ").title(),
            role=role,
            organisation_id=self.organisations[organisation] if organisation else None,
            communes=communes,
        )
        sign_in = SignInSession(user_id=user.id, created_at=now, expires_at=now + timedelta(days=3650))
        self.users[name], self.sessions[name] = user, sign_in.id
        async with self.runtime.database.transaction() as session:
            session.add(user)
            await session.flush()
            session.add(sign_in)
            session.add(UserCredential(user_id=user.id, password_hash=password_hash(), changed_at=now))


async def add_cast(cast: Cast) -> None:
    """Areas, organisations, and one person (or more) of each role."""
    async with cast.runtime.database.transaction() as session:
        await _add_organisations(session, cast)
    for name, (role, organisation, communes) in PEOPLE.items():
        await cast.add(name, role, organisation, communes)


async def _add_organisations(session: AsyncSession, cast: Cast) -> None:
    for name, kind in ORGANISATIONS.items():
        row = Organisation.named(cast.clock(), name=name, name_km="អង្គការ", kind=kind, signatory=name == "ngo")
        cast.organisations[name] = row.id
        session.add(row)


class UnexpectedAnswerError(AssertionError):
    """An answer that a test did not expect; shows status and code, never the body."""


def answered(response: httpx.Response, status: int) -> Any:
    """The JSON of an answer that must have this status."""
    if response.status_code != status:
        code = response.json().get("code") if response.content else None
        errors = response.json().get("errors") if response.content else None
        raise UnexpectedAnswerError(
            f"{response.request.method} answered {response.status_code} {code} {errors}, not {status}"
        )
    return response.json() if response.content else None
