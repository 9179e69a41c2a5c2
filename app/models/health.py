"""What is known of a client's pregnancy: sealed with a key of its own, for who works on the case."""

from datetime import date, datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field as Rule
from sqlalchemy import ForeignKeyConstraint, Index
from sqlmodel import Field

from app.models.base import Body, Day, Read, Table
from app.text import LongText, ShortText

LONGEST_GESTATION = 45  # weeks


class HealthRecord(Table, table=True):
    """One row of a case; everything that is told is sealed."""

    __tablename__ = "health_records"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_health_records_case", "case_id", unique=True),
    )
    own_key: ClassVar[bool] = True

    case_id: UUID
    organisation_id: UUID
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class HealthWrite(Body):
    """The whole of it: what is left out is not kept from before.

    `gestation_weeks`: whole weeks since the last period, as they were on `assessed_on`, without which they are
    refused (422): they would give a window that is too long. `basis`: how they are known, in words.
    """

    gestation_weeks: Annotated[int, Rule(ge=0, le=LONGEST_GESTATION)] | None = None
    assessed_on: Day | None = None
    basis: ShortText | None = None
    note: LongText | None = None


class HealthRead(Read):
    """What was told, and `weeks_to_12`: the weeks left until twelve are full, today in Phnom Penh, in hundredths and
    rounded down; 0 from then on, null where the weeks are unknown. Care is never refused after them."""

    case_id: UUID
    gestation_weeks: int | None
    assessed_on: date | None
    basis: str | None
    note: str | None
    weeks_to_12: float | None
    version: int
    created_at: datetime
    updated_at: datetime
