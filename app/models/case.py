"""The case: its table, its schemas for each audience, and the page, stub and receipt of it."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from pydantic import Field as Rule
from pydantic import model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Column, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from app.models.area import PlaceCode, VillageCode
from app.models.base import (
    TIMESTAMP,
    Body,
    Day,
    Moment,
    OwnId,
    Page,
    Patch,
    Read,
    Table,
    TransactionId,
    coded,
    optional,
)
from app.models.codes.care import ContactChannel
from app.models.codes.cases import (
    AccessVia,
    CaseloadLevel,
    CaseStatus,
    Category,
    ClosureReason,
    Outcome,
    Priority,
    RiskLevel,
    Sensitivity,
)
from app.models.codes.people import AgeBand, Sex
from app.models.codes.referrals import ReferredFrom
from app.models.consent import ConsentCreate
from app.models.incident import IncidentCreate, IncidentRead
from app.models.person import PersonCreate
from app.text import LongText, ShortText

ClockTime = Annotated[str, Rule(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Weekday = Annotated[int, Rule(strict=True, ge=1, le=7)]  # ISO: Monday is 1


class SafeContact(Body):
    """When and how the client may be reached without danger."""

    channels: Annotated[list[ContactChannel], Rule(max_length=6)] = []
    days: Annotated[list[Weekday], Rule(max_length=7)] = []
    from_: ClockTime | None = Rule(default=None, alias="from")
    to: ClockTime | None = None
    may_answer: ShortText | None = None
    code_phrase: ShortText | None = None
    leave_message: bool = False
    do_not_contact: bool = False
    last_confirmed_on: Day | None = None


class Closure(Body):
    reason: ClosureReason
    outcome: Outcome = Outcome.UNKNOWN
    informed_can_return: Literal[True, "not_possible"] | None = None
    summary: LongText | None = None


LEADERLESS = text("lead_id IS NULL AND status <> 'closed' AND erased_at IS NULL")
TO_REVIEW = text("erased_at IS NULL AND (status = 'closure_requested' OR escalated_at IS NOT NULL)")
HIGH_RISK = text("risk_level = 'high' AND status <> 'closed' AND escalated_at IS NULL")


class Case(Table, table=True):
    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("id", "organisation_id", name="cases_id_organisation"),
        ForeignKeyConstraint(
            ["client_id"],
            ["people.id"],
            name="cases_client_fk",
            deferrable=True,
            initially="DEFERRED",
            use_alter=True,
        ),
        Index(
            "ix_cases_organisation_open",
            "organisation_id",
            "id",
            postgresql_where=text("status <> 'closed' OR death_review_due_at IS NOT NULL"),
        ),
        Index("ix_cases_lead", "lead_id", postgresql_where=text("status <> 'closed'")),
        Index("ix_cases_leaderless", "organisation_id", postgresql_where=LEADERLESS),
        Index("ix_cases_to_review", "organisation_id", "id", postgresql_where=TO_REVIEW),
        Index("ix_cases_death_review", "organisation_id", postgresql_where=text("death_review_due_at IS NOT NULL")),
        Index("ix_cases_high_risk", "next_due_at", postgresql_where=HIGH_RISK),
        Index(
            "ix_cases_retention",
            "category",
            "closed_at",
            postgresql_where=text("status = 'closed' AND erased_at IS NULL"),
        ),
    )

    __mapper_args__ = {"eager_defaults": False}  # RETURNING would need the right to read the row

    code: str = Field(unique=True, max_length=12)
    organisation_id: UUID = Field(foreign_key="organisations.id")
    category: Category = Field(sa_type=coded(Category))
    sensitivity: Sensitivity = Field(sa_type=coded(Sensitivity))
    status: CaseStatus = Field(default=CaseStatus.INTAKE, sa_type=coded(CaseStatus))
    priority: Priority = Field(default=Priority.ROUTINE, sa_type=coded(Priority))
    risk_level: RiskLevel = Field(default=RiskLevel.NOT_ASSESSED, sa_type=coded(RiskLevel))
    commune_code: str = Field(foreign_key="areas.code")
    referred_from: ReferredFrom | None = Field(default=None, sa_type=coded(ReferredFrom))
    client_id: UUID
    client_sex: Sex = Field(default=Sex.UNKNOWN, sa_type=coded(Sex))
    client_age_band: AgeBand = Field(default=AgeBand.UNKNOWN, sa_type=coded(AgeBand))
    client_disability: bool | None = None
    lead_id: UUID | None = Field(default=None, foreign_key="users.id")  # derived from assignments by a trigger
    opened_at: datetime = Field(sa_type=TIMESTAMP)
    closed_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    next_due_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    escalated_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)  # somebody beside the lead should look
    closure_reason: ClosureReason | None = Field(default=None, sa_type=coded(ClosureReason))
    outcome: Outcome | None = Field(default=None, sa_type=coded(Outcome))
    closure_requested_by: UUID | None = Field(default=None, foreign_key="users.id")
    death_review_due_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    erased_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    team_version: int = 1  # the liaison view's own version: it moves only when what a liaison sees does
    created_by: UUID = Field(foreign_key="users.id")
    opened_xid: int | None = Field(  # lets the opener fill a case that even the opener may not read back
        default=None,
        sa_column=Column(TransactionId(), nullable=False, server_default=text("pg_current_xact_id()")),
    )
    sealed: bytes | None = Field(default=None, nullable=False)


@dataclass(slots=True)
class CaseRow:
    """The part of a locked case that a change reads and writes, named as the columns; saved by `save_case`."""

    id: UUID
    code: str
    organisation_id: UUID
    category: Category
    sensitivity: Sensitivity
    status: CaseStatus
    priority: Priority
    risk_level: RiskLevel
    commune_code: str
    referred_from: ReferredFrom | None
    opened_at: datetime
    closed_at: datetime | None
    next_due_at: datetime | None
    closure_reason: ClosureReason | None
    outcome: Outcome | None
    closure_requested_by: UUID | None
    death_review_due_at: datetime | None
    version: int
    team_version: int
    updated_at: datetime
    sealed: bytes
    private: dict[str, Any] = field(default_factory=dict)  # what is sealed, opened
    as_read: dict[str, Any] = field(default_factory=dict)  # the values above as they were when the case was locked

    def touch(self, now: datetime) -> None:
        """Count one change of the case's own fields."""
        self.version += 1
        self.updated_at = now


