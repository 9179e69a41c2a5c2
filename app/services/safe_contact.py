"""When the client may be contacted without danger: a pure rule over what she said, her clock and a channel."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from app.calendar import PHNOM_PENH, refuse_future_day
from app.errors import Invalid, UnsafeContact
from app.models.case import SafeContact
from app.models.codes.care import ContactChannel

MIDNIGHT, DAY, WEEK = time(0), timedelta(days=1), 7


@dataclass(frozen=True, slots=True)
class ContactWindow:
    """`allowed`: at the moment asked about. `opens_next`: when a window opens after it; None when none ever does,
    be it that she must not be contacted this way or that she may be at any time."""

    allowed: bool
    opens_next: datetime | None


def window_at(said: SafeContact | None, channel: ContactChannel, at: datetime) -> ContactWindow:
    """May she be contacted by this channel at this moment, and when does a window open next?

    What she left out limits nothing: no channels are all channels, no days are all days, no `from` is the beginning and
    no `to` the end of the day. The end is not part of the window. A window across midnight belongs to the day on which
    it begins; one that ends when it begins is none.
    """
    if said is None:
        return ContactWindow(allowed=True, opens_next=None)
    if said.do_not_contact or (said.channels and channel not in said.channels):
        return ContactWindow(allowed=False, opens_next=None)
    local = at.astimezone(PHNOM_PENH)
    windows = list(_joined(_windows(said, local.date())))
    return ContactWindow(
        allowed=any(opens <= local < closes for opens, closes in windows),
        opens_next=next((opens.astimezone(UTC) for opens, _ in windows if opens > local), None),
    )


def require_safe_contact(said: SafeContact | None, channel: ContactChannel, at: datetime) -> None:
    """409 `unsafe_contact` for planning a contact outside what she said."""
    if not window_at(said, channel, at).allowed:
        raise UnsafeContact


def check_said(said: SafeContact | None, now: datetime, pointer: str) -> None:
    """422 for what was confirmed on a day to come, and for a window that ends when it begins: nobody could keep it."""
    if said is None:
        return
    refuse_future_day(said.last_confirmed_on, now, f"{pointer}/last_confirmed_on")
    if said.to is not None and said.to == (said.from_ or f"{MIDNIGHT:%H:%M}"):
        raise Invalid.at(f"{pointer}/to", "empty_window", "The window ends when it begins.")


def _windows(said: SafeContact, today: date) -> Iterator[tuple[datetime, datetime]]:
    """Her windows from yesterday, which may last into today, to the same day of next week and the one after."""
    begins = time.fromisoformat(said.from_) if said.from_ else MIDNIGHT
    ends = time.fromisoformat(said.to) if said.to else None
    if begins == ends:
        return
    over_midnight = ends is None or ends < begins
    for number in range(-1, WEEK + 2):
        day = today + number * DAY
        if not said.days or day.isoweekday() in said.days:
            last = day + DAY if over_midnight else day
            yield _at(day, begins), _at(last, ends or MIDNIGHT)


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, PHNOM_PENH)


def _joined(windows: Iterator[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    """Where one window ends as the next one opens, the two are one."""
    held: tuple[datetime, datetime] | None = None
    for opens, closes in windows:
        if held is not None and opens <= held[1]:
            held = (held[0], max(held[1], closes))
            continue
        if held is not None:
            yield held
        held = (opens, closes)
    if held is not None:
        yield held
