"""Anonymised exports: cohorts with their members, the ledger of releases, approvals, stored files.

Revision: 0035
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def _text(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def _id(name: str, refers_to: str | None = None, *, nullable: bool = False, key: bool = False) -> sa.Column[object]:
    keys = [] if refers_to is None else [sa.ForeignKey(f"{refers_to}.id")]
    return sa.Column(name, sa.Uuid(), *keys, nullable=nullable, primary_key=key)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    _cohorts()
    _ledger()
    _files()


def _cohorts() -> None:
    op.create_table(
        "export_cohorts",
        _id("id", key=True),
        _text("period", 6),
        *(sa.Column("starts_on", sa.Date(), nullable=False), sa.Column("ends_on", sa.Date(), nullable=False)),
        _moment("frozen_at"),
        sa.Column("cases", sa.Integer(), nullable=False),
        _moment("withdrawn_at", nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.UniqueConstraint("period"),
    )
    op.create_table(
        "export_members",
        *(_id("case_id", key=True), _id("organisation_id"), _id("cohort_id", "export_cohorts")),
        sa.ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
    )
    op.create_index("ix_export_members_cohort", "export_members", ["cohort_id"])
    op.create_table(
        "export_parties",
        *(_id("cohort_id", "export_cohorts", key=True), _id("organisation_id", "organisations", key=True)),
    )


def _ledger() -> None:
    op.create_table(
        "exports",
        _id("id", key=True),
        *(_text("profile", 40), _text("profile_version", 40), _text("profile_hash", 64), _text("period", 6)),
        _id("cohort_id", "export_cohorts", nullable=True),
        *(_text("state", 40), _text("code", 40, nullable=True), _text("stage", 40, nullable=True)),
        sa.Column("share", sa.Float(), nullable=False, server_default=sa.text("0")),
        *(sa.Column(name, postgresql.JSONB(), nullable=True) for name in ("known", "report", "told")),
        _text("manifest_sha256", 64, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False, server_default=sa.text("0")),
        *(_moment("not_before", nullable=True), _id("run", nullable=True), _moment("lease_until", nullable=True)),
        *(_id("requested_by", "users"), _moment("requested_at")),
        *(_moment(name, nullable=True) for name in ("frozen_at", "released_at", "withdrawn_at")),
        sa.UniqueConstraint("profile", "profile_version", "period", name="one_release_of_a_profile"),
    )
    op.create_index("ix_exports_newest", "exports", [sa.text("requested_at DESC"), sa.text("id DESC")])
    to_do = sa.text("state IN ('requested', 'freezing')")
    op.create_index("ix_exports_to_do", "exports", ["requested_at"], postgresql_where=to_do)
    op.create_index("ix_exports_cohort", "exports", ["cohort_id"])
    op.create_table(
        "export_approvals",
        *(_id("export_id", "exports", key=True), _id("organisation_id", "organisations", key=True)),
        *(_id("approved_by", "users"), _moment("approved_at"), _text("manifest_sha256", 64)),
        sa.UniqueConstraint("export_id", "approved_by", name="one_approval_of_a_person"),
    )


def _files() -> None:
    op.create_table(
        "export_files",
        _id("export_id", "exports", key=True),
        sa.Column("name", sa.String(length=100), primary_key=True, nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        _text("sha256", 64),
        sa.Column("rows", sa.Integer(), nullable=True),
    )
    op.create_table(
        "export_chunks",
        _id("export_id", key=True),
        sa.Column("name", sa.String(length=100), primary_key=True, nullable=False),
        sa.Column("number", sa.Integer(), primary_key=True, nullable=False, autoincrement=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id", "name"], ["export_files.export_id", "export_files.name"], ondelete="CASCADE"
        ),
    )
    # Most of it is compressed already: a part is read without being unpacked first.
    op.execute("alter table export_chunks alter column content set storage external")


def downgrade() -> None:
    for table in ("export_chunks", "export_files", "export_approvals", "exports", "export_parties"):
        op.drop_table(table)
    for table in ("export_members", "export_cohorts"):
        op.drop_table(table)
    op.execute("delete from vault.data_keys where part = 'export'")
