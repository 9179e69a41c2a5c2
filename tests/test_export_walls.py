"""What auditors reach beside their exports: nothing. And what of exports reaches whom, at the database itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from app.database_urls import DatabaseUrls
from app.models.codes.people import Role
from app.permissions import Permission
from app.policy import role_may
from tests.cases import open_case
from tests.cast import Cast, answered
from tests.matrix import CASE_ROWS, OTHER_ROWS, PUBLIC_ROWS
from tests.released import (
    AT,
    COHORT,
    EXPORT,
    FILE,
    MANIFEST,
    PAGE,
    PAGES,
    PUT_COHORT,
    PUT_EXPORT,
    SHA256,
    clear_exports,
    put_export,
)

# Everything that an auditor may use: exports, submitted reports, the trail's proofs, and what everybody has.
OPEN_TO_AUDITORS = {
    *("POST /exports", "GET /exports", "GET /exports/{export_id}", "GET /exports/{export_id}/manifest"),
    "GET /exports/{export_id}/files/{name}",
    *("GET /reports/quarterly", "GET /reports/quarterly/{period}/records/{indicator}"),
    *("GET /reports/quarterly/{period}/versions", "GET /reports/quarterly/{period}/versions/{number}"),
    "GET /reports/quarterly/{period}/versions/{number}/diff",
    *("GET /audit-events", "GET /audit-events/verification"),
    *("GET /codes", "GET /areas", "GET /areas/{code}"),
    *("GET /me", "GET /me/details", "GET /me/notices", "PUT /me/password"),
    *("POST /me/totp", "POST /me/totp/confirm", "DELETE /me/totp"),
    *("POST /auth/step-up", "POST /auth/logout", "GET /auth/sessions", "DELETE /auth/sessions/{session_id}"),
    "POST /auth/token",
}
METHODS = {"get", "post", "put", "patch", "delete"}


@contextmanager
def a_release(cast: Cast, superuser: psycopg.Connection[Any], state: str = "released") -> Iterator[None]:
    """One release of the first organisation's cases, until the block ends."""

    def run(statement: str, *values: Any) -> None:
        superuser.execute(statement.encode(), values)

    put_export(run, cast.organisations["ngo"], cast.users["auditor"].id, state)
    try:
        yield
    finally:
        clear_exports(run)


async def test_an_auditor_is_refused_by_every_operation_but_the_few_of_the_role(cast: Cast) -> None:
    """Every path of the description with every method, with an id that exists where there is one and with none."""
    auditor, case_id = cast.client("auditor"), await open_case(cast)
    document = (await auditor.get("/openapi.json")).json()
    tried, refused = 0, 0
    for path, operations in document["paths"].items():
        for method in operations.keys() & METHODS:
            own = path.removeprefix("/api/v1")
            if f"{method.upper()} {own}" in OPEN_TO_AUDITORS or not operations[method]["security"]:
                continue
            for own_id in (case_id, str(uuid4())):
                answer = await _tried(auditor, method, path, own_id)
                assert (answer.status_code, answer.json().get("code")) in {
                    (403, "forbidden"),
                    (403, None),  # FHIR says it in its own words
                }, (method, path)
                refused += 1
            tried += 1
    assert tried > 150
    assert refused == 2 * tried


async def _tried(auditor: httpx.AsyncClient, method: str, path: str, own_id: str) -> httpx.Response:
    url = "http://samaki.test" + path
    while "{" in url:
        before, _, rest = url.partition("{")
        url = before + own_id + rest.partition("}")[2]
    body: dict[str, Any] | None = {} if method in {"post", "put", "patch"} else None
    return await auditor.request(method.upper(), url, json=body)


def test_the_matrix_opens_to_auditors_what_this_file_does() -> None:
    others = {row.operation for row in OTHER_ROWS if row.cells["auditor"] < 403 or row.cells["auditor"] in {409, 410}}
    assert others <= OPEN_TO_AUDITORS
    assert {row.operation for row in CASE_ROWS if row.cells["other"] != 403} == set()
    assert {row.operation for row in PUBLIC_ROWS} & OPEN_TO_AUDITORS == {"POST /auth/token"}


