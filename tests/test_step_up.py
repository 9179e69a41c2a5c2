"""Step-up: what could be turned against a client asks for the factors again, five minutes after the last proof."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from app.models.codes.people import Role
from app.security import Runtime
from tests.acts import SENSITIVE, exclude
from tests.cases import intake, open_case
from tests.cast import Cast, FrozenClock, answered
from tests.doors import Newcomer, bearer, door, hashing_held, member, newcomer, token, until_hashing
from tests.test_second_factor import code, enrolled, refusal


@pytest.fixture
def client(app: object) -> httpx.AsyncClient:
    return door(app)


async def of_the_ngo(runtime: Runtime, cast: Cast, role: Role = Role.SUPERVISOR) -> Newcomer:
    """One more person of the cast's NGO, who signs in with a password."""
    return await member(runtime, role, cast.organisations["ngo"])


async def signed_in(client: httpx.AsyncClient, who: Newcomer, **factors: str) -> dict[str, str]:
    return bearer(answered(await token(client, who.grant(**factors)), 200))


async def stepped_up(client: httpx.AsyncClient, headers: dict[str, str], **factors: str) -> httpx.Response:
    return await client.post("/auth/step-up", json=factors, headers=headers)


async def tries_to_exclude(client: httpx.AsyncClient, headers: dict[str, str], cast: Cast, case_id: str) -> int:
    body = {"user_id": cast.id("colleague"), "reason_code": "client_wish"}
    response = await client.post(f"/cases/{case_id}/exclusions", json=body, headers=headers)
    if response.status_code == 401:
        assert response.json()["code"] == "step_up_required"
        assert "insufficient_user_authentication" in response.headers["WWW-Authenticate"]
    return response.status_code


@pytest.mark.parametrize(("seconds", "status"), [(0, 201), (300, 201), (301, 401)])
async def test_a_sign_in_counts_for_five_minutes(
    client: httpx.AsyncClient, runtime: Runtime, cast: Cast, clock: FrozenClock, seconds: int, status: int
) -> None:
    case_id = await open_case(cast)
    somebody = await of_the_ngo(runtime, cast)
    headers = await signed_in(client, somebody)
    clock.advance(seconds=seconds)
    assert await tries_to_exclude(client, headers, cast, case_id) == status
    if status == 401:
        assert (await stepped_up(client, headers, password=somebody.password)).status_code == 204
        clock.advance(seconds=300)
        assert await tries_to_exclude(client, headers, cast, case_id) == 201


async def test_a_new_access_token_is_no_proof(
    client: httpx.AsyncClient, runtime: Runtime, cast: Cast, clock: FrozenClock
) -> None:
    case_id, somebody = await open_case(cast), await of_the_ngo(runtime, cast)
    tokens = answered(await token(client, somebody.grant()), 200)
    clock.advance(minutes=6)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    headers = bearer(answered(await token(client, form), 200))
    assert await tries_to_exclude(client, headers, cast, case_id) == 401


async def test_a_step_up_counts_for_its_own_session_only(
    client: httpx.AsyncClient, runtime: Runtime, cast: Cast, clock: FrozenClock
) -> None:
    case_id, somebody = await open_case(cast), await of_the_ngo(runtime, cast)
    first, second = await signed_in(client, somebody), await signed_in(client, somebody)
    clock.advance(minutes=6)
    assert (await stepped_up(client, first, password=somebody.password)).status_code == 204
    assert await tries_to_exclude(client, second, cast, case_id) == 401
    assert await tries_to_exclude(client, first, cast, case_id) == 201


async def test_a_wrong_password_or_somebody_elses_proves_nothing_and_is_counted(
    client: httpx.AsyncClient, runtime: Runtime, cast: Cast, clock: FrozenClock
) -> None:
    case_id, somebody, other = await open_case(cast), await of_the_ngo(runtime, cast), await newcomer(runtime)
    headers = await signed_in(client, somebody)
    clock.advance(minutes=6)
    for _ in range(5):
        for password in ("wrong", other.password):
            assert refusal(await stepped_up(client, headers, password=password)) == "unauthenticated"
    answered(await stepped_up(client, headers, password=somebody.password), 429)
    answered(await token(client, somebody.grant()), 429)
    answered(await client.get("/me", headers=headers), 200)  # the lock never stops a known session
    assert await tries_to_exclude(client, headers, cast, case_id) == 401
    answered(await token(client, other.grant()), 200)


