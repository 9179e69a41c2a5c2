"""What the demo tells: 299 cases of the quarter 2024Q3, 60 of the half year before it and 60 of the last eight weeks,
decided beforehand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice

from app.calendar import day_of
from app.demo.draws import Draws
from app.demo.invented import villages_of
from app.demo.places import COMMUNES
from app.models.codes.cases import CaseStatus, Category
from app.policy import SENSITIVE_CATEGORIES

QUARTER = (date(2024, 7, 1), date(2024, 9, 30))
# Of the first NGO: of them 240 and more agree to be counted, so that an export of the quarter has the real size.
IN_QUARTER: dict[Category, int] = {
    Category.HEALTH_REFERRAL: 52,
    Category.DOMESTIC_VIOLENCE: 46,
    Category.SOCIAL_ASSISTANCE: 42,
    Category.FINANCIAL_ASSISTANCE: 38,
    Category.MARITAL_ISSUE: 22,
    Category.VITAL_DOCUMENTS: 22,
    Category.ID_POOR: 20,
    Category.LAND_DISPUTE: 16,
    Category.DISASTER_RELIEF: 14,
}
# Where most of a category come from: one commune is flooded, another disputes its land.
ASKED_IN: dict[Category, tuple[int, ...]] = {
    Category.HEALTH_REFERRAL: (0, 1, 2, 3, 4, 5),
    Category.DOMESTIC_VIOLENCE: (0, 1, 2, 3),
    Category.SOCIAL_ASSISTANCE: (0, 1, 4, 5),
    Category.FINANCIAL_ASSISTANCE: (1, 2, 3, 5),
    Category.MARITAL_ISSUE: (0, 1),
    Category.VITAL_DOCUMENTS: (2, 3),
    Category.ID_POOR: (4, 5),
    Category.LAND_DISPUTE: (3,),
    Category.DISASTER_RELIEF: (4,),
}
MOST = 0.9
OF_THE_OTHER = 3  # cases of each category in the quarter, of the NGO that signs for no export
HALF_YEAR = (date(2024, 2, 5), date(2024, 6, 21))
BEFORE: dict[Category, int] = {
    Category.HEALTH_REFERRAL: 11,
    Category.DOMESTIC_VIOLENCE: 9,
    Category.SOCIAL_ASSISTANCE: 10,
    Category.FINANCIAL_ASSISTANCE: 8,
    Category.MARITAL_ISSUE: 5,
    Category.VITAL_DOCUMENTS: 5,
    Category.ID_POOR: 5,
    Category.LAND_DISPUTE: 4,
    Category.DISASTER_RELIEF: 3,
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
    "caseworker1": (0, 2, 4),
    "caseworker2": (1, 3, 5, 1),
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
LEADS_OF_FIRST = ("caseworker1", "caseworker2") * 3 + ("supervisor1",)
LEADS_OF_OTHER = ("caseworker3",) * 5 + ("supervisor3",)
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
    told = [*_before(draws), *_quarter(draws, yesterday), *_recent(draws, yesterday)]
    told.sort(key=lambda story: story.opened)
    return _with_exceptions([_carried(replace(story, number=number), draws) for number, story in enumerate(told)])


def _before(draws: Draws) -> Iterator[Story]:
    """All of them are closed, many of them in the quarter."""
    for category, number in BEFORE.items():
        for _ in range(number):
            opened = draws.at_work(draws.weekday(*HALF_YEAR))
            until = day_of(opened) + timedelta(days=draws.randint(40, 180))
            yield _story(category, CaseStatus.CLOSED, opened, until, draws.choice(LEADS))


def _quarter(draws: Draws, yesterday: date) -> Iterator[Story]:
    """Nearly all are the first NGO's, which still follows one of each category; the others' are closed."""
    for category, number in IN_QUARTER.items():
        for at in range(number + OF_THE_OTHER):
            status = CaseStatus.CLOSED if at else CaseStatus.FOLLOW_UP
            opened = draws.at_work(draws.weekday(*QUARTER))
            until = day_of(opened) + timedelta(days=draws.randint(25, 120)) if at else yesterday
            lead, place = _led_in(category, draws) if at < number else (draws.choice(LEADS_OF_OTHER), None)
            yield _story(category, status, opened, until, lead, place)


def _led_in(category: Category, draws: Draws) -> tuple[str, int]:
    """Where a case of the first NGO is, and who of those that work there leads it."""
    place = draws.choice(ASKED_IN[category] if draws.chance(MOST) else range(len(COMMUNES)))
    return draws.choice([lead for lead in LEADS_OF_FIRST if place in WORKS_IN[lead]]), place


def _recent(draws: Draws, yesterday: date) -> Iterator[Story]:
    grid = ((category, status) for status in RECENT for category in Category)
    for category, status in islice(grid, RECENT_CASES):
        least, most = RECENT[status]
        today = yesterday + timedelta(days=1)
        day = draws.weekday(today - timedelta(days=most), today - timedelta(days=least))
        until = day + timedelta(days=draws.randint(20, 38)) if status is CaseStatus.CLOSED else yesterday
        yield _story(category, status, draws.at_work(day), until, draws.choice(LEADS), recent=True)


def _story(
    category: Category,
    status: CaseStatus,
    opened: datetime,
    until: date,
    lead: str,
    place: int | None = None,
    *,
    recent: bool = False,
) -> Story:
    commune = "" if place is None else COMMUNES[place]
    return Story(0, category, status, opened, until, recent, lead, commune, village="")


def _carried(story: Story, draws: Draws) -> Story:
    """The same story in a village; sensitive cases are led by caseworkers."""
    lead = story.lead
    if story.sensitive and lead.startswith("supervisor"):
        lead = {"supervisor1": "caseworker2", "supervisor3": "caseworker3"}[lead]
    commune = story.commune or COMMUNES[draws.choice(WORKS_IN[lead])]
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
