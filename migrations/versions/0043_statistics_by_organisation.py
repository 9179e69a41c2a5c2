"""Who agreed to statistics is looked up for one organisation, without a look into the table.

Revision: 0043
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0038"
branch_labels = None
depends_on = None

STANDING = sa.text("purpose = 'statistics' AND withdrawn_at IS NULL")


def upgrade() -> None:
    op.drop_index("ix_consents_statistics", "consents")
    op.create_index(
        "ix_consents_statistics",
        "consents",
        ["organisation_id", "case_id"],
        postgresql_include=["obtained_on", "expires_on"],
        postgresql_where=STANDING,
    )


def downgrade() -> None:
    op.drop_index("ix_consents_statistics", "consents")
    op.create_index("ix_consents_statistics", "consents", ["case_id"], postgresql_where=STANDING)