def test_nobody_else_asks_for_releases_and_no_auditor_approves_one() -> None:
    may = {one: {role for role in Role if role_may(role, one)} for one in Permission}
    assert may[Permission.EXPORT_REQUEST] == {Role.AUDITOR}
    assert may[Permission.EXPORT_APPROVE] == {Role.SUPERVISOR}
    assert may[Permission.EXPORT_READ] == may[Permission.EXPORT_DOWNLOAD] == {Role.AUDITOR, Role.SUPERVISOR}


READS = {
    "export": "select from exports",
    "file": "select from export_files where name = 'category.csv'",
    "chunk": "select from export_chunks where name = 'category.csv'",
    "risks": "select from export_files where name ~ '^(manifest|risk)' having count(*) > 2",
    "risk chunks": "select from export_chunks where name ~ '^(manifest|risk)' having count(*) > 2",
    "approvals": "select from export_approvals_of(array[%(export)s]::uuid[])",
}
SEEN = {
    "auditor": {"export", "file", "chunk", "risks", "risk chunks", "approvals"},
    "supervisor": {"export", "risks", "risk chunks", "approvals"},
    "other_supervisor": set(),
    "caseworker": set(),
    "liaison": set(),
    "partner": set(),
    "admin": set(),
}


def _sees(urls: DatabaseUrls, cast: Cast, who: str) -> set[str]:
    with psycopg.connect(urls.runtime) as connection:
        connection.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
        asked = {"export": EXPORT}
        return {name for name, query in READS.items() if connection.execute(query.encode(), asked).fetchall()}


@pytest.mark.parametrize("who", SEEN)
def test_a_release_is_known_to_auditors_and_to_supervisors_with_rows_in_it(
    cast: Cast, superuser: psycopg.Connection[Any], database: DatabaseUrls, who: str
) -> None:
    with a_release(cast, superuser):
        assert _sees(database, cast, who) == SEEN[who]


@pytest.mark.parametrize("state", ["requested", "freezing", "frozen", "refused", "withdrawn"])
def test_before_it_is_released_nobody_reads_a_file_of_it_and_who_approves_only_its_risks_once_frozen(
    cast: Cast, superuser: psycopg.Connection[Any], database: DatabaseUrls, state: str
) -> None:
    with a_release(cast, superuser):
        superuser.execute("update exports set state = %s", [state])
        other = [uuid4(), "another", "2024Q3", COHORT, "released", SHA256, cast.id("auditor"), AT, AT]
        superuser.execute(PUT_EXPORT, other)  # which has none
        assert _sees(database, cast, "auditor") <= {"export", "approvals"}
        risks = {"risks", "risk chunks"} if state == "frozen" else set()
        assert _sees(database, cast, "supervisor") - {"export", "approvals"} == risks
        assert _sees(database, cast, "other_supervisor") == set()


FORBIDDEN = (
    *("select from export_cohorts", "select from export_members", "select from export_parties"),
    *("select from export_approvals", "insert into exports (id) values (gen_random_uuid())"),
    *("update exports set state = 'released'", "delete from exports", "update export_files set size = 1"),
    *("delete from export_chunks", "insert into export_chunks (number) values (1)"),
    "select from freeze_cohort(gen_random_uuid(), '2024Q3', '2024-07-01', '2024-09-30')",
    "select seal_cohort(gen_random_uuid(), '', '', '')",
    *("select from told_of_cohort(gen_random_uuid())", "select from told_by_releases(gen_random_uuid())"),
    "select hold_reports_of_cohort(gen_random_uuid())",
)


@pytest.mark.parametrize("statement", FORBIDDEN)
@pytest.mark.parametrize("who", ["auditor", "supervisor"])
def test_the_api_s_role_neither_freezes_nor_releases_by_itself(
    cast: Cast, database: DatabaseUrls, who: str, statement: str
) -> None:
    with psycopg.connect(database.runtime) as connection:
        connection.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


