"""Each referral's events in their order in the feed; what was sent under a partner's number; who answers for a system.

Revision: 0034
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    told = sa.text("referral_id IS NOT NULL")
    place = sa.text("COALESCE(referral_place, 0)")
    for name, side in (("ix_events_partner", "partner_id"), ("ix_events_referred", "organisation_id")):
        op.drop_index(name, "events")
        op.create_index(name, "events", [side, "xid", place, "id"], postgresql_where=told)
    op.add_column("referrals", sa.Column("sent_digest", sa.LargeBinary(), nullable=True))
    op.add_column("users", sa.Column("keeper_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(None, "users", "users", ["keeper_id"], ["id"])
    op.execute("""
        update users u set keeper_id = r.confirmed_by[1]
          from user_requests r
         where u.system and r.user_id = u.id and r.kind = 'client' and cardinality(r.confirmed_by) > 0
    """)


def downgrade() -> None:
    raise NotImplementedError("exclusions of who confirmed a system would count no more")
