"""`/cases/{case_id}/transfers` for who hands a case to another organisation, `/transfers` for who may take it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, Route, Session, answers_for, created
from app.models.base import Page
from app.models.transfer import (
    IncomingTransfer,
    TransferAccept,
    TransferCreate,
    TransferDecline,
    TransferRead,
    TransferWithdraw,
)
from app.paging import ListQuery
from app.permissions import Permission
from app.security import Actor, allowed
from app.services import receiving, transfers

router = APIRouter(prefix=API, tags=["transfers"], route_class=Route)


@router.post("/cases/{case_id}/transfers", status_code=201)
async def ask_transfer(
    case_id: UUID,
    wanted: TransferCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.TRANSFER_EDIT)],
) -> TransferRead:
    """Ask another organisation to take the case, with what the client agreed to tell it."""
    asked = await transfers.ask_transfer(session, actor, case_id, wanted)
    created(response, f"/cases/{case_id}/transfers/{asked.id}")
    return asked


@router.get("/cases/{case_id}/transfers")
async def list_transfers(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.TRANSFER_READ)],
) -> Page[TransferRead]:
    """To whom the case was to go, newest first."""
    return await transfers.list_transfers(session, case_id, query)


@router.get("/cases/{case_id}/transfers/{transfer_id}")
async def read_transfer(
    case_id: UUID,
    transfer_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.TRANSFER_READ)],
) -> TransferRead:
    """One transfer of the case, and what was answered."""
    return await transfers.read_transfer(session, case_id, transfer_id)


@router.post("/cases/{case_id}/transfers/{transfer_id}/withdraw")
async def withdraw_transfer(
    case_id: UUID,
    transfer_id: UUID,
    said: TransferWithdraw,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.TRANSFER_EDIT)],
) -> TransferRead:
    """Take a transfer back that nobody has answered."""
    answers_for(response, f"/cases/{case_id}/transfers/{transfer_id}")
    return await transfers.withdraw_transfer(session, actor, case_id, transfer_id, said)


@router.get("/transfers")
async def list_incoming(
    query: Annotated[receiving.IncomingQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.TRANSFER_RECEIVE)],
) -> Page[IncomingTransfer]:
    """What other organisations ask yours to take, newest first; nothing that says of whom."""
    return await receiving.list_incoming(session, query)


@router.get("/transfers/{incoming_id}")
async def read_incoming(
    incoming_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.TRANSFER_RECEIVE)],
) -> IncomingTransfer:
    """One of them; after the yes with the case that opened."""
    return await receiving.read_incoming(session, incoming_id)


@router.post("/transfers/{incoming_id}/accept")
async def accept_transfer(
    incoming_id: UUID,
    wanted: TransferAccept,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.TRANSFER_RECEIVE)],
) -> IncomingTransfer:
    """Take the case. Without `lead_id` your organisation's supervisors review it until a lead is named."""
    answers_for(response, f"/transfers/{incoming_id}")
    return await receiving.accept(session, actor, incoming_id, wanted)


@router.post("/transfers/{incoming_id}/decline")
async def decline_transfer(
    incoming_id: UUID,
    said: TransferDecline,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.TRANSFER_RECEIVE)],
) -> IncomingTransfer:
    """Do not take the case; the sender reads why."""
    answers_for(response, f"/transfers/{incoming_id}")
    return await receiving.decline(session, actor, incoming_id, said)
