"""Where a client has died nothing is to be done at her door any more, and no one person ends what is kept."""

from datetime import timedelta
from typing import Any

import pytest

from app.database_urls import DatabaseUrls
from app.models.codes.people import Role
from tests.acts import SENSITIVE, assign, call_as, newcomer
from tests.cases import SUPPORT, open_case
from tests.cast import Cast, answered
from tests.pages import whole
from tests.plans import add_action, assess, set_risk

SERVICES = {**SUPPORT, "purpose": "services"}
DIED = {"reason": "died", "informed_can_return": "not_possible"}


async def step(cast: Cast, who: str, case_id: str, to: str, status: int = 200, **more: Any) -> Any:
    body = {"to": to, "reason": "As agreed.", **more}
    return answered(await cast.client(who).post(f"/cases/{case_id}/transitions", json=body), status)


async def died(cast: Cast, by: str = "caseworker") -> str:
    """A case of violence without any plan, with something urgent to do, whose client's death is recorded."""
    case_id = await open_case(cast, category=SENSITIVE, consents=[SERVICES])
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await assign(cast, "supervisor", case_id, "second_supervisor", "caseworker")
    await step(cast, "caseworker", case_id, "assessment")
    await add_action(cast, case_id)
    await assess(cast, case_id, "choked", who="second_supervisor")
    await step(cast, by, case_id, "closure_requested", closure=DIED)
    return case_id


async def test_nothing_that_was_to_be_done_is_left(cast: Cast) -> None:
    case_id = await died(cast)
    states = [one["state"] for one in await whole(cast.client("caseworker"), f"/cases/{case_id}/actions")]
    assert states == ["cancelled"] * len(states) != []


async def test_violence_that_killed_closes_without_a_plan_for_her_safety(cast: Cast) -> None:
    case_id = await died(cast)
    assert (await step(cast, "supervisor", case_id, "closed"))["status"] == "closed"


async def test_no_new_contact_comes_of_anything(cast: Cast) -> None:
    case_id = await died(cast)
    lead = cast.client("caseworker")
    for given in (SERVICES, SUPPORT):
        assert answered(await lead.post(f"/cases/{case_id}/consents", json=given), 409)["code"] == "conflict"
    until = (cast.clock() + timedelta(days=3)).isoformat()
    cover = {"user_id": cast.id("colleague"), "role": "cover", "until": until}
    answered(await lead.post(f"/cases/{case_id}/assignments", json=cover), 409)
    await set_risk(cast, case_id, "low", who="second_supervisor")
    await set_risk(cast, case_id, "high", who="second_supervisor")
    found = await whole(lead, f"/cases/{case_id}/follow-ups")
    assert [one for one in found if one["state"] == "planned"] == []
    assert [one for one in await whole(lead, f"/cases/{case_id}/actions") if one["state"] == "open"] == []


async def test_a_death_taken_back_lets_her_agree_anew_and_be_covered(cast: Cast) -> None:
    case_id = await died(cast)
    await step(cast, "supervisor", case_id, "follow_up")
    lead = cast.client("caseworker")
    answered(await lead.post(f"/cases/{case_id}/consents", json=SERVICES), 201)
    until = (cast.clock() + timedelta(days=3)).isoformat()
    await assign(cast, "caseworker", case_id, "colleague", "cover", until=until)


@pytest.mark.parametrize("state", ["closure_requested", "closed", "follow_up"])
async def test_the_hold_is_not_lifted_before_the_death_was_reviewed(cast: Cast, state: str) -> None:
    case_id = await died(cast)
    if state != "closure_requested":
        await step(cast, "supervisor", case_id, state)
    path, supervisor = f"/cases/{case_id}/legal-hold", cast.client("supervisor")
    answered(await supervisor.delete(path), 409)
    answered(await supervisor.put(path, json={"reason": "Another basis."}), 200)
    answered(await supervisor.delete(path), 409)
    answered(await supervisor.get(path), 200)
    answered(await supervisor.post(f"/cases/{case_id}/death-review", json={"note": "Seen."}), 200)
    answered(await supervisor.delete(path), 204)
    answered(await supervisor.delete(path), 404)


async def test_who_recorded_the_death_does_not_free_the_case_alone(cast: Cast) -> None:
    case_id = await died(cast, by="second_supervisor")
    alone = cast.client("second_supervisor")
    answered(await alone.post(f"/cases/{case_id}/death-review", json={"note": "Seen."}), 403)
    answered(await alone.delete(f"/cases/{case_id}/legal-hold"), 409)


async def test_who_knows_the_case_as_a_stub_sends_nobody_to_her_door_either(cast: Cast) -> None:
    case_id, other = await died(cast), await open_case(cast, category=SENSITIVE)
    overseer = await newcomer(cast, Role.SUPERVISOR, "ngo")
    until = (cast.clock() + timedelta(days=3)).isoformat()
    cover = {"user_id": cast.id("colleague"), "role": "cover", "until": until}
    refused = answered(await cast.client(overseer).post(f"/cases/{case_id}/assignments", json=cover), 409)
    assert (refused["code"], "cause" in refused) == ("conflict", False), "a stub says not why"
    answered(await cast.client(overseer).post(f"/cases/{other}/assignments", json=cover), 201)
    seen = answered(await cast.client("caseworker").post(f"/cases/{case_id}/assignments", json=cover), 409)
    assert seen["cause"] == "client_died"


async def test_that_a_client_has_died_is_told_by_the_database_to_who_may_assign_there(
    cast: Cast, database: DatabaseUrls
) -> None:
    case_id = await died(cast)
    asked = "select app_client_died(%s)"
    for who, told in (("caseworker", True), ("supervisor", True), ("colleague", False), ("other_supervisor", False)):
        assert call_as(cast, database, who, asked, case_id) is told, who
    closed = await open_case(cast)
    lead = cast.client("caseworker")
    gone = {"to": "closed", "closure": {"reason": "moved_away"}}
    answered(await lead.post(f"/cases/{closed}/transitions", json=gone), 200)
    assert call_as(cast, database, "caseworker", asked, closed) is False
