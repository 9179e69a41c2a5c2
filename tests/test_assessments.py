"""How dangerous it is: assessments, the level that follows, who may lower it, and what a rising risk hurries."""

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from tests.acts import SENSITIVE, assign, break_glass, status_of, with_liaison
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.pages import whole
from tests.plans import add_action, assess, da5, put_first, put_undated, set_risk
from tests.test_follow_ups import SAFE, at, next_due, next_monday, plan, report

Superuser = psycopg.Connection[Any]
THREE = ("more_frequent", "weapon", "jealous")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def case_of(cast: Cast, **changes: Any) -> str:
    return await open_case(cast, **{"category": SENSITIVE, **changes})


async def risk_of(cast: Cast, case_id: str, who: str = "caseworker") -> str:
    level: str = answered(await cast.client(who).get(f"/cases/{case_id}"), 200)["risk_level"]
    return level


async def actions_of(cast: Cast, case_id: str) -> list[Any]:
    return await whole(cast.client("caseworker"), f"/cases/{case_id}/actions")


async def history(cast: Cast, case_id: str, who: str = "caseworker") -> list[Any]:
    return await whole(cast.client(who), f"/cases/{case_id}/risk-history")


# ---- the DA-5 ----


@pytest.mark.parametrize(("yes", "level"), [((), "low"), (("weapon",), "medium"), (THREE, "high")])
async def test_the_case_gets_the_level_that_the_answers_give(cast: Cast, yes: tuple[str, ...], level: str) -> None:
    case_id = await case_of(cast)
    made = await assess(cast, case_id, *yes)
    assert (made["score"], made["computed"], made["level"], made["applied"]) == (len(yes), level, level, True)
    assert made["urgent_health"] is False
    assert await risk_of(cast, case_id) == level
    read = await cast.client("caseworker").get(f"/cases/{case_id}/assessments/{made['id']}")
    assert answered(read, 200) == made
    assert await whole(cast.client("caseworker"), f"/cases/{case_id}/assessments") == [made]


async def test_choked_alone_is_high_risk_and_an_urgent_health_action_within_a_day(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id = await case_of(cast)
    made = await assess(cast, case_id, "choked")
    assert (made["score"], made["level"], made["urgent_health"]) == (1, "high", True)
    assert await risk_of(cast, case_id) == "high"
    (asked,) = await actions_of(cast, case_id)
    assert (asked["prompt"], asked["need"], asked["urgent"], asked["state"]) == (
        "urgent_health",
        "health",
        True,
        "open",
    )
    assert moment(asked["due_at"]) == clock() + timedelta(hours=24)
    assert asked["assignee"]["id"] == cast.id("caseworker")
    assert await next_due(cast, case_id) == asked["due_at"]


async def test_choked_asks_for_care_whatever_the_risk_was_and_once_while_it_waits(cast: Cast) -> None:
    case_id = await case_of(cast)
    await set_risk(cast, case_id, "high")
    for _ in range(2):
        await assess(cast, case_id, "choked", *THREE)
    asked = [one for one in await actions_of(cast, case_id) if one["prompt"] == "urgent_health"]
    assert len(asked) == 1
    done = f"/cases/{case_id}/actions/{asked[0]['id']}/complete"
    answered(await cast.client("caseworker").post(done), 200)
    await assess(cast, case_id, "choked")
    asked = [one for one in await actions_of(cast, case_id) if one["prompt"] == "urgent_health"]
    assert sorted(one["state"] for one in asked) == ["done", "open"]


@pytest.mark.parametrize("factor", ["pregnancy", "threat_to_children", "suicide_risk", "recent_separation"])
async def test_each_factor_raises_one_level(cast: Cast, factor: str) -> None:
    case_id = await case_of(cast)
    made = await assess(cast, case_id, factors=[factor])
    assert (made["score"], made["level"], made["factors"]) == (0, "medium", [factor])
    assert await risk_of(cast, case_id) == "medium"


async def test_a_caseworker_raises_the_level_with_a_reason_and_never_lowers_it_so(cast: Cast) -> None:
    case_id = await case_of(cast)
    path = f"/cases/{case_id}/assessments"
    for more, status in (({"raised_to": "high"}, 422), ({"raised_to": "medium", "reason": "Why."}, 422)):
        body = da5(cast, "weapon", **more)
        answered(await cast.client("caseworker").post(path, json=body), status)
    assert await risk_of(cast, case_id) == "not_assessed"
    made = await assess(cast, case_id, "weapon", raised_to="high", reason="He bought a gun.")
    assert (made["computed"], made["level"], made["reason"]) == ("medium", "high", "He bought a gun.")
    (change,) = await history(cast, case_id)
    assert (change["level"], change["reason"], change["assessment_id"]) == ("high", "He bought a gun.", made["id"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"answers": {"choked": True}},
        {"answers": None},
        {"assessed_on": "2199-01-01"},
        {"tool": "mosaic"},
        {"tool": "mosaic", "answers": None, "result": {}},
        {"tool": "mosaic", "answers": None, "result": {"level": "not_assessed"}},
        {"tool": "needs", "answers": None, "result": {"level": "high"}},
        {"tool": "danger_assessment", "answers": None, "result": {"score": 9}, "factors": ["pregnancy"]},
        {"result": {"level": "high"}},
        {"raised_to": "high"},
    ],
)
async def test_what_is_no_whole_assessment_is_refused(cast: Cast, wrong: dict[str, Any]) -> None:
    case_id = await case_of(cast)
    body = {name: value for name, value in {**da5(cast, "weapon"), **wrong}.items() if value is not None}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/assessments", json=body), 422)
    assert await risk_of(cast, case_id) == "not_assessed"


