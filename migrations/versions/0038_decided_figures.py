"""Whether a case is in the figures is decided by the first report that tells of it; the part that is sensitive.

Revision: 0038
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("sensitive", "decided"):
        op.add_column("case_flow", sa.Column(name, sa.Boolean(), server_default="false", nullable=False))
    # The owner is under the row policies, too, until the SQL files force them again in this very transaction.
    for table in ("cases", "case_flow"):
        op.execute(f"alter table {table} no force row level security")
    op.execute(
        "update case_flow f set sensitive = true from cases c where c.id = f.case_id and c.sensitivity = 'sensitive'"
    )


def downgrade() -> None:
    for name in ("decided", "sensitive"):
        op.drop_column("case_flow", name)
