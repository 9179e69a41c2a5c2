"""How soon another organisation must answer what it is asked; past it, silence is an event."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.models.codes import Priority
from app.settings import Settings


def answer_due(session: AsyncSession, priority: Priority, now: datetime) -> datetime:
    """By the priority, from now on (settings `referral_*_hours`)."""
    settings: Settings = session.info["settings"]
    hours: int = getattr(settings, f"referral_{priority}_hours")
    return now + timedelta(hours=hours)
