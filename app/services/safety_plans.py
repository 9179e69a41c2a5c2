"""The safety plan: what she does when it becomes dangerous, written down with her, and looked at again."""

from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import refuse_future_day
from app.errors import NotFound
from app.models.safety_plan import SafetyPlan, SafetyPlanRead, SafetyPlanWrite
from app.permissions import Permission
from app.preconditions import check_put
from app.sealing import opened, seal
from app.security import Actor
from app.services.cases import open_for_change
from app.services.events import record
from app.services.visible import access_for


async def read_safety_plan(session: AsyncSession, case_id: UUID) -> SafetyPlanRead:
    """The plan; 404 when there is none yet."""
    await access_for(session, case_id, Permission.SAFETY_PLAN_READ)
    row = await plan_of(session, case_id)
    if row is None:
        raise NotFound
    return _read(session, row)


async def write_safety_plan(
    session: AsyncSession,
    actor: Actor,
    case_id: UUID,
    told: SafetyPlanWrite,
    if_match: str | None,
    if_none_match: str | None,
) -> SafetyPlanRead:
    """Write the whole plan anew. 428/412 by the headers, 422 for a review that has not been yet, 409 when closed."""
    case = await open_for_change(session, case_id, Permission.SAFETY_PLAN_EDIT)
    row = await plan_of(session, case_id)
    check_put(if_match, if_none_match, row.version if row else None)
    refuse_future_day(told.reviewed_on, actor.now, "/reviewed_on")
    if row is None:
        row = SafetyPlan(
            case_id=case.id,
            organisation_id=case.organisation_id,
            created_at=actor.now,
            updated_at=actor.now,
            created_by=actor.id,
        )
        session.add(row)
    else:
        row.touch(actor.now)
    row.review_due_on = _due_on(told)
    seal(session, row, told.model_dump(mode="json"))
    await record(
        session,
        actor,
        "safety_plan.written",
        case_id=case.id,
        organisation_id=case.organisation_id,
        subject_id=row.id,
    )
    return _read(session, row)


async def plan_of(session: AsyncSession, case_id: UUID) -> SafetyPlan | None:
    """The row of a case that the caller may read in full."""
    statement = select(SafetyPlan).where(col(SafetyPlan.case_id) == case_id)
    return (await session.execute(statement)).scalar_one_or_none()


def _due_on(told: SafetyPlanWrite) -> date | None:
    """When somebody looks at it again; a review on that day, or later, is that look."""
    if told.review_on is None or (told.reviewed_on is not None and told.reviewed_on >= told.review_on):
        return None
    return told.review_on


def _read(session: AsyncSession, row: SafetyPlan) -> SafetyPlanRead:
    clear = row.model_dump(include={"case_id", "version", "created_at", "updated_at"})
    return SafetyPlanRead(**opened(session, row), **clear)
