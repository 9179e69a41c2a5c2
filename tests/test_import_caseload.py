"""A register is no way around the caseload of a lead, nor around the consent of a minor's caregiver."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.caseload import SHARED_AS, CaseloadLimits
from tests.cases import open_case
from tests.cast import answered
from tests.database import Server
from tests.imports import CASES, PEOPLE, Desk, cases, csv_file, desk, people
from tests.pages import whole

WHY = "Nobody else goes to that commune."
WARN_AT, FULL_AT = 2, 4


@pytest.fixture
async def on(server: Server, template: str, keys_dir: Path) -> AsyncIterator[Desk]:
    with server.clone(template) as urls:
        async with desk(urls, keys_dir) as made:
            yield made


@pytest.fixture(autouse=True)
def limits(on: Desk) -> None:
    database = on.runtime.database
    database.shared = {**database.shared, SHARED_AS: CaseloadLimits(WARN_AT, FULL_AT)}


def said(report: list[Any], what: str = "warnings") -> list[list[str]]:
    return [[one["code"] for one in row[what]] for row in report]


async def test_a_lead_gets_no_more_cases_by_a_register_than_allowed_unless_the_supervisor_says_why(on: Desk) -> None:
    await open_case(on.cast)  # which she leads already
    register, lead = csv_file(CASES, cases(5)), on.cast.id("caseworker")
    refused = await on.checked(register, "cases", lead_id=lead)
    report = await on.report(refused)
    assert [row["status"] for row in report] == ["ok", "ok", "ok", "error", "error"]
    assert said(report, "errors") == [[], [], [], ["caseload_full"], ["caseload_full"]]
    assert said(report) == [["caseload_high"], ["caseload_high"], ["caseload_high"], [], []]
    assert {one["pointer"] for row in report for one in (*row["errors"], *row["warnings"])} == {"/lead_id"}
    counted = (await on.read(refused))["rows"]
    assert (counted["ok"], counted["error"]) == (3, 2)
    blocked = answered(await on.cast.client("supervisor").post(f"/imports/{refused}/commit"), 409)
    assert blocked["blocked_by"] == ["row_errors"]

    made = await on.checked(register, "cases", lead_id=lead, over_limit_reason=WHY)
    report = await on.report(made)
    assert [row["status"] for row in report] == ["ok"] * 5
    assert said(report) == [["caseload_high"]] * 3 + [["caseload_over"]] * 2
    answered(await on.cast.client("supervisor").post(f"/imports/{made}/commit"), 202)
    await on.work()
    assert (await on.read(made))["state"] == "committed"
    reasons = []
    for case in await whole(on.cast.client("caseworker"), "/cases", assigned="me"):
        (place,) = await whole(on.cast.client("supervisor"), f"/cases/{case['id']}/assignments")
        reasons.append(place["over_limit_reason"])
    assert Counter(reasons) == {None: 4, WHY: 2}


async def test_what_was_imported_before_takes_no_room_again_and_what_became_full_meanwhile_is_not_written(
    on: Desk,
) -> None:
    register, lead = cases(4), on.cast.id("caseworker")
    await on.committed(csv_file(CASES, register[:3]), "cases", lead_id=lead)
    made = await on.checked(csv_file(CASES, register), "cases", lead_id=lead)
    report = await on.report(made)
    assert [row["status"] for row in report] == ["unchanged", "unchanged", "unchanged", "ok"]
    assert said(report) == [[], [], [], ["caseload_high"]]
    await open_case(on.cast)
    answered(await on.cast.client("supervisor").post(f"/imports/{made}/commit"), 202)
    await on.work()
    over = await on.read(made)
    assert (over["state"], over["failure"], over["rows"]["written"]) == ("failed", "row_errors", 0)


async def test_who_leads_the_rows_herself_is_warned_and_not_turned_away(on: Desk) -> None:
    made = await on.checked(csv_file(CASES, cases(6)), "cases")
    report = await on.report(made)
    assert said(report) == [[], ["caseload_high"], ["caseload_high"], ["caseload_high"], *[["caseload_over"]] * 2]
    assert {row["status"] for row in report} == {"ok"}
    answered(await on.cast.client("supervisor").post(f"/imports/{made}/commit"), 202)
    await on.work()
    assert (await on.read(made))["rows"]["written"] == 6


async def test_a_minors_consent_is_pointed_out_because_it_does_not_count_without_a_caregivers(on: Desk) -> None:
    header = [*CASES, "consent_form", "consent_on"]
    year = on.clock().year
    born = [f"{year - 10}", f"{year - 30}", "", f"{year - 10}", f"{year - 18}"]
    register = [[*row[:-1], birth, "verbal", "1/3/2026"] for row, birth in zip(cases(5), born, strict=True)]
    register[3][-2:] = ["", ""]  # nothing is said of a consent
    lead = {"lead_id": on.cast.id("caseworker"), "over_limit_reason": WHY}
    made = await on.checked(csv_file(header, register), "cases", **lead)
    told = ["caregiver_required" in codes for codes in said(await on.report(made))]
    assert told == [True, False, False, False, True], "of a year she may be born on its last day"
    pointers = {one["pointer"] for row in await on.report(made) for one in row["warnings"]}
    assert pointers == {"/consent_purpose", "/lead_id"}


async def test_a_reason_for_the_lead_is_for_cases_alone(on: Desk) -> None:
    refused = answered(await on.send(csv_file(PEOPLE, people(1)), over_limit_reason=WHY), 422)
    assert [one["pointer"] for one in refused["errors"]] == ["/over_limit_reason"]
