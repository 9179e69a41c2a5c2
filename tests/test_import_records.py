"""Registers of the programme as files: each row is held to the rules of its own operation, all or nothing."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.acts import listed
from tests.cast import COMMUNE, VILLAGE, answered
from tests.database import Server
from tests.imports import Desk, csv_file, desk, xlsx_file
from tests.programme import household, person


@pytest.fixture(scope="module")
async def at(server: Server, template: str, keys_dir: Path) -> AsyncIterator[Desk]:
    with server.clone(template) as urls:
        async with desk(urls, keys_dir) as made:
            yield made


ACTIVITIES = ["kind", "starts_on", "commune_code", "topics", "female_18_29", "male", "group_police", "total"]
TRAINING = ["Health training", "1/3/2026", COMMUNE, "nutrition; family_planning", "7", "2", "1", "9"]


async def of_kind(at: Desk, kind: str) -> tuple[list[str], list[Any], str]:
    """Header, one good row, and the path of its records."""
    home, owner = await household(at.cast, "supervisor", village_code=VILLAGE), await person(at.cast, "supervisor")
    return {
        "activities": (ACTIVITIES, TRAINING, "/activities"),
        "home_visits": (
            ["household_id", "visited_on", "topics", "outcome", "next_visit_on"],
            [home, "2026-03-01", "financial_hardship", "advice_given", "2026-05-01"],
            "/home-visits",
        ),
        "businesses": (
            ["kind", "owner_id", "started_on", "commune_code", "alive_at_3_months"],
            ["food_stall", owner, "2025-11-01", COMMUNE, "yes"],
            "/businesses",
        ),
        "feedback": (
            ["public_service", "commune_code", "sentiment", "given_on", "sex", "age_band", "people", "text"],
            ["health_centre", COMMUNE, "negative", "2026-03-01", "f", "18-29", "3", uuid4().hex],
            "/feedback",
        ),
        "distributions": (
            ["household_id", "cause", "item", "quantity", "distributed_on"],
            [home, "flood", "Rice", "2", "2026-03-01"],
            "/distributions",
        ),
    }[kind]


KINDS = ("activities", "home_visits", "businesses", "feedback", "distributions")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file", [csv_file, xlsx_file])
async def test_a_register_is_written_once_however_often_it_is_sent(at: Desk, kind: str, file: Any) -> None:
    header, row, path = await of_kind(at, kind)
    if kind == "activities":  # another in the one file than in the other
        more = 1 if file is csv_file else 2
        header, row = [*header, "female_60"], [*row[:-1], str(9 + more), str(more)]
    before = len(await listed(at.cast, "supervisor", path))
    done = await at.committed(file(header, [row]), kind)
    assert done["rows"]["written"] == 1
    again = await at.committed(file(header, [row]), kind)
    assert (again["rows"]["written"], again["rows"]["unchanged"]) == (0, 1)
    assert len(await listed(at.cast, "supervisor", path)) == before + 1


async def test_who_came_stands_in_columns(at: Desk) -> None:
    header, row = [*ACTIVITIES, "female"], [*TRAINING[:-1], "14", "5"]
    await at.committed(csv_file(header, [row]), "activities")
    all_of_them = await listed(at.cast, "supervisor", "/activities")
    (one,) = [found for found in all_of_them if (found["attendance"] or {}).get("total") == 14]
    assert one["topics"] == ["family_planning", "nutrition"]
    assert one["attendance"] == {
        "total": 14,
        "by": [
            {"sex": "female", "age_band": "18-29", "disability": None, "people": 7},
            {"sex": "female", "age_band": "unknown", "disability": None, "people": 5},
            {"sex": "male", "age_band": "unknown", "disability": None, "people": 2},
        ],
        "groups": [{"group": "police", "people": 1}],
    }


async def test_a_campaign_has_its_reach_in_columns(at: Desk) -> None:
    header = ["kind", "starts_on", "commune_code", "channel", "reach", "counted_how"]
    row = ["media_campaign", "2026-03-01", COMMUNE, "tuk_tuk", "2450", "Heads at the road."]
    await at.committed(csv_file(header, [row]), "activities")
    (one,) = await listed(at.cast, "supervisor", "/activities", kind="media_campaign")
    assert one["campaign"] == {"channel": "tuk_tuk", "reach": 2450, "counted_how": "Heads at the road."}


@pytest.mark.parametrize(
    ("kind", "column", "value", "wrong"),
    [
        ("activities", "total", "10", ("/attendance", "attendance_not_total")),
        ("activities", "group_police", "10", ("/attendance", "group_above_total")),
        ("activities", "kind", "dance", ("/kind", "unknown_code")),
        ("activities", "topics", "nutrition; dance", ("/topics", "unknown_code")),
        ("activities", "starts_on", "2199-01-01", ("/starts_on", "in_the_future")),
        ("activities", "starts_on", "3/2026", ("/starts_on", "invalid_date")),
        ("activities", "commune_code", "999999", ("/commune_code", "unknown_area")),
        ("home_visits", "household_id", "4f0d5b1e-6a8c-4d2e-9b77-3c1f2a5e6d90", ("/household_id", "unknown_reference")),
        ("home_visits", "household_id", "first house", ("/household_id", "invalid_id")),
        ("home_visits", "next_visit_on", "2026-02-01", ("/next_visit_on", "too_early")),
        ("businesses", "owner_id", "4f0d5b1e-6a8c-4d2e-9b77-3c1f2a5e6d90", ("/owner_id", "unknown_reference")),
        ("businesses", "started_on", "2026-02-01", ("/alive_at_3_months", "in_the_future")),
        ("feedback", "people", "0", ("/people", "out_of_range")),
        ("feedback", "text", "=1+1", ("/text", "formula")),
        ("distributions", "quantity", "some", ("/quantity", "invalid_number")),
        ("distributions", "quantity", "-3", ("/quantity", "invalid_number")),
        ("distributions", "quantity", "-3+1", ("/quantity", "formula")),
        (
            "distributions",
            "household_id",
            "4f0d5b1e-6a8c-4d2e-9b77-3c1f2a5e6d90",
            ("/household_id", "unknown_reference"),
        ),
    ],
)
async def test_a_row_that_its_operation_refuses_stops_the_whole_file(
    at: Desk, kind: str, column: str, value: str, wrong: tuple[str, str]
) -> None:
    header, good, path = await of_kind(at, kind)
    bad = [value if name == column else cell for name, cell in zip(header, good, strict=True)]
    before = len(await listed(at.cast, "supervisor", path))
    sent = await at.checked(csv_file(header, [good, bad]), kind)
    report = await at.report(sent)
    assert [line["status"] for line in report][1] == "error"
    assert (report[1]["errors"][0]["pointer"], report[1]["errors"][0]["code"]) == wrong
    refused = await at.cast.client("supervisor").post(f"/imports/{sent}/commit")
    assert answered(refused, 409)["code"] == "import_blocked"
    assert len(await listed(at.cast, "supervisor", path)) == before


async def test_the_household_of_another_organisation_is_none(at: Desk) -> None:
    header, good, _ = await of_kind(at, "home_visits")
    elsewhere = await household(at.cast, "stranger")
    sent = await at.checked(csv_file(header, [[elsewhere, *good[1:]]]), "home_visits")
    (line,) = await at.report(sent)
    assert [error["code"] for error in line["errors"]] == ["unknown_reference"]


async def test_what_changes_between_dry_run_and_commit_stops_it(at: Desk) -> None:
    header, good, path = await of_kind(at, "distributions")
    sent = await at.checked(csv_file(header, [good]), "distributions")
    organisation = f"/organisations/{at.cast.organisation('ngo')}"
    admin = at.cast.client("admin")
    answered(await admin.patch(organisation, json={"programme_communes": ["170301"]}, headers={"If-Match": "*"}), 200)
    before = len(await listed(at.cast, "supervisor", path))
    answered(await at.cast.client("supervisor").post(f"/imports/{sent}/commit"), 202)
    await at.work()
    assert (await at.read(sent))["state"] == "failed"
    assert len(await listed(at.cast, "supervisor", path)) == before
    answered(await admin.patch(organisation, json={"programme_communes": []}, headers={"If-Match": "*"}), 200)


async def test_a_dry_run_leaves_nothing_behind(at: Desk) -> None:
    header, good, _ = await of_kind(at, "feedback")
    before = [at.count(table) for table in ("feedback", "vault.data_keys")]
    sent = await at.checked(csv_file(header, [good]), "feedback")
    answered(await at.cast.client("supervisor").delete(f"/imports/{sent}"), 204)
    assert [at.count(table) for table in ("feedback", "vault.data_keys")] == before


async def test_a_colleague_cannot_guess_that_a_hidden_visit_was_imported(at: Desk) -> None:
    header, good, _ = await of_kind(at, "home_visits")
    row = [good[0], good[1], "domestic_violence", good[3], good[4]]
    await at.committed(csv_file(header, [row]), "home_visits")
    sent = await at.checked(csv_file(header, [row]), "home_visits", "second_supervisor")
    assert (await at.read(sent, "second_supervisor"))["rows"]["unchanged"] == 0
