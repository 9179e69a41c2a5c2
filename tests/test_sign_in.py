"""Signing in: what the token endpoint takes, and that nobody learns from its refusals who exists."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from argon2 import PasswordHasher, extract_parameters

from app.models.codes.people import Role
from app.models.user import User
from app.policy import permissions_of
from app.security import Runtime
from app.services.operators import create_user, reset_password
from app.settings import SetupError
from tests.cast import Cast, FrozenClock, answered
from tests.doors import Newcomer, bearer, blocked, change, door, hashing_held, newcomer, token, until_hashing
from tests.hostile_strings import HOSTILE


@pytest.fixture
def client(app: object) -> httpx.AsyncClient:
    return door(app)


@pytest.fixture
async def somebody(runtime: Runtime) -> Newcomer:
    return await newcomer(runtime)


def unnamed(response: httpx.Response) -> tuple[int, Any, Any]:
    """Everything of an answer but the request's own id."""
    body = response.json()
    body.pop("instance")
    headers = {name: value for name, value in response.headers.items() if name != "x-request-id"}
    return response.status_code, body, headers


async def test_a_right_password_opens_a_session_that_says_who_you_are(
    client: httpx.AsyncClient, somebody: Newcomer
) -> None:
    response = await token(client, somebody.grant())
    tokens = answered(response, 200)
    assert tokens.keys() == {"access_token", "token_type", "expires_in", "refresh_token"}
    assert (tokens["token_type"], tokens["expires_in"], len(tokens["refresh_token"])) == ("bearer", 900, 43)
    assert response.headers["cache-control"] == "no-store"
    me = answered(await client.get("/me", headers=bearer(tokens)), 200)
    assert me == {
        "id": somebody.id,
        "username": somebody.username,
        "display_name": "New Comer",
        "role": "auditor",
        "organisation_id": None,
        "communes": [],
        "permissions": permissions_of(Role.AUDITOR),
        "mfa_enrolled": False,
        "language": "km",
    }


async def refused_accounts(runtime: Runtime, cast: Cast) -> dict[str, dict[str, str]]:
    """Forms that are all refused, each for another reason."""
    known = await newcomer(runtime)
    inactive = await newcomer(runtime, active=False)
    admin = cast.client("admin")
    organisation = {"name": "Closed", "name_km": "បិទ", "kind": "health"}
    closed = answered(await admin.post("/organisations", json=organisation), 201)["id"]
    away = await newcomer(runtime, Role.AUDITOR, organisation_id=closed)
    system = answered(await admin.post(f"/organisations/{closed}/clients", json={"name": "EMR"}), 201)
    running = cast.organisation("clinic")
    live = answered(await admin.post(f"/organisations/{running}/clients", json={"name": "EMR"}), 201)
    answered(
        await admin.patch(f"/organisations/{closed}", json={"active": False}, headers={"If-Match": '"1"'}),
        200,
    )
    by_password = {
        "grant_type": "password", "username": live["client_id"], "password": live["client_secret"]
    }  # fmt: skip
    as_system = {
        "grant_type": "client_credentials", "client_id": known.username, "client_secret": known.password
    }  # fmt: skip
    of_closed = {
        "grant_type": "client_credentials",
        "client_id": system["client_id"],
        "client_secret": system["client_secret"],
    }
    return {
        "unknown name": known.grant(username="nobody.here"),
        "wrong password": known.grant(password="not this one"),
        "upper case": known.grant(username=known.username.upper()),
        "name with a space": known.grant(username=f"{known.username} "),
        "inactive user": inactive.grant(),
        "inactive organisation": away.grant(),
        "system of an inactive organisation": of_closed,
        "system by password": by_password,
        "person as a system": as_system,
        "unknown system": as_system | {"client_id": "nobody"},
    }


async def test_every_refusal_has_the_same_bytes(app: object, runtime: Runtime, cast: Cast) -> None:
    answers = {
        why: unnamed(await token(door(app), form)) for why, form in (await refused_accounts(runtime, cast)).items()
    }
    expected = answers["unknown name"]
    assert expected[0] == 401
    assert expected[1]["code"] == "unauthenticated"
    for why, answer in answers.items():
        assert answer == expected, why


