"""ServiceRequest: what is asked of whom."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from app.fhir.types import MOST, Annotation, CodeableConcept, DateTime, Identifier, Period, Reference, Resource
from app.models.codes.cases import Priority


class RequestStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    ON_HOLD = "on-hold"
    REVOKED = "revoked"
    COMPLETED = "completed"
    ENTERED_IN_ERROR = "entered-in-error"
    UNKNOWN = "unknown"


class RequestIntent(StrEnum):
    PROPOSAL = "proposal"
    PLAN = "plan"
    DIRECTIVE = "directive"
    ORDER = "order"
    ORIGINAL_ORDER = "original-order"
    REFLEX_ORDER = "reflex-order"
    FILLER_ORDER = "filler-order"
    INSTANCE_ORDER = "instance-order"
    OPTION = "option"


Concepts = Annotated[list[CodeableConcept], Field(max_length=MOST)]
References = Annotated[list[Reference], Field(max_length=MOST)]


class ServiceRequest(Resource):
    """`code` is the service's type, or its sector alone; `subject` is masked until the recipient has accepted."""

    resourceType: Literal["ServiceRequest"]
    identifier: Annotated[list[Identifier], Field(max_length=MOST)] | None = None
    status: RequestStatus
    intent: RequestIntent
    category: Concepts | None = None
    priority: Priority | None = None
    code: CodeableConcept | None = None
    subject: Reference
    occurrencePeriod: Period | None = None
    authoredOn: DateTime | None = None
    requester: Reference | None = None
    performer: References | None = None
    locationCode: Concepts | None = None
    reasonCode: Concepts | None = None
    note: Annotated[list[Annotation], Field(max_length=MOST)] | None = None
