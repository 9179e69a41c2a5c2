"""Commitments: what a leader promised in public, and whether it was kept."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field

from app.models.area import CommuneCode
from app.models.base import TIMESTAMP, Body, Day, Moment, Patch, Read, Table, coded, optional
from app.models.case import Colleague
from app.models.codes.programme import CommitmentBy, CommitmentIssue, CommitmentStatus
from app.text import Text


class Commitment(Table, table=True):
    """Who promised is a role and a commune, never a private person. `sealed`: `what` and `evidence`, in words."""

    __tablename__ = "commitments"
    __table_args__ = (
        CheckConstraint("due_on is null or due_on >= made_on", name="due_after_it_was_made"),
        Index("ix_commitments_newest", "organisation_id", text("created_at DESC"), text("id DESC")),
        Index("ix_commitments_day", "organisation_id", "made_on"),
        Index("ix_commitments_activity", "activity_id", postgresql_where=text("activity_id IS NOT NULL")),
    )

    organisation_id: UUID = Field(foreign_key="organisations.id")
    promised_by: CommitmentBy = Field(sa_type=coded(CommitmentBy))
    commune_code: str
    issue: CommitmentIssue = Field(sa_type=coded(CommitmentIssue))
    activity_id: UUID | None = Field(default=None, foreign_key="activities.id")
    made_on: date
    due_on: date | None = None
    status: CommitmentStatus = Field(default=CommitmentStatus.OPEN, sa_type=coded(CommitmentStatus))
    status_on: date | None = None  # the day on which it was kept, broken or withdrawn
    recorded_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


# Short enough that every name of the register can be looked for in it.
PromiseText = Annotated[str, Text(2_000, lines=True)]


class CommitmentPrivate(Body):
    """What is sealed; it names nobody."""

    what: PromiseText
    evidence: PromiseText | None = None


class CommitmentCreate(CommitmentPrivate):
    """`status_on`: the day on which it was kept, broken or withdrawn; never of an open one."""

    promised_by: CommitmentBy
    commune_code: CommuneCode
    issue: CommitmentIssue
    activity_id: UUID | None = None
    made_on: Day
    due_on: Day | None = None
    status: CommitmentStatus = CommitmentStatus.OPEN
    status_on: Day | None = None
    recorded_at: Moment | None = None


class CommitmentUpdate(Patch):
    promised_by: CommitmentBy = optional()
    commune_code: CommuneCode = optional()
    issue: CommitmentIssue = optional()
    activity_id: UUID | None = None
    made_on: Day = optional()
    due_on: Day | None = None
    status: CommitmentStatus = optional()
    status_on: Day | None = None
    what: PromiseText = optional()
    evidence: PromiseText | None = None


class CommitmentRead(Read):
    id: UUID
    promised_by: CommitmentBy
    commune_code: str
    issue: CommitmentIssue
    what: str
    activity_id: UUID | None
    made_on: date
    due_on: date | None
    status: CommitmentStatus
    status_on: date | None
    evidence: str | None
    recorded_at: datetime
    received_at: datetime
    recorded_by: Colleague
    version: int
    updated_at: datetime
