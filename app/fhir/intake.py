"""A referral in: what a transaction Bundle of a partner asks for, as the one body that the service takes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from app.errors import Invalid
from app.fhir.bundle import Transaction
from app.fhir.codes import IDENTIFIER_TYPES, code_in
from app.fhir.consent import Consent
from app.fhir.patient import Patient
from app.fhir.references import check_link, organisation_named
from app.fhir.sent_client import Place, client_of
from app.fhir.sent_consent import consent_of, places_of
from app.fhir.service_request import RequestIntent, RequestStatus, ServiceRequest
from app.fhir.task import Task, TaskIntent, TaskStatus
from app.models.codes.cases import Category, Priority

Kind = TypeVar("Kind", Patient, ServiceRequest, Task, Consent)


@dataclass(frozen=True, slots=True)
class Sent:
    """The values of a `ReferralInCreate`, and by each of its pointers the place in the Bundle that it came from."""

    values: dict[str, Any]
    places: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Entry:
    """One resource of the Bundle: its address there, and the pointer to it."""

    url: str
    at: str


def sent_in(bundle: Transaction, organisation_id: UUID, today: date) -> Sent:
    """What is asked for by the caller's organisation; 422 for what is missing, contradicts itself or is not read."""
    patient, her = _one(bundle, Patient)
    request, asked = _one(bundle, ServiceRequest)
    task, work = _one(bundle, Task)
    consent, agreed = _one(bundle, Consent)
    urls = {entry.fullUrl for entry in bundle.entry}
    if len(urls) != len(bundle.entry):
        raise _wrong("/entry", "not_unique", "Two entries have the same fullUrl.")
    links = [
        (task.focus, asked.url, f"{work.at}/focus"),
        (task.for_, her.url, f"{work.at}/for"),
        (request.subject, her.url, f"{asked.at}/subject"),
        (consent.patient, her.url, f"{agreed.at}/patient"),
    ]
    for reference, url, pointer in links:
        check_link(reference, url, urls, pointer)
    receiver = organisation_named(task.owner, f"{work.at}/owner")
    senders = [(task.requester, f"{work.at}/requester"), (request.requester, f"{asked.at}/requester")]
    for reference, pointer in senders:
        if reference is not None and organisation_named(reference, pointer) != organisation_id:
            raise _wrong(pointer, "not_allowed", "A partner sends for its own organisation only.")
    _check_states(task, work.at, request, asked.at)
    _check_performers(request, asked.at, receiver)
    client = client_of(patient, Place(her.at))
    values = {
        **client.values,
        "organisation_id": receiver,
        "category": _category(request, asked.at),
        "priority": _priority(task, work.at, request),
        "need_summary": "\n".join(_words(request, task)),
        "external_id": _external_id(task, work.at),
        "consent": consent_of(consent, Place(agreed.at), receiver, organisation_id, today),
    }
    places = {
        **client.places,
        **places_of(Place(agreed.at)),
        "/organisation_id": f"{work.at}/owner",
        "/category": f"{asked.at}/category",
        "/need_summary": f"{asked.at}/reasonCode",
        "/external_id": f"{work.at}/identifier",
    }
    return Sent({name: value for name, value in values.items() if value is not None}, places)


def entry_kinds(bundle: Transaction) -> list[str]:
    """The types of the entries, in their order."""
    return [entry.resource.resourceType for entry in bundle.entry]


def _wrong(pointer: str, code: str, message: str) -> Invalid:
    return Invalid.at(pointer, code, message)


def _one(bundle: Transaction, kind: type[Kind]) -> tuple[Kind, _Entry]:
    found = [
        (entry.resource, _Entry(entry.fullUrl, f"/entry/{place}/resource"))
        for place, entry in enumerate(bundle.entry)
        if isinstance(entry.resource, kind)
    ]
    if len(found) != 1:
        raise _wrong("/entry", "wrong_entries", "One Patient, ServiceRequest, Task and Consent each are needed.")
    place = int(found[0][1].at.split("/")[2])
    if bundle.entry[place].request.url != kind.__name__:
        raise _wrong(f"/entry/{place}/request/url", "wrong_type", "The address is of another type than the resource.")
    return found[0]


def _check_states(task: Task, work: str, request: ServiceRequest, asked: str) -> None:
    """A referral begins as requested."""
    wanted = [
        (task.status is TaskStatus.REQUESTED, f"{work}/status"),
        (task.intent is TaskIntent.ORDER, f"{work}/intent"),
        (request.status is RequestStatus.ACTIVE, f"{asked}/status"),
        (request.intent is RequestIntent.ORDER, f"{asked}/intent"),
    ]
    for right, pointer in wanted:
        if not right:
            raise _wrong(pointer, "not_allowed", "A referral is not sent with this.")
    unread = {
        f"{work}/{name}": getattr(task, name) for name in ("statusReason", "businessStatus", "restriction", "output")
    } | {f"{asked}/occurrencePeriod": request.occurrencePeriod, f"{asked}/locationCode": request.locationCode}
    for pointer, value in unread.items():
        if value is not None:
            raise _wrong(pointer, "not_supported", "This is not read in what is sent in.")


def _check_performers(request: ServiceRequest, asked: str, receiver: UUID) -> None:
    """Who performs is who is asked."""
    performers = [organisation_named(one, f"{asked}/performer") for one in request.performer or ()]
    if performers and performers != [receiver]:
        raise _wrong(f"{asked}/performer", "not_allowed", "One organisation is asked: the owner of the Task.")


def _category(request: ServiceRequest, asked: str) -> Category | None:
    """The one category of ours: of two, what is graver would depend on their order."""
    found = [code_in(one, Category, f"{asked}/category") for one in request.category or ()]
    ours = {one for one in found if one is not None}
    if len(ours) > 1:
        raise _wrong(f"{asked}/category", "too_many", "There are too many items.")
    return next(iter(ours), None)


def _priority(task: Task, work: str, request: ServiceRequest) -> Priority:
    """Said by either of the two, or by both alike."""
    if task.priority is not None and request.priority not in {None, task.priority}:
        raise _wrong(f"{work}/priority", "contradicts", "The ServiceRequest says another priority.")
    return task.priority or request.priority or Priority.ROUTINE


def _words(request: ServiceRequest, task: Task) -> Iterator[str]:
    """All that is said of the need, by whatever element: nothing of it is lost."""
    if request.code is not None and request.code.text:
        yield request.code.text
    for reason in request.reasonCode or ():
        yield from (text for text in [reason.text] if text)
    if task.description:
        yield task.description
    yield from (note.text for note in [*(request.note or ()), *(task.note or ())])


def _external_id(task: Task, work: str) -> str:
    placers = [
        one.value
        for one in task.identifier or ()
        if one.type and any(c.system == IDENTIFIER_TYPES and c.code == "PLAC" for c in one.type.coding or ())
    ]
    if len(placers) != 1 or placers[0] is None:
        raise _wrong(f"{work}/identifier", "required", "The Task needs one identifier of type PLAC: your own.")
    return placers[0]
