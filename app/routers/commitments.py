"""`/commitments`: what leaders promised, and whether it was kept."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Route, Session, created
from app.models.base import Page
from app.models.commitment import CommitmentCreate, CommitmentRead, CommitmentUpdate
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import commitments

router = APIRouter(prefix=API, tags=["programme"], route_class=Route)


@router.get("/commitments")
async def list_commitments(
    query: Annotated[commitments.CommitmentQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.COMMITMENT_READ)],
) -> Page[CommitmentRead]:
    """Your organisation's commitments, newest first."""
    return await commitments.list_commitments(session, actor, query)


@router.post("/commitments", status_code=201)
async def add_commitment(
    wanted: CommitmentCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.COMMITMENT_EDIT)],
) -> CommitmentRead:
    """Write a promise down, without the name of anybody; as a liaison, of a commune of yours."""
    added = await commitments.add_commitment(session, actor, wanted)
    created(response, f"/commitments/{added.id}")
    response.headers["ETag"] = etag(added.version)
    return added


@router.get("/commitments/{commitment_id}")
async def read_commitment(
    commitment_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.COMMITMENT_READ)],
) -> CommitmentRead:
    """One commitment."""
    found = await commitments.read_commitment(session, commitment_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/commitments/{commitment_id}")
async def edit_commitment(
    commitment_id: UUID,
    change: CommitmentUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.COMMITMENT_EDIT)],
    if_match: IfMatch = None,
) -> CommitmentRead:
    """Change the fields that you send, of what you wrote down or supervise."""
    changed = await commitments.edit_commitment(session, actor, commitment_id, change, if_match)
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.delete("/commitments/{commitment_id}", status_code=204)
async def delete_commitment(
    commitment_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.COMMITMENT_EDIT)],
    if_match: IfMatch = None,
) -> None:
    """Take away what you wrote down or supervise."""
    await commitments.delete_commitment(session, actor, commitment_id, if_match)
