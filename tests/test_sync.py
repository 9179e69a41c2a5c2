"""A device that was away: it pulls what changed in its own cases, pushes what was written, and loses nothing."""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.errors import messages
from app.models.codes.people import Role
from app.security import Runtime
from benchmarks.capture import recording
from tests.acts import SENSITIVE, assign, exclude, newcomer, with_liaison
from tests.cases import intake, open_case
from tests.cast import Cast, FrozenClock, answered
from tests.pages import whole
from tests.plans import add_action
from tests.programme import VISIT, household, visit
from tests.test_follow_ups import plan

BEYOND = timedelta(minutes=3)  # longer than a run looks back


class Device:
    """What a phone holds after its runs: things by type and id, and where it asks on."""

    def __init__(self, cast: Cast, who: str) -> None:
        self.client = cast.client(who)
        self.held: dict[tuple[str, str], Any] = {}
        self.cursor: str | None = None

    async def pull(self, limit: int = 200) -> list[tuple[str, str]]:
        """One whole run; gives what was sent, in order."""
        sent: list[tuple[str, str]] = []
        while True:
            page = answered(
                await self.client.get(
                    "/sync", params={"limit": limit} | ({"cursor": self.cursor} if self.cursor else {})
                ),
                200,
            )
            for change in page["changes"]:
                key = (change["type"], change["id"])
                self.held[key] = change["data"]
                sent.append(key)
                assert change["version"] == change["data"].get("version", 1)
            self.cursor = page["next_cursor"]
            if not page["has_more"]:
                self.keep(page["visible_case_ids"])
                return sent
            assert page["visible_case_ids"] is None
            assert len(page["changes"]) == limit

    async def settle(self, clock: FrozenClock) -> None:
        """Pull until no run looks back on anything that has come already."""
        await self.pull()
        clock.at += BEYOND
        await self.pull()
        clock.at += BEYOND

    def keep(self, case_ids: list[str]) -> None:
        """What the last page says: every other case goes, with all that hangs on it."""
        self.held = {
            (kind, own_id): data
            for (kind, own_id), data in self.held.items()
            if (own_id if kind == "case" else data["case_id"]) in case_ids
        }

    @property
    def cases(self) -> set[str]:
        return {own_id for kind, own_id in self.held if kind == "case"}

    async def push(self, *items: dict[str, Any], language: str = "en") -> list[Any]:
        body = {"items": [{"idempotency_key": uuid4().hex, **item} for item in items]}
        answer = await self.client.post("/sync", json=body, headers={"Accept-Language": language})
        results: list[Any] = answered(answer, 200)["results"]
        assert len(results) == len(items)
        return results


async def note(cast: Cast, case_id: str, who: str = "caseworker", **more: Any) -> str:
    written = await cast.client(who).post(f"/cases/{case_id}/notes", json={"text": "Met her.", **more})
    return str(answered(written, 201)["id"])


async def test_a_device_holds_its_own_cases_with_notes_and_follow_ups_and_no_others(cast: Cast) -> None:
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    own, others = await open_case(cast, who, SENSITIVE), await open_case(cast, "colleague")
    step = await add_action(cast, own, who)
    written = await note(cast, own, who)
    planned = await plan(cast, own, (cast.clock() + timedelta(days=2)).isoformat(), who)
    await note(cast, others, "colleague")
    device = Device(cast, who)
    await device.pull()
    kept = {("case", own), ("note", written), ("follow_up", planned["id"]), ("action", step["id"])}
    assert kept <= device.held.keys()
    assert others not in device.cases  # which the caseworker may read, but does not work on
    assert device.cases == {case["id"] for case in await whole(device.client, "/cases", assigned="me", limit=200)}
    path = f"/cases/{own}"
    assert device.held["case", own] == answered(await device.client.get(path), 200)
    listed = answered(await device.client.get(f"{path}/follow-ups/{planned['id']}"), 200)
    assert device.held["follow_up", planned["id"]] == listed
    assert device.held["action", step["id"]] == answered(await device.client.get(f"{path}/actions/{step['id']}"), 200)
    assert device.held["note", written] == answered(await device.client.get(f"{path}/notes/{written}"), 200)


