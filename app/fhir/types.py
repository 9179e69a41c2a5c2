"""The data types of FHIR R4 that Samaki writes or takes; their fields are spelled as FHIR spells them.

Whatever is not named here is refused where we take it in: an element that nobody reads must not be lost in silence.
"""

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

MOST = 20  # of anything that may be repeated
_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})")
_INVALID_DATE = PydanticCustomError("date_invalid", "A date is written YYYY, YYYY-MM or YYYY-MM-DD.")
_INVALID_TIME = PydanticCustomError("time_invalid", "A time is written with seconds and its offset from UTC, or Z.")


def _date(value: object) -> str:
    """A FHIR date of a day, month or year that there is, 1900 to 2200."""
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _INVALID_DATE
    try:
        day = date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        raise _INVALID_DATE from None
    if not 1900 <= day.year <= 2200:
        raise PydanticCustomError("date_out_of_range", "The date is not within 1900 and 2200.")
    return match[0]


def _time(value: object) -> str:
    if not (isinstance(value, str) and _TIME.fullmatch(value)):
        raise _INVALID_TIME
    _date(value[:10])
    try:
        datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _INVALID_TIME from None
    return value


def _date_or_time(value: object) -> str:
    return _time(value) if isinstance(value, str) and "T" in value else _date(value)


def written(moment: datetime) -> str:
    """A time as FHIR writes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _text(example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "maxLength": 40, "examples": [example]})


Date = Annotated[str, BeforeValidator(_date), _text("1991")]
Instant = Annotated[str, BeforeValidator(_time), _text("2026-03-02T03:00:00Z")]
DateTime = Annotated[str, BeforeValidator(_date_or_time), _text("2026-03-02T10:00:00+07:00")]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9\-.]{1,64}$")]
Code = Annotated[str, Field(pattern=r"^[^\s]+( [^\s]+)*$", max_length=64)]
Uri = Annotated[str, Field(pattern=r"^\S+$", max_length=500)]
String = Annotated[str, Field(min_length=1, max_length=10_000)]


class Element(BaseModel):
    """Base of everything in FHIR: what is not named is refused, what has no value is left out when written."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)


class Part(Element):
    """A value by the name of what it says: within an extension, or one by itself."""

    url: Uri
    valueCode: Code | None = None
    valueString: String | None = None
    valueBoolean: bool | None = None
    valueInteger: Annotated[int, Field(strict=True, ge=-(2**31), lt=2**31)] | None = None
    valueDate: Date | None = None


class Extension(Part):
    """`url` is absolute; the parts of one that has some are named within it."""

    extension: Annotated[list[Part], Field(max_length=MOST)] | None = None


Extensions = Annotated[list[Extension], Field(max_length=MOST)]


class Coding(Element):
    system: Uri | None = None
    version: String | None = None
    code: Code | None = None
    display: String | None = None


class CodeableConcept(Element):
    coding: Annotated[list[Coding], Field(max_length=MOST)] | None = None
    text: String | None = None


class Period(Element):
    start: DateTime | None = None
    end: DateTime | None = None


class IdentifierUse(StrEnum):
    USUAL = "usual"
    OFFICIAL = "official"
    TEMP = "temp"
    SECONDARY = "secondary"
    OLD = "old"


class Reference(Element):
    reference: Uri | None = None
    type: Uri | None = None
    display: String | None = None
    extension: Extensions | None = None


class Identifier(Element):
    use: IdentifierUse | None = None
    type: CodeableConcept | None = None
    system: Uri | None = None
    value: String | None = None
    assigner: Reference | None = None


class NameUse(StrEnum):
    USUAL = "usual"
    OFFICIAL = "official"
    TEMP = "temp"
    NICKNAME = "nickname"
    ANONYMOUS = "anonymous"
    OLD = "old"
    MAIDEN = "maiden"


class HumanName(Element):
    use: NameUse | None = None
    text: String | None = None
    family: String | None = None
    given: Annotated[list[String], Field(max_length=MOST)] | None = None


class ContactSystem(StrEnum):
    PHONE = "phone"
    FAX = "fax"
    EMAIL = "email"
    PAGER = "pager"
    URL = "url"
    SMS = "sms"
    OTHER = "other"


class ContactUse(StrEnum):
    HOME = "home"
    WORK = "work"
    TEMP = "temp"
    OLD = "old"
    MOBILE = "mobile"


class ContactPoint(Element):
    system: ContactSystem | None = None
    value: String | None = None
    use: ContactUse | None = None
    extension: Extensions | None = None


class AddressUse(StrEnum):
    HOME = "home"
    WORK = "work"
    TEMP = "temp"
    OLD = "old"
    BILLING = "billing"


class Address(Element):
    """The place is the area code in an extension (`urn:samaki:fhir:area-code`); the rest is for people."""

    use: AddressUse | None = None
    text: String | None = None
    extension: Extensions | None = None


class Annotation(Element):
    text: String


class Meta(Element):
    versionId: Id | None = None
    lastUpdated: Instant | None = None
    source: Uri | None = None
    profile: Annotated[list[Uri], Field(max_length=MOST)] | None = None
    tag: Annotated[list[Coding], Field(max_length=MOST)] | None = None


class Narrative(Element):
    """A rendering for people of what the resource says anyway; it is taken and not kept."""

    status: Literal["generated", "extensions", "additional", "empty"]
    div: String


class Resource(Element):
    """The parts that every resource may have."""

    id: Id | None = None
    meta: Meta | None = None
    language: Code | None = None
    text: Narrative | None = None
