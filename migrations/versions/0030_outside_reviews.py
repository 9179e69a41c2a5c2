"""A supervisor of another signatory organisation reviews where nobody of the own one can; a plan is due for a review.

Revision: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "outside_reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("lender_id", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_by", sa.Uuid(), nullable=True),
        sa.Column("assignment_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["lender_id"], ["organisations.id"]),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"]),
        sa.ForeignKeyConstraint(["completed_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    waits = sa.text("withdrawn_at IS NULL AND completed_at IS NULL")
    op.create_index("one_outside_review", "outside_reviews", ["case_id"], unique=True, postgresql_where=waits)
    op.create_index(
        "ix_outside_reviews_waiting",
        "outside_reviews",
        [sa.text("created_at DESC"), sa.text("id DESC")],
        postgresql_where=waits,
    )
    op.create_index("ix_outside_reviews_case", "outside_reviews", ["case_id"])
    op.create_index("ix_outside_reviews_user_id", "outside_reviews", ["user_id"])
    # Until a plan is written anew its date is sealed only: nothing here can open it.
    op.add_column("safety_plans", sa.Column("review_due_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("safety_plans", "review_due_on")
    op.drop_table("outside_reviews")
