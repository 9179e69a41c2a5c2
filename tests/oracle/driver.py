"""Runs of random operations, every answer compared with the rules; a run that differs is shortened."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.oracle.api import Api
from tests.oracle.changes import BESIDE_THE_API, Operation, apply
from tests.oracle.draws import draw
from tests.oracle.operations import Chance
from tests.oracle.questions import Question, ask_all
from tests.oracle.refusals import possible, refusals
from tests.oracle.rules import World
from tests.oracle.stage import Stage, wrongly_derived

STEPS_OF_A_RUN = 40


@dataclass
class Difference:
    """Operations up to the one after which `what` was answered otherwise than the rules say."""

    seed: int
    operations: list[Operation]
    question: Question | None  # None: the last operation's own answer
    answered: Any
    expected: Any

    def __str__(self) -> str:
        lines = [f"seed {self.seed}:"]
        lines += [f"{number:3}. {op}" for number, op in enumerate(self.operations, 1)]
        asked = self.question or "the last operation"
        return "\n".join([*lines, f"asked:    {asked}", f"answered: {self.answered}", f"rules:    {self.expected}"])


@dataclass
class Tally:
    """What was compared: operations by kind and by how they ended, and questions."""

    compared: int = 0
    succeeded: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def count(self, op: Operation, status: int) -> None:
        self.compared += 1
        side = self.refused if status >= 400 else self.succeeded
        side[op.kind] = side.get(op.kind, 0) + 1


async def compare(
    stage: Stage, seed: int, at_least: int, progress: Callable[[int], None] | None = None
) -> tuple[Tally, Difference | None]:
    """Runs until so many comparisons were made, or until the first difference, which is shortened."""
    tally, random = Tally(), Random(seed)  # noqa: S311 (a test's dice)
    while tally.compared < at_least:
        own_seed = random.getrandbits(32)
        found = await _run(stage, own_seed, tally)
        if found is not None:
            return tally, await _shortened(stage, found)
        if progress is not None:
            progress(tally.compared)
    return tally, None


async def _run(stage: Stage, seed: int, tally: Tally) -> Difference | None:
    random = Random(seed)  # noqa: S311
    async with stage.world() as api:
        world = await api.begin()
        chance = Chance(random, world)
        done: list[Operation] = []
        for _ in range(STEPS_OF_A_RUN):
            found = await _step_and_look(api, world, chance, random, done, tally)
            if found is not None:
                return Difference(seed, done, *found)
        rows = wrongly_derived(api.admin, world.now, list(api.cases.values()))
        tally.compared += 1
        said = f"{rows} rows of case_access are not as stated"
        return Difference(seed, done, None, said, "none") if rows else None


async def _step_and_look(
    api: Api, world: World, chance: Chance, random: Random, done: list[Operation], tally: Tally
) -> tuple[Question | None, Any, Any] | None:
    """One operation and two attempts, then questions about one of them."""
    before = world.places()
    for drawn in (chance.operation, chance.attempt, chance.attempt):
        op = drawn()
        done.append(op)
        wrong = await _step(api, world, op, tally)
        if wrong is not None:
            return None, *wrong
    about = random.choice(done[-3:])
    world.once |= world.places()
    came_or_went = sorted(before ^ world.places())
    questions = draw(random, world, about, came_or_went[:3])
    tally.compared += len(questions)
    differing = await ask_all(api, world, questions)
    return differing[0] if differing else None


async def _step(api: Api, world: World, op: Operation, tally: Tally) -> tuple[Any, Any] | None:
    """Do one operation in both worlds; the pair of answers when they differ."""
    if op.kind in BESIDE_THE_API:
        await api.perform(world, op)
        apply(world, op)
        return None
    expected = refusals(world, op)
    before = api.fingerprint() if expected else None
    status = await api.perform(world, op)
    assert status is not None
    tally.count(op, status)
    if expected:
        after = api.fingerprint()
        return None if status in expected and after == before else ((status, after), (sorted(expected), before))
    if not 200 <= status < 300:
        return status, "success"
    apply(world, op)
    return None


async def _replayed(stage: Stage, operations: list[Operation], question: Question | None) -> tuple[Any, Any] | None:
    """The same operations in a new world, what cannot be done left out; the differing answers at the end."""
    async with stage.world() as api:
        world = await api.begin()
        for number, op in enumerate(operations, 1):
            if not possible(world, op):
                continue
            wrong = await _step(api, world, op, Tally())
            if wrong is not None:
                return wrong if question is None and number == len(operations) else None
        if question is None or (question.case and question.case not in world.cases):
            return None
        found = await ask_all(api, world, [question])
        return found[0][1:] if found else None


async def _shortened(stage: Stage, found: Difference) -> Difference:
    """Leave out halves, quarters, … and single operations while the difference stays (delta debugging)."""
    operations, answers = found.operations, (found.answered, found.expected)
    size = len(operations) // 2
    while size:
        start = 0
        while start < len(operations):
            fewer = operations[:start] + operations[start + size :]
            if found.question is None and fewer[-1:] != operations[-1:]:
                break  # the last operation is the question
            again = await _replayed(stage, fewer, found.question)
            if again is None:
                start += size
            else:
                operations, answers = fewer, again
        size //= 2
    return Difference(found.seed, operations, found.question, *answers)
