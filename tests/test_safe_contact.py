"""When she may be contacted: the rule against a clock that is asked minute by minute."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.errors import UnsafeContact
from app.models.case import SafeContact
from app.models.codes.care import ContactChannel
from app.services.safe_contact import require_safe_contact, window_at

HERE = ZoneInfo("Asia/Phnom_Penh")
PHONE, VISIT = ContactChannel.PHONE, ContactChannel.VISIT
MINUTE = timedelta(minutes=1)
MONDAY = datetime(2026, 3, 2, tzinfo=HERE)
TWO_WEEKS = 14 * 24 * 60


def said(**words: Any) -> SafeContact:
    return SafeContact.model_validate(words)


def allowed_by_the_clock(words: SafeContact, channel: ContactChannel, at: datetime) -> bool:
    """The rule in the words of the field, for one moment: is it her day and hour, or still last night's window?"""
    if words.do_not_contact or (words.channels and channel not in words.channels):
        return False
    local = at.astimezone(HERE)
    clock, today = local.strftime("%H:%M"), local.isoweekday()
    yesterday = 7 if today == 1 else today - 1
    start, end = words.from_ or "00:00", words.to or "24:00"
    her_day, her_night = (not words.days or day in words.days for day in (today, yesterday))
    if start == end:
        return False
    if start < end:
        return her_day and start <= clock < end
    return (her_day and clock >= start) or (her_night and clock < end)


def opens_next_by_the_clock(words: SafeContact, channel: ContactChannel, at: datetime) -> datetime | None:
    """Minute after minute, until she may be contacted and a minute before could not."""
    minute = at.replace(second=0, microsecond=0)
    before = allowed_by_the_clock(words, channel, minute)
    for _ in range(TWO_WEEKS):
        minute += MINUTE
        now = allowed_by_the_clock(words, channel, minute)
        if now and not before:
            return minute
        before = now
    return None


CLOCK = (
    st.none()
    | st.sampled_from(["00:00", "00:01", "08:00", "12:30", "22:00", "23:59"])
    | st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
)
WORDS = st.builds(
    said,
    **{
        "channels": st.lists(st.sampled_from([PHONE, VISIT]), max_size=2),
        "days": st.lists(st.integers(1, 7), max_size=7),
        "from": CLOCK,
        "to": CLOCK,
        "do_not_contact": st.sampled_from([False] * 9 + [True]),
    },
)
MOMENTS = st.builds(
    lambda minutes, seconds: (MONDAY + timedelta(minutes=minutes, seconds=seconds)).astimezone(UTC),
    st.integers(0, TWO_WEEKS),
    st.sampled_from([0, 0, 1, 59]),
)


@settings(max_examples=150, deadline=None)
@given(WORDS, MOMENTS)
@example(said(days=[7], **{"from": "22:00", "to": "05:00"}), MONDAY)
@example(said(days=[1]), MONDAY + timedelta(hours=23, minutes=59, seconds=59))
@example(said(days=[1], **{"from": "08:00", "to": "09:00"}), MONDAY + timedelta(hours=8))
def test_the_rule_is_what_a_clock_says_that_is_asked_minute_by_minute(words: SafeContact, at: datetime) -> None:
    found = window_at(words, PHONE, at)
    assert found.allowed is allowed_by_the_clock(words, PHONE, at)
    assert found.opens_next == opens_next_by_the_clock(words, PHONE, at)


@settings(max_examples=300, deadline=None)
@given(WORDS, MOMENTS)
def test_when_the_next_window_opens_she_may_be_contacted(words: SafeContact, at: datetime) -> None:
    opens = window_at(words, PHONE, at).opens_next
    if opens is not None:
        assert opens > at
        require_safe_contact(words, PHONE, opens)
        assert not window_at(words, PHONE, opens - timedelta(microseconds=1)).allowed


def test_her_evening_is_hers_in_phnom_penh_and_not_in_utc() -> None:
    words = said(days=[1], **{"from": "18:00", "to": "20:00"})
    require_safe_contact(words, PHONE, datetime(2026, 3, 2, 11, 0, tzinfo=UTC))
    with pytest.raises(UnsafeContact):
        require_safe_contact(words, PHONE, datetime(2026, 3, 2, 18, 0, tzinfo=UTC))


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    night = said(days=[1], **{"from": "22:00", "to": "05:00"})
    assert not window_at(night, PHONE, MONDAY + timedelta(hours=4)).allowed, "this is still Sunday's night"
    assert window_at(night, PHONE, MONDAY + timedelta(hours=28)).allowed
    assert not window_at(night, PHONE, MONDAY + timedelta(hours=29)).allowed, "the end is outside"


def test_nobody_plans_a_contact_that_she_has_forbidden() -> None:
    for words in (said(do_not_contact=True), said(channels=["visit"]), said(**{"from": "08:00", "to": "08:00"})):
        with pytest.raises(UnsafeContact) as refused:
            require_safe_contact(words, PHONE, MONDAY)
        assert (refused.value.status, refused.value.code) == (409, "unsafe_contact")
        assert window_at(words, PHONE, MONDAY).opens_next is None
    require_safe_contact(said(channels=["visit"]), VISIT, MONDAY)


def test_who_said_nothing_may_be_contacted() -> None:
    for words in (None, said()):
        require_safe_contact(words, PHONE, MONDAY)
        assert window_at(words, PHONE, MONDAY).opens_next is None
