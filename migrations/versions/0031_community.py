"""The programme around the cases: activities, home visits, commitments, feedback, businesses, distributions.

Revision: 0031
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

PROTECTED = (
    "case_id is not null"
    " or topics ?| array['domestic_violence'::text, 'family_planning'::text, 'marital_issue'::text]"
    " or outcome::text = any (array['case_opened'::text, 'referred'::text, 'follow_up_planned'::text])"
)
CAMPAIGN_HAS_REACH = (
    "(kind = 'media_campaign') = (channel is not null)"
    " and (kind = 'media_campaign') = (reach is not null)"
    " and (kind <> 'media_campaign' or people = 0)"
)
OF_ACTIVITY = (["activity_id", "organisation_id"], ["activities.id", "activities.organisation_id"])


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=nullable)


def _code(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=40), nullable=nullable)


def _day(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=nullable)


def _id(name: str, refers_to: str | None = None, *, nullable: bool = False) -> sa.Column[object]:
    keys = [] if refers_to is None else [sa.ForeignKey(f"{refers_to}.id")]
    return sa.Column(name, sa.Uuid(), *keys, nullable=nullable)


def _count(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _yes(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=True)


def _json(name: str) -> sa.Column[object]:
    return sa.Column(name, postgresql.JSONB(), nullable=False)


def _create(table: str, *parts: sa.schema.SchemaItem, day: str) -> None:
    """A record of an organisation: what every editable row has, whose it is, who wrote it down and when."""
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        _id("organisation_id", "organisations"),
        *parts,
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        _id("created_by", "users"),
    )
    newest = ["organisation_id", sa.text("created_at DESC"), sa.text("id DESC")]
    op.create_index(f"ix_{table}_newest", table, newest)
    op.create_index(f"ix_{table}_day", table, ["organisation_id", day])


def _index(table: str, column: str, *, whole: bool = True) -> None:
    where = None if whole else sa.text(f"{column} IS NOT NULL")
    op.create_index(f"ix_{table}_{column.removesuffix('_id')}", table, [column], postgresql_where=where)


def upgrade() -> None:
    _activities()
    _visits_and_relief()
    _words()
    _create(
        "businesses",
        *(_code("kind"), _id("owner_id", "people"), _code("owner_sex"), _code("owner_age_band")),
        *(_yes("owner_disability"), _text("commune_code"), _day("started_on")),
        _id("activity_id", "activities", nullable=True),
        *(_yes("alive_at_3_months"), _yes("alive_at_6_months"), _yes("alive_at_12_months")),
        day="started_on",
    )
    _index("businesses", "owner_id")
    _index("businesses", "activity_id", whole=False)
    # Where the programme works; none: nowhere in particular.
    op.add_column("organisations", sa.Column("programme_communes", postgresql.JSONB(), server_default="[]"))
    op.alter_column("organisations", "programme_communes", nullable=False, server_default=None)
    # What few may read is now not of cases only: feedback too.
    op.drop_constraint("data_keys_part_of_a_case", "data_keys", schema="vault")


def _activities() -> None:
    _create(
        "activities",
        *(_code("kind"), _day("starts_on"), _day("ends_on")),
        *(_text("commune_code"), _text("village_code", nullable=True), _json("topics"), _json("facilitators")),
        *(_count("people"), _json("groups"), _code("channel", nullable=True)),
        *(_count("reach", nullable=True), _text("reach_basis", nullable=True)),
        sa.UniqueConstraint("id", "organisation_id", name="activities_home"),
        sa.CheckConstraint("ends_on >= starts_on", name="ends_after_it_starts"),
        sa.CheckConstraint(CAMPAIGN_HAS_REACH, name="campaign_has_reach"),
        day="starts_on",
    )
    op.create_table(
        "activity_attendance",
        sa.Column("id", sa.Uuid(), primary_key=True),
        *(_id("activity_id"), _id("organisation_id"), _code("sex"), _code("age_band"), _yes("disability")),
        _count("people"),
        sa.ForeignKeyConstraint(*OF_ACTIVITY, ondelete="CASCADE"),
        sa.UniqueConstraint(
            *("activity_id", "sex", "age_band", "disability"),
            name="attendance_cell",
            postgresql_nulls_not_distinct=True,
        ),
        sa.CheckConstraint("people > 0", name="somebody_came"),
    )
    op.create_table(
        "activity_participants",
        *(_id("activity_id"), _id("person_id", "people"), _id("organisation_id")),
        *(_code("participant_group", nullable=True), _code("sex"), _code("age_band"), _yes("disability")),
        sa.PrimaryKeyConstraint("activity_id", "person_id"),
        sa.ForeignKeyConstraint(*OF_ACTIVITY, ondelete="CASCADE"),
    )
    _index("activity_participants", "person_id")


def _visits_and_relief() -> None:
    _create(
        "home_visits",
        *(_id("household_id", "households"), _id("case_id", nullable=True), _id("caseworker_id", "users")),
        *(_day("visited_on"), _text("commune_code", nullable=True), _json("topics"), _code("outcome")),
        _day("next_visit_on", nullable=True),
        sa.Column("protected", sa.Boolean(), sa.Computed(PROTECTED, persisted=True), nullable=False),
        sa.Column("erased", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        day="visited_on",
    )
    _index("home_visits", "household_id")
    _index("home_visits", "case_id", whole=False)
    _create(
        "distributions",
        *(_id("household_id", "households"), _code("cause"), _text("item"), _count("quantity")),
        *(_day("distributed_on"), _text("commune_code", nullable=True)),
        sa.CheckConstraint("quantity > 0", name="something_was_given"),
        day="distributed_on",
    )
    _index("distributions", "household_id")


def _words() -> None:
    _create(
        "commitments",
        *(_code("promised_by"), _text("commune_code"), _code("issue"), _id("activity_id", "activities", nullable=True)),
        *(_day("made_on"), _day("due_on", nullable=True), _code("status"), _day("status_on", nullable=True)),
        sa.CheckConstraint("due_on is null or due_on >= made_on", name="due_after_it_was_made"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        day="made_on",
    )
    _index("commitments", "activity_id", whole=False)
    _create(
        "feedback",
        *(_code("public_service"), _text("commune_code"), _text("village_code", nullable=True), _code("sentiment")),
        *(_day("given_on"), _code("given_sex"), _code("given_age_band"), _count("given_people")),
        _day("responded_on", nullable=True),
        sa.CheckConstraint("given_people > 0", name="somebody_said_it"),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        day="given_on",
    )


def downgrade() -> None:
    for table in ("businesses", "distributions", "home_visits", "feedback", "commitments"):
        op.drop_table(table)
    for table in ("activity_participants", "activity_attendance", "activities"):
        op.drop_table(table)
    op.drop_column("organisations", "programme_communes")
    op.create_check_constraint(
        "data_keys_part_of_a_case", "data_keys", "part is null or case_id is not null", schema="vault"
    )
