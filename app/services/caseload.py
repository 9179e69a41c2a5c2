"""The caseload of an organisation as stubs: who carries what and what waits, without showing a case."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.errors import Invalid
from app.models.assignment import CaseloadPage
from app.models.case import CaseStub, Colleague
from app.paging import ListQuery
from app.relations import Relation
from app.services.carrying import carried_by

STUBS = text("""
    select * from case_stubs(without_lead => :without_lead, of_lead => :of_lead,
                             after_case => :after, at_most => :at_most)
""")


class CaseloadQuery(ListQuery):
    """`needs_lead=true` is the queue of cases that nobody carries."""

    needs_lead: bool = False
    lead_id: UUID | None = None
    cursor: Annotated[str, Field(max_length=40)] | None = None


async def list_caseload(session: AsyncSession, query: CaseloadQuery) -> CaseloadPage:
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
    stubs = [_stub(row) for row in shown]
    leads = await carried_by(session, (stub.lead for stub in stubs if stub.lead is not None))
    return CaseloadPage(items=stubs, next_cursor=cursor, leads=leads)


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
