"""Submitted reports, which never change, their differences, and the targets beside the figures."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field as Rule
from sqlalchemy import Column, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, Body, Read
from app.models.report import ReportRead


class ReportVersion(SQLModel, table=True):
    """One submission. `body`: the report as JSON text, of which `sha256` is the hash; `records`: by indicator how many
    rows are behind it, and a hash of their sorted ids."""

    __tablename__ = "report_versions"
    __table_args__ = (UniqueConstraint("organisation_id", "period", "number", name="report_versions_number"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    organisation_id: UUID = Field(foreign_key="organisations.id")
    period: str = Field(max_length=6)
    number: int
    starts_on: date
    ends_on: date
    as_of: datetime = Field(sa_type=TIMESTAMP)
    submitted_at: datetime = Field(sa_type=TIMESTAMP)
    submitted_by: UUID = Field(foreign_key="users.id")
    body: str = Field(sa_column=Column(Text(), nullable=False))
    sha256: str = Field(max_length=64)
    records: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class ReportTargets(SQLModel, table=True):
    """What an organisation means to reach in a period, by the code of the indicator."""

    __tablename__ = "report_targets"
    __table_args__ = (UniqueConstraint("organisation_id", "period", name="one_set_of_targets"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    organisation_id: UUID = Field(foreign_key="organisations.id")
    period: str = Field(max_length=6)
    targets: dict[str, int] = Field(sa_column=Column(JSONB, nullable=False))
    set_by: UUID = Field(foreign_key="users.id")
    set_at: datetime = Field(sa_type=TIMESTAMP)


class TargetsPut(Body):
    """Replaces the targets of the period; an indicator that is not named has none."""

    targets: dict[str, Annotated[int, Rule(strict=True, ge=0, le=1_000_000_000)]]


class TargetsRead(Read):
    period: str
    targets: dict[str, int]


class RecordsBehind(Read):
    """How many records are behind a figure and the hash of their sorted ids, which an auditor compares; both null where
    the figure is not told."""

    count: int | None
    sha256: str | None


class VersionSummary(Read):
    organisation_id: UUID
    period: str
    version: int
    submitted_at: datetime
    as_of: datetime
    sha256: str


class VersionRead(VersionSummary):
    """`sha256` is that of `report` as it was frozen: JSON in UTF-8, keys as they stand, without spaces."""

    report: ReportRead
    records: dict[str, RecordsBehind]


class FigureChange(Read):
    """One figure that is not as it was; null where it was or is not told."""

    indicator: str
    by: str | None
    code: str | None
    year_to_date: bool
    before: int | None
    after: int | None


class VersionDiff(Read):
    """`against`: the version before; null for the first, which has nothing to differ from."""

    period: str
    version: int
    against: int | None
    changes: list[FigureChange]
