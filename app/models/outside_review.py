"""Asking for a supervisor of another signatory organisation, where nobody of the own one can act."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, Body, Read
from app.models.case import Colleague
from app.text import ShortText

_WAITS = text("withdrawn_at IS NULL AND completed_at IS NULL")


class OutsideReview(SQLModel, table=True):
    """Asked by the lead, completed by an admin; `sealed` holds why (`reason`).

    `lender_id` is the organisation of the wanted person. `assignment_id` names the assignment that came of it, and is
    what lets a person of another organisation hold it (030_case_access_rows.sql): only the database's function writes
    it, a moment before the assignment, so that it refers to nothing.
    """

    __tablename__ = "outside_reviews"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("one_outside_review", "case_id", unique=True, postgresql_where=_WAITS),
        Index("ix_outside_reviews_waiting", text("created_at DESC"), text("id DESC"), postgresql_where=_WAITS),
        Index("ix_outside_reviews_case", "case_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    case_id: UUID
    organisation_id: UUID  # of the case
    user_id: UUID = Field(foreign_key="users.id", index=True)
    lender_id: UUID = Field(foreign_key="organisations.id")
    sealed: bytes | None = Field(default=None, nullable=False)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")
    withdrawn_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    completed_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    completed_by: UUID | None = Field(default=None, foreign_key="users.id")
    assignment_id: UUID | None = None


class OutsideReviewCreate(Body):
    """`user_id`: a supervisor of another organisation that signed the agreement."""

    user_id: UUID
    reason: ShortText


class OutsideReviewRead(Read):
    """As the lead and the supervisors who see the case read it. `assignment_id`: what came of it."""

    id: UUID
    case_id: UUID
    user: Colleague
    reason: str
    requested_by: Colleague
    requested_at: datetime
    withdrawn_at: datetime | None
    completed_at: datetime | None
    assignment_id: UUID | None


class WaitingReview(Read):
    """All that an admin learns of it: which organisation asks for whom, and since when."""

    id: UUID
    organisation_id: UUID
    organisation: str
    user: Colleague
    requested_at: datetime
