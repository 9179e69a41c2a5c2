"""Assistance: `/cases/{case_id}/assistance-requests`, `/assistance-requests` of every case, and the month's ledger."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Route, Session, answers_for, created
from app.models.assistance import AssistanceCreate, AssistanceDecision, AssistanceEnd, AssistanceRead, LedgerRead
from app.models.base import Page
from app.paging import ListQuery
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import assistance, assistance_views
from app.services.assistance_ledger import LedgerQuery, read_ledger

router = APIRouter(prefix=API, tags=["assistance"], route_class=Route)
ONE = "/assistance-requests/{assistance_request_id}"


@router.post("/cases/{case_id}/assistance-requests", status_code=201)
async def request_assistance(
    case_id: UUID,
    wanted: AssistanceCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSISTANCE_REQUEST)],
) -> AssistanceRead:
    """Ask for an item, a service or money; amounts are whole riel or US cents."""
    made = await assistance.request_assistance(session, actor, case_id, wanted)
    created(response, f"/cases/{case_id}/assistance-requests/{made.id}")
    response.headers["ETag"] = etag(made.version)
    return made


@router.get("/cases/{case_id}/assistance-requests")
async def list_assistance_of_case(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSISTANCE_READ)],
) -> Page[AssistanceRead]:
    """The requests of a case, newest first."""
    return await assistance.list_of_case(session, case_id, query)


@router.get("/cases/{case_id}/assistance-requests/{assistance_request_id}")
async def read_assistance_of_case(
    case_id: UUID,
    assistance_request_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSISTANCE_READ)],
) -> AssistanceRead:
    """One request of a case."""
    found = await assistance.read_in_case(session, case_id, assistance_request_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.get("/assistance-requests")
async def list_assistance(
    query: Annotated[assistance_views.AssistanceQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSISTANCE_READ)],
) -> Page[AssistanceRead]:
    """The requests of every case that you see, newest first; `status=submitted` are those that wait for a decision."""
    return await assistance_views.page_of_all(session, actor.own_organisation, query)


@router.get(ONE)
async def read_assistance(
    assistance_request_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSISTANCE_READ)],
) -> AssistanceRead:
    """One request."""
    found = await assistance.read_request(session, assistance_request_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.post(f"{ONE}/decision")
async def decide_assistance(
    assistance_request_id: UUID,
    said: AssistanceDecision,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSISTANCE_DECIDE)],
    if_match: IfMatch = None,
) -> AssistanceRead:
    """Approve what was asked for, or less, or decline it; never your own. Above the ceiling two must approve."""
    return _changed(response, await assistance.decide(session, actor, assistance_request_id, said, if_match))


@router.post(f"{ONE}/withdraw")
async def withdraw_assistance(
    assistance_request_id: UUID,
    said: AssistanceEnd,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSISTANCE_REQUEST)],
    if_match: IfMatch = None,
) -> AssistanceRead:
    """Take your request back, or as lead anybody's, before it is decided."""
    return _changed(response, await assistance.withdraw(session, actor, assistance_request_id, said, if_match))


@router.post(f"{ONE}/cancel")
async def cancel_assistance(
    assistance_request_id: UUID,
    said: AssistanceEnd,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSISTANCE_PAY)],
    if_match: IfMatch = None,
) -> AssistanceRead:
    """Give up what was approved, while no payment stands."""
    return _changed(response, await assistance.cancel(session, actor, assistance_request_id, said, if_match))


@router.post(f"{ONE}/settle")
async def settle_assistance(
    assistance_request_id: UUID,
    said: AssistanceEnd,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ASSISTANCE_DECIDE)],
    if_match: IfMatch = None,
) -> AssistanceRead:
    """Give up the rest of what was paid in part, never of your own: it is `paid` with what was paid."""
    return _changed(response, await assistance.settle(session, actor, assistance_request_id, said, if_match))


@router.get("/assistance-ledger")
async def read_assistance_ledger(
    query: Annotated[LedgerQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.LEDGER_READ)],
) -> LedgerRead:
    """What your organisation paid in a month, line by line, without names, codes or purposes; with its totals."""
    return await read_ledger(session, actor, query)


def _changed(response: Response, now: AssistanceRead) -> AssistanceRead:
    """The request as it stands now, by its id and version."""
    answers_for(response, f"/assistance-requests/{now.id}")
    response.headers["ETag"] = etag(now.version)
    return now
