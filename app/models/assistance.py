"""What a client is helped with: the request, the decision of another person, and what was handed over.

Amounts are integers in minor units of their currency: whole riel, US cents.
"""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field as Rule
from pydantic import model_validator
from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, Body, Day, Read, Table, coded, wrong
from app.models.case import Colleague
from app.models.codes.assistance import AssistanceKind, AssistanceStatus, Currency, PaymentMethod
from app.models.codes.cases import Decision
from app.text import LongText, ShortText

MOST_MINOR = 1_000_000_000_000  # more than any programme has; every sum of a month fits a bigint
Amount = Annotated[int, Rule(strict=True, ge=1, le=MOST_MINOR)]

# What holds of every row, whoever writes it. The payments and their sum are counted by a trigger (138_assistance.sql).
RULES = {
    "amount": f"(amount_minor is null) = (currency is null) and amount_minor between 1 and {MOST_MINOR}"
    " and (kind = 'social' or amount_minor is not null)",
    "approved": "approved_minor between 1 and amount_minor and first_approved_minor between 1 and amount_minor",
    "paid": "paid_minor between 0 and coalesce(approved_minor, 0) and payments >= 0"
    " and (approved_minor is not null or payments <= 1)",
    "separate": "decided_by <> created_by and first_approved_by <> created_by and decided_by <> first_approved_by",
    "status": "(payments > 0) = (status in ('part_paid', 'paid'))"
    " and (status in ('submitted', 'withdrawn') or decided_by is not null)"
    " and (status not in ('approved', 'part_paid', 'paid', 'cancelled')"
    " or (amount_minor is null) = (approved_minor is null))",
}
EVERYBODYS = text("standard")