async def test_an_answer_is_yes_or_no_and_nothing_that_looks_like_it(cast: Cast) -> None:
    case_id, body = await case_of(cast), da5(cast)
    for answer in ("yes", 1, None):
        body["answers"]["choked"] = answer
        refused = answered(await cast.client("caseworker").post(f"/cases/{case_id}/assessments", json=body), 422)
        assert [error["pointer"] for error in refused["errors"]] == ["/answers/choked"]


# ---- other tools ----


@pytest.mark.parametrize("tool", ["danger_assessment", "mosaic"])
async def test_a_longer_tool_is_recorded_and_its_level_taken_over(cast: Cast, tool: str) -> None:
    case_id = await case_of(cast)
    result = {"level": "medium", "score": 14, "text": "Asked in two visits."}
    body = {"tool": tool, "assessed_on": "2026-03-01", "result": result}
    made = answered(await cast.client("caseworker").post(f"/cases/{case_id}/assessments", json=body), 201)
    assert (made["computed"], made["level"], made["result"]) == (None, "medium", result)
    assert await risk_of(cast, case_id) == "medium"


async def test_needs_say_nothing_of_danger_and_leave_a_case_standard(cast: Cast) -> None:
    case_id = await open_case(cast)
    body = {"tool": "needs", "assessed_on": "2026-03-01", "result": {"text": "A roof."}}
    made = answered(await cast.client("caseworker").post(f"/cases/{case_id}/assessments", json=body), 201)
    assert (made["level"], made["applied"]) == (None, False)
    assert await risk_of(cast, case_id) == "not_assessed"
    assert await status_of(cast, "colleague", case_id) == 200


async def test_a_danger_assessment_makes_a_case_sensitive_in_the_same_call(cast: Cast) -> None:
    case_id = await open_case(cast)
    assert await status_of(cast, "colleague", case_id) == 200
    await assess(cast, case_id)
    assert await status_of(cast, "colleague", case_id) == 404
    assert answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)["sensitivity"] == "sensitive"


# ---- lowering, history, review ----


async def test_only_a_supervisor_lowers_a_high_risk(cast: Cast) -> None:
    case_id = await case_of(cast)
    await assess(cast, case_id, *THREE)
    made = await assess(cast, case_id)
    assert (made["level"], made["applied"]) == ("low", False)
    assert await risk_of(cast, case_id) == "high"
    for level in ("medium", "low"):
        await set_risk(cast, case_id, level, status=403)
    await set_risk(cast, case_id, "low", "supervisor", 404)
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    lowered = await set_risk(cast, case_id, "low", "supervisor")
    assert (lowered["before"], lowered["level"], lowered["by"]["id"]) == ("high", "low", cast.id("supervisor"))
    assert await risk_of(cast, case_id) == "low"


async def test_a_supervisor_who_assesses_lowers_with_it(cast: Cast) -> None:
    case_id = await open_case(cast, "supervisor", SENSITIVE)
    await set_risk(cast, case_id, "high", "supervisor")
    assert (await assess(cast, case_id, who="supervisor"))["applied"] is True
    assert await risk_of(cast, case_id, "supervisor") == "low"


