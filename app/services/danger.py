"""The danger assessment DA-5: five answers, what raises their level, and which level is above which."""

from collections.abc import Collection
from dataclasses import dataclass

from app.models.codes.cases import RiskLevel
from app.models.codes.incidents import DangerItem, RiskFactor

# Messing, Campbell, Snider (2017): three or more of five are high danger; strangulation alone is, whatever the score.
HIGH_SCORE = 3
_ORDER = (RiskLevel.NOT_ASSESSED, RiskLevel.LOW, RiskLevel.MEDIUM, RiskLevel.HIGH)


@dataclass(frozen=True, slots=True)
class Danger:
    """`score`: 0 to 5, the number of yes. `urgent_health`: she was choked and needs care today, however she feels."""

    score: int
    level: RiskLevel
    urgent_health: bool


def danger_of(said_yes: Collection[DangerItem], factors: Collection[RiskFactor] = ()) -> Danger:
    """Score and level of the five answers; one factor or several raise the level by one."""
    score = len(set(said_yes))
    choked = DangerItem.CHOKED in said_yes
    level = RiskLevel.HIGH if choked or score >= HIGH_SCORE else RiskLevel.MEDIUM if score else RiskLevel.LOW
    return Danger(score, _raised(level) if factors else level, urgent_health=choked)


def is_lower(new: RiskLevel, old: RiskLevel) -> bool:
    """Whether the risk would fall; what was not assessed is below everything."""
    return _ORDER.index(new) < _ORDER.index(old)


def _raised(level: RiskLevel) -> RiskLevel:
    return _ORDER[min(_ORDER.index(level) + 1, len(_ORDER) - 1)]
