"""How often one may guess: 10 per account and 100 per address in 15 minutes, and never more at once."""

import asyncio
from collections import Counter
from uuid import uuid4

import httpx
import psycopg
import pytest

from app.errors import RateLimited
from app.models.codes.people import Role
from app.security import Runtime
from app.services.sign_in import reserve, throttled_address
from app.settings import Settings
from tests.cast import Cast, FrozenClock, answered
from tests.doors import Newcomer, bearer, door, newcomer, refreshed, token


@pytest.fixture
def client(app: object) -> httpx.AsyncClient:
    return door(app)


@pytest.fixture
async def somebody(runtime: Runtime) -> Newcomer:
    return await newcomer(runtime)


async def fail(client: httpx.AsyncClient, somebody: Newcomer, times: int) -> None:
    for _ in range(times):
        answered(await token(client, somebody.grant(password="a wrong password")), 401)


async def locked(client: httpx.AsyncClient, form: dict[str, str]) -> int:
    """The seconds after which a locked account says that it opens."""
    response = await token(client, form)
    assert answered(response, 429)["code"] == "rate_limited"
    seconds = int(response.headers["retry-after"])
    assert response.headers["ratelimit"] == f'"sign-in";r=0;t={seconds}'
    return seconds


def test_the_limits_are_those_of_the_design() -> None:
    fields = Settings.model_fields
    assert fields["failed_sign_ins_per_account"].default == 10
    assert fields["failed_sign_ins_per_address"].default == 100


async def test_after_ten_failures_the_right_password_waits_fifteen_minutes(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock
) -> None:
    await fail(client, somebody, 10)
    assert await locked(client, somebody.grant()) == 900
    clock.advance(minutes=14, seconds=59)
    assert await locked(client, somebody.grant()) == 1
    clock.advance(seconds=1)
    answered(await token(client, somebody.grant()), 200)


async def test_the_window_slides_so_that_one_attempt_comes_back_with_each_failure_that_grows_old(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock
) -> None:
    for _ in range(10):
        await fail(client, somebody, 1)
        clock.advance(minutes=1)
    assert await locked(client, somebody.grant()) == 5 * 60
    clock.advance(minutes=5)
    await fail(client, somebody, 1)
    assert await locked(client, somebody.grant()) == 60
    clock.advance(seconds=59.5)
    assert await locked(client, somebody.grant()) == 1


async def test_what_is_refused_while_locked_does_not_lengthen_the_lock(
    client: httpx.AsyncClient, somebody: Newcomer, clock: FrozenClock
) -> None:
    await fail(client, somebody, 10)
    clock.advance(minutes=14)
    for _ in range(20):
        assert await locked(client, somebody.grant(password="a wrong password")) == 60
    clock.advance(minutes=1)
    answered(await token(client, somebody.grant()), 200)


async def test_right_passwords_are_free_and_forgive_nothing(client: httpx.AsyncClient, somebody: Newcomer) -> None:
    await fail(client, somebody, 9)
    for _ in range(15):
        answered(await token(client, somebody.grant()), 200)
    await fail(client, somebody, 1)
    await locked(client, somebody.grant())


async def test_a_lock_holds_for_one_account_at_one_address(
    app: object, client: httpx.AsyncClient, runtime: Runtime, somebody: Newcomer
) -> None:
    await fail(client, somebody, 10)
    await locked(client, somebody.grant())
    answered(await token(door(app), somebody.grant()), 200)
    answered(await token(client, (await newcomer(runtime)).grant()), 200)


async def test_a_name_that_nobody_has_is_locked_like_any_other(client: httpx.AsyncClient) -> None:
    nobody = Newcomer("", "nobody.there", "a password")
    await fail(client, nobody, 10)
    assert await locked(client, nobody.grant()) == 900


async def test_a_lock_never_stops_a_known_session(client: httpx.AsyncClient, somebody: Newcomer) -> None:
    tokens = answered(await token(client, somebody.grant()), 200)
    await fail(client, somebody, 10)
    await locked(client, somebody.grant())
    answered(await client.get("/me", headers=bearer(tokens)), 200)
    tokens = answered(await refreshed(client, tokens["refresh_token"]), 200)
    answered(await client.get("/me", headers=bearer(tokens)), 200)


async def test_an_address_has_a_hundred_failures_whatever_the_names(
    app: object, runtime: Runtime, somebody: Newcomer
) -> None:
    client = door(app, "203.0.113.7")
    for number in range(99):
        await reserve(runtime, "203.0.113.7", f"nobody{number}")
    answered(await token(client, somebody.grant()), 200)
    await fail(client, Newcomer("", "nobody.there", ""), 1)
    assert await locked(client, somebody.grant()) == 900
    answered(await token(door(app, "203.0.113.8"), somebody.grant()), 200)


