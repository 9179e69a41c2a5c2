"""Submitting a report, which freezes it for ever; reading what was submitted, and what a later version changed."""

import asyncio
import hashlib
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import day_of
from app.db import fetch, insert, run
from app.errors import Cause, Conflict, Invalid, NotFound, PeriodNotOver
from app.ids import new_id
from app.indicators.counting import Windows
from app.indicators.reading import Scope
from app.indicators.report import report_of
from app.models.base import Page
from app.models.codes.people import Role
from app.models.report import ReportRead
from app.models.report_version import (
    RecordsBehind,
    ReportVersion,
    VersionDiff,
    VersionRead,
    VersionSummary,
)
from app.organisation_totals import OrganisationTotals, Totals
from app.paging import ListQuery, newest_first
from app.periods import Period
from app.security import Actor, require_step_up
from app.services.report_changes import changes_between, correcting, report_in, says_the_same

# Counting takes seconds: who comes meanwhile is told so, and holds no connection until it is over.
TURN = "select pg_try_advisory_xact_lock(hashtextextended('submission of ' || %(organisation)s::text, 0)) as mine"
# One submission of an organisation at a time: their numbers have no gaps. None while a release with its cases is being
# stored (hold_reports_of_cohort): the later one of the two knows what the other tells.
LOCK = "select pg_advisory_xact_lock(hashtextextended('report of ' || %(organisation)s::text, 0))"
DECIDE = "select decide_statistics(%(before)s, %(today)s)"
SENDERS = "select distinct organisation_id as id from report_versions where period = %(period)s"


class VersionsQuery(ListQuery):
    """Of every organisation, for who reads of several, or of one."""

    organisation_id: UUID | None = None


async def submit(
    session: AsyncSession, totals: OrganisationTotals, actor: Actor, period: Period
) -> tuple[VersionRead, bool]:
    """Count the whole organisation's quarter and keep it as the next version; and whether it is new: where nothing
    would be said otherwise, the version that stands is the answer. 401 `step_up_required`, 409 while the period is not
    over or somebody of the organisation is submitting."""
    require_step_up(actor)
    if not period.is_over(actor.now):
        raise PeriodNotOver
    own = actor.own_organisation
    [turn] = await fetch(session, TURN, {"organisation": own})
    if not turn.mine:
        raise Conflict(Cause.IN_PROGRESS)
    await run(session, LOCK, {"organisation": own})
    standing = await _newest(session, own, period)
    async with session.begin_nested() as counting:
        await run(session, DECIDE, {"before": period.moments[1], "today": day_of(actor.now)})
        counted = await totals.count(Scope(own, Windows.until(period), actor.now, seen=False, submitting=True))
        report = await asyncio.to_thread(report_of, counted.found, standing.number + 1 if standing else 1)
        records = _told(report, counted)
        if standing is not None:
            before = report_in(standing)
            if says_the_same(before, report) and records == standing.records:
                await counting.rollback()  # nobody was told anything, so that nothing is decided either
                return _read(standing), False
            report = correcting(report, before)
        return await _keep(session, actor, period, report, records), True


async def _keep(
    session: AsyncSession, actor: Actor, period: Period, report: ReportRead, records: dict[str, Any]
) -> VersionRead:
    body = report.model_dump_json()
    row: dict[str, Any] = {
        "id": new_id(),
        "organisation_id": actor.own_organisation,
        "period": str(period),
        "number": report.version,
        "starts_on": period.starts_on,
        "ends_on": period.ends_on,
        "as_of": actor.now,
        "submitted_at": actor.now,
        "submitted_by": actor.id,
        "body": body,
        "sha256": hashlib.sha256(body.encode()).hexdigest(),
        "records": records,
    }
    await insert(session, "report_versions", row)
    return _read(ReportVersion(**row))


