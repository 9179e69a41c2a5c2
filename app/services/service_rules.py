"""What an entry of the directory may not say: a place of a shelter, areas that do not exist, ages upside down."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar import refuse_future_day
from app.errors import Invalid
from app.models.codes.people import OrganisationKind
from app.models.codes.referrals import ServiceType
from app.models.service import Service, is_landline

KNOWN_AREAS = text("select code from areas where code = any (:codes)")


async def check_service(
    session: AsyncSession,
    row: Service,
    kind: OrganisationKind,
    now: datetime,
    sent: Collection[str] = ("locations", "assured_on"),
) -> None:
    """422 at the field that is wrong. `kind`: of its organisation; `sent`: what has changed."""
    if row.minimum_age is not None and row.maximum_age is not None and row.minimum_age > row.maximum_age:
        raise Invalid.at("/maximum_age", "below_minimum", "The ages are the wrong way round.")
    if row.places_free is not None and row.places_total is not None and row.places_free > row.places_total:
        raise Invalid.at("/places_free", "above_total", "There are more free places than places.")
    if "assured_on" in sent:
        refuse_future_day(row.assured_on, now, "/assured_on")
    if hides_places(row.service_type, kind):
        _refuse_places(row)
    if "locations" in sent:
        await _check_areas(session, row)


def hides_places(service_type: ServiceType, kind: OrganisationKind) -> bool:
    """Whether nobody may read from the directory where this is done: it is a shelter, or is done by one."""
    return service_type is ServiceType.SHELTER or kind is OrganisationKind.SHELTER


def _refuse_places(row: Service) -> None:
    if row.locations:
        raise Invalid.at("/locations", "shelter_location", "Where a shelter is never stands in the directory.")
    for index, phone in enumerate(row.phones):
        if is_landline(phone["number"]):
            pointer = f"/phones/{index}/number"
            raise Invalid.at(pointer, "shelter_location", "A line in a wall says where a shelter is.")


async def _check_areas(session: AsyncSession, row: Service) -> None:
    codes = [location["area_code"] for location in row.locations]
    known = set(await session.scalars(KNOWN_AREAS, {"codes": codes})) if codes else set()
    for index, code in enumerate(codes):
        if code not in known:
            raise Invalid.at(f"/locations/{index}/area_code", "unknown_area", "There is no such area.")
