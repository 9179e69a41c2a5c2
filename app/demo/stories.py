"""What the demo tells: 246 cases of the quarter 2024Q3 and 60 of the last eight weeks, decided beforehand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice

from app.calendar import day_of
from app.demo.draws import Draws
from app.demo.invented import villages_of
from app.demo.places import COMMUNES
from app.models.codes import CaseStatus, Category
from app.policy import SENSITIVE_CATEGORIES

QUARTER = (date(2024, 7, 1), date(2024, 9, 30))
IN_QUARTER: dict[Category, int] = {
    Category.HEALTH_REFERRAL: 48,
    Category.DOMESTIC_VIOLENCE: 42,
    Category.SOCIAL_ASSISTANCE: 38,
    Category.FINANCIAL_ASSISTANCE: 34,
    Category.MARITAL_ISSUE: 20,
    Category.VITAL_DOCUMENTS: 20,
    Category.ID_POOR: 18,
    Category.LAND_DISPUTE: 14,
    Category.DISASTER_RELIEF: 12,
}
# Days since the opening of a recent case that has come so far; each span holds a working day.
RECENT: dict[CaseStatus, tuple[int, int]] = {
    CaseStatus.INTAKE: (1, 9),
    CaseStatus.ASSESSMENT: (8, 20),
    CaseStatus.PLANNING: (14, 30),
    CaseStatus.IMPLEMENTATION: (20, 42),
    CaseStatus.FOLLOW_UP: (30, 54),
    CaseStatus.CLOSURE_REQUESTED: (34, 54),
    CaseStatus.CLOSED: (40, 54),
}
RECENT_CASES = 60  # nine categories in six open statuses, and six closed

WORKS_IN: dict[str, tuple[int, ...]] = {
    "caseworker1": (0, 2),
    "caseworker2": (1, 3, 1),
    "caseworker3": (4, 5, 0),
    "supervisor1": (0, 1),
    "supervisor3": (4, 5),
}
SUPERVISOR_OF = {
    "caseworker1": "supervisor1",
    "caseworker2": "supervisor1",
    "supervisor1": "supervisor1",
    "caseworker3": "supervisor3",
    "supervisor3": "supervisor3",
}
LEADS = ("caseworker1", "caseworker2", "caseworker3") * 5 + ("supervisor1", "supervisor3")
LIAISONS = {COMMUNES[0]: "liaison1", COMMUNES[1]: "liaison2"}


@dataclass(frozen=True, slots=True)
class Story:
    """One case: how far it has come by `until`, who carries it, and what is special about it."""

    number: int
    category: Category
    status: CaseStatus
    opened: datetime
    until: date
    recent: bool
    lead: str
    commune: str
    village: str
    leaderless: bool = False  # opened by the liaison of the commune, still without a lead
    sent_by: str | None = None  # and not by the liaison, but by a partner's referral
    excluded: str | None = None
    excluded_at_intake: str | None = None
    exclusion_lifted: bool = False
    same_client_as: int | None = None

    @property
    def sensitive(self) -> bool:
        """Sensitive by its category."""
        return self.category in SENSITIVE_CATEGORIES

    @property
    def liaison(self) -> str | None:
        """The committee member who supports the client, in some cases of the communes that have one."""
        wanted = self.excluded in LIAISONS.values() or (self.number % 3 == 1 and self.same_client_as is None)
        return LIAISONS.get(self.commune) if wanted and self.status is not CaseStatus.INTAKE else None

    @property
    def support_ends(self) -> str | None:
        """How the consent to the committee's support has ended, if it has."""
        return {4: "withdrawn", 8: "expired"}.get(self.number % 10)

    @property
    def statistics(self) -> str:
        """The consent to be counted: "given", and for a few "none", "withdrawn" or "expired"."""
        if self.number % 20 == 7:
            return "none"
        return {3: "withdrawn", 21: "expired"}.get(self.number % 50, "given")


def stories(draws: Draws, now: datetime) -> list[Story]:
    """Every case of the demo, in the order of their opening; the recent ones end the day before `now`."""
    yesterday = day_of(now) - timedelta(days=1)
    told = [*_quarter(draws, yesterday), *_recent(draws, yesterday)]
    told.sort(key=lambda story: story.opened)
    return _with_exceptions([_carried(replace(story, number=number), draws) for number, story in enumerate(told)])


