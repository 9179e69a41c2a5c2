"""Handing a case to another organisation, the receiver's side: an inbox without a name, the yes and the no.

Row policies show the receiver nothing; the definer functions of 134_transfers.sql say what may be known.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.db import fetch, run
from app.errors import Cause, Conflict, ConsentRequired, NotFound
from app.models.base import Page
from app.models.case import CaseReceipt
from app.models.codes.cases import TransferStatus
from app.models.transfer import IncomingTransfer, Sender, TransferAccept, TransferDecline
from app.paging import Cursor, ListQuery, cut
from app.sealing import ring_of
from app.security import Actor, require_step_up
from app.services.addressed import incoming_row
from app.services.carrying import lead_with_room
from app.services.events import record
from app.services.first_date import first_within, plan_first_date
from app.services.handed_content import SNAPSHOT, intake_of, risk_of
from app.services.intake_rows import Opened
from app.services.opening import name_lead, open_received
from app.services.risks import bring_risk
from app.services.transfers import ANSWER

VIA = "transfer"
LIST = """
    select * from transfers_in(only_status => %(status)s, before_at => %(before_at)s, before_id => %(before_id)s,
                               at_most => %(at_most)s)
"""
ACCEPT = "select * from accept_transfer(%(id)s)"
SETTLE = "select settle_transfer(%(id)s, %(case_id)s)"
DECLINE = "select * from decline_transfer(%(id)s)"
NOTE = "select note_transfer(%(id)s, %(why)s)"


class IncomingQuery(ListQuery):
    """Which transfers: by where they stand, or all."""

    status: TransferStatus | None = None


async def list_incoming(session: AsyncSession, query: IncomingQuery) -> Page[IncomingTransfer]:
    """The transfers to the caller's organisation, newest first."""
    place = Cursor.decode(query.cursor)
    asked = {
        "status": query.status.value if query.status else None,
        "before_at": place.at if place else None,
        "before_id": place.id if place else None,
        "at_most": query.limit + 1,
    }
    rows = await fetch(session, LIST, asked)
    shown, cursor = cut(rows, query.limit, lambda row: Cursor(row.created_at, row.id))
    for row in shown:
        touched(session, row.case_id, VIA)
    return Page[IncomingTransfer](items=[_read(row) for row in shown], next_cursor=cursor)


async def read_incoming(session: AsyncSession, transfer_id: UUID) -> IncomingTransfer:
    """One; 404 when there is none for the caller."""
    row = await incoming_row(session, transfer_id)
    touched(session, row.case_id, VIA)
    return _read(row)


async def accept(session: AsyncSession, actor: Actor, transfer_id: UUID, wanted: TransferAccept) -> IncomingTransfer:
    """Take the case: a new one opens here with what the client agreed to, and the old one closes.

    409 when it is answered already or something over there is not settled yet, `consent_required` when the consent has
    ended, `caseload_full` for the lead.
    Whoever is kept away from the new case does not lead it: then it waits for a lead. Who accepts may turn out to be
    one of them, as who opens a case may.
    """
    seen = await incoming_row(session, transfer_id)
    touched(session, seen.case_id, VIA)
    require_step_up(actor)
    lead_id = None
    if wanted.lead_id is not None:
        lead_id = await lead_with_room(session, actor, wanted.lead_id, actor.own_organisation)
    taken = _outcome(await fetch(session, ACCEPT, {"id": transfer_id}), "accepted")
    ring = ring_of(session)
    ring.add(transfer_id, taken.kek_id, taken.wrapped)
    content = ring.open(SNAPSHOT, transfer_id, transfer_id, taken.snapshot_sealed)
    intake, risk = intake_of(taken, content), risk_of(content)
    case = await open_received(session, actor, intake, actor.own_organisation)
    await bring_risk(session, actor, case, risk)
    await run(session, SETTLE, {"id": transfer_id, "case_id": case.id})
    led = await _tell(session, actor, case, transfer_id, lead_id)
    wait = first_within(session, intake.category, risk)
    await plan_first_date(session, actor, case, lead_id if led else None, wait)
    after = await fetch(session, "select version from transfers_in(only_transfer => %(id)s)", {"id": transfer_id})
    answered = {"status": TransferStatus.ACCEPTED, "answered_at": actor.now, "overdue": False}
    opened = CaseReceipt(id=case.id, code=case.code)
    version = after[0].version if after else seen.version + 1  # none where the screening has met who accepts
    return _read(seen).model_copy(update={**answered, "opened": opened, "version": version})


async def _tell(session: AsyncSession, actor: Actor, case: Opened, transfer_id: UUID, lead_id: UUID | None) -> bool:
    led = lead_id is not None and await name_lead(session, actor, replace(case, lead_id=lead_id), may_be_excluded=True)
    touched(session, case.id, "opener")
    await record(
        session,
        actor,
        "case.opened",
        case_id=case.id,
        organisation_id=case.organisation_id,
        subject_id=transfer_id,
        for_team=True,
    )
    return led


async def decline(session: AsyncSession, actor: Actor, transfer_id: UUID, said: TransferDecline) -> IncomingTransfer:
    """Say no, and why, which the sender reads. 409 when it is answered already."""
    touched(session, (await incoming_row(session, transfer_id)).case_id, VIA)
    given = _outcome(await fetch(session, DECLINE, {"id": transfer_id}), "rejected")
    ring = ring_of(session)
    ring.add(transfer_id, given.kek_id, given.wrapped)
    why = ring.seal(ANSWER, transfer_id, transfer_id, {"reason": said.reason})
    await run(session, NOTE, {"id": transfer_id, "why": why})
    return await read_incoming(session, transfer_id)


def _outcome(rows: list[Any], wanted: str) -> Any:
    if not rows:
        raise NotFound
    if rows[0].outcome == "consent_required":
        raise ConsentRequired
    if rows[0].outcome == "unsettled":
        raise Conflict(Cause.UNSETTLED)
    if rows[0].outcome != wanted:
        raise Conflict(Cause.ANSWERED)
    return rows[0]


def _read(row: Any) -> IncomingTransfer:
    opened = CaseReceipt(id=row.opened_case_id, code=row.opened_case_code) if row.opened_case_id else None
    return IncomingTransfer(
        id=row.id,
        code=row.code,
        sender=Sender(id=row.sender_id, name=row.sender_name),
        sector=row.sector,
        province_code=row.province_code,
        priority=row.priority,
        status=row.status,
        due_at=row.due_at,
        overdue=row.overdue,
        answered_at=row.answered_at,
        opened=opened,
        version=row.version,
        created_at=row.created_at,
    )
