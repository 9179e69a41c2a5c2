"""How cases come into and go out of every slice that reports count: one row for each entry and each exit."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlmodel import Field, SQLModel

from app.ids import new_id
from app.models.base import TIMESTAMP, coded
from app.models.codes.cases import Category
from app.models.codes.people import AgeBand, Sex


class FlowKind(StrEnum):
    """Why a case came or went; nobody outside reads these codes."""

    OPENED = "opened"
    REOPENED = "reopened"
    MOVED_IN = "moved_in"
    CLOSED = "closed"
    MOVED_OUT = "moved_out"
    ERASED = "erased"


class Moved(StrEnum):
    """Between which slices a case moved; null with `moved_in` and `moved_out`: between organisations."""

    COMMUNE = "commune"
    CATEGORY = "category"
    BOTH = "both"


class CaseFlow(SQLModel, table=True):
    """Written by triggers alone (164_reports.sql). `at`: when it counts, of a late entry when it was received.

    `enters`: the case comes into the slice that the row names, else it leaves it. `sensitive`: the case is, now.
    `decided`: a submitted report said whether the case counts, and `statistics` is what it said; else `statistics`: the
    consent stood when the case was erased, and its row with it.
    """

    __tablename__ = "case_flow"
    __table_args__ = (
        ForeignKeyConstraint(["case_id", "organisation_id"], ["cases.id", "cases.organisation_id"]),
        Index("ix_case_flow_at", "organisation_id", "at"),
        Index("ix_case_flow_case", "case_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    case_id: UUID
    organisation_id: UUID
    at: datetime = Field(sa_type=TIMESTAMP)
    kind: FlowKind = Field(sa_type=coded(FlowKind))
    enters: bool
    moved: Moved | None = Field(default=None, sa_type=coded(Moved))
    commune_code: str
    category: Category = Field(sa_type=coded(Category))
    client_sex: Sex = Field(sa_type=coded(Sex))
    client_age_band: AgeBand = Field(sa_type=coded(AgeBand))
    client_disability: bool | None = None
    sensitive: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    late: bool
    decided: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    statistics: bool
