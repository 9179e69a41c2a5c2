"""`/reports`: the quarterly report, live and submitted, its targets, and how the work runs."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BeforeValidator

from app.calendar import day_of
from app.http import API, Route, Session, answers_for, created
from app.models.base import Page
from app.models.practice import CaseloadReport, KpiReport
from app.models.report import ReportRead
from app.models.report_query import (
    OfOrganisation,
    PracticeQuery,
    RecordsRead,
    ReportQuery,
)
from app.models.report_version import TargetsPut, TargetsRead, VersionDiff, VersionRead, VersionSummary
from app.periods import Period
from app.permissions import Permission
from app.security import Actor, allowed, runtime_of
from app.services import report_targets, report_versions, reports
from app.services.caseload_report import caseload_report
from app.services.kpis import kpis
from app.services.report_forms import in_form
from app.services.report_versions import VersionsQuery
from app.services.reports import RecordsQuery
from app.settings import Settings

router = APIRouter(prefix=f"{API}/reports", tags=["reports"], route_class=Route)
Reader = Annotated[Actor, allowed(Permission.REPORT_READ)]
PeriodInPath = Annotated[str, Path(max_length=20)]


def _plain(number: str) -> str:
    """One address for one version: pydantic would also read `1.0`, `+1` and `01`; what is none is not a number."""
    return number if number.isascii() and number.isdigit() and not number.startswith("0") else ""


Number = Annotated[int, BeforeValidator(_plain), Path(ge=1, le=1_000_000)]


@router.get("/quarterly", response_model=ReportRead)
async def read_report(query: Annotated[ReportQuery, Query()], session: Session, actor: Reader) -> ReportRead | Response:
    """The quarter in figures: for supervisors live, over what they see; for auditors as it was submitted."""
    report = await reports.read_report(session, actor, query)
    return in_form(report, query.format, query.language or actor.language)


@router.post(
    "/quarterly/{period}/submit",
    status_code=201,
    responses={200: {"model": VersionRead, "description": "Nothing differs: the version that stands."}},
)
async def submit_report(
    period: PeriodInPath,
    request: Request,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REPORT_SUBMIT)],
) -> VersionRead:
    """Freeze the whole organisation's quarter as the next version; what comes later is a late entry. Where nothing has
    changed since the newest version, that one is the answer; 409 `in_progress` while a colleague is submitting."""
    chosen = reports.period_of(session, period, actor, "/path/period")
    found, is_new = await report_versions.submit(session, runtime_of(request).totals, actor, chosen)
    path = f"/reports/quarterly/{chosen}/versions/{found.version}"
    if is_new:
        created(response, path)
    else:
        response.status_code = 200
        answers_for(response, path)
    return found


@router.get("/quarterly/{period}/records/{indicator}")
async def read_records_behind(
    period: PeriodInPath,
    indicator: Annotated[str, Path(max_length=60)],
    query: Annotated[RecordsQuery, Query()],
    session: Session,
    actor: Reader,
) -> RecordsRead:
    """The records behind a figure, as far as you see them; for auditors how many, and the hash of their ids."""
    return await reports.read_records(session, actor, period, indicator, query)


@router.get("/quarterly/{period}/versions")
async def list_report_versions(
    period: PeriodInPath, query: Annotated[VersionsQuery, Query()], session: Session, actor: Reader
) -> Page[VersionSummary]:
    """What was submitted for a quarter, newest first."""
    return await report_versions.list_versions(session, actor, _period(session, period), query)


@router.get("/quarterly/{period}/versions/{number}")
async def read_report_version(
    period: PeriodInPath, number: Number, query: Annotated[OfOrganisation, Query()], session: Session, actor: Reader
) -> VersionRead:
    """One version, as it was submitted."""
    return await report_versions.read_version(session, actor, _period(session, period), number, query.organisation_id)


@router.get("/quarterly/{period}/versions/{number}/diff")
async def read_report_changes(
    period: PeriodInPath, number: Number, query: Annotated[OfOrganisation, Query()], session: Session, actor: Reader
) -> VersionDiff:
    """What a version says otherwise than the one before it."""
    return await report_versions.diff(session, actor, _period(session, period), number, query.organisation_id)


@router.put("/targets/{period}")
async def put_report_targets(
    period: PeriodInPath,
    wanted: TargetsPut,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.REPORT_TARGET)],
) -> TargetsRead:
    """Set the targets of a quarter, all of them anew."""
    return await report_targets.put_targets(session, actor, _period(session, period), wanted)


@router.get("/caseload")
async def read_caseload_report(
    query: Annotated[PracticeQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.PRACTICE_READ)],
) -> CaseloadReport:
    """Who carries what: open cases by risk, what is overdue, what was opened and closed in a quarter."""
    return await caseload_report(session, _of_practice(session, actor, query))


@router.get("/kpis")
async def read_kpis(
    query: Annotated[PracticeQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.PRACTICE_READ)],
) -> KpiReport:
    """How long things take and how often they are done in time, with the definition of each."""
    return await kpis(session, actor, _of_practice(session, actor, query))


def _of_practice(session: Session, actor: Actor, query: PracticeQuery) -> Period:
    if query.period is None:
        chosen: Settings = session.info["settings"]
        return Period.of(day_of(actor.now), chosen.year_start_month)
    return reports.period_of(session, query.period, actor)


def _period(session: Session, text: str) -> Period:
    chosen: Settings = session.info["settings"]
    return Period.asked(text, chosen.year_start_month, "/path/period")
