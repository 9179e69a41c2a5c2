"""Users: who may administer them, where they belong, and that what an admin takes away is gone at once."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from app.models.codes.people import OrganisationKind
from app.models.organisation import Organisation
from app.security import Runtime
from tests.cases import open_case
from tests.cast import COMMUNE, OTHER_COMMUNE, Cast, answered
from tests.confirmations import confirmed, joined
from tests.doors import bearer, blocked, door, hashing_held, refreshed, token, until_hashing


def wanted(**changes: Any) -> dict[str, Any]:
    """The body of an ordinary new user."""
    return {
        "username": f"user.{uuid4().hex[:12]}",
        "display_name": "Chan Sophea",
        "role": "auditor",
        **changes,
    }


async def added(cast: Cast, **changes: Any) -> Any:
    """A new user, confirmed, who has chosen a password."""
    return await joined(cast, wanted(**changes))


async def waiting(cast: Cast) -> Any:
    """A new user whom nobody has confirmed yet, as the answer shows it."""
    return answered(await cast.client("admin").post("/users", json=wanted()), 201)


def grant(user: dict[str, Any]) -> dict[str, str]:
    """The form with which a new user signs in."""
    return {"grant_type": "password", "username": user["username"], "password": user["password"]}


async def patched(cast: Cast, user: dict[str, Any], **fields: Any) -> httpx.Response:
    """Change a user as the admin, whatever the present version, with everybody's yes; how it reads in the end."""
    path, admin = f"/users/{user['id']}", cast.client("admin")
    tag = (await admin.get(path)).headers["etag"]
    asked = await admin.patch(path, json=fields, headers={"If-Match": tag})
    if asked.status_code != 200 or asked.json()["pending"] is None:
        return asked
    yes = await confirmed(cast, user["id"])
    assert yes is not None
    return await admin.get(path) if yes.status_code == 200 else yes


async def test_a_new_user_waits_for_a_yes_and_the_password_goes_to_who_gives_it(
    app: object, cast: Cast, superuser: psycopg.Connection
) -> None:
    admin, body = cast.client("admin"), wanted(language="en")
    response = await admin.post("/users", json=body, headers={"Idempotency-Key": body["username"]})
    user = answered(response, 201)
    path = f"/users/{user['id']}"
    assert response.headers["location"] == f"/api/v1{path}"
    assert response.headers["etag"] == '"1"'
    assert user | body | {"active": False, "version": 1, "organisation_id": None, "communes": []} == user
    assert user["pending"]["kind"] == "create"
    assert "password" not in response.text
    assert answered(await admin.get(path), 200) == user
    again = await admin.post("/users", json=body, headers={"Idempotency-Key": body["username"]})
    assert answered(again, 201) == user
    assert again.headers["idempotency-replayed"] == "true"
    keyed = {"Idempotency-Key": body["username"]}
    yes = answered(await cast.client("supervisor").post(f"{path}/confirm", headers=keyed), 200)
    password = yes["initial_password"]
    form = {"grant_type": "password", "username": body["username"], "password": password}
    answered(await token(door(app), form), 200)
    shown = answered(await admin.get(path), 200)
    assert (shown["active"], shown["pending"], shown["version"]) == (True, None, 2)
    repeated = await cast.client("supervisor").post(f"{path}/confirm", headers=keyed)
    assert repeated.headers["idempotency-replayed"] == "true"
    for page in ("/users", "/me/notices"):
        assert password not in (await admin.get(page, params={"limit": 200})).text
    assert password not in repeated.text
    for table in ("users", "user_credentials", "user_requests", "idempotency_keys", "events"):
        found = superuser.execute(f"select count(*) from {table} t where t::text like %s", [f"%{password}%"])
        assert found.fetchone() == (0,)


