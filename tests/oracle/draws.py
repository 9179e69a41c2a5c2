"""Which questions to ask after an operation."""

from random import Random
from typing import Any

from tests.oracle.questions import SUBRESOURCES, Question
from tests.oracle.rules import CASEWORK, World


def draw(random: Random, world: World, touched: str, *people: str) -> list[Question]:
    """About the touched case by whom it concerns, about others by anybody, and some of the lists."""
    names, cases = list(world.users), list(world.cases)
    asked = []
    concerned = [name for name in people if name]
    if touched:
        asked += [Question("detail", name, touched) for name in {*concerned, *random.sample(names, 3)}]
        asked += [
            Question(kind, random.choice(names), touched) for kind in random.sample(list(SUBRESOURCES), 1)
        ]
        asked += [Question(random.choice(list(SUBRESOURCES)), name, touched) for name in concerned]
    if cases:
        asked += [Question("detail", random.choice(names), random.choice(cases)) for _ in range(2)]
        asked += [
            Question(kind, random.choice(names), random.choice(cases))
            for kind in random.sample(["receipt", "person"], 1)
        ]
    working = [name for name, user in world.users.items() if user.role in {*CASEWORK, "ccwc_liaison"}]
    asked += [Question("list", random.choice(working), query=_query(random, world))]
    asked.append(Question("counts", random.choice(working)))
    supervisors = [name for name, user in world.users.items() if user.role == "supervisor"] or names
    loads = random.choice([{}, {"needs_lead": True}]) | {"limit": random.choice([1, 2, 50])}
    asked.append(Question("caseload", random.choice([*supervisors, random.choice(names)]), query=loads))
    return asked


def _query(random: Random, world: World) -> dict[str, Any]:
    case = random.choice(list(world.cases.values())) if world.cases else None
    filters: list[dict[str, Any]] = [{}, {}, {"assigned": "me"}, {"sort": "opened_at"}]
    if case is not None:
        filters += [
            {"status": case.status},
            {"category": case.category},
            {"status": case.status, "category": case.category},
            {"commune_code": case.commune},
            {"sensitivity": random.choice(["sensitive", "standard"])},
            {"lead_id": random.choice(list(world.users))},
        ]
    return {**random.choice(filters), "limit": random.choice([1, 3, 5, 200])}