async def test_below_high_who_works_on_the_case_lowers_it_too(cast: Cast) -> None:
    case_id = await case_of(cast)
    await assess(cast, case_id, "weapon")
    assert (await assess(cast, case_id))["applied"] is True
    await set_risk(cast, case_id, "medium")
    await set_risk(cast, case_id, "low")
    assert await risk_of(cast, case_id) == "low"
    assert sorted(one["level"] for one in await history(cast, case_id)) == ["low", "low", "medium", "medium"]


async def test_what_is_entered_late_of_an_earlier_day_raises_and_never_lowers(cast: Cast) -> None:
    case_id = await case_of(cast)
    await assess(cast, case_id, "weapon")
    late = await assess(cast, case_id, assessed_on="2026-02-01")
    assert (late["level"], late["applied"]) == ("low", False)
    assert await risk_of(cast, case_id) == "medium"
    assert (await assess(cast, case_id, *THREE, assessed_on="2026-02-01"))["applied"] is True
    assert await risk_of(cast, case_id) == "high"


async def test_the_history_says_who_when_and_why(cast: Cast, superuser: Superuser, clock: FrozenClock) -> None:
    case_id = await case_of(cast)
    clock.advance(minutes=3)
    made = await set_risk(cast, case_id, "medium")
    assert (made["before"], made["level"], made["reason"]) == ("not_assessed", "medium", "What she told us.")
    assert (made["by"]["id"], moment(made["at"])) == (cast.id("caseworker"), clock())
    await set_risk(cast, case_id, "medium", status=409)
    await set_risk(cast, case_id, "not_assessed", status=422)
    assert await history(cast, case_id) == [made]
    read = await cast.client("caseworker").get(f"/cases/{case_id}/risk-history/{made['id']}")
    assert answered(read, 200) == made
    told = await whole(cast.client("caseworker"), f"/cases/{case_id}/timeline")
    (changed,) = [one for one in told if one["type"] == "risk.changed"]
    assert (changed["data"], changed["reason"]) == ({"from": "not_assessed", "to": "medium"}, "What she told us.")
    row = superuser.execute("select r::text from risk_changes r where case_id = %s", [case_id]).fetchone()
    assert row is not None
    assert "told us" not in row[0]


async def test_a_high_risk_waits_for_a_supervisors_look_within_72_hours(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast)
    change = await set_risk(cast, case_id, "high")
    assert moment(change["review_due_at"]) == clock() + timedelta(hours=72)
    stub = [one for one in await whole(cast.client("supervisor"), "/caseload") if one["id"] == case_id]
    assert [one["needs_review"] for one in stub] == [True]
    path, note = f"/cases/{case_id}/risk-history/{change['id']}/review", {"note": "Spoke to the lead."}
    answered(await cast.client("supervisor").post(path, json=note), 404)
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    answered(await cast.client("caseworker").post(path, json=note), 403)
    reviewed = answered(await cast.client("supervisor").post(path, json=note), 200)
    assert (reviewed["reviewed_by"], reviewed["review_note"]) == (cast.id("supervisor"), "Spoke to the lead.")
    answered(await cast.client("supervisor").post(path, json=note), 409)
    stub = [one for one in await whole(cast.client("second_supervisor"), "/caseload") if one["id"] == case_id]
    assert [one["needs_review"] for one in stub] == [False]


async def test_a_look_is_not_asked_for_any_more_once_the_risk_is_lowered_or_on_another_case(cast: Cast) -> None:
    case_id, other = await case_of(cast), await case_of(cast)
    await set_risk(cast, case_id, "high")
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await set_risk(cast, other, "medium")
    await set_risk(cast, case_id, "medium", "supervisor")
    stubs = await whole(cast.client("second_supervisor"), "/caseload")
    assert [one["needs_review"] for one in stubs if one["id"] in {case_id, other}] == [False, False]


async def test_no_other_change_waits_for_a_look(cast: Cast) -> None:
    case_id = await case_of(cast)
    medium = await set_risk(cast, case_id, "medium")
    await assign(cast, "second_supervisor", case_id, "supervisor", "caseworker")
    high = await set_risk(cast, case_id, "high", "supervisor")
    stubs = await whole(cast.client("second_supervisor"), "/caseload")
    assert [one["needs_review"] for one in stubs if one["id"] == case_id] == [False]
    low = await set_risk(cast, case_id, "low", "supervisor")
    assert [one["review_due_at"] for one in (medium, high, low)] == [None, None, None]
    await assign(cast, "second_supervisor", case_id, "second_supervisor", "reviewer")
    path = f"/cases/{case_id}/risk-history/{medium['id']}/review"
    answered(await cast.client("second_supervisor").post(path, json={}), 409)


