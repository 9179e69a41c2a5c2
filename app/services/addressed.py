"""What a path names beside a case: found as far as it exists for the caller, else 404."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.db import fetch
from app.errors import NotFound
from app.models.activity import Activity
from app.models.business import Business
from app.models.commitment import Commitment
from app.models.distribution import Distribution
from app.models.export import Export
from app.models.feedback import Feedback
from app.models.home_visit import HomeVisit
from app.models.imports import Import
from app.models.referral import Referral
from app.models.service import Service
from app.permissions import Permission
from app.policy import RELATION_PERMISSIONS
from app.relations import Access, Relation
from app.services.records import record_row
from app.services.visible import access_for, access_to, household_row, person_row, supervises
from app.services.webhooks import webhook_row

# Whose systems a caller may know of (clients.py); everybody else who may ask about organisations sees all of them.
_OWN = "(app_role() <> 'partner' or {} = app_organisation_id())"


async def import_row(session: AsyncSession, import_id: UUID, *, lock: bool = False) -> Import:
    """An import of the caller's own; 404 otherwise."""
    statement = select(Import).where(col(Import.id) == import_id).execution_options(populate_existing=True)
    row = (await session.execute(statement.with_for_update() if lock else statement)).scalar_one_or_none()
    if row is None:
        raise NotFound
    return row


async def export_row(session: AsyncSession, export_id: UUID) -> Export:
    """A release of which the caller may know; 404 otherwise."""
    row = await session.get(Export, export_id, populate_existing=True)
    if row is None:
        raise NotFound
    return row


async def organisation_seen(session: AsyncSession, organisation_id: UUID) -> None:
    """404 unless there is such an organisation; for a partner there is none but the own one."""
    statement = f"select o.id from organisations o where o.id = %(id)s and {_OWN.format('o.id')}"  # noqa: S608
    if not await fetch(session, statement, {"id": organisation_id}):
        raise NotFound


async def client_seen(session: AsyncSession, client_id: UUID) -> None:
    """404 unless there is such a system of an organisation that the caller sees."""
    statement = f"select u.id from users u where u.id = %(id)s and u.system and {_OWN.format('u.organisation_id')}"  # noqa: S608
    if not await fetch(session, statement, {"id": client_id}):
        raise NotFound


async def service_row(session: AsyncSession, service_id: UUID, *, lock: bool = False) -> Service:
    """A service of the directory, locked for a change if asked; 404 when there is none."""
    statement = select(Service).where(col(Service.id) == service_id).execution_options(populate_existing=True)
    row = await session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if row is None:
        raise NotFound
    return row


async def grant_row(session: AsyncSession, grant_id: UUID) -> Any:
    """An emergency access of which the caller may know; 404 otherwise."""
    rows = await fetch(session, "select * from glass_broken(only_grant => %(grant_id)s)", {"grant_id": grant_id})
    if not rows:
        raise NotFound
    return rows[0]


async def assistance_for(session: AsyncSession, request_id: UUID, permission: Permission) -> Access:
    """How the caller reaches the case of a request for assistance; 404 and 403 as for the case itself."""
    statement = "select app_assistance_case(%(request_id)s) as case_id"
    rows = await fetch(session, statement, {"request_id": request_id})
    if rows[0].case_id is None:
        raise NotFound
    return await access_for(session, rows[0].case_id, permission)


async def waiting_review(session: AsyncSession, review_id: UUID) -> Any:
    """A request for a reviewer from elsewhere that an admin may complete now; 404 otherwise."""
    rows = await fetch(session, "select * from outside_reviews_waiting(only_review => %(id)s)", {"id": review_id})
    if not rows:
        raise NotFound
    return rows[0]


async def incoming_row(session: AsyncSession, transfer_id: UUID) -> Any:
    """A transfer that waits for the caller's organisation, or did; 404 otherwise."""
    rows = await fetch(session, "select * from transfers_in(only_transfer => %(id)s)", {"id": transfer_id})
    if not rows:
        raise NotFound
    return rows[0]


async def referral_row(session: AsyncSession, referral_id: UUID) -> Referral:
    """A referral that the caller sees, as it stands now; 404, as long for a hidden id as for an unknown one."""
    sees = select(func.app_sees_referral(referral_id)).scalar_subquery()
    statement = select(Referral).where(col(Referral.id) == referral_id, sees)
    row: Referral | None = await session.scalar(statement.execution_options(populate_existing=True))
    if row is None:
        raise NotFound
    return row


def _record(kind: Any) -> Any:
    return lambda session, own_id: record_row(session, kind, own_id)


async def is_addressable(session: AsyncSession, name: str, value: str, permission: Permission) -> bool:
    """Does what a path names exist for the caller? Asked before a wrong body is explained."""
    looks: dict[str, Any] = {
        "case_id": access_to,
        "person_id": person_row,
        "household_id": household_row,
        "grant_id": grant_row,
        "assistance_request_id": lambda s, own_id: assistance_for(s, own_id, Permission.ASSISTANCE_READ),
        "import_id": import_row,
        "export_id": export_row,
        "organisation_id": organisation_seen,
        "client_id": client_seen,
        "incoming_id": incoming_row,
        "waiting_id": waiting_review,
        "webhook_id": webhook_row,
        "referral_id": referral_row,
        "service_id": service_row,
        "activity_id": _record(Activity),
        "home_visit_id": _record(HomeVisit),
        "commitment_id": _record(Commitment),
        "feedback_id": _record(Feedback),
        "business_id": _record(Business),
        "distribution_id": _record(Distribution),
    }
    if name not in looks:
        return True
    try:
        own_id = UUID(value)
        await looks[name](session, own_id)
    except ValueError:
        return False
    except NotFound:
        on_stub = name == "case_id" and permission in RELATION_PERMISSIONS[Relation.STUB]
        return on_stub and await supervises(session, own_id)
    return True
