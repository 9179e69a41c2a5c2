"""Bundle: the page of a search, a transaction that is sent in, and what came of it."""

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from app.fhir.consent import Consent
from app.fhir.directory import HealthcareService, Organization
from app.fhir.patient import Patient
from app.fhir.service_request import ServiceRequest
from app.fhir.task import Task
from app.fhir.types import Element, Identifier, Instant, Meta, Resource, String, Uri

TAKEN: Final = "What is taken is a Bundle of type transaction with one Patient, ServiceRequest, Task and Consent."
KINDS = ("Patient", "ServiceRequest", "Task", "Consent")  # compared with whatever somebody sends, hashable or not


def _kind_taken(value: object) -> object:
    if isinstance(value, dict) and value.get("resourceType") not in KINDS:
        raise PydanticCustomError("not_taken", TAKEN)
    return value


Sent = Annotated[
    Annotated[Patient | ServiceRequest | Task | Consent, Field(discriminator="resourceType")],
    BeforeValidator(_kind_taken),
]
Found = Annotated[
    Patient | ServiceRequest | Task | Organization | HealthcareService, Field(discriminator="resourceType")
]


class Request(Element):
    method: Literal["POST"]
    url: Literal["Patient", "ServiceRequest", "Task", "Consent"]


class SentEntry(Element):
    fullUrl: Uri
    resource: Sent
    request: Request


def _type_taken(value: object) -> object:
    if value != "transaction":
        raise PydanticCustomError("not_taken", TAKEN)
    return value


class Transaction(Resource):
    """A referral in: exactly one Patient, ServiceRequest, Task and Consent, which refer to one another by `fullUrl`."""

    resourceType: Literal["Bundle"]
    type: Annotated[Literal["transaction"], BeforeValidator(_type_taken)]
    identifier: Identifier | None = None
    timestamp: Instant | None = None
    entry: Annotated[list[SentEntry], Field(min_length=1, max_length=20)]


class Link(Element):
    relation: Literal["self", "next"]
    url: Uri


class Search(Element):
    mode: Literal["match", "include"]


class FoundEntry(Element):
    fullUrl: Uri
    resource: Found
    search: Search


class SearchSet(Element):
    """One page. `next` is there while there is more: of a filter a page may be short, even empty, before the end."""

    resourceType: Literal["Bundle"]
    id: str
    meta: Meta | None = None
    type: Literal["searchset"]
    link: list[Link]
    entry: list[FoundEntry] | None = None


class Answer(Element):
    status: String
    location: Uri | None = None
    etag: String | None = None
    lastModified: Instant | None = None


class AnsweredEntry(Element):
    response: Answer


class TransactionResponse(Element):
    """One answer for each entry that was sent, in its order."""

    resourceType: Literal["Bundle"]
    type: Literal["transaction-response"]
    entry: list[AnsweredEntry]
