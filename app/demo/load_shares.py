"""How load cases are mixed, and whose each is: exact shares for the bench's caseworker."""

from dataclasses import dataclass

from app.demo.draws import Draws
from app.demo.load_people import LoadPeople, Office
from app.models.codes.cases import CaseStatus, Category, ClosureReason, Priority, RiskLevel
from app.models.incident import GbvAnswers, IncidentPrivate

SEEN_SHARE = 20  # one case in so many is seen by bench_caseworker
OWN_SHARE = 50  # and of those, one in so many is led by her and sensitive, and one led and standard
SENSITIVE_SHARE = 0.3

STANDARD = {
    Category.SOCIAL_ASSISTANCE: 26,
    Category.FINANCIAL_ASSISTANCE: 22,
    Category.VITAL_DOCUMENTS: 18,
    Category.ID_POOR: 16,
    Category.DISASTER_RELIEF: 10,
    Category.LAND_DISPUTE: 8,
}
# One in twelve is of another category and was raised.
SENSITIVE = {
    Category.HEALTH_REFERRAL: 40,
    Category.DOMESTIC_VIOLENCE: 35,
    Category.MARITAL_ISSUE: 17,
    Category.FINANCIAL_ASSISTANCE: 8,
}
YOUNG = 120  # days; most older cases are closed
STATUSES_YOUNG = dict(zip(CaseStatus, (15, 15, 12, 22, 16, 5, 15), strict=True))
STATUSES_OLD = dict(zip(CaseStatus, (0, 0, 1, 4, 6, 2, 87), strict=True))
PRIORITIES = {Priority.ROUTINE: 70, Priority.URGENT: 20, Priority.ASAP: 8, Priority.STAT: 2}
STATUSES_OPEN = {status: share for status, share in STATUSES_YOUNG.items() if status is not CaseStatus.CLOSED}
RISKS = {RiskLevel.HIGH: 10, RiskLevel.MEDIUM: 20, RiskLevel.LOW: 30, RiskLevel.NOT_ASSESSED: 40}
OPEN_EACH, DAY_SHARE = 25, 20  # of each in the office with the full day, which has at most one case in so many
WITH_INCIDENT = 0.1  # of its cases, in the last days
PLANNED = b'{"channel":"visit"}'
INCIDENT = IncidentPrivate(answers=GbvAnswers(penetration=True)).model_dump_json().encode()
REASONS = (ClosureReason.NEEDS_MET, ClosureReason.CLIENT_REQUEST, ClosureReason.DECLINED)
DAY = 4  # the last kind of Shares.left
WITH_COLLEAGUE, WITH_LIAISON = 0.37, 0.2


@dataclass(frozen=True, slots=True)
class Desk:
    """An office with its ids as they are written in a row."""

    organisation: str
    caseworkers: tuple[str, ...]
    supervisors: tuple[str, ...]

    @classmethod
    def of(cls, office: Office) -> "Desk":
        """The desk of an office."""
        return cls(
            office.organisation.id.hex,
            tuple(user.id.hex for user in office.caseworkers),
            tuple(user.id.hex for user in office.supervisors),
        )


@dataclass(frozen=True, slots=True)
class Seat:
    """Where one case is: its office, its lead, a colleague who may join, and whether it is sensitive."""

    desk: Desk
    lead: str
    colleague: str
    sensitive: bool
    full_day: bool = False


class Shares:
    """Draws seats so that the bench's shares are exact once all cases are drawn."""

    def __init__(self, draws: Draws, cases: int, people: LoadPeople) -> None:
        self.draws = draws
        self.bench = Desk.of(people.bench)
        self.day = Desk.of(people.day)
        self.desks = tuple(Desk.of(office) for office in people.offices)
        seen = cases // SEEN_SHARE
        own = seen // OWN_SHARE
        standard = seen - own
        hidden = int(standard * SENSITIVE_SHARE / (1 - SENSITIVE_SHARE)) - own
        # Hers: sensitive, standard; her colleagues': standard, sensitive (which she does not see).
        # Last those of the office with the full day.
        full = min(OPEN_EACH * len(self.day.caseworkers), cases // DAY_SHARE)
        self.left = [own, own, standard - own, max(0, hidden), full]
        self.all_left = cases

    def draw(self) -> Seat:
        """The next seat; to be called once for each case."""
        place = self.draws.randrange(self.all_left)
        self.all_left -= 1
        for kind, left in enumerate(self.left):
            if place < left:
                self.left[kind] -= 1
                return self._at_bench(kind)
            place -= left
        desk = self.draws.choice(self.desks)
        lead, colleague = self.draws.sample(desk.caseworkers, 2)
        return Seat(desk, lead, colleague, self.draws.chance(SENSITIVE_SHARE))

    def _at_bench(self, kind: int) -> Seat:
        if kind == DAY:
            carriers = self.day.caseworkers
            number = self.left[DAY] % len(carriers)  # each as many as any other
            sensitive = self.draws.chance(SENSITIVE_SHARE)
            return Seat(self.day, carriers[number], carriers[number - 1], sensitive, full_day=True)
        own, *others = self.bench.caseworkers
        lead, colleague = self.draws.sample(others, 2)
        return Seat(self.bench, own if kind <= 1 else lead, colleague, sensitive=kind in {0, 3})


def status_of(draws: Draws, seat: Seat, days_old: int) -> CaseStatus:
    """Where a case stands by now."""
    if seat.full_day:
        return draws.one_of(STATUSES_OPEN)
    return draws.one_of(STATUSES_YOUNG if days_old < YOUNG else STATUSES_OLD)
