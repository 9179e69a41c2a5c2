"""Commitments: what leaders promised, told without the name of anybody."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.models.codes.people import Role
from app.security import Runtime
from benchmarks.capture import recording
from tests.acts import assign, listed, newcomer, without_instance
from tests.cases import SUPPORT, open_case
from tests.cast import COMMUNE, OTHER_COMMUNE, Cast, answered
from tests.programme import COMMITMENT, activity, changed, commitment, made, person, refused

Superuser = psycopg.Connection[Any]
PATH = "/commitments"


async def test_a_commitment_is_read_as_it_was_written_down(cast: Cast) -> None:
    meeting = (await activity(cast, kind="leader_meeting"))["id"]
    answer = await cast.client("caseworker").post(PATH, json={**COMMITMENT, "activity_id": meeting})
    one = answered(answer, 201)
    assert answer.headers["Location"] == f"/api/v1{PATH}/{one['id']}"
    assert (one["status"], one["status_on"], one["evidence"]) == ("open", None, None)
    assert {name: one[name] for name in COMMITMENT} == COMMITMENT
    for who in ("caseworker", "colleague", "supervisor"):
        assert answered(await cast.client(who).get(f"{PATH}/{one['id']}"), 200) == one
    for who in ("stranger", "liaison"):
        assert (await cast.client(who).get(f"{PATH}/{one['id']}")).status_code == 404


async def test_its_words_are_sealed_and_their_key_goes_with_them(cast: Cast, superuser: Superuser) -> None:
    one = await commitment(cast, what="A lamp at the deepest well.")
    row = superuser.execute("select sealed, commitments::text from commitments where id = %s", [one["id"]]).fetchone()
    assert row is not None
    assert b"lamp" not in bytes(row[0])
    assert "lamp" not in row[1]
    keys = "select count(*) from vault.data_keys where home = %s"
    assert superuser.execute(keys, [one["id"]]).fetchone() == (1,)
    answered(await cast.client("caseworker").delete(f"{PATH}/{one['id']}", headers={"If-Match": "*"}), 204)
    assert superuser.execute(keys, [one["id"]]).fetchone() == (0,)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"due_on": "2026-02-28"}, ("/due_on", "too_early")),
        ({"made_on": "2199-01-01", "due_on": None}, ("/made_on", "in_the_future")),
        ({"made_on": "2009-12-31"}, ("/made_on", "before_the_programme")),
        ({"status": "kept"}, ("/status_on", "status_mismatch")),
        ({"status_on": "2026-03-01"}, ("/status_on", "status_mismatch")),
        ({"status": "kept", "status_on": "2026-02-28"}, ("/status_on", "too_early")),
        ({"status": "kept", "status_on": "2199-01-01"}, ("/status_on", "in_the_future")),
        ({"promised_by": "Sok Dara"}, ("/promised_by", "unknown_code")),
        ({"what": ""}, ("/what", "text_empty")),
        ({"what": "x" * 2001}, ("/what", "text_too_long")),
    ],
)
async def test_what_cannot_be_is_refused(cast: Cast, body: dict[str, Any], wrong: tuple[str, str]) -> None:
    assert await refused(cast, "caseworker", PATH, {**COMMITMENT, **body}) == wrong


async def test_a_promise_is_kept_broken_or_corrected_back_to_open(cast: Cast) -> None:
    path = f"{PATH}/{(await commitment(cast))['id']}"
    for status in ("kept", "broken", "withdrawn"):
        await changed(cast, "caseworker", path, 422, status=status)
        after = await changed(cast, "caseworker", path, status=status, status_on="2026-03-02")
        assert (after["status"], after["status_on"]) == (status, "2026-03-02")
        after = await changed(cast, "caseworker", path, status="open")
        assert (after["status"], after["status_on"]) == ("open", None)
    await changed(cast, "caseworker", path, 422, made_on="2026-06-02")
    await changed(cast, "caseworker", path, 422, due_on="2026-02-01")
    assert (await changed(cast, "caseworker", path, due_on=None))["due_on"] is None
    after = await changed(cast, "caseworker", path, evidence="Two lists were seen.")
    assert (after["what"], after["evidence"]) == (COMMITMENT["what"], "Two lists were seen.")


NAMES = [
    {"family_name_en": "Veasna", "given_name_en": "Kunthea"},
    {"family_name_km": "វាសនា", "given_name_km": "គន្ធាវី"},
    {"alias": "Lotus Rivermouth"},
    {"known_as": "mother of Rattanakiri"},
]
TOLD = [
    (NAMES[0], "He will visit Veasna Kunthea.", True),
    (NAMES[0], "He will visit kunthea, VEASNA'S daughter.", True),
    (NAMES[0], "He will visit the family Veasna.", False),
    (NAMES[0], "He will visit Veasnakunthea street.", False),
    (NAMES[1], "មេឃុំនឹងជួយវាសនា គន្ធាវីនៅថ្ងៃស្អែក", True),
    (NAMES[1], "មេឃុំនឹងជួយគន្ធាវីវាសនានៅថ្ងៃស្អែក", True),
    (NAMES[1], "មេឃុំនឹងជួយវាសនានៅថ្ងៃស្អែក", False),
    (NAMES[2], "lotus, of the rivermouth, gets a card.", True),
    (NAMES[2], "The lotus gets water.", False),
    (NAMES[3], "A card for the mother of Rattanakiri.", True),
]


@pytest.mark.parametrize(("names", "told", "refusal"), TOLD)
async def test_a_promise_that_names_somebody_of_the_register_is_refused(
    cast: Cast, superuser: Superuser, names: dict[str, str], told: str, refusal: bool
) -> None:
    blank: dict[str, Any] = {"family_name_en": None, "given_name_en": None}
    await person(cast, **{**blank, **names})
    for field in ("what", "evidence"):
        body = {**COMMITMENT, field: told}
        if refusal:
            answer = await cast.client("colleague").post(PATH, json=body)
            assert answered(answer, 422)["errors"][0]["code"] == "names_a_person"
            assert answer.json()["errors"][0]["pointer"] == f"/{field}"
            assert told not in answer.text
        else:
            await made(cast, "colleague", PATH, body)
    one = await commitment(cast)
    await changed(cast, "caseworker", f"{PATH}/{one['id']}", 422 if refusal else 200, evidence=told)


async def test_only_a_name_that_the_caller_may_see_is_refused(cast: Cast) -> None:
    name = {"family_name_en": "Thyda", "given_name_en": "Borameyrath"}
    await open_case(cast, "colleague", "domestic_violence", client={**name, "sex": "female"})
    body = {**COMMITMENT, "what": "Thyda Borameyrath gets a card."}
    assert await refused(cast, "colleague", PATH, body) == ("/what", "names_a_person")
    await made(cast, "caseworker", PATH, body)
    await made(cast, "stranger", PATH, body)


async def test_a_liaison_names_nobody_of_her_cases_either(cast: Cast) -> None:
    name = {"family_name_en": "Phalla", "given_name_en": "Monyrath"}
    case_id = await open_case(cast, client={**name, "sex": "female"}, consents=[SUPPORT])
    body = {**COMMITMENT, "what": "Monyrath Phalla gets a card."}
    await made(cast, "second_liaison", PATH, body)
    await assign(cast, "supervisor", case_id, "second_liaison", "liaison")
    assert await refused(cast, "second_liaison", PATH, body) == ("/what", "names_a_person")


async def test_a_liaison_records_in_communes_of_hers(cast: Cast) -> None:
    one = await commitment(cast, "liaison")
    assert [found["id"] for found in await listed(cast, "liaison", PATH) if found["id"] == one["id"]]
    body = {**COMMITMENT, "commune_code": OTHER_COMMUNE}
    assert await refused(cast, "liaison", PATH, body) == ("/commune_code", "not_your_commune")
    path = f"{PATH}/{one['id']}"
    await changed(cast, "liaison", path, 422, commune_code=OTHER_COMMUNE)
    await changed(cast, "liaison", path, issue="climate")
    await changed(cast, "second_liaison", path, 403, issue="climate")
    await changed(cast, "other_liaison", path, 403, issue="climate")
    assert (await cast.client("caseworker").get(path)).status_code == 404  # of the council, not of the NGO
    answered(await cast.client("liaison").delete(path, headers={"If-Match": "*"}), 204)


async def test_a_liaison_who_lost_a_commune_changes_nothing_of_it(cast: Cast, superuser: Superuser) -> None:
    await cast.add("moving_liaison", Role.CCWC_LIAISON, "council", [COMMUNE])
    path = f"{PATH}/{(await commitment(cast, 'moving_liaison'))['id']}"
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    move = "update users set communes = %s where id = %s"
    superuser.execute(move, [[OTHER_COMMUNE], cast.id("moving_liaison")])
    await changed(cast, "moving_liaison", path, 403, issue="climate")
    gone = await cast.client("moving_liaison").delete(path, headers={"If-Match": "*"})
    assert gone.status_code == 403


async def test_an_activity_of_another_organisation_is_not_there(cast: Cast) -> None:
    elsewhere = (await activity(cast, "stranger"))["id"]
    told = [
        without_instance(await cast.client("caseworker").post(PATH, json={**COMMITMENT, "activity_id": own_id}))
        for own_id in (elsewhere, str(uuid4()))
    ]
    assert told[0] == told[1]
    assert told[0][0] == 404


async def test_only_its_recorder_and_supervisors_change_a_commitment(cast: Cast) -> None:
    path = f"{PATH}/{(await commitment(cast))['id']}"
    await changed(cast, "colleague", path, 403, issue="climate")
    assert (await changed(cast, "supervisor", path, issue="climate"))["version"] == 2
    assert (await cast.client("caseworker").patch(path, json={})).status_code == 428
    stale = await cast.client("caseworker").patch(path, json={}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412


async def test_a_list_is_narrowed(cast: Cast) -> None:
    who = await newcomer(cast, Role.SUPERVISOR, "ngo")
    meeting = (await activity(cast, who))["id"]
    first = (await commitment(cast, who, activity_id=meeting, made_on="2026-01-05", due_on="2026-01-09"))["id"]
    more = {"activity_id": meeting, "made_on": "2026-01-06", "issue": "climate", "promised_by": "school"}
    second = (await commitment(cast, who, status="broken", status_on="2026-02-01", **more))["id"]

    async def found(**query: Any) -> set[str]:
        return {one["id"] for one in await listed(cast, who, PATH, activity_id=meeting, **query)}

    assert await found() == {first, second}
    for query in ({"issue": "climate"}, {"status": "broken"}, {"promised_by": "school"}, {"from": "2026-01-06"}):
        assert await found(**query) == {second}
    for query in ({"status": "open"}, {"until": "2026-01-05"}, {"due_until": "2026-01-09"}):
        assert await found(**query) == {first}
    assert (await cast.client(who).get(PATH, params={"state": "open"})).status_code == 422


async def test_a_page_asks_as_many_queries_for_many_commitments_as_for_one(cast: Cast, runtime: Runtime) -> None:
    counted = []
    for limit in (1, 12):
        for _ in range(limit):
            await commitment(cast)
        with recording(runtime.database.engine) as statements:
            page = answered(await cast.client("caseworker").get(PATH, params={"limit": limit}), 200)
        assert len(page["items"]) == limit
        counted.append(len(statements))
    assert counted[0] == counted[1] <= 6
