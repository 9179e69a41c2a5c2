"""${message}

Migration safety, before this is merged:
- Runs inside one transaction with the policies; nothing here commits, and no `CREATE INDEX CONCURRENTLY`.
- A new column is nullable or has a constant default: adding it must not rewrite a table of a million rows.
- A column or table is dropped one release after the code stopped reading it.
- A new table with a `case_id` or people in it: row level security enabled and forced, a policy in migrations/sql/,
  `organisation_id not null`, and a line in the inventory test. Alembic does not see policies.
- Locks: an index or constraint on a big table takes seconds or is added NOT VALID first.

Revision: ${up_revision}, after ${down_revision | comma,n}, ${create_date}
"""

import sqlalchemy as sa
import sqlmodel
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