async def test_the_next_run_brings_what_changed_and_nothing_else(cast: Cast, clock: FrozenClock) -> None:
    case_id, still = await open_case(cast), await open_case(cast)
    device = Device(cast, "caseworker")
    await device.settle(clock)
    assert await device.pull() == []
    clock.at += BEYOND
    written = await note(cast, case_id, "supervisor")
    sent = await device.pull()
    assert ("note", written) in sent
    assert ("case", still) not in sent
    clock.at += BEYOND
    await device.settle(clock)
    now = (await device.client.get(f"/cases/{case_id}")).headers["ETag"]
    answered(
        await device.client.patch(f"/cases/{case_id}", json={"summary": "Has moved."}, headers={"If-Match": now}), 200
    )
    assert await device.pull() == [("case", case_id)]
    assert device.held["case", case_id]["summary"] == "Has moved."


async def test_a_device_does_not_learn_that_somebody_else_was_excluded(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    devices = {who: Device(cast, who) for who in ("caseworker", "colleague")}
    for device in devices.values():
        await device.settle(clock)
    await exclude(cast, "caseworker", case_id, "liaison")
    for who, told in (("colleague", False), ("caseworker", True)):
        assert (("case", case_id) in await devices[who].pull()) is told, who


async def test_another_name_of_the_client_reaches_the_device(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast)
    device = Device(cast, "caseworker")
    await device.pull()
    clock.at += BEYOND
    client = device.held["case", case_id]["client"]["id"]
    now = (await device.client.get(f"/people/{client}")).headers["ETag"]
    renamed = await device.client.patch(f"/people/{client}", json={"given_name_en": "Bopha"}, headers={"If-Match": now})
    answered(renamed, 200)
    assert ("case", case_id) in await device.pull()
    assert "Bopha" in device.held["case", case_id]["client"]["display_name"]


async def test_pages_of_one_bring_the_same_as_one_page(cast: Cast) -> None:
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    for _ in range(3):
        case_id = await open_case(cast, who)
        await note(cast, case_id, who)
        await note(cast, case_id, who)
    whole, piecemeal = Device(cast, who), Device(cast, who)
    sent = await whole.pull()
    assert len(sent) > 3 * 3
    assert await piecemeal.pull(limit=1) == sent
    assert piecemeal.held == whole.held
    assert len(sent) == len(set(sent))


async def test_what_is_written_while_a_run_goes_on_comes_with_the_next(cast: Cast, clock: FrozenClock) -> None:
    cases = sorted([await open_case(cast), await open_case(cast)])
    device = Device(cast, "caseworker")
    await device.pull()
    clock.at += BEYOND
    for case_id in cases:
        await note(cast, case_id)
    first = answered(await device.client.get("/sync", params={"limit": 1, "cursor": device.cursor}), 200)
    assert first["has_more"]
    clock.at += BEYOND
    behind = await note(cast, cases[0])  # where this run has passed already
    clock.at += BEYOND
    device.cursor = first["next_cursor"]
    await device.pull()
    await device.pull()
    assert ("note", behind) in device.held


async def test_a_change_that_began_before_a_run_and_ended_after_it_is_not_lost(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    device = Device(cast, "caseworker")
    began = clock()
    clock.at += timedelta(seconds=100)
    await device.pull()
    written = await note(cast, case_id)
    superuser.execute("update notes set created_at = %s, updated_at = %s where id = %s", [began, began, written])
    device.held.clear()
    clock.at += timedelta(seconds=1)
    assert ("note", written) in await device.pull()


async def test_a_case_that_is_taken_over_comes_whole_however_old(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    written = await note(cast, case_id)
    device = Device(cast, "colleague")
    await device.pull()
    clock.at += timedelta(days=3)
    assert case_id not in device.cases
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    assert {("case", case_id), ("note", written)} <= set(await device.pull())


async def test_who_is_taken_off_a_case_is_told_to_delete_it(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    await note(cast, case_id)
    device = Device(cast, "colleague")
    await device.settle(clock)
    assert case_id in device.cases
    await exclude(cast, "caseworker", case_id, "colleague")
    assert await device.pull() == []
    assert not [data for data in device.held.values() if case_id in {data["id"], data.get("case_id")}]


async def test_an_emergency_look_puts_nothing_on_a_phone(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    code = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)["code"]
    look = {"case_code": code, "reason_code": "danger_to_life", "reason": "She called."}
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    answered(await cast.client(who).post("/break-glass", json=look), 201)
    device = Device(cast, who)
    await device.pull()
    assert case_id not in device.cases


async def test_a_liaison_holds_the_liaison_view_and_what_is_for_the_team(cast: Cast) -> None:
    case_id, _ = await with_liaison(cast)
    for_team, kept = await note(cast, case_id, audience="team"), await note(cast, case_id)
    due = (cast.clock() + timedelta(days=2)).isoformat()
    given = await plan(cast, case_id, due, assignee_id=cast.id("liaison"))
    kept_back = await plan(cast, case_id, due)
    device = Device(cast, "liaison")
    await device.pull()
    assert device.held["case", case_id] == answered(await device.client.get(f"/cases/{case_id}"), 200)
    assert "category" not in device.held["case", case_id]
    assert {("note", for_team), ("follow_up", given["id"])} <= device.held.keys()
    assert not {("note", kept), ("follow_up", kept_back["id"])} & device.held.keys()


async def test_a_run_asks_as_many_queries_for_many_cases_as_for_one(cast: Cast, runtime: Runtime) -> None:
    counted: list[int] = []
    who = await newcomer(cast, Role.SUPERVISOR, "other_ngo")  # who was given nothing by other tests
    device = Device(cast, who)
    for _ in range(2):
        for _ in range(1 + 4 * len(counted)):
            case_id = await open_case(cast, who)
            await note(cast, case_id, who)
            await plan(cast, case_id, (cast.clock() + timedelta(days=2)).isoformat(), who)
        with recording(runtime.database.engine) as statements:
            answered(await device.client.get("/sync"), 200)
        counted.append(len(statements))
    assert counted[0] == counted[1] <= 11


def cursor_of(*parts: object) -> str:
    return base64.urlsafe_b64encode("|".join(map(str, parts)).encode()).decode().rstrip("=")


NIL, DAY = UUID(int=0), "2026-03-02T03:00:00+00:00"


@pytest.mark.parametrize(
    "cursor",
    [
        *("", "x", "MjAyNi0wMy0wMlQwMzowMDowMHwx", "e30", "%00"),
        cursor_of(DAY, "0001-01-01T00:00:00+00:00", NIL, 0, NIL),  # before which there is no time
        cursor_of(DAY, "9999-12-31T00:00:00+00:00", NIL, 0, NIL),
        cursor_of(DAY, DAY, NIL, 99, NIL),
        cursor_of("2026-03-02T03:00:00", DAY, NIL, 0, NIL),
    ],
)
async def test_a_cursor_that_was_not_made_here_is_refused(cast: Cast, cursor: str) -> None:
    answered(await cast.client("caseworker").get("/sync", params={"cursor": cursor}), 422)


# Pushing.


def new_note(case_id: str, **changes: Any) -> dict[str, Any]:
    data = {"case_id": case_id, "text": "Written in the field."}
    return {"op": "create", "type": "note", "id": str(uuid4()), "data": data, **changes}


async def test_a_day_in_the_field_arrives_in_one_call(cast: Cast, clock: FrozenClock) -> None:
    old = await open_case(cast)
    device, own_id, planned, step = Device(cast, "caseworker"), str(uuid4()), str(uuid4()), str(uuid4())
    await device.pull()
    due = (clock() + timedelta(days=2)).isoformat()
    done = {"happened_at": clock().isoformat(), "outcome": "met_safe"}
    results = await device.push(
        {"op": "create", "type": "case", "id": own_id, "data": intake()},
        {"op": "transition", "type": "case", "id": own_id, "data": {"to": "assessment"}},
        new_note(own_id),
        {
            "op": "create",
            "type": "follow_up",
            "id": planned,
            "data": {"case_id": own_id, "due_at": due, "channel": "visit"},
        },
        {"op": "transition", "type": "follow_up", "id": planned, "data": {"case_id": own_id, **done}},
        {
            "op": "create",
            "type": "action",
            "id": step,
            "data": {"case_id": own_id, "title": "Ask for a card", "need": "documents", "due_on": due[:10]},
        },
        {"op": "update", "type": "action", "id": step, "if_match": '"1"', "data": {"case_id": own_id, "urgent": True}},
        {"op": "transition", "type": "action", "id": step, "data": {"case_id": own_id}},
        {"op": "update", "type": "case", "id": old, "if_match": '"1"', "data": {"summary": "All is well."}},
    )
    assert [result["status"] for result in results] == [201, 200, 201, 201, 200, 201, 200, 200, 200]
    assert [result["id"] for result in (*results[:2], results[3])] == [own_id, own_id, planned]
    case = answered(await device.client.get(f"/cases/{own_id}"), 200)
    assert case["status"] == "assessment"
    assert results[1]["version"] == case["version"]
    assert answered(await device.client.get(f"/cases/{own_id}/notes/{results[2]['id']}"), 200)["text"]
    assert answered(await device.client.get(f"/cases/{old}"), 200)["summary"] == "All is well."


async def test_an_item_that_is_sent_twice_is_written_once(cast: Cast) -> None:
    case_id = await open_case(cast)
    item = {**new_note(case_id), "idempotency_key": uuid4().hex}
    device = Device(cast, "caseworker")
    first, again = await device.push(item), await device.push(item, item)
    assert [first[0]["id"], first[0]["status"]] == [again[0]["id"], 201] == [again[1]["id"], 201]
    assert len(answered(await device.client.get(f"/cases/{case_id}/notes"), 200)["items"]) == 1
    other = await device.push({**item, "data": {**item["data"], "text": "Another text."}})
    assert (other[0]["status"], other[0]["code"]) == (422, "idempotency_key_reused")


async def test_a_change_made_on_an_older_version_gets_the_present_one_and_overwrites_nothing(cast: Cast) -> None:
    case_id = await open_case(cast, category="id_poor")
    device = Device(cast, "caseworker")
    answered(
        await cast.client("supervisor").patch(
            f"/cases/{case_id}", json={"summary": "By a colleague."}, headers={"If-Match": '"1"'}
        ),
        200,
    )
    mine = {"op": "update", "type": "case", "id": case_id, "if_match": '"1"', "data": {"summary": "By me."}}
    stale = (await device.push(mine))[0]
    assert (stale["status"], stale["code"]) == (412, "precondition_failed")
    assert stale["current"] == answered(await device.client.get(f"/cases/{case_id}"), 200)
    assert stale["current"]["summary"] == "By a colleague."
    resolved = {**mine, "if_match": f'"{stale["current"]["version"]}"', "data": {"summary": "By both."}}
    assert (await device.push(resolved))[0]["status"] == 200
    blind = (await device.push({**mine, "if_match": None}))[0]
    assert (blind["status"], blind["code"]) == (428, "precondition_required")


async def test_an_item_that_fails_stops_no_other(cast: Cast) -> None:
    case_id = await open_case(cast)
    hidden = await open_case(cast, "stranger", category=SENSITIVE)
    device = Device(cast, "caseworker")
    wrong_field = new_note(case_id, data={"case_id": case_id, "text": "A", "colour": "B"})
    results = await device.push(
        new_note(hidden),
        new_note(str(uuid4())),
        wrong_field,
        {"op": "update", "type": "note", "id": str(uuid4()), "data": {"case_id": case_id, "text": "A"}},
        new_note(case_id, data={"text": "On no case."}),
        new_note(case_id),
    )
    assert [result["status"] for result in results] == [404, 404, 422, 422, 422, 201]
    told = [{key: value for key, value in result.items() if key != "id"} for result in results]
    assert told[0] == told[1]  # hidden and unknown
    assert results[2]["errors"][0]["pointer"] == "/colour"
    assert [result["errors"][0]["pointer"] for result in results[3:5]] == ["/op", "/data/case_id"]


async def test_what_is_wrong_with_an_item_is_said_in_khmer_where_khmer_is_asked_for(cast: Cast) -> None:
    device, case_id = Device(cast, "caseworker"), await open_case(cast)
    wrong = [
        new_note(case_id, data={"case_id": case_id, "text": 7}),
        {**new_note(case_id), "op": "update"},
        new_note(case_id, data={"text": "On no case."}),
        new_note(case_id, data={"text": "On no case.", "case_id": "this one"}),
        {**new_note(case_id), "if_match": "*"},
    ]
    english = await device.push(*wrong)
    khmer = await device.push(*wrong, language="km")
    for one, other in zip(english, khmer, strict=True):
        ([said], [told]) = (one["errors"], other["errors"])
        assert (said["pointer"], said["code"]) == (told["pointer"], told["code"])
        assert told["message"] == messages.KHMER[told["code"]] != said["message"]


async def test_an_item_is_told_all_that_its_operation_tells(cast: Cast) -> None:
    device = Device(cast, "caseworker")
    case_id, violence = await open_case(cast), await open_case(cast, category=SENSITIVE)
    for to in ("assessment", "planning"):
        answered(await device.client.post(f"/cases/{violence}/transitions", json={"to": to}), 200)
    step = {"op": "transition", "type": "case"}
    without = {"op": "create", "type": "note", "id": str(uuid4())}
    results = await device.push(
        {**step, "id": case_id, "data": {"to": "follow_up"}},
        {**step, "id": violence, "data": {"to": "implementation"}},
        {**without, "data": {"text": "On no case."}},
        {**without, "data": {"text": "On no case.", "case_id": "this one"}},
        {"op": "update", "type": "case", "id": case_id, "if_match": '"7", *', "data": {"summary": "Over everything."}},
    )
    assert [result["status"] for result in results] == [409, 409, 422, 422, 422]
    assert (results[0]["code"], set(results[0]["allowed"])) == (
        "illegal_transition",
        {"assessment", "implementation", "closed"},
    )
    assert (results[1]["code"], results[1]["missing"]) == ("plan_incomplete", ["assessment"])
    assert [(one["errors"][0]["pointer"], one["errors"][0]["code"]) for one in results[2:]] == [
        ("/data/case_id", "required"),
        ("/data/case_id", "invalid_id"),
        ("/if_match", "not_allowed"),
    ]
    assert answered(await device.client.get(f"/cases/{case_id}"), 200)["version"] == 1


async def test_what_was_written_for_a_case_that_was_closed_meanwhile_comes_back_with_the_case(cast: Cast) -> None:
    device = Device(cast, "caseworker")
    case_id = await open_case(cast)
    due = (cast.clock() + timedelta(days=2)).isoformat()
    planned = await plan(cast, case_id, due)
    closing = {"to": "closed", "reason": "Elsewhere.", "closure": {"reason": "not_eligible"}}
    answered(await device.client.post(f"/cases/{case_id}/transitions", json=closing), 200)
    done = {"case_id": case_id, "outcome": "met_safe", "happened_at": cast.clock().isoformat()}
    results = await device.push(
        {"op": "transition", "type": "follow_up", "id": planned["id"], "data": done},
        {"op": "update", "type": "case", "id": case_id, "if_match": '"2"', "data": {"summary": "Later."}},
    )
    for result in results:
        assert (result["status"], result["code"]) in {(409, "case_closed"), (412, "precondition_failed")}
        assert result["current"]["status"] == "closed"


async def test_what_comes_before_what_it_needs_is_refused_and_may_be_sent_again(cast: Cast) -> None:
    device, own_id = Device(cast, "caseworker"), str(uuid4())
    written = {**new_note(own_id), "idempotency_key": uuid4().hex}
    opened = {"op": "create", "type": "case", "id": own_id, "data": intake(), "idempotency_key": uuid4().hex}
    assert [result["status"] for result in await device.push(written, opened)] == [404, 201]
    assert [result["status"] for result in await device.push(opened, written)] == [201, 201]


async def test_an_id_that_is_taken_by_something_hidden_makes_a_new_row(cast: Cast) -> None:
    hidden = await open_case(cast, "stranger", category=SENSITIVE)
    hidden_note = await note(cast, hidden, "stranger")
    due = (cast.clock() + timedelta(days=2)).isoformat()
    hidden_plan = (await plan(cast, hidden, due, "stranger"))["id"]
    hidden_step = (await add_action(cast, hidden, "stranger"))["id"]
    case_id, seen = await open_case(cast), await open_case(cast, "colleague")
    planned = {"case_id": case_id, "due_at": due, "channel": "visit"}
    step = {"case_id": case_id, "title": "Ask", "need": "documents", "due_on": due[:10]}
    device = Device(cast, "caseworker")
    *made, taken = await device.push(
        {"op": "create", "type": "case", "id": hidden, "data": intake()},
        new_note(case_id, id=hidden_note),
        {"op": "create", "type": "follow_up", "id": hidden_plan, "data": planned},
        {"op": "create", "type": "action", "id": hidden_step, "data": step},
        {"op": "create", "type": "case", "id": seen, "data": intake()},
    )
    assert [one["status"] for one in (*made, taken)] == [201, 201, 201, 201, 409]
    assert not {one["id"] for one in made} & {hidden, hidden_note, hidden_plan, hidden_step}
    answered(await device.client.get(f"/cases/{made[0]['id']}"), 200)
    answered(await device.client.get(f"/cases/{hidden}"), 404)
    for left in (f"notes/{hidden_note}", f"follow-ups/{hidden_plan}", f"actions/{hidden_step}"):
        answered(await cast.client("stranger").get(f"/cases/{hidden}/{left}"), 200)


async def test_each_item_stands_in_the_trail_by_itself(cast: Cast, superuser: psycopg.Connection[Any]) -> None:
    case_id, unknown = await open_case(cast), str(uuid4())
    await Device(cast, "caseworker").push(new_note(case_id), new_note(unknown))
    rows = superuser.execute(
        "select action, status, case_ids::text[] from audit_events where actor_id = %s order by at, seq",
        [cast.id("caseworker")],
    ).fetchall()
    assert ("add_note", 201, [case_id]) in rows
    assert ("add_note", 404, [unknown]) in rows


async def test_a_device_whose_session_was_ended_is_told_to_delete_what_it_holds(cast: Cast, clock: FrozenClock) -> None:
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    device, other = cast.client(who), cast.sessions[who]
    token = {"Authorization": f"Bearer {cast.runtime.tokens.issue(cast.users[who].id, other, clock())[0]}"}
    answered(await device.delete(f"/auth/sessions/{other}"), 204)
    for call in (device.get("/sync", headers=token), device.post("/sync", json={"items": []}, headers=token)):
        wiped = await call
        assert (wiped.status_code, wiped.json()["code"]) == (410, "device_wiped")
    answered(await device.get("/cases", headers=token), 401)
    clock.at += timedelta(days=2)  # the phone was off; its token ran out long ago
    assert (await device.get("/sync", headers=token)).status_code == 410


async def test_a_token_that_ran_out_is_no_reason_to_delete_anything(cast: Cast, clock: FrozenClock) -> None:
    sessions = cast.sessions["second_supervisor"]
    token = cast.runtime.tokens.issue(cast.users["second_supervisor"].id, sessions, clock())[0]
    clock.at += timedelta(hours=1)
    answer = await cast.client("second_supervisor").get("/sync", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    nobody = await cast.client("second_supervisor").get("/sync", headers={"Authorization": "Bearer x"})
    assert nobody.status_code == 401


async def test_a_home_visit_arrives_with_an_id_of_its_own(cast: Cast) -> None:
    home, device, own_id = await household(cast), Device(cast, "caseworker"), str(uuid4())
    await visit(cast, household_id=home)  # that others exist takes no id
    data = {**VISIT, "household_id": home}
    item = {"op": "create", "type": "home_visit", "id": own_id, "data": data, "idempotency_key": uuid4().hex}
    for _ in range(2):  # once more, because the answer was lost
        (result,) = await device.push(item)
        assert (result["status"], result["id"], result["version"]) == (201, own_id, 1)
    read = answered(await cast.client("caseworker").get(f"/home-visits/{own_id}"), 200)
    assert (read["household_id"], read["case_id"]) == (home, None)
    (taken,) = await device.push({**item, "idempotency_key": uuid4().hex})
    assert taken["status"] == 409
    for change in ("update", "transition"):
        (result,) = await device.push({**item, "op": change, "idempotency_key": uuid4().hex})
        assert result["status"] == 422


async def test_a_home_visit_of_a_case_is_pushed_by_who_works_on_it(cast: Cast) -> None:
    case_id, hidden = await open_case(cast, category=SENSITIVE), await open_case(cast, "colleague", SENSITIVE)
    home, device = await household(cast), Device(cast, "caseworker")
    statuses = []
    for own in (case_id, hidden, "x"):
        data = {**VISIT, "household_id": home, "case_id": own}
        item = {"op": "create", "type": "home_visit", "id": str(uuid4()), "data": data}
        (result,) = await device.push({**item, "idempotency_key": uuid4().hex})
        statuses.append(result["status"])
    assert statuses == [201, 404, 422]


async def test_the_id_of_a_hidden_visit_is_free_for_who_does_not_see_it(cast: Cast) -> None:
    hidden = (await visit(cast, "colleague", topics=["domestic_violence"]))["id"]
    data = {**VISIT, "household_id": await household(cast)}
    item = {"op": "create", "type": "home_visit", "id": hidden, "data": data, "idempotency_key": uuid4().hex}
    (result,) = await Device(cast, "caseworker").push(item)
    assert result["status"] == 201
    assert result["id"] != hidden
