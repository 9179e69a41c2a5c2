"""Taking a case away for good: the wish, what stops it, and the ledger of what was done."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ForeignKeyConstraint, Index, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, Body, Read, coded
from app.models.case import Colleague
from app.models.codes.walls import ErasureReason, LegalHoldBasis
from app.text import ShortText

_OF_CASE: tuple[list[str], list[str]] = ["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]


class ErasureRequest(SQLModel, table=True):
    """The wish to erase a case, which another person confirms; `sealed` holds the words (`reason`)."""

    __tablename__ = "erasure_requests"
    __table_args__ = (
        ForeignKeyConstraint(*_OF_CASE),
        Index("one_erasure_request", "case_id", unique=True, postgresql_where=text("withdrawn_at IS NULL")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    case_id: UUID
    organisation_id: UUID
    reason_code: ErasureReason = Field(sa_type=coded(ErasureReason))
    sealed: bytes | None = Field(default=None, nullable=False)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")
    withdrawn_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    withdrawn_by: UUID | None = Field(default=None, foreign_key="users.id")


class LegalHold(SQLModel, table=True):
    """While one stands, nothing is erased; `created_by` is None where nobody but the law decided."""

    __tablename__ = "legal_holds"
    __table_args__ = (
        ForeignKeyConstraint(*_OF_CASE),
        Index("one_legal_hold", "case_id", unique=True, postgresql_where=text("lifted_at IS NULL")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    case_id: UUID
    organisation_id: UUID
    basis: LegalHoldBasis = Field(sa_type=coded(LegalHoldBasis))
    sealed: bytes | None = None
    created_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID | None = Field(default=None, foreign_key="users.id")
    lifted_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    lifted_by: UUID | None = Field(default=None, foreign_key="users.id")


class ErasureEntry(SQLModel, table=True):
    """One erased case; `basis` is `request`, `retention`, or `restored` where the file was all that knew of it."""

    __tablename__ = "erasure_ledger"
    __table_args__ = (ForeignKeyConstraint(*_OF_CASE), UniqueConstraint("case_id", name="one_erasure"))

    id: UUID = Field(default_factory=new_id, primary_key=True)
    case_id: UUID
    organisation_id: UUID
    homes: list[Any] = Field(sa_column=Column(ARRAY(Uuid()), nullable=False))
    at: datetime = Field(sa_type=TIMESTAMP)
    basis: str = Field(max_length=40)
    reason_code: ErasureReason | None = Field(default=None, sa_type=coded(ErasureReason))
    requested_by: UUID | None = None
    confirmed_by: UUID | None = None


class ErasureWish(Body):
    reason_code: ErasureReason
    reason: ShortText


class ErasureRead(Read):
    id: UUID
    case_id: UUID
    reason_code: ErasureReason
    reason: str
    requested_by: Colleague
    requested_at: datetime


class HoldCreate(Body):
    reason: ShortText


class HoldRead(Read):
    """`reason` and `placed_by` are null where the hold began by itself, with the client's death."""

    case_id: UUID
    basis: LegalHoldBasis
    reason: str | None
    placed_by: Colleague | None
    placed_at: datetime
