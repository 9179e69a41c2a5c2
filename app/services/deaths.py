"""After a client's death a supervisor looks within 72 hours at what was done and what could have been."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Cause, Conflict, Forbidden
from app.models.case import CaseRow, DeathReview
from app.models.codes.cases import ClosureReason
from app.permissions import Permission
from app.security import Actor
from app.services.events import record
from app.services.visible import access_for, lock_case, save_case


def has_died(case: CaseRow) -> bool:
    """A death is recorded, and was not taken back."""
    return case.closure_reason == ClosureReason.DIED


async def review_death(session: AsyncSession, actor: Actor, case_id: UUID, wanted: DeathReview) -> CaseRow:
    """The review, whose words stay in the timeline. 409 where none is due, 403 for who recorded the death.

    The legal hold goes on until it is lifted, which nobody does before this.
    """
    await access_for(session, case_id, Permission.DEATH_REVIEW)
    case = await lock_case(session, case_id)
    if case.death_review_due_at is None:
        raise Conflict(Cause.NOTHING_ASKED)
    if case.closure_requested_by == actor.id:
        raise Forbidden
    case.death_review_due_at = None
    case.touch(actor.now)
    await save_case(session, case)
    await record(
        session,
        actor,
        "case.death_reviewed",
        case_id=case_id,
        organisation_id=case.organisation_id,
        reason=wanted.note,
    )
    return case
