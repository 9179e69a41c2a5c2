"""How soon another organisation must answer what it is asked; past it, silence is an event."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import Invalid
from app.models.codes.cases import Priority
from app.security import Actor
from app.settings import Settings


def answer_due(session: AsyncSession, priority: Priority, now: datetime) -> datetime:
    """By the priority, from now on (settings `referral_*_hours`)."""
    settings: Settings = session.info["settings"]
    hours: int = getattr(settings, f"referral_{priority}_hours")
    return now + timedelta(hours=hours)


def check_due(session: AsyncSession, actor: Actor, due_at: datetime | None) -> None:
    """422 for a time that is past, and for one so far away that what is told would have closed in silence before."""
    settings: Settings = session.info["settings"]
    if due_at is None:
        return
    if due_at <= actor.now:
        raise Invalid.at("/due_at", "in_the_past", "The recipient needs time to answer.")
    if due_at > actor.now + timedelta(days=settings.referral_open_without_change_days):
        raise Invalid.at("/due_at", "too_late", "By then what she agreed to tell has closed.")
