"""Home visits: a neighbour who reads one learns nothing of what goes on in that house."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.models.codes.people import Role
from app.security import Runtime
from benchmarks.capture import recording
from tests.acts import assign, break_glass, exclude, finds, listed, newcomer, without_instance
from tests.cases import open_case
from tests.cast import COMMUNE, VILLAGE, Cast, answered
from tests.programme import DAY, VISIT, changed, household, made, refused, visit

Superuser = psycopg.Connection[Any]
PATH = "/home-visits"
SENSITIVE = "domestic_violence"
REASONS: list[dict[str, Any]] = [
    *({"topics": ["nutrition", topic]} for topic in ("domestic_violence", "family_planning", "marital_issue")),
    *({"outcome": outcome} for outcome in ("case_opened", "referred", "follow_up_planned")),
]


async def status(cast: Cast, who: str, visit_id: str) -> int:
    return (await cast.client(who).get(f"{PATH}/{visit_id}")).status_code


async def sees(cast: Cast, who: str, visit_id: str) -> bool:
    """By id and in the list, which must agree."""
    by_id = await status(cast, who, visit_id) == 200
    assert by_id == await finds(cast, who, visit_id, PATH)
    return by_id


async def test_a_visit_is_read_as_it_was_written_down(cast: Cast) -> None:
    home = await household(cast, village_code=VILLAGE)
    body = {**VISIT, "household_id": home, "next_visit_on": "2026-09-01", "caseworker_id": cast.id("colleague")}
    answer = await cast.client("caseworker").post(PATH, json=body)
    one = answered(answer, 201)
    assert answer.headers["Location"] == f"/api/v1{PATH}/{one['id']}"
    assert (one["commune_code"], one["case_id"]) == (COMMUNE, None)
    assert one["caseworker"]["id"] == cast.id("colleague")
    assert answered(await cast.client("colleague").get(f"{PATH}/{one['id']}"), 200) == one
    assert (await visit(cast))["commune_code"] is None  # of a household whose village nobody wrote down


@pytest.mark.parametrize("reason", REASONS)
async def test_what_may_lead_to_a_case_is_for_its_recorder_alone(cast: Cast, reason: dict[str, Any]) -> None:
    one = await visit(cast, **reason)
    assert await sees(cast, "caseworker", one["id"])
    for who in ("colleague", "supervisor", "stranger", "other_supervisor"):
        assert not await sees(cast, who, one["id"])
    hidden, unknown = [
        without_instance(await cast.client("colleague").get(f"{PATH}/{own_id}")) for own_id in (one["id"], uuid4())
    ]
    assert hidden == unknown
    for who in ("colleague", "supervisor"):
        await changed(cast, who, f"{PATH}/{one['id']}", 404, topics=[])
        await changed(cast, who, f"{PATH}/{one['id']}", 404, no_such_field=1)
        gone = await cast.client(who).delete(f"{PATH}/{one['id']}", headers={"If-Match": "*"})
        assert gone.status_code == 404


@pytest.mark.parametrize("reason", REASONS)
async def test_a_change_that_makes_it_matter_hides_it_at_once(cast: Cast, reason: dict[str, Any]) -> None:
    one = await visit(cast)
    assert await sees(cast, "colleague", one["id"])
    await changed(cast, "caseworker", f"{PATH}/{one['id']}", **reason)
    assert not await sees(cast, "colleague", one["id"])
    assert await sees(cast, "caseworker", one["id"])
    await changed(cast, "caseworker", f"{PATH}/{one['id']}", **{name: VISIT[name] for name in reason})
    assert await sees(cast, "colleague", one["id"])


async def test_a_visit_for_a_case_is_for_who_sees_that_case(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    one = await visit(cast, case_id=case_id)
    assert one["case_id"] == case_id
    assert not await sees(cast, "colleague", one["id"])
    assert not await sees(cast, "supervisor", one["id"])
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    assert await sees(cast, "supervisor", one["id"])
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    await break_glass(cast, superuser, case_id, who)
    assert await sees(cast, who, one["id"])
    read = answered(await cast.client(who).get(f"{PATH}/{one['id']}"), 200)
    assert read["case_id"] == case_id
    await changed(cast, who, f"{PATH}/{one['id']}", 403, topics=[])
    of_case = await listed(cast, "supervisor", PATH, case_id=case_id)
    assert [found["id"] for found in of_case] == [one["id"]]
    for hidden in (case_id, str(uuid4())):
        assert (await cast.client("colleague").get(PATH, params={"case_id": hidden})).status_code == 404


async def test_who_is_excluded_from_the_case_loses_the_visit_that_she_recorded(cast: Cast) -> None:
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    case_id = await open_case(cast, category=SENSITIVE)
    await assign(cast, "caseworker", case_id, who, "caseworker")
    one = await visit(cast, who, case_id=case_id)
    await exclude(cast, "caseworker", case_id, who)
    assert not await sees(cast, who, one["id"])
    assert await sees(cast, "caseworker", one["id"])


async def test_a_recorder_who_no_longer_sees_the_case_is_not_told_of_it(cast: Cast) -> None:
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    case_id = await open_case(cast, category=SENSITIVE)
    assignment = await assign(cast, "caseworker", case_id, who, "caseworker")
    one = await visit(cast, who, case_id=case_id)
    answered(await cast.client("caseworker").delete(f"/cases/{case_id}/assignments/{assignment}"), 204)
    assert await sees(cast, who, one["id"])
    assert answered(await cast.client(who).get(f"{PATH}/{one['id']}"), 200)["case_id"] is None
    assert (await cast.client(who).get(PATH, params={"case_id": case_id})).status_code == 404
    after = await changed(cast, who, f"{PATH}/{one['id']}", topics=["flood"])
    assert after["case_id"] is None


async def test_a_recorder_who_moved_to_another_organisation_sees_nothing_of_the_old_one(
    cast: Cast, superuser: Superuser
) -> None:
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    visits = [(await visit(cast, who, **reason))["id"] for reason in ({}, REASONS[0])]
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    move = "update users set organisation_id = %s where id = %s"
    superuser.execute(move, [cast.organisation("other_ngo"), cast.id(who)])
    for own_id in visits:
        assert not await sees(cast, who, own_id)


async def test_a_liaison_sees_no_visit_not_even_of_the_case_she_works_on(cast: Cast) -> None:
    case_id = await open_case(cast, consents=[{"purpose": "ccwc_support", "form": "verbal", "obtained_on": DAY}])
    await assign(cast, "supervisor", case_id, "liaison", "liaison")
    one = await visit(cast, case_id=case_id)
    assert await status(cast, "liaison", one["id"]) == 403
    assert (await cast.client("liaison").get(PATH)).status_code == 403


async def test_a_case_that_is_hidden_cannot_be_named_and_one_only_read_cannot_be_written_to(
    cast: Cast, superuser: Superuser
) -> None:
    hidden = await open_case(cast, "colleague", SENSITIVE)
    home = await household(cast)
    told = [
        without_instance(
            await cast.client("caseworker").post(PATH, json={**VISIT, "household_id": home, "case_id": own_id})
        )
        for own_id in (hidden, str(uuid4()))
    ]
    assert told[0] == told[1]
    assert told[0][0] == 404
    standard = await open_case(cast, "colleague")
    await visit(cast, case_id=standard, code=403)  # of the staff that reads it
    await break_glass(cast, superuser, hidden, "caseworker")
    await visit(cast, case_id=hidden, code=403)  # a look in an emergency is for reading and noting


async def test_a_household_of_another_organisation_does_not_exist(cast: Cast) -> None:
    elsewhere = await household(cast, "stranger")
    told = [
        without_instance(await cast.client("caseworker").post(PATH, json={**VISIT, "household_id": own_id}))
        for own_id in (elsewhere, str(uuid4()))
    ]
    assert told[0] == told[1]
    assert told[0][0] == 404


async def test_the_case_remembers_its_visits(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    one = await visit(cast, case_id=case_id)
    await changed(cast, "caseworker", f"{PATH}/{one['id']}", topics=["flood"])
    answered(await cast.client("caseworker").delete(f"{PATH}/{one['id']}", headers={"If-Match": "*"}), 204)
    told = [
        event for event in await listed(cast, "caseworker", f"/cases/{case_id}/timeline") if "visit" in event["type"]
    ]
    happened = sorted(event["type"] for event in told)
    assert happened == ["home_visit.changed", "home_visit.recorded", "home_visit.removed"]
    assert {event["subject_id"] for event in told} == {one["id"]}


async def test_a_closed_case_takes_no_visit_and_changes_none(cast: Cast) -> None:
    case_id = await open_case(cast)
    one = await visit(cast, case_id=case_id)
    closing = {"to": "closed", "reason": "Elsewhere.", "closure": {"reason": "not_eligible"}}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/transitions", json=closing), 200)
    assert (await visit(cast, case_id=case_id, code=409))["code"] == "case_closed"
    assert (await changed(cast, "caseworker", f"{PATH}/{one['id']}", 409, topics=[]))["code"] == "case_closed"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"visited_on": "2199-01-01"}, ("/visited_on", "in_the_future")),
        ({"visited_on": "2009-12-31"}, ("/visited_on", "before_the_programme")),
        ({"next_visit_on": "2026-02-01"}, ("/next_visit_on", "too_early")),
        ({"recorded_at": "2199-01-01T00:00:00Z"}, ("/recorded_at", "in_the_future")),
        ({"recorded_at": "2020-01-01T00:00:00Z"}, ("/recorded_at", "too_early")),
        ({"outcome": "vanished"}, ("/outcome", "unknown_code")),
        ({"caseworker_id": str(uuid4())}, ("/caseworker_id", "unknown_user")),
    ],
)
async def test_what_cannot_be_is_refused(cast: Cast, body: dict[str, Any], wrong: tuple[str, str]) -> None:
    home = await household(cast)
    assert await refused(cast, "caseworker", PATH, {**VISIT, "household_id": home, **body}) == wrong


@pytest.mark.parametrize(
    ("recorded_at", "told"),
    [
        ("2026-03-01T17:00:00Z", True),  # midnight in Phnom Penh: the day of the visit has begun there, in UTC not yet
        ("2026-03-01T16:59:59Z", False),
        ("2026-03-02T00:30:00+09:00", False),  # the same day by the clock of somewhere else
        ("2026-03-01T20:00:00-05:00", True),
    ],
)
async def test_nobody_writes_down_a_visit_before_its_day_in_phnom_penh(
    cast: Cast, recorded_at: str, told: bool
) -> None:
    body = {**VISIT, "household_id": await household(cast), "visited_on": "2026-03-02", "recorded_at": recorded_at}
    item = {"op": "create", "type": "home_visit", "id": str(uuid4()), "data": body, "idempotency_key": uuid4().hex}
    pushed = answered(await cast.client("caseworker").post("/sync", json={"items": [item]}), 200)["results"]
    assert [one["status"] for one in pushed] == [201 if told else 422]
    if told:
        answered(await cast.client("caseworker").post(PATH, json=body), 201)
    else:
        assert await refused(cast, "caseworker", PATH, body) == ("/recorded_at", "too_early")


async def test_only_a_colleague_of_the_own_staff_was_there(cast: Cast) -> None:
    home = await household(cast)
    for who in ("stranger", "liaison", "partner"):
        body = {**VISIT, "household_id": home, "caseworker_id": cast.id(who)}
        assert await refused(cast, "caseworker", PATH, body) == ("/caseworker_id", "unknown_user")


async def test_only_its_recorder_and_supervisors_change_a_visit(cast: Cast) -> None:
    one = await visit(cast)
    await changed(cast, "colleague", f"{PATH}/{one['id']}", 403, topics=[])
    await changed(cast, "stranger", f"{PATH}/{one['id']}", 404, topics=[])
    assert (await changed(cast, "supervisor", f"{PATH}/{one['id']}", topics=["flood"]))["version"] == 2
    for field in ("household_id", "case_id", "commune_code"):
        await changed(cast, "caseworker", f"{PATH}/{one['id']}", 422, **{field: one["household_id"]})
    stale = await cast.client("caseworker").patch(f"{PATH}/{one['id']}", json={}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412


async def test_nobody_makes_a_colleagues_visit_one_that_she_may_not_see(cast: Cast) -> None:
    one = await visit(cast)
    for reason in REASONS:
        await changed(cast, "supervisor", f"{PATH}/{one['id']}", 403, **reason)
    assert answered(await cast.client("supervisor").get(f"{PATH}/{one['id']}"), 200) == one


async def test_a_list_is_narrowed(cast: Cast) -> None:
    home = await household(cast)
    first = (await visit(cast, household_id=home, visited_on="2026-01-05"))["id"]
    second = (await visit(cast, household_id=home, visited_on="2026-01-06", topics=["flood"], outcome="no_need"))["id"]

    async def found(**query: Any) -> set[str]:
        return {one["id"] for one in await listed(cast, "colleague", PATH, household_id=home, **query)}

    assert await found() == {first, second}
    assert await found(topic="flood") == await found(outcome="no_need") == await found(**{"from": "2026-01-06"})
    assert await found(topic="flood") == {second}
    assert await found(until="2026-01-05") == {first}
    assert await found(caseworker_id=cast.id("colleague")) == set()
    assert (await cast.client("colleague").get(PATH, params={"outcomes": "no_need"})).status_code == 422


async def test_a_page_asks_as_many_queries_for_many_visits_as_for_one(cast: Cast, runtime: Runtime) -> None:
    counted, home = [], await household(cast)
    for limit in (1, 12):
        for _ in range(limit):
            await visit(cast, case_id=await open_case(cast), household_id=home)
        query = {"limit": limit, "household_id": home}
        with recording(runtime.database.engine) as statements:
            page = answered(await cast.client("caseworker").get(PATH, params=query), 200)
        assert len(page["items"]) == limit
        counted.append(len(statements))
    assert counted[0] == counted[1] <= 6


async def test_who_reads_the_visit_of_a_case_is_in_its_access_report(cast: Cast) -> None:
    case_id = await open_case(cast)
    one = await visit(cast, case_id=case_id)
    answered(await cast.client("colleague").get(f"{PATH}/{one['id']}"), 200)
    report = await listed(cast, "caseworker", f"/cases/{case_id}/access-report")
    assert (cast.id("colleague"), "read_home_visit") in [(row["actor"]["id"], row["action"]) for row in report]


async def test_a_repeated_request_makes_one_visit(cast: Cast) -> None:
    body, key = {**VISIT, "household_id": await household(cast)}, {"Idempotency-Key": uuid4().hex}
    first = await cast.client("caseworker").post(PATH, json=body, headers=key)
    again = await cast.client("caseworker").post(PATH, json=body, headers=key)
    assert answered(again, 201)["id"] == answered(first, 201)["id"]
    assert (await made(cast, "caseworker", PATH, body))["id"] != first.json()["id"]
