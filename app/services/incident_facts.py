"""What follows from what a client told of an incident: its type, its contexts, her age then, the hours left for care.

Nothing here is stored: it is derived at every reading, so that a corrected answer corrects all of it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from app.calendar import PHNOM_PENH, day_of
from app.models.codes.incidents import DatePrecision, GbvContext, GbvType, PerpetratorRelationship
from app.models.codes.people import Sex
from app.models.incident import GbvAnswers

# GBV information management system, incident classification: asked in this order, the first yes decides.
_FIRST_YES = (
    ("penetration", GbvType.RAPE),
    ("sexual_contact", GbvType.SEXUAL_ASSAULT),
    ("physical", GbvType.PHYSICAL_ASSAULT),
    ("forced_marriage", GbvType.FORCED_MARRIAGE),
    ("denial", GbvType.DENIAL_OF_RESOURCES),
    ("psychological", GbvType.PSYCHOLOGICAL_ABUSE),
)
_SEXUAL = {GbvType.RAPE, GbvType.SEXUAL_ASSAULT}
_PARTNERS = {PerpetratorRelationship.INTIMATE_PARTNER, PerpetratorRelationship.FORMER_PARTNER}
ADULT_YEARS = 18

# WHO, clinical management of rape and intimate partner violence survivors (2020): post-exposure prophylaxis against
# HIV within 72 hours, emergency contraception within 120 hours.
PEP, EMERGENCY_CONTRACEPTION = timedelta(hours=72), timedelta(hours=120)
# Wide on purpose: who is offered what she does not need loses nothing.
YOUNGEST_PREGNANCY, OLDEST_PREGNANCY = 9, 55


@dataclass(frozen=True, slots=True)
class CareWindows:
    """Hours left, in hundredths and rounded down, 0 when they are over; None where there is no such window."""

    pep_hours_left: float | None
    ec_hours_left: float | None


def type_of(answers: GbvAnswers) -> GbvType | None:
    """The first yes; `non_gbv` when there is none; None as long as nothing was answered."""
    for question, kind in _FIRST_YES:
        if getattr(answers, question):
            return kind
    asked = any(answer is not None for answer in answers.model_dump().values())
    return GbvType.NON_GBV if asked else None


def contexts_of(
    answers: GbvAnswers, relationships: Iterable[PerpetratorRelationship], age: int | None
) -> list[GbvContext]:
    """The contexts that follow from type, perpetrators and age; a person of unknown age counts as an adult here."""
    kind = type_of(answers)
    violent = kind is not None and kind is not GbvType.NON_GBV
    child = age is not None and age < ADULT_YEARS
    found = {
        GbvContext.INTIMATE_PARTNER_VIOLENCE: violent and not _PARTNERS.isdisjoint(relationships),
        # Asked apart from the type: what counts first must not hide what happened too.
        GbvContext.CHILD_SEXUAL_ABUSE: child and bool(answers.penetration or answers.sexual_contact),
        GbvContext.EARLY_MARRIAGE: child and bool(answers.forced_marriage),
    }
    return [context for context, holds in found.items() if holds]


def earliest_instant(occurred_at: datetime | None, precision: DatePrecision) -> datetime | None:
    """The first moment at which it may have happened, in Phnom Penh; None where a year or nothing is known."""
    if occurred_at is None or precision in {DatePrecision.YEAR, DatePrecision.UNKNOWN}:
        return None
    if precision is DatePrecision.EXACT:
        return occurred_at
    day = day_of(occurred_at)
    first = day.replace(day=1) if precision is DatePrecision.MONTH else day
    return datetime.combine(first, time(0), PHNOM_PENH)


def age_at(birth: date | None, occurred_at: datetime | None, precision: DatePrecision) -> int | None:
    """Whole years on the first day on which it may have happened; None when birth or year are unknown."""
    if birth is None or occurred_at is None or precision is DatePrecision.UNKNOWN:
        return None
    day = day_of(occurred_at)
    if precision is DatePrecision.YEAR:
        day = day.replace(month=1, day=1)
    elif precision is DatePrecision.MONTH:
        day = day.replace(day=1)
    return max(0, day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day)))


def pregnancy_is_possible(sex: Sex, age: int | None) -> bool:
    """Not ruled out by sex or age; what is unknown rules nothing out."""
    return sex is not Sex.MALE and (age is None or YOUNGEST_PREGNANCY <= age <= OLDEST_PREGNANCY)


def care_windows(
    kind: GbvType | None,
    occurred_at: datetime | None,
    precision: DatePrecision,
    now: datetime,
    *,
    pregnancy_possible: bool,
) -> CareWindows:
    """The hours left at `now`, counted from the earliest instant. They rank what is urgent; care is never refused."""
    ends = care_ends(kind, occurred_at, precision, pregnancy_possible=pregnancy_possible)
    pep, ec, *_ = [*(_hours_left(end, now) for end in ends), None, None]
    return CareWindows(pep_hours_left=pep, ec_hours_left=ec)


def care_ends(
    kind: GbvType | None, occurred_at: datetime | None, precision: DatePrecision, *, pregnancy_possible: bool
) -> list[datetime]:
    """When the window of prophylaxis ends, and that of contraception where there is one; [] where there is none."""
    began = earliest_instant(occurred_at, precision) if kind in _SEXUAL else None
    if began is None:
        return []
    return [began + PEP, *([began + EMERGENCY_CONTRACEPTION] if pregnancy_possible else [])]


def _hours_left(end: datetime, now: datetime) -> float:
    return max(0, math.floor((end - now) / timedelta(hours=0.01))) / 100
