"""What assistance means for the end of a case: what stands in its way, and what ends with an intake."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import ClosureBlocked
from app.models.assistance import AssistanceRequest
from app.models.codes.assistance import AssistanceStatus
from app.security import Actor
from app.services.assistance import tell

S = AssistanceStatus

UNDECIDED, STARTED, UNPAID = (S.SUBMITTED,), (S.PART_PAID,), (S.APPROVED, S.PART_PAID)
# What was paid in part is left so only where the client has died at intake: with what she got it is paid.
ENDS = {S.SUBMITTED: S.WITHDRAWN, S.APPROVED: S.CANCELLED, S.PART_PAID: S.PAID}
TOLD = {S.PART_PAID: "assistance.settled"}


async def has_assistance(session: AsyncSession, case_id: UUID, states: Collection[AssistanceStatus]) -> bool:
    """Is there a request of the case in one of these states?"""
    statement = select(col(AssistanceRequest.id)).where(
        col(AssistanceRequest.case_id) == case_id, col(AssistanceRequest.status).in_(list(states))
    )
    return await session.scalar(statement.limit(1)) is not None


async def require_settled(session: AsyncSession, case_id: UUID) -> None:
    """409 `closure_blocked`, with the codes of a closure, while help waits for a decision or for its payment."""
    open_states = {"undecided_assistance": UNDECIDED, "unpaid_assistance": UNPAID}
    if blocked := [code for code, states in open_states.items() if await has_assistance(session, case_id, states)]:
        raise ClosureBlocked(blocked)


async def end_assistance(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
    """Nothing waits on a case that is closed at its intake, where nothing stands in the way: it is taken back."""
    statement = select(AssistanceRequest).where(
        col(AssistanceRequest.case_id) == case_id, col(AssistanceRequest.status).in_(list(ENDS))
    )
    for row in (await session.scalars(statement.with_for_update())).all():
        ends, told = ENDS[row.status], TOLD.get(row.status, f"assistance.{ENDS[row.status]}")
        row.status, row.ended_by, row.ended_at = ends, actor.id, actor.now
        row.touch(actor.now)
        await tell(session, actor, row, told)
