"""Referrals: one service asked of one other organisation, seen by both sides under one code to its end.

`organisation_id` is always the case's; `partner_id` the other organisation, which asks (`in`) or is asked (`out`).
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field as Rule
from sqlalchemy import ForeignKeyConstraint, Index, text
from sqlmodel import Field

from app.models.base import TIMESTAMP, Body, Moment, Patch, Table, coded, optional
from app.models.codes.cases import Priority
from app.models.codes.consents import SharedField
from app.models.codes.referrals import (
    SERVICE_TYPE_SECTOR,
    ReferralBusinessStatus,
    ReferralOutcome,
    ReferralReason,
    ReferralStatus,
    Sector,
    ServiceType,
)
from app.text import LongText, ShortText


class ReferralDirection(StrEnum):
    """Whether the case's organisation asks the partner, or the partner sent the client."""

    OUT = "out"
    IN = "in"


# Before acceptance the recipient knows their sector only, and who is referred to one has a sensitive case.
PROTECTED_SERVICES = frozenset(
    {
        *(ServiceType.SAFE_ABORTION, ServiceType.FAMILY_PLANNING, ServiceType.ANTENATAL_CARE),
        *(ServiceType.CLINICAL_MANAGEMENT_OF_RAPE, ServiceType.MENTAL_HEALTH, ServiceType.PSYCHOSOCIAL_SUPPORT),
        *(ServiceType.POLICE_PROTECTION, ServiceType.SHELTER),
    }
)
# Where every service is a protected one, so that the sector says as much as its type (decision 0036).
TELLING_SECTORS = frozenset(SERVICE_TYPE_SECTOR[one] for one in PROTECTED_SERVICES) - frozenset(
    sector for service_type, sector in SERVICE_TYPE_SECTOR.items() if service_type not in PROTECTED_SERVICES
)
OPEN_STATUSES = (
    ReferralStatus.REQUESTED,
    ReferralStatus.ACCEPTED,
    ReferralStatus.IN_PROGRESS,
    ReferralStatus.ON_HOLD,
)
# How safe contact is asked for: these go with it only, and close with it.
CONTACT_FIELDS = frozenset({SharedField.PHONE, SharedField.VILLAGE, SharedField.SAFE_CONTACT})

_OPEN = text("status in ('requested', 'accepted', 'in_progress', 'on_hold')")
_SILENT = text("standard and direction = 'out' and status in ('requested', 'accepted', 'in_progress', 'on_hold')")


class Referral(Table, table=True):
    """`sealed` is the case's side alone; `open_sealed`, with a key of its own, is for both sides at all times.

    `standard`: the case is not sensitive, kept by a trigger. `disclosed_until`: when the snapshot closes; null while it
    is not open to the recipient.
    """

    __tablename__ = "referrals"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_referrals_case", "case_id", "created_at"),
        Index("ix_referrals_partner", "partner_id", text("created_at DESC"), text("id DESC")),
        Index("ix_referrals_partner_status", "partner_id", "status", text("created_at DESC"), text("id DESC")),
        Index(
            "ix_referrals_standard",
            "organisation_id",
            text("created_at DESC"),
            text("id DESC"),
            postgresql_where=text("standard"),
        ),
        Index("ix_referrals_consent", "consent_id"),
        Index("ix_referrals_due", "due_at", postgresql_where=_OPEN),
        Index("ix_referrals_silent", "organisation_id", "due_at", postgresql_where=_SILENT),
        Index("ix_referrals_disclosed", "disclosed_until", postgresql_where=text("disclosed_until IS NOT NULL")),
        Index(
            "one_referral_of_an_external_id",
            "partner_id",
            "external_id",
            unique=True,
            postgresql_where=text("direction = 'in'"),
        ),
    )
    __mapper_args__ = {"eager_defaults": False}  # RETURNING would need the right to read the row

    case_id: UUID
    organisation_id: UUID
    partner_id: UUID = Field(foreign_key="organisations.id")
    direction: ReferralDirection = Field(default=ReferralDirection.OUT, sa_type=coded(ReferralDirection))
    code: str = Field(unique=True, max_length=12)
    consent_id: UUID | None = Field(default=None, foreign_key="consents.id", ondelete="SET NULL")
    service_id: UUID | None = Field(default=None, foreign_key="services.id", index=True)
    external_id: str | None = Field(default=None, max_length=64)
    sent_digest: bytes | None = None  # keyed hash of what was sent under it
    sector: Sector = Field(sa_type=coded(Sector))
    protected: bool
    standard: bool
    province_code: str = Field(max_length=2)
    priority: Priority = Field(sa_type=coded(Priority))
    status: ReferralStatus = Field(default=ReferralStatus.REQUESTED, sa_type=coded(ReferralStatus))
    business_status: ReferralBusinessStatus | None = Field(default=None, sa_type=coded(ReferralBusinessStatus))
    appointment_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    reason_code: ReferralReason | None = Field(default=None, sa_type=coded(ReferralReason))
    outcome_code: ReferralOutcome | None = Field(default=None, sa_type=coded(ReferralOutcome))
    due_at: datetime = Field(sa_type=TIMESTAMP)
    overdue_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    escalated_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    answered_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    ended_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    disclosed_until: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    contact_suspended_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = None
    open_sealed: bytes | None = None


class ReferralSnapshot(Table, table=True):
    """What the recipient is told at the yes, as it was when it was asked; both blobs are null once it has closed."""

    __tablename__ = "referral_snapshots"
    __table_args__ = (ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),)
    own_key: ClassVar[bool] = True

    referral_id: UUID = Field(foreign_key="referrals.id", unique=True)
    case_id: UUID = Field(index=True)
    organisation_id: UUID
    sealed: bytes | None = None
    contact_sealed: bytes | None = None  # phone, village and safe contact: apart, since they close apart


class ReferralMessage(Table, table=True):
    """A word between the two sides while the referral is worked on; sealed with the snapshot's key, closed with it."""

    __tablename__ = "referral_messages"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_referral_messages", "referral_id", "created_at"),
    )

    referral_id: UUID = Field(foreign_key="referrals.id")
    snapshot_id: UUID = Field(foreign_key="referral_snapshots.id")
    case_id: UUID = Field(index=True)
    organisation_id: UUID
    by_partner: bool
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


SharedFields = Annotated[list[SharedField], Rule(max_length=20)]


class ReferralCreate(Body):
    """`service_id`: one of the directory, whose type is then known. `reason` is why it is asked: `need_summary`."""

    organisation_id: UUID
    service_id: UUID | None = None
    service_type: ServiceType
    priority: Priority = Priority.ROUTINE
    due_at: Moment | None = None
    reason: LongText
    shared_fields: SharedFields = []
    message: ShortText | None = None


class ShareAnew(Body):
    """`shared_fields` left out: the same as before."""

    shared_fields: SharedFields | None = None


class ReferralTransition(Body):
    to: ReferralStatus
    reason_code: ReferralReason | None = None
    reason: ShortText | None = None
    outcome_code: ReferralOutcome | None = None
    appointment_at: Moment | None = None


class ReferralUpdate(Patch):
    """Progress between two states: the recipient's."""

    appointment_at: Moment | None = None
    business_status: ReferralBusinessStatus = optional()


class MessageCreate(Body):
    text: ShortText
