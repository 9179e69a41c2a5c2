"""A case closes when what it promised is done, when she was really looked for, or when she has died: then at once."""

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from app.calendar import day_of
from tests.acts import SENSITIVE, assign, finds, status_of
from tests.cases import SUPPORT, open_case
from tests.cast import Cast, FrozenClock, answered
from tests.pages import whole
from tests.plans import put_plan

Superuser = psycopg.Connection[Any]
STANDARD = "id_poor"
SERVICES = {**SUPPORT, "purpose": "services"}
LOST = {"reason": "no_contact", "informed_can_return": "not_possible"}
DIED = {"reason": "died", "informed_can_return": "not_possible"}
MET = {"reason": "needs_met", "informed_can_return": True}


async def step(cast: Cast, who: str, case_id: str, to: str, status: int = 200, **more: Any) -> Any:
    body = {"to": to, "reason": "As agreed.", **more}
    return answered(await cast.client(who).post(f"/cases/{case_id}/transitions", json=body), status)


async def plan(cast: Cast, case_id: str, status: int = 201, who: str = "caseworker", **more: Any) -> Any:
    body = {"due_at": (cast.clock() + timedelta(days=2)).isoformat(), "channel": "visit", **more}
    return answered(await cast.client(who).post(f"/cases/{case_id}/follow-ups", json=body), status)


async def tried(cast: Cast, case_id: str, happened_at: datetime, outcome: str = "not_found") -> Any:
    """One recorded follow-up, and nothing left to come after it."""
    planned = await plan(cast, case_id)
    lead, path = cast.client("caseworker"), f"/cases/{case_id}/follow-ups"
    body = {"happened_at": happened_at.isoformat(), "outcome": outcome}
    recorded = answered(await lead.post(f"{path}/{planned['id']}/record", json=body), 200)
    if recorded["next"] is not None:
        await plan(cast, case_id, due_at=cast.clock().isoformat())  # the last date of a case is not taken back
        answered(await lead.delete(f"{path}/{recorded['next']['id']}", headers={"If-Match": "*"}), 204)


async def looked_for(cast: Cast, case_id: str, days_ago: list[float], *, met_after: float | None = None) -> None:
    for days in days_ago:
        await tried(cast, case_id, cast.clock() - timedelta(days=days))
    if met_after is not None:
        await tried(cast, case_id, cast.clock() - timedelta(days=met_after), "met_safe")


async def planned(cast: Cast, case_id: str, who: str = "caseworker") -> list[Any]:
    found = await whole(cast.client(who), f"/cases/{case_id}/follow-ups")
    return [one for one in found if one["state"] == "planned"]


async def reviewed(cast: Cast, category: str = SENSITIVE, **changes: Any) -> str:
    """A case in assessment, which `supervisor` reviews, and whose safety plan was looked at again."""
    case_id = await open_case(cast, category=category, **changes)
    await put_plan(cast, case_id, reviewed_on=f"{day_of(cast.clock())}")
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await step(cast, "caseworker", case_id, "assessment")
    return case_id


# ---- nobody could reach her ----


def long_open(cast: Cast) -> dict[str, str]:
    """A case that was opened 250 days ago."""
    return {"opened_on": f"{day_of(cast.clock() - timedelta(days=250))}"}


ATTEMPTS = [
    # days ago, and whether it is enough
    ([], None, False),
    ([40, 20], None, False),
    ([40, 5], None, False),
    ([29.9, 20, 0], None, False),
    ([30, 15, 0], None, True),
    ([200, 30, 15, 0.1], None, True),
    ([45, 20, 10], 3, False),  # she was met after them
    ([45, 20, 10], 60, True),  # and before them
    ([45, 20, 10], 30, False),  # and in between
]


@pytest.mark.parametrize(("days_ago", "met", "enough"), ATTEMPTS)
@pytest.mark.parametrize("to", ["closed", "closure_requested"])
async def test_nobody_is_given_up_before_three_attempts_over_thirty_days(
    cast: Cast, to: str, days_ago: list[float], met: float | None, enough: bool
) -> None:
    case_id = await open_case(cast, category=STANDARD, **long_open(cast))
    if to == "closure_requested":
        await step(cast, "caseworker", case_id, "assessment")
    await looked_for(cast, case_id, days_ago, met_after=met)
    answer = await step(cast, "caseworker", case_id, to, 200 if enough else 409, closure=LOST)
    if not enough:
        assert (answer["code"], answer["blocked_by"]) == ("closure_blocked", ["too_few_attempts"])
        read = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)
        assert read["status"] != to
        await step(cast, "caseworker", case_id, to, closure={**LOST, "reason": "moved_away"})


