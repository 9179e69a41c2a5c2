"""Links between records of the same human: seen by who sees both, made and undone by a human.

A link is no event of either case: whoever sees only one of the two must not learn that there is another. The trail
tells of it. What stands excluded on one case of a client stands on all of them from the moment of the link, and goes
on to when it is undone (decision 0013).
"""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import touched
from app.db import fetch, insert_if_free
from app.errors import Cause, Conflict, Forbidden, Invalid, NotFound
from app.ids import new_id
from app.models.base import Page
from app.models.person import Person, PersonLink
from app.models.search import LinkCreate, LinkRead, PersonSummary
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.policy import may, require
from app.security import Actor
from app.services.search import shown_people, summary_of
from app.services.visible import access_to, person_row

BETWEEN = """
    select id from person_links where (person_id, other_id) in ((%(one)s, %(other)s), (%(other)s, %(one)s))
"""


async def link(session: AsyncSession, actor: Actor, person_id: UUID, wanted: LinkCreate) -> LinkRead:
    """Say that two records are of the same human.

    404 when one of them is not there for the caller, 422 for a record and itself, 403 without the right to change at
    least one of the two, 409 when they are linked already.
    """
    one = await person_row(session, person_id)
    await _read_end(session, one)
    other = await person_row(session, wanted.person_id)
    if one.id == other.id:
        raise Invalid.at("/person_id", "same_person", "A record is not linked to itself.")
    await _check_right(session, one, other)
    if await fetch(session, BETWEEN, {"one": one.id, "other": other.id}):
        raise Conflict(Cause.EXISTS)
    # Always in the same order, so that of two requests at once, be they turned round, one is refused.
    first, second = sorted((one.id, other.id))
    link_id = new_id()
    row = {"id": link_id, "person_id": first, "other_id": second, "created_at": actor.now, "created_by": actor.id}
    if not await insert_if_free(session, "person_links", row):
        raise Conflict(Cause.EXISTS)
    return await read_link(session, actor, person_id, link_id)


async def list_links(session: AsyncSession, actor: Actor, person_id: UUID, query: ListQuery) -> Page[LinkRead]:
    """The links of a person of which the caller sees the other end too, newest first."""
    await _read_end(session, await person_row(session, person_id))
    rows, cursor = await newest_first(session, _of(person_id), PersonLink.created_at, PersonLink.id, query)
    return Page[LinkRead](items=await _reads(session, actor, person_id, rows), next_cursor=cursor)


async def read_link(session: AsyncSession, actor: Actor, person_id: UUID, link_id: UUID) -> LinkRead:
    """One link of a person; 404 when one of its ends is not there for the caller."""
    await _read_end(session, await person_row(session, person_id))
    reads = await _reads(session, actor, person_id, [await _link_row(session, person_id, link_id)])
    if not reads:
        raise NotFound
    return reads[0]


async def unlink(session: AsyncSession, person_id: UUID, link_id: UUID) -> None:
    """Undo a link; 404 when it is not there for the caller, 403 as for making one."""
    one = await person_row(session, person_id)
    await _read_end(session, one)
    row = await _link_row(session, person_id, link_id)
    await _check_right(session, one, await person_row(session, _other_end(row, person_id)))
    statement = delete(PersonLink).where(col(PersonLink.id) == row.id).returning(col(PersonLink.id))
    if (await session.execute(statement)).scalar_one_or_none() is None:
        raise NotFound  # undone or out of sight meanwhile


def _of(person_id: UUID) -> Any:
    return select(PersonLink).where(or_(col(PersonLink.person_id) == person_id, col(PersonLink.other_id) == person_id))


async def _link_row(session: AsyncSession, person_id: UUID, link_id: UUID) -> PersonLink:
    row: PersonLink | None = (
        await session.execute(_of(person_id).where(col(PersonLink.id) == link_id))
    ).scalar_one_or_none()
    if row is None:
        raise NotFound
    return row


def _other_end(row: PersonLink, person_id: UUID) -> UUID:
    return row.other_id if row.person_id == person_id else row.person_id


async def _reads(session: AsyncSession, actor: Actor, person_id: UUID, rows: Any) -> list[LinkRead]:
    others = [_other_end(row, person_id) for row in rows]
    shown = {row.id: PersonSummary(**summary_of(actor, row, own)) for row, own in await shown_people(session, others)}
    return [
        LinkRead(id=row.id, person=shown[other], created_at=row.created_at, created_by=row.created_by)
        for row, other in zip(rows, others, strict=True)
        if other in shown
    ]


async def _read_end(session: AsyncSession, person: Person) -> None:
    """403 where the relation to the case does not allow its people to be read."""
    if person.case_id is not None:
        require(await access_to(session, person.case_id), Permission.CASE_PEOPLE_READ)


async def _check_right(session: AsyncSession, *ends: Person) -> None:
    """Both ends may be read, and at least one may be changed."""
    changeable = False
    for end in ends:
        if end.case_id is None:
            changeable = True  # of the own organisation, or it would not be seen
            continue
        access = await access_to(session, end.case_id)
        require(access, Permission.CASE_PEOPLE_READ)
        touched(session, end.case_id, access.via)
        changeable = changeable or may(access, Permission.CASE_PEOPLE_EDIT)
    if not changeable:
        raise Forbidden
