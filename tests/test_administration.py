"""Administration: only admins, at least one of them always, and strangers before anything is read."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.database_urls import DatabaseUrls
from app.main import create_app
from app.models.codes.people import Role
from app.security import Actor, authenticate
from app.services import users
from app.tokens import Claims
from tests.cast import Cast, FrozenClock, add_cast, answered
from tests.conftest import settings_for
from tests.doors import blocked
from tests.test_users import added, patched


@pytest.fixture
async def small(fresh_database: DatabaseUrls, keys_dir: Path, clock: FrozenClock) -> AsyncIterator[Cast]:
    """A service of its own with one admin."""
    application = create_app(settings_for(fresh_database, keys_dir), clock)
    transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
    async with (
        application.router.lifespan_context(application),
        Cast(transport, application.state.runtime, clock) as people,
    ):
        await add_cast(people)
        yield people


async def test_the_last_admin_cannot_be_shut_out(small: Cast) -> None:
    admin, own_id = small.client("admin"), small.id("admin")
    away = await added(small, role="admin")
    answered(await patched(small, away, active=False), 200)
    answered(await admin.post(f"/users/{own_id}/deactivate"), 409)
    response = await admin.patch(f"/users/{own_id}", json={"active": False}, headers={"If-Match": '"1"'})
    assert answered(response, 409)["code"] == "conflict"
    answered(await patched(small, {"id": own_id}, role="auditor"), 409)
    assert answered(await admin.get("/me"), 200)["role"] == "admin"
    answered(await patched(small, away, active=True), 200)
    answered(await admin.post(f"/users/{own_id}/deactivate"), 200)
    answered(await admin.get("/me"), 401)


async def test_the_organisation_of_the_last_admin_cannot_be_closed(small: Cast) -> None:
    admin, own = small.client("admin"), {"id": small.id("admin")}
    home, shut = small.organisation("ngo"), small.organisation("other_ngo")
    headers = {"If-Match": '"1"'}
    answered(await admin.patch(f"/organisations/{shut}", json={"active": False}, headers=headers), 200)
    answered(await patched(small, own, organisation_id=shut), 409)
    answered(await patched(small, own, organisation_id=home), 200)
    answered(await admin.patch(f"/organisations/{home}", json={"active": False}, headers=headers), 409)
    await added(small, role="admin")
    answered(await admin.patch(f"/organisations/{home}", json={"active": False}, headers=headers), 200)
    answered(await admin.get("/me"), 401)


@pytest.fixture
def looker(fresh_database: DatabaseUrls) -> Iterator[psycopg.Connection]:
    """Sees who waits for whom in the small service's database."""
    with psycopg.connect(fresh_database.admin, autocommit=True) as connection:
        yield connection


async def acting(cast: Cast, session: AsyncSession, name: str) -> Actor:
    """This person within a transaction of the test's own."""
    claims = Claims(cast.users[name].id, cast.sessions[name], uuid4())
    return await authenticate(cast.runtime, session, claims)


async def test_admins_who_deactivate_each_other_at_once_leave_one(small: Cast, looker: psycopg.Connection) -> None:
    await small.add("second", Role.ADMIN, None, [])
    async with small.runtime.database.transaction() as session:
        await users.deactivate(session, await acting(small, session, "second"), small.users["admin"].id, None)
        path = f"/users/{small.id('second')}/deactivate"
        task = asyncio.create_task(small.client("admin").post(path))
        assert await blocked(looker, task)
    answered(await task, 409)
    answered(await small.client("second").get("/me"), 200)


async def test_the_organisation_of_one_admin_is_not_closed_while_another_is_deactivated(
    small: Cast, looker: psycopg.Connection
) -> None:
    await small.add("second", Role.ADMIN, "ngo", [])
    async with small.runtime.database.transaction() as session:
        await users.deactivate(session, await acting(small, session, "second"), small.users["admin"].id, None)
        path = f"/organisations/{small.organisation('ngo')}"
        close = small.client("admin").patch(path, json={"active": False}, headers={"If-Match": '"1"'})
        task = asyncio.create_task(close)
        assert await blocked(looker, task)
    answered(await task, 409)
    answered(await small.client("second").get("/me"), 200)


async def test_a_liaison_gets_communes_and_not_whatever_has_six_digits(small: Cast, looker: psycopg.Connection) -> None:
    looker.execute("insert into areas (code, level, name_km) values ('170299', 'village', 'ភូមិ')")
    body = {"username": "liaison.new", "display_name": "New", "role": "ccwc_liaison", "communes": ["170299"]}
    answered(await small.client("admin").post("/users", json=body), 422)


OPERATIONS = [
    ("GET", "/users", 200),
    ("POST", "/users", 422),
    ("GET", "/users/{user}", 200),
    ("PATCH", "/users/{user}", 428),
    ("POST", "/users/{user}/deactivate", 412),
    ("POST", "/users/{user}/reset-password", 412),
    ("POST", "/users/{user}/reset-mfa", 412),
    ("POST", "/organisations", 422),
    ("PATCH", "/organisations/{organisation}", 428),
    ("POST", "/organisations/{organisation}/clients", 422),
]
ROLES = ("caseworker", "supervisor", "liaison", "partner", "auditor", "admin")


@pytest.mark.parametrize(("method", "path", "expected"), OPERATIONS)
async def test_only_an_admin_administers(cast: Cast, method: str, path: str, expected: int) -> None:
    url = path.format(user=cast.id("colleague"), organisation=cast.organisation("clinic"), unknown=uuid4())
    body: dict[str, Any] | None = None if method in {"GET", "DELETE"} or expected == 412 else {}
    headers = {"If-Match": '"99"'} if expected == 412 else {}
    for role in ROLES:
        response = await cast.client(role).request(method, url, json=body, headers=headers)
        answered(response, expected if role == "admin" else 403)
    answered(await cast.client("nobody").request(method, url, json=body, headers=headers), 401)


@pytest.mark.parametrize(
    ("method", "path"), [(method, path) for method, path, _ in OPERATIONS if method in {"POST", "PATCH"}]
)
@pytest.mark.parametrize("header", ["", "Bearer x.y.z", "Basic YTpi"])
async def test_a_stranger_is_refused_before_the_body_is_read(cast: Cast, method: str, path: str, header: str) -> None:
    taken: list[bytes] = []

    async def body() -> AsyncIterator[bytes]:
        taken.append(b"{")
        yield b"{"

    url = path.format(user=uuid4(), organisation=uuid4())
    headers = {"Content-Type": "application/json"} | ({"Authorization": header} if header else {})
    response = await cast.client("nobody").request(method, url, content=body(), headers=headers)
    answered(response, 401)
    assert taken == []
