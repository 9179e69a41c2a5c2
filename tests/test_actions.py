"""The steps of the care plan: who plans them, who does them, and that none of them leaves a case without a date."""

from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.acts import SENSITIVE, assign, break_glass, status_of, with_liaison
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.pages import whole
from tests.plans import EDIT, add_action, assess, put_undated

Superuser = psycopg.Connection[Any]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def next_due(cast: Cast, case_id: str) -> str | None:
    due: str | None = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)["next_due_at"]
    return due


async def complete(cast: Cast, one: Any, who: str = "caseworker", status: int = 200, **more: Any) -> Any:
    path = f"/cases/{one['case_id']}/actions/{one['id']}/complete"
    return answered(await cast.client(who).post(path, json=more or None), status)


async def test_an_action_is_due_at_the_end_of_its_day_in_cambodia_and_is_the_next_date_of_the_case(
    cast: Cast, superuser: Superuser
) -> None:
    case_id = await open_case(cast)
    put_undated(superuser, cast, case_id)
    added = await add_action(cast, case_id, due_on="2026-06-01", need="livelihood", note="With her sister.")
    assert (added["state"], added["need"], added["note"], added["urgent"], added["prompt"]) == (
        "open",
        "livelihood",
        "With her sister.",
        False,
        None,
    )
    assert (added["due_on"], moment(added["due_at"])) == ("2026-06-01", moment("2026-06-01T23:59:59+07:00"))
    assert added["assignee"]["id"] == cast.id("caseworker")
    assert await next_due(cast, case_id) == added["due_at"]


async def test_the_next_date_is_the_least_of_contacts_and_actions(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast)
    action = await add_action(cast, case_id, due_on=f"{clock() + timedelta(days=3):%Y-%m-%d}")
    for days, expected in ((5, action["due_at"]), (1, None)):
        body = {"due_at": (clock() + timedelta(days=days)).isoformat(), "channel": "visit"}
        planned = answered(await cast.client("caseworker").post(f"/cases/{case_id}/follow-ups", json=body), 201)
        assert await next_due(cast, case_id) == (expected or planned["due_at"])


async def test_an_action_is_changed_by_who_has_seen_it_as_it_is(cast: Cast) -> None:
    case_id = await open_case(cast)
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    added = await add_action(cast, case_id, note="Old.")
    path, lead = f"/cases/{case_id}/actions/{added['id']}", cast.client("caseworker")
    change = {"title": "Go with her", "due_on": "2026-07-05", "assignee_id": cast.id("colleague"), "urgent": True}
    answered(await lead.patch(path, json=change), 428)
    answered(await lead.patch(path, json=change, headers={"If-Match": '"7"'}), 412)
    changed = answered(await lead.patch(path, json={**change, "note": None}, headers={"If-Match": '"1"'}), 200)
    assert {name: changed[name] for name in ("title", "due_on", "urgent", "note", "need")} == {
        **{name: change[name] for name in ("title", "due_on", "urgent")},
        "note": None,
        "need": "documents",
    }
    assert moment(changed["due_at"]) == moment("2026-07-05T23:59:59+07:00")
    assert changed["assignee"]["id"] == cast.id("colleague")
    assert answered(await lead.get(path), 200) == changed


async def test_nobody_gets_an_action_who_does_not_work_on_the_case(cast: Cast) -> None:
    case_id = await open_case(cast)
    refused = await add_action(cast, case_id, status=422, assignee_id=cast.id("colleague"))
    assert [error["code"] for error in refused["errors"]] == ["not_on_case"]
    added = await add_action(cast, case_id)
    path, change = f"/cases/{case_id}/actions/{added['id']}", {"assignee_id": cast.id("stranger")}
    answered(await cast.client("caseworker").patch(path, json=change, headers=EDIT), 422)


async def test_an_action_is_done_once_and_not_changed_afterwards(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast)
    added = await add_action(cast, case_id)
    tomorrow = (clock() + timedelta(days=1)).isoformat()
    await complete(cast, added, status=422, completed_at=tomorrow)
    yesterday = clock() - timedelta(days=1)
    done = await complete(cast, added, completed_at=yesterday.isoformat(), note="She has it.")
    assert (done["state"], moment(done["completed_at"]), done["note"]) == ("done", yesterday, "She has it.")
    assert done["completed_by"] == cast.id("caseworker")
    await complete(cast, added, status=409)
    path = f"/cases/{case_id}/actions/{added['id']}"
    answered(await cast.client("caseworker").patch(path, json={"urgent": True}, headers=EDIT), 409)
    answered(await cast.client("caseworker").delete(path, headers=EDIT), 409)


