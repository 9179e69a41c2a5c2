"""Quarters as the programme counts them: days in Phnom Penh, in a year that may begin in another month than January."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from app.calendar import day_of, start_of
from app.errors import Invalid

# No case or activity of the programme is older, nor is a register that is brought in: who asks for an earlier quarter
# has mistyped it, and would leave its name in ledgers. The same for everybody, so that it tells nothing of any case.
PROGRAMME_BEGAN = date(2010, 1, 1)
_WRITTEN = re.compile(r"(19|20|21)[0-9]{2}Q[1-4]")


@dataclass(frozen=True, order=True, slots=True)
class Period:
    """One quarter. `year` is the one in which the programme's year begins, `quarter` counts from 1, `first_month` is
    the month (1 to 12) in which that year begins."""

    year: int
    quarter: int
    first_month: int = 1

    @classmethod
    def parse(cls, text: str, first_month: int = 1, pointer: str = "/query/period") -> Self:
        """`2024Q3`; 422 `unknown_period` for anything else, `2024Q5` too."""
        if not _WRITTEN.fullmatch(text):
            raise Invalid.at(pointer, "unknown_period", "There is no such quarter.")
        return cls(int(text[:4]), int(text[5]), first_month)

    @classmethod
    def asked(cls, text: str, first_month: int = 1, pointer: str = "/query/period") -> Self:
        """What somebody asks for: as `parse`, and 422 `before_the_programme`."""
        period = cls.parse(text, first_month, pointer)
        if period.starts_on < PROGRAMME_BEGAN:
            raise Invalid.at(pointer, "before_the_programme", "The programme had not begun.")
        return period

    @classmethod
    def of(cls, day: date, first_month: int = 1) -> Self:
        """The quarter to which a day belongs."""
        months = day.year * 12 + day.month - first_month
        return cls(months // 12, months % 12 // 3 + 1, first_month)

    def __str__(self) -> str:
        return f"{self.year}Q{self.quarter}"

    @property
    def starts_on(self) -> date:
        """The first day."""
        return self._first_of_month(self.first_month - 1 + (self.quarter - 1) * 3)

    @property
    def ends_on(self) -> date:
        """The last day."""
        return self._first_of_month(self.first_month - 1 + self.quarter * 3) - timedelta(days=1)

    def previous(self) -> Self:
        """The quarter before."""
        year, quarter = (self.year, self.quarter - 1) if self.quarter > 1 else (self.year - 1, 4)
        return type(self)(year, quarter, self.first_month)

    def next(self) -> Self:
        """The quarter after."""
        year, quarter = (self.year, self.quarter + 1) if self.quarter < 4 else (self.year + 1, 1)
        return type(self)(year, quarter, self.first_month)

    def until(self, last: Self) -> list[Self]:
        """This quarter and all up to `last`."""
        found = [self]
        while found[-1] < last:
            found.append(found[-1].next())
        return found

    def year_to_date(self) -> tuple[date, date]:
        """The first day of its year, and its own last day."""
        return type(self)(self.year, 1, self.first_month).starts_on, self.ends_on

    def quarters_to_date(self) -> list[Self]:
        """The quarters of its year up to this one, the first one first."""
        return [type(self)(self.year, number, self.first_month) for number in range(1, self.quarter + 1)]

    def is_over(self, now: datetime) -> bool:
        """Whether its last day has passed in Phnom Penh."""
        return self.ends_on < day_of(now)

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Its first moment, and the first one after it."""
        return start_of(self.starts_on), start_of(self.ends_on + timedelta(days=1))

    def _first_of_month(self, months: int) -> date:
        return date(self.year + months // 12, months % 12 + 1, 1)


def begun(period: Period, now: datetime, pointer: str = "/query/period") -> Period:
    """The period itself; 422 `in_the_future` when not even its first day has come."""
    if period.starts_on > day_of(now):
        raise Invalid.at(pointer, "in_the_future", "The quarter is in the future.")
    return period
