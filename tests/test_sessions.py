"""Sessions: refresh tokens that work once, ends that act at once, and partners' systems."""

import asyncio
import base64
import hashlib
from collections import Counter
from typing import Any

import httpx
import psycopg
import pytest

from app.security import Runtime
from tests.cast import Cast, FrozenClock, answered
from tests.doors import Newcomer, bearer, change, door, newcomer, refreshed, token


@pytest.fixture
def client(app: object) -> httpx.AsyncClient:
    return door(app)


@pytest.fixture
async def somebody(runtime: Runtime) -> Newcomer:
    return await newcomer(runtime)


@pytest.fixture
async def tokens(client: httpx.AsyncClient, somebody: Newcomer) -> Any:
    return answered(await token(client, somebody.grant()), 200)


async def works(client: httpx.AsyncClient, tokens: dict[str, Any]) -> bool:
    """Is the access token taken?"""
    response = await client.get("/me", headers=bearer(tokens))
    answered(response, 200 if response.status_code == 200 else 401)
    return response.status_code == 200


async def test_a_refresh_token_gives_new_tokens_of_the_same_session(
    client: httpx.AsyncClient, tokens: dict[str, Any], superuser: psycopg.Connection, somebody: Newcomer
) -> None:
    following = answered(await refreshed(client, tokens["refresh_token"]), 200)
    assert following.keys() == tokens.keys()
    assert following["refresh_token"] != tokens["refresh_token"]
    assert following["access_token"] != tokens["access_token"]
    assert await works(client, following)
    assert await works(client, tokens)
    count = superuser.execute("select count(*) from sessions where user_id = %s", [somebody.id])
    assert count.fetchone() == (1,)


async def test_a_refresh_token_used_again_ends_the_whole_session(
    client: httpx.AsyncClient, tokens: dict[str, Any], superuser: psycopg.Connection, somebody: Newcomer
) -> None:
    following = answered(await refreshed(client, tokens["refresh_token"]), 200)
    answered(await refreshed(client, tokens["refresh_token"]), 401)
    assert not await works(client, following)
    assert not await works(client, tokens)
    answered(await refreshed(client, following["refresh_token"]), 401)
    reason = superuser.execute("select end_reason from sessions where user_id = %s", [somebody.id])
    assert reason.fetchone() == ("refresh_token_reused",)


async def test_reuse_ends_that_session_only(client: httpx.AsyncClient, somebody: Newcomer) -> None:
    first, second = [answered(await token(client, somebody.grant()), 200) for _ in range(2)]
    for status in (200, 401):
        answered(await refreshed(client, first["refresh_token"]), status)
    assert not await works(client, first)
    assert await works(client, second)


