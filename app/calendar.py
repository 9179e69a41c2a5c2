"""Days as the people in Siem Reap count them: the calendar day in Asia/Phnom_Penh. Moments are in UTC."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from app.errors import Invalid

PHNOM_PENH = ZoneInfo("Asia/Phnom_Penh")


def day_of(moment: datetime) -> date:
    """The local day of a moment."""
    return moment.astimezone(PHNOM_PENH).date()


def start_of(day: date) -> datetime:
    """The moment at which a local day begins."""
    return datetime.combine(day, time(0), PHNOM_PENH).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The last second of a local day: what is due on it is overdue after that, and still belongs to its week."""
    return datetime.combine(day, time(23, 59, 59), PHNOM_PENH).astimezone(UTC)


def noon_of(day: date) -> datetime:
    """The middle of a local day, for what is known to the day only."""
    return datetime.combine(day, time(12), PHNOM_PENH).astimezone(UTC)


def refuse_future_day(day: date | None, now: datetime, pointer: str) -> None:
    """422 for a day that has not begun yet."""
    if day is not None and day > day_of(now):
        raise Invalid.at(pointer, "in_the_future", "The day is in the future.")


def refuse_future(moment: datetime | None, now: datetime, pointer: str) -> None:
    """422 for a moment that has not come yet."""
    if moment is not None and moment > now:
        raise Invalid.at(pointer, "in_the_future", "The time is in the future.")
