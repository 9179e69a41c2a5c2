"""Screening: what users are called and whom they are related to, tokens of both sides, and what met.

Revision: 0008
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    false = sa.text("false")
    op.add_column("case_exclusions", sa.Column("unanswered", sa.Boolean(), nullable=False, server_default=false))
    op.create_table(
        "user_private",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("wanted", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "user_tokens",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False, server_default=false),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id", "kind", "token", "wanted"),
    )
    op.create_index("ix_user_tokens_token", "user_tokens", ["token"], postgresql_where=sa.text("NOT wanted"))
    op.create_table(
        "screening_tokens",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"]),
        sa.ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        sa.PrimaryKeyConstraint("incident_id", "token"),
    )
    op.create_index("ix_screening_tokens_token", "screening_tokens", ["token"])
    op.create_index("ix_screening_tokens_case", "screening_tokens", ["case_id"])
    op.create_table(
        "screening_matches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("evidence", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("led", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["answered_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "one_open_match",
        "screening_matches",
        ["case_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index("ix_screening_matches_case", "screening_matches", ["case_id", "user_id"])
    op.create_index(
        "ix_screening_matches_newest",
        "screening_matches",
        ["organisation_id", sa.literal_column("found_at DESC"), sa.literal_column("id DESC")],
    )
