"""Consent: that the client agreed to be referred, to whom, how she said it and until when."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from app.fhir.types import MOST, CodeableConcept, DateTime, Element, Extensions, Identifier, Period, Reference, Resource


class ConsentState(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    ACTIVE = "active"
    REJECTED = "rejected"
    INACTIVE = "inactive"
    ENTERED_IN_ERROR = "entered-in-error"


class ProvisionActor(Element):
    role: CodeableConcept
    reference: Reference


class Provision(Element):
    type: Literal["permit", "deny"] | None = None
    period: Period | None = None
    actor: Annotated[list[ProvisionActor], Field(max_length=MOST)] | None = None


class Consent(Resource):
    """The form (`written, verbal, thumbprint`) is the extension `urn:samaki:fhir:consent-form`."""

    resourceType: Literal["Consent"]
    extension: Extensions | None = None
    identifier: Annotated[list[Identifier], Field(max_length=MOST)] | None = None
    status: ConsentState
    scope: CodeableConcept
    category: Annotated[list[CodeableConcept], Field(min_length=1, max_length=MOST)]
    patient: Reference | None = None
    dateTime: DateTime | None = None
    organization: Annotated[list[Reference], Field(max_length=MOST)] | None = None
    policyRule: CodeableConcept | None = None
    provision: Provision | None = None
