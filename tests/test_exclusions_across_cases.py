"""One client, several cases: an exclusion reaches them all, and tells nobody what they may not know."""

import asyncio
from datetime import timedelta
from typing import Any

import psycopg
from sqlalchemy import text

from tests.acts import SENSITIVE, assign, exclude, finds, lift, listed, open_again, status_of
from tests.cases import intake, open_case
from tests.cast import Cast, FrozenClock, answered

REGISTER = {"alias": "Of the register"}


async def _two_cases(cast: Cast) -> tuple[str, str]:
    """A sensitive case of caseworker, and a standard one of the same woman that only colleague leads."""
    person = answered(await cast.client("caseworker").post("/people", json=REGISTER), 201)["id"]
    hidden = answered(await _open(cast, "caseworker", person, SENSITIVE), 201)["id"]
    other = answered(await _open(cast, "colleague", person, "id_poor"), 201)["id"]
    assert await status_of(cast, "colleague", hidden) == 404
    return hidden, other


async def _open(cast: Cast, who: str, person: str, category: str, **more: Any) -> Any:
    body = {**intake(category, **more), "client_id": person}
    del body["client"]
    return await cast.client(who).post("/cases", json=body)


async def test_who_is_excluded_on_a_hidden_case_is_not_told_on_another_of_the_same_woman(cast: Cast) -> None:
    person = answered(await cast.client("caseworker").post("/people", json=REGISTER), 201)["id"]
    hidden = answered(await _open(cast, "caseworker", person, SENSITIVE), 201)["id"]
    wanted = {"user_id": cast.id("liaison"), "reason_code": "perpetrator", "note": "Her husband."}
    made = answered(await cast.client("caseworker").post(f"/cases/{hidden}/exclusions", json=wanted), 201)
    other = answered(await _open(cast, "colleague", person, "id_poor"), 201)["id"]
    assert await listed(cast, "colleague", f"/cases/{other}/exclusions") == []
    for exclusion_id in (made["id"], await _copy(cast, other)):
        await lift(cast, "colleague", other, exclusion_id, 404)
        path = f"/cases/{other}/exclusions/{exclusion_id}"
        answered(await cast.client("colleague").get(path), 404)
    # It holds all the same.
    refused = {"user_id": cast.id("liaison"), "role": "liaison"}
    answered(await cast.client("colleague").post(f"/cases/{other}/assignments", json=refused), 409)
    # Who knows both cases reads it on both, without the note that was written for the first.
    await assign(cast, "caseworker", hidden, "colleague", "caseworker")
    read = await listed(cast, "colleague", f"/cases/{other}/exclusions")
    assert [(item["reason_code"], item["note"]) for item in read] == [("perpetrator", None)]


async def test_who_came_to_know_a_case_for_a_while_knows_of_its_decisions_no_longer_than_that(
    cast: Cast, clock: FrozenClock
) -> None:
    first = await open_case(cast, category=SENSITIVE)
    until = (clock() + timedelta(hours=1)).isoformat()
    await assign(cast, "caseworker", first, "colleague", "cover", until=until)
    second = answered(await open_again(cast, "colleague", first), 201)["id"]
    await exclude(cast, "caseworker", first, "liaison")
    assert len(await listed(cast, "colleague", f"/cases/{second}/exclusions")) == 1
    clock.advance(hours=2)
    assert await listed(cast, "colleague", f"/cases/{second}/exclusions") == []


