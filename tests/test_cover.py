"""A colleague who covers a leave works on the case, finds it among the own ones, and is gone when the leave is over."""

from datetime import timedelta
from typing import Any

import psycopg

from app.models.codes.people import Role
from tests.acts import assign, finds, listed, newcomer, status_of
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered

SENSITIVE = "domestic_violence"
SHELTER = {"kind": "shelter", "name": "The blue house"}


async def covered(cast: Cast, days: int = 3) -> tuple[str, str]:
    """A sensitive case and who covers it for so many days."""
    case_id, cover = await open_case(cast, "caseworker", SENSITIVE), await newcomer(cast, Role.CASEWORKER, "ngo")
    until = (cast.clock() + timedelta(days=days)).isoformat()
    await assign(cast, "caseworker", case_id, cover, "cover", until=until)
    return case_id, cover


async def test_a_cover_finds_the_case_among_the_own_ones_until_the_leave_is_over(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id, cover = await covered(cast)
    assert await finds(cast, cover, case_id, assigned="me")
    case = answered(await cast.client(cover).get(f"/cases/{case_id}"), 200)
    assert case["access"] == {"via": "cover", "mode": "write"}
    assert case["lead"]["id"] == cast.id("caseworker")
    clock.advance(days=3, seconds=-1)
    assert await status_of(cast, cover, case_id) == 200
    clock.advance(seconds=1)
    assert await status_of(cast, cover, case_id) == 404
    assert not await finds(cast, cover, case_id, assigned="me")
    assert await finds(cast, "caseworker", case_id, assigned="me")


async def test_a_cover_that_is_over_holds_no_place_any_more(cast: Cast, clock: FrozenClock) -> None:
    case_id, cover = await covered(cast, days=1)
    clock.advance(days=1)
    due = {"due_at": (clock() + timedelta(days=2)).isoformat(), "channel": "visit", "assignee_id": cast.id(cover)}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/follow-ups", json=due), 422)
    until = (clock() + timedelta(days=2)).isoformat()
    await assign(cast, "caseworker", case_id, cover, "cover", until=until)
    assert await status_of(cast, cover, case_id) == 200
    standing = [
        item
        for item in await listed(cast, "caseworker", f"/cases/{case_id}/assignments")
        if item["role"] == "cover" and item["ended_at"] is None
    ]
    assert len(standing) == 1


async def test_a_cover_has_an_end_and_not_one_that_has_passed(cast: Cast) -> None:
    case_id = await open_case(cast, "caseworker", SENSITIVE)
    for until in ({}, {"until": cast.clock().isoformat()}):
        wanted = {"user_id": cast.id("colleague"), "role": "cover", "reason": "Leave.", **until}
        refused = await cast.client("caseworker").post(f"/cases/{case_id}/assignments", json=wanted)
        assert answered(refused, 422)["errors"][0]["pointer"] == "/until"


async def test_a_cover_writes_where_she_is_and_cannot_read_it(cast: Cast) -> None:
    case_id, cover = await covered(cast)
    path = f"/cases/{case_id}/whereabouts"
    answered(await cast.client(cover).put(path, json=SHELTER, headers={"If-None-Match": "*"}), 201)
    read = await cast.client(cover).get(path, params={"reason_code": "contact"})
    assert answered(read, 403)["code"] == "forbidden"
    assert "blue" not in read.text
    lead = await cast.client("caseworker").get(path, params={"reason_code": "contact"})
    assert answered(lead, 200)["name"] == "The blue house"


async def test_a_cover_is_taken_off_before_the_end_as_well(cast: Cast) -> None:
    case_id, cover = await covered(cast)
    (place,) = [
        item
        for item in await listed(cast, "caseworker", f"/cases/{case_id}/assignments")
        if item["user_id"] == cast.id(cover)
    ]
    answered(await cast.client("caseworker").delete(f"/cases/{case_id}/assignments/{place['id']}"), 204)
    assert await status_of(cast, cover, case_id) == 404
