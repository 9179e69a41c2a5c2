"""Opening, listing and editing cases: what a caseworker may rely on."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.case_code import ALPHABET, code_of, is_case_code, random_case_code
from app.ids import drawn_from
from app.models.codes.people import Role
from app.security import Runtime
from benchmarks.capture import recording
from tests.acts import newcomer
from tests.cases import SUPPORT, intake, open_case
from tests.cast import COMMUNE, OTHER_COMMUNE, VILLAGE, Cast, answered
from tests.pages import whole


async def test_a_caseworker_opens_a_case_and_leads_it(cast: Cast) -> None:
    response = await cast.client("caseworker").post("/cases", json=intake())
    case = answered(response, 201)
    assert response.headers["Location"] == f"/api/v1/cases/{case['id']}"
    assert response.headers["ETag"] == '"1"'
    assert case["lead"]["id"] == cast.id("caseworker")
    assert case["access"] == {"via": "lead", "mode": "write"}
    assert (case["status"], case["sensitivity"]) == ("intake", "standard")
    assert is_case_code(case["code"])
    assert answered(await cast.client("caseworker").get(f"/cases/{case['id']}"), 200) == case


async def test_a_code_that_is_taken_is_drawn_again(cast: Cast) -> None:
    taken = answered(await cast.client("caseworker").post("/cases", json=intake()), 201)["code"]
    draws = iter([taken, taken, free := random_case_code()])
    with drawn_from(uuid4, lambda: next(draws)):
        case = answered(await cast.client("colleague").post("/cases", json=intake()), 201)
    assert case["code"] == free


@pytest.mark.parametrize("category", ["health_referral", "domestic_violence", "marital_issue"])
async def test_cases_of_a_sensitive_category_are_sensitive_and_cannot_be_opened_otherwise(
    cast: Cast, category: str
) -> None:
    case = answered(await cast.client("caseworker").post("/cases", json=intake(category)), 201)
    assert case["sensitivity"] == "sensitive"
    refused = await cast.client("caseworker").post("/cases", json=intake(category, sensitivity="standard"))
    assert answered(refused, 422)["errors"][0]["pointer"] == "/sensitivity"


async def test_an_incident_at_intake_makes_a_standard_category_sensitive(cast: Cast) -> None:
    body = intake(incident={"occurred_at": "2026-02-01T00:00:00Z", "precision": "month", "answers": {"physical": True}})
    case = answered(await cast.client("caseworker").post("/cases", json=body), 201)
    assert case["sensitivity"] == "sensitive"
    assert case["incident"]["answers"]["physical"] is True


WRONG_INTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("no client", {"client": None}, ""),
    ("two clients", {"client_id": "6b3c2c3e-0f6f-4a53-9d0c-3a9a54d2a111"}, ""),
    ("a client without any name", {"client": {"sex": "female"}}, "/client"),
    ("an unknown commune", {"commune_code": "999999"}, "/commune_code"),
    ("a commune as a number", {"commune_code": 170201}, "/commune_code"),
    (
        "a village of another commune",
        {"commune_code": OTHER_COMMUNE, "village_code": VILLAGE},
        "/village_code",
    ),
    ("an opening tomorrow", {"opened_on": "2199-01-01"}, "/opened_on"),
    ("an impossible day", {"opened_on": "2022-05-1"}, "/opened_on"),
    ("a day in the year 22012", {"opened_on": "22012-01-01"}, "/opened_on"),
    ("a birth in the future", {"client": {"alias": "A", "birth_date": "2199-01-01"}}, "/client/birth_date"),
    ("an unknown category", {"category": "banana"}, "/category"),
    ("an unknown field", {"banana": 1}, "/banana"),
    ("an unknown lead", {"lead_id": "6b3c2c3e-0f6f-4a53-9d0c-3a9a54d2a111"}, "/lead_id"),
    (
        "an unknown excluded user",
        {"excluded_user_ids": ["6b3c2c3e-0f6f-4a53-9d0c-3a9a54d2a111"]},
        "/excluded_user_ids",
    ),
    (
        "a consent of tomorrow",
        {"consents": [{**SUPPORT, "obtained_on": "2199-01-01"}]},
        "/consents/0/obtained_on",
    ),
    (
        "a consent that ends before it starts",
        {"consents": [{**SUPPORT, "expires_on": "2020-01-01"}]},
        "/consents/0/expires_on",
    ),
]


@pytest.mark.parametrize(
    ("changes", "pointer"), [case[1:] for case in WRONG_INTAKES], ids=[c[0] for c in WRONG_INTAKES]
)
async def test_a_wrong_intake_is_refused_at_its_field_and_writes_nothing(
    cast: Cast, superuser: Any, changes: dict[str, Any], pointer: str
) -> None:
    count = "select (select count(*) from cases), (select count(*) from people), (select count(*) from consents)"
    before = superuser.execute(count).fetchone()
    body = {name: value for name, value in {**intake(), **changes}.items() if value is not None}
    problem = answered(await cast.client("caseworker").post("/cases", json=body), 422)
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert superuser.execute(count).fetchone() == before


async def test_the_opener_and_the_lead_cannot_be_excluded_at_intake(cast: Cast) -> None:
    for name in ("caseworker", "colleague"):
        body = intake(lead_id=cast.id("colleague"), excluded_user_ids=[cast.id(name)])
        problem = answered(await cast.client("caseworker").post("/cases", json=body), 422)
        assert problem["errors"][0]["pointer"] == "/excluded_user_ids"


async def test_a_case_opened_for_a_past_day_carries_that_day_in_phnom_penh(cast: Cast) -> None:
    case = answered(await cast.client("caseworker").post("/cases", json=intake(opened_on="2025-12-31")), 201)
    assert case["opened_at"] == "2025-12-31T05:00:00Z"


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_a_case_whose_key_is_lost_hides_no_other_case(
    cast: Cast, superuser: psycopg.Connection, limit: int
) -> None:
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    cases = [await open_case(cast, who, opened_on=f"2025-02-0{day}") for day in range(1, 8)]
    lost = {cases[-1], cases[-2], cases[3]}
    keys = "home, case_id, organisation_id, kek_id, wrapped"
    taken = superuser.execute(
        f"delete from vault.data_keys where home = any (%s::uuid[]) returning {keys}", [list(lost)]
    )
    kept = taken.fetchall()
    listed = [case["id"] for case in await whole(cast.client(who), "/cases", assigned="me", limit=limit)]
    for row in kept:
        superuser.execute(f"insert into vault.data_keys ({keys}) values (%s, %s, %s, %s, %s)", row)
    assert listed == [case for case in reversed(cases) if case not in lost]


async def test_a_page_is_full_and_the_pages_together_hold_every_case_once(cast: Cast) -> None:
    wanted = {await open_case(cast, opened_on="2025-01-05") for _ in range(5)}  # five with the same opened_at
    wanted |= {await open_case(cast, opened_on=f"2025-01-0{day}") for day in (4, 6)}
    for sort in ("-opened_at", "opened_at"):
        seen: list[str] = []
        opened: list[str] = []
        cursor: str | None = None
        query = {
            "opened_after": "2025-01-01T00:00:00Z",
            "opened_before": "2025-01-31T00:00:00Z",
            "sort": sort,
            "limit": 2,
        }
        while True:
            page = answered(
                await cast.client("caseworker").get(
                    "/cases", params={**query, **({"cursor": cursor} if cursor else {})}
                ),
                200,
            )
            seen += [item["id"] for item in page["items"]]
            opened += [item["opened_at"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
            assert len(page["items"]) == 2
        assert len(seen) == len(set(seen))
        assert set(seen) == wanted
        assert opened == sorted(opened, reverse=sort == "-opened_at")


async def test_every_filter_narrows_to_exactly_the_cases_that_fit(cast: Cast) -> None:
    first = await open_case(cast, category="land_dispute", priority="stat", opened_on="2024-05-05")
    second = await open_case(cast, category="vital_documents", sensitivity="sensitive", opened_on="2024-05-06")
    third = await open_case(
        cast,
        category="land_dispute",
        commune_code=OTHER_COMMUNE,
        lead_id=cast.id("colleague"),
        opened_on="2024-05-07",
    )
    span = {"opened_after": "2024-05-01T00:00:00Z", "opened_before": "2024-06-01T00:00:00Z"}
    expected = {
        "category=land_dispute": {first, third},
        "status=intake": {first, second, third},
        "status=closed": set(),
        "status=intake&category=land_dispute": {first, third},
        "priority=stat": {first},
        "sensitivity=sensitive": {second},
        f"commune_code={OTHER_COMMUNE}": {third},
        "commune_code=1702": {first, second},
        f"lead_id={cast.id('colleague')}": {third},
        "assigned=me": {first, second},
        "updated_after=2199-01-01T00:00:00Z": set(),
    }
    for query, ids in expected.items():
        params = dict(part.split("=") for part in query.split("&"))
        page = answered(await cast.client("caseworker").get("/cases", params={**span, **params}), 200)
        assert {item["id"] for item in page["items"]} == ids, query


async def test_a_list_takes_the_same_number_of_statements_for_two_cases_as_for_twenty(
    cast: Cast, runtime: Runtime
) -> None:
    for _ in range(20):
        await open_case(cast, opened_on="2023-03-03")
    span = {"opened_after": "2023-03-01T00:00:00Z", "opened_before": "2023-04-01T00:00:00Z"}
    counted = []
    for limit in (2, 20):
        with recording(runtime.database.engine) as statements:
            page = answered(await cast.client("caseworker").get("/cases", params={**span, "limit": limit}), 200)
        assert len(page["items"]) == limit
        counted.append(len(statements))
    assert counted == [3, 3]  # begin_request, the page, and its row in the trail


async def test_an_edit_changes_what_was_sent_and_nothing_else(cast: Cast) -> None:
    case_id = await open_case(cast, village_code=VILLAGE)
    caseworker = cast.client("caseworker")
    before = answered(await caseworker.get(f"/cases/{case_id}"), 200)
    response = await caseworker.patch(f"/cases/{case_id}", json={"priority": "urgent"}, headers={"If-Match": '"1"'})
    after = answered(response, 200)
    assert response.headers["ETag"] == '"2"'
    changed = {name for name in after if after[name] != before[name]}
    assert changed <= {"priority", "version", "updated_at"}
    assert (after["priority"], after["version"]) == ("urgent", 2)


async def test_moving_to_another_commune_forgets_the_old_village(cast: Cast) -> None:
    case_id = await open_case(cast, village_code=VILLAGE)
    change = {"commune_code": OTHER_COMMUNE}
    moved = await cast.client("caseworker").patch(f"/cases/{case_id}", json=change, headers={"If-Match": '"1"'})
    assert answered(moved, 200)["village_code"] is None


async def test_narrowing_the_commune_down_keeps_the_village_that_lies_in_it(cast: Cast) -> None:
    case_id = await open_case(cast, commune_code="17", village_code=VILLAGE)
    for commune in ("1702", COMMUNE):
        change = {"commune_code": commune}
        edited = await cast.client("caseworker").patch(f"/cases/{case_id}", json=change, headers={"If-Match": "*"})
        case = answered(edited, 200)
        assert (case["commune_code"], case["village_code"]) == (commune, VILLAGE)


@pytest.mark.parametrize("who", ["caseworker", "liaison"])
async def test_a_commune_that_does_not_exist_is_a_wrong_question(cast: Cast, who: str) -> None:
    for code in ("99", "999999"):
        refused = answered(await cast.client(who).get("/cases", params={"commune_code": code}), 422)
        assert refused["errors"][0]["pointer"] == "/query/commune_code"


async def test_who_handed_a_case_over_has_no_receipt_of_it_left(cast: Cast) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    path = f"/cases/{case_id}/receipt"
    answered(await cast.client("caseworker").get(path), 200)
    wanted = {"user_id": cast.id("colleague"), "role": "lead"}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/assignments", json=wanted), 201)
    answered(await cast.client("caseworker").get(path), 404)


async def test_counts_agree_with_the_list(cast: Cast) -> None:
    counts = answered(await cast.client("caseworker").get("/cases/counts"), 200)
    assert counts["total"] == sum(counts["by_status"].values()) == sum(counts["by_category"].values())
    listed = await whole(cast.client("caseworker"), "/cases", status="intake")
    assert counts["by_status"]["intake"] == len(listed)


async def test_safe_contact_is_kept_as_it_was_given(cast: Cast) -> None:
    contact = {"channels": ["visit"], "days": [1, 3], "from": "08:00", "to": "11:30", "leave_message": False}
    case = answered(await cast.client("caseworker").post("/cases", json=intake(safe_contact=contact)), 201)
    assert {name: case["safe_contact"][name] for name in contact} == contact


def test_case_codes_carry_a_check_character_that_finds_every_single_slip() -> None:
    code = random_case_code()
    assert is_case_code(code)
    for place, letter in enumerate(code):
        if letter == "-" or place < 3:
            continue
        slips = [code[:place] + other + code[place + 1 :] for other in ALPHABET if other != letter]
        assert not any(is_case_code(slip) for slip in slips)


def test_the_smallest_code_is_all_zeros() -> None:
    assert code_of(0) == "SR-0000-0000"
