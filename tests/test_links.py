"""Links between records of one woman: seen by who sees both, and an exclusion on one reaches the other at once."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from tests.acts import SENSITIVE, assign, exclude, lift, listed, status_of
from tests.cases import open_case
from tests.cast import Cast, answered
from tests.trail import Superuser, told


async def client_of(cast: Cast, case_id: str, who: str = "caseworker") -> str:
    return str(answered(await cast.client(who).get(f"/cases/{case_id}"), 200)["client"]["id"])


async def two_cases(cast: Cast, category: str = SENSITIVE) -> tuple[str, str, str, str]:
    """Two cases that caseworker leads, not linked, and their clients."""
    one, other = await open_case(cast, category=category), await open_case(cast, category=category)
    return one, other, await client_of(cast, one), await client_of(cast, other)


async def link(cast: Cast, one: str, other: str, status: int = 201, who: str = "caseworker") -> Any:
    return answered(await cast.client(who).post(f"/people/{one}/links", json={"person_id": other}), status)


async def unlink(cast: Cast, one: str, link_id: str, status: int = 204, who: str = "caseworker") -> None:
    answered(await cast.client(who).delete(f"/people/{one}/links/{link_id}"), status)


async def test_a_link_is_read_from_both_ends_and_undone(cast: Cast) -> None:
    case_id, other_case, one, other = await two_cases(cast)
    made = await link(cast, one, other)
    assert (made["person"]["id"], made["person"]["case_id"]) == (other, other_case)
    assert made["created_by"] == cast.id("caseworker")
    for end, far, far_case in ((one, other, other_case), (other, one, case_id)):
        (read,) = await listed(cast, "caseworker", f"/people/{end}/links")
        assert (read["id"], read["person"]["id"], read["person"]["case_id"]) == (made["id"], far, far_case)
        path = f"/people/{end}/links/{made['id']}"
        assert answered(await cast.client("caseworker").get(path), 200) == read
    await unlink(cast, other, made["id"])
    assert await listed(cast, "caseworker", f"/people/{one}/links") == []
    await unlink(cast, one, made["id"], 404)
    assert (await link(cast, other, one))["id"] != made["id"], "what was undone can be done again"


async def test_the_same_link_is_made_once_whichever_way_round(cast: Cast) -> None:
    _, _, one, other = await two_cases(cast)
    client = cast.client("caseworker")
    pairs = [(one, other), (other, one)] * 4
    answers = await asyncio.gather(*(client.post(f"/people/{a}/links", json={"person_id": b}) for a, b in pairs))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


async def test_a_link_needs_two_records_that_are_seen(cast: Cast) -> None:
    _, other_case, one, other = await two_cases(cast)
    await link(cast, one, one, 422)
    await link(cast, one, str(uuid4()), 404)
    hidden = await client_of(cast, await open_case(cast, "colleague", SENSITIVE), "colleague")
    await link(cast, one, hidden, 404)
    await link(cast, hidden, one, 404)
    await link(cast, hidden, hidden, 404)
    made = await link(cast, one, other)
    answered(await cast.client("caseworker").get(f"/people/{one}/links/{uuid4()}"), 404)
    third = await client_of(cast, await open_case(cast, category=SENSITIVE))
    answered(await cast.client("caseworker").get(f"/people/{third}/links/{made['id']}"), 404)
    await unlink(cast, third, made["id"], 404)
    # Who sees one end only knows of no link.
    await assign(cast, "caseworker", other_case, "colleague", "caseworker")
    assert await listed(cast, "colleague", f"/people/{other}/links") == []
    answered(await cast.client("colleague").get(f"/people/{other}/links/{made['id']}"), 404)
    await unlink(cast, other, made["id"], 404, "colleague")


async def test_who_may_change_neither_record_links_nothing(cast: Cast) -> None:
    """Staff read standard cases of their organisation; a record of the register is theirs to change."""
    _, _, one, other = await two_cases(cast, "id_poor")
    await link(cast, one, other, 403, "colleague")
    made = await link(cast, one, other)
    await unlink(cast, one, made["id"], 403, "colleague")
    person = answered(await cast.client("colleague").post("/people", json={"alias": "Of the register"}), 201)["id"]
    own = await link(cast, one, person, 201, "colleague")
    await unlink(cast, one, own["id"], 204, "colleague")


async def test_a_link_carries_what_stands_excluded_at_once_and_tells_the_linker_nothing(
    cast: Cast, superuser: Superuser
) -> None:
    one, other, client, other_client = await two_cases(cast)
    await assign(cast, "caseworker", other, "colleague", "caseworker")
    await exclude(cast, "caseworker", one, "colleague")
    assert await status_of(cast, "colleague", other) == 200
    found = await told(
        superuser,
        cast.client("caseworker"),
        "POST",
        f"/people/{client}/links",
        json={"person_id": other_client},
    )
    made = answered(found.answer, 201)
    assert set(made) == {"id", "person", "created_at", "created_by"}
    assert await status_of(cast, "colleague", other) == 404
    assert (found.row["action"], str(found.row["subject_id"])) == ("link_person", made["id"])
    assert {str(one) for one in found.row["case_ids"]} == {one, other}
    for case_id in (one, other):
        timeline = await listed(cast, "caseworker", f"/cases/{case_id}/timeline")
        assert made["id"] not in str(timeline), "who sees one case must not learn of the other"
        assert not [event for event in timeline if "link" in event["type"]]


async def test_what_a_link_carried_stays_when_it_is_undone_until_it_is_lifted(cast: Cast) -> None:
    one, other, client, other_client = await two_cases(cast)
    await assign(cast, "caseworker", other, "colleague", "caseworker")
    decision = await exclude(cast, "caseworker", one, "colleague")
    made = await link(cast, client, other_client)
    await unlink(cast, client, made["id"])
    assert await status_of(cast, "colleague", other) == 404
    refused = {"user_id": cast.id("colleague"), "role": "caseworker"}
    answered(await cast.client("caseworker").post(f"/cases/{other}/assignments", json=refused), 409)
    # A decision of after the link is one for that case alone.
    await exclude(cast, "caseworker", one, "liaison")
    assert len(await listed(cast, "caseworker", f"/cases/{other}/exclusions")) == 1
    await assign(cast, "supervisor", one, "supervisor", "reviewer")
    await lift(cast, "caseworker", one, decision["id"])
    await lift(cast, "supervisor", one, decision["id"])
    answered(await cast.client("caseworker").post(f"/cases/{other}/assignments", json=refused), 201)
    assert await status_of(cast, "colleague", other) == 200


async def test_a_repeated_link_is_one_link(cast: Cast) -> None:
    _, _, one, other = await two_cases(cast)
    key = {"Idempotency-Key": str(uuid4())}
    answers = [
        await cast.client("caseworker").post(f"/people/{one}/links", json={"person_id": other}, headers=key)
        for _ in range(2)
    ]
    assert [answered(answer, 201)["id"] for answer in answers] == [answers[0].json()["id"]] * 2
    assert answers[1].headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("who", ["liaison", "partner", "auditor", "admin"])
async def test_other_roles_neither_read_nor_make_links(cast: Cast, who: str) -> None:
    _, _, one, other = await two_cases(cast)
    made = await link(cast, one, other)
    answered(await cast.client(who).get(f"/people/{one}/links"), 403)
    await link(cast, one, other, 403, who)
    await unlink(cast, one, made["id"], 403, who)


async def test_who_is_linked_already_is_no_likely_duplicate(cast: Cast) -> None:
    _, _, one, other = await two_cases(cast)
    asked = cast.client("caseworker")

    async def suggested() -> set[str]:
        page = answered(await asked.post("/people/matches", json={"person_id": one}), 200)
        return {item["id"] for item in page["items"]}

    before = await suggested()
    await link(cast, one, other)
    assert other not in await suggested()
    assert len(before) == 20 or other in before


async def test_not_even_a_delete_that_asks_for_nothing_takes_a_link_of_which_one_end_is_hidden(
    cast: Cast, superuser: Superuser
) -> None:
    """Without a condition PostgreSQL does not ask what may be seen, only what may be deleted."""
    _, other_case, one, other = await two_cases(cast)
    made = await link(cast, one, other)
    await assign(cast, "caseworker", other_case, "colleague", "caseworker")
    both_ways = "select count(*) from person_links where person_id in (%s, %s)"
    with superuser.transaction(force_rollback=True):
        superuser.execute(
            "insert into person_links select gen_random_uuid(), other_id, person_id, created_at, created_by"
            " from person_links where id = %s",
            [made["id"]],
        )
        superuser.execute("set local role samaki_runtime")
        superuser.execute("select from begin_request(%s, %s)", [cast.sessions["colleague"], cast.clock()])
        superuser.execute("delete from person_links")
        superuser.execute("reset role")
        assert superuser.execute(both_ways, [one, other]).fetchone() == (2,)
