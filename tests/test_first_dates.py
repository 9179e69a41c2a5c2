"""No open case is ever without a next date, and every date belongs to somebody who works on the case."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from app.models.codes.people import Role
from tests.acts import SENSITIVE, assign, exclude, newcomer, open_again, with_liaison
from tests.cases import intake, open_case
from tests.cast import Cast, FrozenClock, answered
from tests.confirmations import confirmed
from tests.pages import whole
from tests.plans import put_first, set_risk
from tests.test_worklist import about, leaderless, moment, plan, put, record

UNDATED = """
    select count(*) from cases where id = any (%s::uuid[]) and status not in ('closed', 'closure_requested')
       and next_due_at is null
"""


async def dates(cast: Cast, case_id: str, who: str = "caseworker") -> list[Any]:
    """What is planned on the case, the next one first."""
    found = await whole(cast.client(who), f"/cases/{case_id}/follow-ups")
    return sorted((one for one in found if one["state"] == "planned"), key=lambda one: one["due_at"])


def next_due(superuser: psycopg.Connection[Any], case_id: str) -> Any:
    row = superuser.execute("select next_due_at from cases where id = %s", [case_id]).fetchone()
    assert row is not None
    return row[0]


def whose(superuser: psycopg.Connection[Any], case_id: str) -> set[str]:
    """Whose the planned dates of the case are."""
    query = "select assignee_id::text from follow_ups where case_id = %s and happened_at is null and ended_at is null"
    return {one for (one,) in superuser.execute(query, [case_id])}


async def step(cast: Cast, who: str, case_id: str, to: str, status: int = 200, **more: Any) -> Any:
    body = {"to": to, **more}
    return answered(await cast.client(who).post(f"/cases/{case_id}/transitions", json=body), status)


CLOSURE = {"reason": "needs_met", "informed_can_return": True}


@pytest.mark.parametrize(
    ("category", "wait"),
    [
        ("domestic_violence", timedelta(hours=24)),
        ("marital_issue", timedelta(days=7)),
        ("health_referral", timedelta(days=7)),
        ("id_poor", timedelta(days=7)),
    ],
)
async def test_opening_a_case_plans_a_look_at_it_by_the_clock_of_the_risk(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any], category: str, wait: timedelta
) -> None:
    case_id = await open_case(cast, category=category, safe_contact={"do_not_contact": True})
    [first] = await dates(cast, case_id)
    assert moment(first["due_at"]) == clock() + wait == next_due(superuser, case_id)
    assert (first["channel"], first["contact"], first["assignee"]["id"]) == (None, None, cast.id("caseworker"))


async def test_a_case_that_is_written_down_late_is_looked_at_from_now_on(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast, opened_on="2026-02-01")
    assert next_due(superuser, case_id) == clock() + timedelta(days=7)


async def test_the_first_date_is_the_leads_whoever_opens(cast: Cast, superuser: psycopg.Connection[Any]) -> None:
    case_id = await open_case(cast, "supervisor", SENSITIVE, lead_id=cast.id("caseworker"))
    assert whose(superuser, case_id) == {cast.id("caseworker")}


async def test_a_case_that_nobody_leads_has_a_date_which_becomes_the_leads(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await leaderless(cast)
    assert next_due(superuser, case_id) == clock() + timedelta(hours=24)
    assert await about(cast, "liaison", case_id) == {}, "who brought it does not see it"
    await assign(cast, "supervisor", case_id, "caseworker", "lead")
    [first] = await dates(cast, case_id)
    assert first["assignee"]["id"] == cast.id("caseworker")
    assert first["version"] == 2


async def test_a_case_whose_lead_is_kept_away_has_a_date_too(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    kept_away = await newcomer(cast, Role.CASEWORKER, "ngo")
    await exclude(cast, "caseworker", case_id, kept_away)
    opened = answered(await open_again(cast, "caseworker", case_id, lead_id=cast.id(kept_away)), 201)
    assert next_due(superuser, opened["id"]) is not None
    assert cast.id(kept_away) not in whose(superuser, opened["id"])


async def test_opening_again_and_returning_plan_a_date_anew(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    put(superuser, case_id, status="follow_up")
    [first] = await dates(cast, case_id)
    await step(cast, "caseworker", case_id, "closure_requested", reason="Done.", closure=CLOSURE)
    planned = await plan(cast, case_id, clock() + timedelta(hours=1))
    for one in (first, planned):
        path = f"/cases/{case_id}/follow-ups/{one['id']}"
        await cast.client("caseworker").delete(path, headers={"If-Match": "*"})
    assert await dates(cast, case_id) == []
    clock.advance(hours=1)
    await step(cast, "supervisor", case_id, "follow_up", reason="One more visit.")
    assert next_due(superuser, case_id) == clock() + timedelta(days=7)
    assert whose(superuser, case_id) == {cast.id("caseworker")}
    await step(cast, "caseworker", case_id, "closure_requested", reason="Done.", closure=CLOSURE)
    await step(cast, "supervisor", case_id, "closed")
    assert next_due(superuser, case_id) is None
    put(superuser, case_id, risk_level="medium")
    clock.advance(hours=1)
    await step(cast, "supervisor", case_id, "assessment", reason="Came back.")
    assert next_due(superuser, case_id) == clock() + timedelta(hours=72)
    assert whose(superuser, case_id) == {cast.id("caseworker")}


async def test_a_step_forward_plans_nothing_where_something_is_planned(cast: Cast) -> None:
    case_id = await open_case(cast)
    before = await dates(cast, case_id)
    await step(cast, "caseworker", case_id, "assessment")
    assert await dates(cast, case_id) == before


async def test_the_date_of_the_opening_does_not_hold_up_a_closing_and_an_agreed_one_does(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    put(superuser, case_id, status="follow_up")
    await step(cast, "caseworker", case_id, "closure_requested", reason="Done.", closure=CLOSURE)
    await step(cast, "supervisor", case_id, "closed")
    other = await open_case(cast)
    put(superuser, other, status="follow_up")
    [first] = await dates(cast, other)
    path = f"/cases/{other}/follow-ups/{first['id']}"
    change = {"due_at": (clock() + timedelta(days=3)).isoformat()}
    answered(await cast.client("caseworker").patch(path, json=change, headers={"If-Match": "*"}), 200)
    await step(cast, "caseworker", other, "closure_requested", reason="Done.", closure=CLOSURE)
    refused = await step(cast, "supervisor", other, "closed", 409)
    assert refused["blocked_by"] == ["future_follow_up"]


async def test_the_first_date_gives_way_to_a_sooner_one_and_not_to_a_later_one(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    [first] = await dates(cast, case_id)
    later = await plan(cast, case_id, clock() + timedelta(hours=25))
    assert [one["id"] for one in await dates(cast, case_id)] == [first["id"], later["id"]]
    sooner = await plan(cast, case_id, clock() + timedelta(hours=24))
    assert [one["id"] for one in await dates(cast, case_id)] == [sooner["id"], later["id"]]
    other = await open_case(cast, category=SENSITIVE)
    [first] = await dates(cast, other)
    met = await plan(cast, other, clock() + timedelta(hours=30))
    await record(cast, met)
    assert first["id"] not in [one["id"] for one in await dates(cast, other)], "she was seen"


async def test_a_first_date_that_gives_way_does_not_excuse_a_late_one(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await set_risk(cast, case_id, "high")
    visit = await plan(cast, case_id, clock() + timedelta(hours=30))
    before = await dates(cast, case_id)
    body = {"happened_at": clock().isoformat(), "outcome": "met_safe"}
    path = f"/cases/{case_id}/follow-ups/{visit['id']}/record"
    late = {**body, "next_due_at": (clock() + timedelta(days=20)).isoformat()}
    refused = answered(await cast.client("caseworker").post(path, json=late), 422)
    assert [error["code"] for error in refused["errors"]] == ["later_than_risk_allows"]
    assert await dates(cast, case_id) == before
    answered(await cast.client("caseworker").post(path, json=body), 200)
    [left] = await dates(cast, case_id)
    assert moment(left["due_at"]) <= clock() + timedelta(days=7)


async def test_recording_the_first_date_leaves_the_next_one(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast)
    [first] = await dates(cast, case_id)
    answer = await record(cast, first)
    assert [one["id"] for one in await dates(cast, case_id)] == [answer["next"]["id"]]
    path = f"/cases/{case_id}/follow-ups/{answer['next']['id']}"
    answered(await cast.client("caseworker").delete(path, headers={"If-Match": "*"}), 409)


# ---- whose a date is ----


async def test_a_new_lead_has_the_dates_of_the_old_one_and_colleagues_keep_theirs(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    helper = await newcomer(cast, Role.CASEWORKER, "ngo")
    await assign(cast, "caseworker", case_id, helper, "caseworker")
    await plan(cast, case_id, clock() + timedelta(days=2), assignee_id=cast.id(helper))
    await assign(cast, "supervisor", case_id, "colleague", "lead")
    assert whose(superuser, case_id) == {cast.id("colleague"), cast.id(helper)}
    assert next_due(superuser, case_id) is not None


async def test_who_leaves_a_case_leaves_the_dates_to_the_lead(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    untouched = await open_case(cast, category=SENSITIVE)
    for one in (case_id, untouched):
        place = await assign(cast, "caseworker", one, "colleague", "caseworker")
        await plan(cast, one, clock() + timedelta(days=2), assignee_id=cast.id("colleague"))
    await exclude(cast, "caseworker", case_id, "colleague")
    assert whose(superuser, case_id) == {cast.id("caseworker")}
    assert cast.id("colleague") in whose(superuser, untouched)
    answered(await cast.client("caseworker").delete(f"/cases/{untouched}/assignments/{place}"), 204)
    assert whose(superuser, untouched) == {cast.id("caseworker")}


async def test_who_only_reviews_now_or_covers_no_more_leaves_the_dates_to_the_lead(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await assign(cast, "supervisor", case_id, "second_supervisor", "caseworker")
    await plan(cast, case_id, clock() + timedelta(days=2), assignee_id=cast.id("second_supervisor"))
    await assign(cast, "supervisor", case_id, "second_supervisor", "reviewer")
    assert whose(superuser, case_id) == {cast.id("caseworker")}
    until = (clock() + timedelta(hours=1)).isoformat()
    await assign(cast, "caseworker", case_id, "colleague", "cover", until=until)
    await plan(cast, case_id, clock() + timedelta(days=2), assignee_id=cast.id("colleague"))
    clock.advance(hours=1)
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")  # any change of places will do
    assert whose(superuser, case_id) == {cast.id("caseworker")}


async def test_a_contact_that_a_liaison_records_ends_the_date_of_the_opening_which_she_does_not_see(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id, _ = await with_liaison(cast)
    other, _ = await with_liaison(cast)
    (first,) = await dates(cast, case_id)
    (elsewhere,) = await dates(cast, other)
    mine = await plan(cast, case_id, clock() + timedelta(days=2))
    hers = await plan(cast, case_id, clock() + timedelta(days=2), assignee_id=cast.id("liaison"))
    answered(await cast.client("liaison").get(f"/cases/{case_id}/follow-ups/{first['id']}"), 404)
    recorded = await record(cast, hers, "liaison")
    states = {one["id"]: one["state"] for one in await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")}
    assert states == {
        first["id"]: "cancelled",
        mine["id"]: "planned",
        hers["id"]: "recorded",
        recorded["next"]["id"]: "planned",
    }
    assert [one["id"] for one in await dates(cast, other)] == [elsewhere["id"]]
    told = "select actor_id from events where subject_id = %s and type = 'follow_up.cancelled'"
    assert superuser.execute(told, [first["id"]]).fetchall() == [(cast.users["liaison"].id,)]
    case = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)
    assert case["next_due_at"] == mine["due_at"]


async def test_a_date_of_the_opening_that_somebody_made_her_own_stays_when_another_is_recorded(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id, _ = await with_liaison(cast)
    kept = await put_first(cast, case_id, channel="visit")
    hers = await plan(cast, case_id, clock() + timedelta(days=2), assignee_id=cast.id("liaison"))
    await record(cast, hers, "liaison")
    assert kept["id"] in {one["id"] for one in await dates(cast, case_id)}


async def test_what_a_liaison_was_to_do_is_the_leads_once_support_is_withdrawn(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id, consent_id = await with_liaison(cast)
    await plan(cast, case_id, clock() + timedelta(days=1), assignee_id=cast.id("liaison"))
    assert cast.id("liaison") in whose(superuser, case_id)
    path = f"/cases/{case_id}/consents/{consent_id}/withdraw"
    answered(await cast.client("caseworker").post(path, json={"reason": "Wish."}), 200)
    assert whose(superuser, case_id) == {cast.id("caseworker")}


async def test_the_dates_of_a_lead_who_left_wait_for_the_next_one(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    leaver = await newcomer(cast, Role.CASEWORKER, "ngo")
    case_id = await open_case(cast, leaver, SENSITIVE)
    path, headers = f"/users/{cast.id(leaver)}", {"If-Match": "*"}
    answered(await cast.client("admin").patch(path, json={"active": False}, headers=headers), 200)
    assert next_due(superuser, case_id) is not None
    assert "leaderless" in await about(cast, "supervisor", case_id)
    await assign(cast, "supervisor", case_id, "caseworker", "lead")
    assert whose(superuser, case_id) == {cast.id("caseworker")}
    answered(await cast.client("admin").patch(path, json={"active": True}, headers=headers), 200)
    await confirmed(cast, cast.id(leaver))


async def test_what_was_recorded_stays_who_recorded_it(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    place = await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    done = await plan(cast, case_id, clock(), assignee_id=cast.id("colleague"))
    await record(cast, done, "colleague")
    answered(await cast.client("caseworker").delete(f"/cases/{case_id}/assignments/{place}"), 204)
    found = await cast.client("caseworker").get(f"/cases/{case_id}/follow-ups/{done['id']}")
    assert answered(found, 200)["assignee"]["id"] == cast.id("colleague")


async def test_after_whatever_was_done_no_open_case_is_without_a_date(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    cases = [await open_case(cast, category=one) for one in ("id_poor", SENSITIVE)]
    cases.append(await leaderless(cast))
    cases.append(answered(await cast.client("supervisor").post("/cases", json=intake()), 201)["id"])

    def undated() -> int:
        row = superuser.execute(UNDATED, [cases]).fetchone()
        assert row is not None
        return int(row[0])

    assert undated() == 0
    await assign(cast, "supervisor", cases[2], "caseworker", "lead")
    await assign(cast, "supervisor", cases[3], "caseworker", "lead")
    assert undated() == 0
    for case_id in cases:
        [one, *_] = await dates(cast, case_id)
        await record(cast, one)
        assert undated() == 0
        [one, *_] = await dates(cast, case_id)
        path = f"/cases/{case_id}/follow-ups/{one['id']}"
        answered(await cast.client("caseworker").delete(path, headers={"If-Match": "*"}), 409)
        await plan(cast, case_id, clock() + timedelta(days=1))
        answered(await cast.client("caseworker").delete(path, headers={"If-Match": "*"}), 204)
        await step(cast, "caseworker", case_id, "assessment")
        assert undated() == 0
