"""Households of an organisation's register; `members` are the people of them whom the caller sees."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.audit import touched
from app.calendar import day_of
from app.models.base import Page
from app.models.person import (
    Household,
    HouseholdCreate,
    HouseholdMember,
    HouseholdPrivate,
    HouseholdRead,
    HouseholdUpdate,
    Person,
)
from app.paging import ListQuery, newest_first
from app.preconditions import check_match
from app.sealing import home_of, load_keys, make_key, opened, seal
from app.security import Actor
from app.services.names import age_on, display_name
from app.services.places import check_village
from app.services.visible import household_row

_PRIVATE = set(HouseholdPrivate.model_fields)
MOST_MEMBERS = 100


async def add_household(session: AsyncSession, actor: Actor, new: HouseholdCreate) -> HouseholdRead:
    """A new household of the organisation's register."""
    await check_village(session, new.village_code, "/village_code")
    row = Household(
        organisation_id=actor.own_organisation,
        id_poor_level=new.id_poor_level,
        size=new.size,
        created_by=actor.id,
        created_at=actor.now,
        updated_at=actor.now,
    )
    await make_key(session, row.id, row.organisation_id)
    seal(session, row, new.model_dump(mode="json", include=_PRIVATE))
    session.add(row)
    await session.flush()
    return _read(session, row, [])


async def list_households(session: AsyncSession, actor: Actor, query: ListQuery) -> Page[HouseholdRead]:
    """The households of the caller's organisation, newest first."""
    statement = select(Household).where(col(Household.organisation_id) == actor.organisation_id)
    rows, cursor = await newest_first(session, statement, Household.created_at, Household.id, query)
    await load_keys(session, [row.id for row in rows])
    members = await _members(session, actor, [row.id for row in rows])
    return Page[HouseholdRead](items=[_read(session, row, members.get(row.id, [])) for row in rows], next_cursor=cursor)


async def read_household(session: AsyncSession, actor: Actor, household_id: UUID) -> HouseholdRead:
    """One household; 404 when it is not of the caller's register."""
    row = await household_row(session, household_id)
    return _read(session, row, (await _members(session, actor, [row.id])).get(row.id, []))


async def edit_household(
    session: AsyncSession, actor: Actor, household_id: UUID, change: HouseholdUpdate, if_match: str | None
) -> HouseholdRead:
    """Merge the fields sent; 428/412 by If-Match."""
    row = await household_row(session, household_id, lock=True)
    check_match(if_match, row.version)
    await check_village(session, change.village_code, "/village_code")
    sent = change.sent()
    seal(session, row, {**opened(session, row), **{name: value for name, value in sent.items() if name in _PRIVATE}})
    for name in sent.keys() - _PRIVATE:
        setattr(row, name, sent[name])
    row.touch(actor.now)
    await session.flush()
    return _read(session, row, (await _members(session, actor, [row.id])).get(row.id, []))


async def _members(session: AsyncSession, actor: Actor, ids: Sequence[UUID]) -> dict[UUID, list[HouseholdMember]]:
    """Visible people of these households, in one query: the row policies leave the others out."""
    statement = (
        select(Person)
        .where(col(Person.household_id).in_(ids))
        .order_by(col(Person.created_at), col(Person.id))
        .limit(MOST_MEMBERS * max(1, len(ids)))
    )
    found: dict[UUID, list[HouseholdMember]] = {}
    people = list((await session.execute(statement)).scalars())
    await load_keys(session, map(home_of, people))
    for person in people:
        private = opened(session, person)
        if person.case_id is not None:
            touched(session, person.case_id, "household")
        member = HouseholdMember(
            id=person.id,
            display_name=display_name(private, actor.language),
            sex=person.sex,
            age=age_on(private, day_of(actor.now)),
        )
        if person.household_id is not None:
            found.setdefault(person.household_id, []).append(member)
    return found


def _read(session: AsyncSession, row: Household, members: list[HouseholdMember]) -> HouseholdRead:
    private: dict[str, Any] = HouseholdPrivate.model_validate(opened(session, row)).model_dump()
    values = row.model_dump(include={"id", "id_poor_level", "size", "version", "created_at", "updated_at"})
    return HouseholdRead(members=members, **private, **values)
