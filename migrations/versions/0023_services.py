"""The directory of services.

Revision: 0023
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "services",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("service_type", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_km", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("description_km", sa.String(), nullable=True),
        sa.Column("eligibility", sa.String(), nullable=True),
        sa.Column("eligibility_km", sa.String(), nullable=True),
        sa.Column("minimum_age", sa.Integer(), nullable=True),
        sa.Column("maximum_age", sa.Integer(), nullable=True),
        sa.Column("sex_served", sa.String(length=40), nullable=True),
        sa.Column("fees", sa.String(), nullable=True),
        sa.Column("fees_km", sa.String(), nullable=True),
        sa.Column("languages", postgresql.JSONB(), nullable=False),
        sa.Column("schedules", postgresql.JSONB(), nullable=False),
        sa.Column("phones", postgresql.JSONB(), nullable=False),
        sa.Column("locations", postgresql.JSONB(), nullable=False),
        sa.Column("capacity_open", sa.Boolean(), nullable=True),
        sa.Column("places_total", sa.Integer(), nullable=True),
        sa.Column("places_free", sa.Integer(), nullable=True),
        sa.Column("assured_on", sa.Date(), nullable=True),
        sa.CheckConstraint("service_type <> 'shelter' OR locations = '[]'::jsonb", name="shelter_has_no_place"),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_services_newest", "services", [sa.text("created_at DESC"), sa.text("id DESC")])
    op.create_index("ix_services_organisation", "services", ["organisation_id"])
    op.create_index("ix_services_type", "services", ["service_type"])


def downgrade() -> None:
    op.drop_table("services")
