"""`/organisations` and the systems that act for partners."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, IfMatch, Session, answers_for, created
from app.models.base import Page
from app.models.organisation import (
    ClientCreate,
    ClientRead,
    ClientSecret,
    OrganisationCreate,
    OrganisationRead,
    OrganisationUpdate,
)
from app.paging import ListQuery
from app.passwords import new_secret
from app.permissions import Permission
from app.preconditions import etag
from app.routers.issuing import Issued, IssuingRoute, issuing
from app.security import Actor, allowed
from app.services import clients, organisations

router = APIRouter(prefix=API, tags=["organisations"], route_class=IssuingRoute)


@router.get("/organisations")
async def list_organisations(
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ORGANISATION_READ)],
) -> Page[OrganisationRead]:
    """All organisations, newest first."""
    return await organisations.list_organisations(session, query)


@router.post("/organisations", status_code=201)
async def add_organisation(
    wanted: OrganisationCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ORGANISATION_EDIT)],
) -> OrganisationRead:
    """Add an organisation."""
    organisation = await organisations.add_organisation(session, actor, wanted)
    created(response, f"/organisations/{organisation.id}")
    response.headers["ETag"] = etag(organisation.version)
    return organisation


@router.get("/organisations/{organisation_id}")
async def read_organisation(
    organisation_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ORGANISATION_READ)],
) -> OrganisationRead:
    """One organisation."""
    organisation = await organisations.read_organisation(session, organisation_id)
    response.headers["ETag"] = etag(organisation.version)
    return organisation


@router.patch("/organisations/{organisation_id}")
async def edit_organisation(
    organisation_id: UUID,
    change: OrganisationUpdate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.ORGANISATION_EDIT)],
    if_match: IfMatch = None,
) -> OrganisationRead:
    """Change the fields that you send; `active: false` shuts all its users and systems out at once."""
    organisation = await organisations.edit_organisation(session, actor, organisation_id, change, if_match)
    response.headers["ETag"] = etag(organisation.version)
    return organisation


@router.post("/organisations/{organisation_id}/clients", status_code=201)
async def add_client(
    organisation_id: UUID,
    wanted: ClientCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CLIENT_EDIT)],
    issued: Annotated[Issued, issuing(new_secret)],
) -> ClientSecret:
    """Add a system of a partner. It does nothing, and its secret is only for trying, until the partner confirmed it."""
    client = await clients.add_client(session, actor, organisation_id, wanted, issued.secret, issued.hashed)
    created(response, f"/organisations/{organisation_id}/clients/{client.client_id}")
    return client


@router.get("/organisations/{organisation_id}/clients")
async def list_clients(
    organisation_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CLIENT_READ)],
) -> Page[ClientRead]:
    """The systems of an organisation, newest first."""
    return await clients.list_clients(session, organisation_id, query)


@router.get("/organisations/{organisation_id}/clients/{client_id}")
async def read_client(
    organisation_id: UUID,
    client_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CLIENT_READ)],
) -> ClientRead:
    """One system of a partner, without its secret."""
    return await clients.read_client(session, organisation_id, client_id)


@router.post("/organisations/{organisation_id}/clients/{client_id}/confirm")
async def confirm_client(
    organisation_id: UUID,
    client_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CLIENT_CONFIRM)],
    issued: Annotated[Issued, issuing(new_secret)],
) -> ClientSecret:
    """Say yes to a system of your organisation. Its new secret is in this answer alone; the earlier one is dead."""
    answers_for(response, f"/organisations/{organisation_id}/clients/{client_id}")
    return await clients.confirm_client(session, actor, organisation_id, client_id, issued.secret, issued.hashed)


@router.delete("/organisations/{organisation_id}/clients/{client_id}", status_code=204)
async def end_client(
    organisation_id: UUID,
    client_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.CLIENT_END)],
) -> None:
    """Shut a system out, at once and for good."""
    await clients.end_client(session, actor, organisation_id, client_id)
