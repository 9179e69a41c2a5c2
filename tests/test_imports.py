"""Registers that come as files: who may, what is told of each row, and that all is written or nothing."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.database_urls import DatabaseUrls
from tests.cast import COMMUNE, answered
from tests.imports import CASES, HOUSEHOLDS, PEOPLE, Desk, cases, csv_file, desk, people, xlsx_file


@pytest.fixture
async def on(fresh_database: DatabaseUrls, keys_dir: Path) -> AsyncIterator[Desk]:
    async with desk(fresh_database, keys_dir) as made:
        yield made


async def test_a_register_of_people_is_checked_and_then_written(on: Desk) -> None:
    sent = answered(await on.send(csv_file(PEOPLE, people(3))), 201)
    assert sent["state"] == "queued"
    assert sent["rows"] == {
        "total": 3,
        "done": 0,
        "ok": 0,
        "error": 0,
        "duplicate_suggested": 0,
        "unchanged": 0,
        "written": 0,
    }
    await on.work()
    assert (await on.read(sent["id"]))["rows"]["ok"] == 3
    assert [row["status"] for row in await on.report(sent["id"])] == ["ok"] * 3
    assert on.count("people") == 0, "a dry run writes nothing"
    answered(await on.cast.client("supervisor").post(f"/imports/{sent['id']}/commit"), 202)
    await on.work()
    done = await on.read(sent["id"])
    assert (done["state"], done["rows"]["written"]) == ("committed", 3)
    listed = answered(await on.cast.client("caseworker").get("/people"), 200)["items"]
    assert {one["given_name_km"] for one in listed} == {"ដារ៉ា0", "ដារ៉ា1", "ដារ៉ា2"}
    assert {one["birth_date_precision"] for one in listed} == {"year"}
    found = answered(await on.cast.client("caseworker").post("/people/search", json={"name": "Sok Dara2"}), 200)
    assert len(found["items"]) >= 1


async def test_cases_of_a_register_are_opened_as_any_other(on: Desk) -> None:
    header = [*CASES, "consent_form", "consent_on", "phone"]
    rows = [[*row, "verbal", "1/3/2026", "+855 12 345 678"] for row in cases(2)]
    await on.committed(csv_file(header, rows), "cases")
    listed = answered(await on.cast.client("caseworker").get("/cases"), 200)["items"]
    assert [one["status"] for one in listed] == ["intake"] * 2
    assert {one["lead"]["id"] for one in listed} == {on.cast.id("supervisor")}
    case_id = listed[0]["id"]
    consents = answered(await on.cast.client("caseworker").get(f"/cases/{case_id}/consents"), 200)["items"]
    assert [one["purpose"] for one in consents] == ["services"]
    events = answered(await on.cast.client("caseworker").get(f"/cases/{case_id}/timeline"), 200)["items"]
    assert {one["type"] for one in events} == {"case.opened", "consent.given"}
    report = answered(await on.cast.client("supervisor").get(f"/cases/{case_id}/access-report"), 200)["items"]
    assert "write_import" in {one["action"] for one in report}
    detail = answered(await on.cast.client("supervisor").get(f"/cases/{case_id}"), 200)
    assert detail["access"]["via"] == "lead"
    moved = await on.cast.client("supervisor").post(f"/cases/{case_id}/transitions", json={"to": "assessment"})
    assert moved.status_code == 200


async def test_households_of_a_register_are_written(on: Desk) -> None:
    await on.committed(csv_file(HOUSEHOLDS, [["17020101", "id_poor_1", "៥"]]), "households")
    (one,) = answered(await on.cast.client("caseworker").get("/households"), 200)["items"]
    assert (one["size"], one["id_poor_level"], one["village_code"]) == (5, "id_poor_1", "17020101")


async def test_sensitive_rows_go_to_a_named_lead_and_nobody_else_sees_them(on: Desk) -> None:
    file = csv_file(CASES, cases(2, "domestic_violence"))
    refused = answered(await on.send(file, "cases"), 422)
    assert refused["errors"][0]["pointer"] == "/lead_id"
    await on.committed(file, "cases", lead_id=on.cast.id("caseworker"))
    assert len(answered(await on.cast.client("caseworker").get("/cases"), 200)["items"]) == 2
    for who in ("colleague", "supervisor", "second_supervisor", "stranger"):
        assert answered(await on.cast.client(who).get("/cases"), 200)["items"] == []
