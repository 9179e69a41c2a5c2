"""`/fhir/R4/Organization` and `/HealthcareService`: who can be asked, and for what."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from app.errors import FHIR, NotFound
from app.fhir.bundle import SearchSet
from app.fhir.directory import HealthcareService, Organization
from app.fhir.pages import page_of
from app.fhir.places import healthcare_service_of, organization_of
from app.fhir.searches import Asked, HealthcareServiceSearch, OrganizationSearch, reference_to, service_type_of
from app.http import Session
from app.paging import ListQuery
from app.permissions import Permission
from app.routers.fhir_route import FhirResponse, FhirRoute, answer, base_of
from app.security import Actor, allowed
from app.services import organisations, services

router = APIRouter(prefix=FHIR, tags=["fhir"], route_class=FhirRoute, default_response_class=FhirResponse)

Reader = Annotated[Actor, allowed(Permission.DIRECTORY_READ)]


@router.get("/Organization", response_model=SearchSet)
async def list_fhir_organizations(
    search: Annotated[OrganizationSearch, Query()], request: Request, session: Session, actor: Reader
) -> Response:
    """Organisations, newest first: names and kind."""
    if search.id_ is not None:
        found, cursor = [one for one in [await _organization(session, search.id_)] if one], None
    else:
        page = await organisations.list_organisations(session, ListQuery(limit=search.count, cursor=search.cursor))
        found, cursor = [organization_of(row) for row in page.items], page.next_cursor
    return answer(page_of(base_of(request), "Organization", search, found, cursor))


@router.get("/Organization/{organisation_id}", response_model=Organization)
async def read_fhir_organization(
    organisation_id: UUID, asked: Annotated[Asked, Query()], session: Session, actor: Reader
) -> Response:
    """One organisation."""
    row = await organisations.read_organisation(session, organisation_id)
    return answer(organization_of(row), row.version, row.updated_at)


@router.get("/HealthcareService", response_model=SearchSet)
async def list_fhir_healthcare_services(
    search: Annotated[HealthcareServiceSearch, Query()], request: Request, session: Session, actor: Reader
) -> Response:
    """The directory, newest first."""
    if search.id_ is not None:
        found, cursor = [one for one in [await _service(session, search.id_)] if one], None
    else:
        query = services.ServiceQuery(
            limit=search.count,
            cursor=search.cursor,
            organisation_id=search.organization and reference_to("Organization")(search.organization),
            service_type=search.service_type and service_type_of(search.service_type),
        )
        page = await services.list_services(session, query)
        found, cursor = [healthcare_service_of(row) for row in page.items], page.next_cursor
    return answer(page_of(base_of(request), "HealthcareService", search, found, cursor))


@router.get("/HealthcareService/{service_id}", response_model=HealthcareService)
async def read_fhir_healthcare_service(
    service_id: UUID, asked: Annotated[Asked, Query()], session: Session, actor: Reader
) -> Response:
    """One service."""
    row = await services.read_service(session, service_id)
    return answer(healthcare_service_of(row), row.version, row.updated_at)


async def _organization(session: Session, own_id: str) -> Organization | None:
    try:
        return organization_of(await organisations.read_organisation(session, UUID(own_id)))
    except (ValueError, NotFound):
        return None


async def _service(session: Session, own_id: str) -> HealthcareService | None:
    try:
        return healthcare_service_of(await services.read_service(session, UUID(own_id)))
    except (ValueError, NotFound):
        return None