@pytest.mark.parametrize("times", [2, 8])
async def test_of_uses_at_once_one_wins_and_the_others_end_the_session(
    client: httpx.AsyncClient, tokens: dict[str, Any], times: int
) -> None:
    answers = await asyncio.gather(*(refreshed(client, tokens["refresh_token"]) for _ in range(times)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: times - 1}
    [winner] = [answer.json() for answer in answers if answer.status_code == 200]
    assert not await works(client, winner)
    answered(await refreshed(client, winner["refresh_token"]), 401)


async def test_a_session_unused_for_seven_days_ends(
    client: httpx.AsyncClient, tokens: dict[str, Any], clock: FrozenClock
) -> None:
    clock.advance(days=7, seconds=-1)
    tokens = answered(await refreshed(client, tokens["refresh_token"]), 200)
    clock.advance(days=7)
    answered(await refreshed(client, tokens["refresh_token"]), 401)


async def test_a_session_ends_after_thirty_days_however_much_it_is_used(
    client: httpx.AsyncClient, tokens: dict[str, Any], clock: FrozenClock
) -> None:
    for _ in range(5):
        clock.advance(days=5, hours=23)
        tokens = answered(await refreshed(client, tokens["refresh_token"]), 200)
    clock.advance(hours=5, minutes=-1)
    tokens = answered(await refreshed(client, tokens["refresh_token"]), 200)
    assert await works(client, tokens)
    clock.advance(minutes=1)
    assert not await works(client, tokens)
    answered(await refreshed(client, tokens["refresh_token"]), 401)


async def test_an_access_token_lives_fifteen_minutes(
    client: httpx.AsyncClient, tokens: dict[str, Any], clock: FrozenClock
) -> None:
    clock.advance(minutes=14)
    assert await works(client, tokens)
    clock.advance(minutes=1)
    assert not await works(client, tokens)


async def test_one_kind_of_token_is_never_taken_for_the_other(
    client: httpx.AsyncClient, tokens: dict[str, Any]
) -> None:
    assert not await works(client, {"access_token": tokens["refresh_token"]})
    for made_up in (tokens["access_token"][:1024], "x" * 43, tokens["refresh_token"] + "A"):
        answered(await refreshed(client, made_up), 401)
    answered(await refreshed(client, tokens["refresh_token"]), 200)


async def test_refresh_tokens_are_kept_as_keyed_hashes(tokens: dict[str, Any], superuser: psycopg.Connection) -> None:
    secret = tokens["refresh_token"].encode()
    kept = [bytes(digest) for (digest,) in superuser.execute("select digest from refresh_tokens")]
    assert all(len(digest) == 32 for digest in kept)
    assert hashlib.sha256(secret).digest() not in kept
    assert base64.urlsafe_b64decode(secret + b"=") not in kept


async def test_signing_out_ends_the_session_at_once_and_no_other(
    client: httpx.AsyncClient, tokens: dict[str, Any], somebody: Newcomer
) -> None:
    other = answered(await token(client, somebody.grant()), 200)
    following = answered(await refreshed(client, tokens["refresh_token"]), 200)
    assert (await client.post("/auth/logout", headers=bearer(tokens))).status_code == 204
    assert not await works(client, tokens)
    assert not await works(client, following)
    answered(await refreshed(client, following["refresh_token"]), 401)
    answered(await client.post("/auth/logout", headers=bearer(tokens)), 401)
    assert await works(client, other)


async def test_who_has_no_session_cannot_sign_out(client: httpx.AsyncClient) -> None:
    answered(await client.post("/auth/logout"), 401)


async def test_an_inactive_user_cannot_go_on_with_a_session(
    client: httpx.AsyncClient, tokens: dict[str, Any], runtime: Runtime, somebody: Newcomer
) -> None:
    await change(runtime, somebody, active=False)
    assert not await works(client, tokens)
    answered(await refreshed(client, tokens["refresh_token"]), 401)


async def system_of(cast: Cast) -> dict[str, str]:
    """The form with which a new system of the clinic signs in."""
    path = f"/organisations/{cast.organisation('clinic')}/clients"
    made = answered(await cast.client("admin").post(path, json={"name": "EMR"}), 201)
    return {
        "grant_type": "client_credentials",
        "client_id": made["client_id"],
        "client_secret": made["client_secret"],
    }


def basic(form: dict[str, str]) -> dict[str, str]:
    """The same credentials as HTTP Basic."""
    pair = f"{form['client_id']}:{form['client_secret']}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


async def test_a_partners_system_gets_an_access_token_and_nothing_to_keep(
    client: httpx.AsyncClient, cast: Cast, clock: FrozenClock
) -> None:
    form = await system_of(cast)
    tokens = answered(await token(client, form), 200)
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "scope"}
    me = answered(await client.get("/me", headers=bearer(tokens)), 200)
    assert (me["role"], me["organisation_id"]) == ("partner", cast.organisation("clinic"))
    assert (me["id"], me["username"]) == (form["client_id"], form["client_id"])
    clock.advance(minutes=15)
    assert not await works(client, tokens)


async def test_a_systems_session_is_over_with_its_token(
    client: httpx.AsyncClient, cast: Cast, clock: FrozenClock, superuser: psycopg.Connection
) -> None:
    form = await system_of(cast)
    answered(await token(client, form), 200)
    query = "select expires_at - created_at = interval '15 minutes' from sessions where user_id = %s"
    assert superuser.execute(query, [form["client_id"]]).fetchall() == [(True,)]


async def test_a_system_may_send_its_secret_as_http_basic_but_not_twice(client: httpx.AsyncClient, cast: Cast) -> None:
    form, only_grant = await system_of(cast), {"grant_type": "client_credentials"}
    answered(await client.post("/auth/token", data=only_grant, headers=basic(form)), 200)
    answered(await client.post("/auth/token", data=form, headers=basic(form)), 422)
    wrong = basic(form | {"client_secret": "wrong"})
    answered(await client.post("/auth/token", data=only_grant, headers=wrong), 401)


@pytest.mark.parametrize("value", ["Basic", "Basic ", "Basic %%%", "Basic /////w==", "Basic YQ"])
async def test_a_basic_header_that_cannot_be_read_is_no_sign_in(client: httpx.AsyncClient, value: str) -> None:
    data = {"grant_type": "client_credentials"}
    response = await client.post("/auth/token", data=data, headers={"Authorization": value})
    assert response.status_code in {401, 422}


async def test_basic_does_not_replace_a_persons_password(client: httpx.AsyncClient, somebody: Newcomer) -> None:
    header = basic({"client_id": somebody.username, "client_secret": somebody.password})
    answered(await client.post("/auth/token", data={"grant_type": "password"}, headers=header), 422)


async def test_an_ended_system_is_shut_out_at_once(client: httpx.AsyncClient, cast: Cast) -> None:
    form = await system_of(cast)
    tokens = answered(await token(client, form), 200)
    path = f"/organisations/{cast.organisation('clinic')}/clients/{form['client_id']}"
    assert (await cast.client("admin").delete(path)).status_code == 204
    assert not await works(client, tokens)
    answered(await token(client, form), 401)
    assert answered(await cast.client("admin").get(path), 200)["active"] is False
    assert (await cast.client("admin").delete(path)).status_code == 204
