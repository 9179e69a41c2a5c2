"""Activities of the programme: held by caseworkers and supervisors, read by the liaisons too but for who came."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import exists, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import InUse, Invalid
from app.models.activity import (
    Activity,
    ActivityCreate,
    ActivityRead,
    ActivitySummary,
    ActivityUpdate,
    Attendance,
    AttendanceCell,
    Campaign,
    Participant,
)
from app.models.base import Page
from app.models.business import Business
from app.models.case import Colleague
from app.models.codes.programme import ActivityKind, Topic
from app.models.commitment import Commitment
from app.preconditions import check_match
from app.security import Actor
from app.services.attendance import (
    attendance_of,
    cells_of,
    check_attendance,
    named_people,
    participants_of,
    write_attendance,
    write_participants,
)
from app.services.records import (
    RecordQuery,
    as_written,
    begun,
    check_counted_day,
    check_day,
    check_where,
    in_order,
    keeps,
    record_page,
    record_row,
    recorders,
    row_to_change,
)

_PLAIN = {"kind", "starts_on", "ends_on", "commune_code", "village_code"}
_LISTS = {"topics", "facilitators"}


class ActivityQuery(RecordQuery):
    """`kind` may be given several times; `from` and `until` are days on which an activity began."""

    kind: Annotated[list[ActivityKind] | None, Field(max_length=len(ActivityKind))] = None
    topic: Topic | None = None


async def list_activities(session: AsyncSession, actor: Actor, query: ActivityQuery) -> Page[ActivitySummary]:
    """The organisation's, newest first; a list never says who came."""
    statement = select(Activity).where(col(Activity.organisation_id) == actor.organisation_id)
    if query.topic is not None:
        columns: Any = Activity
        statement = statement.where(columns.topics.contains([query.topic.value]))
    rows, cursor = await record_page(session, actor, Activity, query, ["kind"], statement)
    people = await recorders(session, rows)
    cells = await cells_of(session, [row.id for row in rows])
    items = [ActivitySummary(**_face(row, people[row.created_by], cells[row.id])) for row in rows]
    return Page[ActivitySummary](items=items, next_cursor=cursor)


async def read_activity(session: AsyncSession, actor: Actor, activity_id: UUID) -> ActivityRead:
    """One; with the people who are named for its recorder and for supervisors."""
    return await _read(session, actor, await record_row(session, Activity, activity_id))


async def add_activity(session: AsyncSession, actor: Actor, wanted: ActivityCreate) -> ActivityRead:
    """Write one down. 404 for a person who is not there, 422 where the parts do not fit."""
    fields = {name: getattr(wanted, name) for name in _PLAIN} | {"ends_on": wanted.ends_on or wanted.starts_on}
    row = Activity(**begun(actor, wanted.recorded_at), **fields, **_codes(wanted.model_dump(include=_LISTS)))
    _count(row, wanted.attendance)
    _reach(row, wanted.campaign)
    by, participants = wanted.attendance.by if wanted.attendance else [], wanted.participants or []
    await _check(session, actor, row, wanted.attendance)
    people = await named_people(session, row, participants, by)
    session.add(row)
    await session.flush()
    await write_attendance(session, row, by)
    await write_participants(session, row, participants, people)
    await session.flush()
    return await _read(session, actor, row)


async def edit_activity(
    session: AsyncSession, actor: Actor, activity_id: UUID, change: ActivityUpdate, if_match: str | None
) -> ActivityRead:
    """Merge the fields sent; who came and who is named are replaced as a whole. 404, 403, then 428/412."""
    row = await row_to_change(session, actor, Activity, activity_id)
    check_match(if_match, row.version)
    if not change.model_fields_set:
        return await _read(session, actor, row)
    wanted = _merged(row, change)
    sent = change.sent()
    here = sent.keys() & {"commune_code", "village_code"}
    await _check(session, actor, wanted, change.attendance, place=bool(here))
    by = (await cells_of(session, [row.id]))[row.id]
    if "attendance" in sent:
        by = change.attendance.by if change.attendance else []
    named = (change.participants or []) if "participants" in sent else await participants_of(session, row.id)
    people = await named_people(session, wanted, named, by)
    row.sqlmodel_update(wanted)
    row.touch(actor.now)
    if "attendance" in sent:
        await write_attendance(session, row, by)
    if sent.keys() & {"participants", "starts_on"}:  # who is named is kept as she was that day
        await write_participants(session, row, named, people)
    await session.flush()
    return await _read(session, actor, row)


