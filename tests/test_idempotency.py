"""Idempotency-Key: a POST that is sent again is one write, and its answer is read anew under present rights."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.cases import SUPPORT, intake, open_case
from tests.cast import COMMUNE, Cast, answered

Superuser = psycopg.Connection[Any]


def keyed(key: str | None = None) -> dict[str, str]:
    """The header, with a key of its own."""
    return {"Idempotency-Key": key or str(uuid4())}


def same_answer(first: httpx.Response, again: httpx.Response) -> bool:
    """Whether the second is the first once more, and says so."""
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    same = ("Location", "ETag", "Content-Type")
    return (first.status_code, first.content, [first.headers.get(name) for name in same]) == (
        again.status_code,
        again.content,
        [again.headers.get(name) for name in same],
    )


def count(superuser: Superuser, table: str, case_id: str) -> int:
    """Rows of a case."""
    query = psycopg.sql.SQL("select count(*) from {} where case_id = %s").format(psycopg.sql.Identifier(table))
    row = superuser.execute(query, [case_id]).fetchone()
    assert row is not None
    return int(row[0])


async def test_the_same_intake_sent_twice_is_one_case(cast: Cast, superuser: Superuser) -> None:
    headers, body = keyed(), intake()
    lead = cast.client("caseworker")
    before = superuser.execute("select count(*) from cases").fetchone()
    first = await lead.post("/cases", json=body, headers=headers)
    answered(first, 201)
    again = await lead.post("/cases", json=body, headers=headers)
    assert same_answer(first, again)
    after = superuser.execute("select count(*) from cases").fetchone()
    assert before is not None
    assert after == (before[0] + 1,)


async def test_every_kind_of_post_is_one_write(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    consent_id = (answered(await cast.client("caseworker").get(f"/cases/{case_id}/consents"), 200))["items"][0]["id"]
    colleague = {"user_id": cast.id("colleague")}
    posts: list[tuple[str, Any, str]] = [
        ("notes", {"text": "Seen."}, "notes"),
        ("incidents", {"note": "Heard."}, "incidents"),
        ("people", {"alias": "Child", "role": "child"}, "people"),
        ("consents", SUPPORT, "consents"),
        ("assignments", {**colleague, "role": "caseworker"}, "assignments"),
        ("exclusions", {"user_id": cast.id("stranger"), "reason_code": "client_wish"}, "case_exclusions"),
        ("transitions", {"to": "assessment"}, "events"),
        (f"consents/{consent_id}/withdraw", {}, "events"),
    ]
    for rest, body, table in posts:
        headers, path = keyed(), f"/cases/{case_id}/{rest}"
        first = await cast.client("caseworker").post(path, json=body, headers=headers)
        assert first.is_success, rest
        written = count(superuser, table, case_id)
        again = await cast.client("caseworker").post(path, json=body, headers=headers)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert (again.status_code, again.json()["id"]) == (first.status_code, first.json()["id"]), rest
        assert count(superuser, table, case_id) == written, rest


async def test_the_same_key_with_another_body_or_at_another_place_is_refused(cast: Cast) -> None:
    headers = keyed()
    lead = cast.client("caseworker")
    case_id, other = await open_case(cast), await open_case(cast)
    answered(await lead.post(f"/cases/{case_id}/notes", json={"text": "One."}, headers=headers), 201)
    for path, text in ((case_id, "Two."), (other, "One.")):
        refused = await lead.post(f"/cases/{path}/notes", json={"text": text}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


async def test_two_people_may_use_the_same_key(cast: Cast) -> None:
    headers, body = keyed(), intake()
    ids = {
        answered(await cast.client(who).post("/cases", json=body, headers=headers), 201)["id"]
        for who in ("caseworker", "colleague", "stranger")
    }
    assert len(ids) == 3


async def test_what_may_no_longer_be_read_is_not_said_again(cast: Cast) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    wanted = {"user_id": cast.id("colleague"), "role": "caseworker"}
    lead, colleague = cast.client("caseworker"), cast.client("colleague")
    assignment = answered(await lead.post(f"/cases/{case_id}/assignments", json=wanted), 201)
    call: Any = {"json": {"text": "Seen."}, "headers": keyed()}
    answered(await colleague.post(f"/cases/{case_id}/notes", **call), 201)
    answered(await lead.delete(f"/cases/{case_id}/assignments/{assignment['id']}"), 204)
    again = await colleague.post(f"/cases/{case_id}/notes", **call)
    unknown = await colleague.post(f"/cases/{uuid4()}/notes", **call | {"headers": keyed()})
    assert again.status_code == unknown.status_code == 404
    own_ids = [answer.json().pop("instance") for answer in (again, unknown)]
    assert again.text.replace(own_ids[0], "") == unknown.text.replace(own_ids[1], "")
    assert "Idempotency-Replayed" not in again.headers


async def test_who_opened_a_case_blindly_gets_the_receipt_again_until_excluded(cast: Cast) -> None:
    body = intake(consents=[SUPPORT], commune_code=COMMUNE, organisation_id=cast.organisation("ngo"))
    headers = keyed()
    opened = await cast.client("liaison").post("/cases", json=body, headers=headers)
    receipt = answered(opened, 201)
    assert set(receipt) == {"id", "code"}
    again = await cast.client("liaison").post("/cases", json=body, headers=headers)
    assert same_answer(opened, again)
    excluded = {"user_id": cast.id("liaison"), "reason_code": "client_wish"}
    answered(await cast.client("supervisor").post(f"/cases/{receipt['id']}/exclusions", json=excluded), 201)
    answered(await cast.client("liaison").post("/cases", json=body, headers=headers), 404)


async def test_thirty_at_once_with_one_key_are_one_case(cast: Cast, superuser: Superuser) -> None:
    headers, body = keyed(), intake()
    before = superuser.execute("select count(*) from cases").fetchone()
    calls = (cast.client("caseworker").post("/cases", json=body, headers=headers) for _ in range(30))
    answers = await asyncio.gather(*calls)
    by = Counter(answer.status_code for answer in answers)
    assert set(by) <= {201, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_in_progress"}
    ids = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    written = [a for a in answers if a.status_code == 201 and "Idempotency-Replayed" not in a.headers]
    assert (len(ids), len(written)) == (1, 1)
    after = superuser.execute("select count(*) from cases").fetchone()
    assert before is not None
    assert after == (before[0] + 1,)
    later = await cast.client("caseworker").post("/cases", json=body, headers=headers)
    assert answered(later, 201)["id"] in ids


@pytest.mark.parametrize("key", ["k" * 201, "", " \t", "a\x7fb", "k" * 5_000])
async def test_a_key_that_is_none_is_refused_at_its_header(cast: Cast, key: str) -> None:
    response = await cast.client("caseworker").post("/cases", json=intake(), headers={b"Idempotency-Key": key.encode()})
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/header/idempotency-key")


async def test_the_longest_key_and_the_oddest_printable_one_work(cast: Cast) -> None:
    for key in ("k" * 200, "~!@#$%^&*()'\"\\;--"):
        headers = keyed(key)
        case_id = await open_case(cast)
        path = f"/cases/{case_id}/notes"
        first = await cast.client("caseworker").post(path, json={"text": "Seen."}, headers=headers)
        again = await cast.client("caseworker").post(path, json={"text": "Seen."}, headers=headers)
        assert same_answer(first, again)


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"category": "none"}, 422),
        ({"client": None, "client_id": str(uuid4())}, 404),
        ({"commune_code": "999999"}, 422),
    ],
)
async def test_a_post_that_failed_leaves_no_key(cast: Cast, wrong: dict[str, Any], status: int) -> None:
    headers = keyed()
    body = {name: value for name, value in intake(**wrong).items() if value is not None}
    answered(await cast.client("caseworker").post("/cases", json=body, headers=headers), status)
    answered(await cast.client("caseworker").post("/cases", json=intake(), headers=headers), 201)


async def test_a_key_without_a_right_leaves_nothing(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast)
    for who, status in (("partner", 403), ("stranger", 404), ("nobody", 401)):
        headers = keyed()
        answered(await cast.client(who).post(f"/cases/{case_id}/notes", json={"text": "x"}, headers=headers), status)
        kept = superuser.execute(
            "select count(*) from idempotency_keys where key = %s", [headers["Idempotency-Key"]]
        ).fetchone()
        assert kept == (0,)


async def test_a_kept_key_holds_no_word_of_the_body(cast: Cast, superuser: Superuser) -> None:
    headers = keyed()
    case_id = await open_case(cast)
    body = {"text": "unmistakable words"}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/notes", json=body, headers=headers), 201)
    row = superuser.execute(
        "select to_jsonb(k)::text from idempotency_keys k where key = %s", [headers["Idempotency-Key"]]
    ).fetchone()
    assert row is not None
    assert "unmistakable" not in row[0]


async def test_a_key_on_a_get_or_patch_means_nothing(cast: Cast, superuser: Superuser) -> None:
    headers = keyed()
    path = f"/cases/{await open_case(cast)}"
    for _ in range(2):
        answered(await cast.client("caseworker").get(path, headers=headers), 200)
        change = {**headers, "If-Match": "*"}
        answered(await cast.client("caseworker").patch(path, json={"priority": "stat"}, headers=change), 200)
    kept = superuser.execute(
        "select count(*) from idempotency_keys where key = %s", [headers["Idempotency-Key"]]
    ).fetchone()
    assert kept == (0,)
