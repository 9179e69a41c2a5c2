"""Small businesses that women started, and whether they still run after 3, 6 and 12 months."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field as Rule
from sqlalchemy import Index, text
from sqlmodel import Field

from app.models.area import CommuneCode
from app.models.base import TIMESTAMP, Body, Day, Moment, Patch, Read, Table, coded, optional
from app.models.case import Colleague
from app.models.codes.people import AgeBand, Sex
from app.models.codes.programme import BusinessKind


class Business(Table, table=True):
    """The owner is a person of the register; sex, age band and disability are hers when it was recorded."""

    __tablename__ = "businesses"
    __table_args__ = (
        Index("ix_businesses_newest", "organisation_id", text("created_at DESC"), text("id DESC")),
        Index("ix_businesses_day", "organisation_id", "started_on"),
        Index("ix_businesses_owner", "owner_id"),
        Index("ix_businesses_activity", "activity_id", postgresql_where=text("activity_id IS NOT NULL")),
    )

    organisation_id: UUID = Field(foreign_key="organisations.id")
    kind: BusinessKind = Field(sa_type=coded(BusinessKind))
    owner_id: UUID = Field(foreign_key="people.id")
    owner_sex: Sex = Field(sa_type=coded(Sex))
    owner_age_band: AgeBand = Field(sa_type=coded(AgeBand))
    owner_disability: bool | None = None
    commune_code: str
    started_on: date
    activity_id: UUID | None = Field(default=None, foreign_key="activities.id")  # the training that it came from
    alive_at_3_months: bool | None = None
    alive_at_6_months: bool | None = None
    alive_at_12_months: bool | None = None
    recorded_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")


YesNo = Annotated[bool, Rule(strict=True)]


class BusinessCreate(Body):
    """`commune_code` left out: of the owner's village. `alive_at_…`: not before so many months have passed."""

    kind: BusinessKind
    owner_id: UUID
    started_on: Day
    activity_id: UUID | None = None
    commune_code: CommuneCode | None = None
    alive_at_3_months: YesNo | None = None
    alive_at_6_months: YesNo | None = None
    alive_at_12_months: YesNo | None = None
    recorded_at: Moment | None = None


class BusinessUpdate(Patch):
    """The owner never changes."""

    kind: BusinessKind = optional()
    started_on: Day = optional()
    activity_id: UUID | None = None
    commune_code: CommuneCode = optional()
    alive_at_3_months: YesNo | None = None
    alive_at_6_months: YesNo | None = None
    alive_at_12_months: YesNo | None = None


class BusinessRead(Read):
    """The owner as she stood when it was written down; her disability null where it was not known."""

    id: UUID
    kind: BusinessKind
    owner_id: UUID
    owner_sex: Sex
    owner_age_band: AgeBand
    owner_disability: bool | None
    commune_code: str
    started_on: date
    activity_id: UUID | None
    alive_at_3_months: bool | None
    alive_at_6_months: bool | None
    alive_at_12_months: bool | None
    recorded_at: datetime
    received_at: datetime
    recorded_by: Colleague
    version: int
    updated_at: datetime
