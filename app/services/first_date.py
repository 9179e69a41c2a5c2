"""No open case is without a next date: opening it, and opening it again, plans one at the desk by the risk's clock.

It is for whoever leads the case. Nothing was agreed with the client yet, so it names no channel; the lead makes a visit
or a call of it, within what is safe, or records what came of looking.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch, insert
from app.ids import new_id
from app.models.case import CaseRow, OfCase
from app.models.codes.cases import Category, RiskLevel
from app.sealing import ring_of
from app.security import Actor
from app.services.events import record
from app.services.first_look import LOOK_BY, UNKNOWN_DANGER
from app.services.risk_clock import clock_of

AWAITED = (
    "awaited"  # marks it among what is sealed: the risk has risen since, and it is the contact that the level asks for
)
DATES = """
    select c.lead_id, exists (select from follow_ups f where f.case_id = c.id and f.happened_at is null
                                 and f.ended_at is null) as planned
      from cases c where c.id = %(case_id)s
"""


def first_within(session: AsyncSession, category: Category, risk: RiskLevel = RiskLevel.NOT_ASSESSED) -> timedelta:
    """How long a case with this category and risk waits at most for the first look."""
    if category is Category.DOMESTIC_VIOLENCE and risk is RiskLevel.NOT_ASSESSED:
        return UNKNOWN_DANGER
    return clock_of(session, risk).first_action


def first_row(
    session: AsyncSession, actor: Actor, case: OfCase, lead_id: UUID | None, wait: timedelta
) -> dict[str, Any]:
    """Its row, for a case that is being opened, or opened again, by the caller.

    Where nobody leads it is the caller's until a lead is named, whose it then becomes (140_worklist.sql).
    """
    row_id, due_at = new_id(), actor.now + wait
    private = {"channel": None, **({LOOK_BY: due_at.isoformat()} if wait == UNKNOWN_DANGER else {})}
    return {
        "id": row_id,
        "case_id": case.id,
        "organisation_id": case.organisation_id,
        "due_at": due_at,
        "assignee_id": lead_id or actor.id,
        "of_opening": True,
        "sealed": ring_of(session).seal("follow_ups", row_id, case.id, private),
        "version": 1,
        "created_at": actor.now,
        "updated_at": actor.now,
        "created_by": actor.id,
    }


async def plan_first_date(
    session: AsyncSession, actor: Actor, case: OfCase, lead_id: UUID | None, wait: timedelta
) -> None:
    """Write it, and tell."""
    row = first_row(session, actor, case, lead_id, wait)
    await insert(session, "follow_ups", row)
    await record(
        session,
        actor,
        "follow_up.planned",
        case_id=case.id,
        organisation_id=case.organisation_id,
        subject_id=row["id"],
    )


async def keep_dated(session: AsyncSession, actor: Actor, case: CaseRow) -> None:
    """Plan one for a case that goes on, unless something is planned."""
    [found] = await fetch(session, DATES, {"case_id": case.id})
    if not found.planned:
        wait = first_within(session, case.category, case.risk_level)
        await plan_first_date(session, actor, case, found.lead_id, wait)
