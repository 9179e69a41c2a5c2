"""Relief given out to households after a flood or a drought."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field as Rule
from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from app.models.base import TIMESTAMP, Body, Day, Moment, Patch, Read, Table, coded, optional
from app.models.case import Colleague
from app.models.codes.programme import DistributionCause
from app.text import ShortText


class Distribution(Table, table=True):
    """`item` in words, `quantity` in whole units of it; `commune_code` is the household's at that time."""

    __tablename__ = "distributions"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="something_was_given"),
        Index("ix_distributions_newest", "organisation_id", text("created_at DESC"), text("id DESC")),
        Index("ix_distributions_day", "organisation_id", "distributed_on"),
        Index("ix_distributions_household", "household_id"),
    )

    organisation_id: UUID = Field(foreign_key="organisations.id")
    household_id: UUID = Field(foreign_key="households.id")
    cause: DistributionCause = Field(sa_type=coded(DistributionCause))
    item: str
    quantity: int
    distributed_on: date
    commune_code: str | None = None
    recorded_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")


Quantity = Annotated[int, Rule(strict=True, ge=1, le=1_000_000)]


class DistributionCreate(Body):
    household_id: UUID
    cause: DistributionCause
    item: ShortText
    quantity: Quantity
    distributed_on: Day
    recorded_at: Moment | None = None


class DistributionUpdate(Patch):
    """The household never changes."""

    cause: DistributionCause = optional()
    item: ShortText = optional()
    quantity: Quantity = optional()
    distributed_on: Day = optional()


class DistributionRead(Read):
    id: UUID
    household_id: UUID
    cause: DistributionCause
    item: str
    quantity: int
    distributed_on: date
    commune_code: str | None
    recorded_at: datetime
    received_at: datetime
    recorded_by: Colleague
    version: int
    updated_at: datetime
