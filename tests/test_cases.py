"""Opening, reading, listing, editing and moving cases: who may, and what nobody else can tell."""

from typing import Any

import httpx
import pytest

from tests.cast import COMMUNE, OTHER_COMMUNE, VILLAGE, Cast, answered
from tests.cases import intake, open_case


async def test_a_caseworker_opens_a_case_and_leads_it(cast: Cast) -> None:
    response = await cast.client("caseworker").post("/cases", json=intake())
    case = answered(response, 201)
    assert response.headers["Location"] == f"/api/v1/cases/{case['id']}"
    assert response.headers["ETag"] == '"1"'
    assert case["lead"]["id"] == cast.id("caseworker")
    assert case["access"] == {"via": "lead", "mode": "write"}
    assert case["sensitivity"] == "standard"
    assert answered(await cast.client("caseworker").get(f"/cases/{case['id']}"), 200) == case
