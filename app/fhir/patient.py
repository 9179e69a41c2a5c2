"""Patient: the client of one referral, and of her only what she agreed to; its id is the referral's."""

from typing import Annotated, Literal

from pydantic import Field

from app.fhir.types import (
    MOST,
    Address,
    CodeableConcept,
    ContactPoint,
    Date,
    Element,
    Extensions,
    HumanName,
    Identifier,
    Resource,
)
from app.models.codes.people import Sex


class Communication(Element):
    language: CodeableConcept
    preferred: bool | None = None


class Patient(Resource):
    resourceType: Literal["Patient"]
    extension: Extensions | None = None
    identifier: Annotated[list[Identifier], Field(max_length=MOST)] | None = None
    active: bool | None = None
    name: Annotated[list[HumanName], Field(max_length=MOST)] | None = None
    telecom: Annotated[list[ContactPoint], Field(max_length=MOST)] | None = None
    gender: Sex | None = None
    birthDate: Date | None = None
    address: Annotated[list[Address], Field(max_length=MOST)] | None = None
    communication: Annotated[list[Communication], Field(max_length=MOST)] | None = None