def _quarter(draws: Draws, yesterday: date) -> Iterator[Story]:
    for category, number in IN_QUARTER.items():
        closed = [CaseStatus.CLOSED] * (number - 2)
        for status in (CaseStatus.FOLLOW_UP, CaseStatus.IMPLEMENTATION, *closed):
            opened = draws.at_work(draws.weekday(*QUARTER))
            last = day_of(opened) + timedelta(days=draws.randint(25, 120))
            until = last if status is CaseStatus.CLOSED else yesterday
            yield _story(category, status, opened, until, recent=False)


def _recent(draws: Draws, yesterday: date) -> Iterator[Story]:
    grid = ((category, status) for status in RECENT for category in Category)
    for category, status in islice(grid, RECENT_CASES):
        least, most = RECENT[status]
        today = yesterday + timedelta(days=1)
        day = draws.weekday(today - timedelta(days=most), today - timedelta(days=least))
        until = day + timedelta(days=draws.randint(20, 38)) if status is CaseStatus.CLOSED else yesterday
        yield _story(category, status, draws.at_work(day), until, recent=True)


def _story(category: Category, status: CaseStatus, opened: datetime, until: date, *, recent: bool) -> Story:
    return Story(0, category, status, opened, until, recent, lead="", commune="", village="")


def _carried(story: Story, draws: Draws) -> Story:
    """The same story with its lead and place; sensitive cases are led by caseworkers."""
    lead = draws.choice(LEADS)
    if story.sensitive and lead.startswith("supervisor"):
        lead = {"supervisor1": "caseworker2", "supervisor3": "caseworker3"}[lead]
    commune = COMMUNES[draws.choice(WORKS_IN[lead])]
    return replace(story, lead=lead, commune=commune, village=draws.choice(villages_of(commune)))


def _with_exceptions(told: list[Story]) -> list[Story]:
    """Mark the cases that nobody leads yet, and those that somebody must never see."""
    _leave_without_lead(told)
    first = _find(told, Category.DOMESTIC_VIOLENCE, CaseStatus.CLOSED, recent=False)
    again = _find(told, Category.DOMESTIC_VIOLENCE, CaseStatus.PLANNING, recent=True)
    told[first] = replace(_at(told[first], "caseworker1", 0), excluded="liaison1")
    told[again] = replace(_at(told[again], "caseworker1", 0), same_client_as=first)
    colleague = _find(told, Category.MARITAL_ISSUE, CaseStatus.FOLLOW_UP, recent=True)
    told[colleague] = replace(_at(told[colleague], "caseworker1", 2), excluded_at_intake="caseworker2")
    boss = _find(told, Category.DOMESTIC_VIOLENCE, CaseStatus.ASSESSMENT, recent=True)
    told[boss] = replace(_at(told[boss], "caseworker2", 1), excluded="supervisor1")
    partner = _find(told, Category.HEALTH_REFERRAL, CaseStatus.IMPLEMENTATION, recent=True)
    told[partner] = replace(_at(told[partner], "caseworker3", 4), excluded_at_intake="partner_health")
    mistaken = _find(told, Category.LAND_DISPUTE, CaseStatus.IMPLEMENTATION, recent=True)
    told[mistaken] = replace(_at(told[mistaken], "caseworker2", 1), excluded="liaison2", exclusion_lifted=True)
    return told


def _leave_without_lead(told: list[Story]) -> None:
    for category, place, lead in (
        (Category.DOMESTIC_VIOLENCE, 0, "caseworker1"),
        (Category.SOCIAL_ASSISTANCE, 1, "caseworker2"),
        (Category.HEALTH_REFERRAL, 0, "caseworker3"),
    ):
        index = _find(told, category, CaseStatus.INTAKE, recent=True)
        sent_by = "partner_health" if category is Category.HEALTH_REFERRAL else None
        told[index] = replace(_at(told[index], lead, place), leaderless=True, sent_by=sent_by)


def _find(told: Sequence[Story], category: Category, status: CaseStatus, *, recent: bool) -> int:
    wanted = (category, status, recent)
    return next(story.number for story in told if (story.category, story.status, story.recent) == wanted)


def _at(story: Story, lead: str, place: int) -> Story:
    commune = COMMUNES[place]
    village = villages_of(commune)[story.number % len(villages_of(commune))]
    return replace(story, lead=lead, commune=commune, village=village)
