"""Was the danger of a case found out: by an assessment that gave a level?"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.models.assessment import DANGER_TOOLS, Assessment
from app.sealing import opened


async def is_assessed(session: AsyncSession, case_id: UUID) -> bool:
    """By any danger assessment; the words of a longer tool, without a level, are none."""
    statement = select(Assessment).where(col(Assessment.case_id) == case_id, col(Assessment.tool).in_(DANGER_TOOLS))
    rows = (await session.execute(statement)).scalars()
    return any(opened(session, row)["level"] is not None for row in rows)
