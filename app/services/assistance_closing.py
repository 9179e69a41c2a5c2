"""What assistance means for the end of a case: what stands in its way, and what ends with an intake."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models.assistance import AssistanceRequest
from app.models.codes import AssistanceStatus
from app.security import Actor
from app.services.assistance import tell

S = AssistanceStatus

BLOCKS = {
    S.SUBMITTED: "undecided_assistance",
    S.APPROVED: "unpaid_assistance",
    S.PART_PAID: "unpaid_assistance",
}
ENDS = {S.SUBMITTED: S.WITHDRAWN, S.APPROVED: S.CANCELLED}


async def assistance_in_the_way(session: AsyncSession, case_id: UUID) -> list[str]:
    """Codes of `closure_blocked`: `undecided_assistance`, `unpaid_assistance`."""
    statement = select(col(AssistanceRequest.status)).where(
        col(AssistanceRequest.case_id) == case_id, col(AssistanceRequest.status).in_(list(BLOCKS))
    )
    return sorted({BLOCKS[status] for status in (await session.scalars(statement)).all()})


async def end_assistance(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
    """Nothing waits on a case that is closed at its intake, where nothing stands in the way: it is taken back."""
    statement = select(AssistanceRequest).where(
        col(AssistanceRequest.case_id) == case_id, col(AssistanceRequest.status).in_(list(ENDS))
    )
    for row in (await session.scalars(statement.with_for_update())).all():
        row.status, row.ended_by, row.ended_at = ENDS[row.status], actor.id, actor.now
        row.touch(actor.now)
        await tell(session, actor, row, f"assistance.{row.status}")
