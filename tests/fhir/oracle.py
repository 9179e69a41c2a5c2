"""An independent judge of FHIR R4 resources: the models of fhir.resources, which know every element, its type and how
often it may occur, and beside them what those models let through: value sets with a required binding (they take
`status: "banana"`), empty elements, and the rules of the specification that hold between elements.

Nothing here is taken from app/fhir.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from typing import Any

from pydantic import ValidationError

Json = dict[str, Any]

_TASK = "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed"
_ISSUE = (
    "invalid structure required value invariant security login unknown expired forbidden suppressed processing"
    " not-supported duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly"
    " business-rule conflict transient lock-error no-store exception timeout incomplete throttled informational"
)
_INTENTS = "proposal plan order original-order reflex-order filler-order instance-order option"
_USE = "home work temp old"
# HL7 FHIR R4 (4.0.1), elements with a required binding: the codes that there are, and no others.
REQUIRED = {
    name: frozenset(codes.split())
    for name, codes in {
        "Task.status": f"{_TASK} entered-in-error",
        "Task.intent": f"unknown {_INTENTS}",
        "Task.priority": "routine urgent asap stat",
        "ServiceRequest.status": "draft active on-hold revoked completed entered-in-error unknown",
        "ServiceRequest.intent": f"directive {_INTENTS}",
        "ServiceRequest.priority": "routine urgent asap stat",
        "Patient.gender": "male female other unknown",
        "Consent.status": "draft proposed active rejected inactive entered-in-error",
        "Bundle.type": "document message transaction transaction-response batch batch-response history searchset"
        " collection",
        "BundleEntrySearch.mode": "match include outcome",
        "BundleEntryRequest.method": "GET HEAD POST PUT DELETE PATCH",
        "OperationOutcomeIssue.severity": "fatal error warning information",
        "OperationOutcomeIssue.code": _ISSUE,
        "CapabilityStatement.status": "draft active retired unknown",
        "CapabilityStatement.kind": "instance capability requirements",
        "CapabilityStatementRest.mode": "client server",
        "CapabilityStatementRestResource.versioning": "no-version versioned versioned-update",
        "CapabilityStatementRestResourceInteraction.code": "read vread update patch delete history-instance"
        " history-type create search-type",
        "CapabilityStatementRestInteraction.code": "transaction batch search-system history-system",
        "CapabilityStatementRestResourceSearchParam.type": "number date string token reference composite quantity uri"
        " special",
        "ContactPoint.system": "phone fax email pager url sms other",
        "ContactPoint.use": f"{_USE} mobile",
        "Address.use": f"{_USE} billing",
        "Identifier.use": "usual official temp secondary old",
        "HumanName.use": "usual official temp nickname anonymous old maiden",
        "Narrative.status": "generated extensions additional empty",
        "ConsentProvision.type": "deny permit",
        "CapabilityStatement.fhirVersion": "4.0.1",
        "CapabilityStatement.format": "json xml ttl application/fhir+json application/fhir+xml",
    }.items()
}


def problems(resource: Json) -> list[str]:
    """What is wrong with a resource; nothing, when it is one of FHIR R4."""
    kind = resource.get("resourceType", "")
    try:
        model = getattr(import_module(f"fhir.resources.R4B.{kind.lower()}"), kind)
    except (ImportError, AttributeError):
        return [f"no resource is called {kind}"]
    try:
        read = model.model_validate(resource)
    except ValidationError as error:
        return [f"{one['loc']}: {one['type']}" for one in error.errors()]
    return [*_codes(read, resource), *_empty(resource, kind), *_between(resource)]


def _codes(read: Any, raw: Json) -> Iterator[str]:
    """Every element of the read resource that is bound to a value set, and every time that was no text."""
    kind = type(read).__name__
    for name, field in type(read).model_fields.items():
        value, extra = getattr(read, name, None), field.json_schema_extra or {}
        if value is None or name in {"resource_type", "resourceType"}:
            continue
        bound = extra.get("enum_values", []) if isinstance(extra, dict) else []
        if bound or f"{kind}.{name}" in REQUIRED:
            yield from _bound(f"{kind}.{name}", value, bound)
        sent = raw.get(field.alias or name)
        if isinstance(value, date) and not isinstance(sent, str):
            yield f"{kind}.{name}: a date is a text"
        pairs = zip(value, sent or [], strict=True) if isinstance(value, list) else [(value, sent)]
        for inner, inner_sent in pairs:
            if hasattr(type(inner), "model_fields") and isinstance(inner_sent, dict):
                yield from _codes(inner, inner_sent)


def _bound(place: str, value: Any, named: list[str]) -> Iterator[str]:
    """By the specification's list; where fhir.resources knows the whole list and we have none, by that."""
    codes = REQUIRED.get(place, frozenset() if "+" in named else frozenset(named))
    if not codes:
        yield f"{place}: nobody here knows its codes"
    for one in value if isinstance(value, list) else [value]:
        if str(one) not in codes:
            yield f"{place}: not a code of its list"


def _empty(value: Any, place: str) -> Iterator[str]:
    """FHIR has no null, nothing empty, and no text of blanks alone."""
    if value is None or value in ([], {}) or (isinstance(value, str) and not value.strip()):
        yield f"{place}: empty"
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _empty(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _empty(inner, place)


def _between(value: Any) -> Iterator[str]:
    """Rules between elements: ext-1, per-1, bdl-2, bdl-7, bdl-8, cpb-9, cpb-12, cpb-15, and what a page must have."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for inner in inside:
        yield from _between(inner)
    if not isinstance(value, dict):
        return
    for one in value.get("extension", []):
        values = [key for key in one if key.startswith("value")]
        if len(values) + ("extension" in one) != 1:
            yield "ext-1: an extension has one value or parts"
    start, end = value.get("start"), value.get("end")
    if isinstance(start, str) and isinstance(end, str) and start > end:
        yield "per-1: the end before the start"
    rules = {"Bundle": _bundle, "CapabilityStatement": _capabilities}.get(value.get("resourceType", ""))
    if rules is not None:
        yield from rules(value)


def _bundle(bundle: Json) -> Iterator[str]:
    entries, paged = bundle.get("entry", []), bundle["type"] == "searchset"
    urls = [entry["fullUrl"] for entry in entries if "fullUrl" in entry]
    if len(set(urls)) != len(urls):
        yield "bdl-7: a fullUrl twice"
    if any("/_history/" in url for url in urls):
        yield "bdl-8: a fullUrl of a version"
    if any(("search" in entry) is not paged for entry in entries):
        yield "bdl-2: entry.search belongs to a search"
    for entry in entries:
        resource = entry.get("resource")
        if paged and not entry["fullUrl"].endswith(f"/{resource['resourceType']}/{resource['id']}"):
            yield "a fullUrl that is not the address of its resource"
    if paged and [link["relation"] for link in bundle["link"]][:1] != ["self"]:
        yield "a page without its own address"


def _capabilities(statement: Json) -> Iterator[str]:
    if statement["kind"] == "instance" and "implementation" not in statement:
        yield "cpb-15: an instance says where it is"
    for rest in statement["rest"]:
        twice = Counter(resource["type"] for resource in rest["resource"])
        if any(count > 1 for count in twice.values()):
            yield "cpb-9: a resource twice"
        for resource in rest["resource"]:
            names = Counter(param["name"] for param in resource["searchParam"])
            if any(count > 1 for count in names.values()):
                yield "cpb-12: a parameter twice"
