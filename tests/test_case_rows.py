"""Lists over every case: exactly what the row policies show, in order, and the database walks past nothing hidden."""

from typing import Any

import psycopg
import pytest

from app.db import fetch
from app.security import Runtime
from app.services.assistance_views import AssistanceQuery, statement_of_all
from tests.acts import SENSITIVE, assign, break_glass, exclude
from tests.cases import open_case
from tests.cast import Cast, FrozenClock
from tests.helping import ask, decide, read
from tests.pages import whole
from tests.test_search_walls import nodes, raise_to_sensitive, read_at
from tests.test_worklist import own_office, worklist

PATH = "/assistance-requests"
# What the policies alone leave of the table, as the list should be.
POLICIES = "select id::text from assistance_requests where %(status)s::text is null or status = %(status)s"
IN_ORDER = f"{POLICIES} order by created_at desc, id desc"


async def test_a_list_over_all_cases_is_what_the_row_policies_show_to_everybody_and_page_by_page(
    cast: Cast, clock: FrozenClock, runtime: Runtime, superuser: psycopg.Connection[Any]
) -> None:
    office = await own_office(cast, runtime)
    worker, colleague, overseer, second = (office[name] for name in ("worker", "colleague", "overseer", "second"))
    cases = [await open_case(cast, worker, category) for category in (SENSITIVE, "id_poor") * 4]
    await assign(cast, worker, cases[0], colleague, "caseworker")
    await assign(cast, overseer, cases[1], colleague, "caseworker")
    until = f"{cast.clock().replace(year=cast.clock().year + 1).isoformat()}"
    await assign(cast, worker, cases[2], colleague, "cover", until=until)
    await assign(cast, overseer, cases[2], second, "reviewer")
    await assign(cast, overseer, cases[3], second, "reviewer")
    await break_glass(cast, superuser, cases[4], colleague)
    for excluded in (cases[1], cases[2], cases[5]):
        await exclude(cast, worker, excluded, colleague)
    shown: dict[str, int] = {}
    for number in range(len(cases) * 3):  # some at the same instant, so that their ids decide
        one = await ask(cast, cases[number * 5 % len(cases)], worker)
        if number % 3 == 0:
            await decide(cast, one, second, status=200 if await sees(cast, second, one) else 404)
        clock.advance(seconds=number % 2)
    await raise_to_sensitive(cast, cases[7], worker)
    for who in office.values():
        for status in (None, "submitted", "approved", "paid"):
            expected = await by_policy(cast, who, status)
            for limit in (1, 2, 3, 200):
                asked = {"limit": limit, **({"status": status} if status else {})}
                listed = [one["id"] for one in await whole(cast.client(who), PATH, **asked)]
                assert listed == expected, (who, status, limit)
            shown[f"{who} {status}"] = len(expected)
    # Every way of seeing was among them, and a way of not seeing.
    assert [shown[f"{who} None"] for who in (worker, colleague, overseer, second)] == [24, 9, 9, 12]


async def sees(cast: Cast, who: str, one: Any) -> bool:
    return (await cast.client(who).get(f"{PATH}/{one['id']}")).status_code == 200


async def by_policy(cast: Cast, who: str, status: str | None) -> list[str]:
    async with cast.runtime.database.transaction() as session:
        assert await cast.runtime.database.begin_request(session, cast.sessions[who])
        return [row.id for row in await fetch(session, IN_ORDER, {"status": status})]


