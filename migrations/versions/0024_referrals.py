"""Referrals between organisations, what they tell, and the words between the two sides.

Revision: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

OPEN = sa.text("status in ('requested', 'accepted', 'in_progress', 'on_hold')")
NEWEST = [sa.text("created_at DESC"), sa.text("id DESC")]


def _edited() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    ]


def _of_case() -> list[sa.Column[object]]:
    return [
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
    ]


def _code(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=40), nullable=nullable)


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def upgrade() -> None:
    of_case = (["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"])
    op.create_table(
        "referrals",
        *_edited(),
        *_of_case(),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        _code("direction"),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=True),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("external_id", sa.String(length=64), nullable=True),
        _code("sector"),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("standard", sa.Boolean(), nullable=False),
        sa.Column("province_code", sa.String(length=2), nullable=False),
        _code("priority"),
        _code("status"),
        _code("business_status", nullable=True),
        _time("appointment_at"),
        _code("reason_code", nullable=True),
        _code("outcome_code", nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        *[_time(name) for name in ("overdue_at", "escalated_at", "answered_at", "ended_at", "disclosed_until")],
        _time("contact_suspended_at"),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("open_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(*of_case),
        sa.ForeignKeyConstraint(["partner_id"], ["organisations.id"]),
        # Erasure takes consents away before referrals: see erase_rows_of.
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"]),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
    )
    op.create_index("ix_referrals_case", "referrals", ["case_id", "created_at"])
    op.create_index("ix_referrals_partner", "referrals", ["partner_id", *NEWEST])
    op.create_index("ix_referrals_partner_status", "referrals", ["partner_id", "status", *NEWEST])
    standard = sa.text("standard")
    op.create_index("ix_referrals_standard", "referrals", ["organisation_id", *NEWEST], postgresql_where=standard)
    op.create_index("ix_referrals_consent", "referrals", ["consent_id"])
    op.create_index("ix_referrals_service_id", "referrals", ["service_id"])
    op.create_index("ix_referrals_due", "referrals", ["due_at"], postgresql_where=OPEN)
    silent = sa.text(f"standard and direction = 'out' and {OPEN.text}")
    op.create_index("ix_referrals_silent", "referrals", ["organisation_id", "due_at"], postgresql_where=silent)
    disclosed = sa.text("disclosed_until IS NOT NULL")
    op.create_index("ix_referrals_disclosed", "referrals", ["disclosed_until"], postgresql_where=disclosed)
    op.create_index(
        "one_referral_of_an_external_id",
        "referrals",
        ["partner_id", "external_id"],
        unique=True,
        postgresql_where=sa.text("direction = 'in'"),
    )
    op.create_table(
        "referral_snapshots",
        *_edited(),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        *_of_case(),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("contact_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(*of_case),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("referral_id"),
    )
    op.create_index("ix_referral_snapshots_case_id", "referral_snapshots", ["case_id"])
    op.create_table(
        "referral_messages",
        *_edited(),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("snapshot_id", sa.Uuid(), nullable=False),
        *_of_case(),
        sa.Column("by_partner", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(*of_case),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"]),
        sa.ForeignKeyConstraint(["snapshot_id"], ["referral_snapshots.id"]),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_referral_messages", "referral_messages", ["referral_id", "created_at"])
    op.create_index("ix_referral_messages_case_id", "referral_messages", ["case_id"])
    op.add_column("events", sa.Column("referral_id", sa.Uuid(), nullable=True))
    op.add_column("events", sa.Column("partner_id", sa.Uuid(), nullable=True))
    told = sa.text("referral_id IS NOT NULL")
    op.create_index("ix_events_partner", "events", ["partner_id", "xid", "id"], postgresql_where=told)
    op.create_index("ix_events_referred", "events", ["organisation_id", "xid", "id"], postgresql_where=told)
