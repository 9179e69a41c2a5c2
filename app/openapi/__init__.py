"""The description of the API: what each operation needs, every status that it answers, and examples."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from app.errors import FHIR, FHIR_JSON, FieldError, Problem, SearchRefused, Withdrawn
from app.errors.outcomes import outcome
from app.errors.titles import title
from app.fhir.outcome import OperationOutcome
from app.http import Route
from app.openapi.example_values import ID
from app.openapi.examples import example
from app.openapi.parts import (
    ABOUT,
    BEARER,
    FIELD_ERROR,
    HEADER_NAMES,
    HEADERS,
    IDEMPOTENCY_KEY,
    PROBLEM,
    TAGS,
    TEXT,
    Json,
)
from app.permissions import Permission
from app.security import declared_permission
from app.visiting import count_visit

# What may be withdrawn at any time.
OF_RELEASES = {Permission.EXPORT_REQUEST, Permission.EXPORT_DOWNLOAD, Permission.EXPORT_APPROVE}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the description and what its route says about it."""

    path: str
    method: str
    json: Json
    permission: Permission | None
    strict: bool  # our Route, which refuses unknown parameters
    visited: bool  # public, and limited by address
    keyed: bool  # takes an Idempotency-Key when it is a POST

    @property
    def has_body(self) -> bool:
        """Does it take a body?"""
        return "requestBody" in self.json

    @property
    def fhir(self) -> bool:
        """Is it of the FHIR face, which refuses in its own words?"""
        return self.path.startswith(FHIR)

    def parameter(self, name: str) -> bool:
        """Does it take this header?"""
        return any(one["name"] == name for one in self.json.get("parameters", []))


def describe(app: FastAPI) -> None:
    """Give `app` its description, which is built when it is first asked for."""
    problems = _problems_by_status()

    def openapi() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = _build(app, problems)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it


def _build(app: FastAPI, problems: dict[int, list[type[Problem]]]) -> Json:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=ABOUT,
        routes=app.routes,
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
        servers=[{"url": "/"}],
    )
    components = document["components"]
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["schemas"] |= {"Problem": PROBLEM, "FieldError": FIELD_ERROR}
    outcomes = OperationOutcome.model_json_schema(ref_template="#/components/schemas/{model}")
    components["schemas"] |= {**outcomes.pop("$defs"), "OperationOutcome": outcomes}
    components["securitySchemes"] = {"bearer": BEARER}
    for operation in operations(app, document):
        _say_who_and_what(operation)
        _add_parameters(operation)
        _add_problems(operation, problems)
        _add_response_headers(operation, document["paths"][operation.path])
        _add_examples(operation, components["schemas"])
    return document


def operations(app: FastAPI, document: Json) -> Iterator[Operation]:
    """Every operation of `document`, beside its route."""
    for route in iter_route_contexts(app.routes):
        if not getattr(route, "include_in_schema", False):
            continue
        permission = declared_permission(route.dependant)
        for method in sorted(route.methods or ()):
            json = document["paths"][route.path_format][method.lower()]
            own = route.original_route
            keyed = permission is not None and getattr(own, "keyed", True)
            visited = any(part.call is count_visit for part in route.dependant.dependencies)
            strict = isinstance(own, Route)
            yield Operation(str(route.path_format), method, json, permission, strict, visited, keyed)


def _say_who_and_what(operation: Operation) -> None:
    json = operation.json
    json["operationId"] = json["summary"].lower().replace(" ", "_")
    json["summary"] = json["summary"].capitalize()
    json["security"] = [{"bearer": []}] if operation.permission else []
    if operation.permission:
        json["x-permission"] = operation.permission.value


def _add_parameters(operation: Operation) -> None:
    parameters = operation.json.setdefault("parameters", [])
    made_by_put = any(one["name"].lower() == "if-none-match" for one in parameters)
    for one in parameters:
        one["name"] = HEADER_NAMES.get(one["name"], one["name"])
        if one["in"] == "header":
            one["schema"] = {"type": "string", "maxLength": 200}
            one["example"] = "bytes=1048576-" if one["name"] == "Range" else '"1"'
        elif one["in"] == "path":
            one["example"] = example(one["schema"], {}, one["name"])
        if one["name"] == "If-Match":
            one["required"] = operation.method != "POST" and not made_by_put  # transitions only honour it
            one["description"] = "The `ETag` of the version that you read."
    if operation.keyed and operation.method == "POST":
        parameters.append(IDEMPOTENCY_KEY)