# ---- the clock ----


@pytest.mark.parametrize(("level", "hours", "days"), [("high", 24, 7), ("medium", 72, 14), ("low", 168, 30)])
async def test_the_level_says_when_the_first_action_and_the_next_contact_are_due(
    cast: Cast, clock: FrozenClock, superuser: Superuser, level: str, hours: int, days: int
) -> None:
    case_id = await case_of(cast)
    put_undated(superuser, cast, case_id)
    await set_risk(cast, case_id, level)
    (action,) = await actions_of(cast, case_id)
    assert (action["prompt"], action["urgent"]) == ("first_step", level == "high")
    assert moment(action["due_at"]) == clock() + timedelta(hours=hours)
    (contact,) = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
    assert moment(contact["due_at"]) == clock() + timedelta(days=days)


@pytest.mark.parametrize(("level", "hours"), [("high", 24), ("medium", 72), ("low", None)])
async def test_the_date_of_the_opening_is_the_contact_where_it_is_in_time(
    cast: Cast, clock: FrozenClock, level: str, hours: int | None
) -> None:
    """A week after the opening is no first action of a higher risk, and a day after it is one of every risk."""
    for category, asked in ((SENSITIVE, None), ("id_poor", hours)):
        case_id = await open_case(cast, category=category)
        first = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
        await set_risk(cast, case_id, level)
        assert await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups") == first
        due = [clock() + timedelta(hours=asked)] if asked else []
        assert [moment(one["due_at"]) for one in await actions_of(cast, case_id)] == due


async def test_what_is_due_in_time_stays_as_it_is_planned(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast)
    planned = await plan(cast, case_id, (clock() + timedelta(hours=23)).isoformat())
    before = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
    await set_risk(cast, case_id, "high")
    assert await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups") == before
    assert [one for one in before if one["state"] == "planned"] == [planned]
    assert await actions_of(cast, case_id) == []


