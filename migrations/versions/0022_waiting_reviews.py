"""What waits for a supervisor's look is found without walking the cases that do not.

Revision: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_risk_changes_waiting",
        "risk_changes",
        ["organisation_id", "case_id"],
        postgresql_where=sa.text("review_due_at IS NOT NULL AND reviewed_at IS NULL"),
    )
    op.create_index(
        "ix_cases_death_review", "cases", ["organisation_id"], postgresql_where=sa.text("death_review_due_at IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_cases_death_review", "cases")
    op.drop_index("ix_risk_changes_waiting", "risk_changes")
