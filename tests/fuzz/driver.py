"""Generates requests with schemathesis from the whole description, sends each as one caller, looks at the answer."""

import asyncio
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from app.database_urls import DatabaseUrls
from tests.calls import CALLS, Call
from tests.fuzz.callers import CALLERS
from tests.fuzz.looks import wrong_with
from tests.ground import Ground, ground
from tests.matrix import CASE_ROWS, OTHER_ROWS, PUBLIC_ROWS, Row
from tests.standpoints import Standpoint

ROOT = "http://samaki.test"
# Ours to say: who calls, and how long the body is.
NOT_FORWARDED = {b"authorization", b"content-length", b"host", b"connection", b"cookie"}
ROWS: dict[str, Row] = {row.operation: row for row in reversed((*CASE_ROWS, *OTHER_ROWS, *PUBLIC_ROWS))}
_Key = tuple[str, GenerationMode, int, int]


@dataclass
class Tally:
    """Requests by caller and status, those that HTTP itself cannot carry, and what was wrong, once for each kind."""

    asked: dict[str, Counter[int]] = field(default_factory=dict)
    unsendable: int = 0
    wrong: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All requests that were answered."""
        return sum(statuses.total() for statuses in self.asked.values())


@dataclass(frozen=True)
class _Drawing:
    """So many requests of one operation, out of a seed."""

    operation: Any
    mode: GenerationMode
    examples: int
    seed: int

    def cases(self, path: dict[str, str] | None) -> list[Any]:
        """The requests, with these ids in the path or (None) with drawn ones."""
        found: list[Any] = []

        @seed(self.seed)
        @settings(
            max_examples=self.examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(self.operation.as_strategy(generation_mode=self.mode, path_parameters=path))
        def keep(case: Any) -> None:
            found.append(case)

        with suppress(Unsatisfiable):  # an operation that takes nothing cannot be asked wrongly
            keep()
        return found


class Fuzz:
    """One application, its description, and a loop to call it from Hypothesis, which knows no `await`."""

    def __init__(self, on: Ground, runner: asyncio.Runner) -> None:
        self.on, self.runner, self.tally = on, runner, Tally()
        self._cases: dict[_Key, list[Any]] = {}
        self._seed: int | None = None
        schema = schemathesis.openapi.from_dict(on.app.openapi())
        found = list(schema.get_all_operations())
        self.operations: list[Any] = [one.ok() for one in found if isinstance(one, Ok)]
        assert len(self.operations) == len(found), "an operation that schemathesis cannot read is not left out"

    def run(self, caller: str, examples: int, first_seed: int) -> None:
        """So many requests of every operation as this caller: half as described, half not; half at real ids."""
        if first_seed != self._seed:
            self._cases, self._seed = {}, first_seed
        self.tally.asked.setdefault(caller, Counter())
        for number, operation in enumerate(self.operations):
            for how, (mode, path) in enumerate(self._ways(operation, CALLERS[caller])):
                drawing = _Drawing(operation, mode, max(1, examples // 4), first_seed + 10 * number + how)
                for case in self._drawn(drawing, path):
                    self._ask(caller, operation, case)

    def _ways(self, operation: Any, point: Standpoint) -> list[tuple[GenerationMode, dict[str, str] | None]]:
        row = ROWS[f"{operation.method.upper()} {operation.path.removeprefix('/api/v1')}"]
        stage = self.on.stage
        known = {**stage.register, **stage.cases.get(point.case, stage.cases["standard"]).ids, "code": "170201"}
        known["incoming_id"] = stage.cases["standard"].ids["transfer_id"]
        known["session_id"] = str(uuid4())  # the own one would end what the others need
        own = {name: known[name] for name in _names(row.path)}
        ids: list[dict[str, str] | None] = [own or None, None]
        modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        return [(mode, path) for mode in modes for path in ids]

    def _drawn(self, drawing: "_Drawing", path: dict[str, str] | None) -> list[Any]:
        """The requests of a seed: equal for every caller but for the ids in the path, so they are drawn once."""
        key = (drawing.operation.label, drawing.mode, drawing.examples, drawing.seed)
        if key not in self._cases:
            self._cases[key] = drawing.cases(path)
        for case in self._cases[key]:
            if path is not None:
                case.path_parameters = dict(path)
        return self._cases[key]

    def _ask(self, caller: str, operation: Any, case: Any) -> None:
        try:
            request = _prepared(case)
        except (requests.RequestException, ValueError):
            self.tally.unsendable += 1
            return
        point, name = CALLERS[caller], f"{operation.method.upper()} {operation.path}"
        answer = self.runner.run(self._send(_call_of(operation), point, request))
        self.tally.asked[caller][answer.status_code] += 1
        sent = [case.body, case.query, case.headers, case.path_parameters]
        if wrong := wrong_with(answer, operation.path, sent, set(operation.definition.raw["responses"])):
            self.tally.wrong[f"{name} as {caller}: {wrong}"] += 1

    async def _send(self, call: Call, point: Standpoint, request: requests.PreparedRequest) -> httpx.Response:
        stage, nobody = self.on.stage, point.name == "nobody"
        client = stage.cast.client("nobody") if nobody else stage.client(point.name)
        if call.before and not nobody:
            call.before(stage, point)
        headers = [(name, value) for name, value in _wire(request.headers) if name.lower() not in NOT_FORWARDED]
        body: Any = request.body.encode() if isinstance(request.body, str) else request.body
        answer = await client.request(str(request.method), str(request.url), content=body, headers=headers)
        if call.after and not nobody:
            call.after(stage, point)
        return answer


def _wire(headers: Any) -> Iterator[tuple[bytes, bytes]]:
    for pair in headers.items():
        name, value = (part if isinstance(part, bytes) else part.encode("latin-1") for part in pair)
        yield name, value


def _prepared(case: Any) -> requests.PreparedRequest:
    """The request as it would go over the wire. Raises ValueError where HTTP has no way to write it."""
    wanted = case.as_transport_kwargs(base_url=ROOT)
    return requests.Request(**{name: value for name, value in wanted.items() if name != "cookies"}).prepare()


def _call_of(operation: Any) -> Call:
    row = ROWS[f"{operation.method.upper()} {operation.path.removeprefix('/api/v1')}"]
    return CALLS.get(row.key, Call())


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


@contextmanager
def fuzz(urls: DatabaseUrls, keys_dir: Path) -> Iterator[Fuzz]:
    """The application on the stage of the matrix, ready to be asked."""
    with asyncio.Runner() as runner, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # schemathesis warns of its own parts
        stack = AsyncExitStack()
        on = runner.run(stack.enter_async_context(ground(urls, keys_dir)))
        # Readiness asks for a worker's sign of life, by the clock of the database.
        on.stage.run("insert into worker_heartbeats (name, seen_at) values ('worker', now() + interval '1 day')")
        try:
            yield Fuzz(on, runner)
        finally:
            runner.run(stack.aclose())
