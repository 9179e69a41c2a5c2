"""What is wrong is said of the field that has to be changed, also where two contradict one another."""

import re
from pathlib import Path
from typing import Any

import pytest

from app import errors
from app.errors import messages, validation
from app.registers.cells import Flaw
from tests.acts import SENSITIVE
from tests.cases import SUPPORT, intake, open_case
from tests.cast import Cast, answered
from tests.helping import GOODS, MONEY

DA5 = dict.fromkeys(("more_frequent", "weapon", "capable_of_killing", "choked", "jealous"), False)
ASSESSED = {"tool": "da5", "assessed_on": "2026-03-01", "answers": DA5}
PLAN = {"needed": True, "developed_with_client": True, "strategies": "The neighbour's house."}
PARTS = ("registers/*.py", "uploads/*.py", "services/import_*.py", "text.py")
APP = Path(errors.__file__).parents[1]
A_YEAR = {**SUPPORT, "expires_on": "2020-01-01"}


@pytest.mark.parametrize(
    ("path", "body", "pointer", "code"),
    [
        ("assistance-requests", {**MONEY, "currency": None}, "/currency", "amount_incomplete"),
        ("assistance-requests", {**MONEY, "amount_minor": None}, "/amount_minor", "amount_incomplete"),
        ("assistance-requests", {"kind": "financial", "purpose": "Fees."}, "/amount_minor", "amount_required"),
        ("assistance-requests", {**GOODS, "item": None}, "/item", "item_required"),
        ("assessments", {**ASSESSED, "raised_to": "high"}, "/reason", "reason_required"),
        (
            "assessments",
            {"tool": "mosaic", "assessed_on": "2026-03-01", "result": {"level": "not_assessed"}},
            "/result/level",
            "level_required",
        ),
        ("safety-plan", {**PLAN, "needed": False}, "/not_needed_reason", "reason_required"),
        ("safety-plan", {**PLAN, "not_needed_reason": "He left."}, "/not_needed_reason", "reason_not_allowed"),
        ("safety-plan", {**PLAN, "developed_with_client": False}, "/developed_with_client", "without_the_client"),
        ("consents", A_YEAR, "/expires_on", "expires_before_obtained"),
        ("consents", {**SUPPORT, "purpose": "referral"}, "/organisation_id", "recipient_required"),
        ("consents", {**SUPPORT, "bypass": {"reason": "absent"}}, "/bypass", "bypass_not_allowed"),
        ("people", {"alias": "A", "caregiver_doubt": "unsafe"}, "/caregiver_doubt", "not_a_caregiver"),
    ],
)
async def test_the_error_points_to_the_field(
    cast: Cast, path: str, body: dict[str, Any], pointer: str, code: str
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    lead, place = cast.client("caseworker"), f"/cases/{case_id}/{path}"
    if path == "safety-plan":
        refused = await lead.put(place, json=body, headers={"If-None-Match": "*"})
    else:
        refused = await lead.post(place, json=body)
    [error] = answered(refused, 422)["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert error["message"] != "This value is not valid."


async def test_of_one_among_several_the_pointer_says_which(cast: Cast) -> None:
    body = {"category": SENSITIVE, "client": {"alias": "K"}, "commune_code": "170201", "summary": "Help."}
    refused = await cast.client("caseworker").post("/cases", json={**body, "consents": [SUPPORT, A_YEAR]})
    assert [error["pointer"] for error in answered(refused, 422)["errors"]] == ["/consents/1/expires_on"]


# ---- in her language ----

KHMER_LETTER = re.compile(r"[\u1780-\u17ff]")
IN_KHMER = {"Accept-Language": "km"}


def test_whatever_pydantic_finds_has_a_sentence_of_its_own_in_khmer() -> None:
    codes = {code for code, _ in validation._KNOWN.values()} | set(validation._JSON)
    assert codes - {"json_null"} <= messages.KHMER.keys()
    for sentence in (*messages.KHMER.values(), messages.GENERAL):
        assert KHMER_LETTER.search(sentence), sentence
        assert sentence.endswith("។")


def test_whatever_is_wrong_with_a_register_or_a_file_has_a_sentence_of_its_own_in_khmer() -> None:
    files = [path for part in PARTS for path in APP.glob(part)]
    said = re.compile(r'"([a-z][a-z_]+)",\s*"[A-Z][^"]+\."')
    codes = {code for path in files for code in said.findall(path.read_text())} | {flaw.value for flaw in Flaw}
    assert {"repeated_row", "merged_cells", "image_broken", "caseload_full"} <= codes
    assert codes - messages.KHMER.keys() == set()


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"summary": None}, "/summary", "text_type"),
        ({"summary": "x" * 20_001}, "/summary", "text_too_long"),
        ({"category": "nonsense"}, "/category", "unknown_code"),
        ({"nonsense": 1}, "/nonsense", "unknown_field"),
        ({"opened_on": "2026-13-01"}, "/opened_on", "invalid_date"),
        ({"lead_id": "me"}, "/lead_id", "invalid_id"),
        ({"client": {"alias": "K", "sex": 3}}, "/client/sex", "unknown_code"),
        ({"consents": "yes"}, "/consents", "invalid_list"),
        ({"commune_code": "999999"}, "/commune_code", "unknown_area"),
        ({"opened_on": "2199-01-01"}, "/opened_on", "in_the_future"),
    ],
)
async def test_what_is_wrong_is_said_in_khmer_where_khmer_is_asked_for(
    cast: Cast, change: dict[str, Any], pointer: str, code: str
) -> None:
    body, lead = {**intake(), **change}, cast.client("caseworker")
    told = {
        language: answered(await lead.post("/cases", json=body, headers={"Accept-Language": language}), 422)["errors"]
        for language in ("en", "km")
    }
    [english], [khmer] = told["en"], told["km"]
    assert (english["pointer"], english["code"]) == (khmer["pointer"], khmer["code"]) == (pointer, code)
    assert not KHMER_LETTER.search(english["message"])
    assert khmer["message"] == messages.KHMER[code]


async def test_a_missing_field_and_a_body_that_is_no_json_are_told_in_khmer_too(cast: Cast) -> None:
    lead = cast.client("caseworker")
    missing = answered(await lead.post("/cases", json={}, headers=IN_KHMER), 422)["errors"]
    assert {one["message"] for one in missing if one["code"] == "required"} == {messages.KHMER["required"]}
    headers = {**IN_KHMER, "Content-Type": "application/json"}
    [broken] = answered(await lead.post("/cases", content=b"{", headers=headers), 422)["errors"]
    assert broken["message"] == messages.KHMER["json_invalid"]


def test_a_code_that_nobody_worded_is_told_generally_in_khmer_and_as_it_was_in_english() -> None:
    odd = errors.FieldError("/x", "nobody_worded_this", "This is odd.")
    assert messages.in_language([odd], "en") == (odd,)
    assert messages.in_language([odd], "km") == (errors.FieldError("/x", odd.code, messages.GENERAL),)
