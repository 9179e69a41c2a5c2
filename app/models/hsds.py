"""The shapes of HSDS 3.0 (docs.openreferral.org) in which anybody may read the directory; what is empty is left out."""

from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from pydantic import Field

from app.models.base import Body, Moment, Read
from app.text import NameText

Item = TypeVar("Item")

PageNumber = Annotated[int, Field(ge=1, le=100_000)]
PageSize = Annotated[int, Field(ge=1, le=200)]


class HsdsQuery(Body):
    """Pages of HSDS have numbers."""

    page: PageNumber = 1
    per_page: PageSize = 50


class HsdsServiceQuery(HsdsQuery):
    """Filters narrow. `full`: with phones, schedules, locations, languages and attributes of each service."""

    search: NameText | None = None
    organization_id: UUID | None = None
    taxonomy_id: UUID | None = None
    taxonomy_term_id: UUID | None = None
    modified_after: Moment | None = None
    full: bool = False


class HsdsTermQuery(HsdsQuery):
    """Terms of one taxonomy, or below one term."""

    taxonomy_id: UUID | None = None
    parent_id: UUID | None = None


class HsdsPage(Read, Generic[Item]):
    """One page of a list. `size`: how many are on this page."""

    total_items: int
    total_pages: int
    page_number: int
    size: int
    first_page: bool
    last_page: bool
    empty: bool
    contents: list[Item]


class HsdsApi(Read):
    """What this face is: its version of HSDS, our profile of it, and its description."""

    version: str
    profile: str
    openapi_url: str


class HsdsProfile(Read):
    """Where we differ from HSDS: patches (RFC 7386) by the name of the schema that they change."""

    name: str
    version: str
    hsds_version: str
    description: str
    modifications: dict[str, dict[str, list[str]]]


class HsdsTaxonomy(Read):
    id: UUID
    name: str
    description: str
    version: str


class HsdsTerm(Read):
    """A service type below its sector, or a sector."""

    id: UUID
    code: str
    name: str
    description: str
    parent_id: UUID | None = None
    taxonomy: str
    taxonomy_detail: HsdsTaxonomy
    language: str


class HsdsAttribute(Read):
    id: UUID
    link_type: str
    link_entity: str
    taxonomy_term: HsdsTerm


class HsdsOrganization(Read):
    id: UUID
    name: str
    alternate_name: str
    description: str


class HsdsPhone(Read):
    id: UUID
    number: str
    type: str
    description: str | None = None


class HsdsSchedule(Read):
    """`byday` as iCalendar writes it; times with the offset of Phnom Penh."""

    id: UUID
    freq: str
    wkst: str
    byday: str
    opens_at: str
    closes_at: str
    timezone: int
    notes: str | None = None


class HsdsLanguage(Read):
    id: UUID
    name: str
    code: str | None = None


class HsdsAddress(Read):
    """Without a postal code, which few addresses in the country have (our profile)."""

    id: UUID
    address_1: str
    city: str
    region: str | None = None
    state_province: str
    country: str
    address_type: str


class HsdsLocation(Read):
    """`external_identifier`: the area's code in the NCDD gazetteer."""

    id: UUID
    location_type: str
    name: str
    external_identifier: str
    external_identifier_type: str
    addresses: list[HsdsAddress]


class HsdsServiceAtLocation(Read):
    id: UUID
    location: HsdsLocation


class HsdsService(Read):
    """The lists are there when the service was asked for by its id, or with `full`; of a shelter only its languages."""

    id: UUID
    name: str
    alternate_name: str
    description: str | None = None
    status: str
    alert: str | None = None
    eligibility_description: str | None = None
    minimum_age: int | None = None
    maximum_age: int | None = None
    fees_description: str | None = None
    assured_date: str | None = None
    last_modified: datetime
    organization: HsdsOrganization
    phones: list[HsdsPhone] | None = None
    schedules: list[HsdsSchedule] | None = None
    languages: list[HsdsLanguage] | None = None
    service_at_locations: list[HsdsServiceAtLocation] | None = None
    attributes: list[HsdsAttribute] | None = None
