"""Opening a case in an emergency, who is told of it, and the review by another supervisor.

The table is closed to the API's database role; the definer functions of 055_break_glass.sql hold the rules.
"""

from typing import Any, Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch, run
from app.errors import AccessExists, Cause, Conflict, Forbidden, NotFound, ReviewPending
from app.ids import new_id
from app.models.base import Page
from app.models.break_glass import BreakGlass, BreakGlassRead, BreakGlassReview
from app.models.case import Colleague
from app.paging import Cursor, ListQuery, cut
from app.sealing import load_keys, ring_of
from app.security import Actor, require_step_up
from app.services.addressed import grant_row
from app.services.events import record
from app.services.visible import access_to

# One statement for any code: that the caller is blocked is said before anything is said about the case.
LOOK = "select glass_is_blocked() as blocked, case_of_code(%(code)s) as case_id"
BREAK = "select break_glass(%(id)s, %(case_id)s, %(reason)s) as outcome"
NOTE = "select note_glass(%(id)s, %(sealed)s)"
LIST = """
    select * from glass_broken(reviewed => %(reviewed)s, before_at => %(before_at)s, before_id => %(before_id)s,
                               at_most => %(at_most)s)
"""
REVIEW = "select review_glass(%(grant_id)s, %(finding)s, %(sealed)s) as outcome"
# Of a case that the reviewer knows as a stub only: the own one. Who is lent by another organisation sees the case.
HOME = """
    select coalesce((select c.organisation_id from cases c where c.id = %(case_id)s), app_organisation_id())
           as organisation_id
"""
GRANTS, REVIEWS = "break_glass_grants", "break_glass_grants.review"  # what the two blobs of a row are bound to


class BreakGlassQuery(ListQuery):
    """Which grants: those that wait for their review, those that had it, or all."""

    status: Literal["unreviewed", "reviewed", "all"] = "all"


async def break_glass(session: AsyncSession, actor: Actor, wanted: BreakGlass) -> BreakGlassRead:
    """Open a case of the caller's organisation for four hours, and tell its caseworkers in the timeline.

    404 for a code that is not there for the caller; 409 `review_pending` while earlier grants wait for their review,
    and `access_exists` when the caller sees the case already, by an earlier grant too: what that grant is for was
    said then, and a second reason would be told to nobody.
    """
    require_step_up(actor)
    looked = (await fetch(session, LOOK, {"code": wanted.case_code}))[0]
    if looked.blocked:
        raise ReviewPending
    if looked.case_id is None:
        raise NotFound
    grant_id = new_id()
    parameters = {"id": grant_id, "case_id": looked.case_id, "reason": wanted.reason_code.value}
    _check_opened((await fetch(session, BREAK, parameters))[0].outcome)
    await access_to(session, looked.case_id)  # the key of the case, which can be had since it is open
    sealed = ring_of(session).seal(GRANTS, grant_id, looked.case_id, {"reason": wanted.reason})
    await run(session, NOTE, {"id": grant_id, "sealed": sealed})
    await record(
        session,
        actor,
        "break_glass.opened",
        case_id=looked.case_id,
        organisation_id=actor.own_organisation,
        subject_id=grant_id,
        data={"reason_code": wanted.reason_code.value},
        reason=wanted.reason,
    )
    return await read_grant(session, grant_id)


def _check_opened(outcome: str | None) -> None:
    if outcome is None:
        raise NotFound
    if outcome == "review_pending":
        raise ReviewPending
    if outcome == "access_exists":
        raise AccessExists


async def list_grants(session: AsyncSession, query: BreakGlassQuery) -> Page[BreakGlassRead]:
    """The grants that the caller may know of, newest first."""
    place = Cursor.decode(query.cursor)
    parameters = {
        "reviewed": None if query.status == "all" else query.status == "reviewed",
        "before_at": place.at if place else None,
        "before_id": place.id if place else None,
        "at_most": query.limit + 1,
    }
    rows = await fetch(session, LIST, parameters)
    shown, cursor = cut(rows, query.limit, lambda row: Cursor(row.created_at, row.id))
    await load_keys(session, (row.case_id for row in shown if row.sealed or row.review_sealed))
    return Page[BreakGlassRead](items=[_read(session, row) for row in shown], next_cursor=cursor)


async def read_grant(session: AsyncSession, grant_id: UUID) -> BreakGlassRead:
    """One grant; 404 when the caller may not know of it."""
    row = await grant_row(session, grant_id)
    await load_keys(session, [row.case_id])
    return _read(session, row)


async def review(session: AsyncSession, actor: Actor, grant_id: UUID, said: BreakGlassReview) -> BreakGlassRead:
    """Say what somebody else's grant was; one found not justified ends at once.

    403 for the own grant, 409 when it is reviewed already.
    """
    case_id = (await grant_row(session, grant_id)).case_id
    require_step_up(actor)
    await load_keys(session, [case_id])
    sealed = ring_of(session).seal(REVIEWS, grant_id, case_id, {"note": said.note}) if said.note else None
    parameters = {"grant_id": grant_id, "finding": said.finding.value, "sealed": sealed}
    outcome = (await fetch(session, REVIEW, parameters))[0].outcome
    if outcome is None:
        raise NotFound
    if outcome == "own":
        raise Forbidden
    if outcome == "reviewed_before":
        raise Conflict(Cause.ANSWERED)
    row = await grant_row(session, grant_id)
    await record(
        session,
        actor,
        "break_glass.reviewed",
        case_id=row.case_id,
        organisation_id=(await fetch(session, HOME, {"case_id": row.case_id}))[0].organisation_id,
        subject_id=grant_id,
        data={"finding": said.finding.value},
    )
    return _read(session, row)


def _read(session: AsyncSession, row: Any) -> BreakGlassRead:
    ring = ring_of(session)
    words = ring.open(GRANTS, row.id, row.case_id, row.sealed)
    words |= ring.open(REVIEWS, row.id, row.case_id, row.review_sealed)
    return BreakGlassRead(
        id=row.id,
        case_id=row.case_id,
        case_code=row.case_code,
        lead=_colleague(row.lead_id, row.lead_name),
        user=Colleague(id=row.user_id, display_name=row.user_name),
        reason_code=row.reason_code,
        reason=words.get("reason"),
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        review_due_at=row.review_due_at,
        overdue=row.overdue,
        reviewed_at=row.reviewed_at,
        reviewed_by=_colleague(row.reviewer_id, row.reviewer_name),
        finding=row.finding,
        note=words.get("note"),
    )


def _colleague(user_id: UUID | None, name: str | None) -> Colleague | None:
    return None if user_id is None or name is None else Colleague(id=user_id, display_name=name)