async def test_the_first_password_is_in_no_line_of_the_log(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    user = answered(await cast.client("admin").post("/users", json=wanted()), 201)
    yes = await confirmed(cast, user["id"])
    assert yes is not None
    out = capsys.readouterr().out
    assert '"route": "/api/v1/users/{user_id}/confirm"' in out
    for word in (yes.json()["initial_password"], user["username"], "Sophea"):
        assert word not in out


async def test_two_users_never_get_the_same_password(cast: Cast) -> None:
    first, second = await added(cast), await added(cast)
    assert first["password"] != second["password"]


async def test_no_connection_is_held_while_the_first_password_is_hashed(cast: Cast, runtime: Runtime) -> None:
    user = answered(await cast.client("admin").post("/users", json=wanted()), 201)
    clients = f"/organisations/{cast.organisation('clinic')}/clients"
    for who, path, body in (
        ("supervisor", f"/users/{user['id']}/confirm", None),
        ("admin", clients, {"name": "EMR"}),
    ):
        with hashing_held():
            task = asyncio.create_task(cast.client(who).post(path, json=body))
            assert await until_hashing(task)
            assert runtime.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        answered(await task, 201 if body else 200)


async def test_who_may_not_confirm_a_user_makes_nobody_hash(cast: Cast) -> None:
    user = answered(await cast.client("admin").post("/users", json=wanted()), 201)
    with hashing_held():
        for name in ("caseworker", "auditor", "nobody"):
            task = asyncio.create_task(cast.client(name).post(f"/users/{user['id']}/confirm"))
            assert not await until_hashing(task)
            assert (await task).status_code == (401 if name == "nobody" else 403)


async def test_a_name_in_use_is_a_conflict(cast: Cast) -> None:
    user = await added(cast)
    response = await cast.client("admin").post("/users", json=wanted(username=user["username"]))
    assert answered(response, 409)["code"] == "conflict"


BELONGING = [
    ("caseworker", "ngo", [], None),
    ("caseworker", None, [], "/organisation_id"),
    ("caseworker", "clinic", [], "/organisation_id"),
    ("caseworker", "council", [], "/organisation_id"),
    ("caseworker", "ngo", [COMMUNE], "/communes"),
    ("supervisor", "ngo", [], None),
    ("supervisor", None, [], "/organisation_id"),
    ("supervisor", "clinic", [], "/organisation_id"),
    ("supervisor", "ngo", [COMMUNE], "/communes"),
    ("ccwc_liaison", "council", [COMMUNE], None),
    ("ccwc_liaison", None, [COMMUNE, OTHER_COMMUNE], None),
    ("ccwc_liaison", "council", [], "/communes"),
    ("ccwc_liaison", "council", ["999999"], "/communes/0"),
    ("ccwc_liaison", "council", [COMMUNE, "999999"], "/communes/1"),
    ("ccwc_liaison", "council", ["1702"], "/communes/0"),
    ("ccwc_liaison", "council", ["17020101"], "/communes/0"),
    ("partner", "clinic", [], None),
    ("partner", None, [], "/organisation_id"),
    ("partner", "ngo", [], "/organisation_id"),
    ("partner", "council", [], "/organisation_id"),
    ("partner", "clinic", [COMMUNE], "/communes"),
    ("auditor", None, [], None),
    ("auditor", "ngo", [], None),
    ("auditor", None, [COMMUNE], "/communes"),
    ("admin", None, [], None),
    ("admin", "ngo", [], None),
    ("admin", None, [COMMUNE], "/communes"),
    ("auditor", "unknown", [], "/organisation_id"),
]


@pytest.mark.parametrize(("role", "organisation", "communes", "pointer"), BELONGING)
async def test_a_role_belongs_to_its_organisations_and_communes(
    cast: Cast, role: str, organisation: str | None, communes: list[str], pointer: str | None
) -> None:
    known = {name: cast.organisation(name) for name in cast.organisations} | {"unknown": str(uuid4())}
    place = {
        "role": role,
        "organisation_id": known[organisation] if organisation else None,
        "communes": communes,
    }
    somebody = await added(cast)
    for response, done in (
        (await cast.client("admin").post("/users", json=wanted(**place)), 201),
        (await patched(cast, somebody, **place), 200),
    ):
        if pointer is None:
            user = answered(response, done)
            assert {name: user[name] for name in place} == place
        else:
            assert [error["pointer"] for error in answered(response, 422)["errors"]] == [pointer]


async def test_a_change_is_judged_with_what_stays(cast: Cast) -> None:
    liaison = await added(cast, role="ccwc_liaison", communes=[OTHER_COMMUNE, COMMUNE, COMMUNE])
    assert liaison["communes"] == [COMMUNE, OTHER_COMMUNE]
    for fields, pointer in (
        ({"role": "auditor"}, "/communes"),
        ({"role": "partner", "communes": []}, "/organisation_id"),
        ({"communes": []}, "/communes"),
    ):
        errors = answered(await patched(cast, liaison, **fields), 422)["errors"]
        assert errors[0]["pointer"] == pointer
    caseworker = await added(cast, role="caseworker", organisation_id=cast.organisation("ngo"))
    answered(await patched(cast, caseworker, organisation_id=None), 422)
    answered(await patched(cast, caseworker, organisation_id=cast.organisation("clinic")), 422)
    answered(await patched(cast, caseworker, display_name="New Name"), 200)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"username": "Upper"}, "/username"),
        ({"username": "ab"}, "/username"),
        ({"username": "with space"}, "/username"),
        ({"username": "ចាន់"}, "/username"),
        ({"username": "line\n"}, "/username"),
        ({"display_name": ""}, "/display_name"),
        ({"role": "owner"}, "/role"),
        ({"language": "fr"}, "/language"),
        ({"communes": [170201]}, "/communes/0"),
        ({"system": True}, "/system"),
        ({"active": False}, "/active"),
        ({"password": "a password of my own"}, "/password"),
        ({"id": str(uuid4())}, "/id"),
    ],
)
async def test_a_field_that_is_wrong_or_not_for_the_caller_is_named(
    cast: Cast, changes: dict[str, Any], pointer: str
) -> None:
    response = await cast.client("admin").post("/users", json=wanted(**changes))
    assert [error["pointer"] for error in answered(response, 422)["errors"]] == [pointer]


