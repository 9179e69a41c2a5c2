"""One's own account: another password, and every sign-in listed and ended from afar."""

from typing import Any

import httpx
import psycopg
import pytest

from app.passwords import new_password, password_problem
from app.security import Runtime
from tests.cast import FrozenClock, answered
from tests.doors import Newcomer, bearer, door, newcomer, refreshed, token
from tests.test_second_factor import refusal

CHOSEN = "three herons in the reeds"


@pytest.fixture
def client(app: object) -> httpx.AsyncClient:
    return door(app)


@pytest.fixture
async def somebody(runtime: Runtime) -> Newcomer:
    return await newcomer(runtime)


async def tokens_of(client: httpx.AsyncClient, who: Newcomer) -> Any:
    return answered(await token(client, who.grant()), 200)


async def changed(client: httpx.AsyncClient, headers: dict[str, str], current: str, new: str) -> httpx.Response:
    body = {"current_password": current, "new_password": new}
    return await client.put("/me/password", json=body, headers=headers)


async def listed(client: httpx.AsyncClient, headers: dict[str, str]) -> list[Any]:
    items: list[Any] = answered(await client.get("/auth/sessions", headers=headers), 200)["items"]
    return items


async def test_a_new_password_ends_every_other_session_and_the_old_password(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock, superuser: psycopg.Connection
) -> None:
    here, there = await tokens_of(client, somebody), await tokens_of(client, somebody)
    clock.advance(seconds=1)
    assert (await changed(client, bearer(here), somebody.password, CHOSEN)).status_code == 204
    answered(await client.get("/me", headers=bearer(here)), 200)
    answered(await refreshed(client, here["refresh_token"]), 200)
    answered(await client.get("/me", headers=bearer(there)), 401)
    answered(await refreshed(client, there["refresh_token"]), 401)
    answered(await token(client, somebody.grant()), 401)
    answered(await token(client, somebody.grant(password=CHOSEN)), 200)
    query = "select end_reason from sessions where user_id = %s and ended_at is not null"
    assert superuser.execute(query, [somebody.id]).fetchall() == [("password_changed",)]


async def test_who_holds_a_session_but_not_the_password_changes_nothing_and_is_counted(
    client: httpx.AsyncClient, somebody: Newcomer
) -> None:
    headers = bearer(await tokens_of(client, somebody))
    for _ in range(10):
        assert refusal(await changed(client, headers, "not this one", CHOSEN)) == "unauthenticated"
    answered(await changed(client, headers, somebody.password, CHOSEN), 429)
    assert len(await listed(client, headers)) == 1


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("short", "too_short"),
        ("passwordpassword", "too_common"),
        ("qwertyuiop123", "too_common"),
        ("1234567890123456", "too_common"),
        ("", "too_short"),
        ("x" * 1025, "too_long"),
    ],
)
async def test_a_password_that_is_easily_guessed_is_refused_before_anything_is_counted(
    client: httpx.AsyncClient, somebody: Newcomer, superuser: psycopg.Connection, new: str, code: str
) -> None:
    headers = bearer(await tokens_of(client, somebody))
    before = superuser.execute("select count(*) from sign_in_attempts").fetchone()
    error = answered(await changed(client, headers, somebody.password, new), 422)["errors"][0]
    assert (error["pointer"], error["code"]) == ("/new_password", code)
    assert superuser.execute("select count(*) from sign_in_attempts").fetchone() == before
    answered(await token(client, somebody.grant()), 200)


async def test_the_new_password_is_another_one_and_not_the_name(client: httpx.AsyncClient, somebody: Newcomer) -> None:
    headers = bearer(await tokens_of(client, somebody))
    for new, code in ((somebody.password, "unchanged"), (f"my {somebody.username} here", "contains_username")):
        error = answered(await changed(client, headers, somebody.password, new), 422)["errors"][0]
        assert (error["pointer"], error["code"]) == ("/new_password", code)


def test_passwords_in_khmer_and_of_plain_words_are_not_common() -> None:
    for good in ("ខ្ញុំស្រឡាញ់ប្រាសាទ", "four plain words together", new_password(), CHOSEN):
        assert password_problem(good, "sok.dara") is None
    for bad in ("password1234", "iloveyou1234", "abcdefghijkl", "aaaaaaaaaaaa", "Password123!!!!"):
        assert password_problem(bad, "sok.dara") == "too_common", bad


async def test_everybody_lists_and_ends_their_own_sessions_and_nobody_elses(
    client: httpx.AsyncClient, runtime: Runtime, somebody: Newcomer, superuser: psycopg.Connection
) -> None:
    here, there = await tokens_of(client, somebody), await tokens_of(client, somebody)
    other = bearer(await tokens_of(client, await newcomer(runtime)))
    sessions = await listed(client, bearer(here))
    assert [one["current"] for one in sessions].count(True) == 1
    assert len(sessions) == 2
    afar = next(one["id"] for one in sessions if not one["current"])
    answered(await client.delete(f"/auth/sessions/{afar}", headers=other), 404)
    answered(await client.get("/me", headers=bearer(there)), 200)
    for _ in range(2):
        assert (await client.delete(f"/auth/sessions/{afar}", headers=bearer(here))).status_code == 204
    answered(await client.get("/me", headers=bearer(there)), 401)
    # The token endpoint says what it says of every token; that the device is to be wiped is for its next /sync.
    assert refusal(await refreshed(client, there["refresh_token"])) == "unauthenticated"
    kept = superuser.execute("select end_reason from sessions where id = %s", [afar])
    assert kept.fetchone() == ("ended_remotely",)
    assert [one["current"] for one in await listed(client, bearer(here))] == [True]
    own = (await listed(client, bearer(here)))[0]["id"]
    assert (await client.delete(f"/auth/sessions/{own}", headers=bearer(here))).status_code == 204
    answered(await client.get("/me", headers=bearer(here)), 401)
    kept = superuser.execute("select end_reason from sessions where id = %s", [own])
    assert kept.fetchone() == ("logout",)


async def test_an_expired_session_is_not_listed(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock
) -> None:
    await tokens_of(client, somebody)
    clock.advance(days=31)
    assert len(await listed(client, bearer(await tokens_of(client, somebody)))) == 1
