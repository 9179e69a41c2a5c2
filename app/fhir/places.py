"""Organisations and services of the directory as Organization and HealthcareService."""

from app.fhir.codes import AREA_CODE, coding
from app.fhir.directory import Eligibility, HealthcareService, Organization
from app.fhir.disclosed import language_of
from app.fhir.types import CodeableConcept, ContactPoint, ContactSystem, Extension, Meta, Reference, written
from app.models.codes.referrals import ServiceStatus
from app.models.organisation import OrganisationRead
from app.models.service import ServiceRead


def organization_of(row: OrganisationRead) -> Organization:
    """Its two names and its kind: no more is told of any organisation."""
    return Organization(
        resourceType="Organization",
        id=str(row.id),
        meta=Meta(versionId=str(row.version), lastUpdated=written(row.updated_at)),
        active=row.active,
        type=[CodeableConcept(coding=[coding(row.kind)])],
        name=row.name,
        alias=[row.name_km],
    )


def healthcare_service_of(row: ServiceRead) -> HealthcareService:
    """A service as its own organisation keeps it. Hours are read in HSDS; a shelter has no place here either."""
    codes = sorted({location.area_code for location in row.locations})
    addresses = [Extension(url=AREA_CODE, valueCode=code) for code in codes]
    return HealthcareService(
        resourceType="HealthcareService",
        id=str(row.id),
        meta=Meta(versionId=str(row.version), lastUpdated=written(row.updated_at)),
        extension=addresses or None,
        active=row.status is ServiceStatus.ACTIVE,
        providedBy=Reference(reference=f"Organization/{row.organisation_id}", display=row.organisation_name),
        category=[CodeableConcept(coding=[coding(row.sector)])],
        type=[CodeableConcept(coding=[coding(row.service_type)])],
        name=row.name,
        comment=row.description,
        telecom=[ContactPoint(system=ContactSystem.PHONE, value=phone.number) for phone in row.phones] or None,
        eligibility=[Eligibility(comment=row.eligibility)] if row.eligibility else None,
        communication=[language_of(language) for language in row.languages] or None,
    )
