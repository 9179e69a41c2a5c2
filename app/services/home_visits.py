"""Home visits. One that leads to a case is for who wrote it down and for who sees that case (160_community.sql)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.calendar import day_of
from app.errors import CaseClosed, Invalid, NotFound
from app.models.base import Page
from app.models.case import CaseRow
from app.models.codes.cases import CaseStatus
from app.models.codes.people import Role
from app.models.codes.programme import HomeVisitOutcome, Topic
from app.models.home_visit import HomeVisit, HomeVisitCreate, HomeVisitRead, HomeVisitUpdate
from app.models.user import User
from app.permissions import Permission
from app.policy import may, require
from app.preconditions import check_match
from app.relations import Access
from app.security import Actor
from app.services.colleagues import names_of
from app.services.events import record
from app.services.own_ids import id_for
from app.services.records import (
    RecordQuery,
    as_written,
    begun,
    check_counted_day,
    check_keeper,
    check_order,
    in_order,
    record_page,
    record_row,
)
from app.services.visible import access_for, access_to, lock_case, seen_cases
from app.services.visited_homes import commune_of

LINK = Permission.HOME_VISIT_LINK
_PLAIN = {"visited_on", "caseworker_id", "outcome", "next_visit_on"}


class HomeVisitQuery(RecordQuery):
    """`case_id`: the visits of a case that you see, whichever organisation recorded them."""

    household_id: UUID | None = None
    caseworker_id: UUID | None = None
    case_id: UUID | None = None
    outcome: HomeVisitOutcome | None = None
    topic: Topic | None = None


async def list_visits(session: AsyncSession, actor: Actor, query: HomeVisitQuery) -> Page[HomeVisitRead]:
    """The organisation's, newest first, or those of one case; 404 for a case that the caller does not see."""
    columns: Any = HomeVisit
    if query.case_id is not None:
        await _case_seen(session, query.case_id)
        statement = select(HomeVisit).where(columns.case_id == query.case_id)
    else:
        statement = select(HomeVisit).where(columns.organisation_id == actor.organisation_id)
    if query.topic is not None:
        statement = statement.where(columns.topics.contains([query.topic.value]))
    equal = ["household_id", "caseworker_id", "outcome"]
    rows, cursor = await record_page(session, actor, HomeVisit, query, equal, statement)
    return Page[HomeVisitRead](items=await _reads(session, rows), next_cursor=cursor)


async def read_visit(session: AsyncSession, visit_id: UUID) -> HomeVisitRead:
    """One; 404 when it is not for the caller."""
    return (await _reads(session, [await record_row(session, HomeVisit, visit_id)]))[0]


async def add_visit(session: AsyncSession, actor: Actor, wanted: HomeVisitCreate) -> HomeVisitRead:
    """Write one down. 404 for a household or a case that is not there for the caller, 409 when the case is closed."""
    commune = await commune_of(session, actor, wanted.household_id)
    case = None
    if wanted.case_id is not None:
        require(await _case_seen(session, wanted.case_id), LINK)
        case = await _open_case(session, wanted.case_id)
    row = HomeVisit(
        **begun(actor, wanted.recorded_at),
        id=await id_for(session, "home_visits", wanted.id),
        household_id=wanted.household_id,
        case_id=wanted.case_id,
        commune_code=commune,
        caseworker_id=wanted.caseworker_id or actor.id,
        visited_on=wanted.visited_on,
        topics=in_order(wanted.topics),
        outcome=wanted.outcome,
        next_visit_on=wanted.next_visit_on,
    )
    if case is not None and case.organisation_id != row.organisation_id:
        raise NotFound  # a colleague from elsewhere: the household would be of another register than the case
    await _check(session, actor, row)
    # By the calendar of Phnom Penh: a day is known of the visit, and whoever wrote it down cannot have done so before.
    check_order(day_of(row.recorded_at), "recorded_at", row.visited_on)
    session.add(row)
    await session.flush()
    await _tell(session, actor, row, case, "home_visit.recorded")
    return (await _reads(session, [row]))[0]


