"""What was handed over on an approved request: recorded once, never above the approval, taken back by a reversal."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import day_of, refuse_future_day
from app.errors import Cause, Conflict, ExceedsApproval, Invalid, NotFound
from app.models.assistance import (
    AssistanceEnd,
    AssistanceRequest,
    Disbursement,
    DisbursementCreate,
    DisbursementRead,
)
from app.models.base import Page
from app.models.codes.assistance import AssistanceStatus
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.sealing import opened, seal
from app.security import Actor
from app.services.addressed import assistance_for
from app.services.assistance import locked, require_step, tell
from app.services.colleagues import names_of


async def pay(session: AsyncSession, actor: Actor, request_id: UUID, paid: DisbursementCreate) -> DisbursementRead:
    """Record a payment or a delivery.

    409 when the request is not approved or paid already, and `exceeds_approval` above what is left of the approval.
    422 for another currency, and for a day that is to come or before the approval.
    """
    _, row = await locked(session, request_id, Permission.ASSISTANCE_PAY)
    require_step(row, AssistanceStatus.PAID)
    _check_day(actor, row, paid)
    _check_amount(row, paid)
    made = Disbursement(
        request_id=row.id,
        case_id=row.case_id,
        organisation_id=row.organisation_id,
        created_at=actor.now,
        created_by=actor.id,
        **paid.model_dump(include={"amount_minor", "method", "paid_on"}),
    )
    seal(session, made, {"receipt_reference": paid.receipt_reference})
    session.add(made)
    await tell(session, actor, row, "assistance.disbursed")
    return (await _reads(session, row, [made]))[0]


def _check_day(actor: Actor, row: AssistanceRequest, paid: DisbursementCreate) -> None:
    refuse_future_day(paid.paid_on, actor.now, "/paid_on")
    if row.decided_at is not None and paid.paid_on < day_of(row.decided_at):
        raise Invalid.at("/paid_on", "before_approval", "Nothing is paid before it is approved.")


def _check_amount(row: AssistanceRequest, paid: DisbursementCreate) -> None:
    if paid.currency is not None and paid.currency is not row.currency:
        raise Invalid.at("/currency", "other_currency", "The request is in another currency.")
    if row.approved_minor is None:
        if paid.amount_minor is not None:
            raise Invalid.at("/amount_minor", "not_allowed", "The request has no amount.")
    elif paid.amount_minor is None:
        raise Invalid.at("/amount_minor", "required", "The request has an amount.")
    elif paid.amount_minor > row.approved_minor - row.paid_minor:
        raise ExceedsApproval


async def reverse(
    session: AsyncSession, actor: Actor, request_id: UUID, disbursement_id: UUID, said: AssistanceEnd
) -> DisbursementRead:
    """Take back what was recorded by mistake, today, by a row of its own: the amount can be paid again.

    Also on a closed case: the ledger must become right. 409 for a reversal, and for what was taken back before.
    """
    _, row = await locked(session, request_id, Permission.ASSISTANCE_PAY, closed_too=True)
    mistake = await _of_request(session, row.id, disbursement_id)
    taken_back = await _reversals(session, [mistake])
    if mistake.reversal_of is not None or taken_back:
        raise Conflict(Cause.TAKEN_BACK if taken_back else Cause.WRONG_KIND)
    made = Disbursement(
        request_id=row.id,
        case_id=row.case_id,
        organisation_id=row.organisation_id,
        reversal_of=mistake.id,
        amount_minor=None if mistake.amount_minor is None else -mistake.amount_minor,
        method=mistake.method,
        paid_on=day_of(actor.now),
        created_at=actor.now,
        created_by=actor.id,
    )
    seal(session, made, {"reason": said.reason})
    session.add(made)
    await tell(session, actor, row, "assistance.reversed")
    return (await _reads(session, row, [made]))[0]


async def list_disbursements(session: AsyncSession, request_id: UUID, query: ListQuery) -> Page[DisbursementRead]:
    """Payments and reversals of a request, newest first."""
    row = await _seen(session, request_id)
    statement = select(Disbursement).where(col(Disbursement.request_id) == request_id)
    rows, cursor = await newest_first(session, statement, Disbursement.created_at, Disbursement.id, query)
    return Page[DisbursementRead](items=await _reads(session, row, rows), next_cursor=cursor)


async def read_disbursement(session: AsyncSession, request_id: UUID, disbursement_id: UUID) -> DisbursementRead:
    """One payment or reversal; 404 when it is not of this request."""
    row = await _seen(session, request_id)
    return (await _reads(session, row, [await _of_request(session, request_id, disbursement_id)]))[0]


async def _seen(session: AsyncSession, request_id: UUID) -> AssistanceRequest:
    await assistance_for(session, request_id, Permission.ASSISTANCE_READ)
    row = await session.get(AssistanceRequest, request_id)
    if row is None:  # erased with its case since it was looked for
        raise NotFound
    return row


async def _of_request(session: AsyncSession, request_id: UUID, disbursement_id: UUID) -> Disbursement:
    statement = select(Disbursement).where(
        col(Disbursement.id) == disbursement_id, col(Disbursement.request_id) == request_id
    )
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound
    return row


async def _reversals(session: AsyncSession, rows: Sequence[Disbursement]) -> dict[UUID, UUID]:
    """Which of these were taken back, by which row."""
    statement = select(col(Disbursement.reversal_of), col(Disbursement.id)).where(
        col(Disbursement.reversal_of).in_([row.id for row in rows])
    )
    return {mistake: own_id for mistake, own_id in (await session.execute(statement)).all() if mistake is not None}


async def _reads(
    session: AsyncSession, request: AssistanceRequest, rows: Sequence[Disbursement]
) -> list[DisbursementRead]:
    people = await names_of(session, (row.created_by for row in rows))
    reversals = await _reversals(session, rows)
    reads = []
    for row in rows:
        private = opened(session, row)
        reads.append(
            DisbursementRead(
                currency=request.currency if row.amount_minor is not None else None,
                receipt_reference=private.get("receipt_reference"),
                reversed_by=reversals.get(row.id),
                reason=private.get("reason"),
                ledger_reference=row.reference,
                recorded_by=people[row.created_by],
                **row.model_dump(
                    include={
                        *("id", "request_id", "amount_minor", "method", "paid_on", "reversal_of", "created_at"),
                    }
                ),
            )
        )
    return reads
