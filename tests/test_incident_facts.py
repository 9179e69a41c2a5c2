"""What follows from the six answers, and the hours in which care can still prevent the worst."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.codes.incidents import DatePrecision, GbvContext, GbvQuestion, GbvType, PerpetratorRelationship
from app.models.codes.people import Sex
from app.models.incident import GbvAnswers
from app.services.incident_facts import (
    CareWindows,
    age_at,
    care_windows,
    contexts_of,
    earliest_instant,
    pregnancy_is_possible,
    type_of,
)

HERE = ZoneInfo("Asia/Phnom_Penh")
TYPES = list(GbvType)[:6]
AT = datetime(2026, 3, 2, 22, 30, tzinfo=HERE)
HUSBAND, NEIGHBOUR = PerpetratorRelationship.INTIMATE_PARTNER, PerpetratorRelationship.NEIGHBOUR


@pytest.mark.parametrize("said", list(product([True, False, None], repeat=6)))
def test_the_first_yes_decides_the_type(said: tuple[bool | None, ...]) -> None:
    answers = GbvAnswers(**dict(zip([question.value for question in GbvQuestion], said, strict=True)))
    if True in said:
        assert type_of(answers) is TYPES[said.index(True)]
    elif False in said:
        assert type_of(answers) is GbvType.NON_GBV
    else:
        assert type_of(answers) is None


def test_contexts_do_not_hide_behind_the_type() -> None:
    both = GbvAnswers(penetration=True, forced_marriage=True)
    assert contexts_of(both, [NEIGHBOUR, HUSBAND], 17) == [
        GbvContext.INTIMATE_PARTNER_VIOLENCE,
        GbvContext.CHILD_SEXUAL_ABUSE,
        GbvContext.EARLY_MARRIAGE,
    ]
    assert contexts_of(both, [NEIGHBOUR], 18) == []
    assert contexts_of(both, [], None) == []
    assert contexts_of(GbvAnswers(), [HUSBAND], 17) == []
    assert contexts_of(GbvAnswers(physical=False), [HUSBAND], 17) == []
    assert contexts_of(GbvAnswers(psychological=True), [PerpetratorRelationship.FORMER_PARTNER], 40) == [
        GbvContext.INTIMATE_PARTNER_VIOLENCE
    ]


def left(precision: DatePrecision, now: datetime, *, kind: GbvType | None = GbvType.RAPE) -> CareWindows:
    return care_windows(kind, AT, precision, now, pregnancy_possible=True)


@pytest.mark.parametrize(
    ("after", "hours"),
    [((71, 59), 0.01), ((72, 0), 0), ((72, 1), 0), ((0, 0), 72), ((24, 30), 47.5)],
)
def test_hours_are_counted_from_the_exact_moment(after: tuple[int, int], hours: float) -> None:
    now = AT + timedelta(hours=after[0], minutes=after[1])
    assert left(DatePrecision.EXACT, now).pep_hours_left == hours
    assert left(DatePrecision.EXACT, now + timedelta(hours=48)).ec_hours_left == hours


def test_a_day_is_counted_from_its_midnight_in_phnom_penh() -> None:
    """22:30 here is 15:30 in UTC: the same day. 02:00 here is the day before in UTC, and must not be."""
    now = datetime(2026, 3, 4, 23, 59, tzinfo=HERE)
    assert left(DatePrecision.DAY, now).pep_hours_left == 0.01
    assert left(DatePrecision.DAY, now + timedelta(minutes=1)).pep_hours_left == 0
    early = datetime(2026, 3, 2, 2, 0, tzinfo=HERE).astimezone(UTC)
    windows = care_windows(GbvType.RAPE, early, DatePrecision.DAY, now, pregnancy_possible=True)
    assert windows.pep_hours_left == 0.01


def test_a_month_is_counted_from_its_first_day_and_a_year_not_at_all() -> None:
    now = datetime(2026, 3, 3, 0, 0, tzinfo=HERE)
    assert left(DatePrecision.MONTH, now) == CareWindows(24, 72)
    assert left(DatePrecision.MONTH, now + timedelta(days=20)) == CareWindows(0, 0)
    for precision in (DatePrecision.YEAR, DatePrecision.UNKNOWN):
        assert left(precision, now) == CareWindows(None, None)
    assert care_windows(GbvType.RAPE, None, DatePrecision.EXACT, now, pregnancy_possible=True).pep_hours_left is None


@pytest.mark.parametrize("kind", [None, *GbvType])
def test_windows_are_for_sexual_violence_alone(kind: GbvType | None) -> None:
    sexual = kind in {GbvType.RAPE, GbvType.SEXUAL_ASSAULT}
    found = left(DatePrecision.EXACT, AT, kind=kind)
    assert (found.pep_hours_left is not None, found.ec_hours_left is not None) == (sexual, sexual)
    assert care_windows(kind, AT, DatePrecision.EXACT, AT, pregnancy_possible=False).ec_hours_left is None


@given(
    st.timedeltas(timedelta(days=-800), timedelta(days=300)).map(lambda apart: AT + apart),
    st.sampled_from(DatePrecision),
    st.timedeltas(timedelta(0), timedelta(days=40)),
)
def test_nobody_is_told_of_more_time_than_there_is(at: datetime, precision: DatePrecision, later: timedelta) -> None:
    first = earliest_instant(at, precision)
    found = care_windows(GbvType.RAPE, at, precision, at + later, pregnancy_possible=True)
    assert (first is None) == (found.pep_hours_left is None) == (found.ec_hours_left is None)
    if first is not None and found.pep_hours_left is not None and found.ec_hours_left is not None:
        assert first <= at
        assert 0 <= found.pep_hours_left <= max(0, 72 - later / timedelta(hours=1))
        assert found.pep_hours_left <= found.ec_hours_left <= max(0, 120 - later / timedelta(hours=1))


@pytest.mark.parametrize(
    ("sex", "age", "possible"),
    [
        (Sex.FEMALE, 8, False),
        (Sex.FEMALE, 9, True),
        (Sex.FEMALE, 55, True),
        (Sex.FEMALE, 56, False),
        (Sex.FEMALE, None, True),
        (Sex.UNKNOWN, None, True),
        (Sex.MALE, 30, False),
    ],
)
def test_what_is_unknown_rules_no_pregnancy_out(sex: Sex, age: int | None, possible: bool) -> None:
    assert pregnancy_is_possible(sex, age) is possible


def test_the_age_is_that_of_the_first_day_on_which_it_may_have_happened() -> None:
    birth = date(2008, 3, 2)
    assert age_at(birth, AT, DatePrecision.EXACT) == 18
    assert age_at(birth, AT - timedelta(days=1), DatePrecision.DAY) == 17
    assert age_at(birth, AT, DatePrecision.MONTH) == 17
    assert age_at(birth, AT, DatePrecision.YEAR) == 17
    assert age_at(birth, AT, DatePrecision.UNKNOWN) is None
    assert age_at(None, AT, DatePrecision.EXACT) is None
    assert age_at(birth, None, DatePrecision.YEAR) is None
    assert age_at(date(2026, 3, 5), AT, DatePrecision.EXACT) == 0
