"""Bundle: the page of a search, a transaction that is sent in, and what came of it."""

from typing import Annotated, Literal

from pydantic import Field

from app.fhir.consent import Consent
from app.fhir.directory import HealthcareService, Organization
from app.fhir.patient import Patient
from app.fhir.service_request import ServiceRequest
from app.fhir.task import Task
from app.fhir.types import Element, Identifier, Instant, Meta, Resource, String, Uri

Sent = Annotated[Patient | ServiceRequest | Task | Consent, Field(discriminator="resourceType")]
Found = Annotated[
    Patient | ServiceRequest | Task | Organization | HealthcareService, Field(discriminator="resourceType")
]


class Request(Element):
    """`ifNoneExist` is not read: what was sent before under the same identifier is never made twice."""

    method: Literal["POST"]
    url: Literal["Patient", "ServiceRequest", "Task", "Consent"]
    ifNoneExist: String | None = None


class SentEntry(Element):
    fullUrl: Uri
    resource: Sent
    request: Request


class Transaction(Resource):
    """A referral in: exactly one Patient, ServiceRequest, Task and Consent, which refer to one another by `fullUrl`."""

    resourceType: Literal["Bundle"]
    type: Literal["transaction"]
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
