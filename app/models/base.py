"""What every table and every schema of Samaki shares: columns, strictness, and the page of a list."""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, LiteralString, TypeVar
from uuid import UUID

from pydantic import UUID4, AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import DateTime
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.types import UserDefinedType
from sqlmodel import Field as Column
from sqlmodel import SQLModel

from app.ids import new_id

Item = TypeVar("Item")

TIMESTAMP: Any = DateTime(timezone=True)


def coded(codes: type[StrEnum]) -> Any:
    """Column type for a code list: VARCHAR by value, so that a new code needs no migration."""
    return SqlEnum(
        codes,
        native_enum=False,
        create_constraint=False,
        length=40,
        values_callable=lambda members: [member.value for member in members],
    )


class TransactionId(UserDefinedType[int]):
    """PostgreSQL's xid8: readers of the stream stop at the snapshot's xmin, so a late commit is never skipped."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


class Table(SQLModel):
    """Base of the rows that people edit: an id, a version for If-Match, two times of the application's clock."""

    id: UUID = Column(default_factory=new_id, primary_key=True)
    version: int = 1
    created_at: datetime = Column(sa_type=TIMESTAMP)
    updated_at: datetime = Column(sa_type=TIMESTAMP)

    def touch(self, now: datetime) -> None:
        """Count one change of the row's own fields."""
        self.version += 1
        self.updated_at = now


class Read(BaseModel):
    """Base of what is sent out."""

    model_config = ConfigDict(from_attributes=True)


class Body(BaseModel):
    """Base of what comes in: a field that is not named here is refused."""

    model_config = ConfigDict(extra="forbid")


class OwnId(Body):
    """What may be written with an id of its own, by a device that was away (`POST /sync`)."""

    id: UUID4 | None = None


class Patch(Body):
    """A merge of the fields sent. A field typed without None refuses null: write it with `optional()`."""

    def sent(self) -> dict[str, Any]:
        """The fields that the caller sent, by name."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def optional(**rules: Any) -> Any:
    """A field of a Patch that may be left out but, unless its type says so, never null."""
    return Field(default=None, **rules)


def wrong(field: LiteralString, code: LiteralString, message: LiteralString) -> PydanticCustomError:
    """For a validator of a whole model: an error that points to the field of it which is to be changed."""
    return PydanticCustomError(code, message, {"field": field})


class Page(Read, Generic[Item]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[Item]
    next_cursor: str | None = None


def _sane_year(day: date) -> date:
    if not 1900 <= day.year <= 2200:
        raise PydanticCustomError("date_out_of_range", "The date is not within 1900 and 2200.")
    return day


def _aware(moment: datetime) -> datetime:
    _sane_year(moment.date())
    if moment.tzinfo is None:
        raise PydanticCustomError("timezone_missing", "The time needs a UTC offset or Z.")
    return moment.astimezone(UTC)  # answers are in UTC, also the one to who wrote it otherwise


def _strict_text_date(value: object) -> object:
    """Only `YYYY-MM-DD`: pydantic would also take numbers and times at midnight for a date."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not (isinstance(value, str) and len(value) == 10):
        raise PydanticCustomError("date_invalid", "A date is written YYYY-MM-DD.")
    return value


def _strict_text_time(value: object) -> object:
    if isinstance(value, datetime):
        return value
    if not (isinstance(value, str) and len(value) <= 40 and "T" in value):
        raise PydanticCustomError("time_invalid", "A time is written as in RFC 3339.")
    return value


Day = Annotated[date, BeforeValidator(_strict_text_date), AfterValidator(_sane_year)]
Moment = Annotated[datetime, BeforeValidator(_strict_text_time), AfterValidator(_aware)]
