"""A short fuzz with a fixed seed; `make fuzz` has 20,000 requests and the whole corpus of hostile strings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.database import Server
from tests.fuzz.callers import CALLERS
from tests.fuzz.driver import Fuzz, fuzz
from tests.fuzz.looks import wrong_with

FIXED_SEED = 20260302
EXAMPLES = 4
PROBLEM = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
SENT = "Sok Dara, village 3"


@pytest.fixture(scope="module")
def one(server: Server, template: str, keys_dir: Path) -> Iterator[Fuzz]:
    with server.clone(template) as urls, fuzz(urls, keys_dir) as made:
        yield made


@pytest.mark.parametrize("caller", CALLERS)
def test_whatever_is_sent_the_answer_is_a_success_or_a_silent_problem(one: Fuzz, caller: str) -> None:
    one.tally.wrong.clear()
    one.run(caller, EXAMPLES, FIXED_SEED)
    assert not one.tally.wrong
    assert one.tally.asked[caller].total() > 2 * len(one.operations)
    if caller != "nobody":
        assert {200, 404} <= one.tally.asked[caller].keys(), "the requests reach what they are about"


@pytest.mark.parametrize(
    ("status", "headers", "body", "wrong"),
    [
        (500, PROBLEM, {"code": "internal_error"}, "answered 500"),
        (503, PROBLEM, {"code": "unavailable"}, "answered 503"),
        (422, {**PROBLEM, "Cache-Control": "private"}, {"code": "validation_failed"}, "without no-store"),
        (200, {"Cache-Control": "max-age=60"}, {}, "without no-store"),
        (418, PROBLEM, {"code": "conflict"}, "is not in the description"),
        (422, {**PROBLEM, "Content-Type": "application/json"}, {"code": "x"}, "is no problem+json"),
        (422, PROBLEM, {"code": "No Code"}, "is no problem+json with a code"),
        (422, PROBLEM, {"code": "validation_failed", "errors": [{"message": SENT}]}, "echoes"),
    ],
)
def test_the_looks_at_an_answer_can_fail(status: int, headers: dict[str, str], body: Any, wrong: str) -> None:
    answer = httpx.Response(status, json=body, headers=headers)
    found = wrong_with(answer, "/api/v1/cases", [{"client": [{"name": SENT}]}], {"200", "422", "500"})
    assert found is not None
    assert wrong in found