async def test_who_is_excluded_from_one_of_two_cases_that_were_parted_knows_of_no_decision_on_it(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    first = await open_case(cast)
    client = answered(await cast.client("caseworker").get(f"/cases/{first}"), 200)["client"]["id"]
    second = answered(await _open(cast, "caseworker", client, "id_poor"), 201)["id"]
    await exclude(cast, "caseworker", first, "liaison")
    assert len(await listed(cast, "second_supervisor", f"/cases/{second}/exclusions")) == 1
    clients = "select client_id from cases where id = any (%s::uuid[])"
    parted = f"delete from person_links where person_id in ({clients}) or other_id in ({clients})"
    superuser.execute(parted.encode(), [[first, second], [first, second]])
    await exclude(cast, "caseworker", first, "second_supervisor")
    assert await listed(cast, "second_supervisor", f"/cases/{second}/exclusions") == []
    assert len(await listed(cast, "supervisor", f"/cases/{second}/exclusions")) == 1


async def test_the_lifting_of_what_was_decided_on_a_hidden_case_is_told_only_to_who_knows_that_case(
    cast: Cast,
) -> None:
    hidden, other = await _two_cases(cast)
    await exclude(cast, "caseworker", hidden, "liaison")
    (copy,) = await listed(cast, "supervisor", f"/cases/{other}/exclusions")
    await lift(cast, "supervisor", other, copy["id"])
    for who, reads in (("supervisor", True), ("colleague", False)):
        assert ("exclusion." in str(await listed(cast, who, f"/cases/{other}/timeline"))) is reads, who


async def _copy(cast: Cast, case_id: str) -> str:
    async with cast.runtime.database.transaction() as session:
        await cast.runtime.database.begin_request(session, cast.sessions["supervisor"])
        statement = text("select id::text from exclusions_of(:case_id)")
        return str((await session.execute(statement, {"case_id": case_id})).scalar_one())


async def test_a_second_decision_about_somebody_is_a_decision_of_its_own(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    wanted = {"user_id": cast.id("liaison"), "reason_code": "perpetrator", "note": "First."}
    lead, stub = cast.client("caseworker"), cast.client("supervisor")
    first = answered(await lead.post(f"/cases/{case_id}/exclusions", json=wanted), 201)
    own = {"user_id": cast.id("liaison"), "reason_code": "other_conflict", "note": "Second."}
    second = answered(await stub.post(f"/cases/{case_id}/exclusions", json=own), 201)
    assert (second["reason_code"], second["note"], second["created_by"]) == (
        "other_conflict",
        "Second.",
        cast.id("supervisor"),
    )
    await lift(cast, "caseworker", case_id, first["id"])
    third = await exclude(cast, "caseworker", case_id, "liaison")
    assert third["lift_requested_at"] is None
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await lift(cast, "supervisor", case_id, first["id"])
    standing = [
        item["id"]
        for item in await listed(cast, "caseworker", f"/cases/{case_id}/exclusions")
        if item["lifted_at"] is None
    ]
    assert set(standing) == {second["id"], third["id"]}
    refused = {"user_id": cast.id("liaison"), "role": "liaison"}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/assignments", json=refused), 409)


async def test_who_is_excluded_opens_a_case_for_the_woman_without_leading_or_seeing_it(cast: Cast) -> None:
    person = answered(await cast.client("caseworker").post("/people", json=REGISTER), 201)["id"]
    await _open(cast, "caseworker", person, SENSITIVE, excluded_user_ids=[cast.id("colleague")])
    opened = answered(await _open(cast, "colleague", person, "id_poor"), 201)
    assert set(opened) == {"id", "code"}
    assert await status_of(cast, "colleague", opened["id"]) == 404
    assert await status_of(cast, "colleague", opened["id"], "/receipt") == 404
    assert await finds(cast, "supervisor", opened["id"], "/caseload", needs_lead=True)


async def test_an_excluded_colleague_named_as_lead_leaves_the_case_to_the_supervisors(cast: Cast) -> None:
    person = answered(await cast.client("caseworker").post("/people", json=REGISTER), 201)["id"]
    await _open(cast, "caseworker", person, SENSITIVE, excluded_user_ids=[cast.id("colleague")])
    opened = answered(await _open(cast, "caseworker", person, "id_poor", lead_id=cast.id("colleague")), 201)
    assert opened["lead"] is None
    assert await status_of(cast, "colleague", opened["id"]) == 404


async def test_a_case_opened_while_somebody_is_excluded_is_covered_too(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    for _ in range(12):
        first = await open_case(cast)
        body = {"user_id": cast.id("colleague"), "reason_code": "client_wish"}
        second, excluded = await asyncio.gather(
            open_again(cast, "caseworker", first),
            cast.client("caseworker").post(f"/cases/{first}/exclusions", json=body),
        )
        case_ids = [first, answered(second, 201)["id"]]
        answered(excluded, 201)
        query = "select count(distinct case_id) from case_exclusions where case_id = any (%s::uuid[]) and user_id = %s"
        assert superuser.execute(query, [case_ids, cast.id("colleague")]).fetchone() == (2,)


async def test_exclusions_on_cases_of_one_woman_at_once_do_not_get_in_each_others_way(cast: Cast) -> None:
    first = await open_case(cast)
    second = answered(await open_again(cast, "caseworker", first), 201)["id"]
    third = answered(await open_again(cast, "caseworker", first), 201)["id"]
    pairs = ((first, "liaison"), (second, "colleague"), (third, "second_liaison"), (second, "partner"))
    for _ in range(6):
        await asyncio.gather(*(exclude(cast, "caseworker", case_id, name) for case_id, name in pairs))


async def test_the_earlier_case_of_an_excluded_lead_waits_for_another(cast: Cast) -> None:
    hidden, other = await _two_cases(cast)
    await exclude(cast, "colleague", other, "caseworker")
    assert await status_of(cast, "caseworker", hidden) == 404
    assert await finds(cast, "supervisor", hidden, "/caseload", needs_lead=True)
