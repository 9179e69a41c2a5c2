"""Second factors, the instant at which a session last proved its factors, and factors that are due.

Revision: 0005
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    false = sa.text("false")
    op.add_column("user_credentials", sa.Column("must_change", sa.Boolean(), nullable=False, server_default=false))
    op.add_column("user_credentials", sa.Column("mfa_due", sa.Boolean(), nullable=False, server_default=false))
    op.add_column("sessions", sa.Column("proved_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "user_totp",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.create_table(
        "user_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "create", "change", "password_reset", "mfa_reset", name="userrequestkind", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("wanted", postgresql.JSONB(), nullable=False),
        sa.Column("awaiting", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["requested_by"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_user_requests_user_id", "user_requests", ["user_id"], unique=False)
    op.create_index(
        "user_requests_open", "user_requests", ["user_id"], unique=True, postgresql_where=sa.text("settled_at IS NULL")
    )


def downgrade() -> None:
    raise NotImplementedError("second factors are not thrown away")
