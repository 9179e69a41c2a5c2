"""What every operation has in common (design/api.md, Conventions): versions, strictness, pages, problems."""

import base64
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from app.services import case_pages
from tests import helping, programme, referring, reporting
from tests.cases import SUPPORT, intake, open_case
from tests.cast import Cast, answered
from tests.test_openapi import PUBLIC

NO_CASE = "6b3c2c3e-0f6f-4a53-9d0c-3a9a54d2a111"  # fixed: the names of tests must be the same in every process

EDIT = {"priority": "urgent"}


def problem(response: httpx.Response, status: int, code: str) -> list[dict[str, str]]:
    """The field errors of a problem that must be this one."""
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == status
    errors: list[dict[str, str]] = response.json().get("errors", [])
    return errors


def only_error(response: httpx.Response) -> tuple[str, str]:
    """Pointer and code of a 422 with one wrong field."""
    (error,) = problem(response, 422, "validation_failed")
    return error["pointer"], error["code"]


# ---- ETag and If-Match ----


async def editable(cast: Cast) -> list[str]:
    """A path of every kind of resource that has an ETag and a PATCH."""
    lead, admin = cast.client("caseworker"), cast.client("admin")
    case_id = await open_case(cast, category="domestic_violence")
    made = [
        await lead.post(f"/cases/{case_id}/incidents", json={}),
        await lead.post("/people", json={"alias": "Neighbour"}),
        await lead.post("/households", json={"size": 3}),
        await lead.post("/activities", json=programme.ACTIVITY),
        await lead.post("/commitments", json=programme.COMMITMENT),
        await lead.post("/feedback", json=programme.FEEDBACK),
        await admin.post("/organisations", json={"name": "New", "name_km": "ថ្មី", "kind": "shelter"}),
        await admin.post("/users", json={"username": f"u.{uuid4().hex[:8]}", "display_name": "U", "role": "auditor"}),
    ]
    for response in made:
        answered(response, 201)
    return [f"/cases/{case_id}", *(response.headers["Location"].removeprefix("/api/v1") for response in made)]


def change_of(path: str) -> tuple[str, dict[str, Any]]:
    """Who changes what at a path."""
    kind = path.split("/")[1] if "incidents" not in path else "incidents"
    changes: dict[str, tuple[str, dict[str, Any]]] = {
        "cases": ("caseworker", EDIT),
        "incidents": ("caseworker", {"note": "Told more."}),
        "people": ("caseworker", {"known_as": "Aunt"}),
        "households": ("caseworker", {"size": 4}),
        "activities": ("caseworker", {"topics": ["flood"]}),
        "commitments": ("caseworker", {"issue": "climate"}),
        "feedback": ("caseworker", {"sentiment": "mixed"}),
        "organisations": ("admin", {"name": "Renamed"}),
        "users": ("admin", {"display_name": "Renamed"}),
    }
    return changes[kind]


async def test_every_patch_needs_the_version_that_was_seen(cast: Cast) -> None:
    paths = await editable(cast)
    assert len(paths) == 9
    for path in paths:
        who, change = change_of(path)
        client = cast.client(who)
        seen = (await client.get(path)).headers["ETag"]
        problem(await client.patch(path, json=change), 428, "precondition_required")
        changed = await client.patch(path, json=change, headers={"If-Match": seen})
        answered(changed, 200)
        assert changed.headers["ETag"] != seen
        stale = await client.patch(path, json=change, headers={"If-Match": seen})
        problem(stale, 412, "precondition_failed")
        assert stale.headers["ETag"] == changed.headers["ETag"] == (await client.get(path)).headers["ETag"]


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        ("*", 200),
        ('"1"', 200),
        ('"7", "1"', 200),
        ('"2"', 412),
        ('W/"1"', 412),  # If-Match compares strongly (RFC 9110, 13.1.1)
        ("1", 412),
        ("", 412),
        ('"1', 412),
        ("nonsense", 412),
    ],
)
async def test_if_match_takes_the_present_version_and_nothing_like_it(cast: Cast, if_match: str, status: int) -> None:
    path = f"/cases/{await open_case(cast)}"
    changed = await cast.client("caseworker").patch(path, json=EDIT, headers={"If-Match": if_match})
    answered(changed, status)
    assert changed.headers["ETag"] == ('"2"' if status == 200 else '"1"')


