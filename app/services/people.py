"""People: of an organisation's register or of a case, each seen exactly as their home is."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import day_of, refuse_future_day
from app.errors import CaseClosed, Invalid, UnsafeContact
from app.models.base import Page
from app.models.case import CaseRow
from app.models.codes.cases import CaseStatus
from app.models.codes.people import PersonRole
from app.models.person import NAMES, CasePersonCreate, Person, PersonCreate, PersonPrivate, PersonRead, PersonUpdate
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.preconditions import check_match
from app.sealing import home_of, load_keys, make_key, opened, seal
from app.security import Actor
from app.services.caregivers import apply_doubt, check_doubt, end_doubted
from app.services.cases import TEAM_NAME_FIELDS, open_for_change
from app.services.events import record
from app.services.names import age_on, display_name
from app.services.perpetrators import refuse_phones
from app.services.places import check_village
from app.services.search_index import add_tokens
from app.services.visible import access_for, household_row, lock_case, person_row, save_case

_PRIVATE = set(PersonPrivate.model_fields)


async def add_to_register(session: AsyncSession, actor: Actor, person: PersonCreate) -> PersonRead:
    """A new person of the organisation's register. 404 for a household that is not there."""
    await check_person(session, actor, person, "")
    row = _row(actor, person, actor.own_organisation)
    await make_key(session, row.id, row.organisation_id)
    seal(session, row, private_of(person))
    session.add(row)
    await session.flush()
    await _index(session, row, new=True)
    return read_of(session, row, actor)


async def add_to_case(session: AsyncSession, actor: Actor, case_id: UUID, person: CasePersonCreate) -> PersonRead:
    """A further person of a case: a child, a caregiver. 409 when the case is closed."""
    case = await open_for_change(session, case_id, Permission.CASE_PEOPLE_EDIT)
    await check_person(session, actor, person, "")
    row = _row(actor, person, case.organisation_id)
    row.case_id, row.role = case_id, person.role
    if person.caregiver_doubt is not None and any(phone.safe_to_call for phone in person.phones):
        raise UnsafeContact
    await refuse_phones(session, case_id, person.phones)
    seal(session, row, private_of(person))
    session.add(row)
    await record(
        session,
        actor,
        "person.added",
        case_id=case_id,
        organisation_id=case.organisation_id,
        subject_id=row.id,
        data={"role": person.role},
    )
    if person.caregiver_doubt is not None:
        await end_doubted(session, actor, case, row)
    await _index(session, row, new=True)
    return read_of(session, row, actor)


async def check_person(session: AsyncSession, actor: Actor, person: PersonCreate | PersonUpdate, pointer: str) -> None:
    """Birth not in the future, village known, household seen (404); errors point below `pointer`."""
    refuse_future_day(person.birth_date, actor.now, f"{pointer}/birth_date")
    await check_village(session, person.village_code, f"{pointer}/village_code")
    if person.household_id is not None:
        await household_row(session, person.household_id)


async def list_register(session: AsyncSession, actor: Actor, query: ListQuery) -> Page[PersonRead]:
    """The register of the caller's organisation, newest first."""
    statement = select(Person).where(
        col(Person.case_id).is_(None),
        col(Person.organisation_id) == actor.organisation_id,
    )
    return await _page(session, actor, statement, query)


async def list_of_case(session: AsyncSession, actor: Actor, case_id: UUID, query: ListQuery) -> Page[PersonRead]:
    """The client and further people of a case."""
    await access_for(session, case_id, Permission.CASE_PEOPLE_READ)
    return await _page(session, actor, select(Person).where(col(Person.case_id) == case_id), query)


async def read_person(session: AsyncSession, actor: Actor, person_id: UUID) -> PersonRead:
    """One person whose home the caller sees; 404 otherwise, 403 when the relation to the case does not allow it."""
    row = await person_row(session, person_id)
    if row.case_id is not None:
        await access_for(session, row.case_id, Permission.CASE_PEOPLE_READ)
    return read_of(session, row, actor)


