"""The CapabilityStatement: interactions by resource, and the parameters that its search really takes."""

from app.errors import FHIR_JSON
from app.fhir.capability import (
    VERSION,
    CapabilityStatement,
    Implementation,
    Interaction,
    Rest,
    RestResource,
    SearchParam,
    Security,
    Software,
    SystemInteraction,
)
from app.fhir.searches import (
    HealthcareServiceSearch,
    OrganizationSearch,
    PatientSearch,
    Searched,
    ServiceRequestSearch,
    TaskSearch,
)
from app.fhir.types import CodeableConcept, Coding

# Of the result, not of what is searched; `_include` is told as `searchInclude`.
RESULT = frozenset({"_format", "_count", "_cursor", "_include"})
_TYPES = {"_lastUpdated": "date", "owner": "reference", "requester": "reference", "performer": "reference"}
_TYPES |= {"focus": "reference", "organization": "reference"}
_SEARCHES: dict[str, type[Searched]] = {
    "Task": TaskSearch,
    "ServiceRequest": ServiceRequestSearch,
    "Patient": PatientSearch,
    "Organization": OrganizationSearch,
    "HealthcareService": HealthcareServiceSearch,
}
_DATES = "Prefixes ge, gt, le and lt; may be given more than once. A day is one in Cambodia."
_ABOUT = {
    "Task": "A referral, for both of its sides. Update and patch change status, statusReason, businessStatus and output"
    " and need If-Match; who may take which step is said by the status.",
    "ServiceRequest": "What is asked. The subject is masked until the recipient has accepted.",
    "Patient": "What the client of one referral agreed to tell its recipient, under the id of the referral, from the"
    " acceptance until the disclosure closes. A search gives ids only; each reading is recorded.",
    "Organization": "Whom a referral can be addressed to.",
    "HealthcareService": "The directory of services.",
}
_SEARCHES_ABOUT = " Unknown parameters are refused. _count 1 to 200; a page can be short and still have a next link."


def statement(base: str, cors: bool) -> CapabilityStatement:
    """What the face at the address `base` can do."""
    return CapabilityStatement(
        resourceType="CapabilityStatement",
        status="active",
        date="2026-11-28",
        publisher="Samaki",
        kind="instance",
        software=Software(name="Samaki"),
        implementation=Implementation(description="Referrals of Samaki", url=base),
        fhirVersion=VERSION,
        format=["json", FHIR_JSON],
        patchFormat=["application/json-patch+json"],
        rest=[_rest(cors)],
    )


def _rest(cors: bool) -> Rest:
    oauth = Coding(system="http://terminology.hl7.org/CodeSystem/restful-security-service", code="OAuth")
    return Rest(
        mode="server",
        documentation="Referrals between organisations that protect women and girls. Hidden and unknown are both 404.",
        security=Security(
            cors=cors,
            service=[CodeableConcept(coding=[oauth])],
            description="A bearer token of POST /api/v1/auth/token (client_credentials for systems), but for metadata.",
        ),
        resource=[_resource(kind) for kind in _SEARCHES],
        interaction=[
            SystemInteraction(
                code="transaction",
                documentation="A referral in: one Patient, ServiceRequest, Task and Consent, all POST. The Task's"
                " identifier of type PLAC makes it unique: what was sent before is answered as the first time.",
            )
        ],
    )


def _resource(kind: str) -> RestResource:
    task = kind == "Task"
    return RestResource(
        type=kind,
        interaction=[
            Interaction(code="read"),
            Interaction(code="search-type"),
            *([Interaction(code="update"), Interaction(code="patch")] if task else []),
        ],
        versioning="versioned-update" if task else "versioned",
        searchInclude=["Task:focus"] if task else None,
        searchParam=[_param(name) for name in names_of(_SEARCHES[kind]) if name not in RESULT],
        documentation=_ABOUT[kind] + _SEARCHES_ABOUT,
    )


def names_of(search: type[Searched]) -> list[str]:
    """The parameters of a search, as they are written in an address."""
    return [field.alias or name for name, field in search.model_fields.items()]


def _param(name: str) -> SearchParam:
    return SearchParam(
        name=name, type=_TYPES.get(name, "token"), documentation=_DATES if name == "_lastUpdated" else None
    )
