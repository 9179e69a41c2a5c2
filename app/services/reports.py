"""The quarterly report as it is read: live for supervisors, over what they see; as it was submitted for auditors."""

import asyncio
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.calendar import day_of, start_of
from app.db import fetch
from app.errors import Invalid, NotFound
from app.indicators.case_records import CASES_SEEN, bounds_of, kind_of
from app.indicators.cases import CaseCount
from app.indicators.counting import Tally, Windows
from app.indicators.definition import Indicator
from app.indicators.programme import PROGRAMME
from app.indicators.reading import SUBMITTED, Scope, count_source, read
from app.indicators.records import digest_of
from app.indicators.report import report_of
from app.indicators.sources import PATHS
from app.indicators.telling import BY_COMMUNE
from app.models.codes.people import Role
from app.models.report import ReportRead
from app.models.report_query import CommuneCode, RecordPlace, RecordsRead, ReportQuery
from app.paging import ListQuery
from app.periods import Period, begun
from app.security import Actor
from app.services.report_changes import report_in
from app.services.report_versions import newest_version
from app.settings import Settings

PLACE = """
    select a.level, o.programme_communes = '[]' or o.programme_communes ? a.code as within
      from areas a left join organisations o on o.id = %(organisation)s
     where a.code = %(code)s
"""
VIA = "report"


class RecordsQuery(ListQuery):
    """As the report whose figure it is about."""

    organisation_id: UUID | None = None
    commune_code: CommuneCode | None = None


def period_of(session: AsyncSession, text: str, actor: Actor, pointer: str = "/query/period") -> Period:
    """The quarter that is named: 422 where there is none, or where it has not begun."""
    chosen: Settings = session.info["settings"]
    return begun(Period.asked(text, chosen.year_start_month, pointer), actor.now, pointer)


async def read_report(session: AsyncSession, actor: Actor, query: ReportQuery) -> ReportRead:
    """The live report of the own organisation; for an auditor the newest version, 404 where none was submitted."""
    period = period_of(session, query.period, actor)
    if actor.role is Role.AUDITOR:
        if query.commune_code is not None:
            raise NotFound  # of a commune nothing is submitted
        return report_in(await newest_version(session, actor, period, query.organisation_id))
    found = await read(session, await _live(session, actor, period, query))
    return await asyncio.to_thread(report_of, found)  # what to hide is worked out for a second or more


async def read_records(
    session: AsyncSession, actor: Actor, period_text: str, code: str, query: RecordsQuery
) -> RecordsRead:
    """What is behind one figure: the records that the supervisor sees; for an auditor count and hash of the newest
    version. 404 for an unknown indicator."""
    period = period_of(session, period_text, actor, "/path/period")
    if actor.role is Role.AUDITOR:
        version = await newest_version(session, actor, period, query.organisation_id)
        if code not in version.records or query.commune_code is not None:
            raise NotFound
        return RecordsRead(period=str(period), indicator=code, items=[], **version.records[code])
    scope = await _live(session, actor, period, query)
    ids, path = await _behind(session, scope, code)
    after = _place(query.cursor)
    left = sorted(one for one in ids if after is None or one > after)
    shown = left[: query.limit]
    if path == "/cases":
        for one in shown:
            touched(session, one, VIA)
    return RecordsRead(
        period=str(period),
        indicator=code,
        **digest_of(ids).model_dump(),
        items=[RecordPlace(id=one, path=f"{path}/{one}") for one in shown],
        next_cursor=str(shown[-1]) if len(left) > len(shown) else None,
    )


async def _live(session: AsyncSession, actor: Actor, period: Period, query: ReportQuery | RecordsQuery) -> Scope:
    own = actor.own_organisation
    if query.organisation_id not in {None, own}:
        raise NotFound
    if query.commune_code is not None:
        await _check_commune(session, own, query.commune_code)
    return Scope(own, Windows.until(period), actor.now, seen=True, commune=query.commune_code)


async def _check_commune(session: AsyncSession, organisation_id: UUID, code: str) -> None:
    rows = await fetch(session, PLACE, {"organisation": organisation_id, "code": code})
    if not rows or rows[0].level != "commune":
        raise Invalid.at("/query/commune_code", "unknown_area", "There is no such commune.")
    if not rows[0].within:
        raise Invalid.at(
            "/query/commune_code", "outside_programme", "The programme of the organisation does not work there."
        )


async def _behind(session: AsyncSession, scope: Scope, code: str) -> tuple[set[UUID], str]:
    if code in set(CaseCount):
        asked = {**bounds_of(scope), "kind": kind_of(CaseCount(code)), "commune": scope.commune}
        if scope.commune is not None:
            if code not in BY_COMMUNE or scope.windows.period.quarter < 4:
                raise NotFound
            asked["first"] = start_of(scope.windows.period.year_to_date()[0])
        return {row.id for row in await fetch(session, CASES_SEEN, asked)}, "/cases"
    for one in PROGRAMME:
        if one.code == code:
            return await _of_programme(session, scope, one)
    raise NotFound


async def _of_programme(session: AsyncSession, scope: Scope, one: Indicator) -> tuple[set[UUID], str]:
    bounds = {"organisation": scope.organisation_id, "first": day_of(scope.now), "last": day_of(scope.now)}
    submitted = await fetch(session, SUBMITTED, bounds)
    [named] = await count_source(session, scope, one.source, [one], submitted)
    if one.instead is not None and not named.rows:
        [other] = await count_source(session, scope, one.instead.source, [one.instead], submitted)
        if other.rows:
            return _ids(other), PATHS[one.instead.source]
    return _ids(named), PATHS[one.source]


def _ids(tally: Tally) -> set[UUID]:
    return {UUID(one) for one in tally.records}


def _place(cursor: str | None) -> UUID | None:
    try:
        return None if cursor is None else UUID(cursor)
    except ValueError:
        raise Invalid.at("/query/cursor", "cursor_invalid", "The cursor was not made by this list.") from None