async def edit_person(
    session: AsyncSession, actor: Actor, person_id: UUID, change: PersonUpdate, if_match: str | None
) -> PersonRead:
    """Merge the fields sent. 428/412 by If-Match, 409 when the person's case is closed, and `unsafe_contact` for a
    suspected or unsafe caregiver, or a perpetrator's telephone, that would be safe to call."""
    seen = await person_row(session, person_id)
    case = await _lock_home(session, seen)
    row = await person_row(session, person_id, lock=True)
    check_match(if_match, row.version)
    if case is not None and case.status is CaseStatus.CLOSED:
        raise CaseClosed
    await check_person(session, actor, change, "")
    check_doubt(row, change)
    _merge(session, row, change)
    row.touch(actor.now)
    if case is not None:
        if "phones" in change.model_fields_set:
            await refuse_phones(session, case.id, change.phones)
        await apply_doubt(session, actor, case, row, change)
        await _tell_case(session, actor, case, row, change)
    await session.flush()
    await _index(session, row, new=False)
    return read_of(session, row, actor)


async def _index(session: AsyncSession, row: Person, *, new: bool) -> None:
    await add_tokens(session, row.id, row.case_id, row.organisation_id, opened(session, row), new=new)


async def _lock_home(session: AsyncSession, person: Person) -> CaseRow | None:
    if person.case_id is None:
        return None
    await access_for(session, person.case_id, Permission.CASE_PEOPLE_EDIT)
    return await lock_case(session, person.case_id)


def _merge(session: AsyncSession, row: Person, change: PersonUpdate) -> None:
    written = change.model_dump(mode="json", exclude_unset=True)
    private = {**opened(session, row), **{name: value for name, value in written.items() if name in _PRIVATE}}
    if not any(private.get(name) for name in NAMES):
        raise Invalid.at("", "name_required", "An alias or any one name is needed.")
    seal(session, row, private)
    for name in ("sex", "household_id"):
        if name in change.model_fields_set:
            setattr(row, name, getattr(change, name))


async def _tell_case(session: AsyncSession, actor: Actor, case: CaseRow, row: Person, change: PersonUpdate) -> None:
    if row.role is PersonRole.CLIENT and TEAM_NAME_FIELDS & change.model_fields_set:
        case.team_version += 1
        await save_case(session, case)
    await record(
        session,
        actor,
        "person.changed",
        case_id=case.id,
        organisation_id=case.organisation_id,
        subject_id=row.id,
        data={"fields": sorted(change.model_fields_set)},
    )


def _row(actor: Actor, person: PersonCreate, organisation_id: UUID) -> Person:
    return Person(
        organisation_id=organisation_id,
        sex=person.sex,
        household_id=person.household_id,
        created_by=actor.id,
        created_at=actor.now,
        updated_at=actor.now,
    )


async def _page(session: AsyncSession, actor: Actor, statement: Any, query: ListQuery) -> Page[PersonRead]:
    rows, cursor = await newest_first(session, statement, Person.created_at, Person.id, query)
    await load_keys(session, map(home_of, rows))
    return Page[PersonRead](items=[read_of(session, row, actor) for row in rows], next_cursor=cursor)


def read_of(session: AsyncSession, row: Person, actor: Actor) -> PersonRead:
    """The person as who sees their home reads them."""
    private = opened(session, row)
    return PersonRead(
        id=row.id,
        case_id=row.case_id,
        role=row.role,
        sex=row.sex,
        household_id=row.household_id,
        display_name=display_name(private, actor.language),
        age=age_on(private, day_of(actor.now)),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        **PersonPrivate.model_validate(private).model_dump(),
    )


def private_of(person: PersonCreate) -> dict[str, Any]:
    """The private fields of a new person as they are stored."""
    return person.model_dump(mode="json", include=_PRIVATE)
