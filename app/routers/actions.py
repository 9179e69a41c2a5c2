"""`/cases/{case_id}/actions`: the steps of the care plan."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Route, Session, answers_for, created
from app.models.action import ActionCancel, ActionCreate, ActionDone, ActionRead, ActionUpdate
from app.models.base import Page
from app.paging import ListQuery
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import actions

router = APIRouter(prefix=API, tags=["care-plan"], route_class=Route)


@router.post("/cases/{case_id}/actions", status_code=201)
async def add_action(
    case_id: UUID,
    wanted: ActionCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ACTION_EDIT)],
) -> ActionRead:
    """Plan a step, due at the end of its day in Cambodia."""
    added = await actions.add_action(session, actor, case_id, wanted)
    created(response, f"/cases/{case_id}/actions/{added.id}")
    response.headers["ETag"] = etag(added.version)
    return added


@router.get("/cases/{case_id}/actions")
async def list_actions(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ACTION_READ)],
) -> Page[ActionRead]:
    """The steps that you may read, newest planned first; a liaison's are those given to her or him."""
    return await actions.list_actions(session, case_id, query)


@router.get("/cases/{case_id}/actions/{action_id}")
async def read_action(
    case_id: UUID,
    action_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ACTION_READ)],
) -> ActionRead:
    """One step."""
    found = await actions.read_action(session, case_id, action_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/cases/{case_id}/actions/{action_id}")
async def change_action(
    case_id: UUID,
    action_id: UUID,
    change: ActionUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ACTION_EDIT)],
    if_match: IfMatch = None,
) -> ActionRead:
    """Change the fields that you send."""
    changed = await actions.change_action(session, actor, case_id, action_id, change, if_match)
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.delete("/cases/{case_id}/actions/{action_id}", status_code=204)
async def cancel_action(
    case_id: UUID,
    action_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ACTION_EDIT)],
    if_match: IfMatch = None,
) -> None:
    """Take it back; the last date of a case stays until it is about to close, and what the server asked for (`prompt`)
    is taken back with a reason."""
    await actions.cancel_action(session, actor, case_id, action_id, if_match)


@router.post("/cases/{case_id}/actions/{action_id}/cancel")
async def drop_action(
    case_id: UUID,
    action_id: UUID,
    told: ActionCancel,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ACTION_EDIT)],
    if_match: IfMatch = None,
) -> ActionRead:
    """Take it back with the reason, which is in the timeline."""
    dropped = await actions.drop_action(session, actor, case_id, action_id, told, if_match)
    answers_for(response, f"/cases/{case_id}/actions/{action_id}")
    response.headers["ETag"] = etag(dropped.version)
    return dropped


@router.post("/cases/{case_id}/actions/{action_id}/complete")
async def complete_action(
    case_id: UUID,
    action_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ACTION_COMPLETE)],
    told: ActionDone | None = None,
    if_match: IfMatch = None,
) -> ActionRead:
    """It is done; also by the liaison to whom it was given. The body may be left out."""
    done = await actions.complete_action(session, actor, case_id, action_id, told or ActionDone(), if_match)
    answers_for(response, f"/cases/{case_id}/actions/{action_id}")
    response.headers["ETag"] = etag(done.version)
    return done
