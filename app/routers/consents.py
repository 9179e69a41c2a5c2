"""`/cases/{case_id}/consents`: what the client agreed to."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, Route, Session, answers_for, created
from app.models.base import Page
from app.models.consent import ConsentCreate, ConsentRead, Withdrawal
from app.paging import ListQuery
from app.permissions import Permission
from app.security import Actor, allowed
from app.services import consents

router = APIRouter(prefix=API, tags=["consents"], route_class=Route)


@router.post("/cases/{case_id}/consents", status_code=201)
async def give_consent(
    case_id: UUID,
    given: ConsentCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CONSENT_EDIT)],
) -> ConsentRead:
    """Record a consent."""
    consent = await consents.give_consent(session, actor, case_id, given)
    created(response, f"/cases/{case_id}/consents/{consent.id}")
    return consent


@router.get("/cases/{case_id}/consents")
async def list_consents(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CONSENT_READ)],
) -> Page[ConsentRead]:
    """The consents of the case, newest first."""
    return await consents.list_consents(session, actor, case_id, query)


@router.get("/cases/{case_id}/consents/{consent_id}")
async def read_consent(
    case_id: UUID,
    consent_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CONSENT_READ)],
) -> ConsentRead:
    """One consent."""
    return await consents.read_consent(session, actor, case_id, consent_id)


@router.post("/cases/{case_id}/consents/{consent_id}/confirm")
async def confirm_bypass(
    case_id: UUID,
    consent_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CONSENT_CONFIRM)],
) -> ConsentRead:
    """Stand by it, as the second person, that a minor is cared for without a caregiver's consent."""
    answers_for(response, f"/cases/{case_id}/consents/{consent_id}")
    return await consents.confirm_bypass(session, actor, case_id, consent_id)


@router.post("/cases/{case_id}/consents/{consent_id}/withdraw")
async def withdraw_consent(
    case_id: UUID,
    consent_id: UUID,
    withdrawal: Withdrawal,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CONSENT_EDIT)],
) -> ConsentRead:
    """Withdraw a consent: what rests on it ends in the same write."""
    answers_for(response, f"/cases/{case_id}/consents/{consent_id}")
    return await consents.withdraw_consent(session, actor, case_id, consent_id, withdrawal)
