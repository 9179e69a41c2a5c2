"""`/cases/{case_id}/referrals` for who asks, `/referrals` for both sides."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Route, Session, answers_for, created
from app.models.base import Page
from app.models.referral import MessageCreate, ReferralCreate, ReferralTransition, ReferralUpdate, ShareAnew
from app.models.referral_in import ReferralInCreate
from app.models.referral_reads import (
    MessageRead,
    PartnerRead,
    PartnerSummary,
    ReceiptRead,
    ReferralRead,
    ReferralSummary,
)
from app.paging import ListQuery
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import referral_moves, referral_pages, referral_words, referrals, referring_in

router = APIRouter(prefix=API, tags=["referrals"], route_class=Route)


@router.post("/cases/{case_id}/referrals", status_code=201)
async def ask_referral(
    case_id: UUID,
    wanted: ReferralCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REFERRAL_ASK)],
) -> ReferralRead:
    """Ask another organisation for a service, with what the client agreed to tell it."""
    asked = await referrals.ask_referral(session, actor, case_id, wanted)
    created(response, f"/cases/{case_id}/referrals/{asked.id}")
    response.headers["ETag"] = etag(asked.version)
    return asked


@router.get("/cases/{case_id}/referrals")
async def list_referrals_of_case(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REFERRAL_READ)],
) -> Page[ReferralSummary | PartnerSummary]:
    """The referrals of a case, newest first."""
    return await referrals.list_of_case(session, actor, case_id, query)


@router.get("/cases/{case_id}/referrals/{referral_id}")
async def read_referral_of_case(
    case_id: UUID,
    referral_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REFERRAL_READ)],
) -> ReferralRead | PartnerRead:
    """One referral of the case."""
    found = await referrals.read_of_case(session, actor, case_id, referral_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.get("/referrals")
async def list_referrals(
    query: Annotated[referral_pages.ReferralQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REFERRAL_READ)],
) -> Page[ReferralSummary | PartnerSummary]:
    """The inbox of your organisation and what it sent, newest first; nothing of what is told of a client."""
    return await referral_pages.list_referrals(session, actor, query)


@router.post("/referrals", status_code=201, responses={200: {"description": "Sent before: the first one."}})
async def refer_in(
    wanted: ReferralInCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REFERRAL_SEND)],
) -> PartnerRead:
    """Send a client, as a partner, with her consent. The same `external_id` again answers with the first referral."""
    sent, is_new = await referring_in.refer_in(session, actor, wanted)
    if is_new:
        created(response, f"/referrals/{sent.id}")
    else:
        response.status_code = 200
        answers_for(response, f"/referrals/{sent.id}")
    response.headers["ETag"] = etag(sent.version)
    return sent


@router.get("/referrals/{referral_id}")
async def read_referral(
    referral_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REFERRAL_READ)],
) -> ReferralRead | PartnerRead:
    """One referral; for its recipient, once it is accepted, with what the client agreed to tell."""
    found = await referrals.read_referral(session, actor, referral_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/referrals/{referral_id}")
async def change_referral(
    referral_id: UUID,
    change: ReferralUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REFERRAL_ANSWER)],
    if_match: IfMatch = None,
) -> ReferralRead | PartnerRead:
    """Say when the appointment is, and what became of it."""
    found = await referral_moves.change_referral(session, actor, referral_id, change, if_match)
    response.headers["ETag"] = etag(found.version)
    return found


@router.post("/referrals/{referral_id}/transitions")
async def move_referral(
    referral_id: UUID,
    step: ReferralTransition,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REFERRAL_ANSWER)],
    if_match: IfMatch = None,
) -> ReferralRead | PartnerRead:
    """Accept, reject, begin, hold, complete, fail, cancel, or say that it was a mistake."""
    answers_for(response, f"/referrals/{referral_id}")
    found = await referral_moves.move_referral(session, actor, referral_id, step, if_match)
    response.headers["ETag"] = etag(found.version)
    return found


@router.post("/referrals/{referral_id}/share")
async def share_anew(
    referral_id: UUID,
    wanted: ShareAnew,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REFERRAL_ASK)],
) -> ReferralRead:
    """Tell anew what the client agrees to today, after how to reach her had closed."""
    answers_for(response, f"/referrals/{referral_id}")
    shared = await referrals.share_anew(session, actor, referral_id, wanted)
    response.headers["ETag"] = etag(shared.version)
    return shared


@router.get("/referrals/{referral_id}/receipt")
async def read_referral_receipt(
    referral_id: UUID, session: Session, actor: Annotated[Actor, allowed(Permission.REFERRAL_READ)]
) -> ReceiptRead:
    """What was told, to whom, and each time that it was opened."""
    return await referral_words.read_receipt(session, actor, referral_id)


@router.post("/referrals/{referral_id}/messages", status_code=201)
async def add_message(
    referral_id: UUID,
    written: MessageCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REFERRAL_ANSWER)],
) -> MessageRead:
    """Write to the other side."""
    message = await referral_words.add_message(session, actor, referral_id, written)
    created(response, f"/referrals/{referral_id}/messages/{message.id}")
    return message


@router.get("/referrals/{referral_id}/messages")
async def list_messages(
    referral_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REFERRAL_READ)],
) -> Page[MessageRead]:
    """What the two sides wrote, newest first."""
    return await referral_words.list_messages(session, actor, referral_id, query)


@router.get("/referrals/{referral_id}/messages/{message_id}")
async def read_message(
    referral_id: UUID,
    message_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REFERRAL_READ)],
) -> MessageRead:
    """One message."""
    return await referral_words.read_message(session, actor, referral_id, message_id)
