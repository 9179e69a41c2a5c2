"""Rows of actions: which are open, how they are read, and what the server asks for by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import day_of
from app.db import fetch
from app.labels import code_lists
from app.models.action import Action, ActionRead, ActionState
from app.models.case import CaseRow, Colleague
from app.models.codes.care import ActionNeed, ActionPrompt
from app.models.codes.people import Language
from app.sealing import opened, seal
from app.security import Actor
from app.services.colleagues import names_of
from app.services.events import record

NEEDS = {
    ActionPrompt.URGENT_HEALTH: ActionNeed.HEALTH,
    ActionPrompt.FIRST_STEP: ActionNeed.SAFETY,
    ActionPrompt.NEW_ASSESSMENT: ActionNeed.SAFETY,
}
LEAD = "select lead_id from cases where id = %(case_id)s"


def open_on(case_id: UUID) -> tuple[Any, ...]:
    """The condition for what is still to be done on a case."""
    return (
        col(Action.case_id) == case_id,
        col(Action.completed_at).is_(None),
        col(Action.ended_at).is_(None),
    )


async def end_open_actions(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
    """Nothing is to be done on a case that closes."""
    changed = {"ended_at": actor.now, "updated_at": actor.now, "version": col(Action.version) + 1}
    await session.execute(update(Action).where(*open_on(case_id)).values(changed))


async def lead_or_self(session: AsyncSession, actor: Actor, case_id: UUID) -> UUID:
    """Whose the next step is: the lead's, and of who acts where nobody leads."""
    rows = await fetch(session, LEAD, {"case_id": case_id})
    return rows[0].lead_id or actor.id


def prompted(prompt: ActionPrompt, language: Language) -> dict[str, Any]:
    """The private part of what the server asks for; its title is the code's label, in the language of who acts."""
    label = next(one for one in code_lists()["action_prompt"] if one.code == prompt)
    title = label.km if language is Language.KM else label.en
    return {"title": title, "need": NEEDS[prompt], "note": None, "prompt": prompt}


async def ask_for(
    session: AsyncSession,
    actor: Actor,
    case: CaseRow,
    prompt: ActionPrompt,
    *,
    within: timedelta,
    assignee_id: UUID,
    urgent: bool,
) -> None:
    """Add what the server asks for, unless it was asked already and waits."""
    if await asked_already(session, case.id, prompt):
        return
    due_at = actor.now + within
    row = new_row(actor, case, due_at=due_at, assignee_id=assignee_id, urgent=urgent)
    seal(session, row, prompted(prompt, actor.language))
    session.add(row)
    await tell(session, actor, row, "action.added", prompt=prompt)


async def asked_already(session: AsyncSession, case_id: UUID, prompt: ActionPrompt) -> list[Action]:
    """The open actions with which the server asked for this."""
    rows = (await session.execute(select(Action).where(*open_on(case_id)))).scalars()
    return [row for row in rows if opened(session, row)["prompt"] == prompt]


def new_row(actor: Actor, case: CaseRow, *, due_at: datetime, assignee_id: UUID, urgent: bool) -> Action:
    """A row that waits for its private part."""
    return Action(
        case_id=case.id,
        organisation_id=case.organisation_id,
        due_on=day_of(due_at),
        due_at=due_at,
        urgent=urgent,
        assignee_id=assignee_id,
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )


async def tell(
    session: AsyncSession, actor: Actor, row: Action, event: str, reason: str | None = None, **data: object
) -> None:
    """Write an event of an action."""
    await record(
        session,
        actor,
        event,
        case_id=row.case_id,
        organisation_id=row.organisation_id,
        subject_id=row.id,
        data=data,
        reason=reason,
    )


async def read_of(session: AsyncSession, row: Action) -> ActionRead:
    """One row."""
    return (await reads_of(session, [row]))[0]


async def reads_of(session: AsyncSession, rows: Sequence[Action]) -> list[ActionRead]:
    """Rows of one case, in their order."""
    people = await names_of(session, (row.assignee_id for row in rows))
    return [_read(session, row, people[row.assignee_id]) for row in rows]


def _read(session: AsyncSession, row: Action, assignee: Colleague) -> ActionRead:
    clear = set(ActionRead.model_fields) - {"state", "title", "need", "note", "prompt", "assignee"}
    return ActionRead(state=state_of(row), assignee=assignee, **opened(session, row), **row.model_dump(include=clear))


def state_of(row: Action) -> ActionState:
    """Where it stands."""
    if row.completed_at is not None:
        return ActionState.DONE
    return ActionState.OPEN if row.ended_at is None else ActionState.CANCELLED
