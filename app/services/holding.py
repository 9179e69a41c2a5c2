"""Legal hold: a case that must be kept, whatever anybody wishes and however old it is."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import Cause, Conflict, NotFound
from app.models.codes.people import Role
from app.models.codes.walls import LegalHoldBasis
from app.models.erasure import HoldCreate, HoldRead, LegalHold
from app.permissions import Permission
from app.policy import forbid
from app.sealing import opened, seal
from app.security import Actor, require_step_up
from app.services.colleagues import names_of
from app.services.events import record
from app.services.visible import access_for, lock_case


async def place_hold(session: AsyncSession, actor: Actor, case_id: UUID, wanted: HoldCreate) -> HoldRead:
    """Keep the case; an earlier hold gives way to this one and stays on record."""
    await access_for(session, case_id, Permission.LEGAL_HOLD_EDIT)
    forbid(actor.role is not Role.SUPERVISOR)
    require_step_up(actor)
    case = await lock_case(session, case_id)
    earlier = await _standing(session, case_id)
    if earlier is not None:
        earlier.lifted_at, earlier.lifted_by = actor.now, actor.id
        await session.flush()
    row = LegalHold(
        case_id=case_id,
        organisation_id=case.organisation_id,
        basis=LegalHoldBasis.DECIDED,
        created_at=actor.now,
        created_by=actor.id,
    )
    seal(session, row, {"reason": wanted.reason})
    session.add(row)
    await _tell(session, actor, row, "legal_hold.placed", wanted.reason)
    return await _read(session, row)


async def read_hold(session: AsyncSession, case_id: UUID) -> HoldRead:
    """The hold that stands; 404 when there is none."""
    await access_for(session, case_id, Permission.LEGAL_HOLD_READ)
    return await _read(session, await _needed(session, case_id))


async def lift_hold(session: AsyncSession, actor: Actor, case_id: UUID) -> None:
    """The case need not be kept any longer; 404 when no hold stands, 409 while a death waits for its review."""
    await access_for(session, case_id, Permission.LEGAL_HOLD_EDIT)
    forbid(actor.role is not Role.SUPERVISOR)
    await _needed(session, case_id)
    require_step_up(actor)
    case = await lock_case(session, case_id)
    row = await _needed(session, case_id)
    if case.death_review_due_at is not None:
        raise Conflict(Cause.DEATH_UNREVIEWED)
    row.lifted_at, row.lifted_by = actor.now, actor.id
    await _tell(session, actor, row, "legal_hold.lifted")


async def is_held(session: AsyncSession, case_id: UUID) -> bool:
    """Must the case be kept?"""
    return await _standing(session, case_id) is not None


async def _standing(session: AsyncSession, case_id: UUID) -> LegalHold | None:
    statement = select(LegalHold).where(col(LegalHold.case_id) == case_id, col(LegalHold.lifted_at).is_(None))
    return (await session.execute(statement.execution_options(populate_existing=True))).scalar_one_or_none()


async def _needed(session: AsyncSession, case_id: UUID) -> LegalHold:
    row = await _standing(session, case_id)
    if row is None:
        raise NotFound
    return row


async def _tell(session: AsyncSession, actor: Actor, row: LegalHold, event: str, reason: str | None = None) -> None:
    await record(
        session,
        actor,
        event,
        case_id=row.case_id,
        organisation_id=row.organisation_id,
        subject_id=row.id,
        reason=reason,
    )


async def _read(session: AsyncSession, row: LegalHold) -> HoldRead:
    placed_by = (await names_of(session, [row.created_by])).get(row.created_by) if row.created_by else None
    return HoldRead(
        case_id=row.case_id,
        basis=row.basis,
        reason=opened(session, row).get("reason"),
        placed_by=placed_by,
        placed_at=row.created_at,
    )