async def test_an_address_opens_again_as_its_failures_grow_old(
    app: object, runtime: Runtime, somebody: Newcomer, clock: FrozenClock
) -> None:
    client = door(app, "203.0.113.9")
    for number in range(100):
        await reserve(runtime, "203.0.113.9", f"nobody{number}")
    assert await locked(client, somebody.grant()) == 900
    clock.advance(minutes=15)
    answered(await token(client, somebody.grant()), 200)


async def test_where_account_and_address_are_locked_the_longer_wait_is_told(
    app: object, runtime: Runtime, somebody: Newcomer, clock: FrozenClock
) -> None:
    client = door(app, "203.0.113.10")
    for number in range(90):
        await reserve(runtime, "203.0.113.10", f"nobody{number}")
    clock.advance(minutes=5)
    await fail(client, somebody, 10)
    assert await locked(client, (await newcomer(runtime)).grant()) == 600
    assert await locked(client, somebody.grant()) == 900


async def test_fifty_guesses_at_once_check_ten_passwords(client: httpx.AsyncClient, somebody: Newcomer) -> None:
    wrong = somebody.grant(password="a wrong password")
    answers = await asyncio.gather(*(token(client, wrong) for _ in range(50)))
    assert Counter(answer.status_code for answer in answers) == {401: 10, 429: 40}


async def test_many_processes_together_reserve_no_more_than_ten_attempts(runtime: Runtime) -> None:
    """The turns that one process keeps are left out here, as they are between two processes."""
    name, address = f"name.{uuid4()}", f"192.0.2.{uuid4()}"
    results = await asyncio.gather(*(reserve(runtime, address, name) for _ in range(50)), return_exceptions=True)
    assert sum(isinstance(result, RateLimited) for result in results) == 40
    assert sum(not isinstance(result, BaseException) for result in results) == 10


async def test_many_processes_together_reserve_no_more_than_a_hundred_of_an_address(runtime: Runtime) -> None:
    address = f"192.0.2.{uuid4()}"
    results = await asyncio.gather(
        *(reserve(runtime, address, f"name.{number}") for number in range(130)), return_exceptions=True
    )
    assert sum(isinstance(result, RateLimited) for result in results) == 30
    assert sum(not isinstance(result, BaseException) for result in results) == 100


async def test_twenty_right_passwords_at_once_are_all_let_in(client: httpx.AsyncClient, somebody: Newcomer) -> None:
    answers = await asyncio.gather(*(token(client, somebody.grant()) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {200: 20}


async def test_a_systems_secret_is_guessed_no_more_often(client: httpx.AsyncClient, cast: Cast) -> None:
    path = f"/organisations/{cast.organisation('clinic')}/clients"
    system = answered(await cast.client("admin").post(path, json={"name": "EMR"}), 201)
    form = {"grant_type": "client_credentials", "client_id": system["client_id"]}
    for _ in range(10):
        answered(await token(client, form | {"client_secret": "wrong"}), 401)
    await locked(client, form | {"client_secret": system["client_secret"]})


async def test_what_is_typed_as_a_name_is_not_kept(client: httpx.AsyncClient, superuser: psycopg.Connection) -> None:
    typed = f"my secret {uuid4()}"
    await fail(client, Newcomer("", typed, ""), 1)
    [row] = superuser.execute("select account, address from sign_in_attempts order by at desc limit 1")
    assert len(row[0]) == 32
    kept = superuser.execute("select count(*) from sign_in_attempts a where a::text like %s", [f"%{typed}%"])
    assert kept.fetchone() == (0,)


async def test_a_right_password_leaves_no_attempt_behind(
    app: object, somebody: Newcomer, superuser: psycopg.Connection
) -> None:
    client = door(app, "198.51.100.1")
    kept = "select count(*) from sign_in_attempts where address = '198.51.100.1'"
    answered(await token(client, somebody.grant()), 200)
    assert superuser.execute(kept).fetchone() == (0,)
    await fail(client, somebody, 1)
    assert superuser.execute(kept).fetchone() == (1,)


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::/64"),
        ("a socket", "a socket"),
        (None, ""),
    ],
)
def test_one_customer_is_one_address(host: str | None, counted: str) -> None:
    assert throttled_address(host) == counted


async def test_a_hundred_addresses_of_one_network_share_ten_attempts(app: object, somebody: Newcomer) -> None:
    for number in range(10):
        await fail(door(app, f"2001:db8:7:7::{number + 1:x}"), somebody, 1)
    await locked(door(app, "2001:db8:7:7::ffff"), somebody.grant())
    answered(await token(door(app, "2001:db8:7:8::1"), somebody.grant()), 200)


async def test_every_role_is_locked_alike(app: object, runtime: Runtime) -> None:
    admin, client = await newcomer(runtime, Role.ADMIN), door(app)
    await fail(client, admin, 10)
    await locked(client, admin.grant())
