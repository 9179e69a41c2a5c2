"""Random draws that are the same at every run: choices, ids and case codes that follow from a seed."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from typing import TypeVar
from uuid import UUID

from app.calendar import PHNOM_PENH
from app.case_code import ALPHABET, DIGITS, code_of

Thing = TypeVar("Thing")

# Numbers whose check character is usable are `37 * group + rest` with `rest` below 32.
_CODES = 32**DIGITS // 37 * len(ALPHABET)
_STRIDE = 18_361_233_077  # shares no divisor with _CODES, so the multiples meet every code once
BLOCK = 10_000_000
BLOCKS = _CODES // BLOCK
DEMO_BLOCK = BLOCKS - 1  # the others belong to the seeds of `samaki load`


class Draws(Random):
    """A seeded generator; never for secrets."""

    def uuid(self) -> UUID:
        """A UUIDv4 of this generator."""
        return UUID(int=self.getrandbits(128), version=4)

    def chance(self, share: float) -> bool:
        """True in `share` (0 to 1) of the draws."""
        return self.random() < share

    def one_of(self, weighted: dict[Thing, int]) -> Thing:
        """One key, as often as its weight says."""
        return self.choices(list(weighted), list(weighted.values()))[0]

    def at_work(self, day: date) -> datetime:
        """A moment of the working hours of a day in Siem Reap."""
        return datetime.combine(day, time(self.randint(8, 16), 5 * self.randint(0, 11)), PHNOM_PENH)

    def weekday(self, first: date, last: date) -> date:
        """A Monday to Friday within `first` and `last`; `last` itself when there is none."""
        return self.choice(weekdays(first, last) or [last])


def weekdays(first: date, last: date) -> Sequence[date]:
    """Mondays to Fridays from `first` to `last`, both included."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in days if day.isoweekday() <= 5]


def code_in(block: int, number: int) -> str:
    """The case code with this `number` (below BLOCK) of a block (below BLOCKS); no two are the same."""
    place = (block * BLOCK + number) * _STRIDE % _CODES
    group, rest = divmod(place, len(ALPHABET))
    return code_of(37 * group + rest)
