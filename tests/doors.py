"""Signing in for tests: newcomers with a password, and doors (clients) at addresses of their own."""

import asyncio
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg

from app import passwords
from app.models.codes.people import Role
from app.models.user import User
from app.security import Runtime
from app.services.operators import create_user

_addresses = itertools.count(1)


@dataclass(frozen=True)
class Newcomer:
    """A user who can sign in."""

    id: str
    username: str
    password: str

    def grant(self, **changes: str) -> dict[str, str]:
        """The form of a sign-in with the right password."""
        form = {"grant_type": "password", "username": self.username, "password": self.password}
        return {**form, **changes}


async def newcomer(runtime: Runtime, role: Role = Role.AUDITOR, **changes: Any) -> Newcomer:
    """One more user; `changes` are columns of the row that the command line does not set."""
    async with runtime.database.transaction() as session:
        user, password = await create_user(
            session,
            runtime.database.now(),
            username=f"new.{uuid4().hex[:12]}",
            display_name="New Comer",
            role=role,
        )
        for name, value in changes.items():
            setattr(user, name, value)
    return Newcomer(str(user.id), user.username, password)


async def member(runtime: Runtime, role: Role, organisation_id: UUID | None = None) -> Newcomer:
    """A newcomer of any role, where it belongs."""
    made = await newcomer(runtime)
    await change(runtime, made, role=role, organisation_id=organisation_id)
    return made


async def change(runtime: Runtime, somebody: Newcomer, **columns: Any) -> None:
    """Write columns of a user's row, past the API."""
    async with runtime.database.transaction() as session:
        user = await session.get_one(User, somebody.id)
        for name, value in columns.items():
            setattr(user, name, value)


def door(app: object, address: str | None = None) -> httpx.AsyncClient:
    """A client without a token, at an address where nobody has failed yet unless given."""
    number = next(_addresses)
    own = address or f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False, client=(own, 1))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://samaki.test/api/v1")


async def token(client: httpx.AsyncClient, form: dict[str, str]) -> httpx.Response:
    """Ask for tokens."""
    return await client.post("/auth/token", data=form)


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    """The header that uses the access token."""
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def refreshed(client: httpx.AsyncClient, refresh_token: str) -> httpx.Response:
    """Go on with a session."""
    return await token(client, {"grant_type": "refresh_token", "refresh_token": refresh_token})


@contextmanager
def hashing_held() -> Iterator[None]:
    """Keeps both threads of the hashing pool busy, so that whoever hashes waits until the block ends."""
    gate, begun = threading.Event(), threading.Barrier(3)

    def hold() -> None:
        begun.wait()
        gate.wait()

    held = [passwords._pool.submit(hold) for _ in range(2)]
    begun.wait()  # from here on, whatever is in the pool's queue was put there by somebody else
    try:
        yield
    finally:
        gate.set()
        for one in held:
            one.result()


async def until_hashing(task: asyncio.Task[Any]) -> bool:
    """Waits until somebody stands in line for the pool; False when the task ended without it."""
    while not task.done() and passwords._pool._work_queue.empty():  # noqa: ASYNC110 (a pool has no event)
        await asyncio.sleep(0.005)
    return not task.done()


async def blocked(superuser: psycopg.Connection, task: asyncio.Task[Any]) -> bool:
    """Waits until some statement of the API waits for a lock; False when the task ended without."""
    query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = %s"
    while not task.done():
        row = superuser.execute(query, [superuser.info.dbname]).fetchone()
        if row and row[0]:
            return True
        await asyncio.sleep(0.005)  # the database tells nobody when it waits
    return False