async def test_a_transition_honours_if_match_only_when_it_is_sent(cast: Cast) -> None:
    case_id = await open_case(cast)
    step = f"/cases/{case_id}/transitions"
    lead = cast.client("caseworker")
    stale = await lead.post(step, json={"to": "assessment"}, headers={"If-Match": '"9"'})
    problem(stale, 412, "precondition_failed")
    assert stale.headers["ETag"] == '"1"'
    answered(await lead.post(step, json={"to": "assessment"}), 200)


async def test_a_version_moves_with_the_own_fields_and_not_with_what_hangs_on_the_case(cast: Cast) -> None:
    case_id = await open_case(cast)
    lead = cast.client("caseworker")
    answered(await lead.post(f"/cases/{case_id}/notes", json={"text": "Seen."}), 201)
    answered(await lead.post(f"/cases/{case_id}/consents", json=SUPPORT), 201)
    wanted = {"user_id": cast.id("colleague"), "role": "lead"}
    answered(await cast.client("supervisor").post(f"/cases/{case_id}/assignments", json=wanted), 201)
    assert (await cast.client("colleague").get(f"/cases/{case_id}")).headers["ETag"] == '"1"'


# ---- strict bodies and queries ----


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"colour": "red"}, "/colour", "unknown_field"),
        ({"client": {"alias": "A", "shoe_size": 3}}, "/client/shoe_size", "unknown_field"),
        ({"consents": [{**SUPPORT, "by": 1}]}, "/consents/0/by", "unknown_field"),
        ({"category": "none"}, "/category", "unknown_code"),
        ({"commune_code": 170201}, "/commune_code", "invalid_text"),
        ({"commune_code": "999999"}, "/commune_code", "unknown_area"),
        ({"lead_id": "me"}, "/lead_id", "invalid_id"),
        ({"opened_on": "2026-02-30"}, "/opened_on", "invalid_date"),
        ({"summary": ""}, "/summary", "text_empty"),
    ],
)
async def test_a_wrong_field_of_a_body_is_pointed_at(
    cast: Cast, change: dict[str, Any], pointer: str, code: str
) -> None:
    assert only_error(await cast.client("caseworker").post("/cases", json=intake(**change))) == (
        pointer,
        code,
    )


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("colour=red", "/query/colour", "unknown_field"),
        ("sort=priority", "/query/sort", "invalid_format"),
        ("sort=opened_at,code", "/query/sort", "invalid_format"),
        ("limit=201", "/query/limit", "out_of_range"),
        ("limit=0", "/query/limit", "out_of_range"),
        ("limit=-1", "/query/limit", "out_of_range"),
        ("limit=abc", "/query/limit", "invalid_number"),
        ("limit=1.5", "/query/limit", "invalid_number"),
        ("limit=1&limit=2", "/query/limit", "duplicate_field"),
        ("limit=1&limit=1", "/query/limit", "duplicate_field"),
        ("status=open", "/query/status", "unknown_code"),
        ("lead_id=me", "/query/lead_id", "invalid_id"),
        ("assigned=you", "/query/assigned", "invalid_format"),
        ("commune_code=1", "/query/commune_code", "invalid_format"),
        ("opened_after=yesterday", "/query/opened_after", "time_invalid"),
        ("cursor=" + "a" * 201, "/query/cursor", "too_long"),
    ],
)
async def test_a_wrong_parameter_is_pointed_at(cast: Cast, query: str, pointer: str, code: str) -> None:
    assert only_error(await cast.client("caseworker").get(f"/cases?{query}")) == (pointer, code)


@pytest.mark.parametrize("sent", [b'{"commune_code": "170201"}', b"{bad", b"[1]", b"null", b"text"])
async def test_a_step_that_takes_no_body_is_not_done_when_somebody_says_something_in_one(
    cast: Cast, superuser: psycopg.Connection[Any], sent: bytes
) -> None:
    """Else who meant one commune would have frozen the quarter of all."""
    work = await reporting.programme(cast, superuser)
    path, own = f"/reports/quarterly/{reporting.PERIOD}", {"Content-Type": "application/json"}
    for headers in ({}, own):
        refused = await work.supervisor.post(f"{path}/submit", content=sent, headers=headers)
        assert only_error(refused) == ("", "unknown_field")
    assert answered(await work.supervisor.get(f"{path}/versions"), 200)["items"] == []
    answered(await work.supervisor.post(f"{path}/submit", json={}), 201)


