"""Reading the trail: of the cases that the reader sees, of accounts and settings, of a week; of nothing hidden."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from app.models.codes.people import Role
from app.security import Runtime
from tests.acts import SENSITIVE, assign, exclude
from tests.cases import SUPPORT, open_case
from tests.cast import COMMUNE, Cast, FrozenClock, answered
from tests.doors import door, newcomer, token
from tests.pages import whole
from tests.trail import Superuser, told


async def events(cast: Cast, who: str, limit: int = 200, **query: Any) -> list[dict[str, Any]]:
    """Every item of every page of the trail."""
    return await whole(cast.client(who), "/audit-events", limit=limit, **query)


async def report(cast: Cast, who: str, case_id: str, status: int = 200) -> list[dict[str, Any]]:
    """One page of who saw the case."""
    answer = await cast.client(who).get(f"/cases/{case_id}/access-report", params={"limit": 200})
    page = answered(answer, status)
    return page["items"] if status == 200 else []


async def see(cast: Cast, who: str, case_id: str, times: int = 1, status: int = 200) -> None:
    for _ in range(times):
        assert (await cast.client(who).get(f"/cases/{case_id}")).status_code == status


async def supervisor_of_one_case(cast: Cast) -> tuple[str, str]:
    """A supervisor of another organisation's people, and a case of hers: few rows beside the rest."""
    name = f"overseer_{uuid4().hex[:8]}"
    await cast.add(name, Role.SUPERVISOR, "other_ngo", [])
    return name, await open_case(cast, "stranger")


@pytest.fixture
def runtime_connection(database: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.runtime) as connection:
        yield connection


# The trail itself.


async def test_a_supervisor_reads_who_touched_a_case_that_she_sees(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast)
    clock.advance(seconds=1)
    await see(cast, "colleague", case_id)
    clock.advance(seconds=1)
    await see(cast, "stranger", case_id, status=404)
    found = await events(cast, "supervisor", case_id=case_id)
    assert [(one["actor"]["id"], one["action"], one["status"], one["via"]) for one in found] == [
        (cast.id("stranger"), "read_case", 404, []),
        (cast.id("colleague"), "read_case", 200, ["organisation"]),
        (cast.id("caseworker"), "open_case", 201, ["lead"]),
    ]
    assert all(one["case_ids"] == [case_id] for one in found)


async def test_of_a_hidden_case_the_trail_says_what_it_says_of_an_unknown_one(cast: Cast) -> None:
    excluded = await open_case(cast)
    await see(cast, "colleague", excluded)
    await exclude(cast, "caseworker", excluded, "second_supervisor")
    stub = await open_case(cast, category=SENSITIVE)
    foreign = await open_case(cast, "stranger")
    await see(cast, "second_supervisor", excluded, status=404)
    for hidden in (excluded, stub, foreign, str(uuid4())):
        assert await events(cast, "second_supervisor", case_id=hidden) == []
    everything = str(await events(cast, "second_supervisor"))
    for hidden in (excluded, stub, foreign):
        assert hidden not in everything
    assert len(await events(cast, "supervisor", case_id=excluded)) >= 3, "who sees it reads of it"


async def test_of_a_page_of_cases_only_those_are_named_that_the_reader_sees(
    cast: Cast, clock: FrozenClock, superuser: Superuser
) -> None:
    clock.advance(seconds=1)
    shown, hidden = await open_case(cast), await open_case(cast)
    await exclude(cast, "caseworker", hidden, "second_supervisor")
    listed = await told(superuser, cast.client("caseworker"), "GET", "/cases", params={"limit": 2})
    assert {str(one) for one in listed.row["case_ids"]} == {shown, hidden}
    found = await events(cast, "second_supervisor", action="list_cases", actor_id=cast.id("caseworker"))
    (row,) = [one for one in found if one["request_id"] == listed.row["request_id"]]
    assert (row["case_ids"], len(row["via"])) == ([shown], 1)


