"""Break-glass: why a case was opened in an emergency, and what the review of it found.

Revision: 0005, 2026-11-28
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default is for the rows that are there; from now on whoever writes a grant says why.
    op.add_column(
        "break_glass_grants",
        sa.Column("private", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default="{}"),
    )
    op.alter_column("break_glass_grants", "private", server_default=None)
    op.add_column("break_glass_grants", sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("break_glass_grants", sa.Column("reviewed_by", sa.Uuid(), nullable=True))
    op.add_column("break_glass_grants", sa.Column("finding", sa.String(length=40), nullable=True))
    op.create_foreign_key(None, "break_glass_grants", "users", ["reviewed_by"], ["id"])
    op.create_index(
        "ix_break_glass_grants_newest",
        "break_glass_grants",
        ["organisation_id", sa.literal_column("created_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_break_glass_grants_unreviewed",
        "break_glass_grants",
        ["user_id"],
        unique=False,
        postgresql_where=sa.text("reviewed_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_break_glass_grants_unreviewed", table_name="break_glass_grants")
    op.drop_index("ix_break_glass_grants_newest", table_name="break_glass_grants")
    for name in ("finding", "reviewed_by", "reviewed_at", "private"):
        op.drop_column("break_glass_grants", name)
