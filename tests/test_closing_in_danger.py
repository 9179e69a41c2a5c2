"""Danger that became known while a closure waits is not closed away."""

from datetime import timedelta
from typing import Any

import pytest

from app.calendar import day_of
from tests.acts import SENSITIVE, assign
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.pages import whole
from tests.plans import EDIT, PLAN, assess, end_contacts, put_plan, set_risk

MET = {"reason": "needs_met", "informed_can_return": True}
NOT_NEEDED = {"needed": False, "not_needed_reason": "He was sent to another province."}
ATTACK = {"answers": {"penetration": True}}


async def step(cast: Cast, who: str, case_id: str, to: str, status: int = 200, **more: Any) -> Any:
    body = {"to": to, "reason": "As agreed.", **more}
    return answered(await cast.client(who).post(f"/cases/{case_id}/transitions", json=body), status)


async def about_to_close(cast: Cast, category: str = SENSITIVE, plan: dict[str, Any] = PLAN) -> str:
    """A case that `supervisor` reviews, its plan looked at today and its closure asked for."""
    case_id = await open_case(cast, category=category)
    path, reviewed_on = f"/cases/{case_id}/safety-plan", f"{day_of(cast.clock())}"
    body = {**plan, "reviewed_on": reviewed_on}
    answered(await cast.client("caseworker").put(path, json=body, headers={"If-None-Match": "*"}), 201)
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await step(cast, "caseworker", case_id, "assessment")
    await step(cast, "caseworker", case_id, "closure_requested", closure=MET)
    return case_id


async def look_again(cast: Cast, case_id: str, plan: dict[str, Any] = PLAN, **more: Any) -> None:
    body = {**plan, "reviewed_on": f"{day_of(cast.clock())}", **more}
    answered(await cast.client("caseworker").put(f"/cases/{case_id}/safety-plan", json=body, headers=EDIT), 200)


async def blocked(cast: Cast, case_id: str) -> list[str]:
    codes: list[str] = (await step(cast, "supervisor", case_id, "closed", 409))["blocked_by"]
    return codes


async def attacked(cast: Cast, case_id: str) -> None:
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/incidents", json=ATTACK), 201)


async def do_all(cast: Cast, case_id: str) -> None:
    for one in await whole(cast.client("caseworker"), f"/cases/{case_id}/actions"):
        if one["state"] == "open":
            path = f"/cases/{case_id}/actions/{one['id']}/complete"
            answered(await cast.client("caseworker").post(path, json={"note": "Done."}), 200)


async def review_risk(cast: Cast, case_id: str, who: str = "supervisor") -> None:
    for one in await whole(cast.client(who), f"/cases/{case_id}/risk-history"):
        if one["review_due_at"] is not None and one["reviewed_at"] is None:
            path = f"/cases/{case_id}/risk-history/{one['id']}/review"
            answered(await cast.client(who).post(path, json={"note": "Seen."}), 200)


async def test_an_attack_while_the_closure_waits_is_answered_before_the_case_closes(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id = await about_to_close(cast, plan=NOT_NEEDED)
    clock.advance(minutes=5)
    await attacked(cast, case_id)
    await assess(cast, case_id, "choked")
    await end_contacts(cast, case_id)
    assert sorted(await blocked(cast, case_id)) == ["risk_review", "safety_plan_review", "urgent_action"]
    await do_all(cast, case_id)
    assert sorted(await blocked(cast, case_id)) == ["risk_review", "safety_plan_review"]
    await review_risk(cast, case_id)
    await look_again(cast, case_id, NOT_NEEDED)
    assert await blocked(cast, case_id) == ["safety_plan_review"]  # at high risk a reason why not is no plan
    await look_again(cast, case_id)
    await end_contacts(cast, case_id)
    await step(cast, "supervisor", case_id, "closed")


@pytest.mark.parametrize("what", ["incident", "assessment", "rise"])
async def test_a_plan_is_looked_at_after_the_last_that_was_learned(cast: Cast, clock: FrozenClock, what: str) -> None:
    case_id = await about_to_close(cast)
    clock.advance(minutes=5)  # of the same day
    if what == "incident":
        await attacked(cast, case_id)
    elif what == "assessment":
        await assess(cast, case_id)
    else:
        await set_risk(cast, case_id, "medium")
    await end_contacts(cast, case_id)
    assert await blocked(cast, case_id) == ["safety_plan_review"]
    clock.advance(days=1)
    yesterday = f"{day_of(clock()) - timedelta(days=2)}"
    if what == "incident":
        await look_again(cast, case_id, strategies="Written anew, not looked at.", reviewed_on=yesterday)
        assert await blocked(cast, case_id) == ["safety_plan_review"]
    await look_again(cast, case_id)
    await step(cast, "supervisor", case_id, "closed")


async def test_a_fall_of_the_risk_and_other_needs_ask_for_no_other_look(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await set_risk(cast, case_id, "medium")
    await put_plan(cast, case_id, reviewed_on=f"{day_of(cast.clock())}")
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await step(cast, "caseworker", case_id, "assessment")
    await step(cast, "caseworker", case_id, "closure_requested", closure=MET)
    clock.advance(minutes=5)
    await set_risk(cast, case_id, "low")
    needs = {"tool": "needs", "assessed_on": f"{clock():%Y-%m-%d}", "result": {"text": "A roof."}}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/assessments", json=needs), 201)
    await end_contacts(cast, case_id)
    await step(cast, "supervisor", case_id, "closed")


@pytest.mark.parametrize("category", ["id_poor", "marital_issue"])
async def test_of_every_category_a_rise_to_high_is_looked_at_first(cast: Cast, category: str) -> None:
    case_id = await about_to_close(cast, category)
    await set_risk(cast, case_id, "high")
    await end_contacts(cast, case_id)
    assert "risk_review" in await blocked(cast, case_id)
    await review_risk(cast, case_id)
    await do_all(cast, case_id)
    await end_contacts(cast, case_id)
    await step(cast, "supervisor", case_id, "closed")


async def test_an_intake_is_not_closed_over_somebody_who_was_choked(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await assess(cast, case_id, "choked")
    closure = {"reason": "declined", "informed_can_return": True}
    refused = await step(cast, "caseworker", case_id, "closed", 409, closure=closure)
    assert sorted(refused["blocked_by"]) == ["risk_review", "urgent_action"]
    await do_all(cast, case_id)
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await review_risk(cast, case_id)
    await step(cast, "caseworker", case_id, "closed", closure=closure)
