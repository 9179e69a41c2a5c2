"""Where a client is hidden: read by lead and assigned only, each time with a reason that the trail keeps.

There are no events: a timeline would tell everybody who sees the case that she has moved (docs/decisions/0016).
"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import because
from app.errors import NotFound
from app.models.case import CaseRow
from app.models.codes.walls import WhereaboutsReason
from app.models.whereabouts import Whereabouts, WhereaboutsKept, WhereaboutsRead, WhereaboutsWrite
from app.permissions import Permission
from app.preconditions import check_match, check_put
from app.sealing import load_keys, opened, ring_of, seal, write_key
from app.security import Actor, require_step_up
from app.services.cases import open_for_change
from app.services.visible import access_for

PART = "whereabouts"  # what their keys are called in vault.data_keys (migrations/sql/120_whereabouts.sql)


async def read_whereabouts(
    session: AsyncSession, actor: Actor, case_id: UUID, reason: WhereaboutsReason
) -> WhereaboutsRead:
    """Where she is. 403 for everybody but lead and assigned, 401 without step-up, 404 when nothing is recorded."""
    await access_for(session, case_id, Permission.WHEREABOUTS_READ)
    require_step_up(actor)
    because(session, reason.value)
    row = await _of_case(session, case_id)
    if row is None:
        raise NotFound
    await load_keys(session, [row.id])
    return WhereaboutsRead(**dict(WhereaboutsKept.model_validate(row)), **opened(session, row))


async def replace_whereabouts(
    session: AsyncSession,
    actor: Actor,
    case_id: UUID,
    told: WhereaboutsWrite,
    if_match: str | None,
    if_none_match: str | None,
) -> WhereaboutsKept:
    """Write where she is now, and destroy what was known before. 409 when the case is closed, 428/412 by headers.

    The writer needs no key of the earlier record, so that a cover can write what she may not read.
    """
    case = await open_for_change(session, case_id, Permission.WHEREABOUTS_EDIT)
    require_step_up(actor)
    before = await _of_case(session, case_id)
    check_put(if_match, if_none_match, before.version if before else None)
    if before is not None:
        await session.delete(before)
        await session.flush()
    return WhereaboutsKept.model_validate(await _write(session, actor, case, told, before))


async def remove_whereabouts(session: AsyncSession, actor: Actor, case_id: UUID, if_match: str | None) -> None:
    """Destroy what is recorded: she is back, or nobody should know any more. Refusals as above."""
    await open_for_change(session, case_id, Permission.WHEREABOUTS_EDIT)
    require_step_up(actor)
    row = await _of_case(session, case_id)
    if row is None:
        raise NotFound
    check_match(if_match, row.version)
    await session.delete(row)
    await session.flush()


async def _write(
    session: AsyncSession, actor: Actor, case: CaseRow, told: WhereaboutsWrite, before: Whereabouts | None
) -> Whereabouts:
    row = Whereabouts(
        case_id=case.id,
        organisation_id=case.organisation_id,
        version=before.version + 1 if before else 1,
        created_at=before.created_at if before else actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )
    ring_of(session).make(row.id)
    await write_key(session, row.id, case.organisation_id, case.id, part=PART)
    seal(session, row, told.model_dump(mode="json"))
    session.add(row)
    await session.flush()
    return row


async def _of_case(session: AsyncSession, case_id: UUID) -> Whereabouts | None:
    statement = select(Whereabouts).where(col(Whereabouts.case_id) == case_id)
    return (await session.execute(statement)).scalar_one_or_none()
