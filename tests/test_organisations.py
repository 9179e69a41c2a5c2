"""Organisations and the systems of partners: who reads and edits them, and what closing one does at once."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.models.codes.people import OrganisationKind
from app.models.organisation import Organisation
from tests.cast import Cast, answered
from tests.confirmations import joined
from tests.doors import bearer, blocked, door, refreshed, token


def wanted(**changes: Any) -> dict[str, Any]:
    """The body of an ordinary new organisation."""
    return {"name": f"Clinic {uuid4().hex[:8]}", "name_km": "គ្លីនិក", "kind": "health", **changes}


async def added(cast: Cast, **changes: Any) -> Any:
    """A new organisation, as the answer shows it."""
    return answered(await cast.client("admin").post("/organisations", json=wanted(**changes)), 201)


async def patched(cast: Cast, organisation: dict[str, Any], status: int, **fields: Any) -> Any:
    """Change an organisation as the admin, whatever the present version."""
    path = f"/organisations/{organisation['id']}"
    tag = (await cast.client("admin").get(path)).headers["etag"]
    response = await cast.client("admin").patch(path, json=fields, headers={"If-Match": tag})
    return answered(response, status)


async def test_an_organisation_is_added_read_and_changed(cast: Cast) -> None:
    admin, body = cast.client("admin"), wanted()
    keyed = {"Idempotency-Key": body["name"]}
    response = await admin.post("/organisations", json=body, headers=keyed)
    made = answered(response, 201)
    path = f"/organisations/{made['id']}"
    assert response.headers["location"] == f"/api/v1{path}"
    assert made | body | {"active": True, "signatory": False, "version": 1} == made
    assert answered(await admin.post("/organisations", json=body, headers=keyed), 201) == made
    assert answered(await admin.get(path), 200) == made
    answered(await admin.patch(path, json={"signatory": True}), 428)
    changed = await admin.patch(path, json={"signatory": True}, headers={"If-Match": '"1"'})
    assert answered(changed, 200) == made | {
        "signatory": True,
        "version": 2,
        "updated_at": changed.json()["updated_at"],
    }
    assert changed.headers["etag"] == '"2"'
    answered(await admin.patch(path, json={"signatory": True}, headers={"If-Match": '"1"'}), 412)
    for name in ("name", "name_km", "kind", "signatory", "active"):
        refused = await admin.patch(path, json={name: None}, headers={"If-Match": '"2"'})
        assert answered(refused, 422)["errors"][0]["pointer"] == f"/{name}"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"kind": "bank"}, "/kind"),
        ({"name": ""}, "/name"),
        ({"name_km": "\u200b"}, "/name_km"),
        ({"id": str(uuid4())}, "/id"),
        ({"staff_principal": str(uuid4())}, "/staff_principal"),
    ],
)
async def test_a_field_that_is_wrong_or_not_for_the_caller_is_named(
    cast: Cast, changes: dict[str, Any], pointer: str
) -> None:
    response = await cast.client("admin").post("/organisations", json=wanted(**changes))
    assert [error["pointer"] for error in answered(response, 422)["errors"]] == [pointer]


async def test_casework_staff_liaisons_and_admins_read_organisations_and_nobody_else(cast: Cast) -> None:
    for role, status in {
        "caseworker": 200,
        "supervisor": 200,
        "liaison": 200,
        "admin": 200,
        "partner": 403,
        "auditor": 403,
        "nobody": 401,
    }.items():
        for path in ("/organisations", f"/organisations/{cast.organisation('ngo')}"):
            answered(await cast.client(role).get(path), status)
    answered(await cast.client("admin").get(f"/organisations/{uuid4()}"), 404)


async def test_the_list_is_paged_newest_first_and_stable_while_rows_are_added(cast: Cast) -> None:
    cast.clock.advance(seconds=1)
    older = await added(cast)
    cast.clock.advance(seconds=1)
    newer = await added(cast)
    admin = cast.client("admin")
    first = answered(await admin.get("/organisations", params={"limit": 1}), 200)
    assert [row["id"] for row in first["items"]] == [newer["id"]]
    cast.clock.advance(seconds=1)
    await added(cast)
    second = await admin.get("/organisations", params={"limit": 1, "cursor": first["next_cursor"]})
    assert [row["id"] for row in answered(second, 200)["items"]] == [older["id"]]
    answered(await admin.get("/organisations", params={"limit": 201}), 422)


async def test_closing_an_organisation_stops_its_people_and_systems_at_once(app: object, cast: Cast) -> None:
    admin, client = cast.client("admin"), door(app)
    clinic = await added(cast)
    person = {
        "username": f"nurse.{uuid4().hex[:8]}",
        "display_name": "Nurse",
        "role": "partner",
        "organisation_id": clinic["id"],
    }
    user = await joined(cast, person)
    system = answered(await admin.post(f"/organisations/{clinic['id']}/clients", json={"name": "EMR"}), 201)
    forms = [
        {"grant_type": "password", "username": user["username"], "password": user["password"]},
        {
            "grant_type": "client_credentials",
            "client_id": system["client_id"],
            "client_secret": system["client_secret"],
        },
    ]
    tokens = [answered(await token(client, form), 200) for form in forms]
    await patched(cast, clinic, 200, active=False)
    for one, form in zip(tokens, forms, strict=True):
        answered(await client.get("/me", headers=bearer(one)), 401)
        answered(await token(client, form), 401)
    answered(await refreshed(client, tokens[0]["refresh_token"]), 401)
    await patched(cast, clinic, 200, active=True)
    answered(await token(client, forms[0]), 200)


async def test_a_kind_to_which_its_people_do_not_belong_is_refused(cast: Cast) -> None:
    admin, clinic = cast.client("admin"), await added(cast)
    await patched(cast, clinic, 200, kind="ngo")
    await patched(cast, clinic, 200, kind="health")
    answered(await admin.post(f"/organisations/{clinic['id']}/clients", json={"name": "EMR"}), 201)
    await patched(cast, clinic, 409, kind="ngo")
    await patched(cast, clinic, 409, kind="commune_council")
    await patched(cast, clinic, 200, kind="legal_aid")
    await patched(cast, {"id": cast.organisation("ngo")}, 409, kind="health")


@pytest.mark.parametrize("kind", list(OrganisationKind))
async def test_only_partners_have_systems(cast: Cast, kind: OrganisationKind) -> None:
    organisation = await added(cast, kind=kind)
    path = f"/organisations/{organisation['id']}/clients"
    status = 409 if kind in {OrganisationKind.NGO, OrganisationKind.COMMUNE_COUNCIL} else 201
    answered(await cast.client("admin").post(path, json={"name": "EMR"}), status)


async def test_a_system_is_judged_by_what_the_organisation_has_become(
    cast: Cast, superuser: psycopg.Connection
) -> None:
    clinic = await added(cast)
    async with cast.runtime.database.transaction() as session:
        (await session.get_one(Organisation, clinic["id"])).kind = OrganisationKind.NGO
        await session.flush()
        path = f"/organisations/{clinic['id']}/clients"
        task = asyncio.create_task(cast.client("admin").post(path, json={"name": "EMR"}))
        assert await blocked(superuser, task)
    answered(await task, 409)


async def test_a_systems_secret_is_shown_once_and_kept_nowhere(
    cast: Cast, superuser: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    admin, path = cast.client("admin"), f"/organisations/{cast.organisation('clinic')}/clients"
    keyed = {"Idempotency-Key": str(uuid4())}
    response = await admin.post(path, json={"name": "EMR"}, headers=keyed)
    made = answered(response, 201)
    secret = made.pop("client_secret")
    assert len(secret) == 43
    assert response.headers["location"] == f"/api/v1{path}/{made['client_id']}"
    assert made["client_id"] == made["id"]
    assert answered(await admin.get(f"{path}/{made['client_id']}"), 200) == made
    replayed = await admin.post(path, json={"name": "EMR"}, headers=keyed)
    assert answered(replayed, 201) == made
    assert made in answered(await admin.get(path, params={"limit": 200}), 200)["items"]
    stored = superuser.execute("select password_hash from user_credentials where user_id = %s", [made["id"]]).fetchone()
    assert stored is not None
    assert stored[0].startswith("$argon2id$")
    for table in ("users", "user_credentials", "idempotency_keys"):
        found = superuser.execute(f"select count(*) from {table} t where t::text like %s", [f"%{secret}%"])
        assert found.fetchone() == (0,)
    assert secret not in capsys.readouterr().out


async def test_a_system_is_found_only_under_its_own_organisation(cast: Cast) -> None:
    admin = cast.client("admin")
    own, other = await added(cast), await added(cast)
    system = answered(await admin.post(f"/organisations/{own['id']}/clients", json={"name": "EMR"}), 201)
    elsewhere = f"/organisations/{other['id']}/clients"
    answered(await admin.get(f"{elsewhere}/{system['id']}"), 404)
    answered(await admin.delete(f"{elsewhere}/{system['id']}"), 404)
    assert answered(await admin.get(elsewhere), 200)["items"] == []
    person = f"/organisations/{cast.organisation('clinic')}/clients/{cast.id('partner')}"
    answered(await admin.get(person), 404)
    answered(await admin.delete(person), 404)
    answered(await cast.client("partner").get("/me"), 200)
    for method in ("GET", "POST"):
        unknown = f"/organisations/{uuid4()}/clients"
        body = {"name": "EMR"} if method == "POST" else None
        answered(await admin.request(method, unknown, json=body), 404)


async def test_of_changes_at_once_with_one_version_one_succeeds(cast: Cast) -> None:
    organisation = await added(cast)
    path, tag = f"/organisations/{organisation['id']}", {"If-Match": '"1"'}
    answers = await asyncio.gather(
        *(cast.client("admin").patch(path, json={"name": f"Name {number}"}, headers=tag) for number in range(8))
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 7}
