"""The directory as anybody may read it: active services of active organisations, in the shapes of HSDS."""

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import NotFound
from app.models.area import Area
from app.models.codes.referrals import ServiceStatus
from app.models.hsds import (
    HsdsOrganization,
    HsdsPage,
    HsdsQuery,
    HsdsService,
    HsdsServiceQuery,
    HsdsTaxonomy,
    HsdsTerm,
    HsdsTermQuery,
)
from app.models.organisation import Organisation
from app.models.service import Service
from app.services.hsds_shapes import area_codes, organization, service
from app.services.taxonomy import TAXONOMY_ID, taxonomy, terms, types_under

Item = TypeVar("Item")

SEARCHED = (Service.name, Service.name_km, Service.description, Service.description_km)


async def list_public_services(session: AsyncSession, query: HsdsServiceQuery, language: str) -> HsdsPage[HsdsService]:
    """The oldest entry first, so that pages stay what they are while entries are added."""
    asked = _asked(query)
    total = await _count(session, asked)
    ordered = asked.order_by(col(Service.created_at), col(Service.id))
    rows = (await session.execute(_cut(ordered, query))).all()
    areas = await _areas(session, [row for row, _ in rows] if query.full else [])
    shown = [service(row, owner, language, areas if query.full else None) for row, owner in rows]
    return _page(query, total, shown)


async def read_public_service(session: AsyncSession, service_id: UUID, language: str) -> HsdsService:
    """One service with all that is told of it; 404 when it is not active, or its organisation is not."""
    found = (await session.execute(_listed().where(col(Service.id) == service_id))).one_or_none()
    if found is None:
        raise NotFound
    row, owner = found
    return service(row, owner, language, await _areas(session, [row]))


async def list_public_organizations(
    session: AsyncSession, query: HsdsQuery, language: str
) -> HsdsPage[HsdsOrganization]:
    """The organisations that have something in the directory, by name."""
    owners = _listed().with_only_columns(col(Service.organisation_id))
    asked = select(Organisation).where(col(Organisation.id).in_(owners))
    total = await _count(session, asked)
    ordered = asked.order_by(col(Organisation.name), col(Organisation.id))
    rows = (await session.execute(_cut(ordered, query))).scalars()
    return _page(query, total, [organization(row, language) for row in rows])


def list_taxonomies(query: HsdsQuery, language: str) -> HsdsPage[HsdsTaxonomy]:
    """There is one."""
    return _page_of([taxonomy(language)], query)


def list_terms(query: HsdsTermQuery, language: str) -> HsdsPage[HsdsTerm]:
    """Sectors, then service types."""
    found = [
        term
        for term in terms(language)
        if query.taxonomy_id in {None, TAXONOMY_ID} and query.parent_id in {None, term.parent_id}
    ]
    return _page_of(found, query)


def _listed() -> Any:
    return (
        select(Service, Organisation)
        .join(Organisation, col(Organisation.id) == col(Service.organisation_id))
        .where(col(Service.status) == ServiceStatus.ACTIVE, col(Organisation.active).is_(True))
    )


def _asked(query: HsdsServiceQuery) -> Any:
    statement = _listed()
    if query.organization_id is not None:
        statement = statement.where(col(Service.organisation_id) == query.organization_id)
    if query.taxonomy_id not in {None, TAXONOMY_ID}:
        statement = statement.where(false())
    if query.taxonomy_term_id is not None:
        statement = statement.where(col(Service.service_type).in_(types_under(query.taxonomy_term_id)))
    if query.modified_after is not None:
        statement = statement.where(col(Service.updated_at) >= query.modified_after)
    if query.search is not None:
        wanted = query.search.lower()
        statement = statement.where(or_(*(func.lower(name).contains(wanted, autoescape=True) for name in SEARCHED)))
    return statement


async def _count(session: AsyncSession, asked: Select[Any]) -> int:
    counted = asked.with_only_columns(func.count(), maintain_column_froms=True)
    return (await session.execute(counted)).scalar_one()


async def _areas(session: AsyncSession, rows: Sequence[Service]) -> dict[str, Area]:
    codes = {code for row in rows for code in area_codes(row)}
    if not codes:
        return {}
    found = await session.execute(select(Area).where(col(Area.code).in_(codes)))
    return {area.code: area for area in found.scalars()}


def _cut(ordered: Select[Any], query: HsdsQuery) -> Select[Any]:
    return ordered.limit(query.per_page).offset((query.page - 1) * query.per_page)


def _page_of(found: Sequence[Item], query: HsdsQuery) -> HsdsPage[Item]:
    first = (query.page - 1) * query.per_page
    return _page(query, len(found), list(found[first : first + query.per_page]))


def _page(query: HsdsQuery, total: int, contents: list[Item]) -> HsdsPage[Item]:
    pages = -(-total // query.per_page)
    return HsdsPage(
        total_items=total,
        total_pages=pages,
        page_number=query.page,
        size=len(contents),
        first_page=query.page == 1,
        last_page=query.page >= pages,
        empty=not contents,
        contents=contents,
    )
