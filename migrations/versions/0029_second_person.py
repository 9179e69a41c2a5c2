"""What waits for a second person is found without walking all that was agreed to and told.

Revision: 0029
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_consents_bypass",
        "consents",
        ["organisation_id", "case_id"],
        postgresql_where=sa.text("bypass_until IS NOT NULL AND bypass_confirmed_at IS NULL AND withdrawn_at IS NULL"),
    )
    op.create_index(
        "ix_disclosures_waiting",
        "disclosures",
        ["organisation_id", "case_id"],
        postgresql_where=sa.text("confirmed_by IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_disclosures_waiting", "disclosures")
    op.drop_index("ix_consents_bypass", "consents")
