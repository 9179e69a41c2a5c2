"""When a client is seen or called next, by whom and how; and what came of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, false, text
from sqlmodel import Field

from app.models.base import TIMESTAMP, Body, Moment, OwnId, Patch, Read, Table, optional
from app.models.case import Colleague
from app.models.codes.care import ContactChannel, FollowUpOutcome
from app.text import LongText

OPEN = text("happened_at IS NULL AND ended_at IS NULL")
UNTOLD = text("happened_at IS NULL AND ended_at IS NULL AND overdue_at IS NULL")


class FollowUpState(StrEnum):
    """Where a follow-up stands; derived from its times."""

    PLANNED = "planned"
    RECORDED = "recorded"
    CANCELLED = "cancelled"


class FollowUp(Table, table=True):
    """Sealed are the channel, the outcome and the note; the times are in clear, so that none is forgotten."""

    __tablename__ = "follow_ups"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_follow_ups_case", "case_id", "created_at"),
        Index("ix_follow_ups_due", "case_id", "due_at", postgresql_where=OPEN),
        Index("ix_follow_ups_assignee", "assignee_id", "due_at", postgresql_where=OPEN),
        Index("ix_follow_ups_untold", "due_at", postgresql_where=UNTOLD),
    )

    case_id: UUID
    organisation_id: UUID
    due_at: datetime = Field(sa_type=TIMESTAMP)
    assignee_id: UUID = Field(foreign_key="users.id")
    happened_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    recorded_by: UUID | None = Field(default=None, foreign_key="users.id")
    ended_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    # A date of the clock at the opening, which nobody has agreed on.
    of_opening: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    overdue_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)  # when the worker told that it is
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class FollowUpCreate(OwnId):
    due_at: Moment
    channel: ContactChannel
    assignee_id: UUID | None = None  # who plans it


class FollowUpUpdate(Patch):
    due_at: Moment = optional()
    channel: ContactChannel = optional()
    assignee_id: UUID = optional()


class FollowUpRecord(Body):
    happened_at: Moment
    outcome: FollowUpOutcome
    note: LongText | None = None
    next_due_at: Moment | None = None


class Contact(Read):
    """How the client may be reached by the planned channel. `planned_safely`: `due_at` is within what she said."""

    allowed_now: bool
    next_window: datetime | None
    planned_safely: bool
    leave_message: bool


class FollowUpRead(Read):
    """`channel` null: the case is looked at again at the desk, because she must not be contacted. `asks_consent`: her
    consent to services ended; ask again in person when that is safe, or close."""

    id: UUID
    case_id: UUID
    state: FollowUpState
    due_at: datetime
    channel: ContactChannel | None
    asks_consent: bool
    assignee: Colleague
    contact: Contact | None
    happened_at: datetime | None
    outcome: FollowUpOutcome | None
    note: str | None
    recorded_by: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime


class FollowUpRecorded(FollowUpRead):
    """The answer to who recorded one: what is planned next, unless the case is about to close."""

    next: FollowUpRead | None
