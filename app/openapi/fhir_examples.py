"""The examples of the FHIR face: one invented referral, written by what writes the real ones."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.errors import FHIR
from app.fhir.bundle import Answer, AnsweredEntry, TransactionResponse
from app.fhir.capabilities import statement
from app.fhir.disclosed import patient_of
from app.fhir.pages import page_of
from app.fhir.places import healthcare_service_of, organization_of
from app.fhir.referrals import service_request_of, task_of
from app.fhir.searches import TaskSearch
from app.fhir.types import Element
from app.models.codes.cases import Priority
from app.models.codes.people import OrganisationKind
from app.models.codes.referrals import ReferralStatus, Sector, ServiceCapacity, ServiceType
from app.models.organisation import OrganisationRead
from app.models.referral_reads import Disclosed, PartnerRead, Party
from app.models.service import ServiceRead
from app.openapi.example_values import ID

_BASE = f"https://samaki.example{FHIR}"
_AT = datetime(2026, 3, 2, 3, tzinfo=UTC)
_NGO, _CLINIC = UUID("0b6b1c1a-77a5-4f0a-8f52-3f6d7d1f0001"), UUID("0b6b1c1a-77a5-4f0a-8f52-3f6d7d1f0002")
_TIMES: dict[str, Any] = {"version": 2, "created_at": _AT, "updated_at": _AT}

_REFERRAL = PartnerRead(
    id=UUID(ID),
    code="RF-03NQ-K8S3",
    direction="incoming",
    sender=Party(id=_NGO, name="Women's Rights Siem Reap"),
    recipient=Party(id=_CLINIC, name="Khun Ream health centre"),
    sector=Sector.HEALTH,
    service_type=ServiceType.GENERAL_HEALTH,
    service_id=None,
    province_code="17",
    priority=Priority.URGENT,
    status=ReferralStatus.ACCEPTED,
    business_status=None,
    appointment_at=None,
    reason_code=None,
    outcome_code=None,
    status_reason=None,
    due_at=datetime(2026, 3, 5, 3, tzinfo=UTC),
    overdue=False,
    answered_at=_AT,
    ended_at=None,
    contact_suspended=False,
    external_id=None,
    commune_code="170201",
    message=None,
    disclosed=Disclosed(name="Chan Sreymom", age=34, need_summary="Asks for a check of her eyes."),
    **_TIMES,
)
_ORGANISATION = OrganisationRead(
    id=_CLINIC,
    name="Khun Ream health centre",
    name_km="មណ្ឌលសុខភាពខុនរាម",
    kind=OrganisationKind.HEALTH,
    active=True,
    signatory=False,
    assistance_ceiling_khr_minor=0,
    assistance_ceiling_usd_minor=0,
    programme_communes=["170201"],
    **_TIMES,
)
_SERVICE = ServiceRead.model_validate(
    {
        **dict.fromkeys(ServiceRead.model_fields),
        **_TIMES,
        "id": ID,
        "organisation_id": _CLINIC,
        "organisation_name": _ORGANISATION.name,
        "organisation_name_km": _ORGANISATION.name_km,
        "service_type": ServiceType.GENERAL_HEALTH,
        "sector": Sector.HEALTH,
        "status": "active",
        "name": "Consultations",
        "name_km": "ការពិគ្រោះជំងឺ",
        "languages": ["km"],
        "schedules": [],
        "phones": [{"number": "+85512345678"}],
        "locations": [{"area_code": "170201"}],
        "capacity": ServiceCapacity.OPEN,
    }
)


def _sent() -> dict[str, Any]:
    """What a clinic sends: the four resources refer to one another by the addresses of their entries."""
    her, asked, work, agreed = (f"urn:uuid:5f0c7f5e-3c1d-4a52-9a55-6d1f3f5f7a1{n}" for n in range(1, 5))
    subject, ngo = {"reference": her}, {"reference": f"Organization/{_NGO}"}
    placer = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]}
    category = {"coding": [{"system": "urn:samaki:codes:category", "code": "domestic_violence"}]}
    scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}
    resources: dict[str, dict[str, Any]] = {
        her: {
            "resourceType": "Patient",
            "name": [{"family": "Chan", "given": ["Sreymom"]}],
            "gender": "female",
            "birthDate": "1991",
            "address": [{"extension": [{"url": "urn:samaki:fhir:area-code", "valueCode": "170201"}]}],
        },
        asked: {
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "order",
            "category": [category],
            "priority": "urgent",
            "subject": subject,
            "reasonCode": [{"text": "She came with a broken arm."}],
        },
        work: {
            "resourceType": "Task",
            "identifier": [{"type": placer, "value": "HC-17/2026-0142"}],
            "status": "requested",
            "intent": "order",
            "focus": {"reference": asked},
            "for": subject,
            "owner": ngo,
        },
        agreed: {
            "resourceType": "Consent",
            "extension": [{"url": "urn:samaki:fhir:consent-form", "valueCode": "verbal"}],
            "status": "active",
            "scope": {"coding": [scope]},
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": subject,
            "dateTime": "2026-03-02",
            "policyRule": {"text": "Asked, and told what is sent."},
        },
    }
    entries = [
        {"fullUrl": url, "resource": one, "request": {"method": "POST", "url": one["resourceType"]}}
        for url, one in resources.items()
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _answered() -> TransactionResponse:
    kinds = ("Patient", "ServiceRequest", "Task", "Consent")
    places = [None if kind == "Consent" else f"{kind}/{ID}" for kind in kinds]
    answers = [Answer(status="201 Created", location=place, etag='W/"1"') for place in places]
    entries = [AnsweredEntry(response=one) for one in answers]
    return TransactionResponse(resourceType="Bundle", type="transaction-response", entry=entries)


def _written(resource: Element) -> dict[str, Any]:
    return resource.model_dump(mode="json", exclude_none=True)


_TOLD = _REFERRAL.disclosed or Disclosed()
_PAGE = page_of(_BASE, "Task", TaskSearch.model_validate({"status": "accepted"}), [task_of(_REFERRAL)], None)
FHIR_MODELS: dict[str, Any] = {
    "CapabilityStatement": _written(statement(_BASE, cors=False)),
    "HealthcareService": _written(healthcare_service_of(_SERVICE)),
    "Organization": _written(organization_of(_ORGANISATION)),
    "Patient": _written(patient_of(_REFERRAL, _TOLD)),
    "SearchSet": _written(_PAGE),
    "ServiceRequest": _written(service_request_of(_REFERRAL)),
    "StatusPatch": {"op": "replace", "path": "/status", "value": "in-progress"},
    "Task": _written(task_of(_REFERRAL)),
    "Transaction": _sent(),
    "TransactionResponse": _written(_answered()),
}
