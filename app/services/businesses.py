"""Small businesses of women of the register, and whether they live on."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar import day_of
from app.errors import Invalid
from app.models.activity import Activity
from app.models.base import Page
from app.models.business import Business, BusinessCreate, BusinessRead, BusinessUpdate
from app.models.codes.programme import BusinessKind
from app.preconditions import check_match
from app.security import Actor
from app.services.records import (
    RecordQuery,
    as_written,
    begun,
    check_day,
    check_where,
    record_page,
    record_row,
    recorders,
    row_to_change,
)
from app.services.register_people import people_at

MONTHS = (3, 6, 12)
_ALIVE = {f"alive_at_{months}_months": months for months in MONTHS}
_PLAIN = {"kind", "commune_code", "started_on", "activity_id", *_ALIVE}


class BusinessQuery(RecordQuery):
    """`activity_id`: those that came from this training."""

    kind: BusinessKind | None = None
    owner_id: UUID | None = None
    activity_id: UUID | None = None


async def list_businesses(session: AsyncSession, actor: Actor, query: BusinessQuery) -> Page[BusinessRead]:
    """The organisation's, newest first."""
    rows, cursor = await record_page(session, actor, Business, query, ["kind", "owner_id", "activity_id"])
    return Page[BusinessRead](items=await _reads(session, rows), next_cursor=cursor)


async def read_business(session: AsyncSession, business_id: UUID) -> BusinessRead:
    """One; 404 when it is not of the caller's organisation."""
    return (await _reads(session, [await record_row(session, Business, business_id)]))[0]


async def add_business(session: AsyncSession, actor: Actor, wanted: BusinessCreate) -> BusinessRead:
    """Write one down, with its owner as she stands today. 404 for a hidden owner, 422 for one who belongs to a case."""
    owner = (await people_at(session, [wanted.owner_id], day_of(actor.now), "/owner_id"))[wanted.owner_id]
    commune = wanted.commune_code or owner.commune_code
    if commune is None:
        raise Invalid.at("/commune_code", "required", "This field is required.")
    row = Business(
        **begun(actor, wanted.recorded_at),
        **wanted.model_dump(include=_PLAIN) | {"commune_code": commune},
        owner_id=owner.id,
        owner_sex=owner.sex,
        owner_age_band=owner.age_band,
        owner_disability=owner.disability,
    )
    await _check(session, actor, row, set(BusinessCreate.model_fields))
    session.add(row)
    await session.flush()
    return (await _reads(session, [row]))[0]


async def edit_business(
    session: AsyncSession, actor: Actor, business_id: UUID, change: BusinessUpdate, if_match: str | None
) -> BusinessRead:
    """Merge the fields sent. 404, 403, then 428/412."""
    row = await row_to_change(session, actor, Business, business_id)
    check_match(if_match, row.version)
    sent = change.sent()
    if sent:
        await _check(session, actor, Business(**row.model_dump() | sent), set(sent))
        row.sqlmodel_update(sent)
        row.touch(actor.now)
        await session.flush()
    return (await _reads(session, [row]))[0]


async def delete_business(session: AsyncSession, actor: Actor, business_id: UUID, if_match: str | None) -> None:
    """Take one away."""
    row = await row_to_change(session, actor, Business, business_id)
    check_match(if_match, row.version)
    await session.delete(row)
    await session.flush()


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


async def _check(session: AsyncSession, actor: Actor, row: Business, sent: set[str]) -> None:
    if row.activity_id is not None and "activity_id" in sent:
        await record_row(session, Activity, row.activity_id)
    check_day(actor, row.started_on, "started_on")
    for field, months in _ALIVE.items():
        if getattr(row, field) is not None and months_after(row.started_on, months) > day_of(actor.now):
            raise Invalid.at(f"/{field}", "in_the_future", "So many months have not passed.")
    if "commune_code" in sent:
        await check_where(session, actor, row.commune_code)


async def _reads(session: AsyncSession, rows: Sequence[Business]) -> list[BusinessRead]:
    people = await recorders(session, rows)
    fields = _PLAIN | {"owner_id", "owner_sex", "owner_age_band", "owner_disability"}
    return [BusinessRead(**as_written(row, people[row.created_by]), **row.model_dump(include=fields)) for row in rows]