async def test_what_is_hidden_does_not_exist_for_who_sends_a_body_where_none_is_taken(cast: Cast) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    for who, of, status in (("colleague", case_id, 404), ("colleague", NO_CASE, 404), ("caseworker", case_id, 422)):
        path = f"/cases/{of}/whereabouts"
        answered(await cast.client(who).request("DELETE", path, json={"why": "moved"}), status)


async def test_every_list_refuses_an_unknown_parameter_and_a_limit_out_of_range(cast: Cast, app: Any) -> None:
    case_id = await open_case(cast)
    client = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)["client"]
    ids = {"case_id": case_id, "person_id": client["id"], "organisation_id": cast.organisation("clinic")}
    ids["assistance_request_id"] = (await helping.ask(cast, case_id))["id"]
    sent = await cast.client("supervisor").post("/imports", data={"kind": "people"}, files={"file": b"alias\nA"})
    ids["import_id"] = answered(sent, 201)["id"]
    ids["referral_id"] = (await referring.referred(cast))["id"]
    hook = {"url": "http://127.0.0.1:9/hook", "events": ["referral.*"]}
    ids["webhook_id"] = answered(await cast.client("partner").post("/webhooks", json=hook), 201)["id"]
    ids |= {"period": "2024Q3", "indicator": "families_visited"}
    described = app.openapi()["paths"]
    lists = [
        path.removeprefix("/api/v1").format_map(ids)
        for path, operations in described.items()
        if any(parameter["name"] == "cursor" for parameter in operations.get("get", {}).get("parameters", []))
    ]
    assert len(lists) >= 12
    for path in lists:
        admins = path.startswith(("/users", "/organisations", "/outside-reviews"))
        works = path.endswith(("/attachments", "/messages"))  # which are for who works on the case
        partners = path.startswith(("/webhooks", "/events"))
        who = "admin" if admins else "partner" if partners else "caseworker" if works else "supervisor"
        client = cast.client(who)
        answered(await client.get(path, params={"limit": 200}), 200)
        for query in ("limit=201", "limit=0", "limit=abc", "no_such=1", "cursor=%F0%9F%98%80"):
            problem(await client.get(f"{path}?{query}"), 422, "validation_failed")


@pytest.mark.parametrize("field", ["category", "sensitivity", "priority", "commune_code", "summary"])
async def test_null_is_refused_where_a_case_needs_a_value(cast: Cast, field: str) -> None:
    path = f"/cases/{await open_case(cast)}"
    refused = await cast.client("caseworker").patch(path, json={field: None}, headers={"If-Match": "*"})
    assert only_error(refused)[0] == f"/{field}"
    assert (await cast.client("caseworker").get(path)).headers["ETag"] == '"1"'


async def test_null_empties_what_may_be_empty_and_an_empty_patch_changes_nothing(cast: Cast) -> None:
    case_id = await open_case(cast, safe_contact={"do_not_contact": True}, referred_from="police")
    lead = cast.client("caseworker")
    nothing = await lead.patch(f"/cases/{case_id}", json={}, headers={"If-Match": '"1"'})
    assert (answered(nothing, 200)["version"], nothing.headers["ETag"]) == (1, '"1"')
    emptied = {"safe_contact": None, "referred_from": None}
    case = answered(await lead.patch(f"/cases/{case_id}", json=emptied, headers={"If-Match": '"1"'}), 200)
    assert (case["safe_contact"], case["referred_from"]) == (None, None)


# ---- pages ----


def _cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "====",
        "%00",
        "é",
        _cursor("nonsense"),
        _cursor("2026-03-02T03:00:00|" + NO_CASE),  # without a zone
        _cursor("2026-03-02T03:00:00+00:00|1"),
        _cursor("0001-01-01T00:00:00+14:00|" + NO_CASE),  # before any time that a database knows
        NO_CASE,
        " ",
    ],
)
async def test_a_cursor_that_no_list_made_is_refused(cast: Cast, cursor: str) -> None:
    case_id = await open_case(cast)
    for path in ("/cases", "/people", "/households", f"/cases/{case_id}/notes", f"/cases/{case_id}/timeline"):
        refused = await cast.client("caseworker").get(path, params={"cursor": cursor})
        assert only_error(refused) == ("/query/cursor", "cursor_invalid")


