"""Violence that nobody has looked into is looked into within a day of the opening, and that day is not put off."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models.case import CaseRow
from app.models.codes.care import FollowUpOutcome
from app.models.codes.cases import Category, RiskLevel
from app.models.follow_up import FollowUp
from app.sealing import opened

# Not looked at yet is no reason to wait where a life may be at stake.
UNKNOWN_DANGER = timedelta(hours=24)
# Beside the channel among what is sealed of the date that an opening plans.
LOOK_BY = "look_by"


async def look_by(session: AsyncSession, case: CaseRow) -> datetime | None:
    """Until when somebody looks for her first; None once somebody has, or has assessed the danger, and elsewhere.

    A case that became one of violence later has an urgent action instead (hurrying.py), which is not put off either.
    """
    if case.category is not Category.DOMESTIC_VIOLENCE or case.risk_level is not RiskLevel.NOT_ASSESSED:
        return None
    rows = (await session.execute(select(FollowUp).where(col(FollowUp.case_id) == case.id))).scalars().all()
    told = [(row, opened(session, row)) for row in rows]
    latest: datetime | None = None
    # In the order in which they were planned; an opening's before what followed from it in the same moment.
    for row, private in sorted(told, key=lambda one: (one[0].created_at, LOOK_BY not in one[1], one[0].id)):
        if LOOK_BY in private:
            latest = datetime.fromisoformat(private[LOOK_BY])
        if row.happened_at is not None and latest is not None:
            put_off = private["outcome"] == FollowUpOutcome.RESCHEDULED  # by her, and again no longer than a day
            latest = max(latest, row.happened_at + UNKNOWN_DANGER) if put_off else None
        if private.get("asks_consent"):
            latest = None  # without her consent nobody goes there; the date to ask again has its own limit
    return latest
