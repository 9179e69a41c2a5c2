"""CapabilityStatement: what the face can do, and no more; a test compares it with the routes."""

from typing import Literal

from app.fhir.types import CodeableConcept, Date, Element, String, Uri

VERSION = "4.0.1"


class Software(Element):
    name: String
    version: String | None = None


class Implementation(Element):
    description: String
    url: Uri


class Security(Element):
    cors: bool
    service: list[CodeableConcept]
    description: String


class Interaction(Element):
    code: Literal["read", "search-type", "update", "patch"]
    documentation: String | None = None


class SystemInteraction(Element):
    code: Literal["transaction"]
    documentation: String | None = None


class SearchParam(Element):
    name: String
    type: Literal["token", "reference", "date", "number", "special"]
    documentation: String | None = None


class RestResource(Element):
    type: Literal["Task", "ServiceRequest", "Patient", "Organization", "HealthcareService"]
    interaction: list[Interaction]
    versioning: Literal["versioned", "versioned-update", "no-version"]
    readHistory: bool = False
    updateCreate: bool = False
    conditionalCreate: bool = False
    searchInclude: list[String] | None = None
    searchParam: list[SearchParam]
    documentation: String | None = None


class Rest(Element):
    mode: Literal["server"]
    documentation: String
    security: Security
    resource: list[RestResource]
    interaction: list[SystemInteraction]


class CapabilityStatement(Element):
    resourceType: Literal["CapabilityStatement"]
    status: Literal["active"]
    date: Date
    publisher: String
    kind: Literal["instance"]
    software: Software
    implementation: Implementation
    fhirVersion: Literal["4.0.1"]
    format: list[Literal["json", "application/fhir+json"]]
    patchFormat: list[Literal["application/json-patch+json"]]
    rest: list[Rest]