async def _pages(cast: Cast, who: str, path: str, **query: Any) -> AsyncIterator[list[str]]:
    while True:
        page = answered(await cast.client(who).get(path, params=query), 200)
        yield [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return
        query["cursor"] = page["next_cursor"]


@pytest.mark.parametrize("sort", ["opened_at", "-opened_at"])
async def test_pages_neither_repeat_nor_miss_a_case_although_many_were_opened_at_once(cast: Cast, sort: str) -> None:
    own = {await open_case(cast, "stranger") for _ in range(11)}  # time stands still: all at the same moment
    for limit in (1, 3, 200):
        found = [
            case_id async for page in _pages(cast, "stranger", "/cases", limit=limit, sort=sort) for case_id in page
        ]
        assert len(found) == len(set(found))
        assert own <= set(found)


async def test_pages_stay_as_they_are_while_cases_are_opened(cast: Cast) -> None:
    before = {await open_case(cast, "stranger") for _ in range(4)}
    found: list[str] = []
    opened: list[str] = []
    async for page in _pages(cast, "stranger", "/cases", limit=2):
        found += page
        if len(opened) < 3:
            opened.append(await open_case(cast, "stranger"))
    assert len(found) == len(set(found))
    assert before <= set(found)


async def test_the_exclusions_of_a_case_come_in_pages_like_every_list(cast: Cast) -> None:
    case_id = await open_case(cast)
    for user in ("stranger", "liaison", "partner"):
        body = {"user_id": cast.id(user), "reason_code": "client_wish"}
        answered(await cast.client("caseworker").post(f"/cases/{case_id}/exclusions", json=body), 201)
    pages = [page async for page in _pages(cast, "caseworker", f"/cases/{case_id}/exclusions", limit=2)]
    assert [len(page) for page in pages] == [2, 1]
    assert len({own_id for page in pages for own_id in page}) == 3


async def test_a_cursor_of_another_list_neither_fails_nor_shows_anything_hidden(cast: Cast) -> None:
    for _ in range(2):
        await open_case(cast, "stranger")
    page = answered(await cast.client("stranger").get("/cases?limit=1"), 200)
    taken = await cast.client("partner").get("/areas", params={"cursor": page["next_cursor"]})
    assert taken.status_code in {200, 422}
    mine = answered(await cast.client("caseworker").get("/cases", params={"cursor": page["next_cursor"]}), 200)
    assert all(item["organisation_id"] == cast.organisation("ngo") for item in mine["items"])


async def test_a_filter_without_an_index_looks_at_a_bounded_number_of_cases_and_goes_on(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert case_pages.MOST_EXAMINED == 5_000
    monkeypatch.setattr(case_pages, "MOST_EXAMINED", 5)
    urgent = await open_case(cast, "stranger", priority="stat")
    for _ in range(12):
        await open_case(cast, "stranger")
    answered(
        await cast.client("stranger").patch(
            f"/cases/{urgent}", json={"commune_code": "170301"}, headers={"If-Match": "*"}
        ),
        200,
    )
    pages = [page async for page in _pages(cast, "stranger", "/cases", priority="stat", commune_code="170301")]
    assert [case_id for page in pages for case_id in page] == [urgent]
    assert len(pages) >= 3, "a page that found nothing within its bound still says where to go on"


# ---- what is hidden, unknown or no id at all ----


def anonymous(response: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    """An answer without its request id."""
    headers = {name: value for name, value in response.headers.items() if name != "x-request-id"}
    own_id = response.headers["X-Request-ID"].encode()
    return response.status_code, headers, response.content.replace(own_id, b"")


async def test_hidden_unknown_and_impossible_ids_get_the_same_bytes_from_every_operation(cast: Cast, app: Any) -> None:
    hidden = await open_case(cast, category="domestic_violence")
    ids = (hidden, str(uuid4()), "not-an-id", hidden.upper() + "0", "%00", "%2e%2e", "1", "é")
    asked = 0
    for path, operations in app.openapi()["paths"].items():
        if not path.startswith("/api/v1/cases/{case_id}"):
            continue
        rest = path.removeprefix("/api/v1/cases/{case_id}")
        for part in (
            "note_id",
            "assignment_id",
            "exclusion_id",
            "consent_id",
            "incident_id",
            "match_id",
            "assistance_request_id",
        ):
            rest = rest.replace(f"{{{part}}}", str(uuid4()))
        for method in operations:
            for who in ("stranger", "colleague"):
                answers = {
                    str(anonymous(await cast.client(who).request(method, f"/cases/{one}{rest}", json={})))
                    for one in ids[:3]
                }
                assert len(answers) == 1, (method, path)
                asked += 1
    assert asked >= 40
    for one in ids[3:]:
        response = await cast.client("stranger").get(f"/cases/{one}")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"{", {"Content-Type": "application/json"}),
        (b"{}", {"Content-Type": "text/plain"}),
        (b'{"no_such": 1}', {"Content-Type": "application/json", "If-Match": '"9"'}),
        (b'{"priority": "stat"}', {"Content-Type": "application/json", "If-Match": '"9"'}),
        (b'{"priority": "stat"}', {"Content-Type": "application/json"}),
        (b'{"priority": "stat"}', {"Content-Type": "application/json", "If-Match": "x" * 300}),
        (b"", {}),
    ],
)
async def test_that_a_case_is_hidden_comes_before_all_that_is_wrong_with_the_request(
    cast: Cast, content: bytes, headers: dict[str, str]
) -> None:
    hidden = await open_case(cast, category="domestic_violence")
    for case_id in (hidden, str(uuid4()), "no-id"):
        response = await cast.client("colleague").patch(f"/cases/{case_id}", content=content, headers=headers)
        problem(response, 404, "not_found")


