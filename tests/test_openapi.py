"""The description of the API is complete and right: who may, what is answered, and usable examples."""

import json
import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import TypeAdapter

from app.openapi import Operation, operations, statuses
from app.openapi.parts import TAGS
from app.permissions import Permission
from tests.cast import Cast, answered
from tests.confirmations import asked_system, credentials
from tests.fhir.asking import FHIR_JSON
from tests.fhir.oracle import problems

PUBLIC = {
    "POST /api/v1/auth/token",
    "GET /.well-known/jwks.json",
    "GET /api/v1/.well-known/jwks.json",
    "GET /.well-known/export-keys.json",
    "GET /health/live",
    "GET /health/ready",
    *("GET /hsds/", "GET /hsds/profile", "GET /hsds/services", "GET /hsds/services/{service_id}"),
    "GET /fhir/R4/metadata",
    *("GET /hsds/organizations", "GET /hsds/taxonomies", "GET /hsds/taxonomy_terms"),
}


# A proof is one of its own each time, and no hash of a body with a password in it is kept.
NEVER_REPLAYED = {
    "POST /api/v1/auth/step-up",
    "POST /api/v1/people/search",
    "POST /api/v1/people/matches",
    "POST /fhir/R4",  # its own identifier makes it one
    "POST /api/v1/sync",  # each of its items is, by a key of its own
}


@pytest.fixture(scope="session")
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


@pytest.fixture(scope="session")
def described(app: FastAPI, document: dict[str, Any]) -> dict[str, Operation]:
    """Every operation by method and path."""
    return {f"{one.method} {one.path}": one for one in operations(app, document)}


@pytest.fixture(scope="session")
def routes(app: FastAPI) -> dict[str, Any]:
    """Every route by method and path."""
    return {
        f"{method} {route.path_format}": route
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
    }


def contents(operation: Operation, where: str) -> list[dict[str, Any]]:
    """The contents of the body (`request`) or of the good answers (`answer`)."""
    if where == "request":
        return list(operation.json.get("requestBody", {}).get("content", {}).values())
    good = [answer for status, answer in operation.json["responses"].items() if status.startswith("2")]
    return [content for answer in good for content in answer.get("content", {}).values()]


async def test_the_description_is_public_and_lists_every_operation(
    cast: Cast, document: dict[str, Any], described: dict[str, Operation]
) -> None:
    answer = await cast.client("nobody").get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(document))
    listed = {f"{method.upper()} {path}" for path, one in document["paths"].items() for method in one}
    assert described.keys() == listed
    assert len(described) >= 50


def test_every_operation_names_its_permission_or_is_on_the_public_list(
    described: dict[str, Operation],
) -> None:
    unnamed = {name for name, one in described.items() if "x-permission" not in one.json}
    assert unnamed <= PUBLIC
    named = {one.json["x-permission"] for one in described.values() if "x-permission" in one.json}
    assert named <= set(Permission)
    for one in described.values():
        assert one.json["security"] == ([{"bearer": []}] if "x-permission" in one.json else [])


def test_every_operation_has_a_summary_a_known_tag_and_an_id_of_its_own(
    described: dict[str, Operation], document: dict[str, Any]
) -> None:
    ids = [one.json["operationId"] for one in described.values()]
    assert len(ids) == len(set(ids))
    for name, one in described.items():
        assert one.json["summary"], name
        assert one.json["description"], name
        assert set(one.json["tags"]) <= TAGS.keys(), name
    assert {tag["name"] for tag in document["tags"]} == TAGS.keys()


def test_every_operation_has_an_example_of_what_is_sent_and_of_what_comes_back(
    described: dict[str, Operation],
) -> None:
    for name, one in described.items():
        for content in (*contents(one, "request"), *contents(one, "answer")):
            assert "example" in content, name
        assert contents(one, "answer") or "204" in one.json["responses"], name
        for parameter in one.json.get("parameters", []):
            assert "example" in parameter or parameter["in"] == "query", (name, parameter["name"])


def test_every_example_of_a_body_is_accepted(described: dict[str, Operation], routes: dict[str, Any]) -> None:
    checked = 0
    for name, one in described.items():
        field = routes[name].body_field
        for content in contents(one, "request") if field is not None else ():
            TypeAdapter(field.field_info.annotation).validate_json(json.dumps(content["example"]))
            checked += 1
    assert checked >= 15


