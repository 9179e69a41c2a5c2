"""What a partner's system may do, and when somebody of its organisation said yes to it.

Systems that are there already could do everything and reached nothing: they keep the one and wait for the other.

Revision: 0027
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("scopes", postgresql.ARRAY(sa.String()), nullable=True))
    op.add_column("users", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("update users set scopes = '{referral:answer,referral:read,referral:send}' where system")
    op.create_check_constraint("ck_users_scopes", "users", "system = (scopes is not null)")


def downgrade() -> None:
    raise NotImplementedError("an unconfirmed system would act again")
