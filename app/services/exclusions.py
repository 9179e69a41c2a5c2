"""Who must never see a case: add (lead or supervisor), read, and lift by two people.

The table is closed to the API's database role; its definer functions hold the rules a second time.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch
from app.errors import Cause, Conflict, Forbidden, Invalid, NotFound
from app.ids import new_id
from app.models.assignment import ExclusionCreate, ExclusionLift, ExclusionRead
from app.models.base import Page
from app.models.codes.walls import ExclusionReason
from app.models.user import User
from app.paging import Cursor, ListQuery, cut
from app.permissions import Permission
from app.sealing import ring_of
from app.security import Actor, require_step_up
from app.services.colleagues import names_of
from app.services.events import record
from app.services.standing import standing_for

EXCLUDE = "select exclude_user(%(case_id)s, %(user_id)s, %(reason)s, %(own_id)s, %(sealed)s) as id"
EXCLUSIONS = text("select * from exclusions_of(:case_id)")
LIFT = "select lift_exclusion(%(case_id)s, %(exclusion_id)s, %(why)s) as outcome"
LIFTS = "case_exclusions.lift"  # what the reason of a lifting is bound to, beside the note of the same row


async def exclude(session: AsyncSession, actor: Actor, case_id: UUID, wanted: ExclusionCreate) -> ExclusionRead:
    """Hide the case, and every case of its client, from a user, at once. 409 while the user leads it."""
    standing = await standing_for(session, case_id, Permission.EXCLUSION_EDIT)
    require_step_up(actor)
    user = await session.get(User, wanted.user_id)
    if user is None:
        raise Invalid.at("/user_id", "unknown_user", "There is no such user.")
    if user.id == actor.id:
        raise Invalid.at("/user_id", "works_on_case", "Somebody else excludes you.")
    exclusion_id = await put_exclusion(session, case_id, user.id, wanted.reason_code, wanted.note)
    if exclusion_id is None:
        raise Conflict(Cause.IS_LEAD)
    await record(
        session,
        actor,
        "exclusion.added",
        case_id=case_id,
        organisation_id=standing.organisation_id,
        subject_id=exclusion_id,
        for_oversight=True,
    )
    return next(item for item in await _all(session, case_id) if item.id == exclusion_id)


async def put_exclusion(
    session: AsyncSession, case_id: UUID, user_id: UUID, reason: ExclusionReason, note: str | None
) -> UUID | None:
    """Write one exclusion; None when the user leads the case."""
    own_id = new_id()
    sealed = ring_of(session).seal("case_exclusions", own_id, case_id, {"note": note}) if note else None
    parameters = {"case_id": case_id, "user_id": user_id, "reason": reason.value, "own_id": own_id, "sealed": sealed}
    await session.flush()
    found: UUID | None = (await fetch(session, EXCLUDE, parameters))[0].id
    return found


async def list_exclusions(session: AsyncSession, case_id: UUID, query: ListQuery) -> Page[ExclusionRead]:
    """The exclusions of a case, newest first; a case has few, so all of them are read for any page."""
    await standing_for(session, case_id, Permission.EXCLUSION_READ)
    items = await _all(session, case_id)
    if place := Cursor.decode(query.cursor):
        items = [item for item in items if (item.created_at, item.id) < (place.at, place.id)]
    shown, cursor = cut(items, query.limit, lambda item: Cursor(item.created_at, item.id))
    return Page[ExclusionRead](items=list(shown), next_cursor=cursor)


async def read_exclusion(session: AsyncSession, case_id: UUID, exclusion_id: UUID) -> ExclusionRead:
    """One exclusion; 404 when it is not of this case."""
    await standing_for(session, case_id, Permission.EXCLUSION_READ)
    for item in await _all(session, case_id):
        if item.id == exclusion_id:
            return item
    raise NotFound


async def lift(
    session: AsyncSession, actor: Actor, case_id: UUID, exclusion_id: UUID, wanted: ExclusionLift
) -> ExclusionRead:
    """Ask for the lifting, or complete what another person asked. 409 for the same person, 403 without a supervisor."""
    standing = await standing_for(session, case_id, Permission.EXCLUSION_READ)
    standing.require_more_than_broken_glass()
    why = ring_of(session).seal(LIFTS, exclusion_id, case_id, {"reason": wanted.reason})
    parameters = {"case_id": case_id, "exclusion_id": exclusion_id, "why": why}
    outcome = (await fetch(session, LIFT, parameters))[0].outcome
    if outcome is None:
        raise NotFound
    require_step_up(actor)  # undoes the lifting too; asked only about an exclusion that is there
    if outcome == "same_person":
        raise Conflict(Cause.SAME_PERSON)
    if outcome == "supervisor_needed":
        raise Forbidden
    event = "exclusion.lifted" if outcome == "lifted" else "exclusion.lift_requested"
    await record(
        session,
        actor,
        event,
        case_id=case_id,
        organisation_id=standing.organisation_id,
        subject_id=exclusion_id,
        for_oversight=True,
        reason=wanted.reason,
    )
    return next(item for item in await _all(session, case_id) if item.id == exclusion_id)


async def _all(session: AsyncSession, case_id: UUID) -> list[ExclusionRead]:
    rows: list[Any] = list((await session.execute(EXCLUSIONS, {"case_id": case_id})).all())
    users = await names_of(session, (row.user_id for row in rows))
    return [
        ExclusionRead(
            id=row.id,
            case_id=row.case_id,
            user=users[row.user_id],
            user_id=row.user_id,
            reason_code=row.reason_code,
            note=ring_of(session).open("case_exclusions", row.id, row.case_id, row.sealed).get("note"),
            created_at=row.created_at,
            created_by=row.created_by,
            lift_requested_at=row.lift_requested_at,
            lift_requested_by=row.lift_requested_by,
            lifted_at=row.lifted_at,
        )
        for row in rows
    ]
