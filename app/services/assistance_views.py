"""Requests for assistance as they are read: one, those of a case, and those of every case that the caller sees."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.db import fetch
from app.errors import NotFound
from app.models.assistance import AssistanceRead, Decided
from app.models.base import Page
from app.models.case import Colleague
from app.models.codes.assistance import AssistanceStatus
from app.models.codes.cases import Decision
from app.paging import Cursor, ListQuery, cut
from app.relations import access_of
from app.sealing import ring_of
from app.services.case_rows import BEYOND, newest, newest_of_all
from app.services.visible import EVERY_WAY

STATEMENT = """
    select w.*, c.code as case_code, k.kek_id, k.wrapped, q.display_name as requester,
           f.display_name as first_approver, d.display_name as decider, e.display_name as ender, {way}
      from {rows} w
      join cases c on c.id = w.case_id
      join vault.data_keys k on k.home = w.case_id
      join users q on q.id = w.created_by
      left join users f on f.id = w.first_approved_by
      left join users d on d.id = w.decided_by
      left join users e on e.id = w.ended_by
     order by w.created_at desc, w.id desc
"""
REQUESTS = "assistance_requests"


class AssistanceQuery(ListQuery):
    """Which requests: those with this status, or all."""

    status: AssistanceStatus | None = None


async def read_of(session: AsyncSession, case_id: UUID, request_id: UUID) -> AssistanceRead:
    """One request of a case that the caller sees; 404 when it is not of this case."""
    one = newest(f"from {REQUESTS} r where r.id = %(id)s and r.case_id = %(case_id)s")
    statement = STATEMENT.format(way="1", rows=one)
    rows = await fetch(session, statement, {"id": request_id, "case_id": case_id, "wanted": 1})
    if not rows:
        raise NotFound
    return _read(session, rows[0])


async def page_of_case(session: AsyncSession, case_id: UUID, query: ListQuery) -> Page[AssistanceRead]:
    """Those of a case that the caller sees, newest first."""
    rows = newest(f"from {REQUESTS} r where r.case_id = %(case_id)s and {_beyond(query)}")
    found, cursor = await _page(session, query, STATEMENT.format(way="1", rows=rows), {"case_id": case_id})
    return Page[AssistanceRead](items=[_read(session, row) for row in found], next_cursor=cursor)


async def page_of_all(session: AsyncSession, organisation_id: UUID, query: AssistanceQuery) -> Page[AssistanceRead]:
    """Those of every case that the caller sees, newest first."""
    values = {"organisation_id": organisation_id, "status": query.status}
    found, cursor = await _page(session, query, statement_of_all(query), values)
    for row in found:
        touched(session, row.case_id, access_of(row.case_id, row.organisation_id, row.ways).via)
    return Page[AssistanceRead](items=[_read(session, row) for row in found], next_cursor=cursor)


def statement_of_all(query: AssistanceQuery) -> str:
    """SQL of a page over every case that the caller sees."""
    status = "r.status = %(status)s" if query.status else "true"
    return STATEMENT.format(way=EVERY_WAY, rows=newest_of_all(REQUESTS, f"{status} and {_beyond(query)}"))


def _beyond(query: ListQuery) -> str:
    return BEYOND if query.cursor else "true"


async def _page(
    session: AsyncSession, query: ListQuery, statement: str, values: dict[str, Any]
) -> tuple[Any, str | None]:
    place = Cursor.decode(query.cursor)
    if place is not None:
        values |= {"cursor_at": place.at, "cursor_id": place.id}
    rows = await fetch(session, statement, {**values, "wanted": query.limit + 1})
    return cut(rows, query.limit, lambda row: Cursor(row.created_at, row.id))


def _read(session: AsyncSession, row: Any) -> AssistanceRead:
    ring_of(session).add(row.case_id, row.kek_id, row.wrapped)
    private = ring_of(session).open("assistance_requests", row.id, row.case_id, row.sealed)
    declined = row.status == AssistanceStatus.DECLINED
    return AssistanceRead(
        id=row.id,
        case_id=row.case_id,
        case_code=row.case_code,
        kind=row.kind,
        status=row.status,
        awaiting_second=row.status == AssistanceStatus.SUBMITTED and row.first_approved_at is not None,
        item=private["item"],
        purpose=private["purpose"],
        amount_minor=row.amount_minor,
        approved_minor=row.approved_minor,
        paid_minor=row.paid_minor,
        currency=row.currency,
        requested_by=Colleague(id=row.created_by, display_name=row.requester),
        first_approval=_decided(row, "first_approve", Decision.APPROVE, private),
        decision=_decided(row, "decide", Decision.DECLINE if declined else Decision.APPROVE, private),
        ended_at=row.ended_at,
        ended_by=Colleague(id=row.ended_by, display_name=row.ender) if row.ended_by else None,
        end_reason=private.get("end_reason") if row.ended_at else None,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _decided(row: Any, step: str, decision: Decision, private: dict[str, Any]) -> Decided | None:
    by = getattr(row, f"{step}d_by")
    if by is None:
        return None
    return Decided(
        decision=decision,
        by=Colleague(id=by, display_name=getattr(row, f"{step}r")),
        at=getattr(row, f"{step}d_at"),
        amount_minor=row.first_approved_minor if step == "first_approve" else row.approved_minor,
        reason=private[f"{step}d_reason"],
    )
