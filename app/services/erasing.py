"""Taking a case away for good: one person asks, another confirms, and its keys are destroyed (safety.md).

What is destroyed, and who may, is said in 095_erasure.sql. An erasure is told to nobody before it is in the ledger.
"""

from functools import partial
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col
from starlette.concurrency import run_in_threadpool

from app.db import after_commit, fetch
from app.erasures import Erasure, Ledger
from app.errors import Cause, Conflict, Forbidden, LegalHold, NotFound, Unavailable
from app.logs import log
from app.models.erasure import ErasureRead, ErasureRequest, ErasureWish
from app.permissions import Permission
from app.preconditions import check_match_if_sent
from app.sealing import opened, seal
from app.security import Actor, require_step_up
from app.services.colleagues import names_of
from app.services.events import record
from app.services.holding import is_held
from app.services.visible import access_for, lock_case
from app.settings import SetupError

CONFIRM = "select outcome, id, homes, at from confirm_erasure(%(case_id)s, %(wish)s)"


async def request_erasure(session: AsyncSession, actor: Actor, case_id: UUID, wish: ErasureWish) -> ErasureRead:
    """Ask for the erasure of a case, open or closed. 409 `legal_hold`, and while an earlier wish stands."""
    await access_for(session, case_id, Permission.ERASURE_EDIT)
    require_step_up(actor)
    case = await lock_case(session, case_id)
    if await is_held(session, case_id):
        raise LegalHold
    if await _standing(session, case_id) is not None:
        raise Conflict(Cause.WAITS_ALREADY)
    row = ErasureRequest(
        case_id=case_id,
        organisation_id=case.organisation_id,
        reason_code=wish.reason_code,
        created_at=actor.now,
        created_by=actor.id,
    )
    seal(session, row, {"reason": wish.reason})
    session.add(row)
    await record(
        session,
        actor,
        "erasure.requested",
        case_id=case_id,
        organisation_id=case.organisation_id,
        subject_id=row.id,
        data={"reason_code": row.reason_code},
        reason=wish.reason,
    )
    return await _read(session, row)


async def read_erasure(session: AsyncSession, case_id: UUID) -> ErasureRead:
    """The wish that waits for a second person; 404 when there is none."""
    await access_for(session, case_id, Permission.ERASURE_READ)
    return await _read(session, await _needed(session, case_id))


async def withdraw_erasure(session: AsyncSession, actor: Actor, case_id: UUID, if_match: str | None) -> None:
    """Take the wish back, one's own or another's; 404 when there is none, 412 when it is not the one that was read."""
    await access_for(session, case_id, Permission.ERASURE_EDIT)
    case = await lock_case(session, case_id)
    row = await _needed(session, case_id)
    check_match_if_sent(if_match, row.id)
    row.withdrawn_at, row.withdrawn_by = actor.now, actor.id
    await record(
        session,
        actor,
        "erasure.withdrawn",
        case_id=case_id,
        organisation_id=case.organisation_id,
        subject_id=row.id,
    )


async def confirm_erasure(
    session: AsyncSession, actor: Actor, case_id: UUID, ledger: Ledger, if_match: str | None
) -> None:
    """Erase the case, as the second person: nobody sees it any more, and nobody can open what it held.

    404 without a wish, 412 when it is not the one that was read, 403 where neither of the two is a supervisor, 409
    for who asked, `legal_hold`, and while an emergency access to the case waits for its review. 503 when the ledger
    takes no line; nothing is erased then, unless the disk filled at this very moment.
    """
    await access_for(session, case_id, Permission.ERASURE_EDIT)
    wish = await _needed(session, case_id)
    require_step_up(actor)
    check_match_if_sent(if_match, wish.id)
    await _write(ledger, None)
    row = (await fetch(session, CONFIRM, {"case_id": case_id, "wish": wish.id}))[0]
    _check(row.outcome)
    done = Erasure(row.id, case_id, tuple(row.homes), row.at)
    after_commit(session, partial(_write, ledger, done))


def _check(outcome: str | None) -> None:
    if outcome is None:
        raise NotFound
    if outcome == "legal_hold":
        raise LegalHold
    if outcome == "supervisor_needed":
        raise Forbidden
    if outcome != "erased":  # by the same person, or before an emergency access was reviewed
        raise Conflict(Cause.SAME_PERSON if outcome == "same_person" else Cause.REVIEW_PENDING)


async def _write(ledger: Ledger, done: Erasure | None) -> None:
    """One line into the file; without an erasure only look whether the file would take it."""
    try:
        await run_in_threadpool(ledger.append, [done] if done else [])
    except (OSError, SetupError) as error:
        log.error("erasures.ledger_failed", exc_info=error)
        raise Unavailable from None


async def _standing(session: AsyncSession, case_id: UUID) -> ErasureRequest | None:
    statement = select(ErasureRequest).where(
        col(ErasureRequest.case_id) == case_id, col(ErasureRequest.withdrawn_at).is_(None)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def _needed(session: AsyncSession, case_id: UUID) -> ErasureRequest:
    row = await _standing(session, case_id)
    if row is None:
        raise NotFound
    return row


async def _read(session: AsyncSession, row: ErasureRequest) -> ErasureRead:
    return ErasureRead(
        id=row.id,
        case_id=row.case_id,
        reason_code=row.reason_code,
        reason=opened(session, row)["reason"],
        requested_by=(await names_of(session, [row.created_by]))[row.created_by],
        requested_at=row.created_at,
    )
