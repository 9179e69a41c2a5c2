"""Who came to an activity: how many of which kind, and, where they are named, which people of the register."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import Invalid
from app.ids import new_id
from app.models.activity import (
    Activity,
    ActivityAttendance,
    ActivityParticipant,
    Attendance,
    AttendanceCell,
    GroupCount,
    Participant,
)
from app.models.codes.people import Sex
from app.services.records import repeated
from app.services.register_people import Standing, people_at

NAMED_AT = "/participants/{}/person_id"


def check_attendance(attendance: Attendance) -> None:
    """422 where the parts do not make the whole."""
    place = repeated((cell.sex, cell.age_band, cell.disability) for cell in attendance.by)
    if place is not None:
        raise Invalid.at(f"/attendance/by/{place}", "repeated", "This part is there already.")
    if sum(cell.people for cell in attendance.by) != attendance.total:
        raise Invalid.at("/attendance/by", "attendance_not_total", "The parts do not sum to the total.")
    place = repeated(one.group for one in attendance.groups)
    if place is not None:
        raise Invalid.at(f"/attendance/groups/{place}", "repeated", "This group is there already.")
    for place, one in enumerate(attendance.groups):
        if one.people > attendance.total:
            pointer = f"/attendance/groups/{place}/people"
            raise Invalid.at(pointer, "group_above_total", "No group is larger than all who came.")


async def named_people(
    session: AsyncSession, row: Activity, participants: Sequence[Participant], by: Iterable[AttendanceCell]
) -> dict[UUID, Standing]:
    """Who is named, as they stood that day. 404 for who is hidden, 422 when more are named than came."""
    ids = [one.person_id for one in participants]
    place = repeated(ids)
    if place is not None:
        raise Invalid.at(NAMED_AT.format(place), "repeated", "This person is there already.")
    people = await people_at(session, ids, row.starts_on, NAMED_AT)
    came: Counter[Sex] = Counter()
    for cell in by:
        came[cell.sex] += cell.people
    named = Counter(person.sex for person in people.values())
    # Somebody of whom the recorder did not know the sex may be any of those who are named.
    unmatched = sum(max(0, named[sex] - came[sex]) for sex in named if sex is not Sex.UNKNOWN)
    if len(ids) > came.total() or unmatched > came[Sex.UNKNOWN]:
        raise Invalid.at("/participants", "more_named_than_came", "More are named than came.")
    return people


async def write_attendance(session: AsyncSession, row: Activity, by: Iterable[AttendanceCell]) -> None:
    """The parts of who came, instead of those that were there."""
    await session.execute(delete(ActivityAttendance).where(col(ActivityAttendance.activity_id) == row.id))
    for cell in by:
        part = cell.model_dump()
        session.add(ActivityAttendance(id=new_id(), activity_id=row.id, organisation_id=row.organisation_id, **part))


async def write_participants(
    session: AsyncSession, row: Activity, participants: Iterable[Participant], people: dict[UUID, Standing]
) -> None:
    """Who is named, instead of those who were."""
    await session.execute(delete(ActivityParticipant).where(col(ActivityParticipant.activity_id) == row.id))
    for one in participants:
        person = people[one.person_id]
        session.add(
            ActivityParticipant(
                activity_id=row.id,
                organisation_id=row.organisation_id,
                person_id=one.person_id,
                participant_group=one.group,
                sex=person.sex,
                age_band=person.age_band,
                disability=person.disability,
            )
        )


async def cells_of(session: AsyncSession, ids: Collection[UUID]) -> dict[UUID, list[AttendanceCell]]:
    """The parts of who came to these activities, in one query, in a fixed order."""
    found: dict[UUID, list[AttendanceCell]] = {own_id: [] for own_id in ids}
    columns: Any = ActivityAttendance
    statement = select(ActivityAttendance).where(columns.activity_id.in_(found))
    ordered = statement.order_by(columns.sex, columns.age_band, columns.disability.asc().nulls_last())
    for row in (await session.execute(ordered)).scalars():
        cell = row.model_dump(include={"sex", "age_band", "disability", "people"})
        found[row.activity_id].append(AttendanceCell(**cell))
    return found


async def participants_of(session: AsyncSession, activity_id: UUID) -> list[Participant]:
    """Who is named at an activity, for who may know."""
    statement = select(ActivityParticipant).where(col(ActivityParticipant.activity_id) == activity_id)
    rows = (await session.execute(statement.order_by(col(ActivityParticipant.person_id)))).scalars()
    return [Participant(person_id=row.person_id, group=row.participant_group) for row in rows]


def attendance_of(row: Activity, by: list[AttendanceCell]) -> Attendance | None:
    """Who came as it is read; None where nobody was counted."""
    if not by:
        return None
    groups = [GroupCount(group=group, people=people) for group, people in sorted(row.groups.items())]
    return Attendance(total=row.people, by=by, groups=groups)