@pytest.mark.parametrize(("opened", "enough"), [(45, True), (44, False)])
async def test_who_was_looked_for_before_the_case_was_opened_was_not_looked_for_in_it(
    cast: Cast, opened: int, enough: bool
) -> None:
    opened_on = day_of(cast.clock() - timedelta(days=opened))
    case_id = await open_case(cast, category=STANDARD, opened_on=f"{opened_on}")
    await looked_for(cast, case_id, [45, 30, 0])
    answer = await step(cast, "caseworker", case_id, "closed", 200 if enough else 409, closure=LOST)
    assert enough or answer["blocked_by"] == ["too_few_attempts"]


@pytest.mark.parametrize("outcome", ["declined", "moved_away", "unsafe_to_contact", "rescheduled", "met_concern"])
async def test_only_where_she_was_not_found_somebody_tried_in_vain(cast: Cast, outcome: str) -> None:
    case_id = await open_case(cast, category=STANDARD, **long_open(cast))
    await looked_for(cast, case_id, [40, 20])
    planned = await plan(cast, case_id)
    body = {
        "happened_at": cast.clock().isoformat(),
        "outcome": outcome,
        "next_due_at": cast.clock().isoformat(),
    }
    path = f"/cases/{case_id}/follow-ups/{planned['id']}/record"
    answered(await cast.client("caseworker").post(path, json=body), 200)
    assert (await step(cast, "caseworker", case_id, "closed", 409, closure=LOST))["code"] == "closure_blocked"


async def test_who_is_met_while_the_closure_is_decided_is_not_given_up(cast: Cast) -> None:
    case_id = await reviewed(cast, **long_open(cast))
    await looked_for(cast, case_id, [45, 20, 10])
    await step(cast, "caseworker", case_id, "closure_requested", closure=LOST)
    await tried(cast, case_id, cast.clock(), "met_safe")
    refused = await step(cast, "supervisor", case_id, "closed", 409)
    assert refused["blocked_by"] == ["too_few_attempts"]
    await step(cast, "supervisor", case_id, "follow_up")


async def test_everything_that_blocks_is_told_at_once(cast: Cast) -> None:
    case_id = await reviewed(cast, **long_open(cast))
    await looked_for(cast, case_id, [45, 20, 10])
    await step(cast, "caseworker", case_id, "closure_requested", closure=LOST)
    await tried(cast, case_id, cast.clock(), "met_safe")
    await plan(cast, case_id)
    refused = await step(cast, "supervisor", case_id, "closed", 409)
    assert sorted(refused["blocked_by"]) == ["future_follow_up", "too_few_attempts"]


# ---- she has died ----


async def died(cast: Cast, clock: FrozenClock) -> str:
    """A case with everything that must end, whose client's death the lead has just recorded."""
    case_id = await reviewed(cast, consents=[SERVICES, SUPPORT, {**SUPPORT, "purpose": "statistics"}])
    await assign(cast, "caseworker", case_id, "liaison", "liaison")
    later = (clock() + timedelta(days=30)).isoformat()
    await assign(cast, "caseworker", case_id, "colleague", "cover", until=later)
    await tried(cast, case_id, clock(), "met_safe")
    await plan(cast, case_id, assignee_id=cast.id("liaison"))
    await step(cast, "caseworker", case_id, "closure_requested", closure=DIED)
    return case_id


