"""The statements of one page of cases, driven from `case_access`: never more is looked at than a page needs."""

from collections.abc import Sequence
from typing import Any

from app.models.case import CaseFilter
from app.models.codes.cases import CaseStatus, Category
from app.paging import Cursor
from app.services.visible import AROUND, CURRENT, EVERY_WAY, SUMMARY

MOST_EXAMINED = 5_000  # rows, where a filter has no index: the page may then be short and still go on


def _newest(filters: CaseFilter) -> str:
    """SQL of `newest`: per principal the first `examined` access rows in index order, merged.

    Status and category have an index of their own, which is walked once per combination that fits. The first
    principal is the caller's own: what is assigned to the caller is there, and only there.
    """
    order, sign = _order(filters)
    beyond = f"and (a.opened_at, a.case_id) {sign} (%(cursor_at)s, cast(%(cursor_id)s as uuid))"
    principals = "(select app_principals())" + ("[1:1]" if filters.assigned else "")
    indexed = filters.status is not None or filters.category is not None
    combinations = """
         cross join unnest(cast(%(statuses)s as text[])) as s (status)
         cross join unnest(cast(%(categories)s as text[])) as k (category)"""
    return f"""
    with newest as materialized (
        select near.case_id, near.opened_at, array_agg(near.mode || ' ' || near.via) as ways
          from unnest({principals}) as who (principal)
          {combinations if indexed else ""}
         cross join lateral (
            select a.case_id, a.opened_at, a.mode, a.via from case_access a
             where a.principal = who.principal and {CURRENT}
               {"and a.status = s.status and a.category = k.category" if indexed else ""}
               {"and a.via <> 'break_glass'" if filters.assigned else ""}
               {beyond if filters.cursor else ""}
               {"and a.opened_at >= %(opened_after)s" if filters.opened_after else ""}
               {"and a.opened_at < %(opened_before)s" if filters.opened_before else ""}
             order by a.opened_at {order}, a.case_id {order}
             limit %(examined)s
         ) near
         group by near.case_id, near.opened_at
         order by near.opened_at {order}, near.case_id {order}
         limit %(examined)s
    )"""


def _order(filters: CaseFilter) -> tuple[str, str]:
    return ("asc", ">") if filters.sort == "opened_at" else ("desc", "<")


def page_statement(filters: CaseFilter) -> str:
    """SQL of one page: at most `wanted` of the `newest` that pass the filters without an index, and have a key.

    `walked`: how many those were, on every row.
    """
    order, _ = _order(filters)
    return f"""
    {_newest(filters)}
    select {SUMMARY.replace("w.ways", "c.ways")}, (select count(*) from newest) as walked
      from (select c.*, {EVERY_WAY if filters.assigned else "w.ways"} from newest w join cases c on c.id = w.case_id
             where true
               {"and c.sensitivity = %(sensitivity)s" if filters.sensitivity else ""}
               {"and c.commune_code like %(commune_code)s" if filters.commune_code else ""}
               {"and c.priority = %(priority)s" if filters.priority else ""}
               {"and c.lead_id = %(lead_id)s" if filters.lead_id else ""}
               {"and c.updated_at > %(updated_after)s" if filters.updated_after else ""}
             order by w.opened_at {order}, w.case_id {order}
             limit %(wanted)s) c
      {AROUND}
     order by c.opened_at {order}, c.id {order}
    """


def last_examined_statement(filters: CaseFilter) -> str:
    """SQL of the place of the last row that a page looked at, when it looked at all that it may."""
    order, _ = _order(filters)
    return f"""
    {_newest(filters)}
    select opened_at, case_id from newest order by opened_at {order}, case_id {order} offset %(examined)s - 1 limit 1
    """


def may_go_on(filters: CaseFilter, rows: Sequence[Any]) -> bool:
    """May there be more behind a page that is not full? Where a filter has no index, or a case has lost its key."""
    return is_narrowed(filters) or not rows or rows[0].walked > filters.limit


def is_narrowed(filters: CaseFilter) -> bool:
    """Does the list have a filter that no index of `case_access` serves?"""
    return any((filters.sensitivity, filters.commune_code, filters.priority, filters.lead_id, filters.updated_after))


def page_parameters(filters: CaseFilter, cursor: Cursor | None) -> dict[str, Any]:
    """Values of the statements of a page: `wanted` rows, of at most `examined` that are looked at."""
    return {
        "statuses": [filters.status.value] if filters.status else [status.value for status in CaseStatus],
        "categories": [filters.category.value] if filters.category else [category.value for category in Category],
        "cursor_at": cursor.at if cursor else None,
        "cursor_id": cursor.id if cursor else None,
        "opened_after": filters.opened_after,
        "opened_before": filters.opened_before,
        "sensitivity": filters.sensitivity and filters.sensitivity.value,
        "commune_code": f"{filters.commune_code}%",
        "priority": filters.priority and filters.priority.value,
        "lead_id": filters.lead_id,
        "updated_after": filters.updated_after,
        "wanted": filters.limit + 1,
        "examined": MOST_EXAMINED if is_narrowed(filters) else filters.limit + 1,
    }
