"""What the records of the programme have in common: whose they are, who changes one, and what is refused of them."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic import Field
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import refuse_future, refuse_future_day
from app.db import fetch
from app.errors import Invalid, NotFound
from app.models.activity import Activity
from app.models.area import CommuneCode
from app.models.base import Day
from app.models.business import Business
from app.models.case import Colleague
from app.models.commitment import Commitment
from app.models.distribution import Distribution
from app.models.feedback import Feedback
from app.models.home_visit import HomeVisit
from app.paging import ListQuery, newest_first
from app.periods import PROGRAMME_BEGAN
from app.policy import forbid, keeps_record, records_in
from app.security import Actor
from app.services.colleagues import names_of
from app.services.places import check_place

Record = TypeVar("Record", Activity, HomeVisit, Commitment, Feedback, Business, Distribution)
AnyRecord = Activity | HomeVisit | Commitment | Feedback | Business | Distribution

# The day by which a record counts.
DAYS = {
    Activity: "starts_on",
    HomeVisit: "visited_on",
    Commitment: "made_on",
    Feedback: "given_on",
    Business: "started_on",
    Distribution: "distributed_on",
}
OUTSIDE = """
    select 1 from organisations o
     where o.id = %(organisation_id)s and o.programme_communes <> '[]' and not o.programme_communes ? %(commune)s
"""


class RecordQuery(ListQuery):
    """Every filter narrows. `from` and `until`: days of the record, both included."""

    commune_code: CommuneCode | None = None
    from_day: Day | None = Field(default=None, alias="from")
    until: Day | None = None


async def record_row(session: AsyncSession, kind: type[Record], record_id: UUID, *, lock: bool = False) -> Record:
    """A record that the caller sees, locked for a change if asked; 404 otherwise.

    For a visit, what decides is asked before there is a row: a hidden one takes as long as one that does not exist.
    """
    statement = select(kind).where(col(kind.id) == record_id)
    if kind is HomeVisit:
        statement = statement.where(select(func.app_sees_visit(record_id)).scalar_subquery())
    statement = statement.execution_options(populate_existing=True)
    row: Record | None = await session.scalar(statement.with_for_update() if lock else statement)
    if row is None:
        raise NotFound
    return row


async def row_to_change(session: AsyncSession, actor: Actor, kind: type[Record], record_id: UUID) -> Record:
    """The row, locked, of which the caller is the recorder or a supervisor; 404, then 403."""
    check_keeper(actor, await record_row(session, kind, record_id))
    return await record_row(session, kind, record_id, lock=True)


def keeps(actor: Actor, row: AnyRecord) -> bool:
    """May the caller change this record, and read what only its recorder and supervisors do?"""
    return keeps_record(actor.role, actor.organisation_id, actor.id, row.organisation_id, row.created_by)


def check_keeper(actor: Actor, row: AnyRecord) -> None:
    """403 unless the caller keeps this record, and, for a liaison, it is still of a commune of hers."""
    forbid(not keeps(actor, row))
    forbid(not records_in(actor.role, actor.communes, row.commune_code or ""))


async def record_page(
    session: AsyncSession,
    actor: Actor,
    kind: type[Record],
    query: RecordQuery,
    equal: Collection[str],
    statement: Select[Any] | None = None,
) -> tuple[Sequence[Record], str | None]:
    """One page of the organisation's own records, newest first; `equal` names the filters that are columns."""
    if statement is None:
        statement = select(kind).where(col(kind.organisation_id) == actor.organisation_id)
    columns: Any = kind
    for name in ("commune_code", *equal):
        wanted = getattr(query, name)
        if wanted:
            column = getattr(columns, name)
            statement = statement.where(column.in_(wanted) if isinstance(wanted, list) else column == wanted)
    day = getattr(columns, DAYS[kind])
    if query.from_day is not None:
        statement = statement.where(day >= query.from_day)
    if query.until is not None:
        statement = statement.where(day <= query.until)
    return await newest_first(session, statement, kind.created_at, kind.id, query)


def begun(actor: Actor, recorded_at: datetime | None) -> dict[str, Any]:
    """What every new record begins with. 422 when it was written down in the future."""
    refuse_future(recorded_at, actor.now, "/recorded_at")
    return {
        "organisation_id": actor.own_organisation,
        "created_by": actor.id,
        "created_at": actor.now,
        "updated_at": actor.now,
        "recorded_at": recorded_at or actor.now,
    }


async def check_where(session: AsyncSession, actor: Actor, commune: str, village: str | None = None) -> None:
    """422 for an area that does not exist, and for a commune in which the organisation's programme does not work."""
    await check_place(session, commune, village)
    await check_programme(session, actor, commune, "/commune_code")


async def check_programme(session: AsyncSession, actor: Actor, commune: str | None, pointer: str) -> None:
    """422 for a commune in which the organisation's programme does not work."""
    asked = {"organisation_id": actor.own_organisation, "commune": commune}
    if commune is not None and await fetch(session, OUTSIDE, asked):
        raise Invalid.at(pointer, "outside_programme", "The programme of the organisation does not work there.")


def check_own_commune(actor: Actor, commune: str) -> None:
    """422 for a liaison in a commune for which another is responsible."""
    if not records_in(actor.role, actor.communes, commune):
        raise Invalid.at("/commune_code", "not_your_commune", "You are not responsible for this commune.")


def check_day(actor: Actor, day: date | None, field: str, *, after: date | None = None) -> None:
    """422 for a day in the future, or one before that `after` which it follows."""
    refuse_future_day(day, actor.now, f"/{field}")
    check_order(day, field, after)


def check_counted_day(actor: Actor, day: date | None, field: str) -> None:
    """422 for a day in the future, or before the programme began: no report is ever asked for its quarter."""
    check_day(actor, day, field)
    if day is not None and day < PROGRAMME_BEGAN:
        raise Invalid.at(f"/{field}", "before_the_programme", "The programme had not begun.")


def check_order(day: date | None, field: str, after: date | None) -> None:
    """422 for a day before the one that it follows."""
    if day is not None and after is not None and day < after:
        raise Invalid.at(f"/{field}", "too_early", "The day is before what it follows.")


def repeated(values: Iterable[Any]) -> int | None:
    """Where a value stands that stood before; None when each is there once."""
    seen: set[Any] = set()
    for place, value in enumerate(values):
        if value in seen:
            return place
        seen.add(value)
    return None


def in_order(codes: Iterable[Any]) -> list[str]:
    """Codes of a list, each once, as they are stored."""
    return sorted({str(code) for code in codes})


async def recorders(session: AsyncSession, rows: Iterable[AnyRecord]) -> dict[UUID, Colleague]:
    """Who wrote these down, by id."""
    return await names_of(session, (row.created_by for row in rows))


def as_written(row: AnyRecord, by: Colleague) -> dict[str, Any]:
    """What every record says of itself: who wrote it down and when, when it arrived, its version."""
    return {
        "id": row.id,
        "recorded_by": by,
        "recorded_at": row.recorded_at,
        "received_at": row.created_at,
        "version": row.version,
        "updated_at": row.updated_at,
    }
