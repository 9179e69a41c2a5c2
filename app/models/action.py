"""A step of the care plan: what is to be done, for which need, until when, and by whom."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field as Rule
from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from app.models.base import TIMESTAMP, Body, Day, Moment, OwnId, Patch, Read, Table, optional
from app.models.case import Colleague
from app.models.codes.care import ActionNeed, ActionPrompt
from app.text import LongText, ShortText

OPEN = text("completed_at IS NULL AND ended_at IS NULL")
YesNo = Annotated[bool, Rule(strict=True)]


class ActionState(StrEnum):
    """Where an action stands; derived from its times."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class Action(Table, table=True):
    """Sealed are title, need, note and what the server asks for; `due_at` is the end of the day `due_on`, or sooner."""

    __tablename__ = "actions"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_actions_case", "case_id", "created_at"),
        Index("ix_actions_due", "case_id", "due_at", postgresql_where=OPEN),
        Index("ix_actions_assignee", "assignee_id", "due_at", postgresql_where=OPEN),
    )

    case_id: UUID
    organisation_id: UUID
    due_on: date
    due_at: datetime = Field(sa_type=TIMESTAMP)
    urgent: bool
    assignee_id: UUID = Field(foreign_key="users.id")
    completed_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    completed_by: UUID | None = Field(default=None, foreign_key="users.id")
    ended_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class ActionCreate(OwnId):
    title: ShortText
    need: ActionNeed
    due_on: Day
    assignee_id: UUID | None = None  # who plans it
    urgent: YesNo = False
    note: LongText | None = None


class ActionUpdate(Patch):
    title: ShortText = optional()
    need: ActionNeed = optional()
    due_on: Day = optional()
    assignee_id: UUID = optional()
    urgent: YesNo = optional()
    note: LongText | None = None


class ActionDone(Body):
    """`completed_at`: now, when it is left out. `note` replaces the action's own."""

    completed_at: Moment | None = None
    note: LongText | None = None


class ActionCancel(Body):
    reason: ShortText


class ActionRead(Read):
    """`prompt`: the server asked for it, because of what was recorded; null when a person planned it."""

    id: UUID
    case_id: UUID
    state: ActionState
    title: str
    need: ActionNeed
    prompt: ActionPrompt | None
    urgent: bool
    due_on: date
    due_at: datetime
    assignee: Colleague
    note: str | None
    completed_at: datetime | None
    completed_by: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime
