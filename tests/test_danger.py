"""The danger assessment: all answers, what raises it, and how many weeks are left."""

from datetime import date, timedelta
from itertools import combinations

import pytest

from app.models.codes import DangerItem, RiskFactor, RiskLevel
from app.services.danger import danger_of, is_lower, raised, weeks_to_12

LOW, MEDIUM, HIGH = RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH
ANSWERS = [set(said) for number in range(6) for said in combinations(DangerItem, number)]


@pytest.mark.parametrize("said", ANSWERS, ids=lambda said: "+".join(sorted(said)) or "none")
def test_every_set_of_answers_has_its_score_and_level(said: set[DangerItem]) -> None:
    found = danger_of(said)
    by_score = [LOW, MEDIUM, MEDIUM, HIGH, HIGH, HIGH][len(said)]
    assert found.score == len(said)
    assert found.level is (HIGH if DangerItem.CHOKED in said else by_score)
    assert found.urgent_health is (DangerItem.CHOKED in said)


def test_there_are_thirty_two_sets_of_answers() -> None:
    assert len(ANSWERS) == 32


def test_choked_alone_is_high_and_urgent() -> None:
    found = danger_of([DangerItem.CHOKED])
    assert (found.score, found.level, found.urgent_health) == (1, HIGH, True)


@pytest.mark.parametrize("factor", RiskFactor)
def test_each_factor_raises_one_level_and_all_of_them_no_more(factor: RiskFactor) -> None:
    assert danger_of([], [factor]).level is MEDIUM
    assert danger_of([DangerItem.JEALOUS], [factor]).level is HIGH
    assert danger_of([], list(RiskFactor)).level is MEDIUM
    assert not danger_of([], list(RiskFactor)).urgent_health
    assert raised(HIGH) is HIGH


def test_lowering_is_known_as_such() -> None:
    order = [RiskLevel.NOT_ASSESSED, LOW, MEDIUM, HIGH]
    for old_rank, old in enumerate(order):
        for new_rank, new in enumerate(order):
            assert is_lower(new, old) is (new_rank < old_rank)


@pytest.mark.parametrize(
    ("weeks", "days_later", "left"),
    [(6, 0, 6), (6, 1, 5), (6, 7, 5), (6, 42, 0), (12, 0, 0), (11, 0, 1), (11, 1, 0), (20, 3, 0)],
)
def test_weeks_are_counted_down_by_days(weeks: int, days_later: int, left: int) -> None:
    assessed_on = date(2026, 2, 27)
    assert weeks_to_12(weeks, assessed_on, assessed_on + timedelta(days=days_later)) == left
