"""The danger assessment DA-5, what raises its level, and the clock that each level of risk sets."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from app.models.codes import DangerItem, RiskFactor, RiskLevel

# Messing, Campbell, Snider (2017): three or more of five are high danger; strangulation alone is, whatever the score.
HIGH_SCORE = 3
_LEVELS = (RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH)


@dataclass(frozen=True, slots=True)
class Danger:
    """`score`: 0 to 5, the number of yes. `urgent_health`: she was choked and needs care today, however she feels."""

    score: int
    level: RiskLevel
    urgent_health: bool


@dataclass(frozen=True, slots=True)
class RiskClock:
    """How soon something must happen at a level: first action, next follow-up, a supervisor's review (None: not)."""

    first_action: timedelta
    follow_up: timedelta
    review: timedelta | None


# A case whose risk was not assessed waits no longer than one at low risk.
_UNHURRIED = RiskClock(timedelta(days=7), timedelta(days=30), None)
CLOCKS = {
    RiskLevel.HIGH: RiskClock(timedelta(hours=24), timedelta(days=7), timedelta(hours=72)),
    RiskLevel.MEDIUM: RiskClock(timedelta(hours=72), timedelta(days=14), None),
    RiskLevel.LOW: _UNHURRIED,
    RiskLevel.NOT_ASSESSED: _UNHURRIED,
}


def danger_of(said_yes: Collection[DangerItem], factors: Collection[RiskFactor] = ()) -> Danger:
    """Score and level of the five answers; one factor or several raise the level by one."""
    score = len(set(said_yes))
    if DangerItem.CHOKED in said_yes or score >= HIGH_SCORE:
        level = RiskLevel.HIGH
    else:
        level = RiskLevel.MEDIUM if score else RiskLevel.LOW
    return Danger(score, raised(level) if factors else level, urgent_health=DangerItem.CHOKED in said_yes)


def raised(level: RiskLevel) -> RiskLevel:
    """The level above; high stays high."""
    return _LEVELS[min(_LEVELS.index(level) + 1, len(_LEVELS) - 1)]


def is_lower(new: RiskLevel, old: RiskLevel) -> bool:
    """Whether the risk would fall; what was not assessed is below everything."""
    order = (RiskLevel.NOT_ASSESSED, *_LEVELS)
    return order.index(new) < order.index(old)


def weeks_to_12(gestation_weeks: int, assessed_on: date, today: date) -> int:
    """Whole weeks left on `today` until the twelfth week of pregnancy is over; 0 when it is."""
    days = (12 - gestation_weeks) * 7 - (today - assessed_on).days
    return max(0, days // 7)
