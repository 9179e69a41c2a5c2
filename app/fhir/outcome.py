"""OperationOutcome: why something was refused; written by `app.errors.outcomes`, described here."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from app.fhir.types import CodeableConcept, Element, Id, String


class IssueType(StrEnum):
    """FHIR's list, as far as we say it."""

    INVALID = "invalid"
    STRUCTURE = "structure"
    REQUIRED = "required"
    VALUE = "value"
    CODE_INVALID = "code-invalid"
    LOGIN = "login"
    FORBIDDEN = "forbidden"
    PROCESSING = "processing"
    NOT_SUPPORTED = "not-supported"
    NOT_FOUND = "not-found"
    CONFLICT = "conflict"
    BUSINESS_RULE = "business-rule"
    TOO_COSTLY = "too-costly"
    TOO_LONG = "too-long"
    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    TRANSIENT = "transient"
    THROTTLED = "throttled"


class Issue(Element):
    """`details` has the code of the problem; `expression` is the place in the body, `location` a parameter."""

    severity: Literal["fatal", "error", "warning", "information"]
    code: IssueType
    details: CodeableConcept
    diagnostics: String | None = None
    location: list[String] | None = None
    expression: list[String] | None = None


class OperationOutcome(Element):
    resourceType: Literal["OperationOutcome"]
    id: Id | None = None
    issue: Annotated[list[Issue], Field(min_length=1)]