class AssistanceRequest(Table, table=True):
    """`sealed` holds item, purpose, and the reasons of who decided or ended it; `created_by` asked for it.

    Above the organisation's ceiling `first_approved_*` is the first of two yeses, while it is still submitted.
    """

    __tablename__ = "assistance_requests"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        UniqueConstraint("id", "case_id", "organisation_id", name="assistance_requests_home"),
        *(CheckConstraint(rule, name=f"assistance_requests_{name}") for name, rule in RULES.items()),
        Index("ix_assistance_requests_case", "case_id", "created_at", "id"),
        Index("ix_assistance_requests_newest", "organisation_id", "created_at", "id", postgresql_where=EVERYBODYS),
        Index(
            "ix_assistance_requests_status",
            *("organisation_id", "status", "created_at", "id"),
            postgresql_where=EVERYBODYS,
        ),
    )

    case_id: UUID
    organisation_id: UUID
    standard: bool = False  # of a case that the whole staff sees, as the database says (152_standard_rows.sql)
    kind: AssistanceKind = Field(sa_type=coded(AssistanceKind))
    status: AssistanceStatus = Field(default=AssistanceStatus.SUBMITTED, sa_type=coded(AssistanceStatus))
    amount_minor: int | None = Field(default=None, sa_type=BigInteger)
    currency: Currency | None = Field(default=None, sa_type=coded(Currency))
    first_approved_minor: int | None = Field(default=None, sa_type=BigInteger)
    first_approved_by: UUID | None = Field(default=None, foreign_key="users.id")
    first_approved_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    approved_minor: int | None = Field(default=None, sa_type=BigInteger)
    decided_by: UUID | None = Field(default=None, foreign_key="users.id")
    decided_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    ended_by: UUID | None = Field(default=None, foreign_key="users.id")
    ended_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    paid_minor: int = Field(default=0, sa_type=BigInteger)
    payments: int = 0  # those that stand
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class Disbursement(SQLModel, table=True):
    """One payment or delivery, or the reversal of one with the amount below zero; never changed.

    `reference` is what the ledger calls it, and nothing else is called so. `sealed` holds the reference of the
    receipt, or the reason of a reversal. `amount_minor` is null where none was asked for.
    """

    __tablename__ = "assistance_disbursements"
    __table_args__ = (
        ForeignKeyConstraint(
            ["request_id", "case_id", "organisation_id"],
            ["assistance_requests.id", "assistance_requests.case_id", "assistance_requests.organisation_id"],
        ),
        CheckConstraint(
            f"amount_minor is null or abs(amount_minor) between 1 and {MOST_MINOR}"
            " and (amount_minor < 0) = (reversal_of is not null)",
            name="assistance_disbursements_amount",
        ),
        Index("ix_assistance_disbursements_request", "request_id", "created_at", "id"),
        Index("ix_assistance_disbursements_case", "case_id"),
        Index("ix_assistance_disbursements_month", "organisation_id", "paid_on", "reference"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    request_id: UUID
    case_id: UUID
    organisation_id: UUID
    reference: UUID = Field(default_factory=new_id, unique=True)
    reversal_of: UUID | None = Field(default=None, foreign_key="assistance_disbursements.id", unique=True)
    amount_minor: int | None = Field(default=None, sa_type=BigInteger)
    method: PaymentMethod = Field(sa_type=coded(PaymentMethod))
    paid_on: date
    created_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")
    sealed: bytes | None = Field(default=None, nullable=False)


class AssistanceCreate(Body):
    """Money has an amount and a currency; help in kind has them, or an item, or both."""

    kind: AssistanceKind
    item: ShortText | None = None
    amount_minor: Amount | None = None
    currency: Currency | None = None
    purpose: LongText

    @model_validator(mode="after")
    def whole(self) -> "AssistanceCreate":
        if (self.amount_minor is None) != (self.currency is None):
            missing = "currency" if self.currency is None else "amount_minor"
            raise wrong(missing, "amount_incomplete", "An amount has a currency, and a currency an amount.")
        if self.kind is AssistanceKind.FINANCIAL and self.amount_minor is None:
            raise wrong("amount_minor", "amount_required", "Financial assistance has an amount.")
        if self.amount_minor is None and self.item is None:
            raise wrong("item", "item_required", "Without an amount it has an item or a service.")
        return self


class AssistanceDecision(Body):
    """`amount_minor`: less than was asked for; without it the whole is approved."""

    decision: Decision
    amount_minor: Amount | None = None
    reason: ShortText


class AssistanceEnd(Body):
    reason: ShortText


class DisbursementCreate(Body):
    """`amount_minor` is left out where none was approved; `currency`, when sent, is that of the request."""

    amount_minor: Amount | None = None
    currency: Currency | None = None
    method: PaymentMethod
    paid_on: Day
    receipt_reference: ShortText


class Decided(Read):
    """Who decided, when, how, and on what amount."""

    decision: Decision
    by: Colleague
    at: datetime
    amount_minor: int | None
    reason: str


class AssistanceRead(Read):
    """`awaiting_second`: approved by one, above the ceiling, still submitted. `ended_at`: withdrawn, cancelled, or
    paid although a rest of the approval was given up."""

    id: UUID
    case_id: UUID
    case_code: str
    kind: AssistanceKind
    status: AssistanceStatus
    awaiting_second: bool
    item: str | None
    purpose: str
    amount_minor: int | None
    approved_minor: int | None
    paid_minor: int
    currency: Currency | None
    requested_by: Colleague
    first_approval: Decided | None
    decision: Decided | None
    ended_at: datetime | None
    ended_by: Colleague | None
    end_reason: str | None
    version: int
    created_at: datetime
    updated_at: datetime


class DisbursementRead(Read):
    """A reversal has the amount of what it takes back, below zero. `ledger_reference`: its line in the ledger."""

    id: UUID
    request_id: UUID
    amount_minor: int | None
    currency: Currency | None
    method: PaymentMethod
    paid_on: date
    receipt_reference: str | None
    reversal_of: UUID | None
    reversed_by: UUID | None
    reason: str | None
    ledger_reference: UUID
    recorded_by: Colleague
    created_at: datetime


class LedgerLine(Read):
    """`reversal_of` is the reference of the line that it takes back, which may stand in an earlier month."""

    reference: UUID
    paid_on: date
    kind: AssistanceKind
    amount_minor: int
    currency: Currency
    method: PaymentMethod
    reversal_of: UUID | None


class LedgerRead(Read):
    """A page of a month's lines; the totals are those of the whole month, by currency."""

    month: str
    totals: dict[Currency, int]
    items: list[LedgerLine]
    next_cursor: str | None
