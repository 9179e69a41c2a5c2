"""What implementation guides publish can be sent in, or is refused at the element that nobody here reads."""

import json
from typing import Any

import pytest

from tests.cast import Cast
from tests.fhir.asking import ask, concept, refusal, resource_of, transaction, where
from tests.fhir.examples import GUIDES
from tests.fhir.oracle import problems

# What each must leave out, and where the face says so; everything else of them is taken as it stands.
UNREAD = {
    "SDOH": set[tuple[str, str]](),
    "BSeR": {("Task", "businessStatus"), ("ServiceRequest", "occurrencePeriod")},
    "US Core": {("ServiceRequest", "reasonReference"), ("ServiceRequest", "occurrencePeriod")},
    "360X": {("ServiceRequest", "supportingInfo"), ("Task", "groupIdentifier")},
}
PLACES = {"Patient": 0, "ServiceRequest": 1, "Task": 2}


def bundle_of(cast: Cast, guide: str) -> dict[str, Any]:
    """A referral of the guide between our organisations, with our category beside its own codings."""
    bundle = transaction(cast)
    for kind, elements in GUIDES[guide].items():
        resource = resource_of(bundle, kind)
        resource |= {name: value for name, value in elements.items() if name != "category"}
        if "category" in elements:
            resource["category"] = [*elements["category"], concept("category", "social_assistance")]
    return bundle


@pytest.mark.parametrize("guide", GUIDES)
async def test_a_referral_of_a_guide_is_fhir(cast: Cast, guide: str) -> None:
    assert problems(bundle_of(cast, guide)) == []


@pytest.mark.parametrize("guide", GUIDES)
async def test_what_is_not_read_is_named_and_without_it_she_is_taken_in(cast: Cast, guide: str) -> None:
    bundle, left = bundle_of(cast, guide), set(UNREAD[guide])
    for _ in range(len(left)):
        refused = await ask(cast, "partner", "POST", "", json=bundle)
        refusal(refused, 422, "validation_failed")
        for place in where(refused):
            kind, name = next(one for one in left if place == f"entry[{PLACES[one[0]]}].resource.{one[1]}")
            del resource_of(bundle, kind)[name]
            left.remove((kind, name))
        if not left:
            break
    sent = await ask(cast, "partner", "POST", "", json=bundle)
    assert sent.status_code == 200, sent.text
    assert "201 Created" in json.dumps(sent.json())


@pytest.mark.parametrize("guide", GUIDES)
async def test_a_request_of_a_guide_alone_is_no_transaction_and_that_is_said(cast: Cast, guide: str) -> None:
    alone = resource_of(bundle_of(cast, guide), "ServiceRequest")
    refusal(await ask(cast, "partner", "POST", "", json=alone), 422, "validation_failed")
    refusal(await ask(cast, "partner", "POST", "/ServiceRequest", json=alone), 405, "method_not_allowed")