async def test_what_has_no_lead_is_listed_to_its_reviewers_and_waits_for_their_decision(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    one = await ask(cast, case_id)
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    superuser.execute("update assignments set ended_at = created_at where case_id = %s and role = 'lead'", [case_id])
    for who in ("supervisor", "second_supervisor"):
        assert one["id"] in {each["id"] for each in await whole(cast.client(who), PATH, status="submitted")}
        assert one["id"] in {each["subject_id"] for each in await worklist(cast, who) if each["kind"] == "approval"}
    assert one["id"] not in {each["id"] for each in await whole(cast.client("colleague"), PATH)}


@pytest.mark.parametrize("status", [None, "submitted"])
async def test_a_list_walks_past_no_request_that_is_hidden_however_many_they_are(
    cast: Cast, superuser: psycopg.Connection[Any], runtime: Runtime, status: str | None
) -> None:
    """Else the time of the answer tells how many women in sensitive cases have asked for help."""
    office, hidden = await own_office(cast, runtime), 3000
    case_id = await open_case(cast, office["worker"], SENSITIVE)
    await ask(cast, await open_case(cast, office["worker"]), office["worker"])
    one = await ask(cast, case_id, office["worker"])
    superuser.execute("set session_replication_role = replica")
    another = "select (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid()))).*"
    superuser.execute(
        f"insert into assistance_requests {another} from assistance_requests r, generate_series(1, %s) where r.id = %s",
        [hidden, one["id"]],
    )
    superuser.execute("set session_replication_role = origin")
    superuser.execute("analyze assistance_requests")
    try:
        assert await walked(cast, office["worker"], status) >= 50  # who sees them: the measure measures
        for who in ("colleague", "overseer"):
            assert await walked(cast, office[who], status) < 10
    finally:
        superuser.execute("delete from assistance_requests where case_id = %s", [case_id])


async def walked(cast: Cast, who: str, status: str | None) -> int:
    """How many requests the database reads for the first page."""
    query = AssistanceQuery.model_validate({"status": status} if status else {})
    values = {"organisation_id": cast.users[who].organisation_id, "status": status, "wanted": 51}
    async with cast.runtime.database.transaction() as session:
        assert await cast.runtime.database.begin_request(session, cast.sessions[who])
        rows = await fetch(session, f"explain (analyze, format json) {statement_of_all(query)}", values)
    scans = [node for node in nodes(rows[0][0][0]["Plan"]) if node.get("Relation Name") == "assistance_requests"]
    assert scans
    return sum(read_at(node) for node in scans)


async def test_what_is_asked_for_is_hidden_with_its_case_and_so_is_what_is_asked_for_afterwards(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    case_id, other = await open_case(cast), await open_case(cast)
    before, elsewhere = await ask(cast, case_id), await ask(cast, other)
    await raise_to_sensitive(cast, case_id)
    after = await ask(cast, case_id)
    listed = {one["id"] for one in await whole(cast.client("colleague"), PATH)}
    assert {before["id"], after["id"], elsewhere["id"]} & listed == {elsewhere["id"]}
    listed = {one["id"] for one in await whole(cast.client("caseworker"), PATH)}
    assert {before["id"], after["id"], elsewhere["id"]} <= listed
    marked = superuser.execute(
        "select standard, count(*) from assistance_requests where case_id = any (%s) group by 1 order by 1",
        [[case_id, other]],
    )
    assert marked.fetchall() == [(False, 2), (True, 1)], "nor is it walked past by who does not see it"
    seen = await read(cast, before)
    assert (seen["version"], seen["updated_at"]) == (before["version"], before["updated_at"])


async def test_a_row_says_of_its_case_what_the_database_says_whoever_writes_it(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    standard, sensitive = await open_case(cast), await open_case(cast, category=SENSITIVE)
    rows = [await ask(cast, case_id) for case_id in (standard, sensitive)]
    found = superuser.execute(
        "select standard from assistance_requests where id = any (%s) order by standard", [[one["id"] for one in rows]]
    )
    assert found.fetchall() == [(False,), (True,)]
    copy = "select (jsonb_populate_record(r, jsonb_build_object('id', gen_random_uuid(), 'standard', %s::bool))).*"
    insert = f"insert into assistance_requests {copy} from assistance_requests r where r.id = %s returning standard"
    for one, wrong, right in ((rows[0], False, True), (rows[1], True, False)):
        with superuser.transaction(force_rollback=True):
            assert superuser.execute(insert, [wrong, one["id"]]).fetchone() == (right,)
