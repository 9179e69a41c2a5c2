"""`/cases/{case_id}/disclosures`: what was told outside about a client, by two people."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.http import API, Route, Session, answers_for, created
from app.models.base import Page
from app.models.disclosure import DisclosureCreate, DisclosureRead
from app.paging import ListQuery
from app.permissions import Permission
from app.security import Actor, allowed
from app.services import disclosures

router = APIRouter(prefix=API, tags=["disclosures"], route_class=Route)


@router.post("/cases/{case_id}/disclosures", status_code=201)
async def record_disclosure(
    case_id: UUID,
    told: DisclosureCreate,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.DISCLOSURE_ADD)],
) -> DisclosureRead:
    """Write down what was told outside, to whom, why and when. Nothing is sent by it; a second person confirms it."""
    recorded = await disclosures.record_disclosure(session, actor, case_id, told)
    created(response, f"/cases/{case_id}/disclosures/{recorded.id}")
    return recorded


@router.get("/cases/{case_id}/disclosures")
async def list_disclosures(
    case_id: UUID,
    query: Annotated[ListQuery, Query()],
    session: Session,
    actor: Annotated[Actor, allowed(Permission.DISCLOSURE_READ)],
) -> Page[DisclosureRead]:
    """What was told outside, newest recorded first."""
    return await disclosures.list_disclosures(session, case_id, query)


@router.get("/cases/{case_id}/disclosures/{disclosure_id}")
async def read_disclosure(
    case_id: UUID,
    disclosure_id: UUID,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.DISCLOSURE_READ)],
) -> DisclosureRead:
    """One of them."""
    return await disclosures.read_disclosure(session, case_id, disclosure_id)


@router.post("/cases/{case_id}/disclosures/{disclosure_id}/confirm")
async def confirm_disclosure(
    case_id: UUID,
    disclosure_id: UUID,
    response: Response,
    session: Session,
    actor: Annotated[Actor, allowed(Permission.DISCLOSURE_CONFIRM)],
) -> DisclosureRead:
    """Stand by what another person recorded."""
    answers_for(response, f"/cases/{case_id}/disclosures/{disclosure_id}")
    return await disclosures.confirm_disclosure(session, actor, case_id, disclosure_id)
