"""Who works on a case, who must never see it, and what follows for access."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, Body, Moment, Read, coded
from app.models.case import Colleague
from app.models.codes.cases import AccessVia, AssignmentRole, CaseloadLevel, CaseStatus, Category
from app.models.codes.walls import ExclusionReason
from app.text import ShortText


class Assignment(SQLModel, table=True):
    __tablename__ = "assignments"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_assignments_case", "case_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_assignments_user", "user_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_assignments_history", "case_id", "created_at"),
        Index("one_lead", "case_id", unique=True, postgresql_where=text("role = 'lead' AND ended_at IS NULL")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    case_id: UUID
    organisation_id: UUID  # of the case
    user_id: UUID = Field(foreign_key="users.id")
    role: AssignmentRole = Field(sa_type=coded(AssignmentRole))
    until: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")
    ended_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    ended_by: UUID | None = Field(default=None, foreign_key="users.id")
    end_reason: str | None = None
    sealed: bytes | None = None


class AssignmentCreate(Body):
    user_id: UUID
    role: AssignmentRole
    reason: ShortText | None = None
    until: Moment | None = None
    over_limit_reason: ShortText | None = None  # a supervisor's, for a lead whose caseload is full


class AssignmentRead(Read):
    """`caseload` is in the answer to who named a lead, and null whenever the assignment is read again."""

    id: UUID
    case_id: UUID
    user: Colleague
    user_id: UUID
    role: AssignmentRole
    until: datetime | None
    reason: str | None
    over_limit_reason: str | None
    caseload: CaseloadLevel | None = None
    created_at: datetime
    ended_at: datetime | None
    end_reason: str | None


class Handover(Body):
    to_user_id: UUID
    reason: ShortText
    over_limit_reason: ShortText | None = None


class HandedOver(Read):
    """How many places were taken over, and how many cases now wait in the queue of those that need a lead."""

    handed_over: int
    needs_lead: int
    caseload: CaseloadLevel


class CaseExclusion(SQLModel, table=True):
    """A user who must never see a case; copies on the client's other cases point to their `origin_id`."""

    __tablename__ = "case_exclusions"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index(
            "one_exclusion", "case_id", "user_id", "origin_id", unique=True, postgresql_where=text("lifted_at IS NULL")
        ),
        Index("ix_case_exclusions_user", "user_id", "case_id", postgresql_where=text("lifted_at IS NULL")),
        Index("ix_case_exclusions_origin", "origin_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    case_id: UUID
    organisation_id: UUID
    user_id: UUID = Field(foreign_key="users.id")
    origin_id: UUID
    reason_code: ExclusionReason = Field(sa_type=coded(ExclusionReason))
    sealed: bytes | None = None
    created_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")
    lift_sealed: bytes | None = None
    lift_requested_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    lift_requested_by: UUID | None = Field(default=None, foreign_key="users.id")
    lifted_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    lifted_by: UUID | None = Field(default=None, foreign_key="users.id")
    # A match of the screening (`origin_id` is its id) that waits for an answer: it holds, and is nobody's decision yet.
    unanswered: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})


class ClientGraph(SQLModel, table=True):
    """One row, locked by who excludes or links: each must see what the other has just done."""

    __tablename__ = "client_graph"

    id: int = Field(primary_key=True)


class ExclusionCreate(Body):
    user_id: UUID
    reason_code: ExclusionReason
    note: ShortText | None = None


class ExclusionLift(Body):
    reason: ShortText


class ExclusionRead(Read):
    id: UUID
    case_id: UUID
    user: Colleague
    user_id: UUID
    reason_code: ExclusionReason
    note: str | None
    created_at: datetime
    created_by: UUID
    lift_requested_at: datetime | None
    lift_requested_by: UUID | None
    lifted_at: datetime | None


class CaseAccess(SQLModel, table=True):
    """Derived: which principal may reach which case, how, and until when. Nobody writes it by hand."""

    __tablename__ = "case_access"
    __table_args__ = (
        Index("ix_case_access_newest", "principal", text("opened_at DESC"), text("case_id DESC")),
        Index(
            "ix_case_access_filtered",
            "principal",
            "status",
            "category",
            text("opened_at DESC"),
            text("case_id DESC"),
        ),
        # The case alone: with the principal too, the planner counts every pair of principals that a policy names.
        Index("ix_case_access_case", "case_id"),
        Index("ix_case_access_reviewers", "principal", postgresql_where=text("via = 'reviewer'")),
        Index("ix_case_access_expiry", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    )

    principal: UUID = Field(primary_key=True)
    case_id: UUID = Field(primary_key=True)
    mode: str = Field(max_length=10)
    via: AccessVia = Field(sa_type=coded(AccessVia))
    expires_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    opened_at: datetime = Field(sa_type=TIMESTAMP)
    status: CaseStatus = Field(sa_type=coded(CaseStatus))
    category: Category = Field(sa_type=coded(Category))
