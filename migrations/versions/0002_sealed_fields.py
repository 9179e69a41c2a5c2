"""Private fields become one sealed blob per row, with the data keys in a schema of their own.

Before this, the demo and load data were all that could be here: what is not sealed cannot be sealed by SQL, so a
database with cases is refused. The README of that time said not to enter real people.

Revision: 0002, 2026-11-28 01:30:00
"""

import sqlalchemy as sa
from alembic import op

from app.settings import SetupError

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ALWAYS = ("cases", "people", "households", "incidents", "notes")
SOMETIMES = ("assignments", "break_glass_grants", "case_exclusions", "consents", "events")
OF_OLD = (*ALWAYS, "assignments", "case_exclusions", "consents", "events")


def upgrade() -> None:
    try:
        # Row level security hides the rows from the owner, but not from a constraint.
        op.add_column("cases", sa.Column("sealed", sa.LargeBinary(), nullable=False))
    except sa.exc.IntegrityError:
        raise SetupError("this database was filled before fields were sealed; take a new --data-dir") from None
    for table in ALWAYS[1:]:
        op.add_column(table, sa.Column("sealed", sa.LargeBinary(), nullable=False))
    for table in SOMETIMES:
        op.add_column(table, sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.add_column("case_exclusions", sa.Column("lift_sealed", sa.LargeBinary(), nullable=True))
    for table in OF_OLD:
        op.drop_column(table, "private")
    op.execute("create schema vault")
    op.create_table(
        "data_keys",
        sa.Column("home", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("kek_id", sa.String(length=16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("home"),
        schema="vault",
    )
    op.create_index("ix_data_keys_case", "data_keys", ["case_id"], schema="vault")
    op.create_index("ix_data_keys_kek", "data_keys", ["kek_id"], schema="vault")
    op.create_table(
        "key_checks",
        sa.Column("kek_id", sa.String(length=16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kek_id"),
        schema="vault",
    )
