"""`/hsds`: the directory for everybody, at the root and without a token, as HSDS 3.0 has it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from app.http import API, InLanguage, Route
from app.models.hsds import (
    HsdsApi,
    HsdsOrganization,
    HsdsPage,
    HsdsProfile,
    HsdsQuery,
    HsdsService,
    HsdsServiceQuery,
    HsdsTaxonomy,
    HsdsTerm,
    HsdsTermQuery,
)
from app.services import public_directory
from app.visiting import Visit, count_visit

router = APIRouter(prefix="/hsds", tags=["hsds"], route_class=Route, dependencies=[Depends(count_visit)])

VERSION = "3.0"
PROFILE = HsdsProfile(
    name="Samaki",
    version="1.0",
    hsds_version=VERSION,
    description="HSDS 3.0 for Cambodia: an address may be without a postal code. Locations, phones and schedules of"
    " shelters are never told.",
    modifications={
        "address.json": {"required": ["id", "address_1", "city", "state_province", "country", "address_type"]}
    },
)


@router.get("/")
async def read_hsds_api(request: Request) -> HsdsApi:
    """The version of HSDS, our profile of it, and where this is described."""
    root = str(request.base_url).rstrip("/")
    return HsdsApi(version=VERSION, profile=f"{root}/hsds/profile", openapi_url=f"{root}{API}/openapi.json")


@router.get("/profile")
async def read_hsds_profile() -> HsdsProfile:
    """Where we differ from HSDS."""
    return PROFILE


@router.get("/services", response_model_exclude_none=True)
async def list_hsds_services(
    query: Annotated[HsdsServiceQuery, Query()], session: Visit, language: InLanguage
) -> HsdsPage[HsdsService]:
    """Active services of active organisations, the oldest entry first."""
    return await public_directory.list_public_services(session, query, language)


@router.get("/services/{service_id}", response_model_exclude_none=True)
async def read_hsds_service(service_id: UUID, session: Visit, language: InLanguage) -> HsdsService:
    """One service with phones, schedules, locations, languages and its type."""
    return await public_directory.read_public_service(session, service_id, language)


@router.get("/organizations", response_model_exclude_none=True)
async def list_hsds_organizations(
    query: Annotated[HsdsQuery, Query()], session: Visit, language: InLanguage
) -> HsdsPage[HsdsOrganization]:
    """Organisations that have an active service, by name."""
    return await public_directory.list_public_organizations(session, query, language)


@router.get("/taxonomies", response_model_exclude_none=True)
async def list_hsds_taxonomies(query: Annotated[HsdsQuery, Query()], language: InLanguage) -> HsdsPage[HsdsTaxonomy]:
    """The one taxonomy: service types below their sectors."""
    return public_directory.list_taxonomies(query, language)


@router.get("/taxonomy_terms", response_model_exclude_none=True)
async def list_hsds_taxonomy_terms(
    query: Annotated[HsdsTermQuery, Query()], language: InLanguage
) -> HsdsPage[HsdsTerm]:
    """Sectors, then service types; `parent_id` names a sector."""
    return public_directory.list_terms(query, language)
