"""Task: the work on a referral, whose status both sides watch."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from app.fhir.types import (
    MOST,
    Annotation,
    CodeableConcept,
    DateTime,
    Element,
    Extensions,
    Identifier,
    Period,
    Reference,
    Resource,
)
from app.models.codes.cases import Priority


class TaskStatus(StrEnum):
    """Every status of FHIR's list; which of them a referral can have is said by `app.fhir.states`."""

    DRAFT = "draft"
    REQUESTED = "requested"
    RECEIVED = "received"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    READY = "ready"
    CANCELLED = "cancelled"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    FAILED = "failed"
    COMPLETED = "completed"
    ENTERED_IN_ERROR = "entered-in-error"


class TaskIntent(StrEnum):
    UNKNOWN = "unknown"
    PROPOSAL = "proposal"
    PLAN = "plan"
    ORDER = "order"
    ORIGINAL_ORDER = "original-order"
    REFLEX_ORDER = "reflex-order"
    FILLER_ORDER = "filler-order"
    INSTANCE_ORDER = "instance-order"
    OPTION = "option"


class Restriction(Element):
    """`period.end` is when the answer is due."""

    period: Period | None = None


class Output(Element):
    """What came of it: of type `outcome` a code of `referral_outcome`, of type `appointment` a time."""

    type: CodeableConcept
    valueCodeableConcept: CodeableConcept | None = None
    valueDateTime: DateTime | None = None


class Task(Resource):
    resourceType: Literal["Task"]
    extension: Extensions | None = None
    identifier: Annotated[list[Identifier], Field(max_length=MOST)] | None = None
    status: TaskStatus
    statusReason: CodeableConcept | None = None
    businessStatus: CodeableConcept | None = None
    intent: TaskIntent
    priority: Priority | None = None
    code: CodeableConcept | None = None
    description: Annotated[str, Field(min_length=1, max_length=10_000)] | None = None
    focus: Reference | None = None
    for_: Annotated[Reference | None, Field(alias="for")] = None
    authoredOn: DateTime | None = None
    lastModified: DateTime | None = None
    requester: Reference | None = None
    owner: Reference | None = None
    note: Annotated[list[Annotation], Field(max_length=MOST)] | None = None
    restriction: Restriction | None = None
    output: Annotated[list[Output], Field(max_length=MOST)] | None = None
