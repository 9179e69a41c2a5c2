"""Feedback: what women say of the police is not read by the police's neighbour on the committee."""

from typing import Any

import psycopg
import pytest

from app.models.codes.people import Role
from app.security import Runtime
from benchmarks.capture import recording
from tests.acts import finds, listed, newcomer
from tests.cast import COMMUNE, OTHER_COMMUNE, VILLAGE, Cast, answered
from tests.programme import FEEDBACK, changed, feedback, refused

Superuser = psycopg.Connection[Any]
PATH = "/feedback"
WORDS = FEEDBACK["text"]


async def test_its_words_are_for_who_wrote_them_down_and_for_supervisors(cast: Cast) -> None:
    answer = await cast.client("caseworker").post(PATH, json={**FEEDBACK, "village_code": VILLAGE})
    one = answered(answer, 201)
    assert answer.headers["Location"] == f"/api/v1{PATH}/{one['id']}"
    assert {name: one[name] for name in FEEDBACK} == FEEDBACK
    for who, words in (("caseworker", WORDS), ("supervisor", WORDS), ("colleague", None)):
        assert answered(await cast.client(who).get(f"{PATH}/{one['id']}"), 200) == {**one, "text": words}
        (in_list,) = [found for found in await listed(cast, who, PATH) if found["id"] == one["id"]]
        assert in_list["text"] == words
    for who in ("stranger", "other_supervisor", "liaison"):
        assert (await cast.client(who).get(f"{PATH}/{one['id']}")).status_code == 404


async def test_the_answer_of_the_service_is_as_private_as_the_words(cast: Cast) -> None:
    path = f"{PATH}/{(await feedback(cast))['id']}"
    after = await changed(cast, "caseworker", path, response="It opens at six.", responded_on="2026-03-02")
    assert (after["text"], after["response"], after["responded_on"]) == (WORDS, "It opens at six.", "2026-03-02")
    seen = answered(await cast.client("colleague").get(path), 200)
    assert (seen["text"], seen["response"], seen["responded_on"]) == (None, None, "2026-03-02")
    await changed(cast, "caseworker", path, 422, responded_on="2026-02-28")
    after = await changed(cast, "supervisor", path, text=None)
    assert (after["text"], after["response"]) == (None, "It opens at six.")


async def test_its_words_are_sealed_and_their_key_goes_with_them(cast: Cast, superuser: Superuser) -> None:
    one = await feedback(cast, text="An unmistakable sentence.")
    row = superuser.execute("select sealed, feedback::text from feedback where id = %s", [one["id"]]).fetchone()
    assert row is not None
    assert b"unmistakable" not in bytes(row[0])
    assert "unmistakable" not in row[1]
    keys = "select count(*) from vault.data_keys where home = %s"
    assert superuser.execute(keys, [one["id"]]).fetchone() == (1,)
    answered(await cast.client("caseworker").delete(f"{PATH}/{one['id']}", headers={"If-Match": "*"}), 204)
    assert superuser.execute(keys, [one["id"]]).fetchone() == (0,)


@pytest.mark.parametrize("service", ["commune_office", "police"])
async def test_a_liaison_neither_records_nor_reads_what_is_said_of_commune_office_or_police(
    cast: Cast, service: str
) -> None:
    await feedback(cast, "liaison", 403, public_service=service)
    one = await feedback(cast, "liaison")
    await changed(cast, "liaison", f"{PATH}/{one['id']}", 403, public_service=service)
    await cast.add(f"inside_{service}", Role.CCWC_LIAISON, "ngo", [COMMUNE])
    hidden, shown = await feedback(cast, public_service=service), await feedback(cast)
    who = f"inside_{service}"
    assert (await cast.client(who).get(f"{PATH}/{hidden['id']}")).status_code == 404
    assert not await finds(cast, who, hidden["id"], PATH)
    assert await listed(cast, who, PATH, public_service=service) == []
    read = answered(await cast.client(who).get(f"{PATH}/{shown['id']}"), 200)
    assert read["text"] is None
    await changed(cast, who, f"{PATH}/{hidden['id']}", 404, sentiment="mixed")