async def test_when_a_client_has_died_nobody_goes_to_her_door_any_more(cast: Cast, clock: FrozenClock) -> None:
    other = await open_case(cast, category=SENSITIVE)
    await plan(cast, other)
    theirs = await planned(cast, other)
    later = (clock() + timedelta(days=30)).isoformat()
    await assign(cast, "caseworker", other, "colleague", "cover", until=later)
    case_id = await died(cast, clock)
    lead = cast.client("caseworker")
    case = answered(await lead.get(f"/cases/{case_id}"), 200)
    assert await planned(cast, case_id) == []
    [met] = [one for one in await whole(lead, f"/cases/{case_id}/follow-ups") if one["outcome"]]
    assert (met["state"], met["version"]) == ("recorded", 2)
    assert case["next_due_at"] is None
    assert not any(one["active"] for one in await whole(lead, f"/cases/{case_id}/consents"))
    assert [await status_of(cast, who, case_id) for who in ("liaison", "colleague")] == [404, 404]
    assert answered(await lead.get(f"/cases/{case_id}/legal-hold"), 200)["basis"] == "client_died"
    assert datetime.fromisoformat(case["death_review_due_at"]) == clock() + timedelta(hours=72)
    told = [(event["type"], event["data"]) for event in await whole(lead, f"/cases/{case_id}/timeline")]
    assert ("case.client_died", {}) in told
    assert ("assignment.ended", {"role": "cover", "reason": "client_died"}) in told
    assert (await plan(cast, case_id, 409))["code"] == "consent_required"
    # And of no other case.
    assert await planned(cast, other) == theirs != []
    assert await status_of(cast, "colleague", other) == 200
    seen = answered(await lead.get(f"/cases/{other}"), 200)
    assert seen["death_review_due_at"] is None
    assert all(one["active"] for one in await whole(lead, f"/cases/{other}/consents"))


async def test_another_closure_ends_nothing_before_it_is_decided(cast: Cast) -> None:
    case_id = await reviewed(cast)
    held = await plan(cast, case_id)
    before = await planned(cast, case_id)
    await step(cast, "caseworker", case_id, "closure_requested", closure={**DIED, "reason": "moved_away"})
    assert await planned(cast, case_id) == before
    assert held in before
    case = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)
    assert case["death_review_due_at"] is None
    assert all(one["active"] for one in await whole(cast.client("caseworker"), f"/cases/{case_id}/consents"))


