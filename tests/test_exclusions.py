"""Who must never see a client's cases: at once, everywhere, until two people lift it."""

from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import text

from app.security import Runtime
from tests.acts import (
    SENSITIVE,
    assign,
    break_glass,
    exclude,
    finds,
    lift,
    listed,
    open_again,
    status_of,
)
from tests.cases import open_case
from tests.cast import Cast, answered


async def test_an_exclusion_covers_every_present_and_future_case_of_the_client(cast: Cast) -> None:
    first = await open_case(cast)
    second = answered(await open_again(cast, "caseworker", first), 201)["id"]
    assert await status_of(cast, "colleague", first) == 200
    await exclude(cast, "caseworker", second, "colleague")
    assert await status_of(cast, "colleague", first) == 404
    third = answered(await open_again(cast, "caseworker", first, sensitivity="sensitive"), 201)["id"]
    refused = {"user_id": cast.id("colleague"), "role": "caseworker"}
    answered(await cast.client("caseworker").post(f"/cases/{third}/assignments", json=refused), 409)
    assert [item["user_id"] for item in await listed(cast, "caseworker", f"/cases/{third}/exclusions")] == [
        cast.id("colleague")
    ]


async def test_an_exclusion_at_intake_reaches_back_and_takes_the_lead_of_an_earlier_case_off(
    cast: Cast,
) -> None:
    first = await open_case(cast, "colleague", "id_poor")
    opened = await open_again(cast, "caseworker", first, excluded_user_ids=[cast.id("colleague")])
    answered(opened, 201)
    assert await status_of(cast, "colleague", first) == 404
    assert answered(await cast.client("caseworker").get(f"/cases/{first}"), 200)["lead"] is None
    assert await finds(cast, "supervisor", first, "/caseload", needs_lead=True)


async def test_an_exclusion_is_lifted_by_two_people_of_whom_one_is_a_supervisor(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    exclusion = await exclude(cast, "caseworker", case_id, "colleague")
    await lift(cast, "supervisor", case_id, exclusion["id"], 404)  # a stub shows no exclusions
    asked = await lift(cast, "caseworker", case_id, exclusion["id"])
    assert asked["lift_requested_by"] == cast.id("caseworker")
    assert asked["lifted_at"] is None
    await lift(cast, "caseworker", case_id, exclusion["id"], 409)
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    lifted = await lift(cast, "supervisor", case_id, exclusion["id"])
    assert lifted["lifted_at"] is not None
    assert await status_of(cast, "colleague", case_id) == 404, "lifting restores no assignment"
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    assert await status_of(cast, "colleague", case_id) == 200


async def test_only_who_may_read_exclusions_reads_in_the_timeline_that_there_was_one(cast: Cast) -> None:
    case_id = await open_case(cast)
    for name in ("colleague", "second_supervisor"):
        await assign(cast, "supervisor", case_id, name, "caseworker")
    by_user = {name: await exclude(cast, "caseworker", case_id, name) for name in ("liaison", "second_supervisor")}
    assert await exclusion_events(cast, "caseworker", case_id) == ["exclusion.added"] * 2
    assert await exclusion_events(cast, "supervisor", case_id) == ["exclusion.added"] * 2
    assert await exclusion_events(cast, "colleague", case_id) == []
    team = await listed(cast, "colleague", f"/cases/{case_id}/assignments")
    assert "excluded" not in str(team), "who worked on it does not tell it either"
    for by in ("caseworker", "supervisor"):
        await lift(cast, by, case_id, by_user["second_supervisor"]["id"])
    all_of_them = ["exclusion.added", "exclusion.added", "exclusion.lift_requested", "exclusion.lifted"]
    assert await exclusion_events(cast, "supervisor", case_id) == all_of_them
    # Who was kept away for a while reads of others, and never that she was.
    assert await exclusion_events(cast, "second_supervisor", case_id) == ["exclusion.added"]
    shown = await listed(cast, "second_supervisor", f"/cases/{case_id}/exclusions")
    assert [one["user_id"] for one in shown] == [cast.id("liaison")]


async def exclusion_events(cast: Cast, who: str, case_id: str) -> list[str]:
    """What this person reads of exclusions in the timeline."""
    timeline = await listed(cast, who, f"/cases/{case_id}/timeline")
    return sorted(one["type"] for one in timeline if one["type"].startswith("exclusion."))


async def test_lifting_an_exclusion_mends_no_broken_glass(cast: Cast, superuser: psycopg.Connection) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await break_glass(cast, superuser, case_id, "colleague")
    assert await status_of(cast, "colleague", case_id) == 200
    exclusion = await exclude(cast, "caseworker", case_id, "colleague")
    await lift(cast, "caseworker", case_id, exclusion["id"])
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await lift(cast, "supervisor", case_id, exclusion["id"])
    assert await status_of(cast, "colleague", case_id) == 404


async def test_two_leads_without_a_supervisor_cannot_lift_an_exclusion(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    exclusion = await exclude(cast, "caseworker", case_id, "liaison")
    await lift(cast, "caseworker", case_id, exclusion["id"])
    await assign(cast, "caseworker", case_id, "colleague", "lead")
    await lift(cast, "colleague", case_id, exclusion["id"], 403)


async def test_lifting_on_one_case_lifts_on_every_case_of_the_client(cast: Cast) -> None:
    first = await open_case(cast)
    second = answered(await open_again(cast, "caseworker", first), 201)["id"]
    exclusion = await exclude(cast, "caseworker", second, "colleague")
    assert await status_of(cast, "colleague", first) == 404
    await lift(cast, "caseworker", second, exclusion["id"])
    await assign(cast, "supervisor", second, "supervisor", "reviewer")
    await lift(cast, "supervisor", second, exclusion["id"])
    assert await status_of(cast, "colleague", first) == 200


async def test_who_sees_one_end_of_a_link_cannot_tell_that_the_client_has_another_case(
    cast: Cast, runtime: Runtime, superuser: psycopg.Connection
) -> None:
    standard = await open_case(cast)
    sensitive = answered(await open_again(cast, "caseworker", standard), 201)["id"]
    query = "select count(*) from person_links l join people p on p.id = l.person_id where p.case_id = %s"
    assert superuser.execute(query, [sensitive]).fetchone() == (1,)
    links = text("""
        select count(*) from person_links l
         where exists (select from cases c
                        where c.id = :case_id and c.client_id in (l.person_id, l.other_id))""")
    for who, seen in (("caseworker", 1), ("colleague", 0), ("stranger", 0)):
        async with runtime.database.transaction() as session:
            assert await runtime.database.begin_request(session, cast.sessions[who])
            assert (await session.execute(links, {"case_id": standard})).scalar_one() == seen


async def test_a_repeated_post_reads_its_answer_under_present_rights(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    call: dict[str, Any] = {"json": {"text": "Hers."}, "headers": {"Idempotency-Key": f"note {uuid4()}"}}
    answered(await cast.client("colleague").post(f"/cases/{case_id}/notes", **call), 201)
    again = await cast.client("colleague").post(f"/cases/{case_id}/notes", **call)
    assert again.headers["Idempotency-Replayed"] == "true"
    await exclude(cast, "caseworker", case_id, "colleague")
    answered(await cast.client("colleague").post(f"/cases/{case_id}/notes", **call), 404)
