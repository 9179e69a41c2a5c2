"""Whereabouts with keys of their own, and alerts about accounts that read many cases in an hour.

Revision: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A key that not everybody who sees the case may have says so; a case's own key, and a register row's, says nothing.
    op.add_column("data_keys", sa.Column("part", sa.String(length=40), nullable=True), schema="vault")
    op.create_check_constraint(
        "data_keys_part_of_a_case", "data_keys", "part is null or case_id is not null", schema="vault"
    )
    op.create_table(
        "whereabouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_whereabouts_case", "whereabouts", ["case_id"], unique=True)
    op.create_table(
        "reading_alerts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_reading_alerts_newest", "reading_alerts", ["organisation_id", sa.text("at DESC"), "id"])
    op.create_index("ix_reading_alerts_user", "reading_alerts", ["user_id", "at"])
    op.create_table(
        "reading_watch",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("watched_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("insert into reading_watch (id) values (1)")
