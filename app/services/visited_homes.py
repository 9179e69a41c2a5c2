"""Households of the register that a record of the programme is about."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.sealing import opened
from app.security import Actor
from app.services.records import check_programme
from app.services.visible import household_row


async def commune_of(session: AsyncSession, actor: Actor, household_id: UUID) -> str | None:
    """The commune of a household's village, None where that is not known. 404 for one that is not of the caller's
    register, 422 for one outside the programme."""
    village = opened(session, await household_row(session, household_id)).get("village_code")
    commune = village[:6] if village else None
    await check_programme(session, actor, commune, "/household_id")
    return commune
