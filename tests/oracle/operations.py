"""Random operations for a world of the rules: such as somebody may do, and attempts at what they may not."""

from collections.abc import Callable
from random import Random
from typing import Any

from tests.cast import COMMUNE, OTHER_COMMUNE
from tests.oracle.changes import BESIDE_THE_API, SENSITIVE, Operation
from tests.oracle.refusals import STEPS, possible, refusals
from tests.oracle.rules import CASEWORK, Case, World, sees

STANDARD = ("id_poor", "land_dispute", "vital_documents")
WEIGHTS = {
    "open": 12,
    "assign": 22,
    "end": 6,
    "exclude": 8,
    "lift": 7,
    "consent": 7,
    "withdraw": 5,
    "break_glass": 9,
    "review": 6,
    "pass_time": 9,
    "sweep": 2,
    "change_user": 7,
    "edit": 13,
    "incident": 2,
    "note": 5,
    "move": 16,
}
ATTEMPTED = (
    *("assign", "assign", "end", "exclude", "lift", "consent", "withdraw", "edit", "incident", "note", "move"),
    *("break_glass", "review"),
)
MINUTES = (1, 30, 60, 239, 240, 241, 600, 1440, 3 * 1440, 7 * 1440)
MOST_CASES = 6
# Every run begins with these: one that nobody leads, a sensitive one, a standard one.
FIRST_CASES = (("liaison", "marital_issue"), ("caseworker", "domestic_violence"), ("colleague", "id_poor"))


