"""`/people`, `/cases/{case_id}/people` and `/households`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Route, Session, created
from app.models.base import Page
from app.models.person import (
    CasePersonCreate,
    HouseholdCreate,
    HouseholdRead,
    HouseholdUpdate,
    PersonCreate,
    PersonRead,
    PersonUpdate,
)
from app.paging import ListQuery
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import households, people

router = APIRouter(prefix=API, tags=["people"], route_class=Route)


@router.post("/people", status_code=201)
async def add_person(
    person: PersonCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.PERSON_EDIT)],
) -> PersonRead:
    """Add a person to your organisation's register."""
    added = await people.add_to_register(session, actor, person)
    created(response, f"/people/{added.id}")
    response.headers["ETag"] = etag(added.version)
    return added


@router.get("/people")
async def list_people(
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.PERSON_READ)],
) -> Page[PersonRead]:
    """Your organisation's register, newest first."""
    return await people.list_register(session, actor, query)


@router.get("/people/{person_id}")
async def read_person(
    person_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.PERSON_READ)],
) -> PersonRead:
    """A person of the register or of a case that you see."""
    person = await people.read_person(session, actor, person_id)
    response.headers["ETag"] = etag(person.version)
    return person


@router.patch("/people/{person_id}")
async def edit_person(
    person_id: UUID,
    change: PersonUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.PERSON_EDIT)],
    if_match: IfMatch = None,
) -> PersonRead:
    """Change the fields that you send."""
    person = await people.edit_person(session, actor, person_id, change, if_match)
    response.headers["ETag"] = etag(person.version)
    return person


@router.post("/cases/{case_id}/people", status_code=201)
async def add_case_person(
    case_id: UUID,
    person: CasePersonCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CASE_PEOPLE_EDIT)],
) -> PersonRead:
    """Add a child, a caregiver or another person to the case."""
    added = await people.add_to_case(session, actor, case_id, person)
    created(response, f"/people/{added.id}")
    response.headers["ETag"] = etag(added.version)
    return added


@router.get("/cases/{case_id}/people")
async def list_case_people(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CASE_PEOPLE_READ)],
) -> Page[PersonRead]:
    """The client and the further people of the case."""
    return await people.list_of_case(session, actor, case_id, query)


@router.post("/households", status_code=201)
async def add_household(
    new: HouseholdCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.HOUSEHOLD_EDIT)],
) -> HouseholdRead:
    """Add a household to your organisation's register."""
    added = await households.add_household(session, actor, new)
    created(response, f"/households/{added.id}")
    response.headers["ETag"] = etag(added.version)
    return added


@router.get("/households")
async def list_households(
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.HOUSEHOLD_READ)],
) -> Page[HouseholdRead]:
    """The households of your organisation, newest first."""
    return await households.list_households(session, actor, query)


@router.get("/households/{household_id}")
async def read_household(
    household_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.HOUSEHOLD_READ)],
) -> HouseholdRead:
    """One household, with those of its members whom you see."""
    household = await households.read_household(session, actor, household_id)
    response.headers["ETag"] = etag(household.version)
    return household


@router.patch("/households/{household_id}")
async def edit_household(
    household_id: UUID,
    change: HouseholdUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.HOUSEHOLD_EDIT)],
    if_match: IfMatch = None,
) -> HouseholdRead:
    """Change the fields that you send."""
    household = await households.edit_household(session, actor, household_id, change, if_match)
    response.headers["ETag"] = etag(household.version)
    return household
