"""What is asked of reports: a quarter, perhaps of one commune, in a form."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field as Rule

from app.models.base import Body, Read
from app.models.codes.people import Language

CommuneCode = Annotated[str, Rule(pattern=r"^[0-9]{6}$")]
PeriodText = Annotated[str, Rule(max_length=20)]


class ReportFormat(StrEnum):
    """The form of a report; the same figures in each."""

    JSON = "json"
    HTML = "html"
    XLSX = "xlsx"
    DHIS2 = "dhis2"


class OfOrganisation(Body):
    """Auditors may name whose report they mean; they must where several have submitted one."""

    organisation_id: UUID | None = None


class ReportQuery(OfOrganisation):
    """`language` is that of the page (`format=html`); the other forms hold both."""

    period: PeriodText
    commune_code: CommuneCode | None = None
    format: ReportFormat = ReportFormat.JSON
    language: Language | None = None


class PracticeQuery(Body):
    """Without a period the present quarter."""

    period: PeriodText | None = None


class RecordPlace(Read):
    """One record; `path` is below the base."""

    id: UUID
    path: str


class RecordsRead(Read):
    """What is behind a figure: how many records, the hash of their sorted ids, and for who may see them which.

    Both are null where they would tell a figure that is not told.
    """

    period: str
    indicator: str
    count: int | None
    sha256: str | None
    items: list[RecordPlace]
    next_cursor: str | None = None