async def test_a_repeated_completion_is_one_and_answers_the_same(cast: Cast) -> None:
    added = await add_action(cast, await open_case(cast))
    path, key = f"/cases/{added['case_id']}/actions/{added['id']}/complete", {"Idempotency-Key": f"done {added['id']}"}
    first = await cast.client("caseworker").post(path, headers=key)
    again = await cast.client("caseworker").post(path, headers=key)
    assert answered(first, 200) == answered(again, 200)
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_the_last_action_that_is_done_leaves_a_follow_up_and_cannot_be_taken_back(
    cast: Cast, clock: FrozenClock, superuser: Superuser
) -> None:
    case_id = await open_case(cast)
    put_undated(superuser, cast, case_id)
    added = await add_action(cast, case_id)
    path = f"/cases/{case_id}/actions/{added['id']}"
    answered(await cast.client("caseworker").delete(path), 428)
    answered(await cast.client("caseworker").delete(path, headers=EDIT), 409)
    second = await add_action(cast, case_id)
    answered(await cast.client("caseworker").delete(path, headers=EDIT), 204)
    assert answered(await cast.client("caseworker").get(path), 200)["state"] == "cancelled"
    await complete(cast, second)
    (planned,) = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
    assert await next_due(cast, case_id) == planned["due_at"]
    assert moment(planned["due_at"]) == clock() + timedelta(days=30)


async def test_an_action_that_is_done_beside_another_date_plans_nothing(cast: Cast, superuser: Superuser) -> None:
    case_id, path = await open_case(cast), "/cases/{}/follow-ups"
    first = await whole(cast.client("caseworker"), path.format(case_id))
    await complete(cast, await add_action(cast, case_id))
    assert await whole(cast.client("caseworker"), path.format(case_id)) == first
    undated = await open_case(cast)
    put_undated(superuser, cast, undated)
    added, _ = await add_action(cast, undated), await add_action(cast, undated)
    await complete(cast, added)
    assert await whole(cast.client("caseworker"), path.format(undated)) == []


async def test_a_case_that_closes_leaves_nothing_to_do_and_a_closed_one_gets_nothing(cast: Cast) -> None:
    case_id = await open_case(cast)
    added = await add_action(cast, case_id, due_on="2026-12-01")
    closure = {"to": "closed", "closure": {"reason": "moved_away"}}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/transitions", json=closure), 200)
    assert await next_due(cast, case_id) is None
    (left,) = await whole(cast.client("caseworker"), f"/cases/{case_id}/actions")
    assert left["state"] == "cancelled"
    assert (await add_action(cast, case_id, status=409))["code"] == "case_closed"
    assert (await complete(cast, added, status=409))["code"] == "case_closed"


async def test_a_liaison_sees_and_does_only_the_actions_that_were_given_to_her(cast: Cast) -> None:
    case_id, _ = await with_liaison(cast)
    theirs = await add_action(cast, case_id)
    hers = await add_action(cast, case_id, assignee_id=cast.id("liaison"))
    path = f"/cases/{case_id}/actions"
    assert [one["id"] for one in await whole(cast.client("liaison"), path)] == [hers["id"]]
    assert await status_of(cast, "liaison", case_id, f"/actions/{theirs['id']}") == 404
    await complete(cast, theirs, "liaison", 404)
    await add_action(cast, case_id, "liaison", 403)
    answered(await cast.client("liaison").patch(f"{path}/{hers['id']}", json={"urgent": True}, headers=EDIT), 403)
    answered(await cast.client("liaison").delete(f"{path}/{hers['id']}", headers=EDIT), 403)
    assert (await complete(cast, hers, "liaison"))["completed_by"] == cast.id("liaison")
    assert await whole(cast.client("liaison"), f"/cases/{case_id}/follow-ups") == []
    assert await status_of(cast, "second_liaison", case_id, "/actions") == 404


async def test_a_liaison_who_does_the_last_action_gets_the_next_contact(cast: Cast, superuser: Superuser) -> None:
    case_id, _ = await with_liaison(cast)
    put_undated(superuser, cast, case_id)
    await complete(cast, await add_action(cast, case_id, assignee_id=cast.id("liaison")), "liaison")
    (planned,) = await whole(cast.client("liaison"), f"/cases/{case_id}/follow-ups")
    assert planned["assignee"]["id"] == cast.id("liaison")