async def test_a_liaison_records_in_communes_of_hers(cast: Cast) -> None:
    one = await feedback(cast, "liaison")
    assert one["text"] == WORDS
    body = {**FEEDBACK, "commune_code": OTHER_COMMUNE}
    assert await refused(cast, "liaison", PATH, body) == ("/commune_code", "not_your_commune")
    await changed(cast, "liaison", f"{PATH}/{one['id']}", 422, commune_code=OTHER_COMMUNE)
    assert (await changed(cast, "liaison", f"{PATH}/{one['id']}", sentiment="mixed"))["version"] == 2
    await changed(cast, "second_liaison", f"{PATH}/{one['id']}", 403, sentiment="mixed")
    assert answered(await cast.client("second_liaison").get(f"{PATH}/{one['id']}"), 200)["text"] is None


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"given_on": "2199-01-01"}, ("/given_on", "in_the_future")),
        ({"given_on": "2009-12-31"}, ("/given_on", "before_the_programme")),
        ({"responded_on": "2199-01-01"}, ("/responded_on", "in_the_future")),
        ({"responded_on": "2026-02-28"}, ("/responded_on", "too_early")),
        ({"given_by": {"sex": "female", "age_band": "18-29", "people": 0}}, ("/given_by/people", "out_of_range")),
        ({"given_by": {"sex": "female"}}, ("/given_by/age_band", "required")),
        ({"given_by": {**FEEDBACK["given_by"], "name": "Dara"}}, ("/given_by/name", "unknown_field")),
        ({"case_id": "x"}, ("/case_id", "unknown_field")),
        ({"commune_code": OTHER_COMMUNE, "village_code": VILLAGE}, ("/village_code", "unknown_area")),
    ],
)
async def test_what_cannot_be_is_refused(cast: Cast, body: dict[str, Any], wrong: tuple[str, str]) -> None:
    assert await refused(cast, "caseworker", PATH, {**FEEDBACK, **body}) == wrong


async def test_only_its_recorder_and_supervisors_change_feedback(cast: Cast) -> None:
    path = f"{PATH}/{(await feedback(cast))['id']}"
    await changed(cast, "colleague", path, 403, sentiment="mixed")
    after = await changed(cast, "supervisor", path, given_by={"sex": "male", "age_band": "60+", "people": 1})
    assert (after["version"], after["given_by"]["sex"]) == (2, "male")
    assert (await cast.client("caseworker").patch(path, json={})).status_code == 428
    assert (await cast.client("colleague").delete(path, headers={"If-Match": "*"})).status_code == 403


async def test_a_list_is_narrowed(cast: Cast) -> None:
    who = await newcomer(cast, Role.SUPERVISOR, "ngo")
    first = (await feedback(cast, who, public_service="water", given_on="2026-01-05"))["id"]
    men = {"sex": "male", "age_band": "18-29", "people": 1}
    more: dict[str, Any] = {
        "given_on": "2026-01-06",
        "given_by": men,
        "sentiment": "positive",
        "responded_on": "2026-01-07",
    }
    second = (await feedback(cast, who, public_service="water", **more))["id"]

    async def found(**query: Any) -> set[str]:
        return {one["id"] for one in await listed(cast, who, PATH, public_service="water", **query)}

    assert await found() == {first, second}
    for query in ({"sex": "male"}, {"sentiment": "positive"}, {"responded": True}, {"from": "2026-01-06"}):
        assert await found(**query) == {second}
    for query in ({"sex": "female"}, {"responded": False}, {"until": "2026-01-05"}):
        assert await found(**query) == {first}
    assert (await cast.client(who).get(PATH, params={"text": "dawn"})).status_code == 422


async def test_a_page_asks_as_many_queries_for_many_as_for_one(cast: Cast, runtime: Runtime) -> None:
    counted = []
    who = await newcomer(cast, Role.SUPERVISOR, "ngo")
    for limit in (1, 12):
        for _ in range(limit):
            await feedback(cast)
        with recording(runtime.database.engine) as statements:
            page = answered(await cast.client(who).get(PATH, params={"limit": limit}), 200)
        assert len(page["items"]) == limit
        counted.append(len(statements))
    assert counted[0] == counted[1] <= 6
