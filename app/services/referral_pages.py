"""One page of the referrals that the caller sees, newest first: an inbox, or what was sent.

No walk passes over what is hidden: the other organisation's referrals have an index, so have those of standard cases,
and what somebody sees of sensitive cases hangs on the cases that are theirs.
"""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.db import fetch
from app.models.base import Moment, Page
from app.models.codes.people import Role
from app.models.codes.referrals import ReferralStatus
from app.models.referral import Referral
from app.models.referral_in import ExternalId
from app.models.referral_reads import PartnerSummary, ReferralSummary
from app.paging import Cursor, ListQuery
from app.security import Actor
from app.services.case_rows import OWN_CASES
from app.services.referral_views import summaries

MOST_EXAMINED = 5_000  # rows, where a filter has no index: the page may then be short and still go on

_OTHERS = "from referrals r where r.partner_id = (select app_organisation_id())"
_STANDARD = "from referrals r where r.organisation_id = (select app_organisation_id()) and r.standard"
_OWN = f"""
    from {OWN_CASES} own join referrals r on r.case_id = own.case_id
   where not (r.standard and r.organisation_id = (select app_organisation_id()))
"""
# Towards the caller's organisation: what it is asked by another, or what a partner sent it.
INCOMING = "(r.direction = case when r.partner_id = (select app_organisation_id()) then 'out' else 'in' end)"
# The same where it is the other organisation; the planner has no idea how many rows the words above leave, and reads
# and sorts a whole inbox for a page of it.
INCOMING_TO = {_OTHERS: "(r.direction = 'out')"}
WALKS: dict[Role, tuple[str, ...]] = {
    Role.PARTNER: (_OTHERS, _STANDARD),
    Role.CASEWORKER: (_STANDARD, _OWN),
    Role.SUPERVISOR: (_OTHERS, _STANDARD, _OWN),
}


class ReferralQuery(ListQuery):
    """`direction` is the caller's organisation's; `external_id`: the one that the caller's own organisation gave."""

    direction: Literal["incoming", "outgoing"] | None = None
    status: ReferralStatus | None = None
    updated_after: Moment | None = None
    external_id: ExternalId | None = None


async def list_referrals(
    session: AsyncSession, actor: Actor, query: ReferralQuery
) -> Page[ReferralSummary | PartnerSummary]:
    """One page; with `updated_after` it may be short and still go on."""
    rows = await fetch(session, _statement(actor.role, query), _values(query))
    found = [row for row in rows if row.id is not None]
    listed, cursor = found[: query.limit], None
    if len(found) > query.limit:
        cursor = Cursor(listed[-1].created_at, listed[-1].id).encode()
    elif rows[0].last_id is not None:
        cursor = Cursor(rows[0].last_at, rows[0].last_id).encode()
    return Page(items=await summaries(session, actor, await _rows(session, listed)), next_cursor=cursor)


async def _rows(session: AsyncSession, listed: Sequence[Any]) -> list[Referral]:
    if not listed:
        return []
    ids = [row.id for row in listed]
    found = {row.id: row for row in (await session.scalars(select(Referral).where(col(Referral.id).in_(ids)))).all()}
    return [found[own_id] for own_id in ids if own_id in found]


def _statement(role: Role, query: ReferralQuery) -> str:
    """`last_*` is where the looking ended, when it ended because enough was looked at."""
    order = "order by r.created_at desc, r.id desc limit %(examined)s"
    walks = " union ".join(
        f"(select r.id, r.created_at, r.updated_at {walk} {_kept(walk, query)} {order})" for walk in WALKS[role]
    )
    # Nothing of it comes from outside but a code of a closed list.
    return f"""
        with near as materialized (select r.* from ({walks}) r {order}),
             page as (select * from near n {"where n.updated_at > %(updated_after)s" if query.updated_after else ""}
                       order by n.created_at desc, n.id desc limit %(wanted)s)
        select p.id, p.created_at, l.created_at as last_at, l.id as last_id
          from (select 1) one
          left join (select n.created_at, n.id from near n
                      order by n.created_at desc, n.id desc offset %(examined)s - 1) l on true
          left join page p on true
         order by p.created_at desc, p.id desc
    """  # noqa: S608


def _kept(walk: str, query: ReferralQuery) -> str:
    incoming = INCOMING_TO.get(walk, INCOMING)
    filters = [
        *(["(r.created_at, r.id) < (%(before_at)s, cast(%(before_id)s as uuid))"] if query.cursor else []),
        *([f"r.status = '{query.status.value}'"] if query.status else []),
        *([incoming] if query.direction == "incoming" else []),
        *([f"not {incoming}"] if query.direction == "outgoing" else []),
        *(["r.external_id = %(external_id)s and r.direction = 'in'"] if query.external_id is not None else []),
    ]
    return "".join(f" and {one}" for one in filters)


def _values(query: ReferralQuery) -> dict[str, Any]:
    place = Cursor.decode(query.cursor)
    return {
        "before_at": place and place.at,
        "before_id": place and place.id,
        "updated_after": query.updated_after,
        "external_id": query.external_id,
        "wanted": query.limit + 1,
        "examined": MOST_EXAMINED if query.updated_after else query.limit + 1,
    }
