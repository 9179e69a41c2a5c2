"""What the danger to a client asks for before her case goes on or closes: an assessment, a plan, a look at the plan."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import PlanIncomplete
from app.models.assessment import DANGER_TOOLS, Assessment
from app.models.case import CaseRow
from app.models.codes import Category, RiskLevel
from app.models.safety_plan import SafetyPlan
from app.sealing import opened
from app.services.safety_plans import plan_of


async def require_plan(session: AsyncSession, case: CaseRow) -> None:
    """409 `plan_incomplete`: domestic violence without a danger assessment, or high risk without a safety plan."""
    missing = []
    if case.category is Category.DOMESTIC_VIOLENCE and not await _is_assessed(session, case):
        missing.append("assessment")
    if case.risk_level is RiskLevel.HIGH and not _is_needed(session, await plan_of(session, case.id)):
        missing.append("safety_plan")
    if missing:
        raise PlanIncomplete(missing)


async def has_unreviewed_plan(session: AsyncSession, case: CaseRow) -> bool:
    """Domestic violence does not close before the safety plan, or why none is needed, was looked at again."""
    if case.category is not Category.DOMESTIC_VIOLENCE:
        return False
    row = await plan_of(session, case.id)
    return row is None or opened(session, row)["reviewed_on"] is None


async def _is_assessed(session: AsyncSession, case: CaseRow) -> bool:
    statement = select(col(Assessment.id)).where(
        col(Assessment.case_id) == case.id, col(Assessment.tool).in_(DANGER_TOOLS)
    )
    return await session.scalar(statement.limit(1)) is not None


def _is_needed(session: AsyncSession, row: SafetyPlan | None) -> bool:
    return row is not None and bool(opened(session, row)["needed"])