async def test_every_refusal_hashes_once_and_holds_no_connection_meanwhile(
    app: object, runtime: Runtime, cast: Cast
) -> None:
    for why, form in (await refused_accounts(runtime, cast)).items():
        with hashing_held():
            task = asyncio.create_task(token(door(app), form))
            assert await until_hashing(task), why
            assert runtime.database.engine.pool.checkedout() == 0, why  # type: ignore[attr-defined]
        assert (await task).status_code == 401, why


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ("", "/grant_type", "required"),
        ("username=a&password=b", "/grant_type", "required"),
        ("grant_type=&username=a&password=b", "/grant_type", "unknown_code"),
        ("grant_type=implicit", "/grant_type", "unknown_code"),
        ("grant_type=Password&username=a&password=b", "/grant_type", "unknown_code"),
        ("grant_type=password&username=a", "/password", "required"),
        ("grant_type=password&password=b", "/username", "required"),
        ("grant_type=password&username=a&password=", "/password", "too_short"),
        ("grant_type=password&username=&password=b", "/username", "too_short"),
        ("grant_type=password&username=a&password=b&scope=all", "/scope", "unknown_field"),
        ("grant_type=password&username=a&password=b&refresh_token=c", "/refresh_token", "unknown_field"),
        ("grant_type=refresh_token", "/refresh_token", "required"),
        ("grant_type=refresh_token&refresh_token=a&username=b", "/username", "unknown_field"),
        ("grant_type=client_credentials&client_id=a", "/client_secret", "required"),
        ("grant_type=client_credentials&username=a&password=b", "/client_id", "required"),
        ("grant_type=password&username=a&username=a&password=b", "", "duplicate_field"),
        ("grant_type=password&grant_type=refresh_token&refresh_token=a", "", "duplicate_field"),
        ("grant_type=password&username=a%00&password=b", "/username", "invalid_format"),
        ("grant_type=password&username=%FF&password=b", "", "malformed_body"),
        ("grant_type=password&username&password=b", "", "malformed_body"),
        ("&".join(f"f{n}=1" for n in range(11)), "", "malformed_body"),
        (f"grant_type=password&username=a&password={'b' * 1025}", "/password", "too_long"),
        (f"grant_type=password&username={'a' * 201}&password=b", "/username", "too_long"),
    ],
)
async def test_a_form_that_is_not_exactly_one_grant_is_told_what_is_wrong(
    client: httpx.AsyncClient, body: str, pointer: str, code: str
) -> None:
    response = await client.post("/auth/token", content=body, headers={"Content-Type": FORM})
    errors = answered(response, 422)["errors"]
    assert (pointer, code) in {(error["pointer"], error["code"]) for error in errors}


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", f"{FORM}x", ""])
async def test_only_a_url_encoded_form_is_taken(client: httpx.AsyncClient, somebody: Newcomer, kind: str) -> None:
    form = f"grant_type=password&username={somebody.username}&password={somebody.password}"
    refused = await client.post("/auth/token", content=form, headers={"Content-Type": kind} if kind else {})
    assert answered(refused, 415)["code"] == "unsupported_media_type"
    taken = f"{FORM.upper()}; charset=UTF-8"
    answered(await client.post("/auth/token", content=form, headers={"Content-Type": taken}), 200)


async def test_credentials_in_the_address_are_refused(client: httpx.AsyncClient, somebody: Newcomer) -> None:
    response = await client.post("/auth/token", params=somebody.grant(), data=somebody.grant())
    assert answered(response, 422)["errors"][0]["pointer"] == "/query/grant_type"


async def test_no_text_in_any_field_is_more_than_a_refusal(app: object) -> None:
    for _, text in HOSTILE:
        client = door(app)
        quoted = "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass")[:150])
        for form in (
            f"grant_type={quoted}",
            f"{quoted}=password",
            f"grant_type=password&username={quoted}&password=x",
            f"grant_type=refresh_token&refresh_token={quoted}",
            f"grant_type=client_credentials&client_id=x&client_secret={quoted}",
        ):
            response = await client.post("/auth/token", content=form, headers={"Content-Type": FORM})
            assert response.status_code in {401, 422}


async def test_a_hash_with_old_parameters_is_made_anew_by_the_next_right_password_only(
    client: httpx.AsyncClient, somebody: Newcomer, superuser: psycopg.Connection
) -> None:
    def stored() -> str:
        query = "select password_hash from user_credentials where user_id = %s"
        row = superuser.execute(query, [somebody.id]).fetchone()
        assert row is not None
        return str(row[0])

    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(somebody.password)
    superuser.execute("update user_credentials set password_hash = %s where user_id = %s", [old, somebody.id])
    answered(await token(client, somebody.grant(password="wrong")), 401)
    assert stored() == old
    answered(await token(client, somebody.grant()), 200)
    assert extract_parameters(stored()).time_cost == 2
    made = stored()
    answered(await token(client, somebody.grant()), 200)
    assert stored() == made


