"""Who is put on a case and taken off it, and what that means at once."""

from datetime import timedelta

import psycopg
import pytest

from app.models.codes.people import Role
from tests.acts import (
    SENSITIVE,
    assign,
    exclude,
    finds,
    listed,
    newcomer,
    status_of,
)
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.confirmations import confirmed


@pytest.mark.parametrize("category", ["id_poor", SENSITIVE])
async def test_a_lead_hands_the_case_to_a_colleague_and_is_off_it_at_once(cast: Cast, category: str) -> None:
    case_id = await open_case(cast, category=category)
    await assign(cast, "caseworker", case_id, "colleague", "lead")
    seen = answered(await cast.client("colleague").get(f"/cases/{case_id}"), 200)
    assert seen["lead"]["id"] == cast.id("colleague")
    types = [item["type"] for item in await listed(cast, "colleague", f"/cases/{case_id}/timeline")]
    assert types.count("assignment.added") == 1
    assert await status_of(cast, "caseworker", case_id) == (200 if category == "id_poor" else 404)
    change = await cast.client("caseworker").patch(
        f"/cases/{case_id}", json={"priority": "urgent"}, headers={"If-Match": "*"}
    )
    answered(change, 403 if category == "id_poor" else 404)


async def test_the_assignment_of_the_lead_ends_only_by_naming_another(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    (lead,) = await listed(cast, "caseworker", f"/cases/{case_id}/assignments")
    answered(await cast.client("caseworker").delete(f"/cases/{case_id}/assignments/{lead['id']}"), 409)
    wanted = {"user_id": cast.id("caseworker"), "role": "caseworker"}
    for who in ("caseworker", "supervisor"):
        answered(await cast.client(who).post(f"/cases/{case_id}/assignments", json=wanted), 409)
    await exclude(cast, "supervisor", case_id, "caseworker", 409)
    await assign(cast, "supervisor", case_id, "colleague", "lead")
    await exclude(cast, "supervisor", case_id, "caseworker")


async def test_a_cover_sees_the_case_until_the_cover_ends(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    until = (clock() + timedelta(hours=5)).isoformat()
    await assign(cast, "caseworker", case_id, "colleague", "cover", until=until)
    clock.advance(hours=5, seconds=-1)
    seen = answered(await cast.client("colleague").get(f"/cases/{case_id}"), 200)
    assert seen["access"] == {"via": "cover", "mode": "write"}
    clock.advance(seconds=1)
    assert await status_of(cast, "colleague", case_id) == 404
    assert not await finds(cast, "colleague", case_id)


async def test_an_ended_assignment_gives_no_access_any_more(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    own_id = await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    assert await status_of(cast, "colleague", case_id) == 200
    path = f"/cases/{case_id}/assignments/{own_id}"
    answered(await cast.client("colleague").delete(path), 403)
    answered(await cast.client("caseworker").delete(path), 204)
    assert await status_of(cast, "colleague", case_id) == 404


async def test_a_lead_cannot_name_or_end_a_reviewer(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    wanted = {"user_id": cast.id("supervisor"), "role": "reviewer", "reason": "To see."}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/assignments", json=wanted), 403)
    own_id = await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    answered(await cast.client("caseworker").delete(f"/cases/{case_id}/assignments/{own_id}"), 403)
    assert await status_of(cast, "supervisor", case_id) == 200


async def test_a_supervisor_takes_a_case_that_she_cannot_see_as_its_reviewer_only_and_says_why(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    path, supervisor = f"/cases/{case_id}/assignments", cast.client("supervisor")
    own = {"user_id": cast.id("supervisor"), "reason": "Somebody must."}
    until = (cast.clock() + timedelta(days=2)).isoformat()
    for role, more in (("lead", {}), ("caseworker", {}), ("cover", {"until": until})):
        answered(await supervisor.post(path, json={**own, "role": role, **more}), 403)
    refused = answered(await supervisor.post(path, json={"user_id": own["user_id"], "role": "reviewer"}), 422)
    assert refused["errors"][0]["pointer"] == "/reason"
    assert await status_of(cast, "supervisor", case_id) == 404
    assert answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)["lead"]["id"] == cast.id(
        "caseworker"
    )
    answered(await supervisor.post(path, json={**own, "role": "reviewer"}), 201)
    assert await status_of(cast, "supervisor", case_id) == 200


async def test_a_lead_names_liaisons_and_caseworkers_only(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    for role in ("lead", "caseworker"):
        wanted = {"user_id": cast.id("supervisor"), "role": role}
        answered(await cast.client("caseworker").post(f"/cases/{case_id}/assignments", json=wanted), 403)


async def test_a_deactivated_lead_leaves_the_case_to_the_supervisors_for_good(
    cast: Cast, superuser: psycopg.Connection
) -> None:
    leaver = await newcomer(cast, Role.CASEWORKER, "ngo")
    case_id = await open_case(cast, leaver, SENSITIVE)
    path, changes = f"/users/{cast.id(leaver)}", {"If-Match": "*"}
    answered(await cast.client("admin").patch(path, json={"active": False}, headers=changes), 200)
    assert await status_of(cast, leaver, case_id) == 401
    assert await finds(cast, "supervisor", case_id, "/caseload", needs_lead=True)
    assert await status_of(cast, "supervisor", case_id) == 200
    answered(await cast.client("admin").patch(path, json={"active": True}, headers=changes), 200)
    await confirmed(cast, cast.id(leaver))
    superuser.execute("update sessions set ended_at = null where user_id = %s", [cast.id(leaver)])
    assert await status_of(cast, leaver, case_id) == 404


async def test_who_moves_to_another_organisation_leaves_every_case_behind(cast: Cast) -> None:
    mover = await newcomer(cast, Role.CASEWORKER, "ngo")
    standard, sensitive = await open_case(cast), await open_case(cast, category=SENSITIVE)
    await assign(cast, "caseworker", sensitive, mover, "caseworker")
    assert [await status_of(cast, mover, one) for one in (standard, sensitive)] == [200, 200]
    for organisation in ("other_ngo", "ngo"):
        change = {"organisation_id": cast.organisation(organisation)}
        moved = await cast.client("admin").patch(f"/users/{cast.id(mover)}", json=change, headers={"If-Match": "*"})
        answered(moved, 200)
        await confirmed(cast, cast.id(mover))
        seen = [await status_of(cast, mover, one) for one in (standard, sensitive)]
        assert seen == ([404, 404] if organisation == "other_ngo" else [200, 404])
