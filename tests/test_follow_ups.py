"""No follow-up is forgotten, and none is planned where contact could cost a life."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from app.calendar import PHNOM_PENH
from app.models.codes.cases import RiskLevel
from tests.acts import SENSITIVE, assign, status_of, with_liaison
from tests.cases import intake, open_case
from tests.cast import Cast, FrozenClock, answered
from tests.pages import whole

SAFE = {"channels": ["phone", "visit"], "days": [1, 2, 3, 4, 5], "from": "08:00", "to": "11:00"}


def at(day: str, hour: str) -> str:
    """A moment in Phnom Penh."""
    return f"{day}T{hour}:00+07:00"


def wait_until(clock: FrozenClock, text: str) -> None:
    """Let time pass until this moment, should it not have come yet."""
    clock.at = max(clock(), moment(text).astimezone(UTC))


def next_monday(clock: FrozenClock) -> datetime:
    return clock() + timedelta(days=7 - clock().weekday())


async def case_of(cast: Cast, **changes: Any) -> str:
    return await open_case(cast, category=SENSITIVE, **changes)


async def plan(cast: Cast, case_id: str, due_at: str, who: str = "caseworker", status: int = 201, **more: Any) -> Any:
    body = {"due_at": due_at, "channel": "visit", **more}
    return answered(await cast.client(who).post(f"/cases/{case_id}/follow-ups", json=body), status)


async def report(
    cast: Cast, one: Any, who: str = "caseworker", status: int = 200, headers: Any = None, **more: Any
) -> Any:
    body = {"happened_at": cast.clock().isoformat(), "outcome": "met_safe", **more}
    path = f"/cases/{one['case_id']}/follow-ups/{one['id']}/record"
    return answered(await cast.client(who).post(path, json=body, headers=headers), status)


async def next_due(cast: Cast, case_id: str, who: str = "caseworker") -> str | None:
    due: str | None = answered(await cast.client(who).get(f"/cases/{case_id}"), 200)["next_due_at"]
    return due


async def agreed(cast: Cast, case_id: str) -> list[Any]:
    """The follow-ups with a channel: not the date at the desk that the opening has planned."""
    return [one for one in await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups") if one["channel"]]


def moment(text: str | None) -> datetime:
    assert text is not None
    return datetime.fromisoformat(text)


def put_risk(superuser: psycopg.Connection[Any], case_id: str, risk: RiskLevel) -> None:
    superuser.execute("update cases set risk_level = %s where id = %s", [risk.value, case_id])


async def test_what_is_planned_is_the_next_date_of_the_case(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast)
    later = await plan(cast, case_id, (clock() + timedelta(hours=20)).isoformat())
    sooner = await plan(cast, case_id, (clock() + timedelta(hours=2)).isoformat())
    assert (later["state"], later["channel"], later["assignee"]["id"]) == ("planned", "visit", cast.id("caseworker"))
    assert await next_due(cast, case_id) == sooner["due_at"]
    path = f"/cases/{case_id}/follow-ups/{sooner['id']}"
    answered(await cast.client("caseworker").delete(path, headers={"If-Match": '"1"'}), 204)
    assert await next_due(cast, case_id) == later["due_at"]


async def test_planning_on_one_case_moves_the_date_of_no_other(
    cast: Cast, superuser: psycopg.Connection[Any], clock: FrozenClock
) -> None:
    one, other = await case_of(cast), await case_of(cast)
    superuser.execute("update cases set next_due_at = opened_at where id = %s", [other])
    await plan(cast, one, clock().isoformat())
    assert await next_due(cast, other) is not None


async def test_no_contact_is_planned_outside_what_she_said_is_safe(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast, safe_contact=SAFE)
    monday = f"{next_monday(clock):%Y-%m-%d}"
    for due_at, channel in (
        (at(monday, "07:59"), "phone"),
        (at(monday, "11:00"), "phone"),
        (at(monday, "09:00"), "sms"),
        (at(f"{next_monday(clock) + timedelta(days=5):%Y-%m-%d}", "09:00"), "visit"),
    ):
        refused = await plan(cast, case_id, due_at, status=409, channel=channel)
        assert refused["code"] == "unsafe_contact"
    planned = await plan(cast, case_id, at(monday, "08:00"), channel="phone")
    assert planned["contact"]["planned_safely"] is True
    path, headers = f"/cases/{case_id}/follow-ups/{planned['id']}", {"If-Match": '"1"'}
    for change in ({"channel": "sms"}, {"due_at": at(monday, "12:00")}):
        refused = await cast.client("caseworker").patch(path, json=change, headers=headers)
        assert answered(refused, 409)["code"] == "unsafe_contact"
    moved = await cast.client("caseworker").patch(path, json={"due_at": at(monday, "10:30")}, headers=headers)
    assert moment(answered(moved, 200)["due_at"]) == moment(at(monday, "10:30"))
    wait_until(clock, at(monday, "10:30"))
    unsafe = await report(cast, planned, status=409, next_due_at=at(monday, "22:00"))
    assert unsafe["code"] == "unsafe_contact"
    assert len(await agreed(cast, case_id)) == 1


async def test_what_became_unsafe_since_is_shown_as_unsafe(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast)
    planned = await plan(cast, case_id, (clock() + timedelta(days=2)).isoformat())
    case = await cast.client("caseworker").get(f"/cases/{case_id}")
    change = {"safe_contact": {"do_not_contact": True, "leave_message": False}}
    headers = {"If-Match": case.headers["ETag"]}
    answered(await cast.client("caseworker").patch(f"/cases/{case_id}", json=change, headers=headers), 200)
    read = answered(await cast.client("caseworker").get(f"/cases/{case_id}/follow-ups/{planned['id']}"), 200)
    assert read["contact"] == {
        "allowed_now": False,
        "next_window": None,
        "planned_safely": False,
        "leave_message": False,
    }


@pytest.mark.parametrize(
    ("risk", "outcome", "days"),
    [
        (RiskLevel.HIGH, "met_safe", 7),
        (RiskLevel.MEDIUM, "met_safe", 14),
        (RiskLevel.LOW, "met_concern", 30),
        (RiskLevel.NOT_ASSESSED, "declined", 7),  # of violence: as at high risk
        (RiskLevel.HIGH, "not_found", 1),
        (RiskLevel.MEDIUM, "not_found", 14),
        (RiskLevel.LOW, "met_new_incident", 1),
    ],
)
async def test_whoever_records_without_a_next_date_gets_one_by_the_risk(
    cast: Cast, superuser: psycopg.Connection[Any], clock: FrozenClock, risk: RiskLevel, outcome: str, days: int
) -> None:
    case_id = await case_of(cast)
    put_risk(superuser, case_id, risk)
    planned = await plan(cast, case_id, clock().isoformat())
    recorded = await report(cast, planned, outcome=outcome, note="She was at the market.")
    assert (recorded["state"], recorded["outcome"], recorded["note"]) == ("recorded", outcome, "She was at the market.")
    assert recorded["recorded_by"] == cast.id("caseworker")
    assert moment(recorded["next"]["due_at"]) == clock() + timedelta(days=days)
    assert await next_due(cast, case_id) == recorded["next"]["due_at"]


async def test_the_next_date_by_the_clock_is_the_latest_at_which_she_may_be_reached(
    cast: Cast, superuser: psycopg.Connection[Any], clock: FrozenClock
) -> None:
    case_id = await case_of(cast, safe_contact={**SAFE, "days": [1]})
    put_risk(superuser, case_id, RiskLevel.MEDIUM)
    monday = next_monday(clock)
    planned = await plan(cast, case_id, at(f"{monday:%Y-%m-%d}", "09:00"))
    wait_until(clock, at(f"{monday + timedelta(days=2):%Y-%m-%d}", "15:00"))
    recorded = await report(cast, planned)
    assert moment(recorded["next"]["due_at"]) == moment(at(f"{monday + timedelta(days=14):%Y-%m-%d}", "08:00"))
    assert recorded["next"]["contact"]["planned_safely"] is True


async def test_every_time_that_is_told_of_a_follow_up_is_in_utc(cast: Cast, clock: FrozenClock) -> None:
    """A front end may sort and compare them as they are."""
    case_id = await case_of(cast, safe_contact=SAFE)
    wait_until(clock, at(f"{next_monday(clock):%Y-%m-%d}", "09:00"))
    planned = await plan(cast, case_id, clock().isoformat(), channel="phone")
    path = f"/cases/{case_id}/follow-ups/{planned['id']}"
    clock.advance(hours=8)  # what the clock plans now falls outside her window, and is moved to its beginning
    read = answered(await cast.client("caseworker").get(path), 200)
    recorded = await report(cast, planned)
    listed = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
    case = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)
    assert recorded["next"]["contact"]["next_window"] is not None
    assert moment(recorded["next"]["due_at"]).astimezone(PHNOM_PENH).hour == 8
    for told in (planned, read, recorded, listed, case):
        found = re.findall(r'"([0-9]{4}-[0-9]{2}-[0-9]{2}T[^"]*)"', json.dumps(told))
        assert found
        assert [text for text in found if not text.endswith("Z")] == []


async def test_a_case_that_was_opened_on_an_earlier_day_is_told_in_utc(cast: Cast) -> None:
    day = (cast.clock() - timedelta(days=3)).date().isoformat()
    opened = answered(await cast.client("caseworker").post("/cases", json=intake(SENSITIVE, opened_on=day)), 201)
    assert opened["opened_at"] == f"{day}T05:00:00Z"


async def test_where_no_window_opens_in_time_the_case_is_looked_at_at_the_desk(cast: Cast, clock: FrozenClock) -> None:
    monday = next_monday(clock)
    case_id = await case_of(cast, safe_contact={**SAFE, "days": [1]})
    planned = await plan(cast, case_id, at(f"{monday:%Y-%m-%d}", "09:00"))
    wait_until(clock, at(f"{monday:%Y-%m-%d}", "09:30"))
    recorded = await report(cast, planned, outcome="met_new_incident")
    assert recorded["next"]["channel"] is None
    assert moment(recorded["next"]["due_at"]) == clock() + timedelta(hours=24)


async def test_unsafe_to_contact_suspends_contact_and_leaves_a_date_at_the_desk(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast, safe_contact=SAFE)
    planned = await plan(cast, case_id, at(f"{next_monday(clock):%Y-%m-%d}", "09:00"))
    recorded = await report(cast, planned, outcome="unsafe_to_contact")
    assert (recorded["next"]["channel"], recorded["next"]["contact"]) == (None, None)
    assert moment(recorded["next"]["due_at"]) == clock() + timedelta(hours=24)
    case = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)
    assert case["safe_contact"] == {**case["safe_contact"], **SAFE, "do_not_contact": True}
    refused = await plan(cast, case_id, at(f"{next_monday(clock):%Y-%m-%d}", "09:00"), status=409)
    assert refused["code"] == "unsafe_contact"
    # The date at the desk can be moved and recorded like any other.
    desk = recorded["next"]
    path, headers = f"/cases/{case_id}/follow-ups/{desk['id']}", {"If-Match": '"1"'}
    later = (clock() + timedelta(hours=30)).isoformat()
    answered(await cast.client("caseworker").patch(path, json={"due_at": later}, headers=headers), 200)
    assert (await report(cast, desk))["next"]["channel"] is None


async def test_a_follow_up_is_recorded_once(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast)
    planned = await plan(cast, case_id, clock().isoformat())
    await report(cast, planned, headers={"If-Match": '"7"'}, status=412)
    await report(cast, planned, headers={"If-Match": '"1"'})
    await report(cast, planned, status=409)
    path = f"/cases/{case_id}/follow-ups/{planned['id']}"
    changed = await cast.client("caseworker").patch(path, json={"channel": "phone"}, headers={"If-Match": "*"})
    answered(changed, 409)
    answered(await cast.client("caseworker").delete(path, headers={"If-Match": "*"}), 409)


async def test_the_last_date_of_an_open_case_cannot_be_taken_away(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast)
    only = await plan(cast, case_id, clock().isoformat())
    path = f"/cases/{case_id}/follow-ups/{only['id']}"
    answered(await cast.client("caseworker").delete(path, headers={"If-Match": "*"}), 409)
    answered(await cast.client("caseworker").delete(path), 428)


async def test_bad_plans_and_records_are_refused_where_they_are_wrong(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast)
    stranger = await plan(cast, case_id, clock().isoformat(), status=422, assignee_id=cast.id("colleague"))
    assert [error["code"] for error in stranger["errors"]] == ["not_on_case"]
    planned = await plan(cast, case_id, clock().isoformat())
    tomorrow = (clock() + timedelta(days=1)).isoformat()
    future = await report(cast, planned, status=422, happened_at=tomorrow)
    assert [error["pointer"] for error in future["errors"]] == ["/happened_at"]
    again = await report(cast, planned, status=422, outcome="rescheduled")
    assert [error["pointer"] for error in again["errors"]] == ["/next_due_at"]
    assert len(await agreed(cast, case_id)) == 1


async def test_a_liaison_sees_and_records_only_what_was_given_to_her(cast: Cast, clock: FrozenClock) -> None:
    case_id, _ = await with_liaison(cast)
    theirs = await plan(cast, case_id, (clock() + timedelta(hours=1)).isoformat())
    hers = await plan(cast, case_id, (clock() + timedelta(hours=2)).isoformat(), assignee_id=cast.id("liaison"))
    path = f"/cases/{case_id}/follow-ups"
    assert [one["id"] for one in await whole(cast.client("liaison"), path)] == [hers["id"]]
    assert await status_of(cast, "liaison", case_id, f"/follow-ups/{theirs['id']}") == 404
    await report(cast, theirs, "liaison", 404)
    recorded = await report(cast, hers, "liaison")
    assert recorded["next"]["assignee"]["id"] == cast.id("liaison")
    # What others planned is still the next date, although she does not see it.
    assert await next_due(cast, case_id) == theirs["due_at"]
    assert await status_of(cast, "second_liaison", case_id, "/follow-ups") == 404


async def test_who_stands_in_for_somebody_who_left_gets_the_next_one(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast)
    place = await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    planned = await plan(cast, case_id, clock().isoformat(), assignee_id=cast.id("colleague"))
    answered(await cast.client("caseworker").delete(f"/cases/{case_id}/assignments/{place}"), 204)
    assert (await report(cast, planned))["next"]["assignee"]["id"] == cast.id("caseworker")


async def step(cast: Cast, who: str, case_id: str, to: str, **more: Any) -> httpx.Response:
    return await cast.client(who).post(f"/cases/{case_id}/transitions", json={"to": to, **more})


async def test_a_case_does_not_close_over_a_contact_that_is_to_come_and_closing_leaves_nothing_due(
    cast: Cast, superuser: psycopg.Connection[Any], clock: FrozenClock
) -> None:
    case_id = await open_case(cast)
    superuser.execute("update cases set status = 'follow_up' where id = %s", [case_id])
    coming = await plan(cast, case_id, (clock() + timedelta(days=1)).isoformat())
    overdue = await plan(cast, case_id, clock().isoformat())
    closure = {"reason": "needs_met", "informed_can_return": True}
    answered(await step(cast, "caseworker", case_id, "closure_requested", reason="Done.", closure=closure), 200)
    refused = answered(await step(cast, "supervisor", case_id, "closed"), 409)
    assert (refused["code"], refused["blocked_by"]) == ("closure_blocked", ["future_follow_up"])
    path = f"/cases/{case_id}/follow-ups/{coming['id']}"
    answered(await cast.client("caseworker").delete(path, headers={"If-Match": "*"}), 204)
    answered(await step(cast, "supervisor", case_id, "closed"), 200)
    assert await next_due(cast, case_id) is None
    left = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
    assert {one["state"] for one in left} == {"cancelled"}
    assert answered(await cast.client("caseworker").post(f"{path}/record", json={}), 422)
    closed = await report(cast, overdue, status=409)
    assert closed["code"] == "case_closed"


async def test_recording_on_a_case_about_to_close_plans_nothing_unasked(
    cast: Cast, superuser: psycopg.Connection[Any], clock: FrozenClock
) -> None:
    case_id = await open_case(cast)
    planned = await plan(cast, case_id, clock().isoformat())
    superuser.execute("update cases set status = 'closure_requested' where id = %s", [case_id])
    assert (await report(cast, planned))["next"] is None


async def test_the_timeline_tells_of_contacts_without_their_words(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast)
    planned = await plan(cast, case_id, clock().isoformat())
    await report(cast, planned, note="She was at the market.")
    told = await whole(cast.client("caseworker"), f"/cases/{case_id}/timeline")
    assert {"follow_up.planned", "follow_up.recorded"} <= {one["type"] for one in told}
    assert "market" not in str(told)