async def test_a_contact_that_is_planned_too_late_is_brought_forward_when_the_risk_rises(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id = await case_of(cast, category="marital_issue")
    planned = await put_first(cast, case_id, due_at=(clock() + timedelta(days=20)).isoformat(), channel="phone")
    await set_risk(cast, case_id, "high")
    (moved,) = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
    assert (moved["id"], moved["channel"], moved["version"]) == (planned["id"], "phone", planned["version"] + 1)
    assert moment(moved["due_at"]) == clock() + timedelta(days=7)
    told = await whole(cast.client("caseworker"), f"/cases/{case_id}/timeline")
    assert {"fields": ["due_at"], "because": "risk"} in [one["data"] for one in told]
    lowered_to = await set_risk(cast, case_id, "medium", status=403)
    assert lowered_to["code"] == "forbidden"


async def test_it_is_brought_forward_to_when_she_may_be_reached(cast: Cast, clock: FrozenClock) -> None:
    monday = next_monday(clock)
    case_id = await case_of(cast, category="marital_issue", safe_contact={**SAFE, "days": [1]})
    late = at(f"{monday + timedelta(days=21):%Y-%m-%d}", "09:00")
    await put_first(cast, case_id, due_at=late, channel="visit")
    await set_risk(cast, case_id, "high")
    (moved,) = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
    assert moment(moved["due_at"]) <= clock() + timedelta(days=7)
    assert moved["channel"] is None or moved["contact"]["planned_safely"] is True


async def test_a_falling_risk_moves_nothing(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast)
    await set_risk(cast, case_id, "medium")
    before = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups"), await actions_of(cast, case_id)
    await set_risk(cast, case_id, "low")
    after = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups"), await actions_of(cast, case_id)
    assert after == before


async def test_nobody_plans_the_next_contact_later_than_the_risk_allows(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast)
    await set_risk(cast, case_id, "high")
    (contact,) = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
    late = (clock() + timedelta(days=8)).isoformat()
    path = f"/cases/{case_id}/follow-ups/{contact['id']}"
    refused = answered(
        await cast.client("caseworker").patch(path, json={"due_at": late}, headers={"If-Match": "*"}), 422
    )
    assert [error["code"] for error in refused["errors"]] == ["later_than_risk_allows"]
    second = await plan(cast, case_id, late)  # one more, beside the one in time
    answered(await cast.client("caseworker").delete(path, headers={"If-Match": "*"}), 409)
    refused = await report(cast, contact, status=422, next_due_at=late)
    assert [error["pointer"] for error in refused["errors"]] == ["/next_due_at"]
    recorded = await report(cast, contact, next_due_at=(clock() + timedelta(days=7)).isoformat())
    assert recorded["next"]["id"] != second["id"]


# ---- what a follow-up finds ----


async def test_meeting_her_after_a_new_incident_drafts_it_and_asks_for_an_assessment_within_a_day(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id = await case_of(cast)
    recorded = await report(
        cast, await plan(cast, case_id, clock().isoformat()), outcome="met_new_incident", note="He came back."
    )
    (draft,) = await whole(cast.client("caseworker"), f"/cases/{case_id}/incidents")
    assert (draft["note"], draft["precision"], draft["occurred_at"]) == ("He came back.", "unknown", None)
    (asked,) = await actions_of(cast, case_id)
    assert (asked["prompt"], asked["need"], asked["urgent"]) == ("new_assessment", "safety", True)
    assert moment(asked["due_at"]) == clock() + timedelta(hours=24)
    # A second one while the first still waits drafts a second incident and asks once.
    await report(cast, recorded["next"], outcome="met_new_incident")
    assert len(await whole(cast.client("caseworker"), f"/cases/{case_id}/incidents")) == 2
    assert len(await actions_of(cast, case_id)) == 1
    await assess(cast, case_id)
    (answer,) = [one for one in await actions_of(cast, case_id) if one["prompt"] == "new_assessment"]
    assert answer["state"] == "done"


async def test_another_assessment_than_of_danger_answers_no_wish_for_one(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast)
    await report(cast, await plan(cast, case_id, clock().isoformat()), outcome="met_new_incident")
    body = {"tool": "needs", "assessed_on": "2026-03-01", "result": {"text": "A roof."}}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/assessments", json=body), 201)
    (asked,) = await actions_of(cast, case_id)
    assert asked["state"] == "open"


async def test_a_new_incident_that_a_liaison_finds_is_drafted_for_the_lead(cast: Cast, clock: FrozenClock) -> None:
    case_id, _ = await with_liaison(cast)
    hers = await plan(cast, case_id, clock().isoformat(), assignee_id=cast.id("liaison"))
    await report(cast, hers, "liaison", outcome="met_new_incident", note="She is hurt.")
    (draft,) = await whole(cast.client("caseworker"), f"/cases/{case_id}/incidents")
    (asked,) = await actions_of(cast, case_id)
    assert (draft["note"], asked["assignee"]["id"]) == ("She is hurt.", cast.id("caseworker"))
    assert await whole(cast.client("liaison"), f"/cases/{case_id}/actions") == []
    assert await status_of(cast, "liaison", case_id, "/incidents") == 403


async def test_a_new_incident_makes_a_standard_case_sensitive_whoever_records_it(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id = await open_case(cast)
    planned = await plan(cast, case_id, clock().isoformat())
    assert await status_of(cast, "supervisor", case_id) == 200
    await report(cast, planned, "supervisor", outcome="met_new_incident")
    assert await status_of(cast, "supervisor", case_id) == 404
    assert await status_of(cast, "colleague", case_id) == 404
    assert len(await whole(cast.client("caseworker"), f"/cases/{case_id}/incidents")) == 1


@pytest.mark.parametrize(("outcome", "drafts"), [("met_concern", 0), ("not_found", 0), ("met_new_incident", 1)])
async def test_only_a_new_incident_drafts_one(cast: Cast, clock: FrozenClock, outcome: str, drafts: int) -> None:
    case_id = await case_of(cast)
    await report(cast, await plan(cast, case_id, clock().isoformat()), outcome=outcome)
    assert len(await whole(cast.client("caseworker"), f"/cases/{case_id}/incidents")) == drafts
    assert len(await actions_of(cast, case_id)) == drafts


@pytest.mark.parametrize(("level", "escalated"), [("high", True), ("medium", False)])
async def test_who_is_not_found_at_high_risk_is_looked_for_within_a_day_and_the_timeline_says_so(
    cast: Cast, clock: FrozenClock, level: str, escalated: bool
) -> None:
    case_id = await case_of(cast)
    planned = await plan(cast, case_id, clock().isoformat())
    await set_risk(cast, case_id, level)
    recorded = await report(cast, planned, outcome="not_found")
    told = await whole(cast.client("caseworker"), f"/cases/{case_id}/timeline")
    assert ("follow_up.escalated" in {one["type"] for one in told}) is escalated
    assert (moment(recorded["next"]["due_at"]) == clock() + timedelta(hours=24)) is escalated


# ---- who ----


async def test_a_liaison_never_reads_of_danger(cast: Cast) -> None:
    case_id, _ = await with_liaison(cast)
    made = await assess(cast, case_id, "choked")
    for rest in ("/assessments", f"/assessments/{made['id']}", "/risk-history", "/safety-plan"):
        assert await status_of(cast, "liaison", case_id, rest) == 403
    body = da5(cast)
    answered(await cast.client("liaison").post(f"/cases/{case_id}/assessments", json=body), 403)
    await set_risk(cast, case_id, "low", "liaison", 403)
    seen = (await cast.client("liaison").get(f"/cases/{case_id}")).text
    seen += (await cast.client("liaison").get(f"/cases/{case_id}/timeline")).text
    assert "risk" not in seen
    assert "assessment" not in seen
    assert await whole(cast.client("liaison"), f"/cases/{case_id}/actions") == []


async def test_who_broke_the_glass_reads_of_danger_and_changes_nothing(cast: Cast, superuser: Superuser) -> None:
    case_id = await case_of(cast)
    made = await assess(cast, case_id)
    await break_glass(cast, superuser, case_id, "colleague")
    assert await status_of(cast, "colleague", case_id, f"/assessments/{made['id']}") == 200
    assert [one["level"] for one in await history(cast, case_id, "colleague")] == ["low"]
    await set_risk(cast, case_id, "high", "colleague", 403)
    answered(await cast.client("colleague").post(f"/cases/{case_id}/assessments", json=da5(cast)), 403)


async def test_what_was_answered_is_sealed(cast: Cast, superuser: Superuser) -> None:
    case_id = await case_of(cast)
    made = await assess(cast, case_id, factors=["suicide_risk"], raised_to="high", reason="Kolab said so.")
    row = superuser.execute("select a::text from assessments a where id = %s", [made["id"]]).fetchone()
    assert row is not None
    assert not [word for word in ("Kolab", "weapon", "suicide", "high", 'da5":') if word in row[0]]
    told = superuser.execute("select string_agg(data::text, '') from events where case_id = %s", [case_id]).fetchone()
    assert told is not None
    assert "suicide" not in told[0]
    assert "Kolab" not in told[0]


async def test_a_closed_case_is_assessed_no_more(cast: Cast) -> None:
    case_id = await case_of(cast)
    step = {"to": "closed", "closure": {"reason": "moved_away"}}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/transitions", json=step), 200)
    refused = await cast.client("caseworker").post(f"/cases/{case_id}/assessments", json=da5(cast))
    assert answered(refused, 409)["code"] == "case_closed"
    assert (await set_risk(cast, case_id, "high", status=409))["code"] == "case_closed"


async def test_an_action_that_waits_already_is_the_first_one(cast: Cast) -> None:
    case_id = await case_of(cast)
    waiting = await add_action(cast, case_id)  # due today
    await set_risk(cast, case_id, "high")
    assert [one["id"] for one in await actions_of(cast, case_id)] == [waiting["id"]]


def drafts(database: DatabaseUrls, cast: Cast, follow_up_id: str, who: str = "liaison") -> bool:
    """Whether the database drafts an incident for this person, without the API; nothing of it stays."""
    call = "select report_met_incident(%s, gen_random_uuid(), '', gen_random_uuid(), '', app_now())"
    with psycopg.connect(database.runtime) as connection:
        connection.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
        row = connection.execute(call, [follow_up_id]).fetchone()
        connection.rollback()
        assert row is not None
        return bool(row[0])


async def test_the_database_drafts_an_incident_only_for_who_has_just_recorded_the_follow_up(
    cast: Cast, clock: FrozenClock, database: DatabaseUrls
) -> None:
    case_id, _ = await with_liaison(cast)
    place = await assign(cast, "caseworker", case_id, "second_liaison", "liaison")
    hers, others = [
        await plan(cast, case_id, clock().isoformat(), assignee_id=cast.id(who))
        for who in ("liaison", "second_liaison")
    ]
    for one, who in ((hers, "liaison"), (others, "second_liaison")):
        await report(cast, one, who)
    assert drafts(database, cast, hers["id"])
    assert drafts(database, cast, others["id"], "second_liaison")
    assert not drafts(database, cast, others["id"])
    assert not drafts(database, cast, hers["id"], "caseworker")
    answered(await cast.client("caseworker").delete(f"/cases/{case_id}/assignments/{place}"), 204)
    assert not drafts(database, cast, others["id"], "second_liaison")
    clock.advance(minutes=1)
    assert not drafts(database, cast, hers["id"])
