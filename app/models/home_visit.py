"""Home visits to households; what leads to a case is seen by who recorded the visit and by who sees that case."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field as Rule
from sqlalchemy import Boolean, Column, Computed, ForeignKeyConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from app.models.base import TIMESTAMP, Day, Moment, OwnId, Patch, Read, Table, coded, optional
from app.models.case import Colleague
from app.models.codes.programme import HomeVisitOutcome, Topic

# community.md: such a visit tells the neighbour who reads it that something is going on in that house.
PROTECTED = (
    "case_id is not null"
    " or topics ?| array['domestic_violence'::text, 'family_planning'::text, 'marital_issue'::text]"
    " or outcome::text = any (array['case_opened'::text, 'referred'::text, 'follow_up_planned'::text])"
)


class HomeVisit(Table, table=True):
    """`commune_code` is the household's when the visit was recorded; `topics`: codes of `topic`. Household and case
    never change. `erased`: the case that it belonged to is; nobody sees the visit any more, reports count it."""

    __tablename__ = "home_visits"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_home_visits_newest", "organisation_id", text("created_at DESC"), text("id DESC")),
        Index("ix_home_visits_day", "organisation_id", "visited_on"),
        Index("ix_home_visits_household", "household_id"),
        Index("ix_home_visits_case", "case_id", postgresql_where=text("case_id IS NOT NULL")),
    )

    organisation_id: UUID = Field(foreign_key="organisations.id")
    household_id: UUID = Field(foreign_key="households.id")
    case_id: UUID | None = None
    caseworker_id: UUID = Field(foreign_key="users.id")
    visited_on: date
    commune_code: str | None = None
    topics: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    outcome: HomeVisitOutcome = Field(sa_type=coded(HomeVisitOutcome))
    next_visit_on: date | None = None
    protected: bool | None = Field(
        default=None, sa_column=Column(Boolean, Computed(PROTECTED, persisted=True), nullable=False)
    )
    erased: bool = False
    recorded_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")


Topics = Annotated[list[Topic], Rule(max_length=len(Topic))]


class HomeVisitCreate(OwnId):
    """`caseworker_id`: who was there, yourself if left out. `case_id`: of a case that you see, on whose timeline it
    then stands. `recorded_at`: on the day of the visit in Phnom Penh or later; now if left out."""

    household_id: UUID
    visited_on: Day
    caseworker_id: UUID | None = None
    topics: Topics = []
    outcome: HomeVisitOutcome
    next_visit_on: Day | None = None
    case_id: UUID | None = None
    recorded_at: Moment | None = None


class HomeVisitUpdate(Patch):
    """Household and case never change."""

    visited_on: Day = optional()
    caseworker_id: UUID = optional()
    topics: Topics = optional()
    outcome: HomeVisitOutcome = optional()
    next_visit_on: Day | None = None


class HomeVisitRead(Read):
    """`case_id`: only while the reader sees that case."""

    id: UUID
    household_id: UUID
    visited_on: date
    caseworker: Colleague
    commune_code: str | None
    topics: list[Topic]
    outcome: HomeVisitOutcome
    next_visit_on: date | None
    case_id: UUID | None
    recorded_at: datetime
    received_at: datetime
    recorded_by: Colleague
    version: int
    updated_at: datetime
