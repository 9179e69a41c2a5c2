"""A referral as a Task and as a ServiceRequest: nothing that its reading for this caller did not hold already."""

from typing import TypeVar

from app.fhir.codes import (
    CONTACT_SUSPENDED,
    IDENTIFIER_TYPES,
    MASKED,
    ORGANISATIONS,
    OUTPUTS,
    REFERRAL_CODES,
    TASK_CODES,
    area,
    coding,
    concept,
)
from app.fhir.patient import Patient
from app.fhir.service_request import RequestIntent, ServiceRequest
from app.fhir.states import REQUEST, TASK, TOLD
from app.fhir.task import Output, Restriction, Task, TaskIntent
from app.fhir.types import (
    Annotation,
    CodeableConcept,
    Coding,
    Extension,
    Identifier,
    Meta,
    Period,
    Reference,
    written,
)
from app.models.referral_reads import PartnerRead, PartnerSummary, Party, ReferralFace

Marked = TypeVar("Marked", ServiceRequest, Patient)

SUBSETTED = Coding(system="http://terminology.hl7.org/CodeSystem/v3-ObservationValue", code="SUBSETTED")
OUTCOME, APPOINTMENT = "outcome", "appointment"


def task_of(one: ReferralFace) -> Task:
    """The Task of a referral, of its face alone: the same in a list and by itself."""
    id_ = str(one.id)
    suspended = [Extension(url=CONTACT_SUSPENDED, valueBoolean=True)] if one.contact_suspended else None
    return Task.model_validate(
        {
            "resourceType": "Task",
            "id": id_,
            "meta": meta_of(one),
            "extension": suspended,
            "identifier": _identifiers(one),
            "status": TASK[one.status],
            "statusReason": concept(one.reason_code, one.status_reason),
            "businessStatus": concept(one.business_status),
            "intent": TaskIntent.ORDER,
            "priority": one.priority,
            "code": CodeableConcept(coding=[Coding(system=TASK_CODES, code="fulfill")]),
            "focus": Reference(reference=f"ServiceRequest/{id_}"),
            "for": Reference(reference=f"Patient/{id_}") if is_told(one) else None,
            "authoredOn": written(one.created_at),
            "lastModified": written(one.updated_at),
            "requester": organisation(one.sender),
            "owner": organisation(one.recipient),
            "restriction": Restriction(period=Period(end=written(one.due_at))),
            "output": _outputs(one),
        }
    )


def service_request_of(one: ReferralFace) -> ServiceRequest:
    """The ServiceRequest of a referral; `subject` is masked for who is not told who she is."""
    told = one if isinstance(one, PartnerRead) else None
    need = told.disclosed.need_summary if told and told.disclosed else None
    places = [one.province_code, *([told.commune_code] if told and told.commune_code else [])]
    return ServiceRequest(
        resourceType="ServiceRequest",
        id=str(one.id),
        meta=meta_of(one),
        identifier=[_code(one)],
        status=REQUEST[one.status],
        intent=RequestIntent.ORDER,
        category=[_sector(one)],
        priority=one.priority,
        code=concept(one.service_type) or _sector(one),
        subject=subject_of(one),
        occurrencePeriod=Period(start=written(one.appointment_at)) if one.appointment_at else None,
        authoredOn=written(one.created_at),
        requester=organisation(one.sender),
        performer=_performers(one),
        locationCode=[area(code) for code in places],
        reasonCode=[CodeableConcept(text=need)] if need else None,
        note=[Annotation(text=told.message)] if told and told.message else None,
    )


def listed_service_request_of(one: ReferralFace) -> ServiceRequest:
    """The same in a list, which never holds what is told of a client: then marked as not being all of it."""
    return _marked(service_request_of(one), one)


def listed_patient_of(one: ReferralFace) -> Patient:
    """Only that there is somebody to read of."""
    return _marked(Patient(resourceType="Patient", id=str(one.id), meta=meta_of(one)), one)


def is_told(one: ReferralFace) -> bool:
    """Is this the recipient's reading of a referral that was accepted, so that there may be a Patient to read?"""
    return isinstance(one, PartnerSummary) and one.direction == "incoming" and one.status in TOLD


def meta_of(one: ReferralFace) -> Meta:
    """Version and last change."""
    return Meta(versionId=str(one.version), lastUpdated=written(one.updated_at))


def organisation(party: Party) -> Reference:
    """One of the two sides."""
    return Reference(reference=f"Organization/{party.id}", display=party.name)


def subject_of(one: ReferralFace) -> Reference:
    """Who it is about, as far as the reader may know."""
    return Reference(reference=f"Patient/{one.id}") if is_told(one) else Reference(extension=[MASKED])


def _marked(resource: Marked, one: ReferralFace) -> Marked:
    if resource.meta is not None and is_told(one):
        resource.meta.tag = [SUBSETTED]
    return resource


def _sector(one: ReferralFace) -> CodeableConcept:
    return CodeableConcept(coding=[coding(one.sector)])


def _performers(one: ReferralFace) -> list[Reference]:
    performers = [organisation(one.recipient)]
    if one.service_id is not None and one.service_type is not None:
        performers.append(Reference(reference=f"HealthcareService/{one.service_id}"))
    return performers


def _code(one: ReferralFace) -> Identifier:
    return Identifier(system=REFERRAL_CODES, value=one.code)


def _identifiers(one: ReferralFace) -> list[Identifier]:
    """Both sides' own: the placer is the sender, the filler the recipient. Only a partner has one beside ours."""
    theirs = one.external_id if isinstance(one, PartnerSummary) else None
    ours_is_placer = theirs is None or one.direction == "incoming"
    found = [_typed("PLAC" if ours_is_placer else "FILL", REFERRAL_CODES, one.code)]
    if theirs is not None:
        partner = one.recipient if ours_is_placer else one.sender
        found.append(_typed("FILL" if ours_is_placer else "PLAC", f"{ORGANISATIONS}:{partner.id}", theirs))
    return found


def _typed(kind: str, system: str, value: str) -> Identifier:
    return Identifier(
        type=CodeableConcept(coding=[Coding(system=IDENTIFIER_TYPES, code=kind)]), system=system, value=value
    )


def _outputs(one: ReferralFace) -> list[Output] | None:
    found = []
    if one.appointment_at is not None:
        found.append(Output(type=_kind(APPOINTMENT), valueDateTime=written(one.appointment_at)))
    if one.outcome_code is not None:
        found.append(Output(type=_kind(OUTCOME), valueCodeableConcept=concept(one.outcome_code)))
    return found or None


def _kind(code: str) -> CodeableConcept:
    return CodeableConcept(coding=[Coding(system=OUTPUTS, code=code)])
