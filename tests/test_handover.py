"""What a leaver carries is taken over at once, by who may assign it, and never by who must be kept away."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.caseload import SHARED_AS, CaseloadLimits
from app.database_urls import DatabaseUrls
from app.models.codes.people import Role
from tests.acts import assign, call_as, exclude, finds, listed, newcomer, status_of
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered

Superuser = psycopg.Connection[Any]
SENSITIVE = "domestic_violence"


async def colleague(cast: Cast, role: Role = Role.CASEWORKER, organisation: str = "ngo") -> str:
    return await newcomer(cast, role, organisation)


async def hand_over(cast: Cast, leaver: str, to: str, who: str = "supervisor", status: int = 200, **more: Any) -> Any:
    wanted = {"to_user_id": cast.id(to), "reason": "She has left us.", **more}
    return answered(await cast.client(who).post(f"/users/{cast.id(leaver)}/handover", json=wanted), status)


async def lead_of(cast: Cast, case_id: str, who: str = "supervisor") -> str | None:
    stubs = {item["id"]: item for item in await listed(cast, who, "/caseload")}
    lead = stubs[case_id]["lead"]
    return lead["id"] if lead else None


async def places(superuser: Superuser, case_id: str, user_id: str) -> list[str]:
    query = "select role from assignments where case_id = %s and user_id = %s and ended_at is null order by role"
    return [role for (role,) in superuser.execute(query, [case_id, user_id])]


async def test_a_colleague_takes_over_every_place_on_stubs_too(cast: Cast, superuser: Superuser) -> None:
    leaver, to = await colleague(cast), await colleague(cast)
    led = [await open_case(cast, leaver, category) for category in (SENSITIVE, "id_poor")]
    worked = await open_case(cast, "caseworker", SENSITIVE)
    await assign(cast, "caseworker", worked, leaver, "caseworker")
    covered = await open_case(cast, "caseworker", SENSITIVE)
    until = (cast.clock() + timedelta(days=3)).isoformat()
    await assign(cast, "caseworker", covered, leaver, "cover", until=until)
    assert await hand_over(cast, leaver, to) == {"handed_over": 4, "needs_lead": 0, "caseload": "normal"}
    for case_id in led:
        assert await lead_of(cast, case_id) == cast.id(to)
    for case_id in (worked, covered):
        assert await lead_of(cast, case_id) == cast.id("caseworker")
    ends = "select until from assignments where case_id = %s and user_id = %s and ended_at is null"
    assert superuser.execute(ends, [covered, cast.id(to)]).fetchone() == (cast.clock() + timedelta(days=3),)
    for case_id, role in ((led[0], "lead"), (led[1], "lead"), (worked, "caseworker"), (covered, "cover")):
        assert await places(superuser, case_id, cast.id(to)) == [role]
        assert await places(superuser, case_id, cast.id(leaver)) == []
        assert await status_of(cast, to, case_id) == 200
    assert [await status_of(cast, leaver, case_id) for case_id in (led[0], worked, covered)] == [404] * 3
    types = [item["type"] for item in await listed(cast, to, f"/cases/{led[0]}/timeline")]
    assert {"assignment.ended", "assignment.added"} <= set(types)
    (place,) = [item for item in await listed(cast, to, f"/cases/{led[0]}/assignments") if not item["ended_at"]]
    assert place["reason"] == "She has left us."
    assert await hand_over(cast, leaver, to) == {"handed_over": 0, "needs_lead": 0, "caseload": "normal"}


async def test_who_must_be_kept_away_takes_nothing_and_the_case_waits_for_a_lead(
    cast: Cast, superuser: Superuser
) -> None:
    leaver, to = await colleague(cast), await colleague(cast)
    hidden, open_to = await open_case(cast, leaver, SENSITIVE), await open_case(cast, leaver, SENSITIVE)
    await exclude(cast, leaver, hidden, to)
    assert await hand_over(cast, leaver, to) == {"handed_over": 1, "needs_lead": 1, "caseload": "normal"}
    assert await finds(cast, "supervisor", hidden, "/caseload", needs_lead=True)
    assert not await finds(cast, "supervisor", open_to, "/caseload", needs_lead=True)
    assert await status_of(cast, to, hidden) == 404
    assert await places(superuser, hidden, cast.id(to)) == []
    assert await status_of(cast, leaver, hidden) == 404
    third = await colleague(cast)
    assert (await hand_over(cast, leaver, third))["handed_over"] == 0, "it is in the queue of everybody's now"


async def test_who_meets_a_perpetrator_takes_nothing_either(cast: Cast) -> None:
    leaver, to = await colleague(cast), await colleague(cast)
    named = {"perpetrators": [{"names": [cast.users[to].display_name]}]}
    case_id = await open_case(cast, leaver, SENSITIVE, incident=named)
    assert (await hand_over(cast, leaver, to))["needs_lead"] == 1
    assert await status_of(cast, to, case_id) == 404


async def test_an_excluded_supervisor_hands_over_what_she_may_know_of_and_is_told_of_no_other(cast: Cast) -> None:
    leaver, to = await colleague(cast), await colleague(cast)
    excluded = await colleague(cast, Role.SUPERVISOR)
    hidden, known = await open_case(cast, leaver, SENSITIVE), await open_case(cast, leaver, SENSITIVE)
    await exclude(cast, leaver, hidden, excluded)
    answer = await hand_over(cast, leaver, to, excluded)
    assert answer == {"handed_over": 1, "needs_lead": 0, "caseload": "normal"}
    assert await lead_of(cast, hidden) == cast.id(leaver)
    assert await lead_of(cast, known) == cast.id(to)
    assert (await hand_over(cast, leaver, to))["handed_over"] == 1
    assert await lead_of(cast, hidden) == cast.id(to)


async def test_what_a_deactivated_person_led_is_handed_over_from_the_queue(cast: Cast, database: DatabaseUrls) -> None:
    leaver, to, third = [await colleague(cast) for _ in range(3)]
    waits, taken, at_once, lost_again, closed = [await open_case(cast, leaver, SENSITIVE) for _ in range(5)]
    step = {"to": "closed", "closure": {"reason": "client_request", "informed_can_return": True}}
    answered(await cast.client(leaver).post(f"/cases/{closed}/transitions", json=step), 200)
    answered(await cast.client("admin").post(f"/users/{cast.id(leaver)}/deactivate"), 200)
    assert await finds(cast, "supervisor", waits, "/caseload", needs_lead=True)
    await assign(cast, "supervisor", at_once, third, "lead")
    cast.clock.advance(seconds=1)
    await assign(cast, "supervisor", taken, third, "lead")
    fourth = await colleague(cast)
    await assign(cast, "supervisor", lost_again, fourth, "lead")
    answered(await cast.client("admin").post(f"/users/{cast.id(fourth)}/deactivate"), 200)
    held = "select count(*) from handover_of(%s, %s)"
    assert call_as(cast, database, "supervisor", held, cast.id(leaver), cast.id(to)) == 1
    assert (await hand_over(cast, leaver, to))["handed_over"] == 1
    assert await lead_of(cast, waits) == cast.id(to)
    assert await lead_of(cast, taken) == await lead_of(cast, at_once) == cast.id(third)
    assert await lead_of(cast, lost_again) is None
    assert (await hand_over(cast, leaver, third))["handed_over"] == 0


async def test_who_came_back_to_a_lesser_place_leaves_the_lead_behind(cast: Cast, superuser: Superuser) -> None:
    leaver, to = await colleague(cast), await colleague(cast)
    case_id = await open_case(cast, leaver, SENSITIVE)
    answered(await cast.client("admin").post(f"/users/{cast.id(leaver)}/deactivate"), 200)
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    superuser.execute("update users set active = true where id = %s", [cast.id(leaver)])
    await assign(cast, "supervisor", case_id, leaver, "caseworker")
    assert (await hand_over(cast, leaver, to))["handed_over"] == 1
    assert await lead_of(cast, case_id) == cast.id(to)


async def test_a_place_that_was_ended_on_purpose_is_handed_to_nobody(cast: Cast) -> None:
    leaver, to = await colleague(cast), await colleague(cast)
    case_id = await open_case(cast, leaver, SENSITIVE)
    await assign(cast, "supervisor", case_id, "colleague", "lead")
    answered(await cast.client("admin").post(f"/users/{cast.id(leaver)}/deactivate"), 200)
    assert (await hand_over(cast, leaver, to))["handed_over"] == 0
    assert await lead_of(cast, case_id) == cast.id("colleague")


async def test_who_works_there_already_keeps_the_better_place(cast: Cast, superuser: Superuser) -> None:
    leaver, to = await colleague(cast), await colleague(cast)
    led_by_successor = await open_case(cast, to, SENSITIVE)
    await assign(cast, to, led_by_successor, leaver, "caseworker")
    led_by_leaver = await open_case(cast, leaver, SENSITIVE)
    await assign(cast, leaver, led_by_leaver, to, "caseworker")
    assert await hand_over(cast, leaver, to) == {"handed_over": 1, "needs_lead": 0, "caseload": "normal"}
    assert await places(superuser, led_by_successor, cast.id(to)) == ["lead"]
    assert await places(superuser, led_by_leaver, cast.id(to)) == ["lead"]
    assert await places(superuser, led_by_successor, cast.id(leaver)) == []


async def test_what_the_leaver_had_planned_is_the_successors_now(cast: Cast) -> None:
    leaver, to = await colleague(cast), await colleague(cast)
    case_id, kept_away_from = await open_case(cast, leaver, SENSITIVE), await open_case(cast, leaver, SENSITIVE)
    await assign(cast, leaver, case_id, "colleague", "caseworker")
    planned = {}
    for name, case, assignee in (
        ("own", case_id, leaver),
        ("other", case_id, "colleague"),
        ("away", kept_away_from, leaver),
    ):
        due = {"due_at": "2026-09-01T03:00:00Z", "channel": "visit", "assignee_id": cast.id(assignee)}
        made = await cast.client(leaver).post(f"/cases/{case}/follow-ups", json=due)
        planned[name] = f"/cases/{case}/follow-ups/{answered(made, 201)['id']}"
    done = await cast.client(leaver).post(
        f"/cases/{case_id}/follow-ups", json={"due_at": cast.clock().isoformat(), "channel": "visit"}
    )
    planned["done"] = f"/cases/{case_id}/follow-ups/{answered(done, 201)['id']}"
    told = {"happened_at": cast.clock().isoformat(), "outcome": "met_safe"}
    answered(await cast.client(leaver).post(f"{planned['done']}/record", json=told), 200)
    await exclude(cast, leaver, kept_away_from, to)
    await hand_over(cast, leaver, to)
    whose = {}
    for name in ("own", "other", "done"):
        whose[name] = answered(await cast.client(to).get(planned[name]), 200)["assignee"]["id"]
    away = answered(await cast.client("supervisor").get(planned["away"]), 200)
    whose["away"] = away["assignee"]["id"]
    expected = {"own": to, "other": "colleague", "done": leaver, "away": leaver}
    assert whose == {name: cast.id(who) for name, who in expected.items()}


async def test_a_review_is_no_place_to_hand_over(cast: Cast, superuser: Superuser) -> None:
    leaver, to = await colleague(cast, Role.SUPERVISOR), await colleague(cast, Role.SUPERVISOR)
    case_id = await open_case(cast, "caseworker", SENSITIVE)
    await assign(cast, "supervisor", case_id, leaver, "reviewer")
    assert (await hand_over(cast, leaver, to))["handed_over"] == 0
    assert await places(superuser, case_id, cast.id(leaver)) == ["reviewer"]


async def test_a_cover_that_is_over_is_handed_to_nobody(cast: Cast, clock: FrozenClock) -> None:
    leaver, to = await colleague(cast), await colleague(cast)
    case_id = await open_case(cast, "caseworker", SENSITIVE)
    until = (clock() + timedelta(hours=1)).isoformat()
    await assign(cast, "caseworker", case_id, leaver, "cover", until=until)
    clock.advance(hours=1)
    assert (await hand_over(cast, leaver, to))["handed_over"] == 0


async def test_the_databases_functions_hand_over_for_supervisors_alone(
    cast: Cast, superuser: Superuser, database: DatabaseUrls
) -> None:
    leaver, to = await colleague(cast), await colleague(cast)
    case_id = await open_case(cast, leaver, SENSITIVE)
    held = "select count(*) from handover_of(%s, %s)"
    for who, expected in (("supervisor", 1), ("colleague", 0), ("other_supervisor", 0), ("admin", 0)):
        assert call_as(cast, database, who, held, cast.id(leaver), cast.id(to)) == expected, who
    reviewer = await colleague(cast, Role.SUPERVISOR)
    await assign(cast, "supervisor", case_id, reviewer, "reviewer")
    assert call_as(cast, database, "supervisor", held, cast.id(reviewer), cast.id(to)) == 0
    leave = "select leave_case(%s, %s, %s)"
    for nothing_to_leave in (reviewer, to):
        gone = call_as(cast, database, "supervisor", leave, case_id, cast.id(nothing_to_leave), cast.id(to))
        assert gone is False, "somebody else was faster"
    assert await places(superuser, case_id, cast.id(reviewer)) == ["reviewer"]


async def test_only_supervisors_of_the_leavers_organisation_hand_over(cast: Cast) -> None:
    leaver, to = await colleague(cast), await colleague(cast)
    case_id = await open_case(cast, leaver, SENSITIVE)
    for who in ("admin", "caseworker", "liaison", "partner", "auditor"):
        await hand_over(cast, leaver, to, who, 403)
    unknown = {"to_user_id": cast.id(to), "reason": "She has left us."}
    answered(await cast.client("supervisor").post(f"/users/{uuid4()}/handover", json=unknown), 404)
    await hand_over(cast, leaver, to, "other_supervisor", 404)
    for successor in ("stranger", "liaison", "admin", "supervisor", leaver):
        refused = await hand_over(cast, leaver, successor, status=422)
        assert refused["errors"][0]["pointer"] == "/to_user_id"
    gone = await colleague(cast)
    answered(await cast.client("admin").post(f"/users/{cast.id(gone)}/deactivate"), 200)
    await hand_over(cast, leaver, gone, status=422)
    assert await lead_of(cast, case_id) == cast.id(leaver)


async def test_all_of_it_fits_or_nothing_is_handed_over(cast: Cast) -> None:
    leaver, to = await colleague(cast), await colleague(cast)
    cases = [await open_case(cast, leaver, SENSITIVE) for _ in range(3)]
    await open_case(cast, to, SENSITIVE)
    database = cast.runtime.database
    before = database.shared
    database.shared = {**before, SHARED_AS: CaseloadLimits(2, 3)}
    try:
        assert (await hand_over(cast, leaver, to, status=409))["code"] == "caseload_full"
        assert [await lead_of(cast, case_id) for case_id in cases] == [cast.id(leaver)] * 3
        answer = await hand_over(cast, leaver, to, over_limit_reason="Until Friday.")
    finally:
        database.shared = before
    assert answer == {"handed_over": 3, "needs_lead": 0, "caseload": "over"}
    held = await listed(cast, to, f"/cases/{cases[0]}/assignments")
    assert [one["over_limit_reason"] for one in held if one["ended_at"] is None] == ["Until Friday."]


@pytest.mark.parametrize("cases_held", range(1, 7))  # who waits for whom is a matter of their ids: often
async def test_of_two_handovers_at_once_each_case_goes_to_one_person(
    cast: Cast, superuser: Superuser, cases_held: int
) -> None:
    leaver, first, second = [await colleague(cast) for _ in range(3)]
    cases = [await open_case(cast, leaver, SENSITIVE) for _ in range(cases_held)]
    answers = await asyncio.gather(hand_over(cast, leaver, first), hand_over(cast, leaver, second, "second_supervisor"))
    assert sum(answer["handed_over"] for answer in answers) == cases_held
    leads = Counter([await lead_of(cast, case_id) for case_id in cases])
    assert max(leads.values()) == cases_held, "one of the two was first"
    assert set(leads) <= {cast.id(first), cast.id(second)}
    places_held = "select count(*) from assignments where case_id = any (%s) and role = 'lead' and ended_at is null"
    assert superuser.execute(places_held, [cases]).fetchone() == (cases_held,)


async def test_the_trail_tells_of_every_case_that_was_handed_over(cast: Cast, superuser: Superuser) -> None:
    leaver, to = await colleague(cast), await colleague(cast)
    cases = {await open_case(cast, leaver, SENSITIVE) for _ in range(2)}
    await hand_over(cast, leaver, to)
    query = "select case_ids::text[], kind from audit_events where action = 'hand_over' and %s = any (case_ids::text[])"
    (row,) = superuser.execute(query, [next(iter(cases))]).fetchall()
    assert (set(row[0]), row[1]) == (cases, "casework")


async def test_who_hands_over_to_herself_or_to_the_leaver_is_told_so(cast: Cast) -> None:
    leaver = await colleague(cast)
    for to, code in ((leaver, "same_person"), ("supervisor", "not_to_yourself"), ("stranger", "unknown_colleague")):
        refused = await hand_over(cast, leaver, to, status=422)
        assert [(one["pointer"], one["code"]) for one in refused["errors"]] == [("/to_user_id", code)]