async def list_versions(
    session: AsyncSession, actor: Actor, period: Period, query: VersionsQuery
) -> Page[VersionSummary]:
    """What was submitted for a quarter, the newest first; nothing is no error."""
    _check_own(actor, query.organisation_id)
    statement = select(ReportVersion).where(col(ReportVersion.period) == str(period))
    if query.organisation_id is not None:
        statement = statement.where(col(ReportVersion.organisation_id) == query.organisation_id)
    rows, cursor = await newest_first(session, statement, ReportVersion.submitted_at, ReportVersion.id, query)
    return Page[VersionSummary](items=[_summary(row) for row in rows], next_cursor=cursor)


async def read_version(
    session: AsyncSession, actor: Actor, period: Period, number: int, organisation_id: UUID | None
) -> VersionRead:
    """One version, as it was; 404 where there is none for the caller."""
    return _read(await _version(session, actor, period, number, organisation_id))


async def newest_version(
    session: AsyncSession, actor: Actor, period: Period, organisation_id: UUID | None
) -> ReportVersion:
    """The newest version of a quarter; 404 where nothing was submitted."""
    return await _version(session, actor, period, None, organisation_id)


async def diff(
    session: AsyncSession, actor: Actor, period: Period, number: int, organisation_id: UUID | None
) -> VersionDiff:
    """What a version says otherwise than the one before it, figure by figure."""
    later = await _version(session, actor, period, number, organisation_id)
    if number == 1:
        return VersionDiff(period=str(period), version=1, against=None, changes=[])
    earlier = await _version(session, actor, period, number - 1, later.organisation_id)
    changes = changes_between(report_in(earlier), report_in(later))
    return VersionDiff(period=str(period), version=number, against=number - 1, changes=changes)


async def _version(
    session: AsyncSession, actor: Actor, period: Period, number: int | None, organisation_id: UUID | None
) -> ReportVersion:
    own = await _sender(session, actor, period, organisation_id)
    row = await _newest(session, own, period, number)
    if row is None:
        raise NotFound
    return row


async def _newest(
    session: AsyncSession, organisation_id: UUID, period: Period, number: int | None = None
) -> ReportVersion | None:
    """The newest version that there is, or the one of this number."""
    statement = select(ReportVersion).where(
        col(ReportVersion.organisation_id) == organisation_id, col(ReportVersion.period) == str(period)
    )
    if number is not None:
        statement = statement.where(col(ReportVersion.number) == number)
    found = await session.execute(statement.order_by(col(ReportVersion.number).desc()).limit(1))
    return found.scalar_one_or_none()


async def _sender(session: AsyncSession, actor: Actor, period: Period, wanted: UUID | None) -> UUID:
    """Whose report is meant: the own organisation's; for an auditor the one that is named, or the only one."""
    _check_own(actor, wanted)
    if actor.role is not Role.AUDITOR:
        return actor.own_organisation
    if wanted is not None:
        return wanted
    rows = await fetch(session, SENDERS, {"period": str(period)})
    if not rows:
        raise NotFound
    if len(rows) > 1:
        raise Invalid.at("/query/organisation_id", "required", "Several organisations have submitted this report.")
    own: UUID = rows[0].id
    return own


def _check_own(actor: Actor, wanted: UUID | None) -> None:
    if actor.role is not Role.AUDITOR and wanted not in {None, actor.own_organisation}:
        raise NotFound


def _told(report: ReportRead, counted: Totals) -> dict[str, Any]:
    """What is behind each figure; of how many records is not told where the figure is not."""
    hidden = {one.code for one in report.indicators if one.value is None}
    found = {}
    for code, behind in counted.records.items():
        told = RecordsBehind(count=None, sha256=None) if code in hidden else behind  # of nobody the hash is known, too
        found[code] = told.model_dump()
    return found


def _summary(row: ReportVersion) -> VersionSummary:
    return VersionSummary(
        organisation_id=row.organisation_id,
        period=row.period,
        version=row.number,
        submitted_at=row.submitted_at,
        as_of=row.as_of,
        sha256=row.sha256,
    )


def _read(row: ReportVersion) -> VersionRead:
    return VersionRead(
        **_summary(row).model_dump(),
        report=report_in(row),
        records={code: RecordsBehind(**behind) for code, behind in row.records.items()},
    )
