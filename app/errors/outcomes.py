"""Problems as FHIR tells them: an OperationOutcome with the same codes, for whatever is asked below `/fhir/R4`."""

import re
from collections.abc import Iterator
from typing import Any

from starlette.types import Scope

from app.errors.problems import FieldError, Invalid, Problem

FHIR = "/fhir/R4"
FHIR_JSON = "application/fhir+json"
SYSTEM = "urn:samaki:problem"

# FHIR's own, coarser list (issue-type) by our code, then by the code of a field.
_ISSUES = {
    "unauthenticated": "login",
    "mfa_required": "login",
    "step_up_required": "login",
    "password_change_required": "login",
    "forbidden": "forbidden",
    "not_found": "not-found",
    "method_not_allowed": "not-supported",
    "not_acceptable": "not-supported",
    "unsupported_media_type": "not-supported",
    "request_timeout": "timeout",
    "conflict": "conflict",
    "precondition_failed": "conflict",
    "precondition_required": "required",
    "payload_too_large": "too-costly",
    "validation_failed": "invalid",
    "rate_limited": "throttled",
    "unavailable": "transient",
    "internal_error": "exception",
}
_FIELD_ISSUES = {
    "required": "required",
    "unknown_field": "structure",
    "not_taken": "not-supported",
    "unknown_code": "code-invalid",
    "too_long": "too-long",
    "text_too_long": "too-long",
    "not_supported": "not-supported",
    "unknown_reference": "not-found",
}
_NOT_READ = "This is not read in what is sent in."
# What implementation guides do, and this face does not.
_INSTEAD = {
    "method_not_allowed": "A referral is sent as a Bundle of type transaction with one Patient, ServiceRequest, Task"
    " and Consent, by POST to the root of this face; a Task is changed by PUT or PATCH. See metadata.",
}
_INDEX = re.compile(r"/([0-9]+)(?=/|$)")


class SearchRefused(Invalid):
    """A parameter that is unknown, said twice, or wrong: on the FHIR face a bad request, as its specification says."""

    status = 400


def is_fhir(scope: Scope) -> bool:
    """Is it asked of the FHIR face?"""
    path = scope.get("path", "")
    return bool(path == FHIR or path.startswith(f"{FHIR}/"))


def outcome(problem: Problem, title: str, request_id: str) -> dict[str, Any]:
    """The OperationOutcome of a problem: one issue, or one for each field that is wrong."""
    body: dict[str, Any] = {"resourceType": "OperationOutcome"}
    if request_id:
        body["id"] = request_id
    return {**body, "issue": list(_issues(problem, title))}


def weak(headers: dict[str, str]) -> dict[str, str]:
    """The same headers with the weak entity tags of FHIR."""
    return {name: f"W/{value}" if name == "ETag" else value for name, value in headers.items()}


def _issues(problem: Problem, title: str) -> Iterator[dict[str, Any]]:
    details = {"coding": [{"system": SYSTEM, "code": problem.code}], "text": title}
    kind = _ISSUES.get(problem.code, "business-rule" if problem.status == 409 else "processing")
    if not problem.errors:
        extra = ", ".join(f"{name}: {_listed(value)}" for name, value in problem.extra.items())
        said = extra or _INSTEAD.get(problem.code)
        diagnostics = {"diagnostics": said} if said else {}
        yield {"severity": "error", "code": kind, "details": details, **diagnostics}
    for error in problem.errors:
        unread = error.code == "unknown_field" and not error.pointer.startswith("/query")
        code, message = ("not_supported", _NOT_READ) if unread else (error.code, error.message)
        coding = [*details["coding"], {"system": f"{SYSTEM}:field", "code": code}]
        yield {
            "severity": "error",
            "code": _FIELD_ISSUES.get(code, "value" if error.pointer else kind),
            "details": {**details, "coding": coding},
            "diagnostics": message,
            **_place(error),
        }


def _listed(value: str | int | list[str]) -> str:
    return " ".join(value) or "none" if isinstance(value, list) else str(value)


def _place(error: FieldError) -> dict[str, list[str]]:
    """`/entry/0/resource/status` is `entry[0].resource.status`; a parameter or header is `http.<name>`."""
    if error.pointer.startswith(("/query", "/header")):
        name = error.pointer.split("/")[2:]
        return {"location": [f"http.{name[0]}"]} if name else {}
    written = _INDEX.sub(r"[\1]", error.pointer).strip("/").replace("/", ".")
    return {"expression": [written]} if written else {}
