"""What a client agreed to: for which purpose, with whom, and until when."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field as Rule
from pydantic import model_validator
from sqlalchemy import Column, ForeignKeyConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from app.models.base import TIMESTAMP, Body, Day, Read, Table, coded, wrong
from app.models.codes.consents import ConsentForm, ConsentGivenBy, ConsentPurpose, SharedField
from app.models.codes.people import CaregiverBypass
from app.models.codes.referrals import Sector
from app.text import ShortText


class Consent(Table, table=True):
    __tablename__ = "consents"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_consents_case", "case_id", "purpose"),
        Index(
            "ix_consents_statistics",
            "organisation_id",
            "case_id",
            postgresql_include=["obtained_on", "expires_on"],
            postgresql_where=text("purpose = 'statistics' AND withdrawn_at IS NULL"),
        ),
        Index(
            "ix_consents_bypass",
            "organisation_id",
            "case_id",
            postgresql_where=text("bypass_until IS NOT NULL AND bypass_confirmed_at IS NULL AND withdrawn_at IS NULL"),
        ),
    )

    case_id: UUID
    organisation_id: UUID  # of the case
    purpose: ConsentPurpose = Field(sa_type=coded(ConsentPurpose))
    recipient_id: UUID | None = Field(default=None, foreign_key="organisations.id")
    sector: Sector | None = Field(default=None, sa_type=coded(Sector))
    shared_fields: list[str] = Field(default_factory=list, sa_column=Column(JSONB, nullable=False))
    given_by: ConsentGivenBy = Field(sa_type=coded(ConsentGivenBy))
    form: ConsentForm = Field(sa_type=coded(ConsentForm))
    obtained_on: date
    expires_on: date | None = None
    withdrawn_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    withdrawn_by: UUID | None = Field(default=None, foreign_key="users.id")
    caregiver_id: UUID | None = Field(default=None, foreign_key="people.id")
    caregiver_doubted_at: datetime | None = Field(
        default=None, sa_type=TIMESTAMP
    )  # from then on it is the client's alone
    bypass_until: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    bypass_confirmed_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    bypass_confirmed_by: UUID | None = Field(default=None, foreign_key="users.id")
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = None  # why the caregiver is passed by


class BypassCreate(Body):
    """A minor's own yes, without a caregiver's: it counts at once, and for good once a second person confirms it."""

    reason: CaregiverBypass


class ConsentCreate(Body):
    purpose: ConsentPurpose
    organisation_id: UUID | None = None
    sector: Sector | None = None
    shared_fields: Annotated[list[SharedField], Rule(max_length=20)] = []
    given_by: ConsentGivenBy = ConsentGivenBy.CLIENT
    caregiver_id: UUID | None = None
    bypass: BypassCreate | None = None
    form: ConsentForm
    obtained_on: Day
    expires_on: Day | None = None

    @model_validator(mode="after")
    def consistent(self) -> "ConsentCreate":
        if self.expires_on is not None and self.expires_on < self.obtained_on:
            raise wrong("expires_on", "expires_before_obtained", "A consent cannot end before it was given.")
        referral = self.purpose is ConsentPurpose.REFERRAL
        if referral and self.organisation_id is None and self.sector is None:
            raise wrong(
                "organisation_id", "recipient_required", "A consent to a referral names its recipient or sector."
            )
        by_client = self.given_by is ConsentGivenBy.CLIENT
        if self.caregiver_id is not None and by_client:
            raise wrong("caregiver_id", "caregiver_not_asked", "A caregiver is named where a caregiver agreed.")
        if self.bypass is not None and not (by_client and self.purpose is ConsentPurpose.SERVICES):
            raise wrong("bypass", "bypass_not_allowed", "Only the client's own yes to services passes a caregiver by.")
        return self


class Withdrawal(Body):
    reason: ShortText | None = None


class BypassRead(Read):
    """`confirm_until`: without a second person by then, it lapses."""

    reason: CaregiverBypass
    confirm_until: datetime
    confirmed_at: datetime | None
    confirmed_by: UUID | None


class ConsentRead(Read):
    """`active`: it stands; of `services` also that who must agree have agreed (a minor and a caregiver)."""

    id: UUID
    case_id: UUID
    purpose: ConsentPurpose
    organisation_id: UUID | None
    sector: Sector | None
    shared_fields: list[SharedField]
    given_by: ConsentGivenBy
    caregiver_id: UUID | None
    bypass: BypassRead | None
    form: ConsentForm
    obtained_on: date
    expires_on: date | None
    withdrawn_at: datetime | None
    active: bool
    version: int
    created_at: datetime
