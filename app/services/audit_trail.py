"""Reading the trail: a page of it, who saw a case, a week of everybody, and the state of the chains.

What each reader may know is decided in migrations/sql/090_audit.sql; the table itself is closed to the API's role.
"""

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar import day_of, start_of
from app.db import fetch
from app.errors import Invalid
from app.models.alert import ReadingAlertRead
from app.models.audit import AccessReportRead, AuditRead, AuditState, InsiderRead, InsiderReport
from app.models.base import Body, Moment, Page
from app.models.case import Colleague
from app.paging import Cursor, ListQuery, cut
from app.permissions import Permission
from app.security import Actor
from app.services.visible import access_for

MOST_PEOPLE = 200
MOST_EXAMINED = 5_000  # rows, of which the reader may see few: the page may then be short and still go on

PAGE = """
    select * from audit_page(%(case_id)s, %(actor_id)s, %(action)s, %(after)s, %(at)s, %(id)s, %(wanted)s, %(examined)s)
"""
REPORT = "select * from access_report(%(case_id)s, %(at)s, %(id)s, %(wanted)s)"
ALERTS = "select * from reading_alerts_told(%(at)s, %(id)s, %(wanted)s)"
INSIDERS = "select * from insider_report(%(from_at)s, %(to_at)s, %(wanted)s)"


class AuditFilter(ListQuery):
    """Every filter narrows; `after` is a moment, not included."""

    case_id: UUID | None = None
    actor_id: UUID | None = None
    action: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")] | None = None
    after: Moment | None = None


class WeekQuery(Body):
    """An ISO week; without it, the present one."""

    week: Annotated[str, Field(pattern=r"^[0-9]{4}-W[0-9]{2}$")] | None = None


async def list_events(session: AsyncSession, filters: AuditFilter) -> Page[AuditRead]:
    """The rows that the caller may read, newest first."""
    narrowed = filters.model_dump(include={"case_id", "actor_id", "action", "after"})
    examined = max(MOST_EXAMINED, filters.limit + 1)
    rows = await fetch(session, PAGE, {**narrowed, **_place(filters), "examined": examined})
    items, cursor = cut([row for row in rows if row.shown], filters.limit, lambda row: Cursor(row.at, row.id))
    if cursor is None and rows and not rows[-1].shown:  # the page is short, and there is more to look at
        cursor = Cursor(rows[-1].at, rows[-1].id).encode()
    return Page[AuditRead](items=[_read(row) for row in items], next_cursor=cursor)


async def report_access(session: AsyncSession, case_id: UUID, query: ListQuery) -> Page[AccessReportRead]:
    """Who was shown the case, newest first. 404 when it is hidden or unknown, 403 for who may not ask."""
    await access_for(session, case_id, Permission.ACCESS_REPORT_READ)
    rows = await fetch(session, REPORT, {"case_id": case_id, **_place(query)})
    shown, cursor = cut(rows, query.limit, lambda row: Cursor(row.at, row.id))
    items = [AccessReportRead(actor=_actor(row), **_named(row, AccessReportRead)) for row in shown]
    return Page[AccessReportRead](items=items, next_cursor=cursor)


async def report_insiders(session: AsyncSession, actor: Actor, query: WeekQuery) -> InsiderReport:
    """The week of everybody else, over the cases that the caller sees or oversees."""
    monday = _monday(query.week) if query.week else _week_of(day_of(actor.now))
    span = {"from_at": start_of(monday), "to_at": start_of(monday + timedelta(days=7)), "wanted": MOST_PEOPLE}
    rows = await fetch(session, INSIDERS, span)
    items = [InsiderRead(actor=_actor(row), **_named(row, InsiderRead)) for row in rows]
    return InsiderReport(week=f"{monday:%G-W%V}", from_day=monday, items=items)


async def list_alerts(session: AsyncSession, query: ListQuery) -> Page[ReadingAlertRead]:
    """Alerts about many cases in an hour, of the caller's organisation, newest first."""
    rows = await fetch(session, ALERTS, _place(query))
    shown, cursor = cut(rows, query.limit, lambda row: Cursor(row.at, row.id))
    items = [
        ReadingAlertRead(
            id=row.id,
            at=row.at,
            actor=Colleague(id=row.actor_id, display_name=row.actor_name),
            role=row.role,
            kind=row.kind,
        )
        for row in shown
    ]
    return Page[ReadingAlertRead](items=items, next_cursor=cursor)


async def read_state(session: AsyncSession) -> AuditState:
    """The heads of the chains, the newest signed ones, and the newest verification."""
    return AuditState.model_validate((await fetch(session, "select audit_state() as state", {}))[0].state)


def _place(query: ListQuery) -> dict[str, Any]:
    place = Cursor.decode(query.cursor)
    return {"at": place.at if place else None, "id": place.id if place else None, "wanted": query.limit + 1}


def _actor(row: Any) -> Colleague | None:
    return Colleague(id=row.actor_id, display_name=row.actor_name) if row.actor_name is not None else None


def _read(row: Any) -> AuditRead:
    return AuditRead(actor=_actor(row), **_named(row, AuditRead))


def _named(row: Any, model: type[Any]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in model.model_fields if name != "actor"}


def _week_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _monday(week: str) -> date:
    try:
        monday = date.fromisocalendar(int(week[:4]), int(week[6:]), 1)
    except ValueError:
        monday = date.min
    if not 1900 <= monday.year <= 2200:
        raise Invalid.at("/query/week", "unknown_week", "There is no such week.")
    return monday