async def test_a_change_needs_the_version_that_was_seen(cast: Cast) -> None:
    admin, user = cast.client("admin"), await waiting(cast)
    path, body = f"/users/{user['id']}", {"display_name": "New Name"}
    answered(await admin.patch(path, json=body), 428)
    changed = await admin.patch(path, json=body, headers={"If-Match": '"1"'})
    assert answered(changed, 200)["version"] == 2
    assert changed.headers["etag"] == '"2"'
    stale = await admin.patch(path, json=body, headers={"If-Match": '"1"'})
    answered(stale, 412)
    assert stale.headers["etag"] == '"2"'
    unchanged = await admin.patch(path, json={}, headers={"If-Match": '"2"'})
    assert answered(unchanged, 200)["version"] == 2
    for name in ("display_name", "role", "communes", "language", "active"):
        refused = await admin.patch(path, json={name: None}, headers={"If-Match": '"2"'})
        assert answered(refused, 422)["errors"][0]["pointer"] == f"/{name}"
    answered(await admin.patch(path, json={"username": "other.name"}, headers={"If-Match": '"2"'}), 422)


async def test_of_changes_at_once_with_one_version_one_succeeds(cast: Cast) -> None:
    user = await waiting(cast)
    path, tag = f"/users/{user['id']}", {"If-Match": '"1"'}
    answers = await asyncio.gather(
        *(cast.client("admin").patch(path, json={"display_name": f"Name {number}"}, headers=tag) for number in range(8))
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 7}


@pytest.mark.parametrize("way", ["deactivate", "patch"])
async def test_a_deactivated_user_is_shut_out_at_once_and_for_good(
    app: object, cast: Cast, superuser: psycopg.Connection, way: str
) -> None:
    client, user = door(app), await added(cast)
    tokens = answered(await token(client, grant(user)), 200)
    if way == "patch":
        gone = await patched(cast, user, active=False)
    else:
        gone = await cast.client("admin").post(f"/users/{user['id']}/deactivate")
    assert (answered(gone, 200)["active"], gone.headers["etag"]) == (False, '"3"')
    answered(await client.get("/me", headers=bearer(tokens)), 401)
    answered(await refreshed(client, tokens["refresh_token"]), 401)
    answered(await token(client, grant(user)), 401)
    alive = "select count(*) from sessions where user_id = %s and ended_at is null"
    assert superuser.execute(alive, [user["id"]]).fetchone() == (0,)
    answered(await patched(cast, user, active=True), 200)
    answered(await client.get("/me", headers=bearer(tokens)), 401)
    answered(await refreshed(client, tokens["refresh_token"]), 401)
    answered(await token(client, grant(user)), 200)


async def test_deactivating_is_done_once_and_honours_a_version(cast: Cast) -> None:
    admin, user = cast.client("admin"), await waiting(cast)
    path = f"/users/{user['id']}/deactivate"
    answered(await admin.post(path, headers={"If-Match": '"7"'}), 412)
    keyed = {"Idempotency-Key": user["id"], "If-Match": '"1"'}
    first = await admin.post(path, headers=keyed)
    assert answered(first, 200)["version"] == 2
    assert first.headers["content-location"] == f"/api/v1/users/{user['id']}"
    replayed = await admin.post(path, headers=keyed)
    assert answered(replayed, 200) == first.json()
    assert replayed.headers["idempotency-replayed"] == "true"
    assert answered(await admin.post(path), 200)["version"] == 2


