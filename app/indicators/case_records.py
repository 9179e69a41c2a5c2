"""The cases behind the figures of cases: as a count and a hash over the whole organisation, as a list for who sees
them."""

from typing import Any

from app.calendar import day_of
from app.indicators.cases import COUNTED, FLOWS, CaseCount
from app.indicators.reading import Scope

# Codes of the figures by the kind of a step; the open ones are those that came oftener than they went.
_CODES = ", ".join(f"('{kind.value}', '{count.value}')" for count, kind in FLOWS.items())
_HASH = "encode(sha256(convert_to(string_agg(b.case_id::text, E'\\n' order by b.case_id), 'UTF8')), 'hex')"

RECORDS_OF_CASES = f"""
    with flow as materialized (
      select f.case_id, f.kind, f.enters, f.moved, f.at {COUNTED}),
    steps as (
      select distinct c.code, f.case_id from flow f join (values {_CODES}) c (kind, code) on c.kind = f.kind
       where f.at >= %(first)s and f.moved is null),
    standing as (
      select f.case_id,
             coalesce(sum(case when f.enters then 1 else -1 end) filter (where f.at < %(first)s), 0) > 0 as before,
             sum(case when f.enters then 1 else -1 end) > 0 as afterwards
        from flow f group by f.case_id),
    behind as (
      select s.code, s.case_id from steps s
      union all select '{CaseCount.OPENING}', s.case_id from standing s where s.before
      union all select '{CaseCount.CLOSING}', s.case_id from standing s where s.afterwards)
    select b.code, count(*)::int as cases, {_HASH} as sha256 from behind b group by b.code
"""  # noqa: S608 (codes of our own)
CASES_SEEN = """
    select case_id as id
      from case_flow_behind(%(kind)s, %(first)s, %(after)s, %(today)s, %(commune)s) order by case_id
"""


def bounds_of(scope: Scope) -> dict[str, Any]:
    """The quarter's moments, for the statements above."""
    first, after = scope.windows.period.moments
    return {"organisation": scope.organisation_id, "first": first, "after": after, "today": day_of(scope.now)}


def kind_of(count: CaseCount) -> str:
    """What `case_flow_behind` is asked for: a step, or what was open at a moment."""
    return (
        FLOWS[count].value if count in FLOWS else {CaseCount.OPENING: "before", CaseCount.CLOSING: "afterwards"}[count]
    )
