"""Alerts about accounts that were shown many cases in an hour, and how far the trail was watched for them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import Column, Index, Integer, text
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, Read
from app.models.case import Colleague
from app.models.codes.people import Role


class ReadingAlert(SQLModel, table=True):
    """Somebody of an organisation was shown many cases in the hour that ended at `at`; which ones the trail says.

    `kind`: `opened` one by one, or `listed` on pages.
    """

    __tablename__ = "reading_alerts"
    __table_args__ = (
        Index("ix_reading_alerts_newest", "organisation_id", text("at DESC"), "id"),
        Index("ix_reading_alerts_user", "user_id", "at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(sa_type=TIMESTAMP)
    user_id: UUID = Field(foreign_key="users.id")
    organisation_id: UUID = Field(foreign_key="organisations.id")
    kind: str


class ReadingWatch(SQLModel, table=True):
    """One row: the end of the last hour that was looked at."""

    __tablename__ = "reading_watch"

    id: int = Field(sa_column=Column(Integer(), primary_key=True, autoincrement=False))
    watched_until: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class ReadingAlertRead(Read):
    """The same for a supervisor; without numbers, which would count cases that she may not see."""

    id: UUID
    at: datetime
    actor: Colleague
    role: Role
    kind: Literal["opened", "listed"]
