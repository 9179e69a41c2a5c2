"""A supervisor of another signatory organisation, where nobody of the own one can act.

The lead asks, an admin completes: told who asks for whom, and nothing of the case. Who may come, and when, is said in
158_outside_reviews.sql.
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.db import fetch
from app.errors import Cause, Conflict, Invalid, NotFound
from app.models.base import Page
from app.models.case import Colleague
from app.models.outside_review import OutsideReview, OutsideReviewCreate, OutsideReviewRead, WaitingReview
from app.paging import Cursor, ListQuery, cut
from app.permissions import Permission
from app.sealing import opened, seal
from app.security import Actor, require_step_up
from app.services.addressed import waiting_review
from app.services.colleagues import names_of, user_as_they_stay
from app.services.events import record
from app.services.visible import access_for, lock_case

MAY_ASK = "select may_ask_outside(%(case_id)s, %(user_id)s) as outcome"
WAITING = "select * from outside_reviews_waiting(before_at => %(at)s, before_id => %(id)s, at_most => %(at_most)s)"
COMPLETE = "select complete_outside_review(%(id)s) as done"


async def ask(session: AsyncSession, actor: Actor, case_id: UUID, wanted: OutsideReviewCreate) -> OutsideReviewRead:
    """Ask for a reviewer from elsewhere, in the place of whom was asked for before.

    422 unless it is a supervisor of another signatory organisation; 409 while somebody of the own one could act, and
    for who is kept away from the case.
    """
    await access_for(session, case_id, Permission.OUTSIDE_REVIEW_ASK)
    require_step_up(actor)
    user = await user_as_they_stay(session, wanted.user_id)
    if user is None or not user.active:
        raise Invalid.at("/user_id", "unknown_user", "There is no such user.")
    case = await lock_case(session, case_id)
    outcome = (await fetch(session, MAY_ASK, {"case_id": case_id, "user_id": user.id}))[0].outcome
    if outcome == "not_fitting" or user.organisation_id is None:
        raise Invalid.at("/user_id", "role_not_fitting", "Only a supervisor of another signatory organisation reviews.")
    if outcome != "needed":
        raise Conflict(Cause.KEPT_AWAY if outcome == "kept_away" else Cause.OTHERS_CAN_ACT)
    await _withdraw(session, actor, case_id)
    row = OutsideReview(
        case_id=case_id,
        organisation_id=case.organisation_id,
        user_id=user.id,
        lender_id=user.organisation_id,
        created_at=actor.now,
        created_by=actor.id,
    )
    seal(session, row, {"reason": wanted.reason})
    session.add(row)
    await _tell(session, actor, row, "outside_review.requested")
    return await _read(session, row)


async def read(session: AsyncSession, case_id: UUID, review_id: UUID) -> OutsideReviewRead:
    """What was asked, and what came of it; 404 when it is not of this case."""
    await access_for(session, case_id, Permission.OUTSIDE_REVIEW_READ)
    return await _read(session, await _of_case(session, case_id, review_id))


async def take_back(session: AsyncSession, actor: Actor, case_id: UUID, review_id: UUID) -> None:
    """Ask for it no more; 409 when it is completed or taken back already."""
    await access_for(session, case_id, Permission.OUTSIDE_REVIEW_ASK)
    await lock_case(session, case_id)
    row = await _of_case(session, case_id, review_id)
    if row.withdrawn_at is not None or row.completed_at is not None:
        raise Conflict(Cause.ENDED if row.withdrawn_at else Cause.ANSWERED)
    await _withdraw(session, actor, case_id)


async def list_waiting(session: AsyncSession, query: ListQuery) -> Page[WaitingReview]:
    """What an admin may complete now, newest first."""
    place = Cursor.decode(query.cursor)
    values = {"at": place.at if place else None, "id": place.id if place else None, "at_most": query.limit + 1}
    rows, cursor = cut(await fetch(session, WAITING, values), query.limit, lambda row: Cursor(row.created_at, row.id))
    items = [
        WaitingReview(
            id=row.id,
            organisation_id=row.organisation_id,
            organisation=row.organisation,
            user=Colleague(id=row.user_id, display_name=row.user_name),
            requested_at=row.created_at,
        )
        for row in rows
    ]
    return Page[WaitingReview](items=items, next_cursor=cursor)


async def complete(session: AsyncSession, actor: Actor, waiting_id: UUID) -> None:
    """Put whom the lead asked for on the case, for seven days; 404 when it does not wait (any more)."""
    await waiting_review(session, waiting_id)
    require_step_up(actor)
    if not (await fetch(session, COMPLETE, {"id": waiting_id}))[0].done:
        raise NotFound


async def _withdraw(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
    """What waits on this case, whose row is held, waits no more."""
    statement = select(OutsideReview).where(
        col(OutsideReview.case_id) == case_id,
        col(OutsideReview.withdrawn_at).is_(None),
        col(OutsideReview.completed_at).is_(None),
    )
    for row in (await session.scalars(statement.execution_options(populate_existing=True))).all():
        row.withdrawn_at = actor.now
        await _tell(session, actor, row, "outside_review.withdrawn")


async def _of_case(session: AsyncSession, case_id: UUID, review_id: UUID) -> OutsideReview:
    statement = select(OutsideReview).where(col(OutsideReview.id) == review_id, col(OutsideReview.case_id) == case_id)
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound
    return row


async def _tell(session: AsyncSession, actor: Actor, row: OutsideReview, event: str) -> None:
    """Without the words: they may say who is kept away, and the timeline is read by more."""
    await record(
        session,
        actor,
        event,
        case_id=row.case_id,
        organisation_id=row.organisation_id,
        subject_id=row.id,
        data={"user_id": str(row.user_id)},
    )


async def _read(session: AsyncSession, row: OutsideReview) -> OutsideReviewRead:
    people = await names_of(session, (row.user_id, row.created_by))
    return OutsideReviewRead(
        id=row.id,
        case_id=row.case_id,
        user=people[row.user_id],
        reason=opened(session, row)["reason"],
        requested_by=people[row.created_by],
        requested_at=row.created_at,
        withdrawn_at=row.withdrawn_at,
        completed_at=row.completed_at,
        assignment_id=row.assignment_id,
    )
