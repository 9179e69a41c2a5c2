"""What a search walks: the people whom its caller sees, and in the database nobody beside them."""

from typing import Any

import psycopg
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch
from app.search_tokens import TokenKind
from app.services.import_duplicates import BEARERS
from app.services.search_index import Token, statement_of, tokens_of
from tests.cast import Cast, answered
from tests.test_search import ids, named_case, unheard


async def test_who_is_raised_to_sensitive_is_found_by_her_caseworker_and_by_no_colleague_any_more(cast: Cast) -> None:
    name = unheard()
    case_id, client, _ = await named_case(cast, name, category="id_poor")
    child = await cast.client("caseworker").post(
        f"/cases/{case_id}/people", json={"role": "child", "family_name_en": name, "given_name_en": "Bopha"}
    )
    family = {client, answered(child, 201)["id"]}
    assert await ids(cast, name=name) == await ids(cast, "colleague", name=name) == family
    await raise_to_sensitive(cast, case_id)
    assert (
        await ids(cast, name=name)
        == await ids(cast, name=f"{name} Sreymom") | await ids(cast, name="Bopha " + name)
        == family
    )
    assert await ids(cast, "colleague", name=name) == set()


async def test_a_client_whose_case_has_no_lead_is_found_by_its_reviewers(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    name = unheard()
    case_id, client, _ = await named_case(cast, name)
    assert await ids(cast, "supervisor", name=name) == set()
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    superuser.execute("update assignments set ended_at = created_at where case_id = %s and role = 'lead'", [case_id])
    found = [await ids(cast, who, name=name) for who in ("supervisor", "second_supervisor", "colleague", "stranger")]
    assert found == [{client}, {client}, set(), set()]


async def test_a_search_walks_past_nobody_who_is_hidden_however_many_bear_the_name(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    """Else the time of the answer tells how many women of a name are in sensitive cases."""
    name, hidden = unheard(), 3000
    case_id, client, _ = await named_case(cast, name, category="id_poor")
    await raise_to_sensitive(cast, case_id)
    before = await compared(cast, "supervisor", name)  # with what is the supervisors' own, of other tests too
    superuser.execute("set session_replication_role = replica")  # rows of people who are nobody, for the index only
    superuser.execute(
        "insert into search_tokens select t.organisation_id, t.kind, t.token, gen_random_uuid(), t.case_id, t.sensitive"
        " from search_tokens t, generate_series(1, %s) where t.person_id = %s",
        [hidden, client],
    )
    superuser.execute("analyze search_tokens")
    try:
        assert await walked(cast, "caseworker", name) >= hidden  # who sees them: the measure measures
        assert await compared(cast, "caseworker", name) >= hidden
        assert await compared(cast, "supervisor", name) < before + hidden / 20
        assert await walked(cast, "colleague", name) < hidden / 20  # the others called Sreymom are seen by her
        assert await walked(cast, "supervisor", name) < hidden / 20
    finally:
        superuser.execute("delete from search_tokens t where case_id = %s and person_id <> %s", [case_id, client])
        superuser.execute("set session_replication_role = origin")


async def raise_to_sensitive(cast: Cast, case_id: str, who: str = "caseworker") -> None:
    path, caseworker = f"/cases/{case_id}", cast.client(who)
    now = {"If-Match": (await caseworker.get(path)).headers["ETag"]}
    answered(await caseworker.patch(path, json={"sensitivity": "sensitive"}, headers=now), 200)


async def walked(cast: Cast, who: str, name: str) -> int:
    """How many rows of tokens a search for `name sreymom` reads in the database."""
    async with cast.runtime.database.transaction() as session:
        assert await cast.runtime.database.begin_request(session, cast.sessions[who])
        wanted = tokens_of(session).wanted(f"{name} sreymom")
        assert wanted is not None
        choice = [Token(TokenKind.NAME, word) for word in wanted.words]
        organisation_id = cast.users[who].organisation_id
        values = {"organisation_id": organisation_id, "wanted": 51, "after": None, "only": None}
        return await tokens_read(session, statement_of([choice], values) or "", values)


async def compared(cast: Cast, who: str, name: str) -> int:
    """The same of the dry run of an import that has a `name sreymom`."""
    async with cast.runtime.database.transaction() as session:
        assert await cast.runtime.database.begin_request(session, cast.sessions[who])
        found = tokens_of(session).names(name, "sreymom")
        values = {"kinds": ["name"] * len(found), "tokens": list(found), "most": 3}
        return await tokens_read(session, BEARERS, {**values, "organisation": cast.users[who].organisation_id})


async def tokens_read(session: AsyncSession, statement: str, values: dict[str, Any]) -> int:
    rows = await fetch(session, f"explain (analyze, format json) {statement}", values)
    return sum(read_at(node) for node in nodes(rows[0][0][0]["Plan"]) if node.get("Relation Name") == "search_tokens")


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """A node of a plan and all below it."""
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


def read_at(node: dict[str, Any]) -> int:
    """Rows that a scan read, shown or not."""
    passed = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return int(passed * node["Actual Loops"])
