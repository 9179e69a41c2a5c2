"""The trail: chained rows, their heads, signed heads, and what verifications found.

The rows have no foreign keys: they outlive what they speak of, and name ids that were asked for and never existed.

Revision: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("case_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("via", postgresql.ARRAY(sa.String()), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("account", sa.LargeBinary(), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        # Codes and ids only: no text of a person fits in, and the text under the hash can be read in one way alone.
        sa.CheckConstraint("kind in ('casework', 'account', 'settings', 'export')", name="audit_events_kind"),
        sa.CheckConstraint("action ~ '^[a-z][a-z0-9_]{0,59}$'", name="audit_events_action"),
        sa.CheckConstraint("reason ~ '^[a-z][a-z0-9_]{0,59}$'", name="audit_events_reason"),
        sa.CheckConstraint("request_id ~ '^[A-Za-z0-9-]{8,64}$'", name="audit_events_request"),
        sa.CheckConstraint("array_to_string(via, '') ~ '^[a-z_]*$'", name="audit_events_via"),
        sa.CheckConstraint("cardinality(via) in (0, cardinality(case_ids))", name="audit_events_via_beside"),
        sa.CheckConstraint("counted >= 1", name="audit_events_counted"),
        sa.PrimaryKeyConstraint("shard", "seq"),
    )
    op.create_index("ix_audit_events_at", "audit_events", ["at", "id"])
    op.create_index("ix_audit_events_actor", "audit_events", ["actor_id", "at", "id"])
    op.create_index("ix_audit_events_cases", "audit_events", ["case_ids"], postgresql_using="gin")
    op.create_index(
        "ix_audit_events_apart", "audit_events", ["at", "id"], postgresql_where=sa.text("kind <> 'casework'")
    )
    op.create_table(
        "audit_heads",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("shard"),
    )
    # Sixteen rows that every request writes: room on the page, so that a new version of one stays on it.
    op.execute("alter table audit_heads set (fillfactor = 10)")
    op.execute("insert into audit_heads select n, 0, decode(repeat('00', 32), 'hex') from generate_series(0, 15) n")
    op.create_table(
        "audit_signatures",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("at"),
    )
    op.create_table(
        "audit_verifications",
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("signatures", sa.BigInteger(), nullable=False),
        sa.Column("faults", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("at"),
    )


def downgrade() -> None:
    raise NotImplementedError("a trail is not taken away; restore a backup from before instead")
