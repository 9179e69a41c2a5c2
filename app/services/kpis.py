"""How long things take and how often they are done in time: over the cases that the supervisor sees, under her own row
policies."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch
from app.indicators.kpis import PRACTICE, of_days, of_share
from app.models.codes.care import ActionNeed
from app.models.codes.incidents import DatePrecision
from app.models.incident import IncidentPrivate
from app.models.practice import Kpi, KpiReport, KpiUnit
from app.periods import Period
from app.sealing import load_keys, ring_of
from app.security import Actor
from app.services.incident_facts import PEP, care_ends, type_of

DAYS = {
    "incident_to_report": """
        select i.created_at - i.occurred_at as took from incidents i
         where i.created_at >= %(first)s and i.created_at < %(after)s and i.precision in ('exact', 'day')
           and i.occurred_at is not null and i.organisation_id = %(organisation)s
    """,
    "report_to_assessment": """
        select a.at - i.at as took
          from (select x.case_id, min(x.created_at) as at from assessments x
                 where x.organisation_id = %(organisation)s group by x.case_id) a
          join lateral (select min(x.created_at) as at from incidents x where x.case_id = a.case_id) i on i.at <= a.at
         where a.at >= %(first)s and a.at < %(after)s
    """,
    "referral_to_acceptance": """
        select r.answered_at - r.created_at as took from referrals r
         where r.direction = 'out' and r.organisation_id = %(organisation)s and r.status <> 'rejected'
           and r.answered_at >= %(first)s and r.answered_at < %(after)s
    """,
    "referral_to_completion": """
        select r.ended_at - r.created_at as took from referrals r
         where r.direction = 'out' and r.organisation_id = %(organisation)s and r.status = 'completed'
           and r.ended_at >= %(first)s and r.ended_at < %(after)s
    """,
}
SHARES = {
    "loops_closed": """
        select r.status in ('completed', 'rejected', 'failed') as met from referrals r
         where r.direction = 'out' and r.organisation_id = %(organisation)s
           and r.status not in ('cancelled', 'entered_in_error')
           and r.created_at >= %(first)s and r.created_at < %(after)s
    """,
    "follow_ups_on_time": """
        select coalesce((f.happened_at at time zone 'Asia/Phnom_Penh')::date
                        <= (f.due_at at time zone 'Asia/Phnom_Penh')::date, false) as met
          from follow_ups f
         where f.organisation_id = %(organisation)s and f.ended_at is null and not f.of_opening
           and f.due_at >= %(first)s and f.due_at < least(%(after)s, %(now)s)
    """,
}
# What may have had a window of 72 hours when it was recorded; whether it had one is sealed.
RECENT = """
    select i.id, i.case_id, i.sealed, i.occurred_at, i.precision, i.created_at from incidents i
     where i.organisation_id = %(organisation)s and i.created_at >= %(first)s and i.created_at < %(after)s
       and i.precision in ('exact', 'day') and i.occurred_at > i.created_at - interval '4 days'
"""
DONE = """
    select a.id, a.case_id, a.sealed, a.completed_at from actions a
     where a.case_id = any (%(cases)s) and a.completed_at is not null
"""
ACCEPTED = """
    select r.case_id, r.answered_at from referrals r
     where r.case_id = any (%(cases)s) and r.direction = 'out' and r.sector = 'health' and r.status <> 'rejected'
       and r.answered_at is not null
"""


async def kpis(session: AsyncSession, actor: Actor, period: Period) -> KpiReport:
    """All of them; a median or share of too few is not told."""
    first, after = period.moments
    values = {"organisation": actor.own_organisation, "first": first, "after": after, "now": actor.now}
    found: list[Kpi] = []
    for one in PRACTICE:
        if one.unit is KpiUnit.DAYS:
            rows = await fetch(session, DAYS[one.code], values, prepare=False)
            found.append(of_days(one, [row.took for row in rows]))
        elif one.code in SHARES:
            rows = await fetch(session, SHARES[one.code], values, prepare=False)
            found.append(of_share(one, [row.met for row in rows]))
        else:
            found.append(of_share(one, await _windows_met(session, values)))
    return KpiReport(period=str(period), starts_on=period.starts_on, ends_on=period.ends_on, kpis=found)


async def _windows_met(session: AsyncSession, values: dict[str, Any]) -> list[bool]:
    rows = await fetch(session, RECENT, values, prepare=False)
    cases = list({row.case_id for row in rows})
    if not cases:
        return []
    await load_keys(session, cases)
    cared = await _cared(session, cases)
    ring = ring_of(session)
    met = []
    for row in rows:
        told = IncidentPrivate.model_validate(ring.open("incidents", row.id, row.case_id, row.sealed))
        ends = care_ends(type_of(told.answers), row.occurred_at, DatePrecision(row.precision), pregnancy_possible=False)
        if ends and ends[0] > row.created_at:
            met.append(any(case_id == row.case_id and ends[0] - PEP <= at <= ends[0] for case_id, at in cared))
    return met


async def _cared(session: AsyncSession, cases: list[Any]) -> list[tuple[Any, datetime]]:
    return [
        *_health(session, await fetch(session, DONE, {"cases": cases}, prepare=False)),
        *((row.case_id, row.answered_at) for row in await fetch(session, ACCEPTED, {"cases": cases}, prepare=False)),
    ]


def _health(session: AsyncSession, rows: list[Any]) -> Iterator[tuple[Any, datetime]]:
    ring = ring_of(session)
    for row in rows:
        if ring.open("actions", row.id, row.case_id, row.sealed).get("need") == ActionNeed.HEALTH:
            yield row.case_id, row.completed_at