class Chance:
    """Draws operations; the same generator and world give the same operation."""

    def __init__(self, random: Random, world: World) -> None:
        self.random, self.world = random, world
        self._last = ""
        self._original = {
            name: {
                "role": user.role,
                "organisation": user.organisation,
                "communes": user.communes,
                "active": True,
            }
            for name, user in world.users.items()
            if user.role in {*CASEWORK, "ccwc_liaison"}
        }

    def operation(self) -> Operation:
        """One operation whose parts all exist; four times of five by somebody who may, if anybody may."""
        if len(self.world.cases) < len(FIRST_CASES):
            actor, category = FIRST_CASES[len(self.world.cases)]
            details = self._open().details | {"client": None, "lead": None, "excluded": [], "sensitivity": None}
            details |= {"category": category, "organisation": "ngo", "commune": COMMUNE}
            return Operation("open", actor, f"c{len(self.world.cases) + 1}", details=details)
        return self._until_possible(lambda: self.random.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0])

    def attempt(self) -> Operation:
        """A change of a case by somebody who knows of it, and most often may not."""
        if not self.world.cases:
            return self.operation()
        op = self._until_possible(lambda: self._one(*ATTEMPTED))
        case = self.world.cases[op.case]
        knowing = [name for name, user in self.world.users.items() if sees(self.world, user, case).view != "none"]
        actor = self.random.choice(knowing) if knowing and self.random.random() < 0.7 else self._somebody()
        return Operation(op.kind, actor, op.case, op.user, op.details)

    def _until_possible(self, kind: Callable[[], str]) -> Operation:
        while True:
            op = self._drawn(kind())
            if op is not None and possible(self.world, op):
                return op

    def _drawn(self, kind: str) -> Operation | None:
        draws: dict[str, Callable[[Case], Operation | None]] = {
            "assign": self._assign,
            "end": self._end,
            "exclude": lambda case: Operation("exclude", case=case.name, user=self._somebody()),
            "lift": self._lift,
            "consent": self._consent,
            "withdraw": self._withdraw,
            "break_glass": lambda case: self._of(case, "break_glass"),
            "review": self._review,
            "edit": self._edit,
            "incident": lambda case: Operation("incident", case=case.name),
            "note": lambda case: self._of(case, "note", audience=self._one(None, "team", "caseworkers")),
            "move": self._move,
        }
        if kind == "open":
            return self._by_somebody(self._open()) if len(self.world.cases) < MOST_CASES else None
        if kind == "pass_time":
            return Operation("pass_time", details={"minutes": self._one(*MINUTES)})
        if kind == "sweep":
            return Operation("sweep")
        if kind == "change_user":
            return self._by_somebody(self._change_user())
        if not self.world.cases:
            return None
        drawn = draws[kind](self._case())
        return drawn if drawn is None or kind in BESIDE_THE_API else self._by_somebody(drawn)

    def _by_somebody(self, op: Operation) -> Operation:
        """Given an actor: four times of five one who may, if anybody may."""
        tried = [Operation(op.kind, name, op.case, op.user, op.details) for name in self.world.users]
        able = [one for one in tried if possible(self.world, one) and not refusals(self.world, one)]
        return self.random.choice(able if able and self.random.random() < 0.8 else tried)

    def _case(self) -> Case:
        """Often the last one again: what is wrong shows when several things happen to the same case."""
        if self._last not in self.world.cases or self.random.random() < 0.4:
            self._last = self.random.choice(list(self.world.cases))
        return self.world.cases[self._last]

    def _somebody(self) -> str:
        return self.random.choice(list(self.world.users))

    def _one(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def _of(self, case: Case, kind: str, user: str = "", **details: Any) -> Operation:
        return Operation(kind, case=case.name, user=user, details=details)

    def _open(self) -> Operation:
        persons = [*self.world.register, *self.world.cases]
        consents = [("services", None)] if self.random.random() < 0.8 else []
        if self.random.random() < 0.7:
            consents.append(("ccwc_support", self._one(None, 0, 3)))
        staff = [name for name, user in self.world.users.items() if user.role in CASEWORK]
        details = {
            "category": self._one(*STANDARD, *sorted(SENSITIVE)),
            "sensitivity": self._one(None, None, None, "standard", "sensitive"),
            "lead": self.random.choice(staff) if self.random.random() < 0.3 else None,
            "organisation": self._one(None, None, "ngo", "other_ngo"),
            "client": self.random.choice(persons) if self.random.random() < 0.5 else None,
            "commune": self._one(COMMUNE, COMMUNE, OTHER_COMMUNE),
            "consents": consents,
            "excluded": [self._somebody() for _ in range(self._one(0, 0, 0, 1, 2))],
        }
        return Operation("open", case=f"c{len(self.world.cases) + 1}", details=details)

    def _assign(self, case: Case) -> Operation:
        role = self._one("lead", "lead", "caseworker", "cover", "reviewer", "liaison", "liaison", "liaison")
        hours = {"cover": self._one(2, 48), "reviewer": self._one(5, 50, 1000)}.get(role)
        fitting = {"liaison": {"ccwc_liaison"}, "reviewer": {"supervisor"}}.get(role, CASEWORK)
        users = [
            name
            for name, user in self.world.users.items()
            if user.role in fitting
            and (case.commune in user.communes if role == "liaison" else user.organisation == case.organisation)
        ]
        user = self.random.choice(users) if users and self.random.random() < 0.9 else self._somebody()
        return self._of(case, "assign", user, role=role, hours=hours)

    def _end(self, case: Case) -> Operation | None:
        placed = [one.user for one in case.assignments if one.role != "lead" or self.random.random() < 0.1]
        return self._of(case, "end", self.random.choice(placed)) if placed else None

    def _lift(self, case: Case) -> Operation | None:
        out = sorted(decision for decision, client in self.world.decisions.items() if client == case.client)
        if not out:
            return None
        origin, user = self.random.choice(out)
        return self._of(case, "lift", user, origin=origin)

    def _review(self, case: Case) -> Operation | None:
        of_case = [one for one in self.world.glass if one.case == case.name] or self.world.glass
        if not of_case:
            return None
        one = self.random.choice(of_case)
        number = next(n for n, other in enumerate(self.world.broken(one.case, one.user)) if other is one)
        finding = self._one("justified", "needs_follow_up", "not_justified")
        return self._of(self.world.cases[one.case], "review", one.user, number=number, finding=finding)

    def _consent(self, case: Case) -> Operation:
        purpose = self._one("ccwc_support", "ccwc_support", "services")
        today = (self.world.now - self.world.start).days
        last = self._one(None, today, today + 1, today + 4)
        return self._of(case, "consent", purpose=purpose, last=last)

    def _withdraw(self, case: Case) -> Operation | None:
        if not case.consents:
            return None
        consent = self.random.choice(case.consents)
        first = self.world.day(0)
        assert first is not None
        last = None if consent.last_day is None else (consent.last_day - first).days
        return self._of(case, "withdraw", purpose=consent.purpose, last=last)

    def _edit(self, case: Case) -> Operation:
        elsewhere = OTHER_COMMUNE if case.commune == COMMUNE else COMMUNE
        return self._of(
            case,
            "edit",
            **self._one(
                {"sensitivity": "sensitive"},
                {"sensitivity": "standard"},
                {"category": self._one(*STANDARD)},
                {"category": self._one(*sorted(SENSITIVE))},
                {"commune": elsewhere},
                {"commune": elsewhere},
                {"commune": elsewhere},
                {"summary": "Told more."},
            ),
        )

    def _move(self, case: Case) -> Operation:
        to = self.random.choice(sorted(STEPS)) if self.random.random() < 0.2 else self._one(*sorted(STEPS[case.status]))
        return self._of(case, "move", to=to)

    def _change_user(self) -> Operation:
        name = self.random.choice(list(self._original))
        liaison = {"role": "ccwc_liaison", "organisation": self._one("council", "ngo")}
        casework = {
            "role": self._one("caseworker", "supervisor"),
            "organisation": self._one("ngo", "other_ngo"),
        }
        change = self._one(
            self._original[name],
            self._original[name],
            {"active": False},
            casework | {"communes": frozenset()},
            liaison | {"communes": frozenset({self._one(COMMUNE, OTHER_COMMUNE)})},
        )
        return Operation("change_user", user=name, details=dict(change))
