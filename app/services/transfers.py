"""Handing a case to another organisation, the sender's side: ask with the client's consent, look, take back."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.db import fetch
from app.errors import Cause, Conflict, ConsentRequired, Invalid, NotFound
from app.ids import new_case_code
from app.models.base import Page
from app.models.case import CaseRow, Colleague
from app.models.codes.cases import Priority, TransferStatus
from app.models.codes.consents import ConsentPurpose, SharedField
from app.models.codes.people import OrganisationKind, Role
from app.models.consent import Consent
from app.models.organisation import Organisation
from app.models.transfer import Transfer, TransferCreate, TransferRead, TransferWithdraw
from app.models.user import User
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.sealing import load_keys, opened, ring_of, seal, write_key
from app.security import Actor
from app.services.agreed import agreed_by_her
from app.services.assistance_closing import require_settled
from app.services.cases import open_for_change
from app.services.colleagues import names_of
from app.services.events import record
from app.services.handed_content import SNAPSHOT, content_of
from app.services.incident_views import CLIENT
from app.services.screening import keep_screened
from app.services.silence import answer_due
from app.services.visible import access_for, lock_case

PART = "transfer"  # of the case's keys: who receives a transfer has none of the case's own
ANSWER = "transfers.answer"


async def ask_transfer(session: AsyncSession, actor: Actor, case_id: UUID, wanted: TransferCreate) -> TransferRead:
    """Ask another organisation to take the case. 409 `consent_required` unless the client agreed to a referral to this
    very organisation, with every field that is to be told; 409 while an earlier one waits, for a closed case, and
    `closure_blocked` while help is not settled: the case closes with the yes."""
    access = await access_for(session, case_id, Permission.TRANSFER_EDIT)
    await _check_recipient(session, wanted.organisation_id, access.organisation_id)
    case = await open_for_change(session, case_id, Permission.TRANSFER_EDIT)
    consent, fields = await _consented(session, actor, case_id, wanted)
    await require_settled(session, case_id)
    if await _waiting(session, case_id):
        raise Conflict(Cause.WAITS_ALREADY)
    row = _row(session, actor, case, consent, wanted)
    ring = ring_of(session)
    ring.make(row.id)
    await write_key(session, row.id, case.organisation_id, case_id, part=PART)
    seal(session, row, {"reason": wanted.reason, "shared_fields": fields})
    row.snapshot_sealed = ring.seal(SNAPSHOT, row.id, row.id, await _snapshot(session, actor, case, fields))
    session.add(row)
    await _tell(session, actor, row, "transfer.requested", wanted.reason)
    return (await _reads(session, [row]))[0]


async def list_transfers(session: AsyncSession, case_id: UUID, query: ListQuery) -> Page[TransferRead]:
    """The transfers of a case, newest first."""
    await access_for(session, case_id, Permission.TRANSFER_READ)
    statement = select(Transfer).where(col(Transfer.case_id) == case_id)
    rows, cursor = await newest_first(session, statement, Transfer.created_at, Transfer.id, query)
    return Page[TransferRead](items=await _reads(session, rows), next_cursor=cursor)


async def read_transfer(session: AsyncSession, case_id: UUID, transfer_id: UUID) -> TransferRead:
    """One; 404 when it is not of this case."""
    await access_for(session, case_id, Permission.TRANSFER_READ)
    return (await _reads(session, [await _of_case(session, case_id, transfer_id)]))[0]


async def withdraw_transfer(
    session: AsyncSession, actor: Actor, case_id: UUID, transfer_id: UUID, said: TransferWithdraw
) -> TransferRead:
    """Take it back; what would have been told is gone. 409 once it is answered or has ended."""
    await access_for(session, case_id, Permission.TRANSFER_EDIT)
    await lock_case(session, case_id)  # who accepts holds the case first, too
    row = await _of_case(session, case_id, transfer_id)
    if row.status is not TransferStatus.REQUESTED:
        raise Conflict(Cause.ANSWERED)
    row.status, row.snapshot_sealed = TransferStatus.CANCELLED, None
    row.answered_at, row.answered_by = actor.now, actor.id
    row.touch(actor.now)
    await _tell(session, actor, row, "transfer.withdrawn", said.reason)
    return (await _reads(session, [row]))[0]


async def _check_recipient(session: AsyncSession, recipient_id: UUID, sender_id: UUID) -> None:
    """422 for what is no other NGO. Its supervisors are screened before they are shown anything: one may be related."""
    found = await session.get(Organisation, recipient_id)
    if found is None or not found.active or found.kind is not OrganisationKind.NGO or found.id == sender_id:
        raise Invalid.at("/organisation_id", "unknown_organisation", "There is no such organisation to take a case.")
    statement = select(User).where(
        col(User.organisation_id) == recipient_id, col(User.role) == Role.SUPERVISOR, col(User.active).is_(True)
    )
    for supervisor in (await session.execute(statement.order_by(col(User.id)))).scalars():
        await keep_screened(session, supervisor)


async def _consented(
    session: AsyncSession, actor: Actor, case_id: UUID, wanted: TransferCreate
) -> tuple[Consent, list[SharedField]]:
    """The consent on which it rests and what is told; a consent to a whole sector is none to give the case away."""
    statement = select(Consent).where(
        col(Consent.case_id) == case_id,
        col(Consent.purpose) == ConsentPurpose.REFERRAL,
        col(Consent.recipient_id) == wanted.organisation_id,
    )
    newest = statement.order_by(col(Consent.created_at).desc(), col(Consent.id).desc())
    given = (await session.execute(newest)).scalars().all()
    for consent in await agreed_by_her(session, actor, case_id, given):
        agreed = {SharedField(name) for name in consent.shared_fields}
        fields = agreed if wanted.shared_fields is None else set(wanted.shared_fields)
        if fields <= agreed:
            return consent, _checked(fields)
    raise ConsentRequired


def _checked(fields: set[SharedField]) -> list[SharedField]:
    if fields & {SharedField.PHONE, SharedField.VILLAGE} and SharedField.SAFE_CONTACT not in fields:
        raise Invalid.at("/shared_fields", "safe_contact_required", "Phone and village go with the safe contact only.")
    return [field for field in SharedField if field in fields]


async def _snapshot(session: AsyncSession, actor: Actor, case: CaseRow, fields: list[SharedField]) -> dict[str, Any]:
    [client] = await fetch(session, CLIENT, {"case_id": case.id})
    private = ring_of(session).open("people", client.id, case.id, client.sealed)
    return content_of(case, client.sex, private, fields, actor.now)


def _row(session: AsyncSession, actor: Actor, case: CaseRow, consent: Consent, wanted: TransferCreate) -> Transfer:
    priority = wanted.priority or Priority(case.priority)
    return Transfer(
        case_id=case.id,
        organisation_id=case.organisation_id,
        recipient_id=wanted.organisation_id,
        consent_id=consent.id,
        code=f"TR{new_case_code()[2:]}",
        sector=wanted.sector,
        priority=priority,
        due_at=answer_due(session, priority, actor.now),
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )


async def _waiting(session: AsyncSession, case_id: UUID) -> bool:
    statement = select(col(Transfer.id)).where(
        col(Transfer.case_id) == case_id, col(Transfer.status) == TransferStatus.REQUESTED
    )
    return await session.scalar(statement.limit(1)) is not None


async def _of_case(session: AsyncSession, case_id: UUID, transfer_id: UUID) -> Transfer:
    statement = select(Transfer).where(col(Transfer.id) == transfer_id, col(Transfer.case_id) == case_id)
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound
    return row


async def _tell(session: AsyncSession, actor: Actor, row: Transfer, event: str, reason: str | None) -> None:
    await record(
        session,
        actor,
        event,
        case_id=row.case_id,
        organisation_id=row.organisation_id,
        subject_id=row.id,
        reason=reason,
    )


async def _reads(session: AsyncSession, found: Iterable[Transfer]) -> list[TransferRead]:
    rows = list(found)
    await load_keys(session, (row.id for row in rows))
    people = await names_of(session, (row.created_by for row in rows))
    return [_read(session, row, people[row.created_by]) for row in rows]


def _read(session: AsyncSession, row: Transfer, requested_by: Colleague) -> TransferRead:
    words = opened(session, row)
    return TransferRead(
        organisation_id=row.recipient_id,
        shared_fields=words["shared_fields"],
        contact_suspended=row.contact_suspended_at is not None,
        reason=words["reason"],
        answer=ring_of(session).open(ANSWER, row.id, row.id, row.answer_sealed).get("reason"),
        requested_by=requested_by,
        **row.model_dump(
            include=set(TransferRead.model_fields)
            & {"id", "case_id", "code", "sector", "priority", "status", "due_at", "answered_at"}
            | {"version", "created_at", "updated_at"}
        ),
    )
