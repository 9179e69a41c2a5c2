"""Businesses that women started, and relief that households were given."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from app.models.codes.people import Role
from app.security import Runtime
from app.services.businesses import months_after
from benchmarks.capture import recording
from tests.acts import listed, newcomer, without_instance
from tests.cases import open_case
from tests.cast import COMMUNE, OTHER_COMMUNE, VILLAGE, Cast, answered
from tests.programme import (
    BUSINESS,
    RELIEF,
    activity,
    business,
    changed,
    household,
    made,
    person,
    refused,
    relief,
)

BUSINESSES, RELIEFS = "/businesses", "/distributions"


async def test_a_business_keeps_its_owner_as_she_stood(cast: Cast) -> None:
    none = dict.fromkeys(("seeing", "hearing", "walking", "remembering", "self_care", "communicating"), "none")
    owner = await person(cast, birth_date="1991-06-01", birth_date_precision="day", disability=none)
    answer = await cast.client("caseworker").post(BUSINESSES, json={**BUSINESS, "owner_id": owner})
    one = answered(answer, 201)
    assert answer.headers["Location"] == f"/api/v1{BUSINESSES}/{one['id']}"
    assert (one["owner_sex"], one["owner_age_band"], one["owner_disability"]) == ("female", "30-44", False)
    await changed(cast, "caseworker", f"/people/{owner}", sex="other", birth_date="1950-01-01")
    assert answered(await cast.client("colleague").get(f"{BUSINESSES}/{one['id']}"), 200) == one


async def test_a_business_stands_where_its_owner_lives_unless_told(cast: Cast) -> None:
    home = await person(cast, village_code=VILLAGE)
    body = {name: value for name, value in BUSINESS.items() if name != "commune_code"}
    assert (await made(cast, "caseworker", BUSINESSES, {**body, "owner_id": home}))["commune_code"] == COMMUNE
    assert (await business(cast, owner_id=home, commune_code=OTHER_COMMUNE))["commune_code"] == OTHER_COMMUNE
    nowhere = {**body, "owner_id": await person(cast)}
    assert await refused(cast, "caseworker", BUSINESSES, nowhere) == ("/commune_code", "required")


async def test_an_owner_who_is_hidden_does_not_exist_and_one_of_a_case_owns_nothing(cast: Cast) -> None:
    case_id = await open_case(cast, "colleague", "domestic_violence")
    client = answered(await cast.client("colleague").get(f"/cases/{case_id}"), 200)["client"]["id"]
    told = [
        without_instance(await cast.client("caseworker").post(BUSINESSES, json={**BUSINESS, "owner_id": own_id}))
        for own_id in (client, await person(cast, "stranger"), str(uuid4()))
    ]
    assert told[0] == told[1] == told[2]
    assert told[0][0] == 404
    body = {**BUSINESS, "owner_id": client}
    assert await refused(cast, "colleague", BUSINESSES, body) == ("/owner_id", "not_of_the_register")


async def test_nobody_knows_whether_it_lives_before_the_months_have_passed(cast: Cast) -> None:
    owner = await person(cast)
    for months, started, young in ((3, "2025-12-01", "2026-02-28"), (6, "2025-09-01", "2025-12-01")):
        field = f"alive_at_{months}_months"
        body = {**BUSINESS, "owner_id": owner, "started_on": young, field: True}
        if not cast.clock().date() > date(2026, 5, 28):
            assert await refused(cast, "caseworker", BUSINESSES, body) == (f"/{field}", "in_the_future")
        one = await made(cast, "caseworker", BUSINESSES, {**body, "started_on": started})
        assert one[field] is True
        await changed(cast, "caseworker", f"{BUSINESSES}/{one['id']}", 422, alive_at_12_months=False)
        nothing: dict[str, Any] = {field: None}
        assert (await changed(cast, "caseworker", f"{BUSINESSES}/{one['id']}", **nothing))[field] is None


@pytest.mark.parametrize(
    ("day", "months", "after"),
    [
        (date(2025, 11, 30), 3, date(2026, 2, 28)),
        (date(2025, 12, 31), 6, date(2026, 6, 30)),
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2025, 1, 15), 3, date(2025, 4, 15)),
        (date(2025, 9, 1), 3, date(2025, 12, 1)),
    ],
)
def test_months_end_on_the_same_day_or_the_last_of_the_month(day: date, months: int, after: date) -> None:
    assert months_after(day, months) == after


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        (BUSINESSES, {"started_on": "2199-01-01"}, ("/started_on", "in_the_future")),
        (BUSINESSES, {"commune_code": "999999"}, ("/commune_code", "unknown_area")),
        (BUSINESSES, {"kind": "casino"}, ("/kind", "unknown_code")),
        (BUSINESSES, {"owner_sex": "female"}, ("/owner_sex", "unknown_field")),
        (RELIEFS, {"distributed_on": "2199-01-01"}, ("/distributed_on", "in_the_future")),
        (RELIEFS, {"distributed_on": "2009-12-31"}, ("/distributed_on", "before_the_programme")),
        (RELIEFS, {"quantity": 0}, ("/quantity", "out_of_range")),
        (RELIEFS, {"quantity": 1.5}, ("/quantity", "invalid_number")),
        (RELIEFS, {"item": " "}, ("/item", "text_empty")),
    ],
)
async def test_what_cannot_be_is_refused(cast: Cast, path: str, body: dict[str, Any], wrong: tuple[str, str]) -> None:
    whole = {**BUSINESS, "owner_id": await person(cast)}
    if path == RELIEFS:
        whole = {**RELIEF, "household_id": await household(cast)}
    assert await refused(cast, "caseworker", path, {**whole, **body}) == wrong


async def test_relief_is_read_as_it_was_written_down(cast: Cast) -> None:
    one = await relief(cast, household_id=await household(cast, village_code=VILLAGE))
    assert {name: one[name] for name in RELIEF} == RELIEF
    assert one["commune_code"] == COMMUNE
    assert answered(await cast.client("colleague").get(f"{RELIEFS}/{one['id']}"), 200) == one


async def test_relief_for_a_household_of_another_organisation_is_for_nobody(cast: Cast) -> None:
    told = [
        without_instance(await cast.client("caseworker").post(RELIEFS, json={**RELIEF, "household_id": own_id}))
        for own_id in (await household(cast, "stranger"), str(uuid4()))
    ]
    assert told[0] == told[1]
    assert told[0][0] == 404


async def test_relief_outside_the_programme_is_refused(cast: Cast) -> None:
    await cast.add("relief_elsewhere", Role.CASEWORKER, "other_ngo", [])
    organisation = f"/organisations/{cast.organisation('other_ngo')}"
    home = await household(cast, "relief_elsewhere", village_code=VILLAGE)
    await changed(cast, "admin", organisation, programme_communes=[OTHER_COMMUNE])
    for path, body in ((RELIEFS, RELIEF), ("/home-visits", {"visited_on": "2026-03-01", "outcome": "no_need"})):
        wrong = await refused(cast, "relief_elsewhere", path, {**body, "household_id": home})
        assert wrong == ("/household_id", "outside_programme")
    await changed(cast, "admin", organisation, programme_communes=[])
    await relief(cast, "relief_elsewhere", household_id=home)


@pytest.mark.parametrize(
    ("path", "add", "change"), [(BUSINESSES, business, {"kind": "retail"}), (RELIEFS, relief, {"quantity": 9})]
)
async def test_only_recorder_and_supervisors_change_it_and_liaisons_never_see_it(
    cast: Cast, path: str, add: Any, change: dict[str, Any]
) -> None:
    own = f"{path}/{(await add(cast))['id']}"
    for who, status in (("colleague", 403), ("stranger", 404), ("liaison", 403), ("auditor", 403)):
        await changed(cast, who, own, status, **change)
    after = await changed(cast, "supervisor", own, **change)
    assert (after["version"], {name: after[name] for name in change}) == (2, change)
    for field in ("owner_id", "household_id", "recorded_at"):
        await changed(cast, "caseworker", own, 422, **{field: str(uuid4())})
    assert (await cast.client("caseworker").delete(own)).status_code == 428
    assert (await cast.client("colleague").delete(own, headers={"If-Match": "*"})).status_code == 403
    answered(await cast.client("caseworker").delete(own, headers={"If-Match": '"2"'}), 204)
    for who in ("liaison", "partner", "auditor", "admin"):
        assert (await cast.client(who).get(path)).status_code == 403


async def test_lists_are_narrowed(cast: Cast) -> None:
    who = await newcomer(cast, Role.SUPERVISOR, "ngo")
    owner, training = await person(cast, who), (await activity(cast, who, kind="business_training"))["id"]
    first = (await business(cast, who, owner_id=owner, activity_id=training, started_on="2026-01-05"))["id"]
    second = (await business(cast, who, owner_id=owner, kind="retail", started_on="2026-01-06"))["id"]

    async def found(path: str, **query: Any) -> set[str]:
        return {one["id"] for one in await listed(cast, who, path, **query)}

    assert await found(BUSINESSES, owner_id=owner) == {first, second}
    for query in ({"activity_id": training}, {"kind": "food_stall"}, {"until": "2026-01-05"}):
        assert await found(BUSINESSES, owner_id=owner, **query) == {first}
    home = await household(cast, who)
    flood = (await relief(cast, who, household_id=home, distributed_on="2026-01-05"))["id"]
    drought = (await relief(cast, who, household_id=home, cause="drought"))["id"]
    assert await found(RELIEFS, household_id=home) == {flood, drought}
    assert await found(RELIEFS, household_id=home, cause="flood") == {flood}
    assert await found(RELIEFS, household_id=home, **{"from": "2026-01-06"}) == {drought}
    for path in (BUSINESSES, RELIEFS):
        assert (await cast.client(who).get(path, params={"status": "open"})).status_code == 422


@pytest.mark.parametrize(("path", "add"), [(BUSINESSES, business), (RELIEFS, relief)])
async def test_a_page_asks_as_many_queries_for_many_as_for_one(
    cast: Cast, runtime: Runtime, path: str, add: Any
) -> None:
    counted = []
    for limit in (1, 12):
        for _ in range(limit):
            await add(cast)
        with recording(runtime.database.engine) as statements:
            page = answered(await cast.client("caseworker").get(path, params={"limit": limit}), 200)
        assert len(page["items"]) == limit
        counted.append(len(statements))
    assert counted[0] == counted[1] <= 5
