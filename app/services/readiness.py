"""What the danger to a client asks for before her case goes on or closes: an assessment, a plan, a look at the plan."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import day_of
from app.errors import PlanIncomplete
from app.models.assessment import DANGER_TOOLS, Assessment, RiskChange
from app.models.case import CaseRow
from app.models.codes.cases import Category, RiskLevel
from app.models.incident import Incident
from app.models.safety_plan import SafetyPlan
from app.sealing import opened
from app.services.assessed import is_assessed
from app.services.danger import is_lower
from app.services.safety_plans import plan_of


async def require_plan(session: AsyncSession, case: CaseRow) -> None:
    """409 `plan_incomplete`: domestic violence without a danger assessment, or high risk without a safety plan."""
    missing = []
    if case.category is Category.DOMESTIC_VIOLENCE and not await is_assessed(session, case.id):
        missing.append("assessment")
    if case.risk_level is RiskLevel.HIGH and not _is_needed(session, await plan_of(session, case.id)):
        missing.append("safety_plan")
    if missing:
        raise PlanIncomplete(missing)


async def has_unreviewed_plan(session: AsyncSession, case: CaseRow) -> bool:
    """Domestic violence does not close before the safety plan, or why none is needed, was looked at again, after the
    last that was learned of her danger. At high risk a reason why not is no plan."""
    if case.category is not Category.DOMESTIC_VIOLENCE:
        return False
    row = await plan_of(session, case.id)
    if row is None or (reviewed_on := opened(session, row)["reviewed_on"]) is None:
        return True
    if case.risk_level is RiskLevel.HIGH and not _is_needed(session, row):
        return True
    learned_at = await _danger_learned_at(session, case)
    # The day alone would let the look of this morning stand for the attack of this afternoon.
    return row.updated_at < learned_at or reviewed_on < day_of(learned_at).isoformat()


async def has_unreviewed_rise(session: AsyncSession, case: CaseRow) -> bool:
    """No supervisor has looked yet at a risk that became high."""
    statement = select(col(RiskChange.id)).where(
        col(RiskChange.case_id) == case.id,
        col(RiskChange.review_due_at).is_not(None),
        col(RiskChange.reviewed_at).is_(None),
    )
    return await session.scalar(statement.limit(1)) is not None


async def _danger_learned_at(session: AsyncSession, case: CaseRow) -> datetime:
    """When an incident, a danger assessment or a rise of the risk was last written down; the first is the opening."""
    case_id = case.id
    statements = (
        select(col(Incident.created_at)).where(col(Incident.case_id) == case_id),
        select(col(Assessment.created_at)).where(
            col(Assessment.case_id) == case_id, col(Assessment.tool).in_(DANGER_TOOLS)
        ),
    )
    found = [at for one in statements for at in (await session.execute(one)).scalars()]
    changes = (await session.execute(select(RiskChange).where(col(RiskChange.case_id) == case_id))).scalars()
    rises = [one.created_at for one in changes if is_lower(one.before, one.level)]
    return max([case.opened_at, *found, *rises])


def _is_needed(session: AsyncSession, row: SafetyPlan | None) -> bool:
    return row is not None and bool(opened(session, row)["needed"])
