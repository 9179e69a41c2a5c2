"""What is wrong is said of the field that has to be changed, also where two contradict one another."""

from typing import Any

import pytest

from tests.acts import SENSITIVE
from tests.cases import SUPPORT, open_case
from tests.cast import Cast, answered
from tests.helping import GOODS, MONEY

DA5 = dict.fromkeys(("more_frequent", "weapon", "capable_of_killing", "choked", "jealous"), False)
ASSESSED = {"tool": "da5", "assessed_on": "2026-03-01", "answers": DA5}
PLAN = {"needed": True, "developed_with_client": True, "strategies": "The neighbour's house."}
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
