"""The one stream of what happened: timeline of a case, and later outbox, feed and source of sync."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKeyConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, Read, TransactionId, coded
from app.models.case import Colleague


class EventAudience(StrEnum):
    """Who of those that see a case reads an event of it; nobody is told which of them an event is for."""

    TEAM = "team"  # liaisons too
    CASEWORKERS = "caseworkers"
    OVERSIGHT = "oversight"  # about an exclusion or a match, `subject_id`: whoever may read that


_PLACE, _OF_A_REFERRAL = text("COALESCE(referral_place, 0)"), text("referral_id IS NOT NULL")


class Event(SQLModel, table=True):
    """`data` holds codes and ids only; words of people (a reason) are in `private`."""

    __tablename__ = "events"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_events_case", "case_id", text("at DESC"), text("id DESC")),
        Index("ix_events_stream", "organisation_id", "xid"),
        # The stream of an organisation: of referrals, on whichever side it is.
        Index("ix_events_partner", "partner_id", "xid", _PLACE, "id", postgresql_where=_OF_A_REFERRAL),
        Index("ix_events_referred", "organisation_id", "xid", _PLACE, "id", postgresql_where=_OF_A_REFERRAL),
        Index("ix_events_referral", "referral_id", "referral_place", postgresql_where=text("referral_id IS NOT NULL")),
    )

    __mapper_args__ = {"eager_defaults": False}  # RETURNING would need the right to read the row

    id: UUID = Field(default_factory=new_id, primary_key=True)
    case_id: UUID | None = None
    organisation_id: UUID
    type: str = Field(max_length=60)
    audience: EventAudience = Field(default=EventAudience.CASEWORKERS, sa_type=coded(EventAudience))
    at: datetime = Field(sa_type=TIMESTAMP)
    actor_id: UUID | None = Field(default=None, foreign_key="users.id")
    subject_id: UUID | None = None
    data: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    sealed: bytes | None = None
    referral_id: UUID | None = None  # what happened to a referral is told to the other organisation, too
    partner_id: UUID | None = None
    referral_place: int | None = None  # among the events of the referral, by trigger
    xid: int | None = Field(
        default=None,
        sa_column=Column(TransactionId(), nullable=False, server_default=text("pg_current_xact_id()")),
    )


class TimelineRead(Read):
    id: UUID
    type: str
    at: datetime
    actor: Colleague | None
    subject_id: UUID | None
    data: dict[str, Any]
    reason: str | None
