"""From rows to figures: one walk over the rows of a source feeds every indicator that counts it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.indicators.definition import Count, Indicator
from app.periods import Period

UNKNOWN = "unknown"
DISABILITY = {True: "yes", False: "no", None: UNKNOWN}
Slices = dict[str, Counter[str]]


@dataclass(frozen=True, slots=True)
class Windows:
    """What is counted beside each other: the quarter, its year to date, and earlier quarters for the trend."""

    period: Period
    earlier: tuple[Period, ...]

    @classmethod
    def until(cls, period: Period, quarters: int = 4) -> "Windows":
        """The windows of a report: with it a trend of so many quarters."""
        earlier: list[Period] = []
        for _ in range(quarters - 1):
            earlier.insert(0, (earlier[0] if earlier else period).previous())
        return cls(period, tuple(earlier))

    @property
    def first_day(self) -> date:
        """The first day that any window holds."""
        return min([self.period.year_to_date()[0], *(one.starts_on for one in self.earlier)])

    @property
    def quarters(self) -> list[Period]:
        """Every quarter from the first day on, in order."""
        found = [self.period]
        while found[0].starts_on > self.first_day:
            found.insert(0, found[0].previous())
        return found


@dataclass
class Tally:
    """The figure of one indicator as it grows, and how many `rows` of the quarter are in it, `late` ones among them.
    `quarters`: sums by quarter; `heads` and `year_heads`: who or what was counted once; `latest`: the row that says
    what a head is."""

    indicator: Indicator
    quarters: Counter[str] = field(default_factory=Counter)
    year_to_date: int = 0
    slices: Slices = field(default_factory=dict)
    records: set[str] = field(default_factory=set)
    rows: int = 0
    late: int = 0
    heads: dict[str, set[str]] = field(default_factory=dict)
    year_heads: set[str] = field(default_factory=set)
    latest: dict[str, Any] = field(default_factory=dict)
    communes: set[tuple[str, str]] = field(default_factory=set)

    def add(self, row: Any, head: str, quarter: str, *, present: bool, this_year: bool) -> None:
        """One row. `present`: it is of the quarter that is reported, `this_year`: of its year to date."""
        if self.indicator.count is Count.DISTINCT:
            self._add_head(row, head, quarter, present=present, this_year=this_year)
        else:
            number = row.number if self.indicator.count is Count.SUM else 1
            self.quarters[quarter] += number
            self.year_to_date += number if this_year else 0
            if present:
                for by in self.indicator.by:
                    self.slices.setdefault(by, Counter())[code_of(row, by)] += number
        if present:
            self.records.add(row.id)
            self.rows += 1
            self.late += row.late

    def _add_head(self, row: Any, head: str, quarter: str, *, present: bool, this_year: bool) -> None:
        self.heads.setdefault(quarter, set()).add(head)
        if this_year:
            self.year_heads.add(head)
        if present:
            self.communes.add((code_of(row, "commune"), head))
            earlier = self.latest.get(head)
            if earlier is None or (earlier.day, earlier.id) <= (row.day, row.id):
                self.latest[head] = row

    def settle(self) -> "Tally":
        """The sums of what was counted once; the sets are let go."""
        if self.indicator.count is Count.DISTINCT:
            self.quarters = Counter({quarter: len(found) for quarter, found in self.heads.items()})
            self.year_to_date = len(self.year_heads)
            for by in self.indicator.by:
                if by == "commune":
                    self.slices[by] = Counter(commune for commune, _ in self.communes)
                else:
                    self.slices[by] = Counter(code_of(row, by) for row in self.latest.values())
        self.heads, self.year_heads, self.latest, self.communes = {}, set(), {}, set()
        return self

    def value(self, period: Period) -> int:
        """The figure of a quarter."""
        return self.quarters[str(period)]


def code_of(row: Any, by: str) -> str:
    """The slice of a row: unknown sex, age or place is one of its own."""
    found = getattr(row, by)
    return DISABILITY[found] if by == "disability" else (found or UNKNOWN)


def count(
    rows: Iterable[Any], indicators: Iterable[Indicator], windows: Windows, same: Mapping[str, str]
) -> list[Tally]:
    """The figures of the indicators of one source. `same`: the head for rows of people that are linked."""
    tallies = [Tally(one) for one in indicators]
    first_of_year = windows.period.year_to_date()[0]
    present = str(windows.period)
    quarter_of = _quarter_of(windows)
    for row in rows:
        quarter = quarter_of(row.day)
        for tally in tallies:
            if all(getattr(row, column) in values for column, values in tally.indicator.where.items()):
                tally.add(
                    row,
                    same.get(row.head, row.head),
                    quarter,
                    present=quarter == present,
                    this_year=row.day >= first_of_year,
                )
    return [tally.settle() for tally in tallies]


def _quarter_of(windows: Windows) -> Callable[[date], str]:
    known: dict[date, str] = {}

    def quarter(day: date) -> str:
        if day not in known:
            known[day] = str(Period.of(day, windows.period.first_month))
        return known[day]

    return quarter
