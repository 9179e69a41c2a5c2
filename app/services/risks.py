"""The level of risk of a case: who set it when and why, a supervisor's look at it, and what it hurries."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.db import update
from app.errors import Cause, Conflict, NotFound
from app.models.assessment import RiskChange, RiskChangeRead, RiskReview, RiskSet
from app.models.base import Page
from app.models.case import CaseRow, Colleague, OfCase
from app.models.codes.cases import RiskLevel
from app.models.codes.people import Role
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.policy import forbid
from app.sealing import opened, seal
from app.security import Actor
from app.services.cases import open_for_change
from app.services.colleagues import names_of
from app.services.danger import is_lower
from app.services.events import record
from app.services.hurrying import hurry
from app.services.risk_clock import clock_of
from app.services.visible import access_for, save_case


async def set_risk(session: AsyncSession, actor: Actor, case_id: UUID, wanted: RiskSet) -> RiskChangeRead:
    """Set the level by hand. 403 for who lowers it from high and is no supervisor, 409 when it is so already."""
    case = await open_for_change(session, case_id, Permission.RISK_SET)
    if wanted.level is case.risk_level:
        raise Conflict(Cause.UNCHANGED)
    forbid(is_lower(wanted.level, case.risk_level) and not may_lower(actor, case))
    change = await change_risk(session, actor, case, wanted.level, reason=wanted.reason)
    return (await _reads(session, [change]))[0]


def may_lower(actor: Actor, case: CaseRow) -> bool:
    """From high only a supervisor does."""
    return case.risk_level is not RiskLevel.HIGH or actor.role is Role.SUPERVISOR


async def change_risk(
    session: AsyncSession,
    actor: Actor,
    case: CaseRow,
    level: RiskLevel,
    *,
    reason: str | None,
    assessment_id: UUID | None = None,
) -> RiskChange:
    """Write the new level with its history; where it rises, what waits for longer than it allows is brought forward."""
    before, case.risk_level = case.risk_level, level
    case.touch(actor.now)
    await save_case(session, case)
    row = await _write(session, actor, case, (before, level), reason=reason, assessment_id=assessment_id)
    if is_lower(before, level):
        await hurry(session, actor, case)
    return row


async def bring_risk(session: AsyncSession, actor: Actor, case: OfCase, level: RiskLevel) -> None:
    """The level that a case has brought along from another organisation: its history here begins with it."""
    if level is RiskLevel.NOT_ASSESSED:
        return
    await update(session, "cases", case.id, {"risk_level": level})
    await _write(session, actor, case, (RiskLevel.NOT_ASSESSED, level))
    await session.flush()  # while the caller still sees the case


async def _write(
    session: AsyncSession,
    actor: Actor,
    case: OfCase,
    levels: tuple[RiskLevel, RiskLevel],
    *,
    reason: str | None = None,
    assessment_id: UUID | None = None,
) -> RiskChange:
    """The row of history, and what is told; a rise is looked at by a supervisor, unless it is one who says so."""
    before, level = levels
    asks = is_lower(before, level) and actor.role is not Role.SUPERVISOR
    review = clock_of(session, level).review if asks else None
    row = RiskChange(
        case_id=case.id,
        organisation_id=case.organisation_id,
        before=before,
        level=level,
        assessment_id=assessment_id,
        review_due_at=actor.now + review if review else None,
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )
    seal(session, row, {"reason": reason, "review_note": None})
    session.add(row)
    await _tell(session, actor, row, "risk.changed", reason)
    return row


async def list_changes(session: AsyncSession, case_id: UUID, query: ListQuery) -> Page[RiskChangeRead]:
    """The levels that the case has had, newest first."""
    await access_for(session, case_id, Permission.ASSESSMENT_READ)
    statement = select(RiskChange).where(col(RiskChange.case_id) == case_id)
    rows, cursor = await newest_first(session, statement, RiskChange.created_at, RiskChange.id, query)
    return Page[RiskChangeRead](items=await _reads(session, rows), next_cursor=cursor)


async def read_change(session: AsyncSession, case_id: UUID, change_id: UUID) -> RiskChangeRead:
    """One change; 404 when it is not of this case."""
    await access_for(session, case_id, Permission.ASSESSMENT_READ)
    return (await _reads(session, [await _of_case(session, case_id, change_id)]))[0]


async def review_change(
    session: AsyncSession, actor: Actor, case_id: UUID, change_id: UUID, told: RiskReview
) -> RiskChangeRead:
    """A supervisor has looked at a high risk. 409 when there was nothing to look at, or another one has."""
    await open_for_change(session, case_id, Permission.RISK_REVIEW)
    row = await _of_case(session, case_id, change_id)
    forbid(row.created_by == actor.id or actor.role is not Role.SUPERVISOR)
    if row.review_due_at is None or row.reviewed_at is not None:
        raise Conflict(Cause.NOTHING_ASKED)
    row.reviewed_at, row.reviewed_by = actor.now, actor.id
    seal(session, row, {**opened(session, row), "review_note": told.note})
    row.touch(actor.now)
    await _tell(session, actor, row, "risk.reviewed", None)
    return (await _reads(session, [row]))[0]


async def _tell(session: AsyncSession, actor: Actor, row: RiskChange, event: str, reason: str | None) -> None:
    await record(
        session,
        actor,
        event,
        case_id=row.case_id,
        organisation_id=row.organisation_id,
        subject_id=row.id,
        data={"from": row.before, "to": row.level},
        reason=reason,
    )


async def _of_case(session: AsyncSession, case_id: UUID, change_id: UUID) -> RiskChange:
    statement = select(RiskChange).where(col(RiskChange.id) == change_id, col(RiskChange.case_id) == case_id)
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound
    return row


async def _reads(session: AsyncSession, rows: Sequence[RiskChange]) -> list[RiskChangeRead]:
    people = await names_of(session, (row.created_by for row in rows))
    return [_read(session, row, people[row.created_by]) for row in rows]


def _read(session: AsyncSession, row: RiskChange, by: Colleague) -> RiskChangeRead:
    clear = set(RiskChangeRead.model_fields) - {"at", "by", "reason", "review_note"}
    return RiskChangeRead(at=row.created_at, by=by, **opened(session, row), **row.model_dump(include=clear))
