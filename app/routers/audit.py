"""`/audit-events` and `/cases/{case_id}/access-report`: who did what, and who saw whom."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.http import API, Route, Session
from app.models.alert import ReadingAlertRead
from app.models.audit import AccessReportRead, AuditRead, AuditState, InsiderReport
from app.models.base import Page
from app.paging import ListQuery
from app.permissions import Permission
from app.security import Actor, allowed
from app.services import audit_trail

router = APIRouter(prefix=API, tags=["audit"], route_class=Route)


@router.get("/audit-events")
async def list_audit_events(
    filters: Annotated[audit_trail.AuditFilter, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.TRAIL_READ)],
) -> Page[AuditRead]:
    """A supervisor's cases, an administrator's accounts and settings, an auditor's exports; newest first."""
    return await audit_trail.list_events(session, filters)


@router.get("/audit-events/verification")
async def read_audit_verification(
    session: Session, actor: Annotated[Actor, allowed(Permission.TRAIL_VERIFY)]
) -> AuditState:
    """The heads of the chains, the newest signed ones, and what `samaki audit verify` found last."""
    return await audit_trail.read_state(session)


@router.get("/audit-events/insider-report")
async def read_insider_report(
    query: Annotated[audit_trail.WeekQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.INSIDER_REPORT_READ)],
) -> InsiderReport:
    """What stands out in a week: attempts on cases from which the person is excluded first; without your own."""
    return await audit_trail.report_insiders(session, actor, query)


@router.get("/audit-events/alerts")
async def list_reading_alerts(
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.INSIDER_REPORT_READ)],
) -> Page[ReadingAlertRead]:
    """People of your organisation who were shown many cases in an hour, newest first; not yourself."""
    return await audit_trail.list_alerts(session, query)


@router.get("/cases/{case_id}/access-report")
async def read_access_report(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ACCESS_REPORT_READ)],
) -> Page[AccessReportRead]:
    """Who was shown the case, in which role, when, and in which way; for the lead and the supervisors."""
    return await audit_trail.report_access(session, case_id, query)
