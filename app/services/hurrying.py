"""When the risk of a case rises, nothing on it may wait for longer than the new level allows."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models.action import Action
from app.models.case import CaseRow
from app.models.codes.care import ActionPrompt
from app.models.codes.cases import RiskLevel
from app.models.follow_up import FollowUp
from app.security import Actor
from app.services.action_rows import ask_for, lead_or_self, open_on
from app.services.assessed import is_assessed
from app.services.deaths import has_died
from app.services.first_look import UNKNOWN_DANGER
from app.services.next_follow_up import bring_forward, plan_by_the_clock, planned_on
from app.services.risk_clock import clock_of, reckoned


async def hurry(session: AsyncSession, actor: Actor, case: CaseRow) -> None:
    """Bring the next contact forward, or plan one; and ask for a first action where nothing is due so soon. After her
    death there is neither."""
    if has_died(case):
        return
    clock = clock_of(session, reckoned(case))
    assignee_id = await lead_or_self(session, actor, case.id)
    statement = select(FollowUp).where(*planned_on(case.id)).order_by(col(FollowUp.due_at), col(FollowUp.id)).limit(1)
    planned = (await session.execute(statement)).scalar_one_or_none()
    if planned is None:
        await plan_by_the_clock(session, actor, case, assignee_id=assignee_id)
    else:
        await bring_forward(session, actor, case, planned)
    if not await _is_due_by(session, case.id, actor.now + clock.first_action):
        await ask_for(
            session,
            actor,
            case,
            ActionPrompt.FIRST_STEP,
            within=clock.first_action,
            assignee_id=assignee_id,
            urgent=case.risk_level is RiskLevel.HIGH,
        )


async def ask_for_assessment(session: AsyncSession, actor: Actor, case: CaseRow) -> None:
    """The case turns out to be one of domestic violence: unless its danger is known somebody finds it out in 24 hours,
    and no contact waits for longer than at high risk."""
    if await is_assessed(session, case.id):
        return
    assignee_id = await lead_or_self(session, actor, case.id)
    asked, within = ActionPrompt.NEW_ASSESSMENT, UNKNOWN_DANGER
    await ask_for(session, actor, case, asked, within=within, assignee_id=assignee_id, urgent=True)
    await hurry(session, actor, case)


async def _is_due_by(session: AsyncSession, case_id: UUID, latest: datetime) -> bool:
    await session.flush()
    contact = await session.scalar(select(func.min(FollowUp.due_at)).where(*planned_on(case_id)))
    action = await session.scalar(select(func.min(Action.due_at)).where(*open_on(case_id)))
    return any(due is not None and due <= latest for due in (contact, action))
