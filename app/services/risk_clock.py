"""How soon something must happen at each level of risk; the hours and days are settings."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.models.case import CaseRow
from app.models.codes.cases import Category, RiskLevel
from app.settings import Settings


@dataclass(frozen=True, slots=True)
class RiskClock:
    """How long a client waits at most: for a first action, for the next follow-up, for a supervisor's look (None: no
    such look)."""

    first_action: timedelta
    follow_up: timedelta
    review: timedelta | None = None


def clock_of(session: AsyncSession, level: RiskLevel) -> RiskClock:
    """The clock of a level. A case that was not assessed waits no longer than one at low risk."""
    told: Settings = session.info["settings"]
    if level is RiskLevel.HIGH:
        return RiskClock(
            timedelta(hours=told.risk_high_first_action_hours),
            timedelta(days=told.risk_high_follow_up_days),
            timedelta(hours=told.risk_high_review_hours),
        )
    if level is RiskLevel.MEDIUM:
        return RiskClock(
            timedelta(hours=told.risk_medium_first_action_hours), timedelta(days=told.risk_medium_follow_up_days)
        )
    return RiskClock(timedelta(hours=told.risk_low_first_action_hours), timedelta(days=told.risk_low_follow_up_days))


def reckoned(case: CaseRow) -> RiskLevel:
    """The level by which a case waits: domestic violence that nobody has assessed counts as high."""
    if case.category is Category.DOMESTIC_VIOLENCE and case.risk_level is RiskLevel.NOT_ASSESSED:
        return RiskLevel.HIGH
    return case.risk_level


def longest_wait(session: AsyncSession, case: CaseRow) -> timedelta:
    """How long the client of a case waits at most for the next contact."""
    return clock_of(session, reckoned(case)).follow_up
