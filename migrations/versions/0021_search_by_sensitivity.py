"""Search tokens tell sensitive cases apart, so that a search walks past nobody whom its caller cannot see.

Revision: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0019"
branch_labels = None
depends_on = None



def upgrade() -> None:
    op.add_column("search_tokens", sa.Column("sensitive", sa.Boolean(), nullable=False, server_default=sa.false()))
    _key("organisation_id, kind, token, sensitive, person_id")
    # Of the own cases, the people of one token.
    op.create_index(
        "ix_search_tokens_case", "search_tokens", ["case_id", "kind", "token"], postgresql_where=sa.text("sensitive")
    )


def downgrade() -> None:
    op.drop_index("ix_search_tokens_case", "search_tokens")
    _key("organisation_id, kind, token, person_id")
    op.drop_column("search_tokens", "sensitive")


def _key(columns: str) -> None:
    op.drop_constraint("search_tokens_pkey", "search_tokens")
    op.execute(f"alter table search_tokens add primary key ({columns}) include (case_id)")
