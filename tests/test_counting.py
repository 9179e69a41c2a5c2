"""The arithmetic of figures: quarters, heads over links, a year that is no sum, and small figures that stay secret."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.disclosure.audit import intervals
from app.errors import Invalid
from app.indicators.cases import CaseCount, flow_of
from app.indicators.counting import Windows, count
from app.indicators.definition import Count
from app.indicators.heads import heads_of
from app.indicators.kpis import PRACTICE, of_days, of_share
from app.indicators.printing import printed
from app.indicators.programme import PROGRAMME
from app.indicators.telling import cells_of, hidden_of, is_small, name_of, year_name
from app.models.practice import KpiOver, KpiUnit
from app.periods import Period, begun
from tests.cast import COMMUNE, OTHER_COMMUNE
from tests.test_case_flow import Group, histories

HEADS = [one for one in PROGRAMME if one.count is Count.DISTINCT]
WINDOWS = Windows.until(Period(2024, 3))
DAYS = st.dates(date(2023, 10, 1), date(2024, 9, 30))
IDS = st.integers(1, 12).map(lambda number: str(UUID(int=number)))


class Row(NamedTuple):
    id: str
    head: str
    day: date
    kind: str
    sex: str = "female"
    age_band: str = "18-29"
    disability: bool | None = None
    commune: str = COMMUNE
    participant_group: str | None = "smart_woman"
    number: int = 1
    late: bool = False


ROWS = st.lists(
    st.builds(
        lambda person, day, kind, commune, sex: Row(person, person, day, kind, commune=commune, sex=sex),
        IDS,
        DAYS,
        st.sampled_from(["health_training", "business_training", "assistance_meeting", "roundtable"]),
        st.sampled_from([COMMUNE, OTHER_COMMUNE]),
        st.sampled_from(["female", "male", "unknown"]),
    ),
    max_size=40,
)
LINKS = st.lists(st.tuples(IDS, IDS), max_size=10)


@given(ROWS, LINKS)
def test_distinct_over_the_year_is_never_more_than_the_quarters_and_never_less_than_one_of_them(
    rows: list[Row], links: list[tuple[str, str]]
) -> None:
    quarters = WINDOWS.period.quarters_to_date()
    for tally in count(rows, HEADS, WINDOWS, heads_of(links)):
        values = [tally.value(one) for one in quarters]
        assert max(values) <= tally.year_to_date <= sum(values)


@given(ROWS, LINKS)
def test_heads_are_the_groups_of_people_that_hang_together(rows: list[Row], links: list[tuple[str, str]]) -> None:
    groups: list[set[str]] = []
    for pair in (*links, *((row.head, row.head) for row in rows)):
        touching = [group for group in groups if group & set(pair)]
        groups = [group for group in groups if not group & set(pair)] + [set(pair).union(*touching)]
    for tally in count(rows, HEADS, WINDOWS, heads_of(links)):
        where = tally.indicator.where
        came = {
            row.head
            for row in rows
            if WINDOWS.period.starts_on <= row.day <= WINDOWS.period.ends_on
            and all(getattr(row, column) in values for column, values in where.items())
        }
        assert tally.value(WINDOWS.period) == sum(1 for group in groups if group & came)
        for by in tally.indicator.by:
            if by != "commune":
                assert sum(tally.slices[by].values()) == tally.value(WINDOWS.period)


@given(histories())
@settings(max_examples=15, deadline=None)
def test_no_small_figure_of_cases_can_be_computed_from_what_is_told(groups: list[Group]) -> None:
    found = cells_of(flow_of(groups, WINDOWS.quarters), WINDOWS.quarters, [WINDOWS.period])
    hidden = hidden_of(found, {})
    assert {name for name, value in found.values.items() if is_small(name, value)} <= hidden
    known = intervals(found.values, found.sums, hidden)
    given_away = [name for name, (least, most) in known.items() if name in hidden and least == most]
    # What the small totals themselves give away, no hiding helps: only where nobody is at all, of a sensitive category.
    assert [name for name in given_away if found.values[name]] == []


def test_what_was_told_stays_told_and_the_year_does_not_give_away_a_quarter() -> None:
    one = (COMMUNE, "land_dispute", "female", "18-29", None)
    groups = [
        *(Group(bucket, "opened", None, *one, 20) for bucket in (1, 2, 3, 4)),
        Group(4, "opened", None, COMMUNE, "id_poor", "male", "30-44", True, 2),
    ]
    found = cells_of(flow_of(groups, WINDOWS.quarters), WINDOWS.quarters, [WINDOWS.period])
    total = name_of(CaseCount.OPENED, None, WINDOWS.period)
    hidden = hidden_of(found, {})
    assert name_of(CaseCount.OPENED, ("category", "id_poor"), WINDOWS.period) in hidden
    told = {
        total: 22,
        year_name(CaseCount.OPENED, WINDOWS.period): found.values[year_name(CaseCount.OPENED, WINDOWS.period)],
    }
    assert not hidden_of(found, told) & told.keys()


@pytest.mark.parametrize(
    ("first_month", "text", "starts", "ends"),
    [
        (1, "2024Q1", date(2024, 1, 1), date(2024, 3, 31)),
        (1, "2024Q4", date(2024, 10, 1), date(2024, 12, 31)),
        (10, "2024Q1", date(2024, 10, 1), date(2024, 12, 31)),
        (10, "2024Q2", date(2025, 1, 1), date(2025, 3, 31)),
        (4, "2023Q4", date(2024, 1, 1), date(2024, 3, 31)),
        (12, "2024Q1", date(2024, 12, 1), date(2025, 2, 28)),
    ],
)
def test_quarters_follow_the_month_in_which_the_year_begins(
    first_month: int, text: str, starts: date, ends: date
) -> None:
    period = Period.parse(text, first_month)
    assert (period.starts_on, period.ends_on, str(period)) == (starts, ends, text)


@given(st.dates(date(1950, 1, 1), date(2150, 1, 1)), st.integers(1, 12))
def test_every_day_is_in_exactly_one_quarter_which_follows_the_one_before(day: date, first_month: int) -> None:
    period = Period.of(day, first_month)
    assert period.starts_on <= day <= period.ends_on
    before = period.previous()
    assert before.ends_on + timedelta(days=1) == period.starts_on
    assert before.moments[1] == period.moments[0]
    assert Period.parse(str(period), first_month) == period
    assert [one.quarter for one in period.quarters_to_date()] == list(range(1, period.quarter + 1))


def test_a_quarter_begins_and_ends_at_midnight_in_phnom_penh() -> None:
    period = Period(2024, 3)
    assert period.moments == (datetime(2024, 6, 30, 17, tzinfo=UTC), datetime(2024, 9, 30, 17, tzinfo=UTC))
    assert not period.is_over(datetime(2024, 9, 30, 16, 59, 59, tzinfo=UTC))
    assert period.is_over(datetime(2024, 9, 30, 17, tzinfo=UTC))
    with pytest.raises(Invalid):
        begun(period, datetime(2024, 6, 30, 16, 59, tzinfo=UTC))
    begun(period, datetime(2024, 6, 30, 17, tzinfo=UTC))


@pytest.mark.parametrize(
    ("value", "told_in", "words"),
    [
        (None, 1, "not told"),
        (0, 100, "0"),
        (99, 100, "99"),
        (100, 100, "100"),
        (101, 100, "over 100"),
        (1234, 1, "1,234"),
    ],
)
def test_figures_are_told_in_words(value: int | None, told_in: int, words: str) -> None:
    assert printed(value, told_in).en == words


def _took(*days: float) -> Sequence[timedelta]:
    return [timedelta(days=one) for one in days]


def test_medians_and_bands_are_disjoint_whole_and_never_of_a_few() -> None:
    practice = next(one for one in PRACTICE if one.code == "referral_to_acceptance")
    nothing: Any = of_days(practice, [])
    assert (nothing.value, nothing.count, nothing.suppressed) == (None, 0, False)
    few = of_days(practice, _took(1, 2, 3, 4))
    assert (few.value, few.count, few.suppressed) == (None, None, True)
    assert {band.count for band in few.bands} == {None}
    many = of_days(practice, _took(*[0.5] * 6, *[2.0] * 6, *[7.99] * 6))
    assert (many.value, many.count) == (2.0, 18)
    assert [(band.from_day, band.until_day, band.count) for band in many.bands] == [
        *((0, 1, 6), (2, 3, 6), (4, 7, 6), (8, 30, 0), (31, None, 0))
    ]
    telling = of_days(practice, _took(*[0.5] * 6, *[2.0] * 2, *[5.0] * 6))
    hidden = [band.count for band in telling.bands].count(None)
    assert telling.bands[1].count is None
    assert hidden >= 2  # one alone would follow from the total
    assert (many.suppressed, telling.suppressed) == (False, True)


def test_the_median_of_a_few_is_not_how_long_one_of_them_took_to_the_hour() -> None:
    practice = next(one for one in PRACTICE if one.code == "referral_to_acceptance")
    seven = of_days(practice, _took(0.1, 0.2, 0.3, 3.37, 4, 5, 6))
    assert (seven.value, seven.count) == (3.0, 7)
    assert of_days(practice, _took(*[3.37] * 9)).value == 3.0
    assert of_days(practice, _took(*[3.37] * 10)).value == 3.4


def test_what_nobody_can_see_the_whole_of_is_never_a_zero() -> None:
    unseen = [one for one in PRACTICE if one.over is KpiOver.ASSIGNED_CASES]
    assert {one.code for one in unseen} == {"incident_to_report", "report_to_assessment", "care_windows_met"}
    for one in unseen:
        told = of_share(one, []) if one.unit is KpiUnit.SHARE else of_days(one, [])
        assert (told.over, told.value, told.count, told.bands) == (KpiOver.ASSIGNED_CASES, None, None, [])


def test_shares_of_few_are_not_told_on_either_side() -> None:
    practice = next(one for one in PRACTICE if one.code == "loops_closed")
    assert of_share(practice, []).value is None
    assert of_share(practice, []).suppressed is False
    for met in ([True] * 4, [True] * 3 + [False] * 7, [True] * 7 + [False] * 3):
        told = of_share(practice, met)
        assert (told.value, told.suppressed) == (None, True)
    assert of_share(practice, [True] * 5 + [False] * 5).value == 0.5
    assert of_share(practice, [True] * 10).value == 1.0
