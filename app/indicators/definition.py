"""What an indicator is: which rows of which source it counts, how, and where they are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.models.report import Unit, Words


class Source(StrEnum):
    """The pass over a table that an indicator counts; its SQL is in `sources.py`."""

    ACTIVITIES = "activities"
    ATTENDANCE = "attendance"
    PARTICIPANTS = "participants"
    HOME_VISITS = "home_visits"
    COMMITMENTS = "commitments"
    FEEDBACK = "feedback"
    BUSINESSES = "businesses"
    DISTRIBUTIONS = "distributions"


class Count(StrEnum):
    """How rows become a figure."""

    ROWS = "rows"
    SUM = "sum"  # of the row's `number`: people, reach
    DISTINCT = "distinct"  # by the row's `head`: a human whose rows are linked, a household


@dataclass(frozen=True, slots=True)
class Indicator:
    """`where`: the values that a row must have, by column. `instead`: where nobody is named at these activities, their
    attendances, labelled as such. `told_in`: the printed figure is rounded down to so many ("over 1,200")."""

    code: str
    name: Words
    definition: Words
    unit: Unit
    source: Source
    count: Count
    where: Mapping[str, frozenset[str]] = field(default_factory=dict)
    by: tuple[str, ...] = ("commune",)
    instead: "Indicator | None" = None
    told_in: int = 1


def words(en: str, km: str) -> Words:
    """Both languages of one thing."""
    return Words(en=en, km=km)