async def edit_visit(
    session: AsyncSession, actor: Actor, visit_id: UUID, change: HomeVisitUpdate, if_match: str | None
) -> HomeVisitRead:
    """Merge the fields sent. 404, 403, then 428/412; 409 when it belongs to a case that is closed."""
    row, case = await _to_change(session, actor, visit_id, if_match)
    sent = change.sent()
    if sent:
        changes = {name: sent[name] for name in sent.keys() & _PLAIN}
        if "topics" in sent:
            changes["topics"] = in_order(sent["topics"])
        wanted = HomeVisit(**row.model_dump(exclude={"protected"}) | changes)
        await _check(session, actor, wanted, caseworker="caseworker_id" in sent)
        row.sqlmodel_update(changes)
        row.touch(actor.now)
        await session.flush()
        await _tell(session, actor, row, case, "home_visit.changed", fields=sorted(sent))
    return (await _reads(session, [row]))[0]


async def delete_visit(session: AsyncSession, actor: Actor, visit_id: UUID, if_match: str | None) -> None:
    """Take one away; the case to which it belonged keeps that it was."""
    row, case = await _to_change(session, actor, visit_id, if_match)
    await session.delete(row)
    await session.flush()
    await _tell(session, actor, row, case, "home_visit.removed")


async def _to_change(
    session: AsyncSession, actor: Actor, visit_id: UUID, if_match: str | None
) -> tuple[HomeVisit, CaseRow | None]:
    """The visit, locked, and its case as far as the caller may write on its timeline, locked before the visit."""
    seen = await record_row(session, HomeVisit, visit_id)
    check_keeper(actor, seen)
    access = (await seen_cases(session, [seen.case_id])).get(seen.case_id) if seen.case_id else None
    if access is not None and seen.created_by != actor.id:
        require(access, LINK)
    case = await _open_case(session, access.case_id) if access is not None and may(access, LINK) else None
    row = await record_row(session, HomeVisit, visit_id, lock=True)
    check_match(if_match, row.version)
    return row, case


async def _case_seen(session: AsyncSession, case_id: UUID) -> Access:
    """How the caller reaches the case; 404 also for who sees it as a liaison only."""
    access = await access_to(session, case_id)
    if access.is_liaison:
        raise NotFound
    return await access_for(session, case_id, Permission.HOME_VISIT_READ)


async def _open_case(session: AsyncSession, case_id: UUID) -> CaseRow:
    case = await lock_case(session, case_id)
    if case.status is CaseStatus.CLOSED:
        raise CaseClosed
    return case


async def _check(session: AsyncSession, actor: Actor, row: HomeVisit, *, caseworker: bool = True) -> None:
    check_counted_day(actor, row.visited_on, "visited_on")
    check_order(row.next_visit_on, "next_visit_on", row.visited_on)
    if caseworker and row.caseworker_id != actor.id:
        user = await session.get(User, row.caseworker_id)
        staff = user is not None and user.role in {Role.CASEWORKER, Role.SUPERVISOR}
        if user is None or not staff or user.organisation_id != row.organisation_id:
            raise Invalid.at("/caseworker_id", "unknown_user", "There is no such colleague.")


async def _tell(
    session: AsyncSession,
    actor: Actor,
    row: HomeVisit,
    case: CaseRow | None,
    event: str,
    fields: list[str] | None = None,
) -> None:
    if case is None:
        return
    await record(
        session,
        actor,
        event,
        case_id=case.id,
        organisation_id=case.organisation_id,
        subject_id=row.id,
        data={"fields": fields} if fields else None,
    )


async def _reads(session: AsyncSession, rows: Sequence[HomeVisit]) -> list[HomeVisitRead]:
    people = await names_of(session, (who for row in rows for who in (row.created_by, row.caseworker_id)))
    cases = await seen_cases(session, [row.case_id for row in rows if row.case_id is not None])
    for access in cases.values():
        touched(session, access.case_id, access.via)
    return [
        HomeVisitRead(
            **as_written(row, people[row.created_by]),
            **row.model_dump(
                include={"household_id", "visited_on", "commune_code", "outcome", "topics", "next_visit_on"}
            ),
            caseworker=people[row.caseworker_id],
            case_id=row.case_id if row.case_id in cases else None,
        )
        for row in rows
    ]
