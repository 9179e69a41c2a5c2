"""Feedback on public services: what women say of the health centre, the civil registry, the land office."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field as Rule
from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from app.models.area import CommuneCode, VillageCode
from app.models.base import TIMESTAMP, Body, Day, Moment, Patch, Read, Table, coded, optional
from app.models.case import Colleague
from app.models.codes.people import AgeBand, Sex
from app.models.codes.programme import PublicService, Sentiment
from app.text import LongText


class Feedback(Table, table=True):
    """Anonymous, never of a case. `sealed`: `text` and `response`, which the recorder and supervisors read."""

    __tablename__ = "feedback"
    __table_args__ = (
        CheckConstraint("given_people > 0", name="somebody_said_it"),
        Index("ix_feedback_newest", "organisation_id", text("created_at DESC"), text("id DESC")),
        Index("ix_feedback_day", "organisation_id", "given_on"),
    )

    organisation_id: UUID = Field(foreign_key="organisations.id")
    public_service: PublicService = Field(sa_type=coded(PublicService))
    commune_code: str
    village_code: str | None = None
    sentiment: Sentiment = Field(sa_type=coded(Sentiment))
    given_on: date
    given_sex: Sex = Field(sa_type=coded(Sex))
    given_age_band: AgeBand = Field(sa_type=coded(AgeBand))
    given_people: int = 1
    responded_on: date | None = None
    recorded_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class GivenBy(Body):
    """Who said it: never a name, but how many people of which kind."""

    sex: Sex
    age_band: AgeBand
    people: Annotated[int, Rule(strict=True, ge=1, le=100_000)] = 1


class FeedbackPrivate(Body):
    """What is sealed; read by the recorder and supervisors."""

    text: LongText | None = None
    response: LongText | None = None


class FeedbackCreate(FeedbackPrivate):
    public_service: PublicService
    commune_code: CommuneCode
    village_code: VillageCode | None = None
    sentiment: Sentiment
    given_on: Day
    given_by: GivenBy
    responded_on: Day | None = None
    recorded_at: Moment | None = None


class FeedbackUpdate(Patch):
    public_service: PublicService = optional()
    commune_code: CommuneCode = optional()
    village_code: VillageCode | None = None
    sentiment: Sentiment = optional()
    given_on: Day = optional()
    given_by: GivenBy = optional()
    text: LongText | None = None
    response: LongText | None = None
    responded_on: Day | None = None


class FeedbackRead(Read):
    """`text` and `response` are null for who neither wrote it down nor supervises."""

    id: UUID
    public_service: PublicService
    commune_code: str
    village_code: str | None
    sentiment: Sentiment
    given_on: date
    given_by: GivenBy
    text: str | None
    response: str | None
    responded_on: date | None
    recorded_at: datetime
    received_at: datetime
    recorded_by: Colleague
    version: int
    updated_at: datetime
