"""Consents of minors, what was told outside, and the review that a client's death asks for.

Revision: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SEEN_BY_SUPERVISORS = sa.text("status <> 'closed' OR death_review_due_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("cases", sa.Column("death_review_due_at", sa.DateTime(timezone=True), nullable=True))
    # A closed case whose client died stays in the caseload until a supervisor has looked.
    op.drop_index("ix_cases_organisation_open", "cases")
    op.create_index(
        "ix_cases_organisation_open", "cases", ["organisation_id", "id"], postgresql_where=SEEN_BY_SUPERVISORS
    )
    for name, kind in (
        ("caregiver_id", sa.Uuid()),
        ("caregiver_doubted_at", sa.DateTime(timezone=True)),
        ("bypass_until", sa.DateTime(timezone=True)),
        ("bypass_confirmed_at", sa.DateTime(timezone=True)),
        ("bypass_confirmed_by", sa.Uuid()),
    ):
        op.add_column("consents", sa.Column(name, kind, nullable=True))
    op.create_foreign_key("consents_caregiver_fk", "consents", "people", ["caregiver_id"], ["id"])
    op.create_foreign_key("consents_bypass_confirmed_by_fkey", "consents", "users", ["bypass_confirmed_by"], ["id"])
    op.create_table(
        "disclosures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("basis", sa.String(length=40), nullable=False),
        sa.Column("disclosed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["confirmed_by"], ["users.id"]),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"]),
        sa.ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_disclosures_case", "disclosures", ["case_id", "created_at"])
