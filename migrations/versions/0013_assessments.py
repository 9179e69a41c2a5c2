"""The care plan: its actions, assessments, the levels of risk that a case has had, the safety plan.

Revision: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

OPEN = sa.text("completed_at IS NULL AND ended_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "actions",
        *_of_case(),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("assignee_id", sa.Uuid(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["completed_by"], ["users.id"]),
        *_keys(),
    )
    op.create_index("ix_actions_case", "actions", ["case_id", "created_at"])
    op.create_index("ix_actions_due", "actions", ["case_id", "due_at"], postgresql_where=OPEN)
    op.create_index("ix_actions_assignee", "actions", ["assignee_id", "due_at"], postgresql_where=OPEN)
    op.create_table("assessments", *_of_case(), sa.Column("tool", sa.String(length=40), nullable=False), *_keys())
    op.create_index("ix_assessments_case", "assessments", ["case_id", "created_at"])
    op.create_table(
        "risk_changes",
        *_of_case(),
        sa.Column("before", sa.String(length=40), nullable=False),
        sa.Column("level", sa.String(length=40), nullable=False),
        sa.Column("assessment_id", sa.Uuid(), nullable=True),
        sa.Column("review_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_by", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["assessment_id"], ["assessments.id"]),
        sa.ForeignKeyConstraint(["reviewed_by"], ["users.id"]),
        *_keys(),
    )
    op.create_index("ix_risk_changes_case", "risk_changes", ["case_id", "created_at"])
    op.create_table("safety_plans", *_of_case(), *_keys())
    op.create_index("ix_safety_plans_case", "safety_plans", ["case_id"], unique=True)


def _of_case() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    ]


def _keys() -> list[sa.schema.SchemaItem]:
    return [
        sa.ForeignKeyConstraint(["created_by"], ["users.id"]),
        sa.ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        sa.PrimaryKeyConstraint("id"),
    ]
