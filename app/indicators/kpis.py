"""What the indicators of practice are, in words, and how they are told: medians, shares and bands, never of a few."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from app.disclosure import CannotHide, Name, Sum, suppress
from app.indicators.definition import words
from app.models.practice import Kpi, KpiBand, KpiOver, KpiUnit
from app.models.report import Words

LEAST = 5
STARTS = (0, 2, 4, 8, 31)  # first days of the bands: each day is in one
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Practice:
    """One of them; the statement that counts it is in `app.services.kpis` under its code."""

    code: str
    name: Words
    definition: Words
    unit: KpiUnit
    over: KpiOver = KpiOver.SEEN_CASES


PRACTICE: tuple[Practice, ...] = (
    Practice(
        "incident_to_report",
        words("Days from incident to report", "ចំនួនថ្ងៃពីហេតុការណ៍ដល់ការរាយការណ៍"),
        words(
            "Incidents recorded in the period whose time is known to the day: from the incident to its recording.",
            "ហេតុការណ៍ដែលបានកត់ត្រាក្នុងរយៈពេលនេះ ហើយដឹងថ្ងៃ៖ គិតពីហេតុការណ៍ដល់ពេលកត់ត្រា។",
        ),
        KpiUnit.DAYS,
        KpiOver.ASSIGNED_CASES,
    ),
    Practice(
        "report_to_assessment",
        words("Days from report to danger assessment", "ចំនួនថ្ងៃពីការរាយការណ៍ដល់ការវាយតម្លៃគ្រោះថ្នាក់"),
        words(
            "Cases whose first assessment was recorded in the period: from the recording of the first incident to it;"
            " assessments before any incident are left out.",
            "ករណីដែលការវាយតម្លៃដំបូងបានកត់ត្រាក្នុងរយៈពេលនេះ៖ គិតពីពេលកត់ត្រាហេតុការណ៍ដំបូង។ មិនរាប់ការវាយតម្លៃមុនហេតុការណ៍ទេ។",
        ),
        KpiUnit.DAYS,
        KpiOver.ASSIGNED_CASES,
    ),
    Practice(
        "referral_to_acceptance",
        words("Days from referral to acceptance", "ចំនួនថ្ងៃពីការបញ្ជូនដល់ការទទួលយក"),
        words(
            "Referrals to others that were accepted in the period: from asking to the yes.",
            "ការបញ្ជូនទៅអ្នកដទៃដែលបានទទួលយកក្នុងរយៈពេលនេះ៖ គិតពីពេលស្នើដល់ពេលយល់ព្រម។",
        ),
        KpiUnit.DAYS,
    ),
    Practice(
        "referral_to_completion",
        words("Days from referral to completion", "ចំនួនថ្ងៃពីការបញ្ជូនដល់ការបញ្ចប់"),
        words(
            "Referrals to others that were completed in the period: from asking to the end.",
            "ការបញ្ជូនទៅអ្នកដទៃដែលបានបញ្ចប់ក្នុងរយៈពេលនេះ៖ គិតពីពេលស្នើដល់ពេលបញ្ចប់។",
        ),
        KpiUnit.DAYS,
    ),
    Practice(
        "loops_closed",
        words("Share of referral loops closed", "ភាគរយនៃការបញ្ជូនដែលបានឆ្លើយតបដល់ចប់"),
        words(
            "Of the referrals to others asked in the period, those whose recipient has said how they ended (completed,"
            " rejected, failed); without those that were cancelled or made by mistake.",
            "ក្នុងចំណោមការបញ្ជូនដែលបានស្នើក្នុងរយៈពេលនេះ អ្នកទទួលបានប្រាប់ពីលទ្ធផល (បញ្ចប់ បដិសេធ ឬបរាជ័យ)។"
            " មិនរាប់ការបញ្ជូនដែលបានលុបចោល ឬធ្វើខុសទេ។",
        ),
        KpiUnit.SHARE,
    ),
    Practice(
        "follow_ups_on_time",
        words("Share of follow-ups on time", "ភាគរយនៃការតាមដានទាន់ពេល"),
        words(
            "Of the planned follow-ups that fell due in the period and were not called off, those that took place on"
            " their day or earlier, by Phnom Penh's calendar.",
            "ក្នុងចំណោមការតាមដានដែលដល់ថ្ងៃក្នុងរយៈពេលនេះ ហើយមិនបានលុបចោល ដែលបានធ្វើនៅថ្ងៃកំណត់ ឬមុន តាមប្រតិទិនភ្នំពេញ។",
        ),
        KpiUnit.SHARE,
    ),
    Practice(
        "care_windows_met",
        words("Share of care windows met", "ភាគរយនៃការថែទាំទាន់ពេល"),
        words(
            "Of the incidents recorded in the period while the 72 hours for prophylaxis were not over, those with a"
            " health action completed or a health referral accepted before they were.",
            "ក្នុងចំណោមហេតុការណ៍ដែលបានកត់ត្រាក្នុងរយៈពេល ៧២ ម៉ោងសម្រាប់ការបង្ការ ដែលមានសកម្មភាពសុខភាពបានធ្វើរួច"
            " ឬការបញ្ជូនសុខភាពបានទទួលយកមុនផុតពេល។",
        ),
        KpiUnit.SHARE,
        KpiOver.ASSIGNED_CASES,
    ),
)


def of_days(one: Practice, lasted: Sequence[timedelta]) -> Kpi:
    """The median of what took so long, and how many took how many whole days."""
    if _is_unseen(one, lasted):
        return _unseen(one)
    days = [max(0.0, took / DAY) for took in lasted]
    few = 0 < len(days) < LEAST
    bands = _bands(days, few=few)
    return Kpi(
        **_words(one),
        value=None if few or not days else _rounded(median(days), len(days)),
        count=None if few else len(days),
        bands=bands,
        suppressed=few or any(band.count is None for band in bands),
    )


def of_share(one: Practice, met: Sequence[bool]) -> Kpi:
    """Which part of them; not told where it is of few, or where few are in it or out of it."""
    if _is_unseen(one, met):
        return _unseen(one)
    inside = sum(met)
    few = 0 < len(met) < LEAST
    telling = few or 0 < inside < LEAST or 0 < len(met) - inside < LEAST
    return Kpi(
        **_words(one),
        value=None if telling or not met else round(inside / len(met), 4),
        count=None if few else len(met),
        bands=[],
        suppressed=telling,
    )


def _rounded(days: float, of: int) -> float:
    """The median of an odd number is how long one of them took: of few not to the hour."""
    return round(days, 1) if of >= 2 * LEAST else float(round(days))


def _is_unseen(one: Practice, found: Sequence[object]) -> bool:
    return one.over is KpiOver.ASSIGNED_CASES and not found


def _unseen(one: Practice) -> Kpi:
    """Not a zero: who is assigned to no such case cannot know whether there are any."""
    return Kpi(**_words(one), value=None, count=None, bands=[], suppressed=False)


def _words(one: Practice) -> dict[str, object]:
    return {"code": one.code, "name": one.name, "definition": one.definition, "unit": one.unit, "over": one.over}


def _bands(days: Sequence[float], *, few: bool) -> list[KpiBand]:
    counts = [0] * len(STARTS)
    for took in days:
        counts[bisect_right(STARTS, int(took)) - 1] += 1
    hidden = set(range(len(STARTS))) if few else _hidden(counts)
    ends = [*(start - 1 for start in STARTS[1:]), None]
    return [
        KpiBand(from_day=start, until_day=end, count=None if place in hidden else counts[place])
        for place, (start, end) in enumerate(zip(STARTS, ends, strict=True))
    ]


def _hidden(counts: Sequence[int]) -> set[int]:
    """The bands that are not told: small ones, and another where the total would give one away."""
    cells: dict[Name, int] = {("band", str(place)): count for place, count in enumerate(counts)}
    parts = tuple(cells)
    cells[("all",)] = sum(counts)
    try:
        found = suppress(
            cells,
            [Sum(("all",), parts)],
            small=lambda name, value: name != ("all",) and 0 < value < LEAST,
            told=[("all",)],
        )
    except CannotHide:
        return set(range(len(counts)))
    return {int(name[1]) for name in found}
