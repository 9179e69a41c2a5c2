"""Disclosures: what somebody told outside, and the second person who stands by it. No data flows through them."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import refuse_future
from app.errors import Cause, Conflict, NotFound
from app.models.base import Page
from app.models.case import Colleague
from app.models.disclosure import Disclosure, DisclosureCreate, DisclosureRead
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.sealing import opened, seal
from app.security import Actor
from app.services.cases import open_for_change
from app.services.colleagues import names_of
from app.services.events import record
from app.services.visible import access_for, lock_case


async def record_disclosure(
    session: AsyncSession, actor: Actor, case_id: UUID, told: DisclosureCreate
) -> DisclosureRead:
    """Write down what was told. 422 for what has not happened yet, 409 when the case is closed."""
    case = await open_for_change(session, case_id, Permission.DISCLOSURE_ADD)
    refuse_future(told.disclosed_at, actor.now, "/disclosed_at")
    row = Disclosure(
        case_id=case_id,
        organisation_id=case.organisation_id,
        basis=told.basis,
        disclosed_at=told.disclosed_at,
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )
    seal(session, row, {"recipient": told.recipient, "what": told.what})
    session.add(row)
    await _tell(session, actor, row, "disclosure.recorded")
    return await _one(session, row)


async def list_disclosures(session: AsyncSession, case_id: UUID, query: ListQuery) -> Page[DisclosureRead]:
    """Those of the case, newest recorded first."""
    await access_for(session, case_id, Permission.DISCLOSURE_READ)
    statement = select(Disclosure).where(col(Disclosure.case_id) == case_id)
    rows, cursor = await newest_first(session, statement, Disclosure.created_at, Disclosure.id, query)
    people = await names_of(session, (user for row in rows for user in _people(row)))
    return Page[DisclosureRead](items=[_read(session, row, people) for row in rows], next_cursor=cursor)


async def read_disclosure(session: AsyncSession, case_id: UUID, disclosure_id: UUID) -> DisclosureRead:
    """One; 404 when it is not of this case."""
    await access_for(session, case_id, Permission.DISCLOSURE_READ)
    return await _one(session, await _of_case(session, case_id, disclosure_id))


async def confirm_disclosure(session: AsyncSession, actor: Actor, case_id: UUID, disclosure_id: UUID) -> DisclosureRead:
    """Stand by it as the second person, also when the case has closed meanwhile. 409 for who recorded it, and once
    it is confirmed."""
    await access_for(session, case_id, Permission.DISCLOSURE_CONFIRM)
    await lock_case(session, case_id)
    row = await _of_case(session, case_id, disclosure_id)
    if row.confirmed_by is not None or row.created_by == actor.id:
        raise Conflict(Cause.ANSWERED if row.confirmed_by is not None else Cause.SAME_PERSON)
    row.confirmed_at, row.confirmed_by = actor.now, actor.id
    row.touch(actor.now)
    await _tell(session, actor, row, "disclosure.confirmed")
    return await _one(session, row)


async def _of_case(session: AsyncSession, case_id: UUID, disclosure_id: UUID) -> Disclosure:
    statement = select(Disclosure).where(col(Disclosure.id) == disclosure_id, col(Disclosure.case_id) == case_id)
    row = (await session.execute(statement)).scalar_one_or_none()
    if row is None:
        raise NotFound
    return row


async def _tell(session: AsyncSession, actor: Actor, row: Disclosure, event: str) -> None:
    await record(
        session,
        actor,
        event,
        case_id=row.case_id,
        organisation_id=row.organisation_id,
        subject_id=row.id,
        data={"basis": row.basis},
    )


def _people(row: Disclosure) -> tuple[UUID, ...]:
    return (row.created_by, *((row.confirmed_by,) if row.confirmed_by else ()))


async def _one(session: AsyncSession, row: Disclosure) -> DisclosureRead:
    return _read(session, row, await names_of(session, _people(row)))


def _read(session: AsyncSession, row: Disclosure, people: dict[UUID, Colleague]) -> DisclosureRead:
    private = opened(session, row)
    return DisclosureRead(
        recipient=private["recipient"],
        what=private["what"],
        recorded_by=people[row.created_by],
        confirmed_by=people[row.confirmed_by] if row.confirmed_by else None,
        **row.model_dump(
            include={"id", "case_id", "basis", "disclosed_at", "confirmed_at", "version", "created_at"},
        ),
    )