def test_every_example_of_an_answer_is_what_the_model_writes(
    described: dict[str, Operation], routes: dict[str, Any]
) -> None:
    checked = 0
    for name, one in described.items():
        for content in contents(one, "answer"):
            if content["schema"].get("format") == "binary":
                continue  # a file, of no model
            model = TypeAdapter(routes[name].response_model)
            read = model.validate_json(json.dumps(content["example"]))
            written = model.dump_json(read, by_alias=True, exclude_none=one.fhir)
            assert json.loads(written) == content["example"], name
            checked += 1
    assert checked >= 40


def test_every_operation_says_how_it_refuses(described: dict[str, Operation]) -> None:
    for name, one in described.items():
        said = {int(status) for status in one.json["responses"] if status >= "4"}
        assert said == statuses(one), name
        if name not in PUBLIC:
            assert {401, 429, 503} <= said, name
            assert {422} <= said or (one.fhir and not one.has_body and {400} <= said), name
        if one.method == "PATCH":
            assert {404, 409, 412, 428} <= said, name
        if "{" in one.path and name not in PUBLIC:
            assert 404 in said, name
        assert one.has_body == bool({413, 415} & said), name


def test_every_refusal_is_the_one_problem(described: dict[str, Operation], document: dict[str, Any]) -> None:
    required = set(document["components"]["schemas"]["Problem"]["required"])
    for name, one in described.items():
        for status, answer in one.json["responses"].items():
            if status >= "4":
                (kind, content), *others = answer["content"].items()
                if one.fhir:
                    assert (kind, others) == (FHIR_JSON, []), name
                    assert content["schema"] == {"$ref": "#/components/schemas/OperationOutcome"}
                    assert problems(content["example"]) == []
                    continue
                assert (kind, others) == ("application/problem+json", []), name
                assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                assert required <= content["example"].keys()
                assert str(content["example"]["status"]) == status


def test_writing_again_and_editing_the_version_that_was_read_are_described(
    described: dict[str, Operation],
) -> None:
    for name, one in described.items():
        assert one.parameter("Idempotency-Key") == (one.method == "POST" and name not in PUBLIC | NEVER_REPLAYED), name
        required = [p["required"] for p in one.json.get("parameters", []) if p["name"] == "If-Match"]
        if one.method == "PATCH":
            assert required == [True], name
        if one.method == "GET" and f"PATCH {one.path}" in described:
            assert "ETag" in one.json["responses"]["200"]["headers"], name
        if "201" in one.json["responses"]:
            assert "Location" in one.json["responses"]["201"]["headers"], name


def test_every_reference_of_the_description_leads_somewhere(document: dict[str, Any]) -> None:
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named <= document["components"]["schemas"].keys()
    assert "HTTPValidationError" not in document["components"]["schemas"]


async def test_a_role_without_the_permission_gets_403_exactly_where_it_is_described(
    cast: Cast, described: dict[str, Operation]
) -> None:
    """A system that nobody confirmed is one of them: it lacks even what everybody else may do."""
    waiting = await asked_system(cast)
    tokens = answered(await cast.client("nobody").post("/auth/token", data=credentials(waiting)), 200)
    system = {"Authorization": f"Bearer {tokens['access_token']}"}
    callers: list[tuple[str, dict[str, str]]] = [
        *((who, {}) for who in ("caseworker", "supervisor", "liaison", "partner", "auditor", "admin")),
        ("nobody", system),
    ]
    for name, one in described.items():
        if name in PUBLIC or one.json["operationId"] == "log_out":
            continue
        refused = set()
        own = one.permission is Permission.SELF  # the system's sessions and factors, before the yes as after it
        for who, headers in callers[:-1] if own else callers:
            answer = await call(cast.client(who), one, headers)
            refused |= {answer.status_code} & {403}
        assert refused == ({403} if "403" in one.json["responses"] else set()), name


async def call(client: httpx.AsyncClient, operation: Operation, headers: dict[str, str]) -> httpx.Response:
    """The operation with an empty body: enough to be refused, too little to change anything."""
    address = re.sub(r"\{[a-z_]+\}", "00000000-0000-4000-8000-000000000000", operation.path)
    return await client.request(
        operation.method, f"http://samaki.test{address}", json={} if operation.has_body else None, headers=headers
    )


async def test_the_api_page_needs_no_internet(cast: Cast) -> None:
    client = cast.client("nobody")
    page = await client.get("http://samaki.test/docs")
    assert page.status_code == 200
    addresses = re.findall(r"""(?:src|href|url)[=:]\s*["']([^"']+)["']""", page.text)
    assert len(addresses) >= 3
    for address in addresses:
        assert address.startswith("/"), address
        assert (await client.get(f"http://samaki.test{address}")).status_code == 200, address
