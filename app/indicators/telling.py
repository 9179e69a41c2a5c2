"""Which figures of cases are told: all that reports publish of the same cases as one system of cells and sums, in which
no small cell may be computed from the rest (exports.md; `app.disclosure` does the arithmetic)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.disclosure import CannotHide, Name, Sum, suppress
from app.indicators.cases import ENTRIES, EXITS, FLOWS, MOVES, SLICED_BY, CaseCount, Flow, Slice
from app.models.codes.cases import Category
from app.periods import Period
from app.policy import SENSITIVE_CATEGORIES

LEAST = 5  # a smaller figure is not told
BY_COMMUNE = (CaseCount.OPENED, CaseCount.CLOSED)  # of a whole year, no oftener
# What moves between categories is in no total.
WITHOUT_TOTAL = {("category", count) for count, kind in FLOWS.items() if kind in MOVES}
_SUM = "entries"  # both sides of a flow; not published, but known wherever one side is


@dataclass(frozen=True, slots=True)
class Told:
    """What the versions that were submitted say of cases, by the names of the cells, and the cells that they hide."""

    values: Mapping[Name, int]
    hidden: frozenset[Name]


@dataclass
class Cells:
    """Values by name, and the sums that bind them."""

    values: dict[Name, int] = field(default_factory=dict)
    sums: list[Sum] = field(default_factory=list)

    def add_sum(self, total: Name, parts: Iterable[Name]) -> None:
        """`total` is the sum of `parts`, all of them cells."""
        self.sums.append(Sum(total, tuple(parts)))


def name_of(count: CaseCount, of: Slice, period: Period) -> Name:
    """The name of a figure; what a quarter opens with is the very figure with which the one before closed."""
    if count is CaseCount.OPENING:
        return name_of(CaseCount.CLOSING, of, period.previous())
    return (str(period), count.value, *(of or ()))


def year_name(count: CaseCount, period: Period, commune: str | None = None) -> Name:
    """The name of a figure of the year to date."""
    if count is CaseCount.CLOSING and commune is None:
        return name_of(count, None, period)
    if count is CaseCount.OPENING:
        return name_of(count, None, period.quarters_to_date()[0])
    own = (f"{period.year}Q1-{period.quarter}", count.value)
    return own if commune is None else (*own, "commune", commune)


def cells_of(flow: Flow, quarters: Sequence[Period], sliced: Iterable[Period]) -> Cells:
    """Everything that reports tell of these cases: the totals of all quarters, the slices of those that are `sliced`,
    the years to date, and the communes of a year that is whole. Of a year that has begun before them: not the year."""
    found, with_slices = Cells(), set(sliced)
    for period in quarters:
        _add_quarter(found, flow, None, period)
        if period in with_slices:
            _add_slices(found, flow, period)
        if quarters[0] <= period.quarters_to_date()[0]:
            _add_year(found, flow, period)
    return found


def _add_quarter(found: Cells, flow: Flow, of: Slice, period: Period) -> None:
    for count in CaseCount:
        found.values[name_of(count, of, period)] = flow.of(count, of, period)
    entries = [name_of(count, of, period) for count in (CaseCount.OPENING, *ENTRIES)]
    exits = [name_of(count, of, period) for count in (CaseCount.CLOSING, *EXITS)]
    both = (str(period), _SUM, *(of or ()))
    found.values[both] = sum(found.values[name] for name in entries)
    found.add_sum(both, entries)
    found.add_sum(both, exits)


def _add_slices(found: Cells, flow: Flow, period: Period) -> None:
    for by in SLICED_BY:
        codes = sorted(codes_of(flow, by))
        for code in codes:
            _add_quarter(found, flow, (by, code), period)
        for count in CaseCount:
            if (by, count) not in WITHOUT_TOTAL:
                total = name_of(count, None, period)
                parts = [name_of(count, (by, code), period) for code in codes]
                if total in found.values and Sum(total, tuple(parts)) not in found.sums:
                    found.add_sum(total, parts)


def _add_year(found: Cells, flow: Flow, period: Period) -> None:
    for count in FLOWS:
        parts = [name_of(count, None, quarter) for quarter in period.quarters_to_date()]
        found.values[year_name(count, period)] = sum(found.values[name] for name in parts)
        found.add_sum(year_name(count, period), parts)
    if period.quarter == 4:
        for count in BY_COMMUNE:
            communes = []
            for code in sorted(flow.codes["commune"]):
                communes.append(year_name(count, period, code))
                found.values[communes[-1]] = of_year(flow, count, ("commune", code), period)
            found.add_sum(year_name(count, period), communes)


def of_year(flow: Flow, count: CaseCount, of: Slice, period: Period) -> int:
    """A figure of the year to date: what it began and ended with, or all that came or went."""
    if count is CaseCount.CLOSING:
        return flow.of(count, of, period)
    if count is CaseCount.OPENING:
        return flow.of(count, of, period.quarters_to_date()[0])
    return sum(flow.of(count, of, quarter) for quarter in period.quarters_to_date())


def codes_of(flow: Flow, by: str) -> set[str]:
    """The codes of a slicing: every category, so that a missing row says nothing, and else those that occur."""
    return {one.value for one in Category} if by == "category" else flow.codes[by]


def is_small(name: Name, value: int) -> bool:
    """Below five; of a sensitive category nobody is a secret, too."""
    if name[1] == _SUM:
        return False
    sensitive = name[2:3] == ("category",) and name[3] in SENSITIVE_CATEGORIES
    return value < LEAST and (value > 0 or sensitive)


def hidden_at_submission(flow: Flow, unseen: Flow, quarters: Sequence[Period], told: Told) -> frozenset[Name]:
    """What a version does not tell. The slices of all quarters are looked at, also of those that nobody has reported
    yet: else a total that is told today would tell what their report is going to hide. And supervisors list the cases
    that they see: what is left when they take them away is a table of its own under the same rule."""
    whole, rest = (cells_of(one, quarters, quarters) for one in (flow, unseen))
    left = {name: rest.values[name] for name, value in told.values.items() if whole.values.get(name) == value}
    return hidden_of(whole, told.values) | hidden_of(rest, left) | told.hidden


def hidden_live(flow: Flow, quarters: Sequence[Period], told: Told) -> frozenset[Name]:
    """What is not told to who reads live figures: the same whichever quarter of the year she asks for."""
    reported = {name[0] for name in told.values}
    year = quarters[-1].year
    sliced = [one for one in quarters if one.year == year or str(one) in reported]
    return hidden_of(cells_of(flow, quarters, sliced), told.values)


def hidden_of(found: Cells, told: Mapping[Name, int]) -> frozenset[Name]:
    """What is not told. `told`: published earlier; as long as it is still so, it cannot be taken back. What follows
    from it, or from a total of nobody, cannot be hidden from who computes; it is at least not printed."""
    if not any(found.values.values()):  # nobody at all: nothing to compute, and the rule says what is not printed
        return frozenset(name for name, value in found.values.items() if is_small(name, value))
    known = {name for name, value in told.items() if found.values.get(name) == value}
    given_away: set[Name] = set()

    def small(name: Name, value: int) -> bool:
        return name not in given_away and is_small(name, value)

    while True:
        try:
            return suppress(found.values, found.sums, small=small, told=known) | given_away
        except CannotHide as error:
            if error.names <= given_away:
                raise
            given_away |= error.names