def statuses(operation: Operation) -> set[int]:
    """Every refusal that the operation can answer with."""
    signs_in = operation.permission is None and operation.has_body
    changes = operation.permission is not None and operation.method != "GET"
    addresses = operation.permission is not None and "{" in operation.path
    edits_a_webhook = operation.permission is Permission.WEBHOOK_EDIT
    answers = {
        400: operation.fhir,
        401: operation.permission is not None or signs_in,
        403: operation.permission not in {None, Permission.SELF},  # at least to a system that waits for its yes
        404: addresses
        or (operation.visited and "{" in operation.path)
        or (changes and operation.method == "POST"),  # ids in the body, repeated requests
        406: operation.fhir,
        408: operation.has_body,
        409: changes or operation.permission is Permission.EXPORT_DOWNLOAD,
        410: operation.permission in OF_RELEASES,
        412: operation.parameter("If-Match"),
        413: operation.has_body,
        415: operation.has_body,
        416: operation.parameter("Range"),
        422: operation.strict and (operation.has_body or not operation.fhir),
        # A transition honours it when it is sent; a new secret takes the place of an old one, as an edit does.
        428: operation.parameter("If-Match") and (operation.method != "POST" or edits_a_webhook),
        429: operation.permission is not None or signs_in or operation.visited,
        503: operation.permission is not None or signs_in or operation.visited or operation.path == "/health/ready",
    }
    return {status for status, answered in answers.items() if answered}


def _add_problems(operation: Operation, problems: dict[int, list[type[Problem]]]) -> None:
    responses = operation.json["responses"]
    responses.pop("422", None)  # FastAPI's own
    for status in sorted(statuses(operation)):
        only: dict[int, list[type[Problem]]] = {400: [SearchRefused], 410: [Withdrawn]}
        kinds = only.get(status) or problems[status]
        wrong = {
            400: [FieldError("/query/_count", "out_of_range", "This is above the range allowed.")],
            422: [FieldError("/commune_code", "unknown_area", "There is no such area.")],
        }.get(status)
        shown = kinds[0](errors=wrong) if wrong else kinds[0]()
        responses[str(status)] = {
            "description": " ".join(f"`{kind.code}`: {kind.__doc__}" for kind in kinds),
            "headers": HEADERS.get(status, {}),
            "content": _as_fhir(shown) if operation.fhir else _as_problem(shown),
        }


def _as_problem(shown: Problem) -> Json:
    example = shown.body(title=title(shown.code, "en"), instance=ID)
    return {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}


def _as_fhir(shown: Problem) -> Json:
    example = outcome(shown, title(shown.code, "en"), ID)
    return {FHIR_JSON: {"schema": {"$ref": "#/components/schemas/OperationOutcome"}, "example": example}}


def _problems_by_status() -> dict[int, list[type[Problem]]]:
    found: dict[int, list[type[Problem]]] = {}
    for kind in Problem.__subclasses__():
        found.setdefault(kind.status, []).append(kind)
    return found


def _add_response_headers(operation: Operation, path: Json) -> None:
    """`Location` of what is made, `ETag` of what can be edited, and the mark of a repeated answer."""
    editable = bool({"patch", "put"} & path.keys()) and operation.method != "DELETE"
    for status, response in operation.json["responses"].items():
        if not status.startswith("2"):
            continue
        headers = response.setdefault("headers", {})
        if status == "201":
            headers["Location"] = {**TEXT, "description": "Where it can be read."}
        if editable and operation.method != "POST" and "{" in operation.path:
            headers["ETag"] = {**TEXT, "description": "The version, for `If-Match`."}
        elif operation.parameter("If-None-Match"):
            headers["ETag"] = {**TEXT, "description": "For `If-None-Match`."}
        if operation.parameter("Idempotency-Key"):
            headers["Idempotency-Replayed"] = {**TEXT, "description": "`true` on a repeated answer."}


def _add_examples(operation: Operation, models: dict[str, Json]) -> None:
    contents = [operation.json.get("requestBody", {}).get("content", {})]
    contents += [
        response.get("content", {})
        for status, response in operation.json["responses"].items()
        if status.startswith("2")
    ]
    for content in contents:
        for media_type in content.values():
            media_type.setdefault("example", example(media_type["schema"], models))