class OfCase(Protocol):
    """A case as far as its children need to know it."""

    @property
    def id(self) -> UUID: ...
    @property
    def organisation_id(self) -> UUID: ...


class CaseCreate(OwnId):
    category: Category
    client: PersonCreate | None = None
    client_id: UUID | None = None
    commune_code: PlaceCode
    village_code: VillageCode | None = None
    sensitivity: Sensitivity | None = None
    priority: Priority = Priority.ROUTINE
    summary: LongText
    safe_contact: SafeContact | None = None
    referred_from: ReferredFrom | None = None
    organisation_id: UUID | None = None
    lead_id: UUID | None = None
    over_limit_reason: ShortText | None = None  # a supervisor's, for a lead whose caseload is full
    opened_on: Day | None = None
    incident: IncidentCreate | None = None
    consents: Annotated[list[ConsentCreate], Rule(max_length=20)] = []
    excluded_user_ids: Annotated[list[UUID], Rule(max_length=50)] = []

    @model_validator(mode="after")
    def one_client(self) -> "CaseCreate":
        if (self.client is None) == (self.client_id is None):
            raise PydanticCustomError("client_required", "Exactly one of client and client_id is needed.")
        return self


class CaseUpdate(Patch):
    category: Category = optional()
    sensitivity: Sensitivity = optional()
    priority: Priority = optional()
    commune_code: PlaceCode = optional()
    village_code: VillageCode | None = None
    summary: LongText = optional()
    safe_contact: SafeContact | None = None
    referred_from: ReferredFrom | None = None