async def test_right_step_ups_leave_no_failure_behind(
    client: httpx.AsyncClient, runtime: Runtime, superuser: psycopg.Connection
) -> None:
    somebody = await newcomer(runtime)
    headers = await signed_in(client, somebody)
    for _ in range(12):
        assert (await stepped_up(client, headers, password=somebody.password)).status_code == 204
    keyed = {**headers, "Idempotency-Key": "again"}
    assert (await stepped_up(client, keyed, password=somebody.password)).status_code == 204
    kept = superuser.execute("select count(*) from idempotency_keys where actor_id = %s", [somebody.id])
    assert kept.fetchone() == (0,)  # no hash of a body with a password in it


async def test_with_a_second_factor_the_password_alone_is_not_enough(
    client: httpx.AsyncClient, runtime: Runtime, cast: Cast, clock: FrozenClock
) -> None:
    case_id, somebody = await open_case(cast), await of_the_ngo(runtime, cast)
    secret = await enrolled(client, somebody, clock)
    headers = await signed_in(client, somebody, otp=code(secret, clock))
    clock.advance(minutes=6)
    assert refusal(await stepped_up(client, headers, password=somebody.password)) == "mfa_required"
    assert await tries_to_exclude(client, headers, cast, case_id) == 401
    otp = code(secret, clock)
    assert refusal(await stepped_up(client, headers, password="wrong", otp=otp)) == "unauthenticated"
    assert (await stepped_up(client, headers, password=somebody.password, otp=otp)).status_code == 204
    assert refusal(await stepped_up(client, headers, password=somebody.password, otp=otp)) == "unauthenticated"
    assert await tries_to_exclude(client, headers, cast, case_id) == 201
    assert refusal(await token(client, somebody.grant(otp=otp))) == "unauthenticated"


async def test_an_ended_session_cannot_step_up(client: httpx.AsyncClient, runtime: Runtime) -> None:
    somebody = await newcomer(runtime)
    headers = await signed_in(client, somebody)
    assert (await client.post("/auth/logout", headers=headers)).status_code == 204
    assert refusal(await stepped_up(client, headers, password=somebody.password)) == "unauthenticated"


@pytest.mark.parametrize("body", [{}, {"password": ""}, {"password": "x", "user": "y"}, {"otp": "123456"}, []])
async def test_what_is_no_step_up_is_told_so_and_not_counted(
    client: httpx.AsyncClient, runtime: Runtime, superuser: psycopg.Connection, body: Any
) -> None:
    somebody = await newcomer(runtime)
    headers = await signed_in(client, somebody)
    before = superuser.execute("select count(*) from sign_in_attempts").fetchone()
    answered(await client.post("/auth/step-up", json=body, headers=headers), 422)
    answered(await client.post("/auth/step-up", content=b"{}", headers=headers), 415)
    assert superuser.execute("select count(*) from sign_in_attempts").fetchone() == before


async def test_no_connection_is_held_while_the_password_is_checked(client: httpx.AsyncClient, runtime: Runtime) -> None:
    somebody = await newcomer(runtime)
    headers = await signed_in(client, somebody)
    change = {"current_password": somebody.password, "new_password": "three herons in the reeds"}
    for method, path, body in (
        ("POST", "/auth/step-up", {"password": somebody.password}),
        ("PUT", "/me/password", change),
    ):
        with hashing_held():
            task = asyncio.create_task(client.request(method, path, json=body, headers=headers))
            assert await until_hashing(task)
            assert runtime.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        assert (await task).status_code == 204


async def test_what_is_not_seen_is_not_there_however_old_the_sign_in(
    client: httpx.AsyncClient, runtime: Runtime, cast: Cast, clock: FrozenClock
) -> None:
    hidden = await open_case(cast, category=SENSITIVE)
    stranger = await member(runtime, Role.SUPERVISOR, cast.organisations["other_ngo"])
    headers = await signed_in(client, stranger)
    clock.advance(minutes=6)
    for case_id in (hidden, str(uuid4())):
        assert await tries_to_exclude(client, headers, cast, case_id) == 404
        body = {"user_id": cast.id("other_supervisor"), "role": "reviewer"}
        answered(await client.post(f"/cases/{case_id}/assignments", json=body, headers=headers), 404)
        path = f"/cases/{case_id}/exclusions/{uuid4()}/lift"
        answered(await client.post(path, json={"reason": "A mistake."}, headers=headers), 404)


