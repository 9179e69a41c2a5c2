"""What every operation does to the world of the rules, and with which statuses it may be refused."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.oracle.rules import (
    CASEWORK,
    TABLE,
    WORKS,
    Assignment,
    Case,
    Consent,
    User,
    World,
    agreed,
    columns,
    fits,
    may,
    sees,
    supervises,
)

SENSITIVE = {"health_referral", "domestic_violence", "marital_issue"}
STEPS = {
    "intake": {"assessment", "closed"},
    "assessment": {"planning", "closure_requested"},
    "planning": {"assessment", "implementation", "closure_requested"},
    "implementation": {"planning", "follow_up", "closure_requested"},
    "follow_up": {"planning", "implementation", "closure_requested"},
    "closure_requested": {"follow_up", "closed"},
    "closed": {"assessment"},
}


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
            if until > world.now and name not in out and _may_hold_grant(world.users[name], case)
        }


def _may_hold_grant(user: User, case: Case) -> bool:
    return user.active and user.role in CASEWORK and user.organisation == case.organisation


def person_seen(world: World, user: User, person: str) -> bool:
    """A person is seen exactly as their home is: a case, or an organisation's register."""
    if person in world.register:
        return user.active and user.role in CASEWORK and user.organisation == world.register[person]
    return sees(world, user, world.cases[person]).sees


def possible(world: World, op: Operation) -> bool:
    """Does everything exist that the operation names? What was left out of a shortened run may have made it."""
    if op.kind == "open":
        person = op.details["client"]
        return not person or person in world.register or person in world.cases
    if op.kind in {"pass_time", "sweep", "change_user"}:
        return True
    case = world.cases.get(op.case)
    if case is None:
        return False
    if op.kind == "end":
        return case.place_of(op.user) is not None
    if op.kind == "lift":
        return (case.client, op.user) in world.excluded
    if op.kind == "withdraw":
        return consent_of(world, op) in case.consents
    if op.kind == "assign":  # number 4 of what rules.py leaves out
        return op.user not in case.grants or op.details["role"] in {"lead", "caseworker", "liaison"}
    if op.kind == "grant":
        holder, excluded = world.users[op.user], (case.client, op.user) in world.excluded
        return _may_hold_grant(holder, case) and not excluded and case.place_of(op.user) is None
    return True


# ---- refusals: the statuses with which an operation may be refused; none: it must succeed ----


def refusals(world: World, op: Operation) -> set[int]:
    user = world.users[op.actor]
    if op.kind == "open":
        return _open_refusals(world, user, op)
    if op.kind == "change_user":
        return {401} if not user.active else set() if user.role == "admin" else {403}
    case = world.cases[op.case]
    status = may(world, user, {"withdraw": "consent"}.get(op.kind, op.kind), case)
    return {status} if status != 200 else REFUSALS[op.kind](world, user, case, op)


def _open_refusals(world: World, user: User, op: Operation) -> set[int]:
    wanted = op.details
    if not user.active:
        return {401}
    if user.role not in CASEWORK | {"ccwc_liaison"}:
        return {403}
    found = set()
    if wanted["client"] and (user.role == "ccwc_liaison" or not person_seen(world, user, wanted["client"])):
        found.add(404)  # a liaison is shown nobody's id
    if wanted["category"] in SENSITIVE and wanted["sensitivity"] == "standard":
        found.add(422)
    if user.name in wanted["excluded"]:
        found.add(422)
    if user.role == "ccwc_liaison":
        named = wanted["organisation"] in {"ngo", "other_ngo"}
        if not named or wanted["lead"] or wanted["commune"] not in user.communes:
            found.add(422)
        return found
    if wanted["organisation"] not in {None, user.organisation}:
        found.add(422)
    lead = world.users[wanted["lead"] or user.name]
    unfit = not lead.active or lead.role not in CASEWORK or lead.organisation != user.organisation
    if unfit or lead.name in wanted["excluded"] or (_client(world, op), lead.name) in world.excluded:
        found.add(422)
    return found


def _edit(world: World, user: User, case: Case, op: Operation) -> set[int]:
    wanted = op.details
    falls = wanted.get("sensitivity") == "standard" and case.sensitive
    down = wanted.get("category", case.category) not in SENSITIVE and case.category in SENSITIVE
    return {409} if case.status == "closed" or falls or down else set()


def _while_open(world: World, user: User, case: Case, op: Operation) -> set[int]:
    return {409} if case.status == "closed" else set()


def _note(world: World, user: User, case: Case, op: Operation) -> set[int]:
    found = _while_open(world, user, case, op)
    if user.role == "ccwc_liaison" and op.details["audience"] == "caseworkers":
        found.add(403)
    return found


def _withdraw(world: World, user: User, case: Case, op: Operation) -> set[int]:
    return set()


