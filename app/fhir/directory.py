"""Organization and HealthcareService: who can be asked for what; public facts of the directory."""

from typing import Annotated, Literal

from pydantic import Field

from app.fhir.types import (
    MOST,
    Address,
    CodeableConcept,
    ContactPoint,
    Element,
    Extensions,
    Identifier,
    Reference,
    Resource,
    String,
)

Concepts = Annotated[list[CodeableConcept], Field(max_length=MOST)]


class Organization(Resource):
    resourceType: Literal["Organization"]
    extension: Extensions | None = None
    identifier: Annotated[list[Identifier], Field(max_length=MOST)] | None = None
    active: bool | None = None
    type: Concepts | None = None
    name: String | None = None
    alias: Annotated[list[String], Field(max_length=MOST)] | None = None
    telecom: Annotated[list[ContactPoint], Field(max_length=MOST)] | None = None
    address: Annotated[list[Address], Field(max_length=MOST)] | None = None


class Eligibility(Element):
    code: CodeableConcept | None = None
    comment: String | None = None


class HealthcareService(Resource):
    resourceType: Literal["HealthcareService"]
    extension: Extensions | None = None
    active: bool | None = None
    providedBy: Reference | None = None
    category: Concepts | None = None
    type: Concepts | None = None
    name: String | None = None
    comment: String | None = None
    telecom: Annotated[list[ContactPoint], Field(max_length=MOST)] | None = None
    eligibility: Annotated[list[Eligibility], Field(max_length=MOST)] | None = None
    communication: Concepts | None = None
