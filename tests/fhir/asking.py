"""Calls of the FHIR face, every answer of which is judged; and the Bundle that a partner sends."""

from copy import deepcopy
from typing import Any
from uuid import uuid4

import httpx

from tests.cast import COMMUNE, Cast
from tests.fhir.oracle import problems

ROOT = "http://samaki.test/fhir/R4"
FHIR_JSON, JSON_PATCH = "application/fhir+json", "application/json-patch+json"
LISTS = "urn:samaki:codes:"
V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
OUTPUT = "urn:samaki:fhir:task-output"


async def ask(cast: Cast, who: str, method: str, path: str, **request: Any) -> httpx.Response:
    """The answer, which is FHIR and, whatever it says, a resource that the judge finds nothing wrong with."""
    if "json" in request:
        request["headers"] = {"Content-Type": FHIR_JSON, **request.get("headers", {})}
    response = await cast.client(who).request(method, ROOT + path, **request)
    assert response.status_code < 500, path
    assert response.headers["Content-Type"] == FHIR_JSON
    assert problems(response.json()) == [], path
    return response


async def get(cast: Cast, path: str, who: str = "partner", status: int = 200) -> Any:
    response = await ask(cast, who, "GET", path)
    assert response.status_code == status, response.json()
    return response.json()


def refusal(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The first issue of a refusal that has this status and this code of ours."""
    body = response.json()
    assert (response.status_code, body["resourceType"]) == (status, "OperationOutcome"), body
    issue: dict[str, Any] = body["issue"][0]
    assert issue["details"]["coding"][0] == {"system": "urn:samaki:problem", "code": code}
    return issue


def where(response: httpx.Response) -> list[str]:
    """The places in the body at which something is wrong."""
    return [place for issue in response.json()["issue"] for place in issue.get("expression", ["?"])]


def concept(name: str, code: str, text: str | None = None) -> dict[str, Any]:
    said = {"coding": [{"system": LISTS + name, "code": code}]}
    return said if text is None else {**said, "text": text}


def outcome(code: str) -> dict[str, Any]:
    kind = {"coding": [{"system": OUTPUT, "code": "outcome"}]}
    return {"type": kind, "valueCodeableConcept": concept("referral_outcome", code)}


def appointment(at: str) -> dict[str, Any]:
    return {"type": {"coding": [{"system": OUTPUT, "code": "appointment"}]}, "valueDateTime": at}


async def patch(cast: Cast, referral: Any, values: dict[str, Any], who: str = "partner", **headers: str) -> Any:
    """A JSON Patch of the version that stands now, unless If-Match says another."""
    path = f"/Task/{referral['id']}"
    sent = headers or {"If-Match": (await ask(cast, who, "GET", path)).headers.get("ETag", 'W/"1"')}
    operations = [{"op": "replace", "path": f"/{name}", "value": value} for name, value in values.items()]
    return await ask(cast, who, "PATCH", path, json=operations, headers={"Content-Type": JSON_PATCH, **sent})


def transaction(cast: Cast, receiver: str | None = None) -> dict[str, Any]:
    """A client whom the clinic sends to the NGO; her own number there is new each time."""
    urls = {kind: f"urn:uuid:{uuid4()}" for kind in ("Patient", "ServiceRequest", "Task", "Consent")}
    owner = {"reference": f"Organization/{receiver or cast.organisation('ngo')}"}
    own = {"reference": f"Organization/{cast.organisation('clinic')}"}
    her = {"reference": urls["Patient"]}
    resources: list[dict[str, Any]] = [
        {
            "resourceType": "Patient",
            "name": [{"family": "Chan", "given": ["Sreymom"]}, {"family": "ចាន់", "given": ["ស្រីមុំ"]}],
            "gender": "female",
            "birthDate": "1991",
            "telecom": [{"system": "phone", "value": "012 345 678"}],
            "address": [{"extension": [{"url": "urn:samaki:fhir:area-code", "valueCode": COMMUNE}]}],
        },
        {
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "order",
            "priority": "urgent",
            "category": [concept("category", "domestic_violence")],
            "subject": her,
            "requester": own,
            "performer": [owner],
            "reasonCode": [{"text": "She came with a broken arm."}],
        },
        {
            "resourceType": "Task",
            "identifier": [{"type": {"coding": [{"system": V2_0203, "code": "PLAC"}]}, "value": f"HC/{uuid4().hex}"}],
            "status": "requested",
            "intent": "order",
            "focus": {"reference": urls["ServiceRequest"]},
            "for": her,
            "requester": own,
            "owner": owner,
        },
        {
            "resourceType": "Consent",
            "status": "active",
            "scope": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}]
            },
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": her,
            "dateTime": "2026-03-01",
            "extension": [{"url": "urn:samaki:fhir:consent-form", "valueCode": "verbal"}],
            "policyRule": {"text": "Asked and told what is sent."},
        },
    ]
    entries = [
        {
            "fullUrl": urls[one["resourceType"]],
            "resource": one,
            "request": {"method": "POST", "url": one["resourceType"]},
        }
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def changed(bundle: dict[str, Any], kind: str, **elements: Any) -> dict[str, Any]:
    """The same Bundle with elements of one of its resources put, or taken away where they are None."""
    other = deepcopy(bundle)
    resource = resource_of(other, kind)
    for name, value in elements.items():
        if value is None:
            del resource[name.rstrip("_")]
        else:
            resource[name.rstrip("_")] = value
    return other


def resource_of(bundle: dict[str, Any], kind: str) -> dict[str, Any]:
    """The resource of this kind in a Bundle."""
    found: dict[str, Any] = next(e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind)
    return found
