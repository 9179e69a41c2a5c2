"""`/assistance-requests/{assistance_request_id}/disbursements`: what was handed over, and what was taken back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, Route, Session, created
from app.models.assistance import AssistanceEnd, DisbursementCreate, DisbursementRead
from app.models.base import Page
from app.paging import ListQuery
from app.permissions import Permission
from app.security import Actor, allowed
from app.services import disbursements

router = APIRouter(prefix=API, tags=["assistance"], route_class=Route)
ALL = "/assistance-requests/{assistance_request_id}/disbursements"


@router.post(ALL, status_code=201)
async def record_disbursement(
    assistance_request_id: UUID,
    paid: DisbursementCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSISTANCE_PAY)],
) -> DisbursementRead:
    """Record a payment or a delivery; together they never exceed what was approved."""
    made = await disbursements.pay(session, actor, assistance_request_id, paid)
    created(response, f"/assistance-requests/{assistance_request_id}/disbursements/{made.id}")
    return made


@router.get(ALL)
async def list_disbursements(
    assistance_request_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSISTANCE_READ)],
) -> Page[DisbursementRead]:
    """Payments and reversals of a request, newest first."""
    return await disbursements.list_disbursements(session, assistance_request_id, query)


@router.get(f"{ALL}/{{disbursement_id}}")
async def read_disbursement(
    assistance_request_id: UUID,
    disbursement_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSISTANCE_READ)],
) -> DisbursementRead:
    """One payment or reversal."""
    return await disbursements.read_disbursement(session, assistance_request_id, disbursement_id)


@router.post(f"{ALL}/{{disbursement_id}}/reverse", status_code=201)
async def reverse_disbursement(
    assistance_request_id: UUID,
    disbursement_id: UUID,
    said: AssistanceEnd,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSISTANCE_PAY)],
) -> DisbursementRead:
    """Take back a payment that was recorded by mistake, with a row of its own."""
    made = await disbursements.reverse(session, actor, assistance_request_id, disbursement_id, said)
    created(response, f"/assistance-requests/{assistance_request_id}/disbursements/{made.id}")
    return made
