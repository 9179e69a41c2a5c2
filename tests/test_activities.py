"""Activities: how many came adds up, who came is known to few, and what others build on stays."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.models.codes.people import Role
from app.security import Runtime
from benchmarks.capture import recording
from tests import programme
from tests.acts import call_as, listed, newcomer, without_instance
from tests.cases import open_case
from tests.cast import COMMUNE, OTHER_COMMUNE, VILLAGE, Cast, answered
from tests.programme import ACTIVITY, CAMPAIGN, WOMEN, activity, changed, made, person, refused

Superuser = psycopg.Connection[Any]
PATH = "/activities"


async def test_an_activity_is_read_as_it_was_written_down(cast: Cast) -> None:
    answer = await cast.client("caseworker").post(PATH, json={**ACTIVITY, "village_code": VILLAGE})
    one = answered(answer, 201)
    assert answer.headers["Location"] == f"/api/v1/activities/{one['id']}"
    read = await cast.client("colleague").get(f"{PATH}/{one['id']}")
    assert read.headers["ETag"] == answer.headers["ETag"] == '"1"'
    assert answered(read, 200) == {**one, "participants": None}
    assert one["attendance"] == ACTIVITY["attendance"]
    assert (one["ends_on"], one["topics"], one["campaign"]) == (ACTIVITY["starts_on"], ["nutrition"], None)
    assert one["recorded_by"]["id"] == cast.id("caseworker")


@pytest.mark.parametrize(
    ("attendance", "wrong"),
    [
        ({"total": 13, "by": [{**WOMEN, "people": 12}]}, ("/attendance/by", "attendance_not_total")),
        ({"total": 11, "by": [{**WOMEN, "people": 12}]}, ("/attendance/by", "attendance_not_total")),
        ({"total": 3, "by": []}, ("/attendance/by", "attendance_not_total")),
        ({"total": 2, "by": [{**WOMEN, "people": 1}, {**WOMEN, "people": 1}]}, ("/attendance/by/1", "repeated")),
        (
            {"total": 1, "by": [{**WOMEN, "people": 1}], "groups": [{"group": "police", "people": 2}]},
            ("/attendance/groups/0/people", "group_above_total"),
        ),
        (
            {"total": 1, "by": [{**WOMEN, "people": 1}], "groups": [{"group": "police", "people": 1}] * 2},
            ("/attendance/groups/1", "repeated"),
        ),
        ({"total": 0, "by": [{**WOMEN, "people": 0}]}, ("/attendance/by/0/people", "out_of_range")),
    ],
)
async def test_attendance_that_does_not_add_up_is_refused(
    cast: Cast, attendance: dict[str, Any], wrong: tuple[str, str]
) -> None:
    assert await refused(cast, "caseworker", PATH, {**ACTIVITY, "attendance": attendance}) == wrong


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"starts_on": "2199-01-01"}, ("/starts_on", "in_the_future")),
        ({"starts_on": "2009-12-31"}, ("/starts_on", "before_the_programme")),
        ({"ends_on": "2199-01-01"}, ("/ends_on", "in_the_future")),
        ({"ends_on": "2026-02-28"}, ("/ends_on", "too_early")),
        ({"recorded_at": "2199-01-01T00:00:00Z"}, ("/recorded_at", "in_the_future")),
        ({"commune_code": "999999"}, ("/commune_code", "unknown_area")),
        ({"commune_code": "1702"}, ("/commune_code", "invalid_format")),
        ({"commune_code": OTHER_COMMUNE, "village_code": VILLAGE}, ("/village_code", "unknown_area")),
        ({"campaign": CAMPAIGN["campaign"]}, ("/campaign", "campaign_mismatch")),
        ({"kind": "media_campaign"}, ("/campaign", "campaign_mismatch")),
        ({**CAMPAIGN}, ("/attendance", "not_of_a_campaign")),
        ({"topics": ["secrets"]}, ("/topics/0", "unknown_code")),
    ],
)
async def test_what_cannot_be_is_refused(cast: Cast, body: dict[str, Any], wrong: tuple[str, str]) -> None:
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    assert await refused(cast, who, PATH, {**ACTIVITY, **body}) == wrong


async def test_reach_is_not_participation(cast: Cast) -> None:
    one = await made(cast, "caseworker", PATH, CAMPAIGN)
    assert (one["attendance"], one["campaign"]) == (None, CAMPAIGN["campaign"])
    counted = {"total": 1, "by": [{**WOMEN, "people": 1}], "groups": []}
    await changed(cast, "caseworker", f"{PATH}/{one['id']}", 422, attendance=counted)
    await changed(cast, "caseworker", f"{PATH}/{one['id']}", 422, campaign=None)
    await changed(cast, "caseworker", f"{PATH}/{one['id']}", 422, kind="public_forum")
    forum = await changed(cast, "caseworker", f"{PATH}/{one['id']}", kind="public_forum", campaign=None)
    assert forum["campaign"] is None


async def test_who_came_is_known_to_who_wrote_it_down_and_to_supervisors_alone(cast: Cast) -> None:
    her = await person(cast)
    one = await activity(cast, participants=[{"person_id": her, "group": "smart_woman"}])
    named = [{"person_id": her, "group": "smart_woman"}]
    assert one["participants"] == named
    for who, seen in (("caseworker", named), ("supervisor", named), ("colleague", None)):
        read = answered(await cast.client(who).get(f"{PATH}/{one['id']}"), 200)
        assert read["participants"] == seen
        assert "participants" not in (await listed(cast, who, PATH))[0]
    await cast.add("inside", Role.CCWC_LIAISON, "ngo", [COMMUNE])
    assert answered(await cast.client("inside").get(f"{PATH}/{one['id']}"), 200)["participants"] is None


async def test_who_is_named_is_kept_as_she_was_that_day(cast: Cast, superuser: Superuser) -> None:
    none = dict.fromkeys(("seeing", "hearing", "walking", "remembering", "self_care", "communicating"), "none")
    girl = await person(cast, birth_date="2008-02-20", birth_date_precision="day", disability=none)
    blind = await person(cast, disability={**none, "seeing": "cannot_do", "walking": "unknown"})
    unknown = await person(cast, disability={**none, "walking": "unknown"})
    named = [{"person_id": own_id} for own_id in (girl, blind, unknown)]
    one = await activity(cast, starts_on="2026-02-19", participants=named)
    kept = "select sex, age_band, disability from activity_participants where activity_id = %s and person_id = %s"

    def at(own_id: str) -> Any:
        return superuser.execute(kept, [one["id"], own_id]).fetchone()

    assert at(girl) == ("female", "12-17", False)
    assert (at(blind)[2], at(unknown)) == (True, ("female", "unknown", None))
    await changed(cast, "caseworker", f"{PATH}/{one['id']}", starts_on="2026-02-20")  # her birthday
    assert at(girl) == ("female", "18-29", False)


async def test_no_more_are_named_than_came(cast: Cast) -> None:
    women = [{"person_id": await person(cast)} for _ in range(2)]
    man = {"person_id": await person(cast, sex="male")}
    for by, named, fits in (
        ([{**WOMEN, "people": 1}], women, False),
        ([{**WOMEN, "people": 2}], women, True),
        ([{**WOMEN, "people": 3}], [man], False),
        ([{**WOMEN, "people": 3}, {**WOMEN, "sex": "male", "people": 1}], [man, *women], True),
        ([{**WOMEN, "people": 1}, {**WOMEN, "sex": "male", "people": 4}], women, False),
        ([{**WOMEN, "people": 1}, {**WOMEN, "sex": "unknown", "people": 1}], women, True),
    ):
        total = sum(cell["people"] for cell in by)
        body = {**ACTIVITY, "attendance": {"total": total, "by": by}, "participants": named}
        if fits:
            one = await made(cast, "caseworker", PATH, body)
        else:
            assert await refused(cast, "caseworker", PATH, body) == ("/participants", "more_named_than_came")
    fewer = {"total": 1, "by": [{**WOMEN, "people": 1}], "groups": []}
    await changed(cast, "caseworker", f"{PATH}/{one['id']}", 422, attendance=fewer)
    await changed(cast, "caseworker", f"{PATH}/{one['id']}", attendance=fewer, participants=women[:1])
    nobody = {**ACTIVITY, "attendance": None, "participants": women}
    assert await refused(cast, "caseworker", PATH, nobody) == ("/participants", "more_named_than_came")
    twice = {**ACTIVITY, "participants": [women[0], women[0]]}
    assert await refused(cast, "caseworker", PATH, twice) == ("/participants/1/person_id", "repeated")


async def test_a_hidden_person_who_is_named_does_not_exist(cast: Cast) -> None:
    hidden_case = await open_case(cast, "colleague", "domestic_violence")
    client = answered(await cast.client("colleague").get(f"/cases/{hidden_case}"), 200)["client"]["id"]
    elsewhere = await person(cast, "stranger")
    told = [
        without_instance(
            await cast.client("caseworker").post(PATH, json={**ACTIVITY, "participants": [{"person_id": own_id}]})
        )
        for own_id in (str(uuid4()), client, elsewhere)
    ]
    assert {status for status, _, _ in told} == {404}
    assert len({body for _, body, _ in told}) == 1
    body = {**ACTIVITY, "participants": [{"person_id": client}]}
    assert await refused(cast, "colleague", PATH, body) == ("/participants/0/person_id", "not_of_the_register")


async def test_only_its_recorder_and_supervisors_change_an_activity(cast: Cast) -> None:
    one = await activity(cast)
    path = f"{PATH}/{one['id']}"
    await changed(cast, "colleague", path, 403, topics=[])
    await changed(cast, "stranger", path, 404, topics=[])
    after = await changed(cast, "supervisor", path, topics=["flood", "flood"])
    assert (after["topics"], after["version"], after["recorded_by"]["id"]) == (["flood"], 2, cast.id("caseworker"))
    for who, status in (("stranger", 404), ("colleague", 403), ("caseworker", 204)):
        gone = await cast.client(who).delete(path, headers={"If-Match": '"2"'})
        assert gone.status_code == status
    assert (await cast.client("supervisor").get(path)).status_code == 404


async def test_a_recorder_who_moved_changes_nothing_of_the_earlier_organisation(
    cast: Cast, superuser: Superuser
) -> None:
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    one = await activity(cast, who)
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    move = "update users set organisation_id = %s where id = %s"
    superuser.execute(move, [cast.organisation("other_ngo"), cast.id(who)])
    await changed(cast, who, f"{PATH}/{one['id']}", 404, topics=[])


async def test_a_change_needs_the_version_that_was_seen_and_deletes_in_the_trail(
    cast: Cast, superuser: Superuser
) -> None:
    path = f"{PATH}/{(await activity(cast))['id']}"
    client = cast.client("caseworker")
    assert (await client.patch(path, json={"topics": []})).status_code == 428
    assert (await client.delete(path)).status_code == 428
    assert (await client.delete(path, headers={"If-Match": '"7"'})).status_code == 412
    assert (await client.patch(path, json={}, headers={"If-Match": '"1"'})).headers["ETag"] == '"1"'
    answered(await client.delete(path, headers={"If-Match": '"1"'}), 204)
    row = superuser.execute(
        "select actor_id::text, action, status from audit_events where subject_id = %s order by at, seq desc limit 1",
        [path.rpartition("/")[2]],
    ).fetchone()
    assert row == (cast.id("caseworker"), "delete_activity", 204)
    left = "select count(*) from activity_attendance where activity_id = %s"
    assert superuser.execute(left, [path.rpartition("/")[2]]).fetchone() == (0,)


async def test_an_activity_on_which_others_rest_is_not_deleted(cast: Cast) -> None:
    for add in (programme.commitment, programme.business):
        one = await activity(cast)
        resting = await add(cast, activity_id=one["id"])
        path = f"{PATH}/{one['id']}"
        gone = await cast.client("caseworker").delete(path, headers={"If-Match": "*"})
        assert answered(gone, 409)["code"] == "in_use"
        kind = "commitments" if add is programme.commitment else "businesses"
        answered(await cast.client("caseworker").delete(f"/{kind}/{resting['id']}", headers={"If-Match": "*"}), 204)
        answered(await cast.client("caseworker").delete(path, headers={"If-Match": "*"}), 204)


async def test_a_list_is_narrowed_by_kind_topic_place_and_day(cast: Cast) -> None:
    who = await newcomer(cast, Role.SUPERVISOR, "ngo")
    first = (await activity(cast, who, starts_on="2025-01-05", topics=["barbering"]))["id"]
    elsewhere: dict[str, Any] = {"commune_code": OTHER_COMMUNE, "kind": "public_forum"}
    second = (await activity(cast, who, starts_on="2025-01-06", topics=["barbering"], **elsewhere))["id"]

    async def found(**query: Any) -> list[str]:
        return [one["id"] for one in await listed(cast, who, PATH, topic="barbering", **query)]

    assert await found() == [second, first] or sorted(await found()) == sorted([first, second])
    assert await found(kind="health_training") == [first]
    assert sorted(await found(kind=["health_training", "public_forum"])) == sorted([first, second])
    assert await found(commune_code=OTHER_COMMUNE) == [second]
    assert await found(**{"from": "2025-01-06"}) == [second]
    assert await found(until="2025-01-05") == [first]
    assert sorted(await found(**{"from": "2025-01-05", "until": "2025-01-06"})) == sorted([first, second])
    assert await found(**{"from": "2025-01-07"}) == []
    for query in ("from=2025-13-01", "commune_code=17", "kind=x", "starts_on=2025-01-05"):
        assert (await cast.client(who).get(f"{PATH}?{query}")).status_code == 422


async def test_the_programme_works_where_the_admin_says(cast: Cast) -> None:
    await cast.add("programmed", Role.CASEWORKER, "other_ngo", [])
    organisation = f"/organisations/{cast.organisation('other_ngo')}"
    for codes in (["999999"], [VILLAGE], ["17"], None):
        await changed(cast, "admin", organisation, 422, programme_communes=codes)
    await activity(cast, "programmed", commune_code=OTHER_COMMUNE)
    told = await changed(cast, "admin", organisation, programme_communes=[COMMUNE, COMMUNE])
    assert told["programme_communes"] == [COMMUNE]
    body = {**ACTIVITY, "commune_code": OTHER_COMMUNE}
    assert await refused(cast, "programmed", PATH, body) == ("/commune_code", "outside_programme")
    one = await activity(cast, "programmed")
    await changed(cast, "programmed", f"{PATH}/{one['id']}", 422, commune_code=OTHER_COMMUNE)
    assert (await activity(cast, commune_code=OTHER_COMMUNE))["commune_code"] == OTHER_COMMUNE  # of another's programme
    await changed(cast, "admin", organisation, programme_communes=[])
    await changed(cast, "programmed", f"{PATH}/{one['id']}", commune_code=OTHER_COMMUNE)


async def test_a_page_asks_as_many_queries_for_many_activities_as_for_one(cast: Cast, runtime: Runtime) -> None:
    counted = []
    for limit in (1, 20):
        for _ in range(limit):
            await activity(cast)
        with recording(runtime.database.engine) as statements:
            page = answered(await cast.client("caseworker").get(PATH, params={"limit": limit}), 200)
        assert len(page["items"]) == limit
        counted.append(len(statements))
    assert counted[0] == counted[1] <= 6


async def test_when_it_was_written_down_and_when_it_arrived_are_both_kept(cast: Cast) -> None:
    one = await activity(cast, recorded_at="2026-03-01T08:00:00+07:00")
    assert one["recorded_at"] == "2026-03-01T01:00:00Z"
    now = cast.clock().isoformat().replace("+00:00", "Z")
    assert (one["received_at"], (await activity(cast))["recorded_at"]) == (now, now)


async def test_a_repeated_request_makes_one_activity(cast: Cast) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    first = await cast.client("caseworker").post(PATH, json=ACTIVITY, headers=key)
    again = await cast.client("caseworker").post(PATH, json=ACTIVITY, headers=key)
    assert (answered(again, 201)["id"], again.headers["Idempotency-Replayed"]) == (answered(first, 201)["id"], "true")


async def test_the_database_hides_who_came_from_a_colleague(cast: Cast, app_settings: Any, database: Any) -> None:
    one = await activity(cast, participants=[{"person_id": await person(cast)}])
    count = "select count(*) from activity_participants where activity_id = %s"
    assert call_as(cast, database, "caseworker", count, one["id"]) == 1
    assert call_as(cast, database, "colleague", count, one["id"]) == 0
