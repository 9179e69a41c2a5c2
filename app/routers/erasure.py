"""`/cases/{case_id}/erasure` and `/cases/{case_id}/legal-hold`: taking a case away for good, and keeping it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from app.http import API, IfMatch, Route, Session, created
from app.models.erasure import ErasureRead, ErasureWish, HoldCreate, HoldRead
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed, runtime_of
from app.services import erasing, holding

router = APIRouter(prefix=API, tags=["erasure"], route_class=Route)

Eraser = Annotated[Actor, allowed(Permission.ERASURE_EDIT)]
Holder = Annotated[Actor, allowed(Permission.LEGAL_HOLD_EDIT)]


@router.post("/cases/{case_id}/erasure", status_code=201)
async def request_erasure(
    case_id: UUID, wish: ErasureWish, response: Response, session: Session, actor: Eraser
) -> ErasureRead:
    """Ask that the case be erased, open or closed; another person confirms, and one of the two is a supervisor."""
    asked = await erasing.request_erasure(session, actor, case_id, wish)
    created(response, f"/cases/{case_id}/erasure")
    response.headers["ETag"] = etag(asked.id)
    return asked


@router.get("/cases/{case_id}/erasure")
async def read_erasure(
    case_id: UUID, response: Response, session: Session, actor: Annotated[Actor, allowed(Permission.ERASURE_READ)]
) -> ErasureRead:
    """The wish that waits for its confirmation."""
    asked = await erasing.read_erasure(session, case_id)
    response.headers["ETag"] = etag(asked.id)
    return asked


@router.delete("/cases/{case_id}/erasure", status_code=204)
async def withdraw_erasure(case_id: UUID, session: Session, actor: Eraser, if_match: IfMatch = None) -> None:
    """Take the wish back."""
    await erasing.withdraw_erasure(session, actor, case_id, if_match)


@router.post("/cases/{case_id}/erasure/confirm", status_code=204)
async def confirm_erasure(
    case_id: UUID, request: Request, session: Session, actor: Eraser, if_match: IfMatch = None
) -> None:
    """Erase the case, for good: from then on it does not exist for anybody. Send the wish's ETag in `If-Match`, so that
    you confirm the wish that you have read."""
    await erasing.confirm_erasure(session, actor, case_id, runtime_of(request).ledger, if_match)


@router.put("/cases/{case_id}/legal-hold")
async def place_hold(case_id: UUID, wanted: HoldCreate, session: Session, actor: Holder) -> HoldRead:
    """Keep the case: neither a wish nor the retention clock erases it while the hold stands."""
    return await holding.place_hold(session, actor, case_id, wanted)


@router.get("/cases/{case_id}/legal-hold")
async def read_hold(
    case_id: UUID, session: Session, actor: Annotated[Actor, allowed(Permission.LEGAL_HOLD_READ)]
) -> HoldRead:
    """The hold that stands."""
    return await holding.read_hold(session, case_id)


@router.delete("/cases/{case_id}/legal-hold", status_code=204)
async def lift_hold(case_id: UUID, session: Session, actor: Holder) -> None:
    """Let the case go as others do."""
    await holding.lift_hold(session, actor, case_id)
