"""Anonymised exports: the cohort of a quarter, what was released of it, who approved, and the files (exports.md)."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field as Rule
from sqlalchemy import Column, Float, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, Body, Read, coded
from app.models.codes.files import ExportState

TO_DO = text("state IN ('requested', 'freezing')")


class ExportCohort(SQLModel, table=True):
    """The cases of a quarter as they stood at one instant, for all releases of it. `sealed`: the rows without ids, that
    every profile is made from; gone, with its key, when a member was erased."""

    __tablename__ = "export_cohorts"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    period: str = Field(max_length=6, unique=True)
    starts_on: date
    ends_on: date
    frozen_at: datetime = Field(sa_type=TIMESTAMP)
    cases: int = 0
    withdrawn_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    sealed: bytes | None = None


class ExportMember(SQLModel, table=True):
    """A case is in one cohort, for ever; which rows of the release are its own is written nowhere."""

    __tablename__ = "export_members"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_export_members_cohort", "cohort_id"),
    )

    case_id: UUID = Field(primary_key=True)
    organisation_id: UUID
    cohort_id: UUID = Field(foreign_key="export_cohorts.id")


class ExportParty(SQLModel, table=True):
    """A signatory organisation that has rows in a cohort: a supervisor of it approves each release."""

    __tablename__ = "export_parties"

    cohort_id: UUID = Field(foreign_key="export_cohorts.id", primary_key=True)
    organisation_id: UUID = Field(foreign_key="organisations.id", primary_key=True)


class Export(SQLModel, table=True):
    """One release: the ledger. `known`: what was told of the cohort before, as it was when this one was frozen, so that
    another try gives the same bytes. `run` names who freezes it just now, until `lease_until`. `code`: why it was
    refused, or why the last try failed. `report`: the figures of the manifest, whose hash is what is approved. `told`:
    which counts it tells for certain; later reports reckon with them, also when it is withdrawn: they stay known."""

    __tablename__ = "exports"
    __table_args__ = (
        UniqueConstraint("profile", "profile_version", "period", name="one_release_of_a_profile"),
        Index("ix_exports_newest", text("requested_at DESC"), text("id DESC")),
        Index("ix_exports_to_do", "requested_at", postgresql_where=TO_DO),
        Index("ix_exports_cohort", "cohort_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    profile: str = Field(max_length=40)
    profile_version: str = Field(max_length=40)
    profile_hash: str = Field(max_length=64)
    period: str = Field(max_length=6)
    cohort_id: UUID | None = Field(default=None, foreign_key="export_cohorts.id")
    state: ExportState = Field(default=ExportState.REQUESTED, sa_type=coded(ExportState))
    code: str | None = Field(default=None, max_length=40)
    stage: str | None = Field(default=None, max_length=40)
    share: float = Field(default=0, sa_column=Column(Float(), nullable=False, server_default=text("0")))
    known: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB, nullable=True))
    report: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB, nullable=True))
    told: list[dict[str, str]] | None = Field(default=None, sa_column=Column(JSONB, nullable=True))
    manifest_sha256: str | None = Field(default=None, max_length=64)
    tries: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    not_before: datetime | None = Field(default=None, sa_type=TIMESTAMP)  # when it is tried again
    run: UUID | None = None
    lease_until: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    requested_by: UUID = Field(foreign_key="users.id")
    requested_at: datetime = Field(sa_type=TIMESTAMP)
    frozen_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    released_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    withdrawn_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class ExportApproval(SQLModel, table=True):
    """One organisation's yes to the very manifest of this hash, by a person who says it once for a cohort."""

    __tablename__ = "export_approvals"
    __table_args__ = (UniqueConstraint("export_id", "approved_by", name="one_approval_of_a_person"),)

    export_id: UUID = Field(foreign_key="exports.id", primary_key=True)
    organisation_id: UUID = Field(foreign_key="organisations.id", primary_key=True)
    approved_by: UUID = Field(foreign_key="users.id")
    approved_at: datetime = Field(sa_type=TIMESTAMP)
    manifest_sha256: str = Field(max_length=64)


class ExportFile(SQLModel, table=True):
    """One file of a release; `rows` is null where it has none (the manifest, the page)."""

    __tablename__ = "export_files"

    export_id: UUID = Field(foreign_key="exports.id", primary_key=True)
    name: str = Field(max_length=100, primary_key=True)
    size: int
    sha256: str = Field(max_length=64)
    rows: int | None = None


class ExportChunk(SQLModel, table=True):
    """A part of a file, in clear: what is released may be read by who gets it."""

    __tablename__ = "export_chunks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["export_id", "name"], ["export_files.export_id", "export_files.name"], ondelete="CASCADE"
        ),
    )

    export_id: UUID = Field(primary_key=True)
    name: str = Field(max_length=100, primary_key=True)
    number: int = Field(primary_key=True)
    content: bytes = Field(sa_column=Column(LargeBinary(), nullable=False))


class ExportCreate(Body):
    """A profile by its name, and a quarter; nothing else is to be chosen."""

    profile: Annotated[str, Rule(max_length=40)]
    period: Annotated[str, Rule(max_length=20)]


class ExportApprove(Body):
    """`manifest_sha256`: of the risk report that was read; another one is not approved."""

    manifest_sha256: Annotated[str, Rule(pattern=r"^[0-9a-f]{64}$")]


class ExportProgress(Read):
    """What the worker is doing (a code) and how far it is with it (0 to 1)."""

    stage: str
    share: float


class ExportFileRead(Read):
    name: str
    sha256: str
    bytes: int
    rows: int | None


class ExportApprovals(Read):
    """How many organisations have said yes, and those that have not yet; who said it is not told."""

    given: int
    awaited: list[UUID]


class ExportRead(Read):
    """`code`: why it was refused, or why the last try failed and is repeated. `report`: the figures of the manifest as
    its approver reads them. `files`: those that the caller may read: all of them for auditors, when it is released;
    for who approves it the pages on its risks and the manifest, once it is frozen."""

    id: UUID
    profile: str
    period: str
    state: ExportState
    code: str | None
    progress: ExportProgress | None
    report: dict[str, Any] | None
    manifest_sha256: str | None
    approvals: ExportApprovals | None
    files: list[ExportFileRead] | None
    requested_at: datetime
    frozen_at: datetime | None
    released_at: datetime | None
    withdrawn_at: datetime | None


class ExportKeySet(Read):
    """The public keys of exports (RFC 7517), the newest first."""

    keys: list[dict[str, str]]