OF_WORKERS = (
    *("select from cases", "select from export_members", "select from export_parties", "select from export_approvals"),
    *("insert into exports (id) values (gen_random_uuid())", "update exports set requested_by = null"),
    *("update exports set released_at = now()", "delete from export_files", "update export_chunks set number = 1"),
    *("update export_cohorts set sealed = null", "insert into export_cohorts (id) values (gen_random_uuid())"),
    "select approve_export(gen_random_uuid(), '')",
    "select from request_export(gen_random_uuid(), '', '', '', '', 3)",
)


@pytest.mark.parametrize("statement", OF_WORKERS)
def test_the_worker_s_role_sees_no_case_and_approves_nothing(database: DatabaseUrls, statement: str) -> None:
    with (
        psycopg.connect(database.worker) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def _call(urls: DatabaseUrls, cast: Cast, who: str, query: str, *values: Any) -> Any:
    with psycopg.connect(urls.runtime) as connection:
        connection.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
        found = connection.execute(query.encode(), values).fetchall()
        connection.rollback()
        return found


def test_only_an_auditor_s_request_is_one(
    cast: Cast, superuser: psycopg.Connection[Any], database: DatabaseUrls
) -> None:
    query = "select outcome, id from request_export(gen_random_uuid(), %s, '1', '', %s, 3)"
    with a_release(cast, superuser):
        known = [("known", EXPORT)]
        assert _call(database, cast, "auditor", query, "auditor-v1", "2024Q3") == known
        assert _call(database, cast, "supervisor", query, "auditor-v1", "2024Q3") == []
        assert [row[0] for row in _call(database, cast, "auditor", query, "auditor-v1", "2024Q2")] == ["new"]
        assert [row[0] for row in _call(database, cast, "auditor", query, "public-v1", "2024Q3")] == ["new"]
        superuser.execute("update export_cohorts set withdrawn_at = now()")
        assert _call(database, cast, "auditor", query, "public-v1", "2024Q3") == [("withdrawn", None)]


def test_a_refused_release_is_none_of_the_three_of_a_cohort(
    cast: Cast, superuser: psycopg.Connection[Any], database: DatabaseUrls
) -> None:
    other = (
        "insert into exports (id, profile, profile_version, profile_hash, period, state, requested_by, requested_at)"
        " values (gen_random_uuid(), %s, '1', '', '2024Q3', %s, %s, now())"
    )
    query = "select outcome, id from request_export(gen_random_uuid(), 'auditor-v2', '1', '', '2024Q3', 3)"
    with a_release(cast, superuser):
        superuser.execute(other.replace("2024Q3", "2024Q1").encode(), ["a", "released", cast.id("auditor")])
        for name, state in (("a", "refused"), ("b", "requested")):
            superuser.execute(other.encode(), [name, state, cast.id("auditor")])
        assert [row[0] for row in _call(database, cast, "auditor", query)] == ["new"]
        superuser.execute(other.encode(), ["c", "frozen", cast.id("auditor")])
        assert _call(database, cast, "auditor", query) == [("too_many", None)]


def test_only_a_supervisor_with_rows_in_it_approves_and_once_for_the_same_cases(
    cast: Cast, superuser: psycopg.Connection[Any], database: DatabaseUrls
) -> None:
    query, who = "select approve_export(%s, %s)", "supervisor"
    with a_release(cast, superuser, "frozen"):
        for other in ("other_supervisor", "caseworker", "auditor", "admin"):
            assert _call(database, cast, other, query, EXPORT, SHA256) == [(None,)], other
        assert _call(database, cast, who, query, EXPORT, SHA256) == [("approved",)]
        assert _call(database, cast, who, query, EXPORT, "0" * 64) == [("outdated",)]
        assert _call(database, cast, who, query, uuid4(), SHA256) == [(None,)]
        for state, outcome in (("requested", "not_frozen"), ("released", "not_frozen"), ("withdrawn", "withdrawn")):
            superuser.execute("update exports set state = %s", [state])
            assert _call(database, cast, who, query, EXPORT, SHA256) == [(outcome,)]
        superuser.execute("update exports set state = 'frozen', requested_by = %s", [cast.id(who)])
        assert _call(database, cast, who, query, EXPORT, SHA256) == [("same_person",)]


def test_the_last_yes_releases_and_each_is_of_another_person(
    cast: Cast, superuser: psycopg.Connection[Any], database: DatabaseUrls
) -> None:
    there = cast.organisations["other_ngo"]
    with a_release(cast, superuser, "frozen"):
        superuser.execute("insert into export_parties (cohort_id, organisation_id) values (%s, %s)", [COHORT, there])
        for who, state in (("supervisor", "frozen"), ("other_supervisor", "released")):
            with psycopg.connect(database.runtime) as connection:
                connection.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
                said = connection.execute("select approve_export(%s, %s)", [EXPORT, SHA256]).fetchone()
            assert said == ("approved",)
            assert superuser.execute("select state from exports").fetchone() == (state,)
        superuser.execute("update exports set state = 'frozen'")
        query = "select approve_export(%s, %s)"
        assert _call(database, cast, "second_supervisor", query, EXPORT, SHA256) == [("answered",)]
        second = uuid4()
        superuser.execute(PUT_EXPORT, [second, "b", "2024Q3", COHORT, "frozen", SHA256, cast.id("auditor"), AT, AT])
        assert _call(database, cast, "supervisor", query, second, SHA256) == [("same_person",)]
        assert _call(database, cast, "second_supervisor", query, second, SHA256) == [("approved",)]
        # Of another cohort she may approve again; of one without rows of hers she knows nothing.
        cohort, third = uuid4(), uuid4()
        superuser.execute(PUT_COHORT, [cohort, "2024Q2", AT, None])
        superuser.execute(PUT_EXPORT, [third, "b", "2024Q2", cohort, "frozen", SHA256, cast.id("auditor"), AT, AT])
        assert _call(database, cast, "supervisor", query, third, SHA256) == [(None,)]
        assert _call(database, cast, "supervisor", "select from exports where id = %s", third) == []
        own = cast.organisations["ngo"]
        superuser.execute("insert into export_parties (cohort_id, organisation_id) values (%s, %s)", [cohort, own])
        assert _call(database, cast, "supervisor", query, third, SHA256) == [("approved",)]


async def test_who_approves_reads_the_pages_on_its_risks_and_what_is_signed_and_nobody_else_does_before_the_yes(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    paths = {"/manifest": MANIFEST} | {f"/files/{page}": PAGE for page in PAGES}
    supervisor, auditor = cast.client("supervisor"), cast.client("auditor")
    with a_release(cast, superuser, "frozen"):
        for path, content in paths.items():
            shown = await supervisor.get(f"/exports/{EXPORT}{path}")
            assert (shown.status_code, shown.content) == (200, content)
            assert answered(await auditor.get(f"/exports/{EXPORT}{path}"), 409)["cause"] == "not_released"
            hidden, unknown = [
                await cast.client("other_supervisor").get(
                    f"/exports/{own_id}{path}", headers={"X-Request-ID": "0" * 32}
                )
                for own_id in (EXPORT, uuid4())
            ]
            assert (hidden.status_code, hidden.content) == (unknown.status_code, unknown.content)
            assert hidden.status_code == 404
        found = answered(await supervisor.get(f"/exports/{EXPORT}"), 200)["files"]
        assert [one["name"] for one in found] == ["manifest.json", *PAGES]
        answered(await supervisor.get(f"/exports/{EXPORT}/files/{FILE}"), 404)
        superuser.execute("update exports set state = 'released'")
        answered(await supervisor.get(f"/exports/{EXPORT}/files/{FILE}"), 404)
        assert (await supervisor.get(f"/exports/{EXPORT}/files/{PAGES[1]}")).content == PAGE
        superuser.execute("update exports set state = 'freezing'")
        refused = answered(await supervisor.get(f"/exports/{EXPORT}/files/{PAGES[1]}"), 409)
        assert refused["cause"] == "not_released"


async def test_the_trail_tells_auditors_of_exports_and_of_nothing_else(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    await open_case(cast)
    auditor = cast.client("auditor")
    with a_release(cast, superuser):
        answered(await auditor.get(f"/exports/{EXPORT}"), 200)
    told = answered(await auditor.get("/audit-events"), 200)["items"]
    assert "read_export" in {one["action"] for one in told}
    assert not [one for one in told if one["case_ids"]]