async def test_a_place_is_judged_by_what_the_organisation_has_become(
    cast: Cast, runtime: Runtime, superuser: psycopg.Connection
) -> None:
    body = {"name": "Clinic", "name_km": "គ្លីនិក", "kind": "health"}
    clinic = answered(await cast.client("admin").post("/organisations", json=body), 201)["id"]
    async with runtime.database.transaction() as session:
        (await session.get_one(Organisation, clinic)).kind = OrganisationKind.NGO
        await session.flush()
        partner = wanted(role="partner", organisation_id=clinic)
        task = asyncio.create_task(cast.client("admin").post("/users", json=partner))
        assert await blocked(superuser, task)
    answered(await task, 422)


async def test_a_live_session_has_the_new_role_at_once(app: object, cast: Cast) -> None:
    client = door(app)
    user = await added(cast, role="caseworker", organisation_id=cast.organisation("ngo"))
    headers = bearer(answered(await token(client, grant(user)), 200))
    answered(await client.get("/caseload", headers=headers), 403)
    answered(await patched(cast, user, role="supervisor"), 200)
    answered(await client.get("/caseload", headers=headers), 200)
    answered(await patched(cast, user, role="auditor"), 200)
    answered(await client.get("/cases", headers=headers), 403)
    assert answered(await client.get("/me", headers=headers), 200)["role"] == "auditor"


@pytest.mark.parametrize("change", [{"active": False}, {"role": "auditor"}, {"organisation_id": "other_ngo"}], ids=str)
async def test_who_no_longer_fits_leads_no_case_any_more(app: object, cast: Cast, change: dict[str, Any]) -> None:
    client = door(app)
    user = await added(cast, role="caseworker", organisation_id=cast.organisation("ngo"))
    headers = bearer(answered(await token(client, grant(user)), 200))
    case_id = await open_case(cast, "supervisor", lead_id=user["id"])
    supervised = f"/cases/{case_id}"
    assert answered(await cast.client("supervisor").get(supervised), 200)["lead"]["id"] == user["id"]
    answered(await client.get(supervised, headers=headers), 200)
    if "organisation_id" in change:
        change = {"organisation_id": cast.organisation("other_ngo")}
    answered(await patched(cast, user, **change), 200)
    assert answered(await cast.client("supervisor").get(supervised), 200)["lead"] is None
    assert (await client.get(supervised, headers=headers)).status_code in {401, 403, 404}


async def test_the_list_is_narrowed_paged_and_holds_no_system(cast: Cast) -> None:
    admin, body = cast.client("admin"), {"name": "Own NGO", "name_km": "អង្គការ", "kind": "ngo"}
    ngo = answered(await admin.post("/organisations", json=body), 201)["id"]
    answered(await patched(cast, await added(cast), organisation_id=ngo), 200)  # no caseworker
    ours = [await added(cast, role="caseworker", organisation_id=ngo) for _ in range(3)]
    answered(await patched(cast, ours[0], active=False), 200)
    query: dict[str, Any] = {"role": "caseworker", "organisation_id": ngo, "active": True, "limit": 1}
    seen: list[str] = []
    while True:
        page = answered(await admin.get("/users", params=query), 200)
        seen += [user["id"] for user in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert sorted(seen) == sorted([ours[1]["id"], ours[2]["id"]])
    inactive = answered(await admin.get("/users", params={"active": False, "organisation_id": ngo}), 200)
    assert [user["id"] for user in inactive["items"]] == [ours[0]["id"]]
    for wrong in ({"limit": 201}, {"limit": 0}, {"role": "owner"}, {"q": "a"}, {"cursor": "x"}):
        answered(await admin.get("/users", params=wrong), 422)


async def test_a_partners_system_is_no_user(cast: Cast) -> None:
    admin, clinic = cast.client("admin"), cast.organisation("clinic")
    system = answered(await admin.post(f"/organisations/{clinic}/clients", json={"name": "EMR"}), 201)["id"]
    listed = answered(await admin.get("/users", params={"organisation_id": clinic, "limit": 200}), 200)
    assert system not in {user["id"] for user in listed["items"]}
    for unseen in (system, str(uuid4()), "x"):
        path = f"/users/{unseen}"
        answered(await admin.get(path), 404)
        answered(await admin.patch(path, json={"active": False}, headers={"If-Match": '"1"'}), 404)
        answered(await admin.post(f"{path}/deactivate"), 404)
