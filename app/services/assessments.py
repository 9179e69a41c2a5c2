"""Assessments: the DA-5 is scored, longer tools are recorded, and the case's risk follows what they say."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import refuse_future_day
from app.errors import Invalid, NotFound
from app.models.assessment import DANGER_TOOLS, Assessment, AssessmentCreate, AssessmentRead
from app.models.base import Page
from app.models.case import CaseRow, Colleague
from app.models.codes.care import ActionPrompt
from app.models.codes.cases import RiskLevel
from app.models.codes.incidents import DangerItem
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.sealing import opened, seal
from app.security import Actor
from app.services.action_rows import ask_for, asked_already, tell
from app.services.cases import open_for_change, raise_to_sensitive
from app.services.colleagues import names_of
from app.services.danger import danger_of, is_lower
from app.services.events import record
from app.services.risk_clock import clock_of
from app.services.risks import change_risk, may_lower
from app.services.visible import access_for


async def assess(session: AsyncSession, actor: Actor, case_id: UUID, told: AssessmentCreate) -> AssessmentRead:
    """Record one; a danger assessment makes the case sensitive. 409 when it is closed, 422 for a day to come."""
    case = await open_for_change(session, case_id, Permission.ASSESSMENT_EDIT)
    refuse_future_day(told.assessed_on, actor.now, "/assessed_on")
    found = _found(told)
    level: RiskLevel | None = found["level"]
    applies = level is not None and await _applies(session, actor, case, told, level)
    row = Assessment(
        case_id=case.id,
        organisation_id=case.organisation_id,
        tool=told.tool,
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )
    seal(session, row, {**told.model_dump(mode="json", exclude={"tool", "raised_to"}), **found, "applied": applies})
    session.add(row)
    await record(
        session,
        actor,
        "assessment.recorded",
        case_id=case.id,
        organisation_id=case.organisation_id,
        subject_id=row.id,
        data={"tool": told.tool},
    )
    if told.tool in DANGER_TOOLS:
        await _follow(session, actor, case, row, level if applies else None, told.reason)
    return (await _reads(session, [row]))[0]


def _found(told: AssessmentCreate) -> dict[str, Any]:
    """What the assessment says: score, level by the answers, level in the end."""
    if told.answers is None:
        level = told.result.level if told.result else None
        return {"score": told.result.score if told.result else None, "computed": None, "level": level, "choked": False}
    danger = danger_of([item for item in DangerItem if getattr(told.answers, item)], told.factors)
    if told.raised_to is not None and not is_lower(danger.level, told.raised_to):
        raise Invalid.at("/raised_to", "not_higher", "A level is raised above what the answers give.")
    level = told.raised_to or danger.level
    return {"score": danger.score, "computed": danger.level, "level": level, "choked": danger.urgent_health}


async def _applies(
    session: AsyncSession, actor: Actor, case: CaseRow, told: AssessmentCreate, level: RiskLevel
) -> bool:
    """Does the case's risk follow? It always rises; it falls by the newest assessment, from high by a supervisor's."""
    if not is_lower(level, case.risk_level):
        return True
    statement = select(Assessment).where(col(Assessment.case_id) == case.id, col(Assessment.tool).in_(DANGER_TOOLS))
    earlier = (await session.execute(statement)).scalars()
    newest = all(opened(session, row)["assessed_on"] <= told.assessed_on.isoformat() for row in earlier)
    return newest and may_lower(actor, case)


async def _follow(
    session: AsyncSession, actor: Actor, case: CaseRow, row: Assessment, level: RiskLevel | None, reason: str | None
) -> None:
    """What a danger assessment brings about."""
    await raise_to_sensitive(session, case, actor)
    for asked in await asked_already(session, case.id, ActionPrompt.NEW_ASSESSMENT):
        asked.completed_at, asked.completed_by = actor.now, actor.id
        asked.touch(actor.now)
        await tell(session, actor, asked, "action.completed")
    if opened(session, row)["choked"]:
        within = clock_of(session, RiskLevel.HIGH).first_action
        await ask_for(
            session, actor, case, ActionPrompt.URGENT_HEALTH, within=within, assignee_id=actor.id, urgent=True
        )
    if level is not None and level is not case.risk_level:
        await change_risk(session, actor, case, level, reason=reason, assessment_id=row.id)


async def list_assessments(session: AsyncSession, case_id: UUID, query: ListQuery) -> Page[AssessmentRead]:
    """The assessments of a case, newest recorded first."""
    await access_for(session, case_id, Permission.ASSESSMENT_READ)
    statement = select(Assessment).where(col(Assessment.case_id) == case_id)
    rows, cursor = await newest_first(session, statement, Assessment.created_at, Assessment.id, query)
    return Page[AssessmentRead](items=await _reads(session, rows), next_cursor=cursor)


async def read_assessment(session: AsyncSession, case_id: UUID, assessment_id: UUID) -> AssessmentRead:
    """One; 404 when it is not of this case."""
    await access_for(session, case_id, Permission.ASSESSMENT_READ)
    statement = select(Assessment).where(col(Assessment.id) == assessment_id, col(Assessment.case_id) == case_id)
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound
    return (await _reads(session, [row]))[0]


async def _reads(session: AsyncSession, rows: Sequence[Assessment]) -> list[AssessmentRead]:
    people = await names_of(session, (row.created_by for row in rows))
    return [_read(session, row, people[row.created_by]) for row in rows]


def _read(session: AsyncSession, row: Assessment, assessor: Colleague) -> AssessmentRead:
    private = opened(session, row)
    urgent_health = private.pop("choked")
    clear = row.model_dump(include={"id", "case_id", "tool", "created_at"})
    return AssessmentRead(assessor=assessor, urgent_health=urgent_health, **private, **clear)
