"""Everything that a report says, read in one walk over each table, under whatever row policies the session works."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar import day_of
from app.db import fetch
from app.indicators.cases import FLOW, FLOW_SEEN, Flow, flow_of
from app.indicators.counting import Tally, Windows, count
from app.indicators.definition import Indicator, Source
from app.indicators.heads import heads_of
from app.indicators.programme import PROGRAMME
from app.indicators.sources import LINKED, SOURCES
from app.models.report import Words
from app.periods import Period

SUBMITTED = """
    select v.period, v.number, v.starts_on, v.ends_on, v.submitted_at,
           case when v.starts_on >= %(first)s then v.body end as body
      from report_versions v
     where v.organisation_id = %(organisation)s
     order by v.starts_on, v.number
"""
ABOUT = "select name, name_km from organisations where id = %(organisation)s"
PLACES = "select code, name_km, coalesce(name_en, name_km) as name_en from areas where code = any (%(codes)s)"
RELEASED = "select period, attribute, value from told_by_releases(%(organisation)s)"
RELEASED_BY_OWN = "select period, attribute, value from told_by_own_releases()"
TARGETS = "select targets from report_targets where organisation_id = %(organisation)s and period = %(period)s"


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked for. `seen`: over what the caller sees, else over the whole organisation (the reports role).
    `submitting`: what is received after `now` will be late, so that it is not in this report either."""

    organisation_id: UUID
    windows: Windows
    now: datetime
    seen: bool
    commune: str | None = None
    submitting: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """`submitted`: the versions of every period, the first one first, with the body of those that say something of
    what this report tells; `released`: which counts of cases opened anonymised exports tell; `tallies` by indicator,
    those of attendances in the place of people apart; `told_of`: the quarters of which this report and others tell
    cases; `unseen`: of the flow of a whole organisation the part that its supervisors do not see."""

    scope: Scope
    organisation: Words
    places: Mapping[str, Words]
    targets: Mapping[str, int]
    submitted: list[Any]
    released: list[Any]
    tallies: Mapping[str, Tally]
    instead: Mapping[str, Tally]
    told_of: list[Period]
    flow: Flow
    unseen: Flow | None


async def read(session: AsyncSession, scope: Scope) -> Found:
    """Read it all."""
    bounds = {"organisation": scope.organisation_id, **_days(scope)}
    submitted = await fetch(session, SUBMITTED, bounds)
    tallies: dict[str, Tally] = {}
    instead: dict[str, Tally] = {}
    for source in Source:
        own = [one for one in PROGRAMME if one.source is source]
        others = [one.instead for one in PROGRAMME if one.instead is not None and one.instead.source is source]
        found = await count_source(session, scope, source, [*own, *others], submitted)
        tallies |= {tally.indicator.code: tally for tally in found[: len(own)]}
        instead |= {tally.indicator.code: tally for tally in found[len(own) :]}
    told_of = _told_of(scope, submitted)
    flow, unseen = await _flow(session, scope, told_of)
    [organisation] = await fetch(session, ABOUT, bounds)
    targets = await fetch(session, TARGETS, {**bounds, "period": str(scope.windows.period)})
    return Found(
        scope=scope,
        organisation=Words(en=organisation.name, km=organisation.name_km),
        places=await _places(session, scope, tallies, flow),
        targets=targets[0].targets if targets else {},
        submitted=submitted,
        released=await fetch(session, RELEASED_BY_OWN if scope.seen else RELEASED, bounds),
        tallies=tallies,
        instead=instead,
        told_of=told_of,
        flow=flow,
        unseen=unseen,
    )


async def count_source(
    session: AsyncSession, scope: Scope, source: Source, indicators: list[Indicator], submitted: list[Any]
) -> list[Tally]:
    """The figures of the indicators of one source, in their order."""
    # From the first version of a period on, what comes is late: no later one has it, so that nothing counts twice.
    cuts = {one.period: (one.starts_on, one.ends_on, one.submitted_at) for one in submitted if one.number == 1}
    if scope.submitting:
        period = scope.windows.period
        cuts.setdefault(str(period), (period.starts_on, period.ends_on, scope.now))
    starts, ends, moments = zip(*cuts.values(), strict=True) if cuts else ((), (), ())
    values = {
        "organisation": scope.organisation_id,
        **_days(scope),
        "starts": list(starts),
        "ends": list(ends),
        "submitted": list(moments),
    }
    rows = await fetch(session, SOURCES[source], values, prepare=False)
    same: dict[str, str] = {}
    if source is Source.PARTICIPANTS:
        links = await fetch(session, LINKED, {"people": list({row.head for row in rows})}, prepare=False)
        same = heads_of((link.person_id, link.other_id) for link in links)
    within = rows if scope.commune is None else (row for row in rows if row.commune == scope.commune)
    # Of many rows it is a second: nobody else is kept waiting.
    return await asyncio.to_thread(count, within, indicators, scope.windows, same)


def _told_of(scope: Scope, submitted: list[Any]) -> list[Period]:
    """From the first quarter of the trend to the last that was reported; live, where each quarter of the year may be
    asked for, the same for all of them, so that all hide the same."""
    period, quarters = scope.windows.period, scope.windows.quarters
    if not scope.seen:
        reported = [Period.parse(one.period, period.first_month) for one in submitted]
        return quarters[0].until(max([period, *reported]))
    now = Period.of(day_of(scope.now), period.first_month)
    first, *_, last = replace(period, quarter=1).until(replace(period, quarter=4))
    return Windows.until(first).quarters[0].until(max(period, min(now, last)))


async def _flow(session: AsyncSession, scope: Scope, quarters: list[Period]) -> tuple[Flow, Flow | None]:
    values = {
        "organisation": scope.organisation_id,
        "bounds": [quarter.moments[0] for quarter in quarters],
        "after": quarters[-1].moments[1],
        "today": day_of(scope.now),
    }
    if scope.seen:
        return flow_of(await fetch(session, FLOW_SEEN, values, prepare=False), quarters), None
    groups = await fetch(session, FLOW, values, prepare=False)
    flow = flow_of(groups, quarters)
    return flow, Flow(flow_of((one for one in groups if one.unseen), quarters).counts, flow.codes)


async def _places(session: AsyncSession, scope: Scope, tallies: Mapping[str, Tally], flow: Flow) -> dict[str, Words]:
    codes = {code for tally in tallies.values() for code in tally.slices.get("commune", ())}
    codes |= {scope.commune} if scope.commune else set()
    rows = await fetch(session, PLACES, {"codes": sorted(codes | flow.codes["commune"])})
    return {row.code: Words(en=row.name_en, km=row.name_km) for row in rows}


def _days(scope: Scope) -> dict[str, date]:
    return {"first": scope.windows.first_day, "last": scope.windows.period.ends_on}
