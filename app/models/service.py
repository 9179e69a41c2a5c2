"""The directory: which services there are, for whom, when and where. Public, in clear, about nobody."""

import re
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic import Field as Rule
from pydantic_core import PydanticCustomError
from sqlalchemy import CheckConstraint, Column, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from app.models.area import AreaCode
from app.models.base import Body, Day, Patch, Read, Table, coded, optional
from app.models.codes.people import Language, Sex
from app.models.codes.referrals import Sector, ServiceCapacity, ServiceStatus, ServiceType, ServiceWarningCode, Weekday
from app.text import LONGEST_PHONE, LongText, NameText, ShortText, latin_digits, phone_number

MOST_PLACES = 20  # schedules, phones or locations of one service
SHORT_NUMBER = re.compile("[0-9]{3,4}")
SHELTER_HAS_NO_PLACE = "service_type <> 'shelter' OR locations = '[]'::jsonb"


class Service(Table, table=True):
    """`name`, `description`, `eligibility`, `fees`: English, beside them the Khmer of `…_km`.

    `schedules`, `phones`, `locations`: lists of the objects below. `capacity_open`: true open, false full, null
    unknown; it follows `places_free` where that is known. A shelter, and whatever an organisation of shelters does,
    has no location (146_services.sql).
    """

    __tablename__ = "services"
    __table_args__ = (
        CheckConstraint(SHELTER_HAS_NO_PLACE, name="shelter_has_no_place"),
        Index("ix_services_newest", text("created_at DESC"), text("id DESC")),
        Index("ix_services_organisation", "organisation_id"),
        Index("ix_services_type", "service_type"),
    )

    organisation_id: UUID = Field(foreign_key="organisations.id")
    service_type: ServiceType = Field(sa_type=coded(ServiceType))
    status: ServiceStatus = Field(default=ServiceStatus.ACTIVE, sa_type=coded(ServiceStatus))
    name: str
    name_km: str
    description: str | None = None
    description_km: str | None = None
    eligibility: str | None = None
    eligibility_km: str | None = None
    minimum_age: int | None = None  # completed years, both ends included
    maximum_age: int | None = None
    sex_served: Sex | None = Field(default=None, sa_type=coded(Sex))  # null: everybody
    fees: str | None = None
    fees_km: str | None = None
    languages: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    schedules: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    phones: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    locations: list[dict[str, Any]] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    capacity_open: bool | None = None
    places_total: int | None = None
    places_free: int | None = None
    assured_on: date | None = None


def _read_number(value: object) -> str:
    if not isinstance(value, str):
        raise PydanticCustomError("text_type", "This must be text.")
    short = latin_digits(value.strip()) if len(value) <= LONGEST_PHONE else ""
    return short if SHORT_NUMBER.fullmatch(short) else phone_number(value)


# A telephone number in E.164, or a short one of Cambodia's (117, 1288).
ServiceNumber = Annotated[
    str,
    BeforeValidator(_read_number),
    WithJsonSchema({"type": "string", "maxLength": LONGEST_PHONE, "examples": ["+85512345678", "117"]}),
]


def is_landline(number: str) -> bool:
    """Whether a number of Cambodia belongs to a line in a wall: its first digits then say in which province."""
    if SHORT_NUMBER.fullmatch(number):
        return False
    kind = phonenumbers.number_type(phonenumbers.parse(number, "KH"))
    return kind == phonenumbers.PhoneNumberType.FIXED_LINE


def _known(sex: Sex) -> Sex:
    if sex is Sex.UNKNOWN:
        raise PydanticCustomError("unknown_code", "This is not one of the codes of the list.")
    return sex


Age = Annotated[int, Rule(strict=True, ge=0, le=120)]
Places = Annotated[int, Rule(strict=True, ge=0, le=100_000)]
TimeOfDay = Annotated[str, Rule(strict=True, pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
ServedSex = Annotated[Sex, AfterValidator(_known)]


class ServiceSchedule(Body):
    """Open on these days between two times of Phnom Penh; until the next morning when it closes before it opens."""

    days: Annotated[list[Weekday], Rule(min_length=1, max_length=7)]
    opens_at: TimeOfDay
    closes_at: TimeOfDay
    note: ShortText | None = None


class ServicePhone(Body):
    number: ServiceNumber
    note: ShortText | None = None


class ServiceLocation(Body):
    """A place of the service: an area of the gazetteer, and what is written on the door."""

    area_code: AreaCode
    address: ShortText | None = None
    address_km: ShortText | None = None


Schedules = Annotated[list[ServiceSchedule], Rule(max_length=MOST_PLACES)]
Phones = Annotated[list[ServicePhone], Rule(max_length=MOST_PLACES)]
Locations = Annotated[list[ServiceLocation], Rule(max_length=MOST_PLACES)]
Languages = Annotated[list[Language], Rule(max_length=len(Language))]


class ServiceCreate(Body):
    """`organisation_id` left out: the caller's own. `places_free` known: `capacity` follows from it."""

    organisation_id: UUID | None = None
    service_type: ServiceType
    status: ServiceStatus = ServiceStatus.ACTIVE
    name: NameText
    name_km: NameText
    description: LongText | None = None
    description_km: LongText | None = None
    eligibility: LongText | None = None
    eligibility_km: LongText | None = None
    minimum_age: Age | None = None
    maximum_age: Age | None = None
    sex_served: ServedSex | None = None
    fees: ShortText | None = None
    fees_km: ShortText | None = None
    languages: Languages = []
    schedules: Schedules = []
    phones: Phones = []
    locations: Locations = []
    capacity: ServiceCapacity | None = None
    places_total: Places | None = None
    places_free: Places | None = None
    assured_on: Day | None = None


class ServiceUpdate(Patch):
    """A list that is sent takes the place of the whole list."""

    service_type: ServiceType = optional()
    status: ServiceStatus = optional()
    name: NameText = optional()
    name_km: NameText = optional()
    description: LongText | None = optional()
    description_km: LongText | None = optional()
    eligibility: LongText | None = optional()
    eligibility_km: LongText | None = optional()
    minimum_age: Age | None = optional()
    maximum_age: Age | None = optional()
    sex_served: ServedSex | None = optional()
    fees: ShortText | None = optional()
    fees_km: ShortText | None = optional()
    languages: Languages = optional()
    schedules: Schedules = optional()
    phones: Phones = optional()
    locations: Locations = optional()
    capacity: ServiceCapacity = optional()
    places_total: Places | None = optional()
    places_free: Places | None = optional()
    assured_on: Day | None = optional()


class ServiceRead(Read):
    """The same for everybody who may read the directory."""

    id: UUID
    organisation_id: UUID
    organisation_name: str
    organisation_name_km: str
    service_type: ServiceType
    sector: Sector
    status: ServiceStatus
    name: str
    name_km: str
    description: str | None
    description_km: str | None
    eligibility: str | None
    eligibility_km: str | None
    minimum_age: int | None
    maximum_age: int | None
    sex_served: Sex | None
    fees: str | None
    fees_km: str | None
    languages: list[Language]
    schedules: list[ServiceSchedule]
    phones: list[ServicePhone]
    locations: list[ServiceLocation]
    capacity: ServiceCapacity
    places_total: int | None
    places_free: int | None
    assured_on: date | None
    version: int
    created_at: datetime
    updated_at: datetime


class ServiceWarning(Read):
    """Something to think of before sending somebody to a service, or taking in whom a partner sends."""

    code: ServiceWarningCode
    en: str
    km: str
