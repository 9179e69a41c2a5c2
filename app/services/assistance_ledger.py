"""The ledger of a month: what was paid, without saying to whom, and its totals."""

from datetime import UTC, date, datetime, time
from typing import Annotated
from uuid import UUID

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar import day_of
from app.db import fetch
from app.models.assistance import LedgerLine, LedgerRead
from app.models.codes.assistance import Currency
from app.paging import Cursor, ListQuery, cut
from app.security import Actor

# One statement, so that the totals are those of the lines.
MONTH = """
    with month as materialized (select * from assistance_ledger(%(first)s, %(after)s))
    select t.khr, t.usd, p.*
      from (select coalesce(sum(amount_minor) filter (where currency = 'KHR'), 0)::bigint as khr,
                   coalesce(sum(amount_minor) filter (where currency = 'USD'), 0)::bigint as usd from month) t
      left join lateral (
        select * from month m
         where (m.paid_on, m.reference) > (%(cursor_on)s, cast(%(cursor_reference)s as uuid))
         order by m.paid_on, m.reference
         limit %(wanted)s) p on true
     order by p.paid_on, p.reference
"""
START = UUID(int=0)


class LedgerQuery(ListQuery):
    """`month`: `YYYY-MM`, by the day of the payment; without it the present one."""

    month: Annotated[str, Field(pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$")] | None = None


async def read_ledger(session: AsyncSession, actor: Actor, query: LedgerQuery) -> LedgerRead:
    """The lines of a month in the order of their days, and its totals by currency, over the cases that the supervisor
    sees or has as a stub."""
    month = query.month or f"{day_of(actor.now):%Y-%m}"
    first = date.fromisoformat(f"{month}-01")
    place = Cursor.decode(query.cursor)
    values = {
        "first": first,
        "after": _next_month(first),
        "cursor_on": place.at.date() if place else first,
        "cursor_reference": place.id if place else START,
        "wanted": query.limit + 1,
    }
    rows = await fetch(session, MONTH, values)
    lines = [row for row in rows if row.reference is not None]  # the totals of an empty month come alone
    shown, cursor = cut(lines, query.limit, lambda row: Cursor(_start_of(row.paid_on), row.reference))
    return LedgerRead(
        month=month,
        totals={Currency.KHR: rows[0].khr, Currency.USD: rows[0].usd},
        items=[LedgerLine.model_validate(row) for row in shown],
        next_cursor=cursor,
    )


def _next_month(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)
