"""Who sees a case and what they may do there: access.md a second time, in plain Python.

Written from the design alone; it imports nothing of the application. Not modelled yet, so not compared:
1. screening of perpetrators against users; step-up, second factors and confirmed changes of users;
2. transfers, referrals, assessments and plans (which domestic violence waits for), health, whereabouts, attachments,
   assistance, follow-ups, search;
3. a grant under an assignment that ends by time: `case_access` has one row for a person and a case, so the
   grant shows again only when the worker has ended the assignment; the driver makes no such pair;
4. organisations switched off, clients linked by hand, clients who were children of another case, the
   supervisor of another signatory organisation who stands in;
5. what lists say beyond who sees what: times, versions and the audit have tests of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

WORKS = ("lead", "assigned", "cover")
STRENGTH = ("write", "contribute", "read")
VIAS = ("lead", "assigned", "cover", "liaison", "reviewer", "organisation", "break_glass")


@dataclass
class User:
    name: str
    role: str
    organisation: str | None
    communes: frozenset[str]
    active: bool = True


@dataclass
class Assignment:
    user: str
    role: str  # lead, caseworker, cover, liaison, reviewer
    until: datetime | None


@dataclass
class Consent:
    purpose: str
    last_day: date | None  # it lasts through this day in Phnom Penh


PHNOM_PENH = timezone(timedelta(hours=7))


@dataclass
class Case:
    """`client` names the woman herself: cases whose rows of her are linked share it."""

    name: str
    organisation: str
    creator: str
    client: str
    category: str
    sensitive: bool
    commune: str
    opened_at: datetime
    status: str = "intake"
    closure_requested_by: str | None = None
    urgent: bool = False  # it turned out to be violence: somebody is asked to find out the danger
    assignments: list[Assignment] = field(default_factory=list)  # those that have not ended
    consents: list[Consent] = field(default_factory=list)  # those that were not withdrawn
    grants: dict[str, datetime] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # their audiences

    def lead(self) -> str | None:
        return next((one.user for one in self.assignments if one.role == "lead"), None)

    def place_of(self, user: str) -> Assignment | None:
        return next((one for one in self.assignments if one.user == user), None)


@dataclass(eq=False)
class Glass:
    """One emergency access, for as long as there is anything to say about it; `Case.grants` are those that run."""

    case: str
    user: str
    opened_at: datetime
    reviewed: bool = False


@dataclass
class World:
    start: datetime
    now: datetime
    users: dict[str, User] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    register: dict[str, str] = field(default_factory=dict)  # person of a register: organisation
    decisions: dict[tuple[str, str], str] = field(default_factory=dict)  # (case, excluded user): the client
    lift_asked: dict[tuple[str, str, str], str] = field(default_factory=dict)  # (case, decided on, user): who asked
    worked: set[tuple[str, str]] = field(default_factory=set)  # (case, user): who ever had an assignment
    glass: list[Glass] = field(default_factory=list)  # in the order in which it was broken
    once: set[tuple[str, str]] = field(default_factory=set)  # (case, user): who ever had a place; for questions

    @property
    def excluded(self) -> set[tuple[str, str]]:
        """(client, user): from all of her cases, as long as one decision stands."""
        return {(client, user) for (_, user), client in self.decisions.items()}

    def day(self, number: int | None) -> date | None:
        """The day so many days after the world began, in Phnom Penh."""
        return None if number is None else self.start.astimezone(PHNOM_PENH).date() + timedelta(days=number)

    def broken(self, case: str, user: str) -> list[Glass]:
        """Every emergency access of one user to one case, in order."""
        return [one for one in self.glass if (one.case, one.user) == (case, user)]

    def places(self) -> set[tuple[str, str]]:
        """Who holds an assignment or a grant on which case."""
        return {
            (case.name, user)
            for case in self.cases.values()
            for user in [*(one.user for one in case.assignments), *case.grants]
        }


@dataclass(frozen=True)
class Sight:
    """What a user has of a case. `view`: full, liaison, stub, none; `mode` and `via` for the first two."""

    view: str
    mode: str | None = None
    via: str | None = None

    @property
    def sees(self) -> bool:
        return self.view in {"full", "liaison"}


# ---- who sees ----


def sees(world: World, user: User, case: Case) -> Sight:
    if not user.active or (case.client, user.name) in world.excluded:
        return Sight("none")
    found = list(ways(world, user, case))
    if not found:
        return Sight("stub" if supervises(user, case) else "none")
    mode, via = min(found, key=lambda way: (STRENGTH.index(way[0]), VIAS.index(way[1])))
    return Sight("liaison" if user.role == "ccwc_liaison" else "full", mode, via)


def knows_decision(world: World, user: User, case: Case, origin: str) -> bool:
    """Of a decision made on another case of the client only who knows that case may know."""
    return origin == case.name or sees(world, user, world.cases[origin]).view != "none"


def ways(world: World, user: User, case: Case) -> Iterator[tuple[str, str]]:
    """Every way, as (mode, via), in which somebody who is not excluded reaches the case."""
    place = case.place_of(user.name)
    if place is not None:
        via = "assigned" if place.role == "caseworker" else place.role
        yield ("write" if via in WORKS else "contribute"), via
    if not case.sensitive and user.organisation == case.organisation:
        if user.role == "caseworker":
            yield "read", "organisation"
        if user.role == "supervisor":
            yield "write", "organisation"
    leaderless = case.lead() is None and case.sensitive and case.status != "closed"
    if leaderless and supervises(user, case):
        yield "contribute", "reviewer"
    if user.name in case.grants:
        yield "contribute", "break_glass"


def supervises(user: User, case: Case) -> bool:
    return user.role == "supervisor" and user.organisation == case.organisation


def fits(world: World, one: Assignment, case: Case) -> bool:
    """May this assignment go on? What does not fit ends for good."""
    user = world.users[one.user]
    if not user.active or (one.until is not None and one.until <= world.now):
        return False
    if one.role == "liaison":
        return user.role == "ccwc_liaison" and case.commune in user.communes and agreed(world, case, "ccwc_support")
    roles = {"supervisor"} if one.role == "reviewer" else {"caseworker", "supervisor"}
    return user.role in roles and user.organisation == case.organisation


def agreed(world: World, case: Case, purpose: str) -> bool:
    today = world.now.astimezone(PHNOM_PENH).date()
    return any(one.purpose == purpose and (one.last_day is None or one.last_day >= today) for one in case.consents)


# ---- emergencies ----


def knows_grant(world: World, user: User, glass: Glass) -> bool:
    """Who opened it, who leads the case, and every supervisor of the organisation; nobody who is excluded."""
    case = world.cases[glass.case]
    at_home = user.active and user.role in CASEWORK and user.organisation == case.organisation
    told = user.role == "supervisor" or user.name in {glass.user, case.lead()}
    return at_home and told and (case.client, user.name) not in world.excluded


def overdue(world: World, glass: Glass) -> bool:
    return not glass.reviewed and world.now - glass.opened_at > timedelta(hours=72)


def blocked(world: World, user: User) -> bool:
    """Two unreviewed grants, or one overdue, block the next."""
    waiting = [one for one in world.glass if one.user == user.name and not one.reviewed]
    return len(waiting) >= 2 or any(overdue(world, one) for one in waiting)


# ---- who may do what: the table of access.md, and who its columns are ----

TABLE = {
    "read": {*WORKS, "liaison", "reviewer", "break_glass", "staff", "supervisor"},
    "read_consents": {*WORKS, "reviewer", "break_glass", "staff", "supervisor"},
    "read_incidents": {*WORKS, "reviewer", "break_glass", "staff", "supervisor"},
    "read_people": {*WORKS, "reviewer", "break_glass", "staff", "supervisor"},
    "read_exclusions": {"lead", "overseer", "supervisor_sees"},
    "edit": {*WORKS, "supervisor"},
    "consent": {*WORKS, "supervisor"},
    "incident": {*WORKS},
    "note": {*WORKS, "liaison", "reviewer", "break_glass", "supervisor"},
    "move": {*WORKS, "reviewer", "supervisor"},
    "assign": {"lead", "overseer", "stub"},
    "end": {"lead", "overseer"},
    "exclude": {"lead", "overseer", "stub"},
    "lift": {"lead", "overseer"},
}
# "403 only where the caller's role may never use the operation, whatever the id."
LIAISON_EVER = {"read", "note"}
CASEWORK = {"caseworker", "supervisor"}


def columns(world: World, user: User, case: Case) -> set[str]:
    """Every column of the table that this user stands in before a case from which they are not excluded."""
    found = set()
    for mode, via in ways(world, user, case):
        found.add({"read": "staff", "write": "supervisor"}[mode] if via == "organisation" else via)
    if supervises(user, case):
        found.add("stub")  # what may be done on a stub may be done on what is seen too
        if found - {"stub"}:
            found.add("supervisor_sees")
        if found - {"stub", "supervisor_sees", "break_glass"}:
            found.add("overseer")  # "Closing, deciding, access report need an assignment"; break-glass only reads
    return found


def may(world: World, user: User, action: str, case: Case) -> int:
    """200, or the status of the refusal: 401, 403 by role, 404 hidden, 403 by relation."""
    if not user.active:
        return 401
    if user.role not in CASEWORK and not (user.role == "ccwc_liaison" and action in LIAISON_EVER):
        return 403
    sight = sees(world, user, case)
    if not sight.sees and not (sight.view == "stub" and "stub" in TABLE[action]):
        return 404
    return 200 if TABLE[action] & columns(world, user, case) else 403
