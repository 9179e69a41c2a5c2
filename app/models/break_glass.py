"""Emergency access: one user, one case, four hours, and the review that follows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, Body, Read, coded
from app.models.case import Colleague
from app.models.codes.walls import BreakGlassFinding, BreakGlassReason
from app.text import CaseCode, ShortText


class BreakGlassGrant(SQLModel, table=True):
    """`sealed` holds why it was opened (`reason`), `review_sealed` what the reviewer noted (`note`)."""

    __tablename__ = "break_glass_grants"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_break_glass_grants_case", "case_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_break_glass_grants_user", "user_id", postgresql_where=text("ended_at IS NULL")),
        Index("ix_break_glass_grants_newest", "organisation_id", text("created_at DESC"), text("id DESC")),
        Index("ix_break_glass_grants_unreviewed", "user_id", postgresql_where=text("reviewed_at IS NULL")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    case_id: UUID
    organisation_id: UUID  # of the case
    user_id: UUID = Field(foreign_key="users.id")
    reason_code: BreakGlassReason = Field(sa_type=coded(BreakGlassReason))
    sealed: bytes | None = None
    created_at: datetime = Field(sa_type=TIMESTAMP)
    expires_at: datetime = Field(sa_type=TIMESTAMP)
    ended_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    reviewed_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    review_sealed: bytes | None = None
    reviewed_by: UUID | None = Field(default=None, foreign_key="users.id")
    finding: BreakGlassFinding | None = Field(default=None, sa_type=coded(BreakGlassFinding))


class BreakGlass(Body):
    """The code as somebody reads it out: in any case, with or without hyphens, O for 0, I or L for 1."""

    case_code: CaseCode
    reason_code: BreakGlassReason
    reason: ShortText


class BreakGlassReview(Body):
    finding: BreakGlassFinding
    note: ShortText | None = None


class BreakGlassRead(Read):
    """`reason` and `note` are null for who does not see the case; `ended_at` is null while nothing ended it early."""

    id: UUID
    case_id: UUID
    case_code: str
    lead: Colleague | None
    user: Colleague
    reason_code: BreakGlassReason
    reason: str | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    review_due_at: datetime
    overdue: bool
    reviewed_at: datetime | None
    reviewed_by: Colleague | None
    finding: BreakGlassFinding | None
    note: str | None
