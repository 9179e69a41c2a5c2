"""Four quarters of reports, with years to date, trends and tables of communes, give away no small figure of cases."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from app.disclosure import Name
from app.disclosure.audit import intervals
from app.indicators.cases import SLICED_BY, CaseCount, Flow, flow_of
from app.indicators.counting import Windows
from app.indicators.telling import (
    BY_COMMUNE,
    Cells,
    Told,
    cells_of,
    codes_of,
    hidden_at_submission,
    hidden_live,
    hidden_of,
    is_small,
    name_of,
    year_name,
)
from app.models.codes.cases import Category
from app.models.codes.people import AgeBand
from app.periods import Period
from tests.test_case_flow import Group

YEAR = [Windows.until(Period(2024, quarter)) for quarter in (1, 2, 3, 4)]
COMMUNES = ("170201", "170202", "170301")


def year_of_cases(seed: int, cases: int) -> list[Group]:
    """Cases that are opened over the year and before it, of which every second is closed again."""
    draws = random.Random(seed)  # noqa: S311 (invented cases)
    last = len(YEAR[-1].quarters)
    rows: list[Group] = []
    for _ in range(cases):
        opened = draws.randint(0, last)
        one: tuple[Any, ...] = (
            draws.choice(COMMUNES),
            draws.choice(list(Category)).value,
            draws.choices(["female", "male"], [95, 5])[0],
            draws.choice(list(AgeBand)).value,
            draws.choices([None, True, False], [60, 8, 32])[0],
        )
        rows.append(Group._make((opened, "opened", None, *one, 1)))
        if draws.random() < 0.5:
            rows.append(Group._make((draws.randint(opened, last), "closed", None, *one, 1)))
    return rows


def as_of(rows: list[Group], windows: Windows) -> Flow:
    """What the report of an earlier quarter counted of them: nothing that came later."""
    quarters, known = YEAR[-1].quarters, []
    for row in rows:
        quarter = quarters[row.bucket - 1] if row.bucket else None
        if quarter is None or quarter < windows.quarters[0]:
            known.append(row._replace(bucket=0))
        elif quarter <= windows.period:
            known.append(row._replace(bucket=windows.quarters.index(quarter) + 1))
    return flow_of(known, windows.quarters)


def printed_in(flow: Flow, windows: Windows) -> set[Name]:
    """The cells that a report of the quarter has a place for, and the communes' reports of a whole year."""
    period = windows.period
    names = {name_of(count, None, one) for count in CaseCount for one in (*windows.earlier, period)}
    names |= {year_name(count, period) for count in CaseCount}
    slices = [(by, code) for by in SLICED_BY for code in codes_of(flow, by)]
    names |= {name_of(count, one, period) for count in CaseCount for one in slices}
    if period.quarter == 4:
        names |= {year_name(count, period, code) for count in BY_COMMUNE for code in flow.codes["commune"]}
    return names


def pinned_by(found: Cells, told: Mapping[Name, int]) -> list[Name]:
    """The small cells of which one value is possible for who was told these."""
    secret = frozenset(name for name in found.values if name not in told)
    known = intervals(found.values, found.sums, secret)
    return [name for name in secret if is_small(name, found.values[name]) and known[name][0] == known[name][1]]


def after(rows: list[Group], order: Sequence[Windows]) -> dict[Name, int]:
    """All that the reports of these quarters tell, submitted in this order."""
    told: dict[Name, int] = {}
    hidden: frozenset[Name] = frozenset()
    last = order[0]
    for windows in order:
        last = max(last, windows, key=lambda one: one.period)
        quarters = windows.quarters[0].until(last.period)
        flow = flow_of([row._replace(bucket=bucket(row, quarters)) for row in rows if before(row, last)], quarters)
        values = cells_of(flow, quarters, quarters).values
        printed = printed_in(flow, windows) & values.keys()
        not_told = hidden_at_submission(flow, flow, quarters, Told(told, hidden))
        told |= {name: values[name] for name in printed - not_told}
        hidden |= printed & not_told
    return told


