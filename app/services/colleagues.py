"""Names of colleagues, looked up together, and the directory from which people are assigned or excluded."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models.case import Colleague
from app.models.user import User


async def names_of(session: AsyncSession, user_ids: Iterable[UUID | None]) -> dict[UUID, Colleague]:
    """Colleagues by id, in one query."""
    wanted = {user_id for user_id in user_ids if user_id is not None}
    if not wanted:
        return {}
    statement = select(User.id, User.display_name).where(User.id.in_(wanted))  # type: ignore[call-overload,attr-defined]
    rows = (await session.execute(statement)).all()
    return {row.id: Colleague(id=row.id, display_name=row.display_name) for row in rows}
