"""What an admin asks about an account is done by a yes of who is concerned, and the secret goes to who says it."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from app.models.codes.people import Role
from app.security import Runtime
from tests.acts import newcomer as colleague
from tests.cases import open_case
from tests.cast import COMMUNE, OTHER_COMMUNE, Cast, FrozenClock, answered
from tests.confirmations import confirmed, joined
from tests.doors import Newcomer, bearer, door, member, refreshed, token
from tests.test_second_factor import code, enrolled, refusal
from tests.test_users import wanted

EVERYBODY = (
    "caseworker",
    "supervisor",
    "second_supervisor",
    "other_supervisor",
    "liaison",
    "partner",
    "auditor",
    "admin",
)


async def says(cast: Cast, who: str, user_id: str) -> int:
    """How this person's yes is answered."""
    return (await cast.client(who).post(f"/users/{user_id}/confirm")).status_code


async def asked(cast: Cast, **changes: Any) -> str:
    """A new user for whom nobody has said yes."""
    made: str = answered(await cast.client("admin").post("/users", json=wanted(**changes)), 201)["id"]
    return made


async def change(cast: Cast, user_id: str, **fields: Any) -> Any:
    """Ask for a change, as the admin."""
    path = f"/users/{user_id}"
    return answered(await cast.client("admin").patch(path, json=fields, headers={"If-Match": "*"}), 200)


async def reset(cast: Cast, user_id: str, what: str = "password") -> Any:
    """Ask for a reset, as the admin."""
    return answered(await cast.client("admin").post(f"/users/{user_id}/reset-{what}"), 200)


# role, organisation, communes; then who may say yes, who is told that they may not (403), everybody else 404.
PARTIES: list[tuple[str, str | None, list[str], set[str]]] = [
    ("caseworker", "ngo", [], {"supervisor", "second_supervisor"}),
    ("supervisor", "ngo", [], {"supervisor", "second_supervisor"}),
    ("caseworker", "other_ngo", [], {"other_supervisor"}),
    ("partner", "clinic", [], {"partner"}),
    ("ccwc_liaison", "council", [COMMUNE], {"supervisor", "second_supervisor"}),
    ("ccwc_liaison", None, [COMMUNE], {"supervisor", "second_supervisor"}),
    ("ccwc_liaison", "other_ngo", [COMMUNE], {"other_supervisor"}),
    ("auditor", None, [], {"supervisor", "second_supervisor", "other_admin"}),
    ("admin", None, [], {"supervisor", "second_supervisor", "other_admin"}),
]


@pytest.mark.parametrize(("role", "organisation", "communes", "may"), PARTIES)
async def test_only_who_speaks_for_the_place_says_yes(
    cast: Cast, role: str, organisation: str | None, communes: list[str], may: set[str]
) -> None:
    if "other_admin" not in cast.users:
        await cast.add("other_admin", Role.ADMIN, None, [])
    home = cast.organisation(organisation) if organisation else None
    for name in (*EVERYBODY, "other_admin"):
        user_id = await asked(cast, role=role, organisation_id=home, communes=communes)
        listed = answered(await cast.client(name).get("/me/notices", params={"limit": 200}), 200)["items"]
        invited = {one["user"]["id"] for one in listed if one["may_confirm"]}
        never = name in {"caseworker", "liaison", "auditor"}
        expected = 200 if name in may else 403 if never or cast.users[name].role is Role.ADMIN else 404
        assert await says(cast, name, user_id) == expected, name
        assert (user_id in invited) is (name in may), name
        answered(await cast.client("admin").post(f"/users/{user_id}/deactivate"), 200)


async def test_nobody_says_yes_to_what_is_asked_about_themselves_or_by_themselves(cast: Cast) -> None:
    own = await colleague(cast, Role.SUPERVISOR, "ngo")
    await reset(cast, cast.id(own))
    assert await says(cast, own, cast.id(own)) == 404
    assert await says(cast, "admin", cast.id(own)) == 403
    assert await says(cast, "supervisor", cast.id(own)) == 200
    assert await says(cast, "supervisor", str(uuid4())) == await says(cast, "supervisor", "x") == 404
    assert await says(cast, "admin", str(uuid4())) == 404
    assert await says(cast, "admin", cast.id("caseworker")) == 409


async def test_a_move_needs_the_yes_of_both_places(cast: Cast) -> None:
    mover = await colleague(cast, Role.CASEWORKER, "ngo")
    case_id = await open_case(cast)
    pending = (await change(cast, cast.id(mover), organisation_id=cast.organisation("other_ngo")))["pending"]
    assert pending["wanted"]["organisation_id"] == cast.organisation("other_ngo")
    assert await says(cast, "other_supervisor", cast.id(mover)) == 200
    assert await says(cast, "other_supervisor", cast.id(mover)) == 404  # has said so already
    answered(await cast.client(mover).get(f"/cases/{case_id}"), 200)
    assert await says(cast, "supervisor", cast.id(mover)) == 200
    answered(await cast.client(mover).get(f"/cases/{case_id}"), 404)
    seen = answered(await cast.client("admin").get(f"/users/{cast.id(mover)}"), 200)
    assert (seen["organisation_id"], seen["pending"]) == (cast.organisation("other_ngo"), None)