async def test_lifting_an_exclusion_and_assigning_a_reviewer_ask_for_it(
    client: httpx.AsyncClient, runtime: Runtime, cast: Cast, clock: FrozenClock
) -> None:
    case_id, somebody = await open_case(cast), await of_the_ngo(runtime, cast)
    excluded = await exclude(cast, "caseworker", case_id, "colleague")
    headers = await signed_in(client, somebody)
    clock.advance(minutes=6)
    lift, assign = f"/cases/{case_id}/exclusions/{excluded['id']}/lift", f"/cases/{case_id}/assignments"
    unknown = f"/cases/{case_id}/exclusions/{uuid4()}/lift"
    review = {"user_id": cast.id("second_supervisor"), "role": "reviewer", "reason": "To see."}
    answered(await client.post(unknown, json={"reason": "A mistake."}, headers=headers), 404)
    assert refusal(await client.post(lift, json={"reason": "A mistake."}, headers=headers)) == "step_up_required"
    assert refusal(await client.post(assign, json=review, headers=headers)) == "step_up_required"
    own = review | {"user_id": somebody.id}
    assert refusal(await client.post(assign, json=own, headers=headers)) == "step_up_required"
    seen = answered(await cast.client("caseworker").get(f"/cases/{case_id}/exclusions"), 200)["items"]
    assert seen[0]["lift_requested_at"] is None  # the refusal left nothing behind
    plain = {"user_id": cast.id("second_supervisor"), "role": "caseworker"}
    answered(await client.post(assign, json=plain, headers=headers), 201)
    assert (await stepped_up(client, headers, password=somebody.password)).status_code == 204
    answered(await client.post(lift, json={"reason": "A mistake."}, headers=headers), 200)
    answered(await client.post(assign, json=own, headers=headers), 201)


async def test_intake_may_exclude_without_it(
    client: httpx.AsyncClient, runtime: Runtime, cast: Cast, clock: FrozenClock
) -> None:
    somebody = await of_the_ngo(runtime, cast, Role.CASEWORKER)
    headers = await signed_in(client, somebody)
    clock.advance(minutes=6)
    body = intake(SENSITIVE, excluded_user_ids=[cast.id("colleague")])
    case_id = answered(await client.post("/cases", json=body, headers=headers), 201)["id"]
    answered(await cast.client("colleague").get(f"/cases/{case_id}"), 404)


async def test_every_change_of_a_user_an_organisation_or_a_system_asks_for_it(
    client: httpx.AsyncClient, runtime: Runtime, cast: Cast, clock: FrozenClock, superuser: psycopg.Connection
) -> None:
    """Taking access away too: a phone left unlocked must not shut everybody out."""
    somebody, council = await newcomer(runtime, Role.ADMIN), cast.organisation("council")
    partner, admin = cast.organisation("clinic"), cast.client("admin")
    system = answered(await admin.post(f"/organisations/{partner}/clients", json={"name": "Shelter"}), 201)["client_id"]
    user, ifs = f"/users/{cast.id('colleague')}", {"If-Match": "*"}
    person = {"username": "a.person", "display_name": "A Person", "role": "auditor"}
    changes: list[tuple[str, str, Any]] = [
        ("POST", "/users", person),
        ("PATCH", user, {"display_name": "Another"}),
        ("PATCH", user, {"active": False}),
        ("PATCH", user, {"active": True}),
        ("POST", f"{user}/deactivate", None),
        ("POST", f"{user}/reset-password", None),
        ("POST", f"{user}/reset-mfa", None),
        ("POST", "/organisations", {"name": "One", "name_km": "អង្គការ", "kind": "ngo"}),
        ("PATCH", f"/organisations/{council}", {"active": False}),
        ("POST", f"/organisations/{partner}/clients", {"name": "One"}),
        ("DELETE", f"/organisations/{partner}/clients/{system}", None),
    ]
    headers = await signed_in(client, somebody)
    clock.advance(minutes=6)
    for method, path, body in changes:
        response = await client.request(method, path, json=body, headers=headers | ifs)
        assert refusal(response) == "step_up_required", (method, path)
    unknown = f"/users/{uuid4()}/deactivate"
    answered(await client.post(unknown, headers=headers), 404)
    answered(await client.delete(f"/organisations/{council}/clients/{system}", headers=headers), 404)
    standing = "select bool_and(active) from users where id = any (%s::uuid[])"
    assert superuser.execute(standing, [[system, cast.id("colleague")]]).fetchone() == (True,)
    assert (await stepped_up(client, headers, password=somebody.password)).status_code == 204
    answered(await client.delete(f"/organisations/{partner}/clients/{system}", headers=headers), 204)


async def test_enrolling_a_factor_asks_for_it(client: httpx.AsyncClient, runtime: Runtime, clock: FrozenClock) -> None:
    somebody = await newcomer(runtime)
    headers = await signed_in(client, somebody)
    clock.advance(minutes=6)
    assert refusal(await client.post("/me/totp", headers=headers)) == "step_up_required"
