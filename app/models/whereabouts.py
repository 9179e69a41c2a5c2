"""Where a client is hidden, or has moved to: sealed with a key of its own, for the fewest."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlmodel import Field

from app.models.base import Body, Read, Table
from app.models.codes.walls import WhereaboutsKind, WhereaboutsReason
from app.text import LongText, NameText, PhoneNumber, ShortText


class Whereabouts(Table, table=True):
    """One row of a case; every writing is a new row with a new key, and the old key is destroyed."""

    __tablename__ = "whereabouts"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_whereabouts_case", "case_id", unique=True),
    )
    own_key: ClassVar[bool] = True

    case_id: UUID
    organisation_id: UUID
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class WhereaboutsWrite(Body):
    """The whole of it: what is left out is not kept from before. `known_to`: who else knows where she is."""

    kind: WhereaboutsKind
    name: NameText | None = None
    address: ShortText | None = None
    phone: PhoneNumber | None = None
    contact: NameText | None = None
    known_to: ShortText | None = None
    note: LongText | None = None


class WhereaboutsQuery(Body):
    """Why somebody looks; the code goes into the trail."""

    reason_code: WhereaboutsReason


class WhereaboutsKept(Read):
    """The answer to who wrote; what was written is read with a reason only."""

    case_id: UUID
    version: int
    created_at: datetime
    updated_at: datetime


class WhereaboutsRead(WhereaboutsKept):
    kind: WhereaboutsKind
    name: str | None
    address: str | None
    phone: str | None
    contact: str | None
    known_to: str | None
    note: str | None
