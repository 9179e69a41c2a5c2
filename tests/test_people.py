"""People and households: each person is seen exactly as their home is."""

from datetime import timedelta
from typing import Any

import pytest

from app.calendar import day_of
from tests.cases import intake, open_case
from tests.cast import VILLAGE, Cast, FrozenClock, answered

PERSON = {
    "family_name_km": "ស៊ុន",
    "given_name_km": "សុភា",
    "family_name_en": "Sun",
    "given_name_en": "Sophea",
    "sex": "female",
    "birth_date": "1990-06-01",
    "birth_date_precision": "exact",
    "phones": [{"number": "០១២ ៣៤៥ ៦៧៨", "owner": "self", "safe_to_call": True}],
    "village_code": VILLAGE,
}


async def register(cast: Cast, who: str = "caseworker", **changes: Any) -> dict[str, Any]:
    return answered(await cast.client(who).post("/people", json={**PERSON, **changes}), 201)  # type: ignore[no-any-return]


async def test_a_person_of_the_register_is_seen_by_the_staff_of_the_organisation_only(cast: Cast) -> None:
    person = await register(cast)
    for name in ("caseworker", "colleague", "supervisor"):
        assert answered(await cast.client(name).get(f"/people/{person['id']}"), 200)["id"] == person["id"]
    for name in ("stranger", "other_supervisor"):
        answered(await cast.client(name).get(f"/people/{person['id']}"), 404)
        page = answered(await cast.client(name).get("/people", params={"limit": 200}), 200)
        assert person["id"] not in [item["id"] for item in page["items"]]
    for name in ("liaison", "partner", "auditor", "admin"):
        answered(await cast.client(name).get(f"/people/{person['id']}"), 403)


async def test_khmer_digits_in_a_phone_number_are_understood(cast: Cast) -> None:
    assert (await register(cast))["phones"][0]["number"] == "+85512345678"


async def test_a_name_is_shown_in_the_readers_script_family_name_first(cast: Cast) -> None:
    assert (await register(cast))["display_name"] == "ស៊ុន សុភា"


async def test_a_birthday_begins_at_midnight_in_phnom_penh(cast: Cast, clock: FrozenClock) -> None:
    """Seven hours before it does in UTC."""
    clock.at = (clock.at + timedelta(days=1)).replace(hour=17, minute=30)
    today = day_of(clock())
    assert today > clock().date()
    while (today.month, today.day) == (2, 29):
        clock.advance(days=1)
        today = day_of(clock())
    born = {"birth_date": f"{today.replace(year=today.year - 30)}", "birth_date_precision": "exact"}
    person = await register(cast, **born)
    assert person["age"] == 30
    assert answered(await cast.client("caseworker").get(f"/people/{person['id']}"), 200)["age"] == 30
    case_id = await open_case(cast, client={"alias": "Lotus", **born})
    assert answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)["client"]["age"] == 30


async def test_an_age_is_full_years(cast: Cast, clock: FrozenClock) -> None:
    today = day_of(clock())
    born = [day.replace(year=day.year - 36).isoformat() for day in (today, today + timedelta(days=1))]
    assert [(await register(cast, birth_date=day))["age"] for day in born] == [36, 35]


async def test_an_alias_alone_is_enough_and_no_name_at_all_is_not(cast: Cast) -> None:
    person = answered(await cast.client("caseworker").post("/people", json={"alias": "Blue door"}), 201)
    assert person["display_name"] == "Blue door"
    answered(await cast.client("caseworker").post("/people", json={"sex": "female"}), 422)


async def test_a_client_copied_into_a_case_is_a_row_of_its_own(cast: Cast) -> None:
    person = await register(cast)
    body = {**intake("domestic_violence"), "client_id": person["id"]}
    del body["client"]
    case = answered(await cast.client("caseworker").post("/cases", json=body), 201)
    assert case["client"]["id"] != person["id"]
    assert case["client"]["display_name"] == person["display_name"]
    copied = case["client"]["id"]
    change = await cast.client("caseworker").patch(
        f"/people/{copied}", json={"given_name_km": "សុខា"}, headers={"If-Match": '"1"'}
    )
    assert answered(change, 200)["display_name"] == "ស៊ុន សុខា"
    assert answered(await cast.client("colleague").get(f"/people/{person['id']}"), 200)["given_name_km"] == "សុភា"
    answered(await cast.client("colleague").get(f"/people/{copied}"), 404)