def bucket(row: Group, quarters: Sequence[Period]) -> int:
    every = YEAR[-1].quarters
    return 0 if not row.bucket or every[row.bucket - 1] < quarters[0] else quarters.index(every[row.bucket - 1]) + 1


def before(row: Group, last: Windows) -> bool:
    return not row.bucket or YEAR[-1].quarters[row.bucket - 1] <= last.period


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 3, 1, 0)])
def test_reports_of_a_whole_year_give_away_no_small_figure_in_whatever_order_they_are_submitted(
    order: tuple[int, ...],
) -> None:
    """The trend of a report that is submitted first tells totals of quarters whose own report comes later."""
    rows = year_of_cases(seed=2, cases=150)
    told = after(rows, [YEAR[place] for place in order])
    every = YEAR[0].quarters[0].until(YEAR[-1].period)
    found = cells_of(flow_of([row._replace(bucket=bucket(row, every)) for row in rows], every), every, every)
    assert sum(is_small(name, value) for name, value in found.values.items() if name not in told) > 50
    assert pinned_by(found, told) == []


def test_who_reads_the_live_reports_of_every_quarter_computes_no_small_figure_from_them() -> None:
    """Each report hides for all of the year: hidden for one quarter alone, they would tell too much together."""
    rows = year_of_cases(seed=2, cases=150)
    quarters = YEAR[-1].quarters
    flow, told, alone = as_of(rows, YEAR[-1]), dict[Name, int](), dict[Name, int]()
    hidden = hidden_live(flow, quarters, Told({}, frozenset()))
    for windows in YEAR:
        values = cells_of(flow, quarters, [windows.period]).values
        printed = printed_in(flow, windows) & values.keys()
        told |= {name: values[name] for name in printed - hidden}
        alone |= {name: values[name] for name in printed - hidden_of(cells_of(flow, quarters, [windows.period]), {})}
    found = cells_of(flow, quarters, quarters)
    assert pinned_by(found, told) == []
    assert pinned_by(found, alone), "the audit finds what is wrong where each quarter is hidden alone"


def test_what_one_report_hides_no_other_tells() -> None:
    windows = YEAR[0]
    flow = as_of(year_of_cases(seed=7, cases=400), windows)
    name = name_of(CaseCount.OPENED, None, windows.period)
    empty = Flow(Counter(), flow.codes)
    assert name not in hidden_at_submission(flow, empty, windows.quarters, Told({}, frozenset()))
    assert name in hidden_at_submission(flow, empty, windows.quarters, Told({}, frozenset({name})))


def test_a_version_less_the_cases_that_supervisors_may_list_tells_of_no_few_sensitive_ones() -> None:
    """Of forty women three have a sensitive case: forty is not told, since everybody there can count the 37."""
    windows = YEAR[0]
    whole, few = as_of(year_of_cases(seed=7, cases=400), windows), (COMMUNES[0], "domestic_violence", "female", "30-44")
    name = name_of(CaseCount.OPENED, ("age_band", "30-44"), windows.period)
    nothing = Told({}, frozenset())
    assert name not in hidden_at_submission(whole, Flow(Counter(), whole.codes), windows.quarters, nothing)
    [unseen] = [Group._make((len(windows.quarters), "opened", None, *few, True, 3))]
    rest = Flow(flow_of([unseen], windows.quarters).counts, whole.codes)
    assert rest.of(CaseCount.OPENED, ("age_band", "30-44"), windows.period) == 3
    assert name in hidden_at_submission(whole, rest, windows.quarters, nothing)


def test_hiding_the_small_figures_alone_would_give_some_of_them_away() -> None:
    """The same audit finds what is wrong where nothing else is hidden with them."""
    windows = YEAR[0]
    found = cells_of(as_of(year_of_cases(seed=2, cases=150), windows), windows.quarters, [windows.period])
    small = frozenset(name for name, value in found.values.items() if is_small(name, value))
    known = intervals(found.values, found.sums, small)
    assert [name for name in small if known[name][0] == known[name][1]]