async def test_a_reader_s_own_refused_attempts_are_not_shown_to_her(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast)
    wrong = await told(superuser, cast.client("supervisor"), "POST", f"/cases/{case_id}/notes", json={"no": 1})
    assert wrong.row["status"] == 422
    own, others = [
        [one["request_id"] for one in await events(cast, who, case_id=case_id)]
        for who in ("supervisor", "second_supervisor")
    ]
    assert wrong.row["request_id"] not in own
    assert wrong.row["request_id"] in others


async def test_that_she_is_hidden_is_told_by_the_trail_only_to_who_may_read_where(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    lead, path, why = cast.client("caseworker"), f"/cases/{case_id}/whereabouts", {"reason_code": "contact"}
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await assign(cast, "supervisor", case_id, "second_supervisor", "caseworker")
    before = {who: await reads_in_week(cast, who) for who in ("supervisor", "second_supervisor")}
    answered(await lead.get(path, params=why), 404)
    answered(await lead.put(path, json={"kind": "shelter"}, headers={"If-None-Match": "*"}), 201)
    answered(await lead.put(path, json={"kind": "shelter"}, headers={"If-None-Match": "*"}), 412)
    answered(await lead.get(path, params=why), 200)
    answered(await cast.client("supervisor").get(path, params=why), 403)
    answered(await cast.client("colleague").get(path, params=why), 404)
    answered(await lead.delete(path, headers={"If-Match": "*"}), 204)
    done = {"read_whereabouts", "replace_whereabouts", "remove_whereabouts"}
    for who, knows in (("caseworker", True), ("supervisor", False), ("second_supervisor", True)):
        if who != "second_supervisor":  # who is assigned asks for no report
            assert (done <= {one["action"] for one in await report(cast, who, case_id)}) is knows, who
            assert ("whereabouts" in str(await report(cast, who, case_id))) is knows, who
    refused = [("read_whereabouts", 403)]
    everything = [("remove_whereabouts", 204), ("read_whereabouts", 404), *refused, ("read_whereabouts", 200)]
    everything += [("replace_whereabouts", 412), ("replace_whereabouts", 201), ("read_whereabouts", 404)]
    assert await whereabouts_in_trail(cast, "second_supervisor", case_id) == sorted(everything)
    # A refusal for who may not ask says nothing of whether there is anything; her own is not shown to the reviewer.
    assert await whereabouts_in_trail(cast, "supervisor", case_id) == []
    await assign(cast, "supervisor", case_id, "colleague", "cover", until=(clock() + timedelta(days=1)).isoformat())
    answered(await cast.client("colleague").get(path, params=why), 403)
    assert await whereabouts_in_trail(cast, "supervisor", case_id) == refused
    # Nor do the counts of the week: hers has grown by what she may know of.
    after = {who: await reads_in_week(cast, who) for who in before}
    assert (after["second_supervisor"] - before["second_supervisor"]) - (
        after["supervisor"] - before["supervisor"]
    ) == 1


async def whereabouts_in_trail(cast: Cast, who: str, case_id: str) -> list[tuple[str, int]]:
    """What the trail tells this reader of asking for and writing where she is."""
    rows = [(one["action"], one["status"]) for one in await events(cast, who, case_id=case_id)]
    return sorted(row for row in rows if row[0].endswith("_whereabouts"))


async def reads_in_week(cast: Cast, who: str) -> int:
    """How much the lead has read this week, as this supervisor is told."""
    return int((await week_of(cast, who)).get(cast.id("caseworker"), {"reads": 0})["reads"])


async def test_pages_of_the_trail_leave_nothing_out_and_show_nothing_twice(cast: Cast) -> None:
    who, case_id = await supervisor_of_one_case(cast)
    await see(cast, "stranger", case_id, times=7)
    whole = [one["id"] for one in await events(cast, who, case_id=case_id)]
    assert len(whole) == len(set(whole)) == 8
    assert [one["id"] for one in await events(cast, who, limit=3, case_id=case_id)] == whole


async def test_a_page_goes_on_where_the_reader_sees_nothing_for_long(
    cast: Cast, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(seconds=1)
    who, case_id = await supervisor_of_one_case(cast)
    await see(cast, "stranger", case_id)
    clock.advance(seconds=1)
    hidden = await open_case(cast)
    await see(cast, "caseworker", hidden, times=12)
    monkeypatch.setattr("app.services.audit_trail.MOST_EXAMINED", 4)
    page = answered(await cast.client(who).get("/audit-events", params={"limit": 2}), 200)
    assert (page["items"], page["next_cursor"] is None) == ([], False)
    query = {"limit": 2, "cursor": page["next_cursor"]}
    for _ in range(20):
        page = answered(await cast.client(who).get("/audit-events", params=query), 200)
        if page["items"]:
            break
        query["cursor"] = page["next_cursor"]
    assert case_id in {own_id for one in page["items"] for own_id in one["case_ids"]}


async def test_filters_narrow_the_trail(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast)
    moment = clock().isoformat()
    clock.advance(minutes=1)
    await see(cast, "colleague", case_id)
    queries: list[dict[str, Any]] = [{"after": moment}, {"actor_id": cast.id("colleague")}, {"action": "read_case"}]
    for query in queries:
        found = await events(cast, "supervisor", case_id=case_id, **query)
        assert [one["actor"]["id"] for one in found] == [cast.id("colleague")], query


async def test_an_administrator_reads_of_accounts_and_settings_and_of_no_case(
    cast: Cast, app: object, runtime: Runtime
) -> None:
    case_id = await open_case(cast)
    await see(cast, "stranger", case_id, status=404)
    somebody = await newcomer(runtime)
    answered(await token(door(app), somebody.grant()), 200)
    answered(await cast.client("admin").get("/users", params={"limit": 1}), 200)
    await cast.client("admin").get(f"/cases/{case_id}")
    found = await events(cast, "admin")
    assert {"sign_in", "list_users"} <= {one["action"] for one in found}
    assert all((one["case_ids"], one["via"]) == ([], []) for one in found)
    assert case_id not in str(found)
    assert not {"read_case", "list_cases", "open_case"} & {one["action"] for one in found}
    assert await events(cast, "admin", case_id=case_id) == []


async def test_an_auditor_reads_of_exports_of_which_there_are_none_yet(cast: Cast) -> None:
    case_id = await open_case(cast)
    assert await events(cast, "auditor") == []
    assert await events(cast, "auditor", case_id=case_id) == []


async def test_what_is_handed_out_is_for_auditors_and_not_for_administrators(
    cast: Cast, runtime_connection: psycopg.Connection[Any]
) -> None:
    begin = "select from begin_request(%s, %s)"
    runtime_connection.execute(begin, [cast.sessions["auditor"], cast.clock()])
    append = "select append_audit_event('export', 'read_export', 200, null, '{}', '{}', null, null)"
    runtime_connection.execute(append.encode())
    for who, reads in (("auditor", True), ("admin", False), ("supervisor", False)):
        runtime_connection.execute(begin, [cast.sessions[who], cast.clock()])
        query = "select exists (select from audit_page(null, null, 'read_export', null, null, null, 5) where shown)"
        assert runtime_connection.execute(query.encode()).fetchone() == (reads,), who
    runtime_connection.rollback()


@pytest.mark.parametrize("who", ["admin", "auditor"])
async def test_who_reads_of_no_case_cannot_ask_by_one_even_of_rows_that_are_theirs(
    cast: Cast, runtime_connection: psycopg.Connection[Any], who: str
) -> None:
    """The second wall, should an account's row ever name a case."""
    case_id = await open_case(cast)
    kind = "account" if who == "admin" else "export"
    runtime_connection.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
    append = "select append_audit_event(%s, 'sign_in', 200, null, array[%s]::uuid[], '{lead}', null, null)"
    runtime_connection.execute(append, [kind, case_id])
    query = "select exists (select from audit_page(%s, %s, null, null, null, null, 5) where shown)"
    assert runtime_connection.execute(query, [None, cast.id(who)]).fetchone() == (True,)
    assert runtime_connection.execute(query, [case_id, cast.id(who)]).fetchone() == (False,)
    runtime_connection.rollback()


async def test_an_excluded_supervisor_does_not_see_the_case_for_any_report(
    cast: Cast, runtime_connection: psycopg.Connection[Any], superuser: Superuser
) -> None:
    """The question that every report asks first; the runtime role itself may not ask it."""
    case_id = await open_case(cast)
    await exclude(cast, "caseworker", case_id, "second_supervisor")
    for who, sees in (("supervisor", True), ("second_supervisor", False), ("stranger", False)):
        with superuser.transaction(force_rollback=True):
            superuser.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
            assert superuser.execute("select app_sees_case(%s)", [case_id]).fetchone() == (sees,), who
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        runtime_connection.execute("select app_sees_case(%s)", [case_id])


# Who saw a case.


async def test_the_access_report_says_who_saw_the_case_when_and_in_which_way(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, consents=[SUPPORT])
    await assign(cast, "caseworker", case_id, "liaison", "liaison")
    clock.advance(minutes=1)
    await see(cast, "liaison", case_id)
    await see(cast, "stranger", case_id, status=404)
    found = await report(cast, "caseworker", case_id)
    first = found[0]
    assert (first["actor"]["id"], first["role"], first["via"]) == (cast.id("liaison"), "ccwc_liaison", "liaison")
    assert (first["action"], first["organisation"]) == ("read_case", "council")
    assert first["at"] == clock().isoformat().replace("+00:00", "Z")
    assert cast.id("stranger") not in str(found), "who was refused has seen nothing"
    clock.advance(minutes=1)
    answered(await cast.client("caseworker").get(f"/cases/{case_id}/access-report"), 200)
    again = await report(cast, "supervisor", case_id)
    assert (again[0]["action"], again[0]["actor"]["id"]) == ("read_access_report", cast.id("caseworker"))


async def test_who_saw_the_case_in_a_list_or_as_a_stub_has_seen_it(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    answered(await cast.client("caseworker").get("/cases", params={"limit": 2}), 200)
    lead = f"lead_{uuid4().hex[:8]}"
    await cast.add(lead, Role.CASEWORKER, "ngo", [])
    await assign(cast, "supervisor", case_id, lead, "lead")
    query = {"lead_id": cast.id(lead)}
    answered(await cast.client("second_supervisor").get("/caseload", params=query), 200)
    ways = {(one["actor"]["id"], one["action"], one["via"]) for one in await report(cast, lead, case_id)}
    assert (cast.id("second_supervisor"), "list_caseload", "stub") in ways
    assert (cast.id("supervisor"), "assign", "stub") in ways
    assert (cast.id("caseworker"), "list_cases", "lead") in ways


async def test_pages_of_the_access_report_hold_together(cast: Cast) -> None:
    case_id = await open_case(cast)
    await see(cast, "colleague", case_id, times=5)
    path, ids = f"/cases/{case_id}/access-report", [one["id"] for one in await report(cast, "caseworker", case_id)]
    paged = [one["id"] for one in await whole(cast.client("caseworker"), path, limit=2)]
    assert [one for one in paged if one in ids] == ids
    assert len(paged) == len(set(paged))


async def test_the_database_gives_the_access_report_to_the_lead_and_to_supervisors_who_see_it(
    cast: Cast, runtime_connection: psycopg.Connection[Any]
) -> None:
    """The second wall: without the API in front of it."""
    sensitive, standard = await open_case(cast, category=SENSITIVE), await open_case(cast)
    expected = {
        ("caseworker", sensitive): True,
        ("supervisor", sensitive): False,  # a stub is no sight
        ("colleague", standard): False,
        ("supervisor", standard): True,
        ("other_supervisor", standard): False,
        ("admin", standard): False,
    }
    for (who, case_id), reads in expected.items():
        runtime_connection.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
        query = "select exists (select from access_report(%s, null, null, 10))"
        assert runtime_connection.execute(query, [case_id]).fetchone() == (reads,), who
        runtime_connection.rollback()


async def test_the_database_gives_each_role_its_own_part_of_the_trail(
    cast: Cast, runtime_connection: psycopg.Connection[Any]
) -> None:
    await open_case(cast)
    questions = {
        "trail": "select exists (select from audit_page(null, null, null, null, null, null, 5) where shown)",
        "state": "select audit_state() is not null",
        "week": "select exists (select from insider_report('2000-01-01', '2100-01-01', 5))",
    }
    may = {
        "supervisor": {"trail", "week"},
        "admin": {"trail", "state"},
        "auditor": {"state"},
        "caseworker": set(),
        "liaison": set(),
        "partner": set(),
    }
    await cast.client("admin").get("/users")
    for who, reads in may.items():
        runtime_connection.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
        for name, query in questions.items():
            assert runtime_connection.execute(query.encode()).fetchone() == (name in reads,), (who, name)
        runtime_connection.rollback()


# What stands out in a week.


async def week_of(cast: Cast, who: str, week: str | None = None) -> dict[str, dict[str, Any]]:
    """The report of a week, by person."""
    params = {"week": week} if week else {}
    body = answered(await cast.client(who).get("/audit-events/insider-report", params=params), 200)
    return {one["actor"]["id"]: one for one in body["items"]}


async def _people(cast: Cast, number: int, role: Role = Role.CASEWORKER, organisation: str = "ngo") -> list[str]:
    names = [f"week_{uuid4().hex[:8]}" for _ in range(number)]
    for name in names:
        await cast.add(name, role, organisation, [COMMUNE] if role is Role.CCWC_LIAISON else [])
    return names


def _next_week(clock: FrozenClock, hour: int = 3) -> None:
    """The Wednesday after next Monday, at an hour of UTC; seven more in Phnom Penh."""
    days = 9 - clock().weekday()
    clock.at = (clock() + timedelta(days=days)).replace(hour=hour, minute=0)


async def test_attempts_on_cases_from_which_somebody_is_excluded_come_first(cast: Cast, clock: FrozenClock) -> None:
    _next_week(clock)
    curious, busy = await _people(cast, 2)
    case_id = await open_case(cast)
    await exclude(cast, "caseworker", case_id, curious)
    await see(cast, busy, case_id, times=4)
    await see(cast, curious, case_id, times=2, status=404)
    found = await week_of(cast, "supervisor")
    assert next(iter(found)) == cast.id(curious)
    one = found[cast.id(curious)]
    assert (one["denied_where_excluded"], one["denied"], one["reads"], one["cases"]) == (2, 2, 0, 0)
    assert (found[cast.id(busy)]["reads"], found[cast.id(busy)]["denied_where_excluded"]) == (4, 0)


async def test_a_supervisor_does_not_read_of_her_own_attempts(cast: Cast, clock: FrozenClock) -> None:
    _next_week(clock)
    (supervisor,) = await _people(cast, 1, Role.SUPERVISOR)
    case_id = await open_case(cast)
    await exclude(cast, "caseworker", case_id, supervisor)
    await see(cast, "colleague", case_id, times=3)
    await see(cast, supervisor, case_id, times=3, status=404)
    await see(cast, supervisor, await open_case(cast), times=2)  # one that she sees
    own = await week_of(cast, supervisor)
    assert cast.id(supervisor) not in own
    assert own.get(cast.id("colleague"), {"reads": 0})["reads"] == 0, "nothing of a case that is hidden from her"
    other = await week_of(cast, "supervisor")
    assert other[cast.id(supervisor)]["denied_where_excluded"] == 3
    assert other[cast.id("colleague")]["reads"] == 3


async def test_stubs_are_counted_and_cases_of_others_are_not(cast: Cast, clock: FrozenClock) -> None:
    _next_week(clock)
    stub = await open_case(cast, category=SENSITIVE)
    foreign = await open_case(cast, "stranger")
    await see(cast, "caseworker", stub, times=2)
    await see(cast, "stranger", foreign, times=2)
    found = await week_of(cast, "supervisor")
    assert found[cast.id("caseworker")]["reads"] == 2
    assert cast.id("stranger") not in found
    assert stub not in str(found)


async def test_reads_far_above_those_of_colleagues_stand_out(cast: Cast, clock: FrozenClock) -> None:
    _next_week(clock)
    often, *others = await _people(cast, 4)
    case_id = await open_case(cast)
    await see(cast, often, case_id, times=12)
    for name in others:
        await see(cast, name, case_id, times=2)
    found = await week_of(cast, "supervisor")
    assert next(iter(found)) == cast.id(often)
    one = found[cast.id(often)]
    assert (one["reads_per_case"], one["usual_reads_per_case"], one["far_above_colleagues"]) == (12.0, 2.0, True)
    assert not any(found[cast.id(name)]["far_above_colleagues"] for name in others)


@pytest.mark.parametrize(("hour", "at_night"), [(22, 1), (23, 0), (12, 0), (13, 1)])
async def test_night_is_night_in_phnom_penh(cast: Cast, clock: FrozenClock, hour: int, at_night: int) -> None:
    _next_week(clock, hour)
    (somebody,) = await _people(cast, 1)
    case_id = await open_case(cast)
    await see(cast, somebody, case_id)
    assert (await week_of(cast, "supervisor"))[cast.id(somebody)]["at_night"] == at_night


async def test_reading_outside_one_s_communes_is_counted(cast: Cast, clock: FrozenClock, superuser: Superuser) -> None:
    _next_week(clock)
    inside, outside = await _people(cast, 2)
    case_id = await open_case(cast)
    for name, communes in ((inside, [COMMUNE]), (outside, ["170301"])):
        superuser.execute("update users set communes = %s where id = %s", [communes, cast.id(name)])
        await see(cast, name, case_id)
    found = await week_of(cast, "supervisor")
    assert [found[cast.id(name)]["outside_commune"] for name in (inside, outside)] == [0, 1]


async def test_a_week_is_one_from_monday_to_sunday_in_phnom_penh(cast: Cast, clock: FrozenClock) -> None:
    _next_week(clock)
    (somebody,) = await _people(cast, 1)
    case_id = await open_case(cast)
    sunday = clock() + timedelta(days=4)
    clock.at = sunday.replace(hour=16, minute=59)  # 23:59 there
    await see(cast, somebody, case_id)
    week = f"{sunday:%G-W%V}"
    clock.advance(minutes=1)  # Monday there, Sunday in UTC
    await see(cast, somebody, case_id, times=2)
    assert (await week_of(cast, "supervisor", week))[cast.id(somebody)]["reads"] == 1
    assert (await week_of(cast, "supervisor"))[cast.id(somebody)]["reads"] == 2


@pytest.mark.parametrize("week", ["2026-W54", "2026-W00", "0000-W01", "9999-W52", "2026-10", "now"])
async def test_a_week_that_does_not_exist_is_refused(cast: Cast, week: str) -> None:
    answer = await cast.client("supervisor").get("/audit-events/insider-report", params={"week": week})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/query/week")


async def test_reading_the_trail_is_in_the_trail(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast)
    for path, action in (
        ("/audit-events", "list_audit_events"),
        ("/audit-events/insider-report", "read_insider_report"),
        (f"/cases/{case_id}/access-report", "read_access_report"),
    ):
        found = await told(superuser, cast.client("supervisor"), "GET", path)
        assert (found.row["action"], found.row["status"]) == (action, 200)
