"""Assistance: asked for, decided by another person (above the ceiling by two), withdrawn or cancelled."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import CaseClosed, IllegalTransition, Invalid
from app.models.assistance import (
    AssistanceCreate,
    AssistanceDecision,
    AssistanceEnd,
    AssistanceRead,
    AssistanceRequest,
)
from app.models.base import Page
from app.models.codes.assistance import AssistanceStatus, Currency
from app.models.codes.cases import CaseStatus, Decision
from app.models.organisation import Organisation
from app.paging import ListQuery
from app.permissions import Permission
from app.policy import forbid
from app.preconditions import check_match_if_sent
from app.relations import Access, Relation
from app.sealing import opened, seal
from app.security import Actor
from app.services import assistance_views
from app.services.addressed import assistance_for
from app.services.cases import open_for_change
from app.services.events import record
from app.services.visible import access_for, lock_case

S = AssistanceStatus

# Forward; a payment that is taken back moves it back again, as far as what is left of them (138_assistance.sql).
STEPS: dict[AssistanceStatus, frozenset[AssistanceStatus]] = {
    S.SUBMITTED: frozenset({S.APPROVED, S.DECLINED, S.WITHDRAWN}),
    S.APPROVED: frozenset({S.PART_PAID, S.PAID, S.CANCELLED}),
    S.PART_PAID: frozenset({S.PART_PAID, S.PAID}),
    S.PAID: frozenset(),
    S.DECLINED: frozenset(),
    S.WITHDRAWN: frozenset(),
    S.CANCELLED: frozenset(),
}


def require_step(row: AssistanceRequest, to: AssistanceStatus) -> None:
    """409 `illegal_transition` unless the request can go there now."""
    if to not in STEPS[row.status]:
        raise IllegalTransition(sorted(STEPS[row.status]))


async def request_assistance(
    session: AsyncSession, actor: Actor, case_id: UUID, wanted: AssistanceCreate
) -> AssistanceRead:
    """Ask for it. 409 when the case is closed."""
    case = await open_for_change(session, case_id, Permission.ASSISTANCE_REQUEST)
    row = AssistanceRequest(
        case_id=case_id,
        organisation_id=case.organisation_id,
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
        **wanted.model_dump(include={"kind", "amount_minor", "currency"}),
    )
    seal(session, row, wanted.model_dump(include={"item", "purpose"}))
    session.add(row)
    await tell(session, actor, row, "assistance.requested")
    return await assistance_views.read_of(session, case_id, row.id)


async def list_of_case(session: AsyncSession, case_id: UUID, query: ListQuery) -> Page[AssistanceRead]:
    """Those of one case, newest first."""
    await access_for(session, case_id, Permission.ASSISTANCE_READ)
    return await assistance_views.page_of_case(session, case_id, query)


async def read_in_case(session: AsyncSession, case_id: UUID, request_id: UUID) -> AssistanceRead:
    """One of a case; 404 when it is not of this case."""
    await access_for(session, case_id, Permission.ASSISTANCE_READ)
    return await assistance_views.read_of(session, case_id, request_id)


async def read_request(session: AsyncSession, request_id: UUID) -> AssistanceRead:
    """One, by its id alone; 404 when it hangs on a case that the caller does not see."""
    access = await assistance_for(session, request_id, Permission.ASSISTANCE_READ)
    return await assistance_views.read_of(session, access.case_id, request_id)


async def decide(
    session: AsyncSession, actor: Actor, request_id: UUID, said: AssistanceDecision, if_match: str | None
) -> AssistanceRead:
    """Approve or decline. 403 for who asked for it, and for who gave the first of two yeses.

    An approval above the ceiling of the organisation is the first of two, and the request stays submitted; the second
    person approves no more than the first. 422 for more than was asked for.
    """
    _, row = await locked(session, request_id, Permission.ASSISTANCE_DECIDE)
    check_match_if_sent(if_match, row.version)
    forbid(row.created_by == actor.id)
    require_step(row, S.APPROVED if said.decision is Decision.APPROVE else S.DECLINED)
    forbid(row.first_approved_by == actor.id)
    amount = _amount_of(row, said)
    first = amount is not None and row.first_approved_by is None and await _is_above(session, row, amount)
    if first:
        row.first_approved_minor, row.first_approved_by, row.first_approved_at = amount, actor.id, actor.now
    else:
        row.status = S.APPROVED if said.decision is Decision.APPROVE else S.DECLINED
        row.approved_minor, row.decided_by, row.decided_at = amount, actor.id, actor.now
    why = "first_approved_reason" if first else "decided_reason"
    seal(session, row, {**opened(session, row), why: said.reason})
    row.touch(actor.now)
    await tell(session, actor, row, "assistance.first_approved" if first else f"assistance.{row.status}")
    return await assistance_views.read_of(session, row.case_id, row.id)


def _amount_of(row: AssistanceRequest, said: AssistanceDecision) -> int | None:
    """What is approved: no more than was asked for, or than the first of two approved. None: declined, or no money."""
    most = row.first_approved_minor or row.amount_minor
    if said.amount_minor is not None and (said.decision is Decision.DECLINE or most is None):
        raise Invalid.at("/amount_minor", "not_allowed", "No amount is approved here.")
    if said.decision is Decision.DECLINE:
        return None
    if said.amount_minor is not None and most is not None and said.amount_minor > most:
        raise Invalid.at("/amount_minor", "above_request", "No more is approved than was asked for.")
    return said.amount_minor or most


async def _is_above(session: AsyncSession, row: AssistanceRequest, amount: int) -> bool:
    organisation = await session.get_one(Organisation, row.organisation_id)
    ceilings = {
        Currency.KHR: organisation.assistance_ceiling_khr_minor,
        Currency.USD: organisation.assistance_ceiling_usd_minor,
    }
    return row.currency is not None and amount > ceilings[row.currency]


async def withdraw(
    session: AsyncSession, actor: Actor, request_id: UUID, said: AssistanceEnd, if_match: str | None
) -> AssistanceRead:
    """Take a request back before it is decided: who asked for it, or the lead."""
    access, row = await locked(session, request_id, Permission.ASSISTANCE_REQUEST)
    forbid(row.created_by != actor.id and Relation.LEAD not in access.relations)
    return await _end(session, actor, row, S.WITHDRAWN, said, if_match)


async def cancel(
    session: AsyncSession, actor: Actor, request_id: UUID, said: AssistanceEnd, if_match: str | None
) -> AssistanceRead:
    """Give up what was approved while no payment stands: who might have paid it."""
    _, row = await locked(session, request_id, Permission.ASSISTANCE_PAY)
    return await _end(session, actor, row, S.CANCELLED, said, if_match)


async def settle(
    session: AsyncSession, actor: Actor, request_id: UUID, said: AssistanceEnd, if_match: str | None
) -> AssistanceRead:
    """Give up the rest of what was paid in part: with what was paid it is paid. Who might have decided on it.

    Nothing of the payments changes; one that is taken back opens the request again.
    """
    _, row = await locked(session, request_id, Permission.ASSISTANCE_DECIDE)
    forbid(row.created_by == actor.id)
    if row.status is not S.PART_PAID:
        raise IllegalTransition(sorted(STEPS[row.status]))
    return await _end(session, actor, row, S.PAID, said, if_match, event="assistance.settled")


async def _end(
    session: AsyncSession,
    actor: Actor,
    row: AssistanceRequest,
    to: AssistanceStatus,
    said: AssistanceEnd,
    if_match: str | None,
    *,
    event: str | None = None,
) -> AssistanceRead:
    check_match_if_sent(if_match, row.version)
    require_step(row, to)
    row.status, row.ended_by, row.ended_at = to, actor.id, actor.now
    seal(session, row, {**opened(session, row), "end_reason": said.reason})
    row.touch(actor.now)
    await tell(session, actor, row, event or f"assistance.{to}")
    return await assistance_views.read_of(session, row.case_id, row.id)


async def locked(
    session: AsyncSession, request_id: UUID, permission: Permission, *, closed_too: bool = False
) -> tuple[Access, AssistanceRequest]:
    """A request for a change: seen, permitted, locked after its case. 409 when closed, unless `closed_too`."""
    access = await assistance_for(session, request_id, permission)
    case = await lock_case(session, access.case_id)
    if case.status is CaseStatus.CLOSED and not closed_too:
        raise CaseClosed
    statement = select(AssistanceRequest).where(
        col(AssistanceRequest.id) == request_id, col(AssistanceRequest.case_id) == case.id
    )
    # Anew, also where this transaction has read it before: the database counts the payments.
    found = await session.execute(statement.with_for_update().execution_options(populate_existing=True))
    return access, found.scalar_one()


async def tell(session: AsyncSession, actor: Actor, row: AssistanceRequest, event: str) -> None:
    """One event of the request, in codes only."""
    await record(
        session,
        actor,
        event,
        case_id=row.case_id,
        organisation_id=row.organisation_id,
        subject_id=row.id,
        data={"kind": row.kind},
    )
