"""`/cases`: open, list, count, read, edit and move cases."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import NotFound
from app.http import API, IfMatch, Route, Session, answers_for, created
from app.models.base import Page
from app.models.case import (
    CaseCounts,
    CaseCreate,
    CaseFilter,
    CaseLiaisonRead,
    CaseRead,
    CaseReceipt,
    CaseRow,
    CaseSummary,
    CaseUpdate,
    Transition,
)
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import cases, lifecycle, opening

router = APIRouter(prefix=API, tags=["cases"], route_class=Route)


@router.post("/cases", status_code=201)
async def open_case(
    intake: CaseCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CASE_OPEN)],
) -> CaseRead | CaseReceipt:
    """Open a case. Who may not read it back (a liaison, a supervisor who names another lead) gets id and code only."""
    case = await opening.open_case(session, actor, intake)
    try:
        opened = await cases.read_case(session, actor, case.id)
    except NotFound:
        created(response, f"/cases/{case.id}/receipt")
        return CaseReceipt(id=case.id, code=case.code)
    created(response, f"/cases/{case.id}")
    response.headers["ETag"] = etag(opened.version)
    return opened  # type: ignore[return-value]  # nobody opens a case and is its liaison at once


@router.get("/cases")
async def list_cases(
    filters: Annotated[CaseFilter, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CASE_READ)],
) -> Page[CaseSummary | CaseLiaisonRead]:
    """The cases that you see, newest first; every filter narrows."""
    return await cases.list_cases(session, actor, filters)


@router.get("/cases/counts")
async def count_cases(session: Session, actor: Annotated[Actor, allowed(Permission.CASE_READ)]) -> CaseCounts:
    """How many cases you see, by status and category."""
    return await cases.count_cases(session, actor)


@router.get("/cases/{case_id}")
async def read_case(
    case_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CASE_READ)],
) -> CaseRead | CaseLiaisonRead:
    """The case as you may see it."""
    case = await cases.read_case(session, actor, case_id)
    response.headers["ETag"] = etag(case.version)
    return case


@router.get("/cases/{case_id}/receipt")
async def read_receipt(
    case_id: UUID, session: Session, actor: Annotated[Actor, allowed(Permission.CASE_OPEN)]
) -> CaseReceipt:
    """Id and code of a case that you opened, whether or not you may read it."""
    return await cases.read_receipt(session, case_id)


@router.patch("/cases/{case_id}")
async def edit_case(
    case_id: UUID,
    change: CaseUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CASE_EDIT)],
    if_match: IfMatch = None,
) -> CaseRead | CaseReceipt:
    """Change the fields that you send. Sensitivity only rises; who loses sight of the case by it gets id and code."""
    case = await cases.edit_case(session, actor, case_id, change, if_match)
    return await _as_left(case, response, session, actor)


@router.post("/cases/{case_id}/transitions")
async def move_case(
    case_id: UUID,
    step: Transition,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CASE_MOVE)],
    if_match: IfMatch = None,
) -> CaseRead | CaseReceipt:
    """Take one step of the lifecycle; who loses sight of the case by it gets id and code."""
    case = await lifecycle.move(session, actor, case_id, step, if_match)
    answers_for(response, f"/cases/{case_id}")
    return await _as_left(case, response, session, actor)


async def _as_left(case: CaseRow, response: Response, session: AsyncSession, actor: Actor) -> CaseRead | CaseReceipt:
    """The case after a change; its receipt when the change itself ended the caller's access (raised, closed)."""
    try:
        return await read_case(case.id, response, session, actor)  # type: ignore[return-value]  # no liaison changes a case
    except NotFound:
        return CaseReceipt(id=case.id, code=case.code)
