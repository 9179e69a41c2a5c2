"""The trail: whoever sees or does something leaves a row behind, and whoever leaves none gets no answer."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.audit import tell_counted
from app.database_urls import DatabaseUrls
from app.errors import Unavailable
from app.openapi import operations
from app.security import Runtime
from benchmarks.capture import recording
from tests.acts import SENSITIVE, assign, exclude
from tests.cases import SUPPORT, intake, open_case
from tests.cast import Cast, answered
from tests.database import Server
from tests.doors import bearer, door, newcomer, refreshed, token
from tests.ground import Ground, another
from tests.trail import Superuser, heads, rows, told

MARKER = "Zxmarkerqv"


async def test_reading_a_case_leaves_one_row_with_who_which_case_and_how(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast)
    row = (await told(superuser, cast.client("caseworker"), "GET", f"/cases/{case_id}")).row
    assert (str(row["actor_id"]), row["action"], row["status"]) == (cast.id("caseworker"), "read_case", 200)
    assert [str(one) for one in row["case_ids"]] == [case_id]
    assert (row["via"], row["kind"], row["at"]) == (["lead"], "casework", cast.clock())
    assert row["shard"] == case_id_shard(case_id)


def case_id_shard(own_id: str) -> int:
    return int(own_id[-1], 16)


async def test_a_list_leaves_one_row_with_exactly_the_cases_that_were_shown(cast: Cast, superuser: Superuser) -> None:
    for _ in range(4):
        await open_case(cast)
    found = await told(superuser, cast.client("caseworker"), "GET", "/cases", params={"limit": 3})
    listed = [item["id"] for item in found.answer.json()["items"]]
    assert len(listed) == 3
    assert [str(one) for one in found.row["case_ids"]] == listed
    assert len(found.row["via"]) == 3
    assert found.row["shard"] == case_id_shard(cast.id("caseworker")), "several cases: the chain of the actor"


async def test_the_stubs_of_a_caseload_are_told_as_stubs(cast: Cast, superuser: Superuser) -> None:
    await open_case(cast, category=SENSITIVE)
    found = await told(superuser, cast.client("supervisor"), "GET", "/caseload", params={"limit": 5})
    assert [str(one) for one in found.row["case_ids"]] == [item["id"] for item in found.answer.json()["items"]]
    assert set(found.row["via"]) == {"stub"}


async def test_what_is_done_on_a_stub_is_told_with_the_case(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    body = {"user_id": cast.id("colleague"), "role": "caseworker"}
    path = f"/cases/{case_id}/assignments"
    found = await told(superuser, cast.client("supervisor"), "POST", path, json=body)
    assert found.answer.status_code == 201
    assert ([str(one) for one in found.row["case_ids"]], found.row["via"]) == ([case_id], ["stub"])
    assert str(found.row["subject_id"]) == found.answer.json()["id"]


async def test_a_write_leaves_one_row_with_what_was_made(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast)
    path = f"/cases/{case_id}/notes"
    found = await told(superuser, cast.client("caseworker"), "POST", path, json={"text": MARKER})
    assert (found.row["action"], found.row["status"]) == ("add_note", 201)
    assert str(found.row["subject_id"]) == found.answer.json()["id"]


async def test_opening_a_case_is_told_also_when_the_opener_may_not_read_it(cast: Cast, superuser: Superuser) -> None:
    opened = await told(superuser, cast.client("caseworker"), "POST", "/cases", json=intake())
    assert ([str(one) for one in opened.row["case_ids"]], opened.row["via"]) == ([opened.answer.json()["id"]], ["lead"])
    body = intake(organisation_id=cast.organisation("ngo"))
    blind = await told(superuser, cast.client("liaison"), "POST", "/cases", json=body)
    assert ([str(one) for one in blind.row["case_ids"]], blind.row["via"]) == ([blind.answer.json()["id"]], ["opener"])


async def test_people_of_a_case_are_told_with_their_case(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast)
    client = cast.client("caseworker")
    person_id = answered(await client.get(f"/cases/{case_id}"), 200)["client"]["id"]
    row = (await told(superuser, client, "GET", f"/people/{person_id}")).row
    assert ([str(one) for one in row["case_ids"]], str(row["subject_id"])) == ([case_id], person_id)
    household = answered(await client.post("/households", json={"size": 2}), 201)["id"]
    change = {"household_id": household}
    answered(await client.patch(f"/people/{person_id}", json=change, headers={"If-Match": "*"}), 200)
    row = (await told(superuser, client, "GET", f"/households/{household}")).row
    assert ([str(one) for one in row["case_ids"]], row["via"]) == ([case_id], ["household"])
    copied = {name: value for name, value in intake(client_id=person_id).items() if name != "client"}
    found = await told(superuser, client, "POST", "/cases", json=copied)
    assert {str(one) for one in found.row["case_ids"]} == {case_id, found.answer.json()["id"]}


async def test_a_repeated_request_is_told_again(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast)
    path, client = f"/cases/{case_id}/notes", cast.client("caseworker")
    headers = {"Idempotency-Key": str(uuid4())}
    for replayed in (None, "replayed"):
        found = await told(superuser, client, "POST", path, json={"text": "Once."}, headers=headers)
        assert (found.answer.status_code, found.row["reason"]) == (201, replayed)
        assert [str(one) for one in found.row["case_ids"]] == [case_id]
    assert found.row["action"] == "read_note"


async def test_a_repeated_request_whose_case_is_hidden_now_is_told_as_refused(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast)
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    path, headers = f"/cases/{case_id}/notes", {"Idempotency-Key": str(uuid4())}
    request: dict[str, Any] = {"json": {"text": "Once."}, "headers": headers}
    answered(await cast.client("colleague").post(path, **request), 201)
    await exclude(cast, "caseworker", case_id, "colleague")
    found = await told(superuser, cast.client("colleague"), "POST", path, **request)
    assert (found.answer.status_code, found.row["status"]) == (404, 404)


async def test_a_hidden_and_an_unknown_case_leave_the_same_row_but_for_the_id(cast: Cast, superuser: Superuser) -> None:
    hidden, unknown = await open_case(cast, category=SENSITIVE), str(uuid4())
    kept = []
    for own_id in (hidden, unknown):
        found = await told(superuser, cast.client("stranger"), "GET", f"/cases/{own_id}/notes")
        assert found.answer.status_code == 404
        assert [str(one) for one in found.row["case_ids"]] == [own_id], "as it was asked for"
        own = {"seq", "id", "case_ids", "request_id", "hash"}
        kept.append({name: value for name, value in found.row.items() if name not in own})
    assert kept[0] == kept[1]
    assert (kept[0]["reason"], kept[0]["via"], kept[0]["action"]) == ("not_found", [], "list_notes")
    assert kept[0]["shard"] == case_id_shard(cast.id("stranger")), "by the actor, hidden or not"


@pytest.mark.parametrize(
    ("who", "method", "path", "body", "status"),
    [
        ("partner", "GET", "/cases/{case}", None, 403),
        ("admin", "GET", "/cases", None, 403),
        ("admin", "POST", "/organisations/{unknown}/clients", {"name": "System"}, 404),
        ("partner", "POST", "/users", {}, 403),
        ("liaison", "GET", "/cases/{case}/access-report", None, 403),
        ("caseworker", "GET", "/people/{unknown}", None, 404),
        ("caseworker", "GET", "/people/no-id", None, 404),
        ("caseworker", "PATCH", "/cases/{case}", {"priority": "stat"}, 412),
        ("caseworker", "POST", "/cases/{case}/notes", {"no_such": MARKER}, 422),
        ("caseworker", "POST", "/cases/{case}/transitions", {"to": "follow_up"}, 409),
    ],
)
async def test_every_refusal_is_told_once_with_the_ids_as_asked(
    cast: Cast, superuser: Superuser, who: str, method: str, path: str, body: Any, status: int
) -> None:
    case_id, unknown = await open_case(cast), str(uuid4())
    path = path.format(case=case_id, unknown=unknown)
    headers = {"If-Match": '"99"'} if method == "PATCH" else {}
    found = await told(superuser, cast.client(who), method, path, json=body, headers=headers)
    assert found.answer.status_code == status
    row = found.row
    assert (row["status"], row["reason"], str(row["actor_id"])) == (status, found.answer.json()["code"], cast.id(who))
    assert [str(one) for one in row["case_ids"]] == ([case_id] if case_id in path else [])
    assert (str(row["subject_id"]) == unknown) is (unknown in path)


async def test_a_session_that_has_ended_is_told_with_whose_it_was(
    cast: Cast, superuser: Superuser, app: object, runtime: Runtime
) -> None:
    somebody = await newcomer(runtime)
    client = door(app)
    tokens = answered(await token(client, somebody.grant()), 200)
    out = await told(superuser, client, "POST", "/auth/logout", headers=bearer(tokens))
    assert (out.row["action"], out.row["kind"], str(out.row["actor_id"])) == ("log_out", "account", somebody.id)
    found = await told(superuser, client, "GET", "/me", headers=bearer(tokens))
    assert (found.answer.status_code, found.row["status"], str(found.row["actor_id"])) == (401, 401, somebody.id)


async def test_strangers_are_told_one_by_one_and_beyond_sixty_a_minute_in_one_row(
    app: object, runtime: Runtime, superuser: Superuser
) -> None:
    await tell_counted(runtime)
    client, path = door(app), f"/cases/{uuid4()}"
    found = await told(superuser, client, "GET", path, headers={"Authorization": "Bearer x.y.z"})
    address = found.row["address"]
    assert (found.row["actor_id"], found.row["status"], len(address)) == (None, 401, 32)
    assert [f"/cases/{one}" for one in found.row["case_ids"]] == [path]
    for _ in range(80):
        assert (await client.get(path)).status_code == 401
    await tell_counted(runtime)
    await tell_counted(runtime)
    kept = rows(superuser, "address = %s", address)
    counted = [row for row in kept if row["counted"] > 1]
    assert [row["action"] for row in counted] == ["count_strangers"]
    assert sum(row["counted"] for row in kept) == 81
    assert 60 <= len(kept) - 1 <= 61 or sum(row["counted"] for row in counted) < 21  # a minute may have turned


async def test_signing_in_is_told_by_account_and_never_by_the_name_that_was_typed(
    app: object, runtime: Runtime, superuser: Superuser
) -> None:
    somebody = await newcomer(runtime)
    client = door(app)
    wrong = await told(superuser, client, "POST", "/auth/token", data=somebody.grant(password="wrong"))
    right = await told(superuser, client, "POST", "/auth/token", data=somebody.grant())
    nobody = await told(superuser, client, "POST", "/auth/token", data=somebody.grant(username=MARKER.lower()))
    assert [(one.row["action"], one.row["status"]) for one in (wrong, right, nobody)] == [
        ("sign_in", 401),
        ("sign_in", 200),
        ("sign_in", 401),
    ]
    assert wrong.row["account"] == right.row["account"] != nobody.row["account"]
    assert (wrong.row["actor_id"], str(right.row["actor_id"])) == (None, somebody.id)
    for found in (wrong, right, nobody):
        assert somebody.username not in str(found.rows)
        assert MARKER.lower() not in str(found.rows)


async def test_an_account_that_is_locked_is_told_so(app: object, runtime: Runtime, superuser: Superuser) -> None:
    somebody = await newcomer(runtime)
    client = door(app)
    for _ in range(10):
        assert (await token(client, somebody.grant(password="wrong"))).status_code == 401
    found = await told(superuser, client, "POST", "/auth/token", data=somebody.grant())
    assert (found.answer.status_code, found.row["status"], found.row["reason"]) == (429, 429, "rate_limited")


async def test_a_refresh_token_that_comes_back_is_told_with_the_session_that_it_ends(
    app: object, runtime: Runtime, superuser: Superuser
) -> None:
    somebody = await newcomer(runtime)
    client = door(app)
    tokens = answered(await token(client, somebody.grant()), 200)
    answered(await refreshed(client, tokens["refresh_token"]), 200)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    again = await told(superuser, client, "POST", "/auth/token", data=form)
    assert again.answer.status_code == 401
    assert {(row["action"], row["reason"], row["actor_id"] and str(row["actor_id"])) for row in again.rows} == {
        ("end_session", "refresh_token_reused", somebody.id),
        ("renew_session", "unauthenticated", None),
    }


async def test_the_row_costs_one_statement(cast: Cast, runtime: Runtime) -> None:
    case_id = await open_case(cast)
    counted = {}
    for who, status in (("caseworker", 200), ("stranger", 404)):
        with recording(runtime.database.engine) as statements:
            assert (await cast.client(who).get(f"/cases/{case_id}")).status_code == status
        counted[who] = [("audit" in sql) for sql, _ in statements]
    assert counted == {"caseworker": [False, False, True], "stranger": [False, False, True]}, "last, and once"


async def test_no_text_of_anybody_fits_into_the_trail(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast, summary=MARKER, client={"alias": MARKER, "sex": "female"})
    client = cast.client("caseworker")
    answered(await client.post(f"/cases/{case_id}/notes", json={"text": MARKER}), 201)
    await client.get("/cases", params={"cursor": MARKER})
    await client.get(f"/cases/{MARKER}", headers={"X-Request-ID": f"{MARKER} by name"})
    await client.get(f"/cases/{case_id}", headers={"X-Request-ID": f"name-{MARKER}"})
    everything = "select count(*) from audit_events e where e::text ilike %s"
    assert superuser.execute(everything, [f"%{MARKER}%"]).fetchone() == (0,)
    assert superuser.execute(everything, [f"%{case_id}%"]).fetchone() != (0,), "the question finds what is there"


def test_every_operation_that_reads_is_called_so(app: Any) -> None:
    """The insider report counts reads by the name of the operation."""
    described = [one for one in operations(app, app.openapi()) if one.permission is not None]
    for one in described:
        reads = one.json["operationId"].startswith(("read_", "list_", "count_"))
        assert reads is (one.method == "GET"), one.json["operationId"]


# What happens when the trail cannot be written.


@pytest.fixture
async def mute(server: Server, set_stage: Ground, keys_dir: Path) -> AsyncIterator[tuple[Ground, Superuser]]:
    """An application whose database role may not append to the trail any more, and who sees everything."""
    async with another(server, set_stage, keys_dir) as made:
        with psycopg.connect(made.urls.admin, autocommit=True) as superuser:
            yield made, superuser


def silence(superuser: Superuser, *doors: str) -> None:
    for name in doors:
        row = superuser.execute("select oid::regprocedure::text from pg_proc where proname = %s", [name]).fetchone()
        assert row is not None
        superuser.execute(f"revoke execute on function {row[0]} from samaki_runtime".encode())


async def test_without_a_row_there_is_no_answer_and_nothing_is_written(mute: tuple[Ground, Superuser]) -> None:
    on, superuser = mute
    case = on.stage.cases["sensitive"]
    lead, stranger = on.stage.client("lead"), on.stage.client("stranger_sensitive")
    silence(superuser, "append_audit_event")

    def written() -> Any:
        query = "select (select count(*) from notes), (select count(*) from cases), (select count(*) from events)"
        return superuser.execute(query).fetchone()

    before, lengths = written(), heads(superuser)
    refused = [
        await lead.get(f"/cases/{case.id}"),
        await lead.get("/cases"),
        await lead.post(f"/cases/{case.id}/notes", json={"text": "Seen."}),
        await lead.post("/cases", json=intake(), headers={"Idempotency-Key": "mute"}),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert "Retry-After" in answer.headers
        assert case.id not in answer.text
    assert (written(), heads(superuser)) == (before, lengths)
    assert superuser.execute("select from idempotency_keys where key = 'mute'").fetchone() is None
    assert (await stranger.get(f"/cases/{case.id}")).status_code == 404, "the other door is open"
    somebody = await newcomer(on.runtime)
    silence(superuser, "append_audit_apart")
    for answer in (
        await stranger.get(f"/cases/{case.id}"),
        await stranger.get(f"/cases/{uuid4()}"),
        await on.stage.client("partner_standard").get("/cases"),
        await on.cast.client("nobody").get("/cases"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    users = superuser.execute("select count(*) from users").fetchone()
    with pytest.raises(Unavailable):
        await newcomer(on.runtime)  # as the operator at the command line
    assert superuser.execute("select count(*) from users").fetchone() == users
    sessions = superuser.execute("select count(*) from sessions").fetchone()
    for form in (somebody.grant(), somebody.grant(password="wrong")):
        assert (await token(door(on.app), form)).status_code == 503
    assert superuser.execute("select count(*) from sessions").fetchone() == sessions


async def test_a_chain_without_its_head_gives_no_answer_either(mute: tuple[Ground, Superuser]) -> None:
    on, superuser = mute
    superuser.execute("delete from audit_heads")
    assert (await on.stage.client("lead").get("/me")).status_code == 503
    assert (await on.stage.client("partner_standard").get("/cases")).status_code == 503


# What the roles of the database may do with it.


async def test_the_api_s_role_can_neither_read_nor_change_nor_forge_the_trail(
    cast: Cast, runtime_connection: psycopg.Connection[Any]
) -> None:
    runtime_connection.execute("select from begin_request(%s)", [cast.sessions["supervisor"]])
    for statement in (
        "select from audit_events",
        "select from audit_heads",
        "select from audit_signatures",
        "select from audit_verifications",
        "insert into audit_events select * from audit_events",
        "update audit_events set status = 200",
        "delete from audit_events",
        "truncate audit_events",
        "update audit_heads set seq = 0",
        "delete from audit_heads",
        "insert into audit_signatures values (now(), '', '', '')",
        "delete from audit_signatures",
        "select put_audit_event(null)",
        "select audit_text(null)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), runtime_connection.transaction():
            runtime_connection.execute(statement.encode())


APPEND = "select append_audit_event('casework', 'read_case', 200, null, '{}', '{}', null, null)"


async def test_who_is_not_calling_appends_nothing_and_who_is_appends_as_themselves(
    cast: Cast, runtime_connection: psycopg.Connection[Any], superuser: Superuser
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), runtime_connection.transaction():
        runtime_connection.execute(APPEND.encode())
    runtime_connection.execute("select from begin_request(%s)", [cast.sessions["colleague"]])
    runtime_connection.execute(APPEND.encode())
    runtime_connection.commit()
    last = rows(superuser, "actor_id = %s and request_id is null", cast.id("colleague"))[-1]
    assert last["action"] == "read_case"


@pytest.mark.parametrize(
    ("column", "value"),
    [("action", "Sok Dara"), ("reason", "she said"), ("request_id", "a|b|c|d|e"), ("kind", "people")],
)
async def test_a_row_holds_codes_and_ids_only(
    cast: Cast, runtime_connection: psycopg.Connection[Any], column: str, value: str
) -> None:
    values: dict[str, Any] = {"kind": "casework", "action": "read_case", "reason": None, "request_id": None}
    runtime_connection.execute("select from begin_request(%s)", [cast.sessions["colleague"]])
    with pytest.raises(psycopg.errors.CheckViolation), runtime_connection.transaction():
        runtime_connection.execute(
            "select append_audit_event(%(kind)s, %(action)s, 200, %(reason)s, '{}', '{}', null, %(request_id)s)",
            {**values, column: value},
        )


def test_not_even_the_owner_of_the_tables_changes_the_trail(database: DatabaseUrls) -> None:
    with psycopg.connect(database.owner) as connection:
        for statement in ("update audit_events set status = 200", "delete from audit_events", "truncate audit_events"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement.encode())
    with psycopg.connect(database.loader) as connection:
        for statement in ("insert into audit_events select * from audit_events", "update audit_heads set seq = 1"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement.encode())


@pytest.fixture
def runtime_connection(database: DatabaseUrls) -> Any:
    with psycopg.connect(database.runtime) as connection:
        yield connection


async def test_the_support_of_a_liaison_is_told_as_such(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast, consents=[SUPPORT])
    await assign(cast, "caseworker", case_id, "liaison", "liaison")
    assert (await told(superuser, cast.client("liaison"), "GET", f"/cases/{case_id}")).row["via"] == ["liaison"]
