"""Requests for assistance tell those of standard cases apart, so that a list walks past nobody's hidden ones; which
date an opening planned by itself, and which transfer was told to be overdue.

Revision: 0026
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None

TABLE = "assistance_requests"
BY_ORGANISATION = {
    "ix_assistance_requests_newest": ["organisation_id", "created_at", "id"],
    "ix_assistance_requests_status": ["organisation_id", "status", "created_at", "id"],
}
UNTOLD = sa.text("status = 'requested' AND overdue_at IS NULL")


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("standard", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column(TABLE, "standard", server_default=None)
    # The owner is under the row policies, too, until the SQL files force them again in this very transaction.
    for table in (TABLE, "cases"):
        op.execute(f"alter table {table} no force row level security")
    op.execute(
        f"update {TABLE} r set standard = true from cases c where c.id = r.case_id and c.sensitivity = 'standard'"
    )
    for name, columns in BY_ORGANISATION.items():
        op.drop_index(name, TABLE)
        op.create_index(name, TABLE, columns, postgresql_where=sa.text("standard"))
    op.add_column("follow_ups", sa.Column("of_opening", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("transfers", sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_transfers_untold", "transfers", ["due_at"], postgresql_where=UNTOLD)
    # Of tens of thousands of rows of a staff, the few that are the supervisors' own.
    op.create_index(
        "ix_case_access_reviewers", "case_access", ["principal"], postgresql_where=sa.text("via = 'reviewer'")
    )


def downgrade() -> None:
    op.drop_index("ix_transfers_untold", "transfers")
    op.drop_column("transfers", "overdue_at")
    op.drop_column("follow_ups", "of_opening")
    op.drop_index("ix_case_access_reviewers", "case_access")
    for name, columns in BY_ORGANISATION.items():
        op.drop_index(name, TABLE)
        op.create_index(name, TABLE, columns)
    op.drop_column(TABLE, "standard")
