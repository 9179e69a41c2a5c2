"""Webhooks of partners, what is on its way to them, and the place of an event among those of its referral.

Revision: 0025
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

PENDING = sa.text("status = 'pending'")


def upgrade() -> None:
    op.add_column("events", sa.Column("referral_place", sa.Integer(), nullable=True))
    told = sa.text("referral_id IS NOT NULL")
    op.create_index("ix_events_referral", "events", ["referral_id", "referral_place"], postgresql_where=told)
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("keeper_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("events", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("stopped_because", sa.String(length=40), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("previous_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("previous_until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"]),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"]),
        sa.ForeignKeyConstraint(["keeper_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_webhooks_organisation_id", "webhooks", ["organisation_id"])
    op.create_index("ix_webhooks_keeper", "webhooks", ["keeper_id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("webhook_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("referral_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claim", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_status_code", sa.SmallInteger(), nullable=True),
        sa.Column("last_problem", sa.String(length=40), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["webhook_id"], ["webhooks.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("webhook_id", "event_id", name="one_delivery"),
    )
    page = ["webhook_id", sa.text("created_at DESC"), sa.text("id DESC")]
    op.create_index("ix_webhook_deliveries_page", "webhook_deliveries", page)
    due = ["organisation_id", "next_attempt_at"]
    op.create_index("ix_webhook_deliveries_due", "webhook_deliveries", due, postgresql_where=PENDING)
    order = ["webhook_id", "referral_id", "place", "id"]
    op.create_index("ix_webhook_deliveries_order", "webhook_deliveries", order, postgresql_where=PENDING)
    done = sa.text("status = 'delivered'")
    op.create_index("ix_webhook_deliveries_done", "webhook_deliveries", ["delivered_at"], postgresql_where=done)
    dead = sa.text("status = 'dead'")
    op.create_index("ix_webhook_deliveries_dead", "webhook_deliveries", ["webhook_id"], postgresql_where=dead)
    claimed = sa.text("claim IS NOT NULL")
    op.create_index("ix_webhook_deliveries_claimed", "webhook_deliveries", ["organisation_id"], postgresql_where=claimed)
    op.create_index("ix_webhook_deliveries_case", "webhook_deliveries", ["case_id"])