class Transition(Body):
    """`consents`: with reopening alone, for who had taken hers back or let it end."""

    to: CaseStatus
    reason: ShortText | None = None
    closure: Closure | None = None
    consents: Annotated[list[ConsentCreate], Rule(max_length=20)] = []


class DeathReview(Body):
    note: ShortText


class CaseFilter(Body):
    """The query of a list of cases; every filter narrows."""

    status: CaseStatus | None = None
    category: Category | None = None
    sensitivity: Sensitivity | None = None
    commune_code: PlaceCode | None = None
    priority: Priority | None = None
    lead_id: UUID | None = None
    assigned: Annotated[str, Rule(pattern="^me$")] | None = None
    opened_after: Moment | None = None
    opened_before: Moment | None = None
    updated_after: Moment | None = None
    sort: Annotated[str, Rule(pattern="^-?opened_at$")] = "-opened_at"
    limit: Annotated[int, Rule(ge=1, le=200)] = 50
    cursor: Annotated[str, Rule(max_length=200)] | None = None


class ClientRead(Read):
    id: UUID
    display_name: str
    sex: Sex
    age: int | None


class Colleague(Read):
    id: UUID
    display_name: str


class AccessRead(Read):
    via: AccessVia
    mode: str


class CaseSummary(Read):
    """One row of a list."""

    id: UUID
    code: str
    category: Category
    sensitivity: Sensitivity
    status: CaseStatus
    priority: Priority
    risk_level: RiskLevel
    commune_code: str
    village_code: str | None
    client: ClientRead
    lead: Colleague | None
    organisation_id: UUID
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    next_due_at: datetime | None
    version: int
    access: AccessRead


class CaseRead(CaseSummary):
    """The whole case, for who may read it in full."""

    summary: str
    safe_contact: SafeContact | None
    incident: IncidentRead | None
    referred_from: ReferredFrom | None
    closure: Closure | None
    death_review_due_at: datetime | None  # until a supervisor has looked at a case whose client died


class LiaisonClient(Read):
    display_name: str


class CaseLiaisonRead(Read):
    """What a committee liaison sees of a case: enough to help, nothing to harm with."""

    id: UUID
    code: str
    status: CaseStatus
    priority: Priority
    commune_code: str
    village_code: str | None
    client: LiaisonClient
    version: int
    access: AccessRead


class CaseReceipt(Read):
    """What somebody gets who opened a case and may not read it back."""

    id: UUID
    code: str


class CaseStub(Read):
    """What a supervisor sees of a sensitive case of the organisation: who carries it, and whether it waits."""

    id: UUID
    code: str
    lead: Colleague | None
    status: CaseStatus
    next_due_week: str | None
    overdue: bool
    needs_review: bool


class CaseloadOf(Read):
    """How many open cases somebody carries, `lead` null: that wait for a lead; `overdue` since an earlier week."""

    lead: Colleague | None
    open: int
    overdue: int
    needs_review: int
    level: CaseloadLevel | None


class Caseload(Page[CaseStub]):
    """Open cases as stubs, and who carries how many: over what the reader may know of, whatever the page."""

    leads: list[CaseloadOf]


class CaseCounts(Read):
    """Visible cases; `by_category` is null for who may not know categories."""

    total: int
    by_status: dict[CaseStatus, int]
    by_category: dict[Category, int] | None


class CasePrivate(Body):
    """The private fields of a case: one JSON document per row."""

    summary: str
    village_code: str | None = None
    safe_contact: SafeContact | None = None
    closure: Closure | None = None


def today_band(birth: date | None, on: date) -> AgeBand:
    """The age band of somebody born on `birth` (None: unknown) at the day `on`."""
    if birth is None:
        return AgeBand.UNKNOWN
    age = on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))
    for band in AgeBand:
        low, _, high = band.value.partition("-")
        if high and int(low) <= age <= int(high):
            return band
    return AgeBand("60+") if age >= 60 else AgeBand.UNKNOWN
