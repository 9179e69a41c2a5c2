"""How long each level of risk lets a client wait, as the settings say."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.models.codes.cases import RiskLevel
from app.services.risk_clock import RiskClock, clock_of
from app.settings import Settings


def hours(number: int) -> timedelta:
    return timedelta(hours=number)


def days(number: int) -> timedelta:
    return timedelta(days=number)


def clock(level: RiskLevel, **changed: int) -> RiskClock:
    return clock_of(AsyncSession(info={"settings": Settings(**changed)}), level)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (RiskLevel.HIGH, RiskClock(hours(24), days(7), hours(72))),
        (RiskLevel.MEDIUM, RiskClock(hours(72), days(14), None)),
        (RiskLevel.LOW, RiskClock(days(7), days(30), None)),
        (RiskLevel.NOT_ASSESSED, RiskClock(days(7), days(30), None)),
    ],
)
def test_the_clock_is_that_of_the_design_unless_somebody_sets_it(level: RiskLevel, expected: RiskClock) -> None:
    assert clock(level) == expected


@pytest.mark.parametrize("level", [RiskLevel.HIGH, RiskLevel.MEDIUM, RiskLevel.LOW])
def test_every_level_has_settings_of_its_own(level: RiskLevel) -> None:
    changed = {f"risk_{level.value}_first_action_hours": 5, f"risk_{level.value}_follow_up_days": 3}
    if level is RiskLevel.HIGH:
        changed["risk_high_review_hours"] = 9
    expected = RiskClock(hours(5), days(3), hours(9) if level is RiskLevel.HIGH else None)
    assert clock(level, **changed) == expected
    others = {RiskLevel.HIGH, RiskLevel.MEDIUM, RiskLevel.LOW} - {level}
    assert all(clock(other, **changed) == clock(other) for other in others)
