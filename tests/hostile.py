"""Hostile text and bodies put into every place of every operation, and the looks at what comes back."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import httpx

from tests.calls import CALLS, Call
from tests.ground import Ground
from tests.hostile_strings import HOSTILE, HOSTILE_JSON
from tests.matrix import CASE_ROWS, OTHER_ROWS, PUBLIC_ROWS, ROOTS, Row
from tests.standpoints import STANDPOINTS, Standpoint

Schema = dict[str, Any]
Place = tuple[str | int, ...]

JSON = {"Content-Type": "application/json"}


def rows_with_bodies(on: Ground) -> Iterator[tuple[Row, Standpoint, Schema]]:
    """Every operation with a JSON body, who may use it, and the schema of the body."""
    for row, point in rows():
        described = on.app.openapi()["paths"][_path(row)][row.method.lower()]
        content = described.get("requestBody", {}).get("content", {})
        if schema := content.get("application/json", {}).get("schema"):
            yield row, point, schema


def rows() -> Iterator[tuple[Row, Standpoint]]:
    """One line of the matrix for every operation, with somebody who succeeds."""
    names = {
        "caseworker": "staff",
        "supervisor": "supervisor",
        "other_supervisor": "other_supervisor_standard",
        "admin": "admin_standard",
        "auditor": "auditor_standard",
        "partner": "partner_standard",
    }
    by_name = {point.name: point for point in STANDPOINTS}
    by_column = {point.column: point for point in reversed(STANDPOINTS)}
    seen: set[str] = set()
    for row in (*OTHER_ROWS, *CASE_ROWS, *PUBLIC_ROWS):  # an intake of a new client, rather than one more of hers
        may = [column for column, status in row.cells.items() if status < 300 and column != "nobody"]
        if row.operation in seen or not may or row.path in {"/auth/logout", "/auth/token"}:
            continue
        seen.add(row.operation)
        yield row, by_column.get(may[0]) or by_name[names[may[0]]]


def _path(row: Row) -> str:
    return row.path if row.path.startswith(ROOTS) else f"/api/v1{row.path}"


def places_of_strings(schema: Schema, components: Schema, place: Place = ()) -> Iterator[Place]:
    """Where a string may stand in a body of this schema: names, and 0 for the first of a list."""
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    for choice in ("anyOf", "oneOf", "allOf"):
        for option in schema.get(choice, []):
            yield from places_of_strings(option, components, place)
    if schema.get("type") == "string" or "enum" in schema or "const" in schema:
        yield place
    if "items" in schema:
        yield from places_of_strings(schema["items"], components, (*place, 0))
    for name, part in schema.get("properties", {}).items():
        yield from places_of_strings(part, components, (*place, name))


def with_value(body: Any, place: Place, value: Any) -> Any:
    """A copy of the body with the value at the place; what is missing on the way there is made."""
    changed: Any = deepcopy(body)
    inner = changed
    for step, following in pairwise(place):
        empty: Any = [{}] if following == 0 else {}
        if isinstance(step, int):
            inner[step] = inner[step] if isinstance(inner[step], dict) else {}
        elif not isinstance(inner.get(step), type(empty)) or not inner[step]:
            inner[step] = empty
        inner = inner[step]
    inner[place[-1]] = value
    return changed


class Attempts:
    """Counts what was asked of one application, and looks at every answer."""

    def __init__(self, on: Ground) -> None:
        self.on = on
        self.asked = 0

    async def send(self, row: Row, point: Standpoint, what: str, hostile: str, **request: Any) -> bool:
        """Make the call; True when it was accepted."""
        stage, call = self.on.stage, call_of(row)
        ids = {**stage.register, **stage.cases[point.case].ids, **(call.ids(stage, point) if call.ids else {})}
        path = request.pop("path", None) or row.path.format_map(ids)
        headers = {**call.headers, **request.pop("headers", {})}
        url = f"http://samaki.test{path}" if row.path.startswith(ROOTS) else path
        response = await stage.client(point.name).request(row.method, url, headers=headers, **request)
        self.asked += 1
        label = f"{row.operation} {what}"
        assert response.status_code < 500, f"{label}: {response.status_code} {response.json().get('code')}"
        if response.status_code >= 400:
            check_silence(response, hostile, label)
        return response.is_success

    def mark(self) -> str:
        """A point in the order of transactions."""
        return str(self.on.stage.one("select pg_snapshot_xmax(pg_current_snapshot())::text"))

    def written_since(self, mark: str) -> int:
        """How many transactions have left rows behind."""
        tables = self.on.stage.one(
            "select string_agg(format('select xmin from %%I', relname), ' union all ') from pg_class"
            " where relnamespace = 'public'::regnamespace and relkind = 'r' and relname not like 'audit_%%'"
            " and relname <> 'sign_in_attempts'"  # refusals are counted and told
        )
        return int(
            self.on.stage.one(
                f"select count(distinct xmin::text) from ({tables}) rows where xmin::text::bigint >= %s::bigint",
                mark,
            )
        )


def call_of(row: Row) -> Call:
    return CALLS.get(row.key, Call())


def body_of(on: Ground, row: Row, point: Standpoint) -> Any:
    call = call_of(row)
    body = call.body(on.stage, point) if callable(call.body) else call.body
    return dict(body or {})


def check_silence(response: httpx.Response, hostile: str, label: str) -> None:
    """A refusal is a problem, or an OperationOutcome, that repeats nothing of what was sent."""
    fhir = label.partition(" ")[2].startswith("/fhir/")
    assert response.headers["Content-Type"] == f"application/{'fhir' if fhir else 'problem'}+json", label
    body = response.json()
    code = body["issue"][0]["details"]["coding"][0]["code"] if fhir else body["code"]
    assert re.fullmatch("[a-z_]+", code), label
    if len(hostile) >= 4 and hostile.isascii() and hostile.isalnum():
        return  # a plain word or number may stand in an answer by itself
    if len(hostile.strip()) >= 4:
        assert hostile not in response.text, label
        assert json.dumps(hostile)[1:-1] not in response.text, label


async def strings_in_fields(on: Ground, every: int = 1) -> tuple[int, int]:
    """One string in `every` into each field of every body, the next field beginning with the next string; so every
    field is tried. Gives how many requests were asked and how many fields there are."""
    attempts, fields = Attempts(on), 0
    components = on.app.openapi()["components"]["schemas"]
    for row, point, schema in rows_with_bodies(on):
        body, mark, accepted = body_of(on, row, point), attempts.mark(), 0
        for place in sorted(set(places_of_strings(schema, components)), key=str):
            for name, hostile in HOSTILE[fields % every :: every]:
                content = json.dumps(with_value(body, place, hostile)).encode()
                accepted += await attempts.send(row, point, f"{place} {name}", hostile, content=content, headers=JSON)
            fields += 1
        assert attempts.written_since(mark) <= accepted, row.operation
    return attempts.asked, fields


async def bodies_of_operations(on: Ground, every: int = 1) -> int:
    """One raw body in `every` for each operation that takes one; gives how many were sent."""
    attempts = Attempts(on)
    for number, (row, point, _) in enumerate(rows_with_bodies(on)):
        mark, accepted = attempts.mark(), 0
        for name, content in HOSTILE_JSON[number % every :: every]:
            accepted += await attempts.send(row, point, name, "", content=content, headers=JSON)
        assert attempts.written_since(mark) <= accepted, row.operation
    return attempts.asked


async def strings_in_parameters(on: Ground, every: int = 1) -> tuple[int, int]:
    """The same for paths, queries and headers of whatever is read; gives requests and parameters."""
    attempts, number = Attempts(on), 0
    mark = attempts.mark()
    for row, point in rows():
        if row.method != "GET":
            continue
        described = on.app.openapi()["paths"][_path(row)][row.method.lower()]
        for parameter in described.get("parameters", []):
            number += 1
            for name, hostile in HOSTILE[number % every :: every]:
                await _send_parameter(attempts, row, point, parameter, name, hostile)
    assert attempts.written_since(mark) == 0, "a GET writes nothing"
    return attempts.asked, number


async def _send_parameter(
    attempts: Attempts, row: Row, point: Standpoint, parameter: Schema, name: str, hostile: str
) -> None:
    what, text = f"{parameter['name']} {name}", hostile.encode("utf-8", "surrogatepass")
    where, own = parameter["in"], parameter["name"]
    if where == "path":
        ids = {**attempts.on.stage.register, **attempts.on.stage.cases[point.case].ids}
        written = quote(text[:2_000], safe="") or "%20"
        await attempts.send(row, point, what, hostile, path=row.path.format_map({**ids, own: written}))
    elif where == "query":
        query = f"{own}={quote(text[:20_000], safe='')}"
        await attempts.send(row, point, what, hostile, params=query)
    elif where == "header":
        value = text[:5_000].translate(None, bytes([*range(32), 127]))  # what HTTP itself forbids in a header
        await attempts.send(row, point, what, hostile, headers={own.encode(): value})
