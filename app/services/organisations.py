"""Organisations: who signs the information-sharing agreement, and whom a deactivation shuts out at once."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import Cause, Conflict, NotFound
from app.models.base import Page
from app.models.codes.people import OrganisationKind
from app.models.organisation import Organisation, OrganisationCreate, OrganisationRead, OrganisationUpdate
from app.models.user import User
from app.paging import ListQuery, newest_first
from app.preconditions import check_match
from app.security import Actor, require_step_up
from app.services.belonging import BELONGING, check_communes, hold_admins, keep_an_admin


async def list_organisations(session: AsyncSession, query: ListQuery) -> Page[OrganisationRead]:
    """All organisations, newest first."""
    statement = select(Organisation)
    rows, cursor = await newest_first(session, statement, Organisation.created_at, Organisation.id, query)
    items = [OrganisationRead.model_validate(row) for row in rows]
    return Page[OrganisationRead](items=items, next_cursor=cursor)


async def read_organisation(session: AsyncSession, organisation_id: UUID) -> OrganisationRead:
    """One organisation."""
    return OrganisationRead.model_validate(await organisation_row(session, organisation_id))


async def add_organisation(session: AsyncSession, actor: Actor, wanted: OrganisationCreate) -> OrganisationRead:
    """A new organisation."""
    require_step_up(actor)
    organisation = Organisation.named(actor.now, **wanted.model_dump())
    session.add(organisation)
    await session.flush()
    return OrganisationRead.model_validate(organisation)


async def edit_organisation(
    session: AsyncSession,
    actor: Actor,
    organisation_id: UUID,
    change: OrganisationUpdate,
    if_match: str | None,
) -> OrganisationRead:
    """Merge the fields sent. 428/412 by If-Match.

    409 for a kind to which its users' roles do not belong, and for shutting out the last admin.
    """
    await hold_admins(session)
    organisation = await organisation_row(session, organisation_id, lock=True)
    require_step_up(actor)
    check_match(if_match, organisation.version)
    sent = change.sent()
    if sent:
        await _check_kind(session, organisation_id, sent.get("kind", organisation.kind))
        await check_communes(session, sent.get("programme_communes", []), "/programme_communes")
        for name, value in sent.items():
            setattr(organisation, name, sorted(set(value)) if name == "programme_communes" else value)
        organisation.touch(actor.now)
        await session.flush()
        await keep_an_admin(session)
    return OrganisationRead.model_validate(organisation)


async def organisation_row(session: AsyncSession, organisation_id: UUID, *, lock: bool = False) -> Organisation:
    """The row, locked for a change if asked; 404 when there is none."""
    statement = select(Organisation).where(col(Organisation.id) == organisation_id)
    row = await session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if row is None:
        raise NotFound
    return row


async def _check_kind(session: AsyncSession, organisation_id: UUID, kind: OrganisationKind) -> None:
    """Inactive users count too: nobody checks again when they come back."""
    roles = await session.scalars(select(col(User.role)).where(col(User.organisation_id) == organisation_id).distinct())
    if any(kind not in BELONGING[role].kinds for role in roles):
        raise Conflict(Cause.WRONG_KIND)