async def test_changing_what_is_asked_takes_every_yes_back(cast: Cast) -> None:
    mover = await colleague(cast, Role.CASEWORKER, "ngo")
    await change(cast, cast.id(mover), organisation_id=cast.organisation("other_ngo"))
    assert await says(cast, "other_supervisor", cast.id(mover)) == 200
    await change(cast, cast.id(mover), role="supervisor")
    assert await says(cast, "supervisor", cast.id(mover)) == 200
    seen = answered(await cast.client("admin").get(f"/users/{cast.id(mover)}"), 200)
    assert (seen["role"], seen["organisation_id"]) == ("caseworker", cast.organisation("ngo"))
    assert await says(cast, "other_supervisor", cast.id(mover)) == 200
    seen = answered(await cast.client("admin").get(f"/users/{cast.id(mover)}"), 200)
    assert (seen["role"], seen["organisation_id"]) == ("supervisor", cast.organisation("other_ngo"))


async def test_a_yes_to_a_version_that_was_read_is_none_to_another(cast: Cast) -> None:
    user_id = await asked(cast, role="caseworker", organisation_id=cast.organisation("ngo"))
    await change(cast, user_id, role="supervisor")
    supervisor, stale = cast.client("supervisor"), {"If-Match": '"1"'}
    answered(await supervisor.post(f"/users/{user_id}/confirm", headers=stale), 412)
    answered(await supervisor.post(f"/users/{user_id}/confirm", headers={"If-Match": '"2"'}), 200)


async def test_of_yeses_at_once_one_gets_the_password(cast: Cast) -> None:
    user_id = await asked(cast, role="caseworker", organisation_id=cast.organisation("ngo"))
    who = ["supervisor", "second_supervisor"] * 5
    answers = await asyncio.gather(*(cast.client(name).post(f"/users/{user_id}/confirm") for name in who))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 404: 9}


async def test_display_name_language_and_leaving_wait_for_nobody(cast: Cast) -> None:
    user = await joined(cast, wanted())
    changed = await change(cast, user["id"], display_name="Renamed", language="en", active=False)
    assert (changed["display_name"], changed["language"], changed["active"]) == ("Renamed", "en", False)
    assert changed["pending"] is None
    back = await change(cast, user["id"], active=True)
    assert (back["active"], back["pending"]["wanted"]["active"]) == (False, True)
    assert await says(cast, "supervisor", user["id"]) == 200
    assert answered(await cast.client("admin").get(f"/users/{user['id']}"), 200)["active"] is True


async def test_deactivating_withdraws_what_is_asked(cast: Cast) -> None:
    user_id = await asked(cast, role="caseworker", organisation_id=cast.organisation("ngo"))
    answered(await cast.client("admin").post(f"/users/{user_id}/deactivate"), 200)
    assert await says(cast, "supervisor", user_id) == 404
    answered(await cast.client("admin").post(f"/users/{user_id}/reset-password"), 409)


async def test_a_place_that_no_longer_fits_is_a_conflict_for_who_confirms(
    cast: Cast, superuser: psycopg.Connection
) -> None:
    user_id = await asked(cast, role="ccwc_liaison", communes=[OTHER_COMMUNE])
    superuser.execute("update users set communes = '{999999}' where id = %s", [user_id])
    await change(cast, user_id, communes=[COMMUNE])
    superuser.execute(
        """update user_requests set wanted = '{"communes": ["999999"]}' where user_id = %s and settled_at is null""",
        [user_id],
    )
    assert await says(cast, "supervisor", user_id) == 409


async def test_an_organisation_without_anybody_gets_its_first_supervisor_by_a_signatory(cast: Cast) -> None:
    body = {"name": "Young NGO", "name_km": "អង្គការ", "kind": "ngo"}
    home = answered(await cast.client("admin").post("/organisations", json=body), 201)["id"]
    user_id = await asked(cast, role="supervisor", organisation_id=home)
    assert await says(cast, "other_supervisor", user_id) == 404  # of no signatory
    assert await says(cast, "supervisor", user_id) == 200
    await reset(cast, user_id)  # nobody else of the organisation could say yes to this
    assert await says(cast, "supervisor", user_id) == 200
    second = await asked(cast, role="caseworker", organisation_id=home)
    assert await says(cast, "supervisor", second) == 404  # now it has somebody of its own


@pytest.fixture
async def worker(runtime: Runtime, cast: Cast) -> Newcomer:
    """A caseworker of the NGO who signs in with a password."""
    return await member(runtime, Role.CASEWORKER, cast.organisations["ngo"])


