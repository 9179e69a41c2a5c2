"""The directory of services: who does what, for whom, where. Read by all who send and take clients; kept by each
organisation for its own."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import Invalid
from app.models.area import AreaCode
from app.models.base import Page
from app.models.codes.referrals import SERVICE_TYPE_SECTOR, Sector, ServiceCapacity, ServiceStatus, ServiceType
from app.models.organisation import Organisation
from app.models.service import Service, ServiceCreate, ServiceRead, ServiceUpdate
from app.paging import ListQuery, newest_first
from app.policy import forbid, keeps_services_of
from app.preconditions import check_match
from app.security import Actor
from app.services.addressed import service_row
from app.services.service_rules import check_service

# Below an area: its own code and all that begin with it.
IN_AREA = text("exists (select from jsonb_array_elements(services.locations) l where l ->> 'area_code' like :area)")
CAPACITY = {True: ServiceCapacity.OPEN, False: ServiceCapacity.FULL, None: ServiceCapacity.UNKNOWN}
IS_OPEN = {capacity: is_open for is_open, capacity in CAPACITY.items()}


class ServiceQuery(ListQuery):
    """Filters narrow. `area_code`: with a location in this area; a shelter has none, so it is never among them."""

    organisation_id: UUID | None = None
    service_type: ServiceType | None = None
    sector: Sector | None = None
    status: ServiceStatus | None = None
    area_code: AreaCode | None = None


async def list_services(session: AsyncSession, query: ServiceQuery) -> Page[ServiceRead]:
    """The directory, newest first."""
    rows, cursor = await newest_first(session, _asked(query), Service.created_at, Service.id, query)
    return Page[ServiceRead](items=await _reads(session, rows), next_cursor=cursor)


async def read_service(session: AsyncSession, service_id: UUID) -> ServiceRead:
    """One service; 404 when there is none."""
    return (await _reads(session, [await service_row(session, service_id)]))[0]


async def add_service(session: AsyncSession, actor: Actor, wanted: ServiceCreate) -> ServiceRead:
    """A new service of the caller's own organisation, or of any for an admin. 403 for another's, 422 for none."""
    organisation = await _organisation(session, actor, wanted.organisation_id)
    row = Service(organisation_id=organisation.id, created_at=actor.now, updated_at=actor.now, **_fields(wanted))
    _settle_capacity(row, wanted.model_fields_set, wanted.capacity)
    await check_service(session, row, organisation.kind, actor.now)
    session.add(row)
    await session.flush()
    return (await _reads(session, [row]))[0]


async def edit_service(
    session: AsyncSession, actor: Actor, service_id: UUID, change: ServiceUpdate, if_match: str | None
) -> ServiceRead:
    """Merge the fields sent. 404, then 403 for another organisation's, then 428/412 by If-Match."""
    row = await service_row(session, service_id, lock=True)
    _check_keeper(actor, row.organisation_id)
    check_match(if_match, row.version)
    if sent := change.model_fields_set:
        organisation = await session.get_one(Organisation, row.organisation_id)
        # Checked apart: what is refused must not be on its way to the database with the next question.
        wanted = Service(**row.model_dump() | _fields(change))
        _settle_capacity(wanted, sent, change.capacity)
        await check_service(session, wanted, organisation.kind, actor.now, sent)
        row.sqlmodel_update(wanted)
        row.touch(actor.now)
        await session.flush()
    return (await _reads(session, [row]))[0]


def _asked(query: ServiceQuery) -> Any:
    statement = select(Service)
    if query.organisation_id is not None:
        statement = statement.where(col(Service.organisation_id) == query.organisation_id)
    if query.service_type is not None:
        statement = statement.where(col(Service.service_type) == query.service_type)
    if query.sector is not None:
        types = [one for one, sector in SERVICE_TYPE_SECTOR.items() if sector is query.sector]
        statement = statement.where(col(Service.service_type).in_(types))
    if query.status is not None:
        statement = statement.where(col(Service.status) == query.status)
    if query.area_code is not None:
        statement = statement.where(IN_AREA.bindparams(area=f"{query.area_code}%"))
    return statement


def _check_keeper(actor: Actor, organisation_id: UUID) -> None:
    forbid(not keeps_services_of(actor.role, actor.organisation_id, organisation_id))


async def _organisation(session: AsyncSession, actor: Actor, wanted: UUID | None) -> Organisation:
    own_id = wanted or actor.organisation_id
    if own_id is None:
        raise Invalid.at("/organisation_id", "required", "This field is required.")
    _check_keeper(actor, own_id)
    found = await session.get(Organisation, own_id)
    if found is None or not found.active:
        raise Invalid.at("/organisation_id", "unknown_organisation", "There is no such organisation.")
    return found


def _fields(written: ServiceCreate | ServiceUpdate) -> dict[str, Any]:
    """What is kept as it was written: all but the organisation, which never changes, and the capacity."""
    unset = isinstance(written, ServiceUpdate)
    return written.model_dump(exclude={"organisation_id", "capacity"}, exclude_unset=unset)


def _settle_capacity(row: Service, sent: set[str], capacity: ServiceCapacity | None) -> None:
    """Where the free places are known, they say whether there is room; 422 for a word that contradicts them."""
    if row.places_free is not None:
        row.capacity_open = row.places_free > 0
        if capacity is not None and IS_OPEN[capacity] is not row.capacity_open:
            raise Invalid.at("/capacity", "contradicts_places", "The free places say something else.")
    elif sent & {"capacity", "places_free"}:
        row.capacity_open = IS_OPEN[capacity or ServiceCapacity.UNKNOWN]


async def _reads(session: AsyncSession, found: Iterable[Service]) -> list[ServiceRead]:
    rows = list(found)
    ids = {row.organisation_id for row in rows}
    named = await session.execute(
        select(col(Organisation.id), col(Organisation.name), col(Organisation.name_km)).where(
            col(Organisation.id).in_(ids)
        )
    )
    names = {own_id: (name, name_km) for own_id, name, name_km in named}
    return [_read(row, *names[row.organisation_id]) for row in rows]


def _read(row: Service, organisation_name: str, organisation_name_km: str) -> ServiceRead:
    return ServiceRead(
        organisation_name=organisation_name,
        organisation_name_km=organisation_name_km,
        sector=SERVICE_TYPE_SECTOR[row.service_type],
        capacity=CAPACITY[row.capacity_open],
        **row.model_dump(exclude={"capacity_open"}),
    )
