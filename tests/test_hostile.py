"""Hostile text and bodies in every field of every operation: refused or kept, never a failure, never echoed.

A refused request leaves nothing behind: as many transactions have written as requests were accepted.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.database import Server
from tests.ground import Ground, another
from tests.hostile import (
    Attempts,
    bodies_of_operations,
    body_of,
    check_silence,
    strings_in_fields,
    strings_in_parameters,
)
from tests.hostile_strings import HOSTILE
from tests.matrix import CASE_ROWS
from tests.standpoints import STANDPOINTS

# One string in so many goes into one field; the next field begins with the next string, so that every string is
# tried in a part of the fields and every field with a part of the strings. `make fuzz` has more patience.
STRINGS_OF_A_FIELD, BODIES_OF_AN_OPERATION, STRINGS_OF_A_PARAMETER = 9, 5, 29


@pytest.fixture(scope="module")
async def on(server: Server, set_stage: Ground, keys_dir: Path) -> AsyncIterator[Ground]:
    async with another(server, set_stage, keys_dir) as made:
        yield made


async def test_hostile_strings_in_every_field_of_every_body(on: Ground) -> None:
    asked, fields = await strings_in_fields(on, STRINGS_OF_A_FIELD)
    print(f"{asked} requests with hostile strings in {fields} fields")  # noqa: T201
    assert fields > 100


async def test_hostile_bodies_of_every_operation(on: Ground) -> None:
    print(f"{await bodies_of_operations(on, BODIES_OF_AN_OPERATION)} hostile bodies")  # noqa: T201


async def test_hostile_strings_in_every_parameter_and_header(on: Ground) -> None:
    asked, parameters = await strings_in_parameters(on, STRINGS_OF_A_PARAMETER)
    print(f"{asked} requests with hostile parameters")  # noqa: T201
    assert parameters > 50


@pytest.mark.parametrize("header", ["If-Match", "Idempotency-Key", "Accept-Language", "X-Request-ID", "Authorization"])
async def test_hostile_strings_in_the_headers_of_a_write(on: Ground, header: str) -> None:
    attempts = Attempts(on)
    lead = {point.name: point for point in STANDPOINTS}["lead"]
    note = next(row for row in CASE_ROWS if row.operation == "POST /cases/{case_id}/notes")
    edit = next(row for row in CASE_ROWS if row.operation == "PATCH /cases/{case_id}")
    for name, hostile in HOSTILE[::3]:
        value = hostile.encode("utf-8", "surrogatepass").translate(None, bytes([*range(32), 127]))[:5_000]
        for row in (note, edit):
            body = body_of(on, row, lead)
            await attempts.send(row, lead, name, hostile, json=body, headers={header: value.decode("latin-1").encode()})


async def test_the_corpus_notices_an_operation_that_fails_or_echoes(on: Ground) -> None:
    """The looks at an answer can fail."""
    echo = httpx.Response(
        422,
        json={"code": "validation_failed", "echo": "Sok\tDara"},
        headers={"Content-Type": "application/problem+json"},
    )
    with pytest.raises(AssertionError):
        check_silence(echo, "Sok\tDara", "an echo")
    attempts = Attempts(on)
    mark = attempts.mark()
    on.stage.run("update organisations set version = version")
    assert attempts.written_since(mark) == 1