@pytest.mark.parametrize("what", ["password", "mfa"])
async def test_nothing_is_reset_before_somebody_else_says_yes(
    app: object, cast: Cast, worker: Newcomer, what: str
) -> None:
    client = door(app)
    tokens = answered(await token(client, worker.grant()), 200)
    pending = (await reset(cast, worker.id, what))["pending"]
    assert pending["kind"] == f"{what}_reset"
    answered(await client.get("/cases", headers=bearer(tokens)), 200)
    answered(await token(client, worker.grant()), 200)


@pytest.mark.parametrize("what", ["password", "mfa"])
async def test_after_a_reset_the_account_reads_no_case_before_it_has_factors_of_its_own(
    app: object, cast: Cast, clock: FrozenClock, worker: Newcomer, what: str
) -> None:
    client, case_id = door(app), await open_case(cast)
    secret = await enrolled(client, worker, clock)
    before = answered(await token(client, worker.grant(otp=code(secret, clock))), 200)
    clock.advance(seconds=60)
    await reset(cast, worker.id, what)
    yes = await confirmed(cast, worker.id)
    assert yes is not None
    issued = answered(yes, 200)["initial_password"]
    answered(await client.get("/me", headers=bearer(before)), 401)
    answered(await refreshed(client, before["refresh_token"]), 401)
    form = {"otp": code(secret, clock)} if what == "password" else {}
    assert refusal(await token(client, worker.grant(**form))) == "unauthenticated"
    headers = bearer(answered(await token(client, worker.grant(password=issued, **form)), 200))
    for path in ("/cases", f"/cases/{case_id}", "/people", "/codes", "/me/notices"):
        assert refusal(await client.get(path, headers=headers)) == "password_change_required"
    keyed = {**headers, "Idempotency-Key": "k"}
    assert refusal(await client.post("/people", json={"alias": "A"}, headers=keyed)) == "password_change_required"
    chosen = {"current_password": issued, "new_password": "a heron over the reeds"}
    assert (await client.put("/me/password", json=chosen, headers=headers)).status_code == 204
    if what == "mfa":
        assert answered(await client.get("/me", headers=headers), 200)["mfa_enrolled"] is False
        assert refusal(await client.get(f"/cases/{case_id}", headers=headers)) == "mfa_required"
        following = answered(await client.post("/me/totp", headers=headers), 200)["secret"]
        otp = {"otp": code(following, clock)}
        assert (await client.post("/me/totp/confirm", json=otp, headers=keyed)).status_code == 204
    answered(await client.get(f"/cases/{case_id}", headers=headers), 200)
    told = answered(await client.get("/me/notices", headers=headers), 200)["items"][0]
    assert (told["kind"], told["confirmed"], told["user"]["id"]) == (f"{what}_reset", True, worker.id)


async def test_the_supervisors_are_told_of_a_reset_and_nobody_elses_are(cast: Cast, worker: Newcomer) -> None:
    await reset(cast, worker.id)
    assert await says(cast, "supervisor", worker.id) == 200
    for name, told in (
        ("second_supervisor", True),
        ("admin", True),
        ("other_supervisor", False),
        ("caseworker", False),
    ):
        items = answered(await cast.client(name).get("/me/notices", params={"limit": 200}), 200)["items"]
        assert (worker.id in {one["user"]["id"] for one in items}) is told, name
        assert not any("password" in key for one in items for key in one)


async def test_asking_and_saying_yes_want_a_fresh_proof(
    app: object, runtime: Runtime, cast: Cast, clock: FrozenClock, worker: Newcomer
) -> None:
    client = door(app)
    admin, supervisor = (
        await member(runtime, Role.ADMIN),
        await member(runtime, Role.SUPERVISOR, cast.organisations["ngo"]),
    )
    by_admin = bearer(answered(await token(client, admin.grant()), 200))
    by_supervisor = bearer(answered(await token(client, supervisor.grant()), 200))
    clock.advance(seconds=301)
    tag = {"If-Match": "*"}
    stale: list[httpx.Response] = [
        await client.post("/users", json=wanted(), headers=by_admin),
        await client.patch(f"/users/{worker.id}", json={"language": "en"}, headers=by_admin | tag),
        await client.post(f"/users/{worker.id}/reset-password", headers=by_admin),
        await client.post(f"/users/{worker.id}/reset-mfa", headers=by_admin),
        await client.post(
            f"/organisations/{cast.organisation('clinic')}/clients", json={"name": "EMR"}, headers=by_admin
        ),
    ]
    assert [refusal(one) for one in stale] == ["step_up_required"] * len(stale)
    for path in (f"/users/{uuid4()}/reset-password", f"/organisations/{uuid4()}/clients"):
        body = {"name": "EMR"} if "clients" in path else None
        answered(await client.post(path, json=body, headers=by_admin), 404)
    await reset(cast, worker.id)
    yes = f"/users/{worker.id}/confirm"
    assert refusal(await client.post(yes, headers=by_supervisor)) == "step_up_required"
    answered(await client.post(f"/users/{uuid4()}/confirm", headers=by_supervisor), 404)
    answered(await client.post("/auth/step-up", json={"password": supervisor.password}, headers=by_supervisor), 204)
    answered(await client.post(yes, headers=by_supervisor), 200)
