"""The flow of cases through every slice, frozen versions of the quarterly report, and the targets beside its figures.

Revision: 0033
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0033"
down_revision = "0031"
branch_labels = None
depends_on = None

# What is known of cases that are older than this table: their present slice, and the steps of their timeline.
OPENED = """
    insert into case_flow (id, case_id, organisation_id, at, kind, enters, commune_code, category, client_sex,
                           client_age_band, client_disability, late, statistics)
    select gen_random_uuid(), c.id, c.organisation_id, c.opened_at,
           case when exists (select from transfers t where t.opened_case_id = c.id) then 'moved_in' else 'opened' end,
           true, c.commune_code, c.category, c.client_sex, c.client_age_band, c.client_disability, false, false
      from cases c
"""
STEPS = """
    insert into case_flow (id, case_id, organisation_id, at, kind, enters, commune_code, category, client_sex,
                           client_age_band, client_disability, late, statistics)
    select gen_random_uuid(), c.id, c.organisation_id,
           case when c.erased_at is null then e.at
                else date_trunc('month', e.at at time zone 'Asia/Phnom_Penh') at time zone 'Asia/Phnom_Penh' end,
           case when e.data ->> 'to' <> 'closed' then 'reopened'
                when exists (select from transfers t where t.case_id = c.id and t.status = 'accepted') then 'moved_out'
                else 'closed' end,
           e.data ->> 'to' <> 'closed', c.commune_code, c.category, c.client_sex, c.client_age_band,
           c.client_disability, false, false
      from events e join cases c on c.id = e.case_id
     where e.type = 'case.status_changed' and 'closed' in (e.data ->> 'to', e.data ->> 'from')
"""
# Cases of a load have no timeline, and those that were handed over leave without a step.
ENDED = """
    insert into case_flow (id, case_id, organisation_id, at, kind, enters, commune_code, category, client_sex,
                           client_age_band, client_disability, late, statistics)
    select gen_random_uuid(), c.id, c.organisation_id,
           case when c.status <> 'closed'
                then date_trunc('month', c.erased_at at time zone 'Asia/Phnom_Penh') at time zone 'Asia/Phnom_Penh'
                else coalesce(c.closed_at, c.updated_at) end,
           case when c.status <> 'closed' then 'erased' when c.closure_reason = 'transferred' then 'moved_out'
                else 'closed' end,
           false, c.commune_code, c.category, c.client_sex, c.client_age_band, c.client_disability, false, false
      from cases c
      join (select case_id, sum(case when enters then 1 else -1 end) as entered from case_flow group by case_id) f
        on f.case_id = c.id
     where f.entered > 0 and (c.status = 'closed' or c.erased_at is not null)
"""


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _id(name: str, refers_to: str | None = None) -> sa.Column[object]:
    keys = [] if refers_to is None else [sa.ForeignKey(f"{refers_to}.id")]
    return sa.Column(name, sa.Uuid(), *keys, nullable=False)


def _yes(name: str, *, nullable: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=nullable)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def upgrade() -> None:
    _flow()
    _versions()
    op.create_table(
        "report_targets",
        sa.Column("id", sa.Uuid(), primary_key=True),
        *(_id("organisation_id", "organisations"), _text("period", 6)),
        sa.Column("targets", postgresql.JSONB(), nullable=False),
        *(_id("set_by", "users"), _moment("set_at")),
        sa.UniqueConstraint("organisation_id", "period", name="one_set_of_targets"),
    )


def _flow() -> None:
    op.create_table(
        "case_flow",
        sa.Column("id", sa.Uuid(), primary_key=True),
        *(_id("case_id"), _id("organisation_id"), _moment("at"), _text("kind", 40), _yes("enters")),
        _text("moved", 40, nullable=True),
        *(_text("commune_code"), _text("category", 40), _text("client_sex", 40), _text("client_age_band", 40)),
        *(_yes("client_disability", nullable=True), _yes("late"), _yes("statistics")),
        sa.ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
    )
    # The owner is under the row policies, too, until the SQL files force them again in this very transaction.
    for table in ("cases", "events", "transfers"):
        op.execute(f"alter table {table} no force row level security")
    for statement in (OPENED, STEPS, ENDED):
        op.execute(statement)
    op.create_index("ix_case_flow_at", "case_flow", ["organisation_id", "at"])
    op.create_index("ix_case_flow_case", "case_flow", ["case_id"])
    op.create_index(
        "ix_consents_statistics",
        "consents",
        ["case_id"],
        postgresql_where=sa.text("purpose = 'statistics' AND withdrawn_at IS NULL"),
    )


def _versions() -> None:
    op.create_table(
        "report_versions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        *(_id("organisation_id", "organisations"), _text("period", 6)),
        sa.Column("number", sa.Integer(), nullable=False),
        *(sa.Column("starts_on", sa.Date(), nullable=False), sa.Column("ends_on", sa.Date(), nullable=False)),
        *(_moment("as_of"), _moment("submitted_at"), _id("submitted_by", "users")),
        *(sa.Column("body", sa.Text(), nullable=False), _text("sha256", 64)),
        sa.Column("records", postgresql.JSONB(), nullable=False),
        sa.UniqueConstraint("organisation_id", "period", "number", name="report_versions_number"),
    )


def downgrade() -> None:
    op.drop_index("ix_consents_statistics", "consents")
    for table in ("report_targets", "report_versions", "case_flow"):
        op.drop_table(table)