async def test_a_hidden_person_or_household_named_in_a_body_does_not_exist(cast: Cast) -> None:
    person = await register(cast)
    household = answered(await cast.client("caseworker").post("/households", json={"size": 4}), 201)
    body = {**intake(), "client_id": person["id"]}
    del body["client"]
    answered(await cast.client("stranger").post("/cases", json=body), 404)
    hidden = {"alias": "A", "household_id": household["id"]}
    answered(await cast.client("stranger").post("/people", json=hidden), 404)
    answered(await cast.client("stranger").post("/cases", json=intake(client=hidden)), 404)


async def test_a_household_lists_the_members_that_the_reader_sees_and_its_size_is_typed(cast: Cast) -> None:
    household = answered(await cast.client("caseworker").post("/households", json={"size": 7}), 201)
    member = await register(cast, household_id=household["id"])
    client = {"alias": "Hidden", "household_id": household["id"]}
    case_id = await open_case(cast, "caseworker", "domestic_violence", client=client)
    hidden = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)["client"]["id"]
    path = f"/households/{household['id']}"
    for name, members in (("caseworker", {member["id"], hidden}), ("colleague", {member["id"]})):
        seen = answered(await cast.client(name).get(path), 200)
        assert {one["id"] for one in seen["members"]} == members
        assert seen["size"] == 7
    answered(await cast.client("stranger").get(path), 404)


async def test_further_people_of_a_case_are_seen_with_the_case_but_not_by_its_liaison(cast: Cast) -> None:
    support = [{"purpose": "ccwc_support", "form": "verbal", "obtained_on": "2026-03-01"}]
    case_id = await open_case(cast, "caseworker", "domestic_violence", consents=support)
    added = await cast.client("caseworker").post(f"/cases/{case_id}/people", json={"alias": "Child", "role": "child"})
    child = answered(added, 201)
    assert added.headers["Location"] == f"/api/v1/people/{child['id']}"
    wanted = {"user_id": cast.id("liaison"), "role": "liaison"}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/assignments", json=wanted), 201)
    people = answered(await cast.client("caseworker").get(f"/cases/{case_id}/people"), 200)["items"]
    assert {person["role"] for person in people} == {"client", "child"}
    answered(await cast.client("liaison").get(f"/cases/{case_id}/people"), 403)
    answered(await cast.client("colleague").get(f"/cases/{case_id}/people"), 404)


@pytest.mark.parametrize("field", ["sex", "phones", "birth_date_precision", "language"])
async def test_null_is_refused_where_a_field_cannot_be_empty(cast: Cast, field: str) -> None:
    person = await register(cast)
    refused = await cast.client("caseworker").patch(
        f"/people/{person['id']}", json={field: None}, headers={"If-Match": '"1"'}
    )
    assert answered(refused, 422)["errors"][0]["pointer"] == f"/{field}"


async def test_nobody_is_left_without_any_name(cast: Cast) -> None:
    worker = cast.client("caseworker")
    person = answered(await worker.post("/people", json={"alias": "A"}), 201)
    path, any_version = f"/people/{person['id']}", {"If-Match": "*"}
    refused = answered(await worker.patch(path, json={"alias": None}, headers=any_version), 422)
    assert refused["errors"][0]["code"] == "name_required"
    answered(await worker.patch(path, json={"alias": None, "known_as": "B"}, headers=any_version), 200)


async def test_null_empties_a_field_that_may_be_empty(cast: Cast) -> None:
    person = await register(cast)
    emptied = await cast.client("caseworker").patch(
        f"/people/{person['id']}", json={"birth_date": None}, headers={"If-Match": '"1"'}
    )
    assert answered(emptied, 200)["birth_date"] is None
