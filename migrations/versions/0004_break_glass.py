"""Break-glass: why a case was opened in an emergency, and what the review of it found.

Revision: 0004, 2026-11-28
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("break_glass_grants", sa.Column("review_sealed", sa.LargeBinary(), nullable=True))
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

