"""Every exclusion is a decision of its own, also beside another about the same user; one lock orders them.

Revision: 0003, 2026-11-28 01:40:00
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("one_exclusion", table_name="case_exclusions")
    op.create_index(
        "one_exclusion",
        "case_exclusions",
        ["case_id", "user_id", "origin_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table("client_graph", sa.Column("id", sa.Integer(), nullable=False), sa.PrimaryKeyConstraint("id"))
    op.execute("insert into client_graph (id) values (1)")
