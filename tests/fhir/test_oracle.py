"""The judge of the FHIR tests finds what is wrong: a judge that is content with everything proves nothing."""

from typing import Any

import pytest

from tests.fhir.oracle import problems

TASK = {"resourceType": "Task", "status": "requested", "intent": "order"}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}
PAGE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "searchset",
    "link": [{"relation": "self", "url": "http://x/fhir/R4/Task"}],
    "entry": [
        {"fullUrl": "http://x/fhir/R4/Task/1", "resource": {**TASK, "id": "1"}, "search": {"mode": "match"}},
    ],
}


@pytest.mark.parametrize("right", [TASK, OUTCOME, PAGE])
def test_it_is_content_with_what_is_right(right: dict[str, Any]) -> None:
    assert problems(right) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {**TASK, "status": "banana"},
        {**TASK, "intent": "banana"},
        {**TASK, "priority": "whenever"},
        {**TASK, "colour": "red"},
        {**TASK, "authoredOn": "22012-01-01"},
        {**TASK, "authoredOn": "2022-05-1"},
        {**TASK, "authoredOn": "2022-05-01T10:00:00"},
        {**TASK, "lastModified": 5},
        {**TASK, "identifier": []},
        {**TASK, "identifier": [{"use": "banana", "value": "1"}]},
        {**TASK, "description": " "},
        {**TASK, "focus": {}},
        {**TASK, "extension": [{"url": "urn:x"}]},
        {**TASK, "restriction": {"period": {"start": "2022-05-02", "end": "2022-05-01"}}},
        {"resourceType": "Task", "status": "requested"},
        {"resourceType": "Tusk"},
        {"resourceType": "OperationOutcome", "issue": []},
        {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "sad"}]},
        {"resourceType": "Patient", "gender": "x"},
        {"resourceType": "ServiceRequest", "status": "active", "intent": "order"},
        {**PAGE, "link": [{"relation": "next", "url": "http://x"}]},
        {**PAGE, "entry": [*PAGE["entry"], *PAGE["entry"]]},
        {**PAGE, "entry": [{**PAGE["entry"][0], "fullUrl": "http://x/fhir/R4/Task/2"}]},
        {**PAGE, "entry": [{**PAGE["entry"][0], "search": {"mode": "perhaps"}}]},
        {**PAGE, "type": "collection"},
    ],
)
def test_it_finds_what_is_wrong(wrong: dict[str, Any]) -> None:
    assert problems(wrong)
