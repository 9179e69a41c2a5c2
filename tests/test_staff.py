"""The staff directory: everybody who may be assigned or excluded, and nobody else."""

from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from app.models.codes.people import Role
from tests.cast import COMMUNE, OTHER_COMMUNE, PEOPLE, Cast, answered

LISTED = {Role.CASEWORKER, Role.SUPERVISOR, Role.CCWC_LIAISON, Role.PARTNER}


async def everybody(client: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """All pages."""
    people: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = answered(await client.get("/staff", params={**query, **({"cursor": cursor} if cursor else {})}), 200)
        people += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return people


def ids(people: list[dict[str, Any]]) -> set[str]:
    return {person["id"] for person in people}


async def test_the_directory_holds_casework_staff_liaisons_and_people_of_partners(cast: Cast) -> None:
    people = await everybody(cast.client("caseworker"))
    expected = {cast.id(name) for name, (role, *_) in PEOPLE.items() if role in LISTED}
    assert expected <= ids(people)
    assert {person["role"] for person in people} <= set(LISTED)
    assert not ids(people) & {cast.id("auditor"), cast.id("admin")}


async def test_a_person_is_shown_with_what_choosing_needs_and_no_more(cast: Cast) -> None:
    people = await everybody(cast.client("supervisor"), role="ccwc_liaison", commune=COMMUNE)
    (liaison,) = [person for person in people if person["id"] == cast.id("liaison")]
    assert liaison == {
        "id": cast.id("liaison"),
        "display_name": "Liaison",
        "role": "ccwc_liaison",
        "organisation_id": cast.organisation("council"),
        "communes": [COMMUNE],
    }


async def test_filters_by_role_organisation_and_commune_narrow(cast: Cast) -> None:
    client = cast.client("caseworker")
    supervisors = ids(await everybody(client, role="supervisor"))
    assert {cast.id("supervisor"), cast.id("other_supervisor")} <= supervisors
    assert cast.id("caseworker") not in supervisors
    own = ids(await everybody(client, organisation_id=cast.organisation("ngo"), role="supervisor"))
    assert cast.id("supervisor") in own
    assert cast.id("other_supervisor") not in own
    there = ids(await everybody(client, commune=OTHER_COMMUNE))
    assert cast.id("other_liaison") in there
    assert not there & {cast.id("liaison"), cast.id("caseworker")}
    assert await everybody(client, organisation_id=str(uuid4())) == []


async def test_who_left_whose_organisation_left_and_systems_are_not_in_the_directory(
    cast: Cast, superuser: psycopg.Connection
) -> None:
    await cast.add("leaver", Role.CASEWORKER, "ngo", [])
    await cast.add("machine", Role.PARTNER, "clinic", [])
    await cast.add("remaining", Role.PARTNER, "clinic", [])
    client = cast.client("caseworker")
    assert {cast.id("leaver"), cast.id("machine")} <= ids(await everybody(client))
    superuser.execute("update users set active = false where id = %s", [cast.id("leaver")])
    superuser.execute("update users set system = true, scopes = '{}' where id = %s", [cast.id("machine")])
    listed = ids(await everybody(client))
    assert not listed & {cast.id("leaver"), cast.id("machine")}
    assert cast.id("remaining") in listed
    superuser.execute("update organisations set active = false where id = %s", [cast.organisation("clinic")])
    try:
        assert cast.id("remaining") not in ids(await everybody(client))
    finally:
        superuser.execute("update organisations set active = true where id = %s", [cast.organisation("clinic")])


async def test_pages_are_by_name_and_no_name_is_in_their_addresses(cast: Cast) -> None:
    for name in ("twin_of_sokha", "twin_of_sokha_"):  # one shown name, so that the id decides
        await cast.add(name, Role.CASEWORKER, "other_ngo", [])
    client = cast.client("caseworker")
    whole = await everybody(client, limit=200)
    assert whole == sorted(whole, key=lambda person: (person["display_name"].encode(), person["id"]))
    for limit in (1, 2, 5):
        assert await everybody(client, limit=limit) == whole
    page = answered(await client.get("/staff", params={"limit": 1}), 200)
    assert page["next_cursor"] == page["items"][0]["id"]


async def test_somebody_who_comes_between_two_pages_moves_nobody(cast: Cast) -> None:
    client = cast.client("supervisor")
    first = answered(await client.get("/staff", params={"limit": 3}), 200)
    rest = {"limit": 200, "cursor": first["next_cursor"]}
    before = answered(await client.get("/staff", params=rest), 200)["items"]
    await cast.add("a_first_one", Role.CASEWORKER, "ngo", [])
    assert answered(await client.get("/staff", params=rest), 200)["items"] == before


async def test_who_assigns_nobody_has_no_directory(cast: Cast) -> None:
    for name in ("partner", "auditor", "admin"):
        assert (await cast.client(name).get("/staff")).status_code == 403
    assert (await cast.client("nobody").get("/staff")).status_code == 401


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("role=admin", "/query/role"),
        ("role=auditor", "/query/role"),
        ("role=boss", "/query/role"),
        ("commune=999999", "/query/commune"),
        ("commune=1702", "/query/commune"),
        ("organisation_id=x", "/query/organisation_id"),
        ("cursor=x", "/query/cursor"),
        ("cursor=00000000-0000-4000-8000-000000000000", "/query/cursor"),
        ("limit=0", "/query/limit"),
        ("name=Sokha", "/query/name"),
    ],
)
async def test_a_wrong_query_is_refused_where_it_is_wrong(cast: Cast, query: str, pointer: str) -> None:
    errors = answered(await cast.client("caseworker").get(f"/staff?{query}"), 422)["errors"]
    assert [error["pointer"] for error in errors] == [pointer]
