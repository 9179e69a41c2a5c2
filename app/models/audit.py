"""The trail of who did what and saw whom: rows chained by hashes, their heads, and what is read of them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, SmallInteger, String, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, Read
from app.models.case import Colleague
from app.models.codes.people import Role

SHARDS = 16


class AuditKind(StrEnum):
    """What a row is about, and so who may read it: administrators never read of casework."""

    CASEWORK = "casework"
    ACCOUNT = "account"
    SETTINGS = "settings"
    EXPORT = "export"


# By the thing that the permission of an operation speaks of; everything else is casework.
_KINDS = {
    "self": AuditKind.ACCOUNT,
    "user": AuditKind.SETTINGS,
    "organisation": AuditKind.SETTINGS,
    "client": AuditKind.SETTINGS,
    "service": AuditKind.SETTINGS,
    "webhook": AuditKind.SETTINGS,
    "export": AuditKind.EXPORT,
}


def audit_kind(permission: str) -> AuditKind:
    """What an operation with this permission (`thing:verb`) is about, for who reads the trail."""
    return _KINDS.get(permission.partition(":")[0], AuditKind.CASEWORK)


class AuditEvent(SQLModel, table=True):
    """One deed or refusal, in ids and codes only. `via` stands beside `case_ids`: how each case was reached.

    The ids of a refusal are those that were asked for, whether they exist or not, and have no `via`. `account` and
    `address` are keyed hashes of what a stranger typed and where from. `counted` is above 1 for refusals told together.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_at", "at", "id"),
        Index("ix_audit_events_actor", "actor_id", "at", "id"),
        Index("ix_audit_events_cases", "case_ids", postgresql_using="gin"),
        # Few beside casework, and found without walking through it.
        Index("ix_audit_events_apart", "at", "id", postgresql_where=text("kind <> 'casework'")),
    )

    shard: int = Field(sa_column=Column(SmallInteger(), primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(BigInteger(), primary_key=True, autoincrement=False))
    id: UUID = Field(default_factory=new_id)
    at: datetime = Field(sa_type=TIMESTAMP)
    actor_id: UUID | None = None
    kind: str
    action: str
    status: int = Field(sa_type=SmallInteger)
    reason: str | None = None
    case_ids: list[UUID] = Field(sa_column=Column(ARRAY(Uuid()), nullable=False))
    via: list[str] = Field(sa_column=Column(ARRAY(String()), nullable=False))
    subject_id: UUID | None = None
    request_id: str | None = None
    account: bytes | None = None
    address: bytes | None = None
    counted: int
    hash: bytes


class AuditHead(SQLModel, table=True):
    """The last row of each chain; who appends holds it until the transaction ends."""

    __tablename__ = "audit_heads"

    shard: int = Field(sa_column=Column(SmallInteger(), primary_key=True, autoincrement=False))
    seq: int = Field(sa_type=BigInteger)
    hash: bytes


class AuditSignature(SQLModel, table=True):
    """All heads at one moment, signed: `statement` is the very text under the Ed25519 signature."""

    __tablename__ = "audit_signatures"

    at: datetime = Field(sa_type=TIMESTAMP, primary_key=True)
    statement: str
    key_id: str
    signature: bytes


class AuditVerification(SQLModel, table=True):
    """What one run of `samaki audit verify` found."""

    __tablename__ = "audit_verifications"

    at: datetime = Field(sa_type=TIMESTAMP, primary_key=True)
    rows: int = Field(sa_type=BigInteger)
    signatures: int = Field(sa_type=BigInteger)
    faults: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))


class AuditRead(Read):
    """One row as its reader may know it: `case_ids` names visible cases only."""

    id: UUID
    at: datetime
    actor: Colleague | None
    action: str
    status: int
    reason: str | None
    case_ids: list[UUID]
    via: list[str]
    subject_id: UUID | None
    request_id: str | None
    counted: int


class AccessReportRead(Read):
    """Somebody was shown the case, by this operation and in this way."""

    id: UUID
    at: datetime
    actor: Colleague | None
    role: Role | None
    organisation: str | None
    action: str
    via: str


class InsiderRead(Read):
    """One person's week, in counts. `usual_reads_per_case` is the median of the colleagues in the same role."""

    actor: Colleague
    role: Role
    denied_where_excluded: int
    denied: int
    reads: int
    cases: int
    reads_per_case: float
    usual_reads_per_case: float | None
    far_above_colleagues: bool
    outside_commune: int
    at_night: int


class InsiderReport(Read):
    """Denied attempts on cases from which the person is excluded come first. Weeks are those of Phnom Penh."""

    week: str
    from_day: date
    items: list[InsiderRead]


class ChainHead(Read):
    shard: int
    seq: int
    hash: str


class SignedHeads(Read):
    at: datetime
    statement: str
    key_id: str
    signature: str


class ChainFault(Read):
    shard: int | None
    seq: int | None
    fault: str


class Verified(Read):
    at: datetime
    intact: bool
    rows: int
    faults: list[ChainFault]


class AuditState(Read):
    """The present heads, the newest signed ones, and the newest run of `samaki audit verify`."""

    heads: list[ChainHead]
    signed: SignedHeads | None
    verified: Verified | None
