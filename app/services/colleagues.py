"""Names of colleagues, looked up together, and the directory from which people are assigned or excluded."""

from collections.abc import Collection, Iterable
from typing import Literal
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import Invalid
from app.models.area import CommuneCode
from app.models.base import Page
from app.models.case import Colleague
from app.models.codes.people import Role
from app.models.user import StaffRead, User
from app.paging import ListQuery
from app.services.areas import is_area
from app.services.screening import keep_screened

ALONE = {"key_share": True}  # for no key update: rows that point to the user are still written
StaffRole = Literal[Role.CASEWORKER, Role.SUPERVISOR, Role.CCWC_LIAISON, Role.PARTNER]

# The cursor is the last id, and its name is looked up: names of people do not belong into addresses.
STAFF = """
    select u.id, u.display_name, u.role, u.organisation_id, u.communes
      from users u join organisations o on o.id = u.organisation_id
     where u.active and o.active and not u.system
       and u.role in ('caseworker', 'supervisor', 'ccwc_liaison', 'partner') {filters}
     order by u.display_name, u.id limit :wanted
"""
FILTERS = {
    "role": "and u.role = :role",
    "organisation_id": "and u.organisation_id = :organisation_id",
    "commune": "and u.communes @> array[cast(:commune as varchar)]",
    "after": "and (u.display_name, u.id) > (:after_name, :after)",
}


class StaffQuery(ListQuery):
    """Every filter narrows; `commune` finds those who are responsible there."""

    role: StaffRole | None = None
    organisation_id: UUID | None = None
    commune: CommuneCode | None = None


async def list_staff(session: AsyncSession, query: StaffQuery) -> Page[StaffRead]:
    """Active people of active organisations, by name; 422 at `/query/commune` when there is no such area."""
    if query.commune is not None and not await is_area(session, query.commune):
        raise Invalid.at("/query/commune", "unknown_area", "There is no such area.")
    asked = query.model_dump(include={"role", "organisation_id", "commune"}, exclude_none=True)
    if query.cursor is not None:
        asked |= await _place(session, query.cursor)
    filters = " ".join(clause for name, clause in FILTERS.items() if name in asked)
    parameters = {"wanted": query.limit + 1, **asked}
    rows = (await session.execute(text(STAFF.format(filters=filters)), parameters)).all()
    shown = [StaffRead.model_validate(row) for row in rows[: query.limit]]
    return Page[StaffRead](items=shown, next_cursor=str(shown[-1].id) if len(rows) > query.limit else None)


async def _place(session: AsyncSession, cursor: str) -> dict[str, object]:
    try:
        last = await session.get(User, UUID(cursor))
    except ValueError:
        last = None
    if last is None:
        raise Invalid.at("/query/cursor", "cursor_invalid", "The cursor was not made by this list.")
    return {"after": last.id, "after_name": last.display_name}


async def other_supervisors(session: AsyncSession, organisation_id: UUID, without: Collection[UUID]) -> bool:
    """Has the organisation an active supervisor beside these?"""
    statement = select(col(User.id)).where(
        col(User.organisation_id) == organisation_id,
        col(User.role) == Role.SUPERVISOR,
        col(User.active),
        col(User.id).not_in(list(without)),
    )
    return await session.scalar(statement.limit(1)) is not None


async def user_as_they_stay(session: AsyncSession, user_id: UUID, *, alone: bool = False) -> User | None:
    """The user, screened, whose role, organisation and communes nobody changes until this transaction ends.

    Taken before any case is locked: a change of the user locks in this order too. `alone`: nobody else chooses them
    meanwhile either, so that what they carry can be counted.
    """
    user = await session.get(User, user_id, with_for_update=ALONE if alone else {"read": True})
    if user is not None:
        await keep_screened(session, user)
    return user


async def users_alone(session: AsyncSession, user_ids: Iterable[UUID]) -> dict[UUID, User | None]:
    """Several of them, `alone`. All are held, in one order, before any is screened: who screens keeps everybody else
    from screening, and must not wait for a user meanwhile."""
    users = {user_id: await session.get(User, user_id, with_for_update=ALONE) for user_id in sorted(set(user_ids))}
    for user in users.values():
        if user is not None:
            await keep_screened(session, user)
    return users


async def names_of(session: AsyncSession, user_ids: Iterable[UUID | None]) -> dict[UUID, Colleague]:
    """Colleagues by id, in one query."""
    wanted = {user_id for user_id in user_ids if user_id is not None}
    if not wanted:
        return {}
    statement = select(col(User.id), col(User.display_name)).where(col(User.id).in_(wanted))
    rows = (await session.execute(statement)).all()
    return {row.id: Colleague(id=row.id, display_name=row.display_name) for row in rows}
