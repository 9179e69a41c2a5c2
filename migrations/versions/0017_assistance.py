"""Assistance: requests, what was handed over, and the amount that one person alone may approve.

Revision: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

REQUEST_RULES = {
    "amount": "(amount_minor is null) = (currency is null) and amount_minor between 1 and 1000000000000"
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
DISBURSEMENT_RULE = (
    "amount_minor is null or abs(amount_minor) between 1 and 1000000000000"
    " and (amount_minor < 0) = (reversal_of is not null)"
)


def upgrade() -> None:
    for currency, ceiling in (("khr", "800000"), ("usd", "20000")):
        name = f"assistance_ceiling_{currency}_minor"
        op.add_column("organisations", sa.Column(name, sa.BigInteger(), nullable=False, server_default=ceiling))
        op.alter_column("organisations", name, server_default=None)
    _requests()
    _disbursements()


def _requests() -> None:
    op.create_table(
        "assistance_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=40), nullable=True),
        sa.Column("first_approved_minor", sa.BigInteger(), nullable=True),
        sa.Column("first_approved_by", sa.Uuid(), nullable=True),
        sa.Column("first_approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_minor", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_minor", sa.BigInteger(), nullable=False),
        sa.Column("payments", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["first_approved_by"], ["users.id"]),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"]),
        sa.ForeignKeyConstraint(["ended_by"], ["users.id"]),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"]),
        sa.ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("id", "case_id", "organisation_id", name="assistance_requests_home"),
        *(sa.CheckConstraint(rule, name=f"assistance_requests_{name}") for name, rule in REQUEST_RULES.items()),
    )
    index = op.create_index
    index("ix_assistance_requests_case", "assistance_requests", ["case_id", "created_at", "id"])
    index("ix_assistance_requests_newest", "assistance_requests", ["organisation_id", "created_at", "id"])
    index("ix_assistance_requests_status", "assistance_requests", ["organisation_id", "status", "created_at", "id"])


def _disbursements() -> None:
    op.create_table(
        "assistance_disbursements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Uuid(), nullable=False),
        sa.Column("reversal_of", sa.Uuid(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["request_id", "case_id", "organisation_id"],
            ["assistance_requests.id", "assistance_requests.case_id", "assistance_requests.organisation_id"],
        ),
        sa.ForeignKeyConstraint(["reversal_of"], ["assistance_disbursements.id"]),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("reference"),
        sa.UniqueConstraint("reversal_of"),
        sa.CheckConstraint(DISBURSEMENT_RULE, name="assistance_disbursements_amount"),
    )
    index = op.create_index
    index("ix_assistance_disbursements_request", "assistance_disbursements", ["request_id", "created_at", "id"])
    index("ix_assistance_disbursements_case", "assistance_disbursements", ["case_id"])
    index("ix_assistance_disbursements_month", "assistance_disbursements", ["organisation_id", "paid_on", "reference"])