async def test_who_broke_the_glass_reads_the_plan_and_changes_nothing(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    added = await add_action(cast, case_id)
    await break_glass(cast, superuser, case_id, "colleague")
    assert await status_of(cast, "colleague", case_id, f"/actions/{added['id']}") == 200
    await complete(cast, added, "colleague", 403)
    await add_action(cast, case_id, "colleague", 403)


async def test_titles_needs_and_notes_are_sealed_and_no_event_tells_them(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast)
    added = await add_action(cast, case_id, title="Kolab's papers", note="At Kolab's.")
    await complete(cast, added, note="Kolab has them.")
    row = superuser.execute("select a::text from actions a where id = %s", [added["id"]]).fetchone()
    told = superuser.execute("select data::text, sealed from events where case_id = %s", [case_id]).fetchall()
    assert row is not None
    assert "Kolab" not in row[0]
    assert "documents" not in row[0]
    assert all("Kolab" not in data for data, _ in told)
    types = {one["type"] for one in await whole(cast.client("caseworker"), f"/cases/{case_id}/timeline")}
    assert {"action.added", "action.completed"} <= types


@pytest.mark.parametrize("wrong", [{"urgent": "yes"}, {"need": "money"}, {"due_on": "soon"}, {"title": ""}, {"x": 1}])
async def test_what_is_no_action_is_refused_where_it_is_wrong(cast: Cast, wrong: dict[str, Any]) -> None:
    refused = await add_action(cast, await open_case(cast), status=422, **wrong)
    assert [error["pointer"] for error in refused["errors"]] == [f"/{name}" for name in wrong]


# ---- what the server asked for ----


async def asked_for(cast: Cast, prompt: str) -> Any:
    """The open action with which the server asks for this."""
    case_id = await open_case(cast, category=SENSITIVE)
    lead = cast.client("caseworker")
    if prompt == "new_assessment":
        (first,) = await whole(lead, f"/cases/{case_id}/follow-ups")
        body = {"happened_at": cast.clock().isoformat(), "outcome": "met_new_incident"}
        answered(await lead.post(f"/cases/{case_id}/follow-ups/{first['id']}/record", json=body), 200)
    else:
        await assess(cast, case_id, "choked")
    found = [one for one in await whole(lead, f"/cases/{case_id}/actions") if one["prompt"] == prompt]
    return found[0]


def path_of(one: Any) -> str:
    return f"/cases/{one['case_id']}/actions/{one['id']}"


PROMPTS = ["urgent_health", "new_assessment"]


@pytest.mark.parametrize("prompt", PROMPTS)
async def test_what_the_server_asks_for_is_neither_put_off_nor_made_less_urgent(
    cast: Cast, clock: FrozenClock, prompt: str
) -> None:
    asked, lead = await asked_for(cast, prompt), cast.client("caseworker")
    for change in ({"due_on": f"{clock() + timedelta(days=500):%Y-%m-%d}"}, {"urgent": False}):
        refused = answered(await lead.patch(path_of(asked), json=change, headers=EDIT), 422)
        assert [one["pointer"] for one in refused["errors"]] == [f"/{name}" for name in change]
    assert answered(await lead.get(path_of(asked)), 200) == asked
    same = {"due_on": asked["due_on"], "urgent": True, "note": "Her sister goes with her."}
    changed = answered(await lead.patch(path_of(asked), json=same, headers=EDIT), 200)
    assert (changed["due_at"], changed["note"]) == (asked["due_at"], same["note"])  # not the end of that day
    sooner = {"due_on": f"{moment(asked['due_on']) - timedelta(days=1):%Y-%m-%d}"}
    assert moment(answered(await lead.patch(path_of(asked), json=sooner, headers=EDIT), 200)["due_at"]) < clock() + (
        timedelta(hours=24)
    )


@pytest.mark.parametrize("prompt", PROMPTS)
async def test_what_the_server_asks_for_is_taken_back_with_a_reason_that_stays(
    cast: Cast, superuser: Superuser, prompt: str
) -> None:
    asked, lead = await asked_for(cast, prompt), cast.client("caseworker")
    answered(await lead.delete(path_of(asked), headers=EDIT), 409)
    path = f"{path_of(asked)}/cancel"
    for body in ({}, {"reason": ""}, {"reason": None}):
        answered(await lead.post(path, json=body), 422)
    assert answered(await lead.get(path_of(asked)), 200)["state"] == "open"
    reason = {"reason": "Kolab does not want to go."}
    answered(await lead.post(path, json=reason, headers={"If-Match": '"7"'}), 412)
    assert answered(await lead.post(path, json=reason), 200)["state"] == "cancelled"
    answered(await lead.post(path, json=reason), 409)
    told = await whole(lead, f"/cases/{asked['case_id']}/timeline")
    assert [one["reason"] for one in told if one["type"] == "action.cancelled"] == [reason["reason"]]
    clear = superuser.execute("select data::text from events where case_id = %s", [asked["case_id"]]).fetchall()
    assert all("Kolab" not in data for (data,) in clear)


async def test_a_reason_does_not_take_the_last_date_away(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast)
    put_undated(superuser, cast, case_id)
    added = await add_action(cast, case_id)
    answered(await cast.client("caseworker").post(f"{path_of(added)}/cancel", json={"reason": "Done."}), 409)
    await add_action(cast, case_id)
    answered(await cast.client("caseworker").post(f"{path_of(added)}/cancel", json={"reason": "Done."}), 200)
