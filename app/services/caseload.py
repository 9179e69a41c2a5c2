"""The caseload of an organisation as stubs: who carries what and what waits, without showing a case."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.db import fetch
from app.errors import Invalid
from app.models.case import Caseload, CaseloadOf, CaseStub, Colleague
from app.paging import ListQuery
from app.relations import Relation
from app.services.carrying import level_of

STUBS = text("""
    select * from case_stubs(without_lead => :without_lead, of_lead => :of_lead,
                             after_case => :after, at_most => :at_most)
""")
COUNTS = "select * from caseload_counts(without_lead => %(without_lead)s, of_lead => %(of_lead)s)"


class CaseloadQuery(ListQuery):
    """`needs_lead=true` is the queue of cases that nobody carries."""

    needs_lead: bool = False
    lead_id: UUID | None = None
    cursor: Annotated[str, Field(max_length=40)] | None = None


async def list_caseload(session: AsyncSession, query: CaseloadQuery) -> Caseload:
    """Open cases of the supervisor's organisation, in the order of their ids: it says nothing about time."""
    parameters = {
        "without_lead": query.needs_lead,
        "of_lead": query.lead_id,
        "after": _after(query.cursor),
        "at_most": query.limit + 1,
    }
    rows = (await session.execute(STUBS, parameters)).all()
    shown = rows[: query.limit]
    for row in shown:
        touched(session, row.id, Relation.STUB)
    cursor = str(shown[-1].id) if len(rows) > query.limit else None
    counted = await fetch(session, COUNTS, {name: parameters[name] for name in ("without_lead", "of_lead")})
    return Caseload(
        items=[_stub(row) for row in shown], next_cursor=cursor, leads=[_of_lead(session, row) for row in counted]
    )


def _of_lead(session: AsyncSession, row: Any) -> CaseloadOf:
    return CaseloadOf(
        lead=Colleague(id=row.lead_id, display_name=row.lead_name) if row.lead_id else None,
        open=row.open_cases,
        overdue=row.overdue,
        needs_review=row.needs_review,
        level=level_of(session, row.open_cases) if row.lead_id else None,
    )


def _after(cursor: str | None) -> UUID | None:
    if cursor is None:
        return None
    try:
        return UUID(cursor)
    except ValueError:
        raise Invalid.at("/query/cursor", "cursor_invalid", "The cursor was not made by this list.") from None


def _stub(row: Row[Any]) -> CaseStub:
    return CaseStub(
        id=row.id,
        code=row.code,
        lead=Colleague(id=row.lead_id, display_name=row.lead_name) if row.lead_id else None,
        status=row.status,
        next_due_week=row.next_due_week,
        overdue=row.overdue,
        needs_review=row.needs_review,
    )
