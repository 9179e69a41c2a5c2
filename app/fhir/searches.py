"""The parameters of searches: what each resource is searched by, and what a caller's words mean."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeVar
from uuid import UUID

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.calendar import PHNOM_PENH
from app.fhir.codes import system_of
from app.fhir.service_request import RequestStatus
from app.fhir.task import TaskStatus
from app.models.base import Body
from app.models.codes.referrals import ServiceType
from app.paging import CursorText, Limit

Parsed = TypeVar("Parsed")

# Down to the day, in Cambodia; or to the second, with its offset.
_DATE = re.compile(
    r"(ge|gt|le|lt)([0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2}))?)"
)
_DAY = timedelta(days=1)
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)  # nothing lies before or after


def _text(read: Callable[[str], object]) -> AfterValidator:
    """The words are checked here and kept as they are: the description tells of a text."""

    def check(text: str) -> str:
        read(text)
        return text

    return AfterValidator(check)


def reference_to(kind: str) -> Callable[[str], UUID]:
    """Reads `Kind/<id>` or the id alone."""

    def read(text: str) -> UUID:
        try:
            return UUID(text.removeprefix(f"{kind}/"))
        except ValueError:
            raise PydanticCustomError("reference_invalid", "A reference is written Type/id.") from None

    return read


def statuses_of(codes: type[Parsed]) -> Callable[[str], frozenset[Parsed]]:
    """Reads codes with commas between them: any of them."""

    def read(text: str) -> frozenset[Parsed]:
        try:
            return frozenset(codes(part) for part in text.split(","))  # type: ignore[call-arg]
        except ValueError:
            raise PydanticCustomError("unknown_code", "This is not one of the codes of the list.") from None

    return read


def within(text: str) -> Callable[[datetime], bool]:
    """Reads a bound: `ge2026-03-01` holds from the first moment of that day on, `gt` after its last."""
    match = _DATE.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        moment = datetime.fromisoformat(match[2])
        exact = moment.tzinfo is not None
        start = (moment if exact else moment.replace(tzinfo=PHNOM_PENH)).astimezone(UTC)
        end = start if exact else start + _DAY
    except (ValueError, OverflowError):
        raise PydanticCustomError("date_invalid", "A bound is ge, gt, le or lt and a date or time.") from None
    holds: dict[str, Callable[[datetime], bool]] = {
        "ge": lambda at: at >= start,
        "gt": lambda at: at > end if exact else at >= end,
        "le": lambda at: at <= end if exact else at < end,
        "lt": lambda at: at < start,
    }
    return holds[match[1]]


def earliest(bounds: list[str]) -> datetime | None:
    """A moment before which nothing lies within all bounds, None when they have no lower end."""
    lower = [
        datetime.fromisoformat(match[2]) for one in bounds if (match := _DATE.fullmatch(one)) and match[1][0] == "g"
    ]
    zoned = [(at if at.tzinfo else at.replace(tzinfo=PHNOM_PENH)).astimezone(UTC) for at in lower]
    if not zoned or max(zoned) < _FIRST:
        return None
    return min(max(zoned), _LAST) - timedelta(microseconds=1)


def service_type_of(text: str) -> ServiceType:
    """Reads a service type, with its system before it or without."""
    try:
        return ServiceType(text.removeprefix(f"{system_of(ServiceType)}|"))
    except ValueError:
        raise PydanticCustomError("unknown_code", "This is not one of the codes of the list.") from None


OrganisationText = Annotated[str, Field(max_length=60), _text(reference_to("Organization"))]
FocusText = Annotated[str, Field(max_length=60), _text(reference_to("ServiceRequest"))]
TaskStatuses = Annotated[str, Field(max_length=200), _text(statuses_of(TaskStatus))]
RequestStatuses = Annotated[str, Field(max_length=200), _text(statuses_of(RequestStatus))]
Bound = Annotated[str, Field(max_length=40), _text(within)]
IdText = Annotated[str, Field(max_length=64)]


class Asked(Body):
    """What every reading takes: `_format`, of which there is one (app/routers/fhir_route.py refuses others)."""

    format_: Annotated[str | None, Field(alias="_format", max_length=60)] = None


class Searched(Asked):
    """What every search takes; `_cursor` is in the link to the next page, and opaque."""

    count: Annotated[Limit, Field(alias="_count")] = 50
    cursor: Annotated[CursorText | None, Field(alias="_cursor")] = None


class ReferralSearch(Searched):
    """What the three faces of a referral are searched by."""

    id_: Annotated[IdText | None, Field(alias="_id")] = None
    last_updated: Annotated[list[Bound], Field(alias="_lastUpdated", max_length=4)] = []


class TaskSearch(ReferralSearch):
    owner: OrganisationText | None = None
    requester: OrganisationText | None = None
    status: TaskStatuses | None = None
    focus: FocusText | None = None
    include: Annotated[Literal["Task:focus"] | None, Field(alias="_include")] = None


class ServiceRequestSearch(ReferralSearch):
    requester: OrganisationText | None = None
    performer: OrganisationText | None = None
    status: RequestStatuses | None = None


class PatientSearch(ReferralSearch):
    """The clients of whom you are told, as ids; what you are told of one is read one by one."""


class OrganizationSearch(Searched):
    id_: Annotated[IdText | None, Field(alias="_id")] = None


class HealthcareServiceSearch(Searched):
    id_: Annotated[IdText | None, Field(alias="_id")] = None
    organization: OrganisationText | None = None
    service_type: Annotated[str | None, Field(alias="service-type", max_length=80), _text(service_type_of)] = None