async def delete_activity(session: AsyncSession, actor: Actor, activity_id: UUID, if_match: str | None) -> None:
    """Take one away, with who came. 409 `in_use` while a commitment or a business refers to it."""
    row = await row_to_change(session, actor, Activity, activity_id)
    check_match(if_match, row.version)
    referring = [exists().where(col(kind.activity_id) == activity_id) for kind in (Commitment, Business)]
    if await session.scalar(select(literal(1)).where(or_(*referring))):
        raise InUse
    await session.delete(row)
    await session.flush()


def _merged(row: Activity, change: ActivityUpdate) -> Activity:
    """The row as it would be: what is refused must not be on its way to the database with the next question."""
    sent = change.sent()
    plain = {name: sent[name] for name in sent.keys() & _PLAIN}
    if "starts_on" in sent and "ends_on" not in sent and row.ends_on == row.starts_on:
        plain["ends_on"] = sent["starts_on"]  # a single day that was on another day
    wanted = Activity(**row.model_dump() | plain | _codes({name: sent[name] for name in sent.keys() & _LISTS}))
    if "attendance" in sent:
        _count(wanted, change.attendance)
    if "campaign" in sent:
        _reach(wanted, change.campaign)
    return wanted


async def _check(
    session: AsyncSession, actor: Actor, row: Activity, attendance: Attendance | None, *, place: bool = True
) -> None:
    check_counted_day(actor, row.starts_on, "starts_on")
    check_day(actor, row.ends_on, "ends_on", after=row.starts_on)
    if (row.kind is ActivityKind.MEDIA_CAMPAIGN) != (row.channel is not None):
        raise Invalid.at("/campaign", "campaign_mismatch", "A media campaign has a reach, and nothing else has.")
    if attendance is not None:
        check_attendance(attendance)
    if row.kind is ActivityKind.MEDIA_CAMPAIGN and row.people:
        raise Invalid.at("/attendance", "not_of_a_campaign", "Reach is not participation: nobody came to a campaign.")
    if place:
        await check_where(session, actor, row.commune_code, row.village_code)


def _codes(lists: dict[str, Any]) -> dict[str, Any]:
    return {name: in_order(codes) for name, codes in lists.items()}


def _count(row: Activity, attendance: Attendance | None) -> None:
    row.people = attendance.total if attendance else 0
    row.groups = {one.group.value: one.people for one in attendance.groups} if attendance else {}


def _reach(row: Activity, campaign: Campaign | None) -> None:
    row.channel = campaign.channel if campaign else None
    row.reach = campaign.reach if campaign else None
    row.reach_basis = campaign.counted_how if campaign else None


async def _read(session: AsyncSession, actor: Actor, row: Activity) -> ActivityRead:
    by: Sequence[AttendanceCell] = (await cells_of(session, [row.id]))[row.id]
    named: list[Participant] | None = await participants_of(session, row.id) if keeps(actor, row) else None
    return ActivityRead(participants=named, **_face(row, (await recorders(session, [row]))[row.created_by], list(by)))


def _face(row: Activity, by: Colleague, cells: list[AttendanceCell]) -> dict[str, Any]:
    reached = {"channel": row.channel, "reach": row.reach, "counted_how": row.reach_basis}
    campaign = Campaign.model_validate(reached) if row.channel is not None else None
    plain = row.model_dump(include=_PLAIN | _LISTS)
    return {**as_written(row, by), **plain, "attendance": attendance_of(row, cells), "campaign": campaign}
