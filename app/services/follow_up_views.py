"""From rows of follow-ups to what is read of them, with the window in which she may be reached."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch
from app.models.case import CaseRow, Colleague, SafeContact
from app.models.codes.care import ContactChannel, FollowUpOutcome
from app.models.follow_up import Contact, FollowUp, FollowUpRead, FollowUpState
from app.sealing import opened, ring_of
from app.security import Actor
from app.services.colleagues import names_of
from app.services.safe_contact import window_at

CASE = "select sealed from cases where id = %(case_id)s"


def said_in(case: CaseRow) -> SafeContact | None:
    """What the client of a locked case said about contacts."""
    return said_of(case.private)


async def said_on(session: AsyncSession, case_id: UUID) -> SafeContact | None:
    """The same of a case that is only read; nothing of it but the windows goes to who may not read it whole."""
    rows = await fetch(session, CASE, {"case_id": case_id})
    return said_of(ring_of(session).open("cases", case_id, case_id, rows[0].sealed)) if rows else None


def said_of(private: Mapping[str, Any]) -> SafeContact | None:
    """The same in the private part of a case."""
    said = private.get("safe_contact")
    return SafeContact.model_validate(said) if said else None


def channel_of(session: AsyncSession, row: FollowUp) -> ContactChannel | None:
    """How she is to be contacted; None for a date at the desk."""
    written = opened(session, row)["channel"]
    return ContactChannel(written) if written else None


async def read_of(session: AsyncSession, actor: Actor, said: SafeContact | None, row: FollowUp) -> FollowUpRead:
    """One row."""
    return (await reads_of(session, actor, said, [row]))[0]


async def reads_of(
    session: AsyncSession, actor: Actor, said: SafeContact | None, rows: Sequence[FollowUp]
) -> list[FollowUpRead]:
    """Rows of one case, in their order."""
    return await reads_across(session, actor, {row.case_id: said for row in rows}, rows)


async def reads_across(
    session: AsyncSession, actor: Actor, said: Mapping[UUID, SafeContact | None], rows: Sequence[FollowUp]
) -> list[FollowUpRead]:
    """Rows of several cases, in their order, with what each client said."""
    people = await names_of(session, (row.assignee_id for row in rows))
    return [_read(session, actor, said[row.case_id], row, people[row.assignee_id]) for row in rows]


def _read(
    session: AsyncSession, actor: Actor, said: SafeContact | None, row: FollowUp, assignee: Colleague
) -> FollowUpRead:
    private = opened(session, row)
    channel = channel_of(session, row)
    outcome = private.get("outcome")
    return FollowUpRead(
        state=_state(row),
        channel=channel,
        asks_consent=bool(private.get("asks_consent")),
        assignee=assignee,
        contact=_contact(said, channel, row, actor) if channel is not None else None,
        outcome=FollowUpOutcome(outcome) if outcome else None,
        note=private.get("note"),
        **row.model_dump(
            include={
                *("id", "case_id", "due_at", "happened_at", "recorded_by"),
                *("version", "created_at", "updated_at"),
            }
        ),
    )


def _state(row: FollowUp) -> FollowUpState:
    if row.happened_at is not None:
        return FollowUpState.RECORDED
    return FollowUpState.PLANNED if row.ended_at is None else FollowUpState.CANCELLED


def _contact(said: SafeContact | None, channel: ContactChannel, row: FollowUp, actor: Actor) -> Contact:
    now = window_at(said, channel, actor.now)
    return Contact(
        allowed_now=now.allowed,
        next_window=now.opens_next,
        planned_safely=window_at(said, channel, row.due_at).allowed,
        leave_message=said is not None and said.leave_message,
    )
