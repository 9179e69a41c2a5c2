"""Handing a case to another organisation: what is asked, what the receiver may know before and after the yes."""

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field as Rule
from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from app.models.base import TIMESTAMP, Body, Read, Table, coded
from app.models.case import CaseReceipt, Colleague
from app.models.codes.cases import Priority, TransferStatus
from app.models.codes.consents import SharedField
from app.models.codes.referrals import Sector
from app.text import ShortText


class Transfer(Table, table=True):
    """Sealed with a key of its own: why it is asked, what would be told at the yes, and why it was declined.

    `snapshot_sealed` is there only while nobody has answered. `opened_case_id` is the receiver's case; the sender never
    reads it.
    """

    __tablename__ = "transfers"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_transfers_case", "case_id", "created_at"),
        Index("ix_transfers_inbox", "recipient_id", text("created_at DESC"), text("id DESC")),
        Index("ix_transfers_opened", "opened_case_id", postgresql_where=text("opened_case_id IS NOT NULL")),
        Index("ix_transfers_untold", "due_at", postgresql_where=text("status = 'requested' AND overdue_at IS NULL")),
        Index("one_transfer", "case_id", unique=True, postgresql_where=text("status = 'requested'")),
    )
    own_key: ClassVar[bool] = True

    case_id: UUID
    organisation_id: UUID  # of the case: the sender
    recipient_id: UUID = Field(foreign_key="organisations.id")
    consent_id: UUID = Field(foreign_key="consents.id", index=True)
    code: str = Field(max_length=12)
    sector: Sector = Field(sa_type=coded(Sector))
    priority: Priority = Field(sa_type=coded(Priority))
    status: TransferStatus = Field(default=TransferStatus.REQUESTED, sa_type=coded(TransferStatus))
    due_at: datetime = Field(sa_type=TIMESTAMP)
    overdue_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)  # when the worker told that it is
    contact_suspended_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    answered_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    answered_by: UUID | None = Field(default=None, foreign_key="users.id")
    opened_case_id: UUID | None = None
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)
    snapshot_sealed: bytes | None = None
    answer_sealed: bytes | None = None


class TransferCreate(Body):
    """`shared_fields` left out: all that the client's consent for this organisation names."""

    organisation_id: UUID
    reason: ShortText
    sector: Sector = Sector.OTHER
    priority: Priority | None = None  # of the case
    shared_fields: Annotated[list[SharedField], Rule(max_length=20)] | None = None


class TransferWithdraw(Body):
    reason: ShortText | None = None


class TransferAccept(Body):
    lead_id: UUID | None = None  # nobody: the organisation's supervisors review it until a lead is named


class TransferDecline(Body):
    reason: ShortText


class TransferRead(Read):
    """For who sees the case that is to go. `contact_suspended`: what she said is safe has changed since."""

    id: UUID
    case_id: UUID
    code: str
    organisation_id: UUID
    sector: Sector
    priority: Priority
    status: TransferStatus
    shared_fields: list[SharedField]
    contact_suspended: bool
    reason: str | None
    answer: str | None
    due_at: datetime
    requested_by: Colleague
    answered_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class Sender(Read):
    id: UUID
    name: str


class IncomingTransfer(Read):
    """For the supervisors who may take it: nobody's name, no commune, no service. `opened` is their own new case."""

    id: UUID
    code: str
    sender: Sender
    sector: Sector
    province_code: str
    priority: Priority
    status: TransferStatus
    due_at: datetime
    overdue: bool
    answered_at: datetime | None
    opened: CaseReceipt | None
    version: int
    created_at: datetime
