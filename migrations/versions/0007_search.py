"""Search tokens of people: keyed hashes of how their names sound, and of their phones.

Revision: 0007
"""

import sqlalchemy as sa
from alembic import op

from app.settings import SetupError

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    try:
        # Row level security hides the rows from the owner, but not from a constraint. No SQL can make their tokens.
        op.add_column("people", sa.Column("searchable", sa.Boolean(), nullable=False))
    except sa.exc.IntegrityError:
        raise SetupError("this database was filled before people could be found; take a new --data-dir") from None
    op.drop_column("people", "searchable")
    # The key is the index that a search walks: within one organisation, all people of one token in order; with the
    # case, by which the row policies decide, so that the table itself need not be looked at.
    op.create_table(
        "search_tokens",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("token", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"]),
        sa.PrimaryKeyConstraint("organisation_id", "kind", "token", "person_id", postgresql_include=["case_id"]),
    )
    op.create_index("ix_search_tokens_person", "search_tokens", ["person_id"])


def downgrade() -> None:
    op.drop_table("search_tokens")
