"""The worklist: what is overdue is told once, what waits too long is escalated, and both are found by an index.

Revision: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

UNTOLD = sa.text("happened_at IS NULL AND ended_at IS NULL AND overdue_at IS NULL")
LEADERLESS = sa.text("lead_id IS NULL AND status <> 'closed' AND erased_at IS NULL")
TO_REVIEW = sa.text("erased_at IS NULL AND (status = 'closure_requested' OR escalated_at IS NOT NULL)")
HIGH_RISK = sa.text("risk_level = 'high' AND status <> 'closed' AND escalated_at IS NULL")


def upgrade() -> None:
    op.add_column("cases", sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("follow_ups", sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_follow_ups_untold", "follow_ups", ["due_at"], postgresql_where=UNTOLD)
    op.create_index("ix_cases_leaderless", "cases", ["organisation_id"], postgresql_where=LEADERLESS)
    op.create_index("ix_cases_to_review", "cases", ["organisation_id", "id"], postgresql_where=TO_REVIEW)
    op.create_index("ix_cases_high_risk", "cases", ["next_due_at"], postgresql_where=HIGH_RISK)
