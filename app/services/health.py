"""The health record of a case: who works on it reads and writes it; nobody else who sees the case does."""

import math
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import day_of, refuse_future_day
from app.errors import Invalid, NotFound
from app.models.case import CaseRow
from app.models.health import HealthRead, HealthRecord, HealthWrite
from app.permissions import Permission
from app.preconditions import check_put
from app.sealing import load_keys, opened, ring_of, seal, write_key
from app.security import Actor
from app.services.cases import open_for_change, raise_to_sensitive
from app.services.events import record
from app.services.visible import access_for

PART = "health"  # what their keys are called in vault.data_keys (migrations/sql/136_attachments.sql)
WINDOW_DAYS = 12 * 7


def weeks_to_12(gestation_weeks: int | None, assessed_on: date | None, now: datetime) -> float | None:
    """Weeks until twelve are full, counted to the day of `now` in Phnom Penh: in hundredths and rounded down, 0 when
    they are over; None where weeks or day are unknown."""
    if gestation_weeks is None or assessed_on is None:
        return None
    days = WINDOW_DAYS - gestation_weeks * 7 - (day_of(now) - assessed_on).days
    return max(0, math.floor(days * 100 / 7)) / 100


async def read_health(session: AsyncSession, actor: Actor, case_id: UUID) -> HealthRead:
    """What is recorded. 403 for everybody but lead, assigned and cover, 404 when nothing is."""
    await access_for(session, case_id, Permission.HEALTH_READ)
    row = await _of_case(session, case_id)
    if row is None:
        raise NotFound
    await load_keys(session, [row.id])
    return _read(session, actor, row)


async def replace_health(
    session: AsyncSession,
    actor: Actor,
    case_id: UUID,
    told: HealthWrite,
    if_match: str | None,
    if_none_match: str | None,
) -> HealthRead:
    """Write the record whole; it makes the case sensitive. 409 when the case is closed, 428/412 by headers."""
    case = await open_for_change(session, case_id, Permission.HEALTH_EDIT)
    row = await _of_case(session, case_id)
    check_put(if_match, if_none_match, row.version if row else None)
    _check(actor, told)
    await raise_to_sensitive(session, case, actor)
    event = "health.changed" if row else "health.recorded"
    if row is None:
        row = await _begun(session, actor, case)
    else:
        await load_keys(session, [row.id])
        row.touch(actor.now)
    seal(session, row, told.model_dump(mode="json"))
    session.add(row)
    await record(session, actor, event, case_id=case.id, organisation_id=case.organisation_id, subject_id=row.id)
    return _read(session, actor, row)


def _check(actor: Actor, told: HealthWrite) -> None:
    refuse_future_day(told.assessed_on, actor.now, "/assessed_on")
    if told.gestation_weeks is not None and told.assessed_on is None:
        raise Invalid.at("/assessed_on", "missing", "Weeks need the day on which they were assessed.")


async def _begun(session: AsyncSession, actor: Actor, case: CaseRow) -> HealthRecord:
    """An empty record with a key of its own."""
    row = HealthRecord(
        case_id=case.id,
        organisation_id=case.organisation_id,
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )
    ring_of(session).make(row.id)
    await write_key(session, row.id, case.organisation_id, case.id, part=PART)
    return row


async def _of_case(session: AsyncSession, case_id: UUID) -> HealthRecord | None:
    statement = select(HealthRecord).where(col(HealthRecord.case_id) == case_id)
    return (await session.execute(statement)).scalar_one_or_none()


def _read(session: AsyncSession, actor: Actor, row: HealthRecord) -> HealthRead:
    told = HealthWrite.model_validate(opened(session, row))
    return HealthRead(
        **row.model_dump(include={"case_id", "version", "created_at", "updated_at"}),
        **dict(told),
        weeks_to_12=weeks_to_12(told.gestation_weeks, told.assessed_on, actor.now),
    )
