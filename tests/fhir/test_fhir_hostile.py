"""Hostile text in every field of what partners send in FHIR: taken or refused, never a failure, never echoed.

Some of the strings go into each field, the next field going on with the next, so that every one is tried somewhere.
"""

import json
from typing import Any

import httpx
from fastapi import FastAPI

from tests.cast import Cast
from tests.fhir.asking import FHIR_JSON, JSON_PATCH, ask, transaction
from tests.hostile import places_of_strings, with_value
from tests.hostile_strings import HOSTILE
from tests.referring import referred

STRINGS_OF_A_FIELD = 2


def places(app: FastAPI, path: str, method: str) -> list[tuple[str | int, ...]]:
    """Where a string may stand in the body of this operation."""
    document = app.openapi()
    (content,) = document["paths"][path][method]["requestBody"]["content"].values()
    found = set(places_of_strings(content["schema"], document["components"]["schemas"]))
    return sorted(found, key=str)


def said_nothing_of(hostile: str, response: httpx.Response) -> bool:
    """A refusal does not repeat it; a short or plain word may stand in an answer by itself."""
    plain = len(hostile.strip()) < 4 or (hostile.isascii() and hostile.isalnum())
    return response.is_success or plain or hostile not in response.text


async def try_all(cast: Cast, app: FastAPI, path: str, method: str, body: Any, address: str, kind: str) -> int:
    asked = 0
    for number, place in enumerate(places(app, path, method)):
        for turn in range(STRINGS_OF_A_FIELD):
            name, hostile = HOSTILE[(number * STRINGS_OF_A_FIELD + turn) % len(HOSTILE)]
            content = json.dumps(with_value(body, place, hostile)).encode()
            headers = {"Content-Type": kind, "If-Match": "*"}
            response = await ask(cast, "partner", method.upper(), address, content=content, headers=headers)
            asked += 1
            assert said_nothing_of(hostile, response), (place, name)
    return asked


async def test_hostile_strings_in_every_field_of_a_transaction(cast: Cast, app: FastAPI) -> None:
    fields = [place for place in places(app, "/fhir/R4", "post") if place[:1] == ("entry",)]
    assert len(fields) > 150
    entries, asked = transaction(cast)["entry"], 0
    for first in range(4):  # the schema speaks of the first of a list: each resource is that once
        bundle = {**transaction(cast), "entry": [*entries[first:], *entries[:first]]}
        for number, place in enumerate(fields):
            if place[2] == "resource" and len(place) > 3 and place[3] not in entries[first]["resource"]:
                continue
            name, hostile = HOSTILE[(number + first) % len(HOSTILE)]
            content = json.dumps(with_value(bundle, place, hostile)).encode()
            response = await ask(cast, "partner", "POST", "", content=content, headers={"Content-Type": FHIR_JSON})
            assert said_nothing_of(hostile, response), (place, name)
            asked += 1
    assert asked > 100


async def test_hostile_strings_in_every_field_of_a_task_and_of_a_patch(cast: Cast, app: FastAPI) -> None:
    referral = await referred(cast)
    address = f"/Task/{referral['id']}"
    task = (await ask(cast, "partner", "GET", address)).json()
    assert await try_all(cast, app, "/fhir/R4/Task/{referral_id}", "put", task, address, FHIR_JSON) > 100
    patch = [{"op": "replace", "path": "/status", "value": "requested"}]
    assert await try_all(cast, app, "/fhir/R4/Task/{referral_id}", "patch", patch, address, JSON_PATCH) > 10


async def test_hostile_strings_in_every_parameter(cast: Cast, app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        if not path.startswith("/fhir/R4/") or "get" not in operations or "{" in path:
            continue
        for number, parameter in enumerate(operations["get"]["parameters"]):
            for name, hostile in HOSTILE[number::9]:
                sent = {parameter["name"]: hostile.encode("utf-8", "surrogatepass")[:2_000]}
                response = await ask(cast, "partner", "GET", path.removeprefix("/fhir/R4"), params=sent)
                assert response.status_code in {200, 400, 406}, (path, parameter["name"], name)
