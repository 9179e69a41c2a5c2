"""`/distributions`: relief given out to households."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Route, Session, created
from app.models.base import Page
from app.models.distribution import DistributionCreate, DistributionRead, DistributionUpdate
from app.permissions import Permission
from app.preconditions import etag
from app.security import Actor, allowed
from app.services import distributions

router = APIRouter(prefix=API, tags=["programme"], route_class=Route)


@router.get("/distributions")
async def list_distributions(
    query: Annotated[distributions.DistributionQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.DISTRIBUTION_READ)],
) -> Page[DistributionRead]:
    """Your organisation's distributions, newest first."""
    return await distributions.list_distributions(session, actor, query)


@router.post("/distributions", status_code=201)
async def add_distribution(
    wanted: DistributionCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.DISTRIBUTION_EDIT)],
) -> DistributionRead:
    """Write down what a household was given."""
    added = await distributions.add_distribution(session, actor, wanted)
    created(response, f"/distributions/{added.id}")
    response.headers["ETag"] = etag(added.version)
    return added


@router.get("/distributions/{distribution_id}")
async def read_distribution(
    distribution_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.DISTRIBUTION_READ)],
) -> DistributionRead:
    """One distribution."""
    found = await distributions.read_distribution(session, distribution_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.patch("/distributions/{distribution_id}")
async def edit_distribution(
    distribution_id: UUID,
    change: DistributionUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.DISTRIBUTION_EDIT)],
    if_match: IfMatch = None,
) -> DistributionRead:
    """Change the fields that you send, of what you wrote down or supervise."""
    changed = await distributions.edit_distribution(session, actor, distribution_id, change, if_match)
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.delete("/distributions/{distribution_id}", status_code=204)
async def delete_distribution(
    distribution_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.DISTRIBUTION_EDIT)],
    if_match: IfMatch = None,
) -> None:
    """Take away what you wrote down or supervise."""
    await distributions.delete_distribution(session, actor, distribution_id, if_match)
