"""Which questions to ask after an operation."""

from random import Random
from typing import Any

from tests.oracle.changes import Operation
from tests.oracle.questions import SUBRESOURCES, Question
from tests.oracle.rules import CASEWORK, World


def draw(random: Random, world: World, about: Operation, came_or_went: list[tuple[str, str]]) -> list[Question]:
    """About an operation's case by whom it concerns, about others by anybody, and some of the lists.

    `came_or_went`: pairs of a case and somebody who has just got or lost a place on it.
    """
    names, cases = list(world.users), list(world.cases)
    working = [name for name, user in world.users.items() if user.role in {*CASEWORK, "ccwc_liaison"}]
    supervisors = [name for name, user in world.users.items() if user.role == "supervisor"] or names
    concerned = [name for name in (about.actor, about.user) if name]
    reader = random.choice([user for _, user in came_or_went] or working)
    asked = [
        Question("list", reader, query=_query(random, world)),
        Question("counts", reader),
        Question("caseload", random.choice([*supervisors, random.choice(names)]), query=_load(random)),
        Question("grants", random.choice(working), query=_waiting(random)),
        *(Question("detail", user, case) for case, user in came_or_went),
    ]
    if about.case in world.cases:
        once_there = sorted(user for case, user in world.once if case == about.case)
        there = random.sample(once_there, min(2, len(once_there)))
        looking = dict.fromkeys([*concerned, *there, random.choice(working), random.choice(names)])
        asked += [Question("detail", name, about.case) for name in looking]
        asked += [Question(_below(random), name, about.case) for name in concerned]
    if world.glass:
        glass = random.choice(world.glass[-3:])
        readers = dict.fromkeys([random.choice(concerned or names), random.choice(working)])
        asked += [Question("grant", name, glass.case, {"of": glass.user}) for name in readers]
    if cases:
        asked.append(Question(_below(random), random.choice(working), random.choice(cases)))
    return asked


def _below(random: Random) -> str:
    return random.choice([*SUBRESOURCES, "receipt", "person", "found"])


def _load(random: Random) -> dict[str, Any]:
    return random.choice([{}, {"needs_lead": True}]) | {"limit": random.choice([2, 50, 200])}


def _waiting(random: Random) -> dict[str, Any]:
    return random.choice([{}, {"status": "unreviewed"}, {"status": "reviewed"}]) | {"limit": random.choice([2, 200])}


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
    return {**random.choice(filters), "limit": random.choice([2, 3, 200, 200])}
