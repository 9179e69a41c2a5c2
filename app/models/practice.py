"""How the work runs: who carries what, and how long things take; for supervisors, over what they see."""

from datetime import date
from enum import StrEnum

from app.models.base import Read
from app.models.case import Colleague
from app.models.codes.cases import CaseloadLevel
from app.models.report import Words


class LeadLoad(Read):
    """The cases of one lead (null: those without). `open` and `overdue` count stubs, as `/caseload` does; `by_risk`,
    `opened` and `closed` only cases that the reader sees, `stubs` are the open ones that are none of these."""

    lead: Colleague | None
    open: int
    stubs: int
    high: int
    medium: int
    low: int
    not_assessed: int
    overdue: int
    opened: int
    closed: int
    level: CaseloadLevel | None


class CaseloadReport(Read):
    """`opened` and `closed` are of the period; everything else is as it stands now."""

    period: str
    starts_on: date
    ends_on: date
    items: list[LeadLoad]


class KpiUnit(StrEnum):
    """`value` is a median of days, or a share from 0 to 1."""

    DAYS = "days"
    SHARE = "share"


class KpiOver(StrEnum):
    """What a figure is about. `seen_cases`: the cases that you see. `assigned_cases`: what it counts exists on
    sensitive cases only, of which you see those that you are assigned to; of the others nothing is counted, for
    anybody."""

    SEEN_CASES = "seen_cases"
    ASSIGNED_CASES = "assigned_cases"


class KpiBand(Read):
    """How many took so many whole days: from `from_day` to `until_day`, both included; null: without end."""

    from_day: int
    until_day: int | None
    count: int | None


class Kpi(Read):
    """`count`: how many it is about. A median is of at least five, told in whole days, and in tenths from ten on. Null
    is what is not told: where there are too few, or a band or a share would be of too few (`suppressed`), where there
    is nothing to speak of (`value`), and where you see nothing of it and it may well be there (`over` is
    `assigned_cases`: then `count`, too)."""

    code: str
    name: Words
    definition: Words
    unit: KpiUnit
    over: KpiOver
    value: float | None
    count: int | None
    bands: list[KpiBand]
    suppressed: bool


class KpiReport(Read):
    period: str
    starts_on: date
    ends_on: date
    kpis: list[Kpi]