async def test_an_intake_closes_with_her_death_in_the_same_way(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await plan(cast, case_id)
    closed = await step(cast, "caseworker", case_id, "closed", closure=DIED)
    assert closed["death_review_due_at"] is not None
    assert await planned(cast, case_id) == []
    assert not any(one["active"] for one in await whole(cast.client("caseworker"), f"/cases/{case_id}/consents"))
    answered(await cast.client("caseworker").get(f"/cases/{case_id}/legal-hold"), 200)


async def test_a_cover_who_records_the_death_has_done_their_last_thing_on_the_case(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id = await reviewed(cast)
    until = (clock() + timedelta(days=9)).isoformat()
    await assign(cast, "caseworker", case_id, "colleague", "cover", until=until)
    receipt = await step(cast, "colleague", case_id, "closure_requested", closure=DIED)
    assert set(receipt) == {"id", "code"}
    assert await status_of(cast, "colleague", case_id) == 404
    assert answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)["status"] == "closure_requested"


async def test_a_death_taken_back_gives_back_no_consent_and_no_silence(cast: Cast, clock: FrozenClock) -> None:
    case_id = await died(cast, clock)
    await step(cast, "supervisor", case_id, "follow_up")
    lead = cast.client("caseworker")
    assert not any(one["active"] for one in await whole(lead, f"/cases/{case_id}/consents"))
    answered(await lead.get(f"/cases/{case_id}/legal-hold"), 200)
    assert answered(await lead.get(f"/cases/{case_id}"), 200)["death_review_due_at"] is not None
    assert (await plan(cast, case_id, 409))["code"] == "consent_required"
    answered(await lead.post(f"/cases/{case_id}/consents", json=SERVICES), 201)
    await plan(cast, case_id)


async def stub_of(cast: Cast, who: str, case_id: str) -> Any:
    found = [one for one in await whole(cast.client(who), "/caseload") if one["id"] == case_id]
    return found[0] if found else None


async def test_supervisors_find_the_death_among_what_waits_until_one_of_them_has_looked(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id = await died(cast, clock)
    await step(cast, "supervisor", case_id, "closed")
    due = clock() + timedelta(hours=72 + 7)  # as it is counted in Phnom Penh
    stub = await stub_of(cast, "second_supervisor", case_id)
    assert (stub["status"], stub["needs_review"], stub["overdue"]) == ("closed", True, False)
    assert stub["next_due_week"] == f"{due.isocalendar().year}-W{due.isocalendar().week:02}"
    assert set(stub) == {"id", "code", "lead", "status", "next_due_week", "overdue", "needs_review"}
    clock.advance(days=14)
    assert (await stub_of(cast, "second_supervisor", case_id))["overdue"] is True
    path, note = f"/cases/{case_id}/death-review", {"note": "We came too late."}
    answered(await cast.client("caseworker").post(path, json=note), 403)
    answered(await cast.client("second_supervisor").post(path, json=note), 404)
    await assign(cast, "second_supervisor", case_id, "second_supervisor", "reviewer")
    reviewed = answered(await cast.client("second_supervisor").post(path, json=note), 200)
    assert (reviewed["death_review_due_at"], reviewed["status"]) == (None, "closed")
    answered(await cast.client("second_supervisor").post(path, json=note), 409)
    assert await stub_of(cast, "second_supervisor", case_id) is None
    events = await whole(cast.client("caseworker"), f"/cases/{case_id}/timeline")
    assert [one["reason"] for one in events if one["type"] == "case.death_reviewed"] == ["We came too late."]
    answered(await cast.client("caseworker").get(f"/cases/{case_id}/legal-hold"), 200)


async def test_nobody_reviews_the_death_that_she_recorded_herself(cast: Cast) -> None:
    case_id = await open_case(cast, category=STANDARD)
    await step(cast, "supervisor", case_id, "closed", closure=DIED)
    path, note = f"/cases/{case_id}/death-review", {"note": "Nothing."}
    answered(await cast.client("supervisor").post(path, json=note), 403)
    answered(await cast.client("second_supervisor").post(path, json=note), 200)


async def test_no_review_is_written_where_nobody_died(cast: Cast) -> None:
    case_id = await reviewed(cast)
    answered(await cast.client("supervisor").post(f"/cases/{case_id}/death-review", json={"note": "x"}), 409)
    assert not await finds(cast, "stranger", case_id, "/cases")


# ---- she takes her consent back ----


async def withdraw(cast: Cast, case_id: str, purpose: str = "services", who: str = "caseworker") -> None:
    given = await whole(cast.client("caseworker"), f"/cases/{case_id}/consents")
    found = next(one["id"] for one in given if one["purpose"] == purpose and one["withdrawn_at"] is None)
    path = f"/cases/{case_id}/consents/{found}/withdraw"
    answered(await cast.client(who).post(path, json={"reason": "Her husband found out."}), 200)


async def test_who_takes_her_consent_back_is_left_alone_and_not_forgotten(cast: Cast, clock: FrozenClock) -> None:
    case_id = await reviewed(cast, consents=[SERVICES, SUPPORT])
    await assign(cast, "caseworker", case_id, "liaison", "liaison")
    await plan(cast, case_id)
    await plan(cast, case_id, assignee_id=cast.id("liaison"))
    await withdraw(cast, case_id)
    [left] = await planned(cast, case_id)
    assert (left["asks_consent"], left["channel"], left["contact"]) == (True, None, None)
    assert left["assignee"]["id"] == cast.id("caseworker")
    case = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)
    assert clock() < datetime.fromisoformat(left["due_at"]) <= clock() + timedelta(days=30)
    assert case["next_due_at"] == left["due_at"]
    assert await planned(cast, case_id, "liaison") == []
    assert (await plan(cast, case_id, 409))["code"] == "consent_required"
    path = f"/cases/{case_id}/follow-ups/{left['id']}"
    lead, headers = cast.client("caseworker"), {"If-Match": "*"}
    refused = answered(await lead.patch(path, json={"channel": "phone"}, headers=headers), 409)
    assert refused["code"] == "consent_required"
    answered(await lead.patch(path, json={"due_at": clock().isoformat()}, headers=headers), 200)
    answered(await lead.post(f"/cases/{case_id}/consents", json=SERVICES), 201)
    visit = answered(await lead.patch(path, json={"channel": "visit"}, headers=headers), 200)
    assert (visit["asks_consent"], visit["channel"]) == (False, "visit")
    await plan(cast, case_id)


async def test_another_consent_that_stands_keeps_the_contacts(cast: Cast) -> None:
    case_id = await reviewed(cast, consents=[SERVICES, SERVICES, SUPPORT])
    await plan(cast, case_id, due_at=(cast.clock() + timedelta(hours=20)).isoformat())
    await withdraw(cast, case_id)
    await withdraw(cast, case_id, "ccwc_support")
    [left] = await planned(cast, case_id)
    assert (left["asks_consent"], left["channel"]) == (False, "visit")
    await plan(cast, case_id)
    await withdraw(cast, case_id)
    assert [one["asks_consent"] for one in await planned(cast, case_id)] == [True]


async def test_the_task_that_is_left_is_the_lead_s_whoever_writes_the_withdrawal(cast: Cast) -> None:
    case_id = await open_case(cast, category=STANDARD)
    await plan(cast, case_id)
    await withdraw(cast, case_id, who="supervisor")
    [left] = await planned(cast, case_id)
    assert left["assignee"]["id"] == cast.id("caseworker")


async def test_a_closed_case_gets_no_task_when_she_takes_her_consent_back(cast: Cast) -> None:
    case_id = await open_case(cast, category=STANDARD)
    await step(cast, "caseworker", case_id, "closed", closure={"reason": "client_request"})
    await withdraw(cast, case_id)
    assert await planned(cast, case_id) == []


async def test_from_the_moment_a_consent_is_over_no_contact_is_planned(cast: Cast, clock: FrozenClock) -> None:
    last = (clock() + timedelta(days=1, hours=7)).date().isoformat()
    case_id = await reviewed(cast, consents=[{**SERVICES, "expires_on": last}])
    held = await plan(cast, case_id)
    clock.at = datetime.fromisoformat(f"{last}T23:59:59+07:00").astimezone(clock().tzinfo)
    await plan(cast, case_id)
    clock.advance(seconds=1)
    assert (await plan(cast, case_id, 409))["code"] == "consent_required"
    # What happened is written down all the same, and what comes next is to ask her.
    path = f"/cases/{case_id}/follow-ups/{held['id']}/record"
    body = {"happened_at": clock().isoformat(), "outcome": "met_safe"}
    following = answered(await cast.client("caseworker").post(path, json=body), 200)["next"]
    assert (following["asks_consent"], following["channel"]) == (True, None)


async def test_a_liaison_plans_no_contact_after_her_consent_either(cast: Cast, clock: FrozenClock) -> None:
    last = (clock() + timedelta(hours=7)).date().isoformat()
    case_id = await reviewed(cast, consents=[{**SERVICES, "expires_on": last}, SUPPORT])
    await assign(cast, "caseworker", case_id, "liaison", "liaison")
    held = await plan(cast, case_id, assignee_id=cast.id("liaison"))
    later = await plan(cast, case_id, assignee_id=cast.id("liaison"))
    path = f"/cases/{case_id}/follow-ups"
    body = {"happened_at": clock().isoformat(), "outcome": "met_safe"}
    first = answered(await cast.client("liaison").post(f"{path}/{held['id']}/record", json=body), 200)["next"]
    assert (first["asks_consent"], first["channel"]) == (False, "visit")
    clock.advance(days=1)
    second = answered(await cast.client("liaison").post(f"{path}/{later['id']}/record", json=body), 200)["next"]
    assert (second["asks_consent"], second["channel"]) == (True, None)


async def test_at_intake_she_may_be_met_to_be_asked_unless_she_has_said_no(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE, consents=[])
    await plan(cast, case_id)
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/consents", json=SERVICES), 201)
    await withdraw(cast, case_id)
    assert (await plan(cast, case_id, 409))["code"] == "consent_required"


async def test_to_ask_again_does_not_keep_a_case_open_that_she_wants_closed(cast: Cast) -> None:
    case_id = await reviewed(cast)
    await withdraw(cast, case_id)
    await step(cast, "caseworker", case_id, "closure_requested", closure={**MET, "reason": "client_request"})
    await step(cast, "supervisor", case_id, "closed")
    assert await planned(cast, case_id) == []


async def test_a_date_at_the_desk_for_who_is_in_danger_keeps_the_case_open(cast: Cast) -> None:
    case_id = await reviewed(cast)
    held = await plan(cast, case_id)
    body = {"happened_at": cast.clock().isoformat(), "outcome": "unsafe_to_contact"}
    path = f"/cases/{case_id}/follow-ups/{held['id']}/record"
    answered(await cast.client("caseworker").post(path, json=body), 200)
    await step(cast, "caseworker", case_id, "closure_requested", closure=MET)
    assert (await step(cast, "supervisor", case_id, "closed", 409))["blocked_by"] == ["future_follow_up"]