def _assign(world: World, user: User, case: Case, op: Operation) -> set[int]:
    target, role = world.users[op.user], op.details["role"]
    found = set()
    if role == "reviewer" and not supervises(user, case):
        found.add(403)
    if role == "liaison" and not sees(world, user, case).sees:
        found.add(403)
    if not fits(world, Assignment(target.name, role, None), case):
        found |= {409, 422} if role == "liaison" else {422}
    if (case.client, target.name) in world.excluded:
        found.add(409)
    return found


def _end(world: World, user: User, case: Case, op: Operation) -> set[int]:
    place = case.place_of(op.user)
    assert place is not None
    found = set()
    if place.role == "lead":
        found.add(409)
    if place.role == "reviewer" and not supervises(user, case):
        found.add(403)
    return found


def _exclude(world: World, user: User, case: Case, op: Operation) -> set[int]:
    found = set()
    if op.user == user.name:
        found.add(422)
    if op.user == case.lead():
        found.add(409)
    return found


def _lift(world: World, user: User, case: Case, op: Operation) -> set[int]:
    first = world.lift_asked.get((case.name, op.user))
    if first is None:
        return set()
    if first == user.name:
        return {409}
    return set() if "supervisor" in {user.role, world.users[first].role} else {403}


def _move(world: World, user: User, case: Case, op: Operation) -> set[int]:
    to = op.details["to"]
    steps = STEPS[case.status] | ({"implementation"} if case.status == "intake" and not case.sensitive else set())
    found = set()
    if to not in steps:
        found.add(409)
    if not may_take_step(world, user, case, to):
        found.add(403)
    if case.status == "intake" and to != "closed" and not agreed(world, case, "services"):
        found.add(409)
    return found


def may_take_step(world: World, user: User, case: Case, to: str) -> bool:
    """Whose decision a step is (product.md, Lifecycle), for somebody who may move the case at all."""
    stands = columns(world, user, case)
    if case.status == "closure_requested" and case.sensitive:
        return "reviewer" in stands and user.name != case.closure_requested_by
    if case.status == "closure_requested" and to != "closed":
        return "overseer" in stands
    if "closed" in {case.status, to}:
        return bool({"lead", "overseer"} & stands)
    return bool({*WORKS, "supervisor"} & stands)


REFUSALS: dict[str, Callable[[World, User, Case, Operation], set[int]]] = {
    "edit": _edit,
    "incident": _while_open,
    "note": _note,
    "consent": _while_open,
    "withdraw": _withdraw,
    "assign": _assign,
    "end": _end,
    "exclude": _exclude,
    "lift": _lift,
    "move": _move,
}
assert set(REFUSALS) - {"withdraw"} <= set(TABLE)


# ---- effects ----


def apply(world: World, op: Operation) -> None:
    """Change the world as the operation does when it succeeds."""
    EFFECTS[op.kind](world, op)
    settle(world)


def _client(world: World, op: Operation) -> str:
    person = op.details["client"]
    if not person:
        return f"client of {op.case}"
    return str(person) if person in world.register else world.cases[person].client


def _opened(world: World, op: Operation) -> None:
    wanted, user = op.details, world.users[op.actor]
    liaison = user.role == "ccwc_liaison"
    organisation = wanted["organisation"] if liaison else user.organisation
    world.cases[op.case] = case = Case(
        name=op.case,
        organisation=organisation,
        creator=op.actor,
        client=_client(world, op),
        category=wanted["category"],
        sensitive=wanted["category"] in SENSITIVE or wanted["sensitivity"] == "sensitive",
        commune=wanted["commune"],
        opened_at=world.now,
        consents=[Consent(purpose, world.day(last)) for purpose, last in wanted["consents"]],
    )
    if not liaison:
        case.assignments.append(Assignment(wanted["lead"] or op.actor, "lead", None))
    world.excluded |= {(case.client, name) for name in wanted["excluded"]}


def _edited(world: World, op: Operation) -> None:
    case, wanted = world.cases[op.case], op.details
    case.category = wanted.get("category", case.category)
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
    world.excluded.add((world.cases[op.case].client, op.user))


def _lifted(world: World, op: Operation) -> None:
    case = world.cases[op.case]
    if (op.case, op.user) not in world.lift_asked:
        world.lift_asked[op.case, op.user] = op.actor
        return
    world.excluded.discard((case.client, op.user))
    for other in world.cases.values():
        if other.client == case.client:
            world.lift_asked.pop((other.name, op.user), None)


def _moved(world: World, op: Operation) -> None:
    case, to = world.cases[op.case], op.details["to"]
    if to == "closure_requested" or (case.status == "intake" and to == "closed"):
        case.closure_requested_by = op.actor
    elif to != "closed":
        case.closure_requested_by = None
    case.status = to


def _granted(world: World, op: Operation) -> None:
    world.cases[op.case].grants[op.user] = world.now + timedelta(hours=4)


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
    "grant": _granted,
    "pass_time": _time_passed,
    "sweep": _swept,
    "change_user": _user_changed,
}
BESIDE_THE_API = {"grant", "pass_time", "sweep"}
