"""Relief given out to households of the register."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.models.base import Page
from app.models.codes.programme import DistributionCause
from app.models.distribution import Distribution, DistributionCreate, DistributionRead, DistributionUpdate
from app.preconditions import check_match
from app.security import Actor
from app.services.records import (
    RecordQuery,
    as_written,
    begun,
    check_counted_day,
    record_page,
    record_row,
    recorders,
    row_to_change,
)
from app.services.visited_homes import commune_of

_PLAIN = {"cause", "item", "quantity", "distributed_on"}


class DistributionQuery(RecordQuery):
    """Which of them."""

    cause: DistributionCause | None = None
    household_id: UUID | None = None


async def list_distributions(session: AsyncSession, actor: Actor, query: DistributionQuery) -> Page[DistributionRead]:
    """The organisation's, newest first."""
    rows, cursor = await record_page(session, actor, Distribution, query, ["cause", "household_id"])
    return Page[DistributionRead](items=await _reads(session, rows), next_cursor=cursor)


async def read_distribution(session: AsyncSession, distribution_id: UUID) -> DistributionRead:
    """One; 404 when it is not of the caller's organisation."""
    return (await _reads(session, [await record_row(session, Distribution, distribution_id)]))[0]


async def add_distribution(session: AsyncSession, actor: Actor, wanted: DistributionCreate) -> DistributionRead:
    """Write one down. 404 for a household that is not of the caller's register."""
    commune = await commune_of(session, actor, wanted.household_id)
    check_counted_day(actor, wanted.distributed_on, "distributed_on")
    row = Distribution(
        **begun(actor, wanted.recorded_at),
        **wanted.model_dump(include=_PLAIN),
        household_id=wanted.household_id,
        commune_code=commune,
    )
    session.add(row)
    await session.flush()
    return (await _reads(session, [row]))[0]


async def edit_distribution(
    session: AsyncSession, actor: Actor, distribution_id: UUID, change: DistributionUpdate, if_match: str | None
) -> DistributionRead:
    """Merge the fields sent. 404, 403, then 428/412."""
    row = await row_to_change(session, actor, Distribution, distribution_id)
    check_match(if_match, row.version)
    sent = change.sent()
    if sent:
        check_counted_day(actor, sent.get("distributed_on"), "distributed_on")
        row.sqlmodel_update(sent)
        row.touch(actor.now)
        await session.flush()
    return (await _reads(session, [row]))[0]


async def delete_distribution(session: AsyncSession, actor: Actor, distribution_id: UUID, if_match: str | None) -> None:
    """Take one away."""
    row = await row_to_change(session, actor, Distribution, distribution_id)
    check_match(if_match, row.version)
    await session.delete(row)
    await session.flush()


async def _reads(session: AsyncSession, rows: Sequence[Distribution]) -> list[DistributionRead]:
    people = await recorders(session, rows)
    fields = _PLAIN | {"household_id", "commune_code"}
    return [
        DistributionRead(**as_written(row, people[row.created_by]), **row.model_dump(include=fields)) for row in rows
    ]
