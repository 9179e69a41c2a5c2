"""Registers that come in as files: the import, its sealed rows in chunks, and which rows were imported already."""

from datetime import datetime
from uuid import UUID

from pydantic import Field as Rule
from sqlalchemy import ForeignKeyConstraint, Index, SmallInteger, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, Body, Read, coded
from app.models.codes.files import ImportKind, ImportRowStatus, ImportState
from app.text import NameText, ShortText

IN_WORK = text("state IN ('queued', 'checking', 'committing')")


class Import(SQLModel, table=True):
    """One file as far as it may be known without its key: counts, and where the work on it stands.

    `session_id` is the sign-in in whose name it is worked on. `run` names who works on it just now, until
    `lease_until`: whoever finds another name there has lost it. `failure` is a code.
    """

    __tablename__ = "imports"
    __table_args__ = (
        Index("ix_imports_owner", "created_by", text("created_at DESC"), text("id DESC")),
        Index("ix_imports_work", "created_at", postgresql_where=IN_WORK),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    organisation_id: UUID = Field(foreign_key="organisations.id")
    kind: ImportKind = Field(sa_type=coded(ImportKind))
    lead_id: UUID | None = Field(default=None, foreign_key="users.id")
    state: ImportState = Field(default=ImportState.QUEUED, sa_type=coded(ImportState))
    failure: str | None = Field(default=None, max_length=40)
    digest: bytes  # keyed hash of the file
    repeat_of: UUID | None = None
    rows_total: int
    rows_done: int = 0
    errors: int = 0
    duplicates: int = 0
    unchanged: int = 0
    written: int = 0
    session_id: UUID
    run: UUID | None = None
    lease_until: datetime | None = Field(default=None, sa_type=TIMESTAMP)
    created_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")
    ended_at: datetime | None = Field(default=None, sa_type=TIMESTAMP)


class ImportChunk(SQLModel, table=True):
    """Some rows of the file, and the report on them once they are checked; both sealed with the import's own key."""

    __tablename__ = "import_chunks"
    __table_args__ = (
        ForeignKeyConstraint(["import_id"], ["imports.id"], ondelete="CASCADE"),
        UniqueConstraint("import_id", "number", name="import_chunks_place"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    import_id: UUID
    organisation_id: UUID
    number: int = Field(sa_type=SmallInteger)
    rows: int
    first_row: int  # as the file counts them, from 1
    last_row: int
    errors: int = 0
    duplicates: int = 0
    unchanged: int = 0
    sealed: bytes
    report_sealed: bytes | None = None


class ImportedRow(SQLModel, table=True):
    """That a row of a register was imported: a keyed hash of it, and what it became. Nothing in it can be read."""

    __tablename__ = "imported_rows"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_imported_rows_digest", "organisation_id", "digest"),
        Index("ix_imported_rows_case", "case_id", postgresql_where=text("case_id IS NOT NULL")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    organisation_id: UUID
    digest: bytes
    case_id: UUID | None = None
    created_at: datetime = Field(sa_type=TIMESTAMP)
    created_by: UUID = Field(foreign_key="users.id")


class ImportForm(Body):
    """The parts of an upload beside its file."""

    kind: ImportKind
    lead_id: UUID | None = None
    over_limit_reason: ShortText | None = None  # why the lead is given more cases than allowed
    mapping: dict[NameText, str | None] | None = Rule(default=None, max_length=60)


class ImportCounts(Read):
    """Rows by what the check says of them; `ok` are those without a word. `written`: by the commit."""

    total: int
    done: int
    ok: int
    error: int
    duplicate_suggested: int
    unchanged: int
    written: int


class ImportRead(Read):
    """`repeat_of`: your earlier import of this very file. `failure`: why the work ended, a code."""

    id: UUID
    kind: ImportKind
    state: ImportState
    failure: str | None
    lead_id: UUID | None
    repeat_of: UUID | None
    rows: ImportCounts
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class RowError(Read):
    """What is wrong with one cell: the field that its column stands for, a code, a fixed sentence; never the value."""

    pointer: str
    code: str
    message: str


class ImportRowRead(Read):
    """`row` as the file counts its rows, from 1, the header's. `warnings` keep no row from being written."""

    row: int
    status: ImportRowStatus
    errors: list[RowError]
    warnings: list[RowError]