async def test_who_is_deactivated_while_the_password_is_checked_is_not_let_in(
    client: httpx.AsyncClient, runtime: Runtime, somebody: Newcomer, superuser: psycopg.Connection
) -> None:
    async with runtime.database.transaction() as session:
        (await session.get_one(User, somebody.id)).active = False
        await session.flush()
        task = asyncio.create_task(token(client, somebody.grant()))
        assert await blocked(superuser, task)
    answered(await task, 401)
    await change(runtime, somebody, active=True)
    answered(await token(client, somebody.grant()), 200)


async def test_who_has_the_old_password_is_not_let_in_while_it_is_reset(
    client: httpx.AsyncClient,
    runtime: Runtime,
    clock: FrozenClock,
    somebody: Newcomer,
    superuser: psycopg.Connection,
) -> None:
    clock.advance(seconds=1)
    tokens = answered(await token(client, somebody.grant()), 200)
    async with runtime.database.transaction() as session:
        new = await reset_password(session, clock(), somebody.username)
        task = asyncio.create_task(token(client, somebody.grant()))
        assert await blocked(superuser, task)
    answered(await task, 401)
    answered(await client.get("/me", headers=bearer(tokens)), 401)
    answered(await token(client, somebody.grant()), 401)
    answered(await token(client, somebody.grant(password=new)), 200)


async def test_what_the_operator_does_to_accounts_is_in_the_trail(
    runtime: Runtime, cast: Cast, clock: FrozenClock, superuser: psycopg.Connection
) -> None:
    name = f"first.{uuid4().hex[:8]}"
    clock.advance(seconds=1)
    async with runtime.database.transaction() as session:
        user, _ = await create_user(session, clock(), username=name, display_name="First", role="auditor")
    async with runtime.database.transaction() as session:
        await reset_password(session, clock(), name)
    rows = "select action, status, actor_id, kind, reason, at from audit_events where subject_id = %s order by seq"
    expected = ("settings", "by_operator", clock())
    assert superuser.execute(rows, [user.id]).fetchall() == [
        ("add_user", 201, None, *expected),
        ("reset_password", 200, None, *expected),
    ]
    page = answered(await cast.client("admin").get("/audit-events", params={"action": "add_user"}), 200)
    assert str(user.id) in {one["subject_id"] for one in page["items"]}
    with pytest.raises(SetupError):
        async with runtime.database.transaction() as session:
            await reset_password(session, clock(), "nobody.here")


async def test_the_operator_cannot_reset_what_nobody_or_a_system_has(runtime: Runtime, cast: Cast) -> None:
    path = f"/organisations/{cast.organisation('clinic')}/clients"
    system = answered(await cast.client("admin").post(path, json={"name": "EMR"}), 201)
    for name in ("nobody.here", system["client_id"]):
        with pytest.raises(SetupError):
            async with runtime.database.transaction() as session:
                await reset_password(session, runtime.database.now(), name)


async def test_the_public_keys_are_for_everybody_and_have_no_private_part(app: object) -> None:
    response = await door(app).get("http://samaki.test/.well-known/jwks.json")
    [key] = answered(response, 200)["keys"]
    assert key.keys() == {"crv", "kty", "x", "y", "kid", "use", "alg"}
    assert response.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"username": "Upper"}, "username"),
        ({"role": "owner"}, "role"),
        ({"role": "caseworker"}, "organisation_id"),
        ({"communes": ["999999"], "role": "ccwc_liaison"}, "communes"),
        ({"organisation_name": "Nowhere"}, "organisation"),
        ({"password": "short"}, "too_short"),
    ],
)
async def test_the_operator_is_told_in_a_sentence_what_is_wrong(
    runtime: Runtime, changes: dict[str, Any], named: str
) -> None:
    given = {"username": f"first.{uuid4().hex[:8]}", "display_name": "First", "role": "admin", **changes}
    with pytest.raises(SetupError, match=named):
        async with runtime.database.transaction() as session:
            await create_user(session, runtime.database.now(), **given)


async def test_the_operator_may_choose_the_password_but_no_name_in_use(
    client: httpx.AsyncClient, runtime: Runtime, somebody: Newcomer
) -> None:
    name, password = f"first.{uuid4().hex[:8]}", "a lantern in the field"
    given = {"display_name": "First", "role": "caseworker", "organisation_name": "ngo", "password": password}
    async with runtime.database.transaction() as session:
        await create_user(session, runtime.database.now(), username=name, **given)
    answered(await token(client, {"grant_type": "password", "username": name, "password": password}), 200)
    with pytest.raises(SetupError, match="already"):
        async with runtime.database.transaction() as session:
            await create_user(session, runtime.database.now(), username=somebody.username, **given)
