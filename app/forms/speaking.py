"""Numbers, months and moments as they are read in one language. Digits are Latin in both, as published."""

from datetime import date, datetime

from app.calendar import PHNOM_PENH
from app.forms.telling import HIDDEN
from app.forms.words import FILLED, MONTHS
from app.models.codes.people import Language
from app.models.report import Words


class Speech:
    """Khmer, or English for whoever reads another language. `tag` is its name in HTML."""

    def __init__(self, language: Language) -> None:
        self.tag = "km" if language is Language.KM else "en"

    def say(self, words: Words) -> str:
        """The words in this language."""
        return words.km if self.tag == "km" else words.en

    def fill(self, name: str, /, **parts: str | int) -> str:
        """A sentence of `FILLED` with its parts."""
        return self.say(FILLED[name]).format(**parts)

    def number(self, value: int | None) -> str:
        """1200 is "1,200"; null is a word and not a sign."""
        return self.say(HIDDEN) if value is None else f"{value:,}"

    def quarter(self, period: str) -> str:
        """ "2024Q3" is "Quarter 3 of 2024"."""
        year, _, quarter = period.partition("Q")
        return self.fill("quarter", year=year, quarter=quarter)

    def months(self, starts_on: date, ends_on: date) -> str:
        """ "July to September 2024"; both years where they differ."""
        name = "months" if starts_on.year == ends_on.year else "months_across"
        first, last = (self.say(MONTHS[day.month - 1]) for day in (starts_on, ends_on))
        return self.fill(name, first=first, last=last, first_year=starts_on.year, year=ends_on.year)

    def moment(self, at: datetime) -> str:
        """Day and minute in Phnom Penh."""
        local = at.astimezone(PHNOM_PENH)
        month = self.say(MONTHS[local.month - 1])
        return self.fill("moment", day=local.day, month=month, year=local.year, time=f"{local:%H:%M}")
