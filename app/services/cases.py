"""Reading, counting and editing cases."""

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.db import fetch
from app.errors import CaseClosed, Cause, Conflict, Forbidden, Invalid, NotFound
from app.models.base import Page
from app.models.case import (
    CaseCounts,
    CaseFilter,
    CaseLiaisonRead,
    CaseRead,
    CaseReceipt,
    CaseRow,
    CaseSummary,
    CaseUpdate,
)
from app.models.codes.cases import CaseStatus, Category, Sensitivity
from app.models.codes.people import Role
from app.models.person import NAMES
from app.paging import Cursor, cut
from app.permissions import Permission
from app.policy import LIAISON_FILTERS, own_sensitivity
from app.preconditions import check_match
from app.sealing import ring_of
from app.security import Actor
from app.services import case_pages, perpetrators, visible
from app.services.areas import is_area
from app.services.caregivers import refuse_doubted_contact
from app.services.case_views import detail_of, summary_of
from app.services.events import record
from app.services.hurrying import ask_for_assessment
from app.services.places import check_place
from app.services.safe_contact import check_said

# What a liaison sees of a case: a change of these moves the liaison view's own version.
TEAM_FIELDS = {"status", "priority", "commune_code", "village_code"}
TEAM_NAME_FIELDS = set(NAMES)


async def list_cases(session: AsyncSession, actor: Actor, filters: CaseFilter) -> Page[CaseSummary | CaseLiaisonRead]:
    """One page of the cases that the caller sees."""
    if actor.role is Role.CCWC_LIAISON and filters.model_fields_set - LIAISON_FILTERS:
        raise Forbidden
    if filters.commune_code is not None and not await is_area(session, filters.commune_code):
        raise Invalid.at("/query/commune_code", "unknown_area", "There is no such area.")
    parameters = case_pages.page_parameters(filters, Cursor.decode(filters.cursor))
    rows = await fetch(session, case_pages.page_statement(filters), parameters)
    listed, cursor = cut(rows, filters.limit, lambda row: Cursor(row.opened_at, row.id))
    if cursor is None and case_pages.may_go_on(filters, rows):
        last = await fetch(session, case_pages.last_examined_statement(filters), parameters)
        cursor = Cursor(last[0].opened_at, last[0].case_id).encode() if last else None
    items = [summary_of(row, visible.shown(session, row), actor, ring_of(session)) for row in listed]
    return Page[CaseSummary | CaseLiaisonRead](items=items, next_cursor=cursor)


async def read_case(session: AsyncSession, actor: Actor, case_id: UUID) -> CaseRead | CaseLiaisonRead:
    """The case as the caller may see it; 404 otherwise."""
    row, access = await visible.detail_row(session, case_id)
    return detail_of(row, access, actor, ring_of(session))


async def read_receipt(session: AsyncSession, case_id: UUID) -> CaseReceipt:
    """Id and code for who opened the case, seen or not; 404 for everybody else."""
    rows = await fetch(session, "select id, code from case_receipt(%(case_id)s)", {"case_id": case_id})
    if not rows:
        raise NotFound
    touched(session, case_id, "opener")
    return CaseReceipt(id=rows[0].id, code=rows[0].code)


async def count_cases(session: AsyncSession, actor: Actor) -> CaseCounts:
    """Visible cases by status and, for who may know them, by category."""
    rows = await fetch(session, visible.COUNTS, {})
    by_status: dict[CaseStatus, int] = {}
    by_category: dict[Category, int] = {}
    for row in rows:
        by_status[CaseStatus(row.status)] = by_status.get(CaseStatus(row.status), 0) + row.cases
        by_category[Category(row.category)] = by_category.get(Category(row.category), 0) + row.cases
    hidden = actor.role is Role.CCWC_LIAISON
    return CaseCounts(total=sum(by_status.values()), by_status=by_status, by_category=None if hidden else by_category)


async def open_for_change(session: AsyncSession, case_id: UUID, permission: Permission) -> CaseRow:
    """The case, seen, permitted, locked and not closed: 404, 403, 409."""
    await visible.access_for(session, case_id, permission)
    case = await visible.lock_case(session, case_id)
    if case.status is CaseStatus.CLOSED:
        raise CaseClosed
    return case


async def edit_case(
    session: AsyncSession, actor: Actor, case_id: UUID, change: CaseUpdate, if_match: str | None
) -> CaseRow:
    """Merge the fields sent into the case. 428/412 by If-Match, 409 when closed, when sensitivity would fall, or
    `unsafe_contact` where who harms her would answer for her.

    Whoever raises it may end the own access with that.
    """
    await visible.access_for(session, case_id, Permission.CASE_EDIT)
    case = await visible.lock_case(session, case_id)
    check_match(if_match, case.version)
    if case.status is CaseStatus.CLOSED:
        raise CaseClosed
    sent = change.sent()
    if not sent:
        return case
    await _check_edit(session, case, sent)
    was = case.category
    check_said(sent.get("safe_contact"), actor.now, "/safe_contact")
    await refuse_doubted_contact(session, case_id, sent.get("safe_contact"))
    await perpetrators.refuse_contact(session, case_id, sent.get("safe_contact"))
    private: dict[str, Any] = {
        name: sent.pop(name) for name in ("summary", "village_code", "safe_contact") if name in sent
    }
    if contact := private.get("safe_contact"):
        private["safe_contact"] = contact.model_dump(mode="json", by_alias=True)
    changed = [*sent, *private]
    for name, value in sent.items():
        setattr(case, name, value)
    case.private = {**case.private, **private}
    if TEAM_FIELDS & set(changed):
        case.team_version += 1
    if case.category is Category.DOMESTIC_VIOLENCE and was is not case.category:
        await ask_for_assessment(session, actor, case)  # while the caller still sees the case
        await session.flush()
    case.touch(actor.now)
    await visible.save_case(session, case)
    await record(
        session,
        actor,
        "case.changed",
        case_id=case.id,
        organisation_id=case.organisation_id,
        data={"fields": sorted(changed)},
    )
    return case


async def _check_edit(session: AsyncSession, case: CaseRow, sent: dict[str, Any]) -> None:
    if sent.get("sensitivity") is Sensitivity.STANDARD and case.sensitivity is Sensitivity.SENSITIVE:
        raise Conflict(Cause.STAYS_SENSITIVE)
    if (category := sent.get("category")) is not None:
        if (
            own_sensitivity(category) is Sensitivity.STANDARD
            and own_sensitivity(case.category) is Sensitivity.SENSITIVE
        ):
            raise Conflict(Cause.STAYS_SENSITIVE)
        if own_sensitivity(category) is Sensitivity.SENSITIVE:
            sent["sensitivity"] = Sensitivity.SENSITIVE
    if "commune_code" in sent or "village_code" in sent:
        commune = sent.get("commune_code", case.commune_code)
        village = sent.get("village_code", case.private.get("village_code"))
        if "village_code" not in sent and village is not None and not village.startswith(commune):
            sent["village_code"] = village = None  # the old village is not in the new commune
        await check_place(session, commune, village)


async def raise_to_sensitive(session: AsyncSession, case: CaseRow, actor: Actor) -> None:
    """An incident, and later records of its kind, make a case sensitive; nothing makes it standard again."""
    if case.sensitivity is Sensitivity.STANDARD:
        case.sensitivity = Sensitivity.SENSITIVE
        case.touch(actor.now)
        await visible.save_case(session, case)
