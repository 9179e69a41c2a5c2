"""With which statuses the rules refuse an operation, and whether it names only what exists."""

from collections.abc import Callable
from typing import Any

from tests.oracle.changes import (
    SENSITIVE,
    Operation,
    consent_of,
    may_hold_grant,
)
from tests.oracle.rules import (
    CASEWORK,
    TABLE,
    WORKS,
    Assignment,
    Case,
    User,
    World,
    agreed,
    blocked,
    columns,
    fits,
    knows_decision,
    knows_grant,
    may,
    sees,
    supervises,
)

STEPS = {
    "intake": {"assessment", "closed"},
    "assessment": {"planning", "closure_requested"},
    "planning": {"assessment", "implementation", "closure_requested"},
    "implementation": {"planning", "follow_up", "closure_requested"},
    "follow_up": {"planning", "implementation", "closure_requested"},
    "closure_requested": {"follow_up", "closed"},
    "closed": {"assessment"},
}


def possible(world: World, op: Operation) -> bool:
    """Does everything exist that it names? What was left out of a shortened run may have made it."""
    if op.kind == "open":
        person = op.details["client"]
        return not person or person in world.register or person in world.cases
    if not op.case:
        return True
    case = world.cases.get(op.case)
    return case is not None and (op.kind not in NEEDS or NEEDS[op.kind](world, case, op))


NEEDS: dict[str, Callable[[World, Case, Operation], bool]] = {
    "end": lambda world, case, op: case.place_of(op.user) is not None,
    # One decision on a case about a user, so that it has a name.
    "exclude": lambda world, case, op: (case.name, op.user) not in world.decisions,
    "lift": lambda world, case, op: world.decisions.get((op.details["origin"], op.user)) == case.client,
    "withdraw": lambda world, case, op: consent_of(world, op) in case.consents,
    "review": lambda world, case, op: op.details["number"] < len(world.broken(op.case, op.user)),
    # Number 3 of what rules.py leaves out: no place with an end above a grant.
    "assign": lambda world, case, op: not op.details["hours"] or op.user not in case.grants,
}


def refusals(world: World, op: Operation) -> set[int]:
    """The statuses of which it is refused with one (no order among wrongs is promised); none: it succeeds."""
    user = world.users[op.actor]
    if op.kind == "open":
        return _open_refusals(world, user, op)
    if op.kind == "change_user":
        return {401} if not user.active else set() if user.role == "admin" else {403}
    case = world.cases[op.case]
    if op.kind in EMERGENCIES:
        return EMERGENCIES[op.kind](world, user, case, op)
    status = may(world, user, {"withdraw": "consent"}.get(op.kind, op.kind), case)
    return {status} if status != 200 else REFUSALS[op.kind](world, user, case, op)


def person_seen(world: World, user: User, person: str) -> bool:
    """A person is seen exactly as their home is: a case, or an organisation's register."""
    if person in world.register:
        return user.active and user.role in CASEWORK and user.organisation == world.register[person]
    return sees(world, user, world.cases[person]).sees


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
        found |= {422} if _is_brought_wrongly(world, user, wanted) else set()
        return found
    if wanted["organisation"] not in {None, user.organisation}:
        found.add(422)
    lead = world.users[wanted["lead"] or user.name]
    unfit = not lead.active or lead.role not in CASEWORK or lead.organisation != user.organisation
    if unfit or lead.name in wanted["excluded"]:
        found.add(422)
    return found


def _is_brought_wrongly(world: World, user: User, wanted: dict[str, Any]) -> bool:
    """By a liaison: to no organisation, with a lead, from elsewhere, or to where nobody is left who may name a lead."""
    there = [one for one in world.users.values() if one.organisation == wanted["organisation"]]
    left = any(one.role == "supervisor" and one.active and one.name not in wanted["excluded"] for one in there)
    named = wanted["organisation"] in {"ngo", "other_ngo"}
    from_here = wanted["commune"] in user.communes
    return not named or bool(wanted["lead"]) or not from_here or (bool(wanted["excluded"]) and not left)


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
    if not supervises(user, case) and "supervisor" in {target.role, "supervisor" if role == "reviewer" else ""}:
        found.add(403)  # a lead names liaisons and caseworkers
    if target.name == user.name and role != "reviewer" and not sees(world, user, case).sees:
        found.add(403)  # a supervisor takes what she cannot see as its reviewer only
    if role == "liaison" and not sees(world, user, case).sees:
        found.add(403)
    if not fits(world, Assignment(target.name, role, None), case):
        found |= {409, 422} if role == "liaison" else {422}
    if (case.client, target.name) in world.excluded:
        found.add(409)
    if target.name == case.lead() and role != "lead":
        found.add(409)  # the lead's assignment ends only by naming another
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
    if not knows_decision(world, user, case, op.details["origin"]):
        return {404}
    first = world.lift_asked.get((case.name, op.details["origin"], op.user))
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
    # Nobody of the oracle assesses danger or writes a safety plan.
    asks_for_a_plan = (case.status, to) in {("planning", "implementation"), ("closure_requested", "closed")}
    if case.category == "domestic_violence" and asks_for_a_plan:
        found.add(409)
    if case.urgent and to == "closed":  # nobody of the oracle does what is urgent
        found.add(409)
    if case.status in {"intake", "closed"} and to != "closed" and not agreed(world, case, "services"):
        found.add(409)
    return found


def may_take_step(world: World, user: User, case: Case, to: str) -> bool:
    """Whose decision a step is (product.md, Lifecycle), for somebody who may move the case at all."""
    stands = columns(world, user, case)
    if (case.status, to) == ("closure_requested", "follow_up") and (
        "lead" in stands or user.name == case.closure_requested_by
    ):
        return True  # who asked, or leads, takes the request back
    if case.status == "closure_requested" and case.sensitive:
        return "reviewer" in stands and user.name != case.closure_requested_by
    if case.status == "closure_requested" and to != "closed":
        return "overseer" in stands
    if "closed" in {case.status, to}:
        return bool({"lead", "overseer"} & stands)
    return bool({*WORKS, "supervisor"} & stands)


def _break_glass(world: World, user: User, case: Case, op: Operation) -> set[int]:
    """A block is said before anything is said about the code."""
    if not user.active:
        return {401}
    if user.role not in CASEWORK:
        return {403}
    if blocked(world, user):
        return {409}
    if not may_hold_grant(user, case) or (case.client, user.name) in world.excluded:
        return {404}
    return {409} if sees(world, user, case).sees else set()


def _review(world: World, user: User, case: Case, op: Operation) -> set[int]:
    glass = world.broken(op.case, op.user)[op.details["number"]]
    if not user.active:
        return {401}
    if user.role != "supervisor":
        return {403}
    if not knows_grant(world, user, glass):
        return {404}
    if glass.user == user.name:
        return {403}
    return {409} if glass.reviewed else set()


EMERGENCIES: dict[str, Callable[[World, User, Case, Operation], set[int]]] = {
    "break_glass": _break_glass,
    "review": _review,
}
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
