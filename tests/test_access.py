"""Who sees a case, and who cannot tell that there is one: liaisons, supervisors, broken glass, database."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from tests.acts import (
    SENSITIVE,
    assign,
    break_glass,
    exclude,
    finds,
    grant_by_hand,
    lift,
    listed,
    status_of,
    total,
    with_liaison,
    without_instance,
)
from tests.cases import SUPPORT, intake, open_case
from tests.cast import COMMUNE, OTHER_COMMUNE, Cast, FrozenClock, answered
from tests.oracle.stage import wrongly_derived

# ---- what is hidden does not exist ----


async def test_an_excluded_liaison_cannot_tell_that_the_case_exists(cast: Cast) -> None:
    before = await total(cast, "liaison")
    case_id, _ = await with_liaison(cast)
    assert await finds(cast, "liaison", case_id)
    assert await total(cast, "liaison") == before + 1
    await exclude(cast, "caseworker", case_id, "liaison")
    for rest in ("", "/receipt", "/timeline", "/notes", "/assignments"):
        hidden = await cast.client("liaison").get(f"/cases/{case_id}{rest}")
        unknown = await cast.client("liaison").get(f"/cases/{uuid4()}{rest}")
        assert hidden.status_code == 404
        assert without_instance(hidden) == without_instance(unknown)
    answered(await cast.client("liaison").post(f"/cases/{case_id}/notes", json={"text": "x"}), 404)
    for query in ({}, {"assigned": "me"}, {"status": "intake"}, {"commune_code": COMMUNE}):
        assert not await finds(cast, "liaison", case_id, **query)
    assert await total(cast, "liaison") == before


CALLS: list[tuple[str, str, Any]] = [
    ("GET", "", None),
    ("GET", "/receipt", None),
    ("GET", "/timeline", None),
    ("GET", "/notes", None),
    ("GET", "/consents", None),
    ("GET", "/incidents", None),
    ("GET", "/people", None),
    ("GET", "/assignments", None),
    ("GET", "/exclusions", None),
    ("PATCH", "", {"priority": "urgent"}),
    ("PATCH", "", {"banana": "a field that is not"}),
    ("PATCH", "", ["not an object"]),
    ("POST", "/notes", {"text": "x"}),
    ("POST", "/notes", {"text": 1}),
    ("POST", "/consents", {}),
    ("POST", "/incidents", {}),
    ("POST", "/transitions", {"to": "banana"}),
    ("POST", "/assignments", {}),
    ("POST", "/exclusions", {"user_id": "no id"}),
]


@pytest.mark.parametrize("who", ["stranger", "other_supervisor", "colleague"])
async def test_a_hidden_and_an_unknown_id_answer_with_the_same_bytes(cast: Cast, who: str) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    for method, rest, body in CALLS:
        hidden, unknown = [
            await cast.client(who).request(method, f"/cases/{own_id}{rest}", json=body) for own_id in (case_id, uuid4())
        ]
        assert hidden.status_code == 404, (method, rest)
        assert without_instance(hidden) == without_instance(unknown), (method, rest)


async def test_a_hidden_client_or_household_named_at_intake_does_not_exist(cast: Cast) -> None:
    hidden = answered(await cast.client("caseworker").get(f"/cases/{await open_case(cast, category=SENSITIVE)}"), 200)
    household = answered(await cast.client("caseworker").post("/households", json={"size": 3}), 201)
    for client_id in (hidden["client"]["id"], str(uuid4())):
        body = {**intake(), "client_id": client_id}
        del body["client"]
        answered(await cast.client("colleague").post("/cases", json=body), 404)
    for household_id in (household["id"], str(uuid4())):
        body = intake(client={"alias": "A", "household_id": household_id})
        answered(await cast.client("stranger").post("/cases", json=body), 404)


@pytest.mark.parametrize("name", ["category", "sensitivity", "lead_id"])
async def test_a_liaison_may_not_filter_by_what_a_liaison_does_not_know(cast: Cast, name: str) -> None:
    await with_liaison(cast)
    values = {"category": (SENSITIVE, "id_poor"), "sensitivity": ("sensitive", "standard")}
    for value in values.get(name, (cast.id("caseworker"), str(uuid4()))):
        answered(await cast.client("liaison").get("/cases", params={name: value}), 403)


# ---- liaisons ----


async def test_a_liaison_sees_the_liaison_view_and_nothing_else(cast: Cast) -> None:
    case_id, _ = await with_liaison(cast)
    seen = answered(await cast.client("liaison").get(f"/cases/{case_id}"), 200)
    assert set(seen) == {
        *("id", "code", "status", "priority", "commune_code", "village_code", "client", "version", "access")
    }
    assert set(seen["client"]) == {"display_name"}
    assert seen["access"] == {"via": "liaison", "mode": "contribute"}
    assert answered(await cast.client("liaison").get("/cases/counts"), 200)["by_category"] is None
    for rest in ("/consents", "/exclusions", "/incidents", "/people"):
        assert await status_of(cast, "liaison", case_id, rest) == 403
    own = await listed(cast, "liaison", f"/cases/{case_id}/assignments")
    assert {item["user_id"] for item in own} == {cast.id("liaison")}


async def test_the_version_of_a_liaison_does_not_move_when_the_summary_changes(cast: Cast) -> None:
    case_id, _ = await with_liaison(cast)

    async def version_after(change: dict[str, Any]) -> str:
        edited = await cast.client("caseworker").patch(f"/cases/{case_id}", json=change, headers={"If-Match": "*"})
        answered(edited, 200)
        response = await cast.client("liaison").get(f"/cases/{case_id}")
        assert response.headers["ETag"] == f'"{response.json()["version"]}"'
        return response.headers["ETag"]

    first = await version_after({"summary": "One thing."})
    assert await version_after({"summary": "Another thing."}) == first
    assert await version_after({"category": "marital_issue"}) == first
    assert await version_after({"priority": "urgent"}) != first


async def test_withdrawing_the_support_ends_the_access_of_the_liaison_in_the_same_call(cast: Cast) -> None:
    case_id, consent_id = await with_liaison(cast)
    assert await status_of(cast, "liaison", case_id) == 200
    path = f"/cases/{case_id}/consents/{consent_id}/withdraw"
    answered(await cast.client("caseworker").post(path, json={}), 200)
    assert await status_of(cast, "liaison", case_id) == 404
    assert not await finds(cast, "liaison", case_id)
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/consents", json=SUPPORT), 201)
    assert await status_of(cast, "liaison", case_id) == 404, "a new consent revives nobody"


async def test_the_access_of_a_liaison_ends_with_the_last_day_of_the_consent(cast: Cast, clock: FrozenClock) -> None:
    tomorrow = (clock() + timedelta(hours=7, days=1)).date()
    case_id, _ = await with_liaison(cast, expires_on=tomorrow.isoformat())
    clock.advance(days=1)
    assert await status_of(cast, "liaison", case_id) == 200
    clock.advance(days=1)
    assert await status_of(cast, "liaison", case_id) == 404
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/consents", json=SUPPORT), 201)
    assert await status_of(cast, "liaison", case_id) == 404, "a new consent revives nobody"
    await assign(cast, "caseworker", case_id, "liaison", "liaison")
    assert await status_of(cast, "liaison", case_id) == 200


async def test_a_case_that_moves_to_another_commune_leaves_its_liaison_for_good(cast: Cast) -> None:
    case_id, _ = await with_liaison(cast)
    for commune in (OTHER_COMMUNE, COMMUNE):
        change = await cast.client("caseworker").patch(
            f"/cases/{case_id}", json={"commune_code": commune}, headers={"If-Match": "*"}
        )
        answered(change, 200)
        assert await status_of(cast, "liaison", case_id) == 404


async def test_a_liaison_is_assigned_only_in_a_commune_of_hers_and_with_consent(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    path = f"/cases/{case_id}/assignments"
    wanted = {"user_id": cast.id("liaison"), "role": "liaison"}
    refused = answered(await cast.client("caseworker").post(path, json=wanted), 409)
    assert refused["code"] == "consent_required"
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/consents", json=SUPPORT), 201)
    elsewhere = {**wanted, "user_id": cast.id("other_liaison")}
    answered(await cast.client("caseworker").post(path, json=elsewhere), 422)
    answered(await cast.client("caseworker").post(path, json=wanted), 201)


async def test_a_liaison_who_opens_a_case_gets_a_receipt_and_reads_nothing_back(cast: Cast) -> None:
    body = intake(SENSITIVE, organisation_id=cast.organisation("ngo"), consents=[SUPPORT])
    response = await cast.client("liaison").post("/cases", json=body)
    receipt = answered(response, 201)
    assert set(receipt) == {"id", "code"}
    assert response.headers["Location"].endswith(f"/cases/{receipt['id']}/receipt")
    again = await cast.client("liaison").get(response.headers["Location"].removeprefix("/api/v1"))
    assert answered(again, 200) == receipt
    for rest in ("", "/timeline", "/notes"):
        assert await status_of(cast, "liaison", receipt["id"], rest) == 404
    assert not await finds(cast, "liaison", receipt["id"])
    assert await status_of(cast, "second_liaison", receipt["id"], "/receipt") == 404


# ---- supervisors ----


async def test_a_supervisor_who_names_another_lead_gets_id_and_code_only(cast: Cast) -> None:
    body = intake(SENSITIVE, lead_id=cast.id("colleague"))
    receipt = answered(await cast.client("supervisor").post("/cases", json=body), 201)
    assert set(receipt) == {"id", "code"}
    assert await status_of(cast, "supervisor", receipt["id"]) == 404
    assert await status_of(cast, "colleague", receipt["id"]) == 200


async def test_a_stub_shows_who_carries_a_case_and_nothing_of_it(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE, priority="stat")
    (stub,) = [item for item in await listed(cast, "supervisor", "/caseload") if item["id"] == case_id]
    assert set(stub) == {"id", "code", "lead", "status", "next_due_week", "overdue", "needs_review"}
    assert stub["lead"]["id"] == cast.id("caseworker")
    assert not await finds(cast, "other_supervisor", case_id, "/caseload")
    answered(await cast.client("caseworker").get("/caseload"), 403)


async def test_on_a_stub_a_supervisor_assigns_and_excludes_and_does_nothing_else(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE, consents=[SUPPORT])
    for method, rest, body in CALLS:
        if rest not in {"/assignments", "/exclusions"} or method == "GET":
            answered(await cast.client("supervisor").request(method, f"/cases/{case_id}{rest}", json=body), 404)
    path = f"/cases/{case_id}/assignments"
    liaison = {"user_id": cast.id("liaison"), "role": "liaison"}
    answered(await cast.client("supervisor").post(path, json=liaison), 403)
    await exclude(cast, "supervisor", case_id, "second_supervisor")
    await assign(cast, "supervisor", case_id, "colleague", "caseworker")
    assert await status_of(cast, "supervisor", case_id) == 404


async def test_excluding_a_supervisor_hides_the_case_and_its_stub_at_once_everywhere(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await assign(cast, "second_supervisor", case_id, "second_supervisor", "reviewer")
    before = await total(cast, "second_supervisor")
    await exclude(cast, "caseworker", case_id, "second_supervisor")
    for rest in ("", "/timeline", "/notes", "/consents", "/assignments", "/exclusions"):
        assert await status_of(cast, "second_supervisor", case_id, rest) == 404
    assert not await finds(cast, "second_supervisor", case_id)
    assert not await finds(cast, "second_supervisor", case_id, "/caseload")
    assert await total(cast, "second_supervisor") == before - 1
    wanted = {"user_id": cast.id("second_supervisor"), "role": "reviewer", "reason": "To see."}
    path = f"/cases/{case_id}/assignments"
    answered(await cast.client("second_supervisor").post(path, json=wanted), 404)
    await exclude(cast, "second_supervisor", case_id, "caseworker", 404)
    answered(await cast.client("supervisor").post(path, json=wanted), 409)


async def test_a_reviewer_lasts_seven_days_at_most(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    later = (clock() + timedelta(days=60)).isoformat()
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer", until=later)
    clock.advance(days=7, minutes=-1)
    seen = answered(await cast.client("supervisor").get(f"/cases/{case_id}"), 200)
    assert seen["access"] == {"via": "reviewer", "mode": "contribute"}
    clock.advance(minutes=1)
    assert await status_of(cast, "supervisor", case_id) == 404


async def test_a_sensitive_case_that_nobody_leads_is_seen_by_the_supervisors_as_reviewers(cast: Cast) -> None:
    body = intake(SENSITIVE, organisation_id=cast.organisation("ngo"))
    case_id = answered(await cast.client("liaison").post("/cases", json=body), 201)["id"]
    seen = answered(await cast.client("supervisor").get(f"/cases/{case_id}"), 200)
    assert seen["access"] == {"via": "reviewer", "mode": "contribute"}
    assert await finds(cast, "supervisor", case_id, "/caseload", needs_lead=True)
    assert not await finds(cast, "supervisor", case_id, assigned="me")
    assert await status_of(cast, "caseworker", case_id) == 404
    assert await status_of(cast, "other_supervisor", case_id) == 404
    await assign(cast, "supervisor", case_id, "caseworker", "lead")
    assert await status_of(cast, "supervisor", case_id) == 404
    assert not await finds(cast, "supervisor", case_id, "/caseload", needs_lead=True)


async def test_a_supervisor_closes_an_intake_that_nobody_leads_and_then_sees_it_no_more(cast: Cast) -> None:
    body = intake(SENSITIVE, organisation_id=cast.organisation("ngo"))
    case_id = answered(await cast.client("liaison").post("/cases", json=body), 201)["id"]
    step = {"to": "closed", "closure": {"reason": "duplicate"}}
    left = answered(await cast.client("supervisor").post(f"/cases/{case_id}/transitions", json=step), 200)
    assert set(left) == {"id", "code"}
    assert await status_of(cast, "supervisor", case_id) == 404
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    assert answered(await cast.client("supervisor").get(f"/cases/{case_id}"), 200)["status"] == "closed"


async def test_a_supervisor_who_raises_a_case_to_sensitive_keeps_its_stub(cast: Cast) -> None:
    case_id = await open_case(cast)
    change = await cast.client("supervisor").patch(
        f"/cases/{case_id}", json={"sensitivity": "sensitive"}, headers={"If-Match": "*"}
    )
    assert set(answered(change, 200)) == {"id", "code"}
    assert await status_of(cast, "supervisor", case_id) == 404
    assert await status_of(cast, "colleague", case_id) == 404
    assert await finds(cast, "supervisor", case_id, "/caseload")
    assert answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)["sensitivity"] == "sensitive"


async def test_a_list_says_the_same_access_as_the_case_itself(cast: Cast) -> None:
    case_id = await open_case(cast)
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    detail = answered(await cast.client("supervisor").get(f"/cases/{case_id}"), 200)
    assert detail["access"] == {"via": "organisation", "mode": "write"}
    for query in ({}, {"assigned": "me"}):
        (row,) = [item for item in await listed(cast, "supervisor", **query) if item["id"] == case_id]
        assert row["access"] == detail["access"]


# ---- break-glass ----


async def test_broken_glass_lets_read_and_note_for_four_hours_and_nothing_else(
    cast: Cast, superuser: psycopg.Connection, clock: FrozenClock
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await break_glass(cast, superuser, case_id, "colleague")
    seen = answered(await cast.client("colleague").get(f"/cases/{case_id}"), 200)
    assert seen["access"] == {"via": "break_glass", "mode": "contribute"}
    answered(await cast.client("colleague").post(f"/cases/{case_id}/notes", json={"text": "Called."}), 201)
    change = await cast.client("colleague").patch(
        f"/cases/{case_id}", json={"priority": "stat"}, headers={"If-Match": "*"}
    )
    answered(change, 403)
    answered(await cast.client("colleague").post(f"/cases/{case_id}/consents", json=SUPPORT), 403)
    clock.advance(hours=4)
    assert await status_of(cast, "colleague", case_id) == 404


async def test_a_supervisor_with_broken_glass_neither_ends_assignments_nor_lifts_exclusions(
    cast: Cast, superuser: psycopg.Connection
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    own_id = await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    exclusion = await exclude(cast, "caseworker", case_id, "liaison")
    await break_glass(cast, superuser, case_id, "supervisor")
    answered(await cast.client("supervisor").get(f"/cases/{case_id}/exclusions"), 200)
    answered(await cast.client("supervisor").delete(f"/cases/{case_id}/assignments/{own_id}"), 403)
    await lift(cast, "supervisor", case_id, exclusion["id"], 403)
    await exclude(cast, "supervisor", case_id, "second_liaison")  # what she may do on the stub she still may


async def test_an_exclusion_ends_broken_glass(cast: Cast, superuser: psycopg.Connection) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await break_glass(cast, superuser, case_id, "colleague")
    assert await status_of(cast, "colleague", case_id) == 200
    await exclude(cast, "caseworker", case_id, "colleague")
    assert await status_of(cast, "colleague", case_id) == 404
    await break_glass(cast, superuser, case_id, "colleague", 404)
    grant_by_hand(cast, superuser, case_id, "colleague")
    assert await status_of(cast, "colleague", case_id) == 404, "never over an exclusion"


# ---- the database ----


def tables_of_cases(superuser: psycopg.Connection) -> list[str]:
    """Every table with the id of a case, and the cases themselves."""
    found = superuser.execute(
        "select c.table_name from information_schema.columns c join information_schema.tables t"
        " using (table_schema, table_name) where c.table_schema = 'public' and c.column_name = 'case_id'"
        " and t.table_type = 'BASE TABLE' order by 1"
    )
    return ["cases", *(name for (name,) in found)]


async def test_the_runtime_role_without_settings_reads_no_row_of_any_case(
    cast: Cast, database: DatabaseUrls, superuser: psycopg.Connection
) -> None:
    case_id, _ = await with_liaison(cast)
    await exclude(cast, "caseworker", case_id, "stranger")
    tables = tables_of_cases(superuser)
    assert {"case_access", "case_exclusions", "notes", "people", "events"} <= set(tables)
    with psycopg.connect(database.runtime, autocommit=True) as runtime:
        for table in tables:
            query = psycopg.sql.SQL("select count(*) from {}").format(psycopg.sql.Identifier(table))
            try:
                assert runtime.execute(query).fetchone() == (0,), table
            except psycopg.errors.InsufficientPrivilege:
                assert table in {
                    *("case_exclusions", "break_glass_grants", "screening_matches", "screening_tokens"),
                    *("erasure_ledger", "case_flow", "export_members"),
                }


@pytest.mark.parametrize(
    "statement",
    [
        "insert into case_access (principal, case_id) values (gen_random_uuid(), gen_random_uuid())",
        "update case_access set mode = 'write'",
        "delete from case_access",
        "insert into case_exclusions (id) values (gen_random_uuid())",
        "delete from case_exclusions",
        "update case_exclusions set lifted_at = now()",
        "insert into break_glass_grants (id) values (gen_random_uuid())",
        "select from erasure_ledger",
        "select from break_glass_grants",
        "update break_glass_grants set reviewed_at = now()",
        "select from screening_matches",
        "update screening_matches set status = 'dismissed'",
        "select from screening_tokens",
        "delete from screening_tokens",
        "select from user_tokens",
        "delete from user_tokens",
        "select screen(gen_random_uuid(), null)",
        "select * from screening_hits",
        "update cases set lead_id = null",
        "update cases set organisation_id = gen_random_uuid()",
        "select refresh_case_access(gen_random_uuid())",
        "select * from case_access_rows",
        "alter table cases disable row level security",
        "set role samaki_definer",
    ],
)
def test_the_runtime_role_cannot_make_access_by_itself(database: DatabaseUrls, statement: str) -> None:
    with (
        psycopg.connect(database.runtime, autocommit=True) as runtime,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        runtime.execute(statement)


async def test_conflicting_changes_at_once_leave_access_as_the_rules_derive_it(
    cast: Cast, superuser: psycopg.Connection
) -> None:
    case_id, consent_id = await with_liaison(cast)
    path, lead = f"/cases/{case_id}", cast.client("caseworker")
    supervisor = cast.client("supervisor")

    def wanted(user: str, role: str) -> dict[str, Any]:
        return {"json": {"user_id": cast.id(user), "role": role, "reason": "As agreed."}}

    def excluded(user: str) -> dict[str, Any]:
        return {"json": {"user_id": cast.id(user), "reason_code": "client_wish"}}

    changes = [
        lead.post(f"{path}/consents/{consent_id}/withdraw", json={}),
        lead.post(f"{path}/consents", json=SUPPORT),
        *(lead.post(f"{path}/assignments", **wanted("liaison", "liaison")) for _ in range(3)),
        *(lead.post(f"{path}/assignments", **wanted("second_liaison", "liaison")) for _ in range(2)),
        *(supervisor.post(f"{path}/assignments", **wanted("colleague", "caseworker")) for _ in range(3)),
        *(supervisor.post(f"{path}/assignments", **wanted("second_supervisor", "reviewer")) for _ in range(2)),
        *(supervisor.post(f"{path}/assignments", **wanted("supervisor", "lead")) for _ in range(2)),
        *(supervisor.post(f"{path}/exclusions", **excluded("colleague")) for _ in range(2)),
        *(lead.post(f"{path}/exclusions", **excluded("liaison")) for _ in range(2)),
        supervisor.post(f"{path}/exclusions", **excluded("second_supervisor")),
        lead.patch(path, json={"commune_code": OTHER_COMMUNE}, headers={"If-Match": "*"}),
    ]
    assert len(changes) == 20
    answers = await asyncio.gather(*changes)
    assert {answer.status_code for answer in answers} <= {200, 201, 403, 404, 409, 422}
    assert wrongly_derived(superuser, cast.clock(), [case_id]) == 0
    held = superuser.execute(
        "select count(*) from assignments a join case_exclusions e using (case_id, user_id)"
        " where a.case_id = %s and a.ended_at is null and e.lifted_at is null",
        [case_id],
    )
    assert held.fetchone() == (0,)
    leads = "select count(*) from assignments where case_id = %s and role = 'lead' and ended_at is null"
    assert superuser.execute(leads, [case_id]).fetchone() == (1,)
