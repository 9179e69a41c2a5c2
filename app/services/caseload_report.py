"""Who carries what, by risk and over a quarter: the counts of `/caseload`, and more of the cases that are seen."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch
from app.models.case import Colleague
from app.models.practice import CaseloadReport, LeadLoad
from app.periods import Period
from app.services.carrying import level_of

COUNTS = "select * from caseload_counts()"
SEEN = "select * from caseload_seen(%(first)s, %(after)s)"
RISKS = ("high", "medium", "low", "not_assessed")


async def caseload_report(session: AsyncSession, period: Period) -> CaseloadReport:
    """One line for every caseworker, for other leads, and for the cases without one."""
    first, after = period.moments
    seen = {row.lead_id: row for row in await fetch(session, SEEN, {"first": first, "after": after})}
    counted = await fetch(session, COUNTS, {})
    return CaseloadReport(
        period=str(period),
        starts_on=period.starts_on,
        ends_on=period.ends_on,
        items=[_line(session, row, seen.get(row.lead_id)) for row in counted],
    )


def _line(session: AsyncSession, row: Any, seen: Any | None) -> LeadLoad:
    by_risk = {risk: getattr(seen, risk) if seen else 0 for risk in RISKS}
    return LeadLoad(
        lead=Colleague(id=row.lead_id, display_name=row.lead_name) if row.lead_id else None,
        open=row.open_cases,
        stubs=row.open_cases - sum(by_risk.values()),
        **by_risk,
        overdue=row.overdue,
        opened=seen.opened if seen else 0,
        closed=seen.closed if seen else 0,
        level=level_of(session, row.open_cases) if row.lead_id else None,
    )
