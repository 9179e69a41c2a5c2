"""Checking that an area code exists and that a village lies in its commune."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch
from app.errors import Invalid

FIND = "select code from areas where code in (%(commune)s, %(village)s)"


async def check_place(session: AsyncSession, commune: str, village: str | None, prefix: str = "") -> None:
    """422 at `commune_code` or `village_code` below `prefix` for an unknown code, or a village elsewhere."""
    rows = await fetch(session, FIND, {"commune": commune, "village": village or commune})
    known = {row.code for row in rows}
    if commune not in known:
        raise Invalid.at(f"{prefix}/commune_code", "unknown_area", "There is no such area.")
    if village is not None and (village not in known or not village.startswith(commune)):
        raise Invalid.at(f"{prefix}/village_code", "unknown_area", "There is no such village in the commune.")


async def check_village(session: AsyncSession, village: str | None, pointer: str) -> None:
    """422 for a village code that is not in the gazetteer."""
    if village is not None and not await fetch(session, FIND, {"commune": village, "village": village}):
        raise Invalid.at(pointer, "unknown_area", "There is no such area.")