# ---- before anything else: who is calling ----


async def test_401_is_answered_before_the_body_is_read(cast: Cast, app: Any) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/v1/cases",
        "raw_path": b"/api/v1/cases",
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", b"samaki.test"),
            (b"content-type", b"application/json"),
            (b"content-length", b"20"),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("samaki.test", 80),
    }
    await app(scope, receive, send)
    assert sent[0]["status"] == 401


async def test_every_operation_answers_401_to_a_stranger_unless_it_is_public(cast: Cast, app: Any) -> None:
    for path, operations in app.openapi()["paths"].items():
        own = path.removeprefix("/api/v1")
        for method in operations:
            if f"{method.upper()} {path}" in PUBLIC or path.startswith("/fhir/"):
                continue  # the FHIR face says it in its own words: tests/fhir
            response = await cast.client("nobody").request(method, own.replace("{", "").replace("}", ""))
            problem(response, 401, "unauthenticated")
            assert response.headers["WWW-Authenticate"].startswith("Bearer")


# ---- answers ----


async def test_nothing_is_kept_by_caches_and_the_request_id_comes_back(cast: Cast) -> None:
    path = f"/cases/{await open_case(cast)}"
    for who, status in (("caseworker", 200), ("stranger", 404), ("partner", 403), ("nobody", 401)):
        own_id = str(uuid4())
        response = await cast.client(who).get(path, headers={"X-Request-ID": own_id})
        assert response.status_code == status
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Request-ID"] == own_id
        if status != 200:
            assert response.json()["instance"] == own_id


async def test_titles_are_in_the_callers_language_and_codes_never_change(cast: Cast) -> None:
    path = f"/cases/{uuid4()}"
    titles = set()
    for wanted in ("km", "en"):
        response = await cast.client("caseworker").get(path, headers={"Accept-Language": wanted})
        problem(response, 404, "not_found")
        assert response.headers["Content-Language"] == wanted
        titles.add(response.json()["title"])
    assert titles == {"Not found", "រកមិនឃើញ"}


async def test_an_unknown_path_is_404_and_a_wrong_method_names_the_right_ones(cast: Cast) -> None:
    problem(await cast.client("caseworker").get("/case"), 404, "not_found")
    problem(await cast.client("nobody").get("/no/such/path"), 404, "not_found")
    wrong = await cast.client("caseworker").put("/cases", json={})
    problem(wrong, 405, "method_not_allowed")
    assert {"GET", "POST"} & set(wrong.headers["Allow"].replace(" ", "").split(","))


async def test_a_body_of_two_megabytes_is_refused_and_writes_nothing(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    count = "select count(*) from cases"
    before = superuser.execute(count).fetchone()
    body = intake(summary="a" * 2_000_000)
    problem(await cast.client("caseworker").post("/cases", json=body), 413, "payload_too_large")
    assert superuser.execute(count).fetchone() == before


async def test_created_says_where_and_deleted_says_nothing(cast: Cast) -> None:
    case_id = await open_case(cast)
    lead = cast.client("caseworker")
    wanted = {"user_id": cast.id("colleague"), "role": "caseworker"}
    made = await lead.post(f"/cases/{case_id}/assignments", json=wanted)
    where = made.headers["Location"]
    assert where == f"/api/v1/cases/{case_id}/assignments/{answered(made, 201)['id']}"
    ended = await lead.delete(where.removeprefix("/api/v1"))
    assert (ended.status_code, ended.content) == (204, b"")
