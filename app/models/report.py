"""The quarterly report as it is read: every figure with its definition, its slices and the way to its records."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from app.models.base import Read


class Words(Read):
    """One thing in both languages."""

    en: str
    km: str


class Unit(StrEnum):
    """What is counted. Heads and attendances are never mixed; reach is an estimate, which is not participation."""

    PEOPLE = "people"
    ATTENDANCES = "attendances"
    ESTIMATED_PEOPLE = "estimated_people"
    ACTIVITIES = "activities"
    HOUSEHOLDS = "households"
    BUSINESSES = "businesses"
    COMMITMENTS = "commitments"
    DISTRIBUTIONS = "distributions"
    CASES = "cases"


class SliceCell(Read):
    """The figure of one slice; `value` is null where it is suppressed."""

    code: str
    label: Words
    value: int | None


class Disaggregation(Read):
    """The figure by `sex`, `age_band`, `disability` (yes, no, unknown), `commune`, or for cases by `category`."""

    by: str
    cells: list[SliceCell]


class SuppressedCell(Read):
    """A figure that is not told: `by` and `code` name the slice, both null the figure itself, `year_to_date` which."""

    by: str | None
    code: str | None
    year_to_date: bool


class IndicatorRead(Read):
    """`value` as counted; `printed` as it is told ("over 1,200"). `trace`: a path below the base to the records behind
    it. `target` is null where nobody set one, `value` and `year_to_date` where they are suppressed. `late_entries`: so
    many records are of an earlier period and came after its report; null for cases, of which it is not told."""

    code: str
    name: Words
    definition: Words
    unit: Unit
    value: int | None
    printed: Words
    target: int | None
    year_to_date: int | None
    disaggregations: list[Disaggregation]
    suppressed: list[SuppressedCell]
    trace: str
    late_entries: int | None = 0


class Caveat(Read):
    """Something to know when reading the figures: `provisional`, `reach_is_not_participation`, `late_entries`, …"""

    code: str
    text: Words


class Trend(Read):
    """The same figure in earlier quarters, oldest first, this one last; null where suppressed."""

    code: str
    periods: list[str]
    values: list[int | None]


class Geography(Read):
    """The organisation, and the commune where the report is of one."""

    organisation_id: UUID
    organisation: Words
    commune_code: str | None
    commune: Words | None


class ReportRead(Read):
    """`period`: "2024Q3", its days in Phnom Penh `starts_on` to `ends_on`. `as_of`: what was recorded by then counts.
    `version`: null while it is live; submitted ones count from 1 and never change."""

    period: str
    starts_on: date
    ends_on: date
    geography: Geography
    generated_at: datetime
    as_of: datetime
    version: int | None
    provisional: bool
    indicators: list[IndicatorRead]
    trends: list[Trend]
    caveats: list[Caveat]
