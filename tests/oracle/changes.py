"""The operations of a run, and what each does to the world of the rules when it succeeds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.oracle.rules import CASEWORK, Assignment, Case, Consent, Glass, User, World, fits

SENSITIVE = {"health_referral", "domestic_violence", "marital_issue"}


@dataclass(frozen=True)
class Operation:
    """One step of a run, by names only, so that it can be done again in another world."""

    kind: str
    actor: str = ""
    case: str = ""
    user: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        words = [self.actor, self.kind, self.case, self.user, *(f"{k}={v}" for k, v in self.details.items())]
        return " ".join(word for word in words if word)


def settle(world: World) -> None:
    """End for good what no longer fits: lapsed, withdrawn, moved, deactivated, excluded."""
    for case in world.cases.values():
        out = {user for client, user in world.excluded if client == case.client}
        case.assignments = [one for one in case.assignments if one.user not in out and fits(world, one, case)]
        case.grants = {
            name: until
            for name, until in case.grants.items()
            if until > world.now and name not in out and may_hold_grant(world.users[name], case)
        }


def may_hold_grant(user: User, case: Case) -> bool:
    return user.active and user.role in CASEWORK and user.organisation == case.organisation


def apply(world: World, op: Operation) -> None:
    """Change the world as the operation does when it succeeds."""
    EFFECTS[op.kind](world, op)
    world.worked |= {(case.name, one.user) for case in world.cases.values() for one in case.assignments}
    settle(world)


def client_of(world: World, op: Operation) -> str:
    person = op.details["client"]
    if not person:
        return f"client of {op.case}"
    return str(person) if person in world.register else world.cases[person].client


def _opened(world: World, op: Operation) -> None:
    wanted, user = op.details, world.users[op.actor]
    liaison = user.role == "ccwc_liaison"
    organisation = wanted["organisation"] if liaison else user.organisation
    assert organisation is not None
    world.cases[op.case] = case = Case(
        name=op.case,
        organisation=organisation,
        creator=op.actor,
        client=client_of(world, op),
        category=wanted["category"],
        sensitive=wanted["category"] in SENSITIVE or wanted["sensitivity"] == "sensitive",
        commune=wanted["commune"],
        opened_at=world.now,
        consents=[Consent(purpose, world.day(last)) for purpose, last in wanted["consents"]],
    )
    lead = wanted["lead"] or op.actor
    if not liaison and (case.client, lead) not in world.excluded:
        case.assignments.append(Assignment(lead, "lead", None))
    world.decisions |= {(op.case, name): case.client for name in wanted["excluded"]}


def _edited(world: World, op: Operation) -> None:
    case, wanted = world.cases[op.case], op.details
    before, case.category = case.category, wanted.get("category", case.category)
    case.urgent |= case.category == "domestic_violence" != before
    case.commune = wanted.get("commune", case.commune)
    case.sensitive |= wanted.get("sensitivity") == "sensitive" or case.category in SENSITIVE


def _incident_reported(world: World, op: Operation) -> None:
    world.cases[op.case].sensitive = True


def _noted(world: World, op: Operation) -> None:
    by_liaison = world.users[op.actor].role == "ccwc_liaison"
    usual = "team" if by_liaison else "caseworkers"
    world.cases[op.case].notes.append(op.details["audience"] or usual)


def _consented(world: World, op: Operation) -> None:
    world.cases[op.case].consents.append(consent_of(world, op))


def _withdrawn(world: World, op: Operation) -> None:
    world.cases[op.case].consents.remove(consent_of(world, op))


def consent_of(world: World, op: Operation) -> Consent:
    """The consent that an operation gives or withdraws; its last day is counted from the world's first."""
    return Consent(op.details["purpose"], world.day(op.details["last"]))


def _assigned(world: World, op: Operation) -> None:
    case, role, until = world.cases[op.case], op.details["role"], None
    if op.details["hours"]:
        until = world.now + timedelta(hours=op.details["hours"])
    if role == "reviewer":
        latest = world.now + timedelta(days=7)
        until = min(until, latest) if until else latest
    replaced = {op.user, case.lead()} if role == "lead" else {op.user}
    case.assignments = [one for one in case.assignments if one.user not in replaced]
    case.assignments.append(Assignment(op.user, role, until))


def _ended(world: World, op: Operation) -> None:
    case = world.cases[op.case]
    case.assignments = [one for one in case.assignments if one.user != op.user]


def _excluded(world: World, op: Operation) -> None:
    world.decisions[op.case, op.user] = world.cases[op.case].client


def _lifted(world: World, op: Operation) -> None:
    origin = op.details["origin"]
    if (op.case, origin, op.user) not in world.lift_asked:
        world.lift_asked[op.case, origin, op.user] = op.actor
        return
    del world.decisions[origin, op.user]
    for other in world.cases:
        world.lift_asked.pop((other, origin, op.user), None)


def _moved(world: World, op: Operation) -> None:
    case, to = world.cases[op.case], op.details["to"]
    if to == "closure_requested" or (case.status == "intake" and to == "closed"):
        case.closure_requested_by = op.actor
    elif to != "closed":
        case.closure_requested_by = None
    case.urgent &= to != "closed"
    case.status = to


def _glass_broken(world: World, op: Operation) -> None:
    world.cases[op.case].grants[op.actor] = world.now + timedelta(hours=4)
    world.glass.append(Glass(op.case, op.actor, world.now))


def _reviewed(world: World, op: Operation) -> None:
    """What was not justified ends; an earlier grant that is over says nothing about a later one."""
    of_both = world.broken(op.case, op.user)
    of_both[op.details["number"]].reviewed = True
    if op.details["finding"] == "not_justified" and op.details["number"] == len(of_both) - 1:
        world.cases[op.case].grants.pop(op.user, None)


def _time_passed(world: World, op: Operation) -> None:
    world.now += timedelta(minutes=op.details["minutes"])


def _swept(world: World, op: Operation) -> None:
    """The worker tidies what has ended already: nobody's access changes."""


def _user_changed(world: World, op: Operation) -> None:
    user = world.users[op.user]
    for name, value in op.details.items():
        setattr(user, name, value)


EFFECTS: dict[str, Callable[[World, Operation], None]] = {
    "open": _opened,
    "edit": _edited,
    "incident": _incident_reported,
    "note": _noted,
    "consent": _consented,
    "withdraw": _withdrawn,
    "assign": _assigned,
    "end": _ended,
    "exclude": _excluded,
    "lift": _lifted,
    "move": _moved,
    "break_glass": _glass_broken,
    "review": _reviewed,
    "pass_time": _time_passed,
    "sweep": _swept,
    "change_user": _user_changed,
}
BESIDE_THE_API = {"pass_time", "sweep"}
