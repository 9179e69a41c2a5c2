"""Activities of the programme: trainings, workshops, meetings, forums, campaigns, and who came to them."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field as Rule
from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from app.models.area import CommuneCode, VillageCode
from app.models.base import TIMESTAMP, Body, Day, Moment, Patch, Read, Table, coded, optional
from app.models.case import Colleague
from app.models.codes.people import AgeBand, OrganisationKind, Sex
from app.models.codes.programme import ActivityKind, CampaignChannel, ParticipantGroup, Topic
from app.text import ShortText

CAMPAIGN_HAS_REACH = (
    "(kind = 'media_campaign') = (channel is not null)"
    " and (kind = 'media_campaign') = (reach is not null)"
    " and (kind <> 'media_campaign' or people = 0)"
)


class Activity(Table, table=True):
    """In clear, about nobody: who came stands in the two tables below.

    `topics`: codes of `topic`; `facilitators`: codes of `organisation_kind`. `people`: everybody who came, heads at
    this activity, the sum of its attendance. `groups`: people by `participant_group`, a margin beside it. A campaign
    has `channel`, `reach` (estimated people, which is not participation) and how it was estimated instead.
    """

    __tablename__ = "activities"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="ends_after_it_starts"),
        CheckConstraint(CAMPAIGN_HAS_REACH, name="campaign_has_reach"),
        UniqueConstraint("id", "organisation_id", name="activities_home"),
        Index("ix_activities_newest", "organisation_id", text("created_at DESC"), text("id DESC")),
        Index("ix_activities_day", "organisation_id", "starts_on"),
    )

    organisation_id: UUID = Field(foreign_key="organisations.id")
    kind: ActivityKind = Field(sa_type=coded(ActivityKind))
    starts_on: date
    ends_on: date
    commune_code: str
    village_code: str | None = None
    topics: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    facilitators: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    people: int = 0
    groups: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    channel: CampaignChannel | None = Field(default=None, sa_type=coded(CampaignChannel))
    reach: int | None = None
    reach_basis: str | None = None
    recorded_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")


class ActivityAttendance(SQLModel, table=True):
    """How many of one sex, age band and disability (true, false, null for unknown) came; one row of each."""

    __tablename__ = "activity_attendance"
    __table_args__ = (
        ForeignKeyConstraint(
            ["activity_id", "organisation_id"], ["activities.id", "activities.organisation_id"], ondelete="CASCADE"
        ),
        UniqueConstraint(
            "activity_id", "sex", "age_band", "disability", name="attendance_cell", postgresql_nulls_not_distinct=True
        ),
        CheckConstraint("people > 0", name="somebody_came"),
    )

    id: UUID = Field(primary_key=True)
    activity_id: UUID
    organisation_id: UUID
    sex: Sex = Field(sa_type=coded(Sex))
    age_band: AgeBand = Field(sa_type=coded(AgeBand))
    disability: bool | None = None
    people: int


class ActivityParticipant(SQLModel, table=True):
    """A person of the register who was there, so that heads can be counted; seen by who recorded the activity and by
    supervisors. Sex, age band and disability are as they were that day: reports open no sealed field."""

    __tablename__ = "activity_participants"
    __table_args__ = (
        ForeignKeyConstraint(
            ["activity_id", "organisation_id"], ["activities.id", "activities.organisation_id"], ondelete="CASCADE"
        ),
        Index("ix_activity_participants_person", "person_id"),
    )

    activity_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True, foreign_key="people.id")
    organisation_id: UUID
    participant_group: ParticipantGroup | None = Field(default=None, sa_type=coded(ParticipantGroup))
    sex: Sex = Field(sa_type=coded(Sex))
    age_band: AgeBand = Field(sa_type=coded(AgeBand))
    disability: bool | None = None


Heads = Annotated[int, Rule(strict=True, ge=0, le=1_000_000)]
People = Annotated[int, Rule(strict=True, ge=1, le=1_000_000)]
Topics = Annotated[list[Topic], Rule(max_length=len(Topic))]
Facilitators = Annotated[list[OrganisationKind], Rule(max_length=len(OrganisationKind))]


class AttendanceCell(Body):
    """How many of one sex, age band and disability; `disability` null: not known."""

    sex: Sex
    age_band: AgeBand
    disability: Annotated[bool, Rule(strict=True)] | None = None
    people: People


class GroupCount(Body):
    """How many of them were of one group; groups may overlap."""

    group: ParticipantGroup
    people: People


class Attendance(Body):
    """Everybody who came: `by` sums to `total`."""

    total: Heads
    by: Annotated[list[AttendanceCell], Rule(max_length=len(Sex) * len(AgeBand) * 3)] = []
    groups: Annotated[list[GroupCount], Rule(max_length=len(ParticipantGroup))] = []


class Participant(Body):
    """Somebody of the register, by id, and as what she came."""

    person_id: UUID
    group: ParticipantGroup | None = None


Participants = Annotated[list[Participant], Rule(max_length=500)]


class Campaign(Body):
    """`reach`: estimated people, which is not participation; `counted_how`, in words."""

    channel: CampaignChannel
    reach: People
    counted_how: ShortText


class ActivityCreate(Body):
    """`ends_on` left out: it was over the same day. `campaign`: always, and only, of a media campaign."""

    kind: ActivityKind
    starts_on: Day
    ends_on: Day | None = None
    commune_code: CommuneCode
    village_code: VillageCode | None = None
    topics: Topics = []
    facilitators: Facilitators = []
    attendance: Attendance | None = None
    participants: Participants | None = None
    campaign: Campaign | None = None
    recorded_at: Moment | None = None


class ActivityUpdate(Patch):
    """`attendance`, `participants` and `campaign` are replaced as a whole."""

    kind: ActivityKind = optional()
    starts_on: Day = optional()
    ends_on: Day = optional()
    commune_code: CommuneCode = optional()
    village_code: VillageCode | None = None
    topics: Topics = optional()
    facilitators: Facilitators = optional()
    attendance: Attendance | None = None
    participants: Participants | None = None
    campaign: Campaign | None = None


class ActivitySummary(Read):
    """As everybody of the organisation reads it, and as lists hold it."""

    id: UUID
    kind: ActivityKind
    starts_on: date
    ends_on: date
    commune_code: str
    village_code: str | None
    topics: list[Topic]
    facilitators: list[OrganisationKind]
    attendance: Attendance | None
    campaign: Campaign | None
    recorded_at: datetime
    received_at: datetime
    recorded_by: Colleague
    version: int
    updated_at: datetime


class ActivityRead(ActivitySummary):
    """`participants`: null for who may not know who came."""

    participants: list[Participant] | None
