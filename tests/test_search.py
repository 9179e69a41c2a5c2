"""Finding people: what is searched for is found by who sees it, by nobody else, and the words are kept nowhere."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from io import StringIO
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from app import logs, metrics
from app.calendar import day_of
from app.case_code import random_case_code
from app.main import create_app
from app.security import Runtime
from app.settings import Settings
from tests.acts import SENSITIVE, assign, exclude
from tests.cases import SUPPORT, intake, open_case
from tests.cast import VILLAGE, Cast, answered
from tests.trail import Superuser, told

MARKER = "Zq7Sokhunmarker"


def unheard() -> str:
    """A family name that nobody else of these tests has: other letters each time."""
    return "".join("bcdklmnprstv"[int(digit, 16) % 12] + "a" for digit in uuid4().hex[:12]).title()


async def add(cast: Cast, who: str = "caseworker", **fields: Any) -> str:
    return str(answered(await cast.client(who).post("/people", json=fields), 201)["id"])


async def find(cast: Cast, who: str = "caseworker", **wanted: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answered(await cast.client(who).post("/people/search", json=wanted), 200)["items"]
    return found


async def ids(cast: Cast, who: str = "caseworker", **wanted: Any) -> set[str]:
    return {one["id"] for one in await find(cast, who, **wanted)}


async def named_case(cast: Cast, name: str, category: str = SENSITIVE, **client: Any) -> tuple[str, str, str]:
    """Ids of a case and of its client, and the code."""
    person = {"family_name_en": name, "given_name_en": "Sreymom", "sex": "female", **client}
    case_id = await open_case(cast, category=category, client=person, consents=[SUPPORT])
    case = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)
    return case_id, case["client"]["id"], case["code"]


@pytest.mark.parametrize("asked", ["{0} Srei Mum", "SREYMOM {0}", "{0}", "ស្រីមុំ {0}", "{0}sreymom", "sreymom{0}"])
async def test_a_person_is_found_by_any_spelling_in_any_order(cast: Cast, asked: str) -> None:
    name = unheard()
    person = await add(cast, family_name_en=name, given_name_km="ស្រីមុំ", given_name_en="Sreymom")
    assert person in await ids(cast, name=asked.format(name))


async def test_every_word_must_fit_and_so_must_everything_else_that_is_asked(cast: Cast) -> None:
    name, phone = unheard(), "012 777 123"
    case_id, client, code = await named_case(cast, name, phones=[{"number": phone}])
    assert case_id
    for fits in ({"name": name}, {"phone": "០១២៧៧៧១២៣"}, {"code": code}, {"name": name, "phone": phone, "code": code}):
        assert client in await ids(cast, **fits), fits
    for wrong in (
        {"name": f"{name} Dara"},
        {"name": name, "phone": "012777124"},
        {"phone": phone, "code": random_case_code()},
        {"name": "Dara", "code": code},
        {"name": "—"},
    ):
        assert client not in await ids(cast, **wrong), wrong


async def test_what_is_found_says_as_much_as_tells_people_apart(cast: Cast) -> None:
    name = unheard()
    born = date(day_of(cast.clock()).year - 35, 1, 1)
    case_id, client, code = await named_case(cast, name, birth_date=born.isoformat(), village_code=VILLAGE)
    assert await find(cast, name=f"{name} Sreymom") == [
        {
            "id": client,
            "case_id": case_id,
            "case_code": code,
            "role": "client",
            "display_name": f"{name} Sreymom",
            "sex": "female",
            "age": 35,
            "village_code": VILLAGE,
            "score": 100,
        }
    ]


async def test_a_changed_name_is_found_and_the_old_one_no_more(cast: Cast) -> None:
    old, new = unheard(), unheard()
    person = await add(cast, family_name_en=old, phones=[{"number": "012777200"}, {"number": "012777201"}])
    change = {"family_name_en": new, "phones": [{"number": "012777201"}]}
    patched = await cast.client("caseworker").patch(f"/people/{person}", json=change, headers={"If-Match": '"1"'})
    answered(patched, 200)
    assert await ids(cast, name=new) == await ids(cast, phone="012777201") == {person}
    assert await ids(cast, name=old) == await ids(cast, phone="012777200") == set()


async def test_children_and_copied_clients_are_found_too(cast: Cast) -> None:
    name, child = unheard(), unheard()
    person = await add(cast, family_name_en=name)
    body = {**intake(SENSITIVE), "client_id": person}
    del body["client"]
    case = answered(await cast.client("caseworker").post("/cases", json=body), 201)
    new = {"family_name_en": child, "role": "child"}
    child_id = answered(await cast.client("caseworker").post(f"/cases/{case['id']}/people", json=new), 201)["id"]
    assert await ids(cast, name=name) == {person, case["client"]["id"]}
    assert await ids(cast, name=child) == {child_id}


async def test_only_what_is_seen_is_found_and_the_rest_answers_as_if_it_were_not(cast: Cast) -> None:
    """Exact name, phone and code of a hidden client: the same bytes as for what nobody has."""
    name, phone = unheard(), "012777300"
    case_id, client, code = await named_case(cast, name, phones=[{"number": phone}])
    await assign(cast, "caseworker", case_id, "liaison", "liaison")
    hidden = ({"name": f"{name} Sreymom"}, {"phone": phone}, {"code": code}, {"name": name, "code": code})
    unknown = ({"name": unheard()}, {"phone": "012777399"}, {"code": random_case_code()}, {"name": "X", "code": code})
    for who in ("colleague", "stranger", "other_supervisor", "supervisor"):
        for one, other in zip(hidden, unknown, strict=True):
            answers = [await cast.client(who).post("/people/search", json=body) for body in (one, other)]
            assert answers[0].status_code == 200
            assert answers[0].content == answers[1].content == b'{"items":[],"next_cursor":null}', (who, one)
    for who in ("liaison", "partner", "auditor", "admin"):
        answered(await cast.client(who).post("/people/search", json={"name": name}), 403)
    assert await ids(cast, name=name) == {client}


async def test_who_is_excluded_finds_the_client_no_more_and_who_is_assigned_does(cast: Cast) -> None:
    name = unheard()
    case_id, client, code = await named_case(cast, name)
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    assert await ids(cast, "colleague", name=name) == await ids(cast, "colleague", code=code) == {client}
    await exclude(cast, "caseworker", case_id, "colleague")
    assert await ids(cast, "colleague", name=name) == await ids(cast, "colleague", code=code) == set()


async def test_a_register_is_searched_by_its_own_organisation(cast: Cast) -> None:
    name = unheard()
    person = await add(cast, family_name_en=name)
    assert await ids(cast, "colleague", name=name) == await ids(cast, "supervisor", name=name) == {person}
    assert await ids(cast, "stranger", name=name) == set()


async def test_who_searches_sees_cases_of_the_own_organisation_only(cast: Cast, superuser: Superuser) -> None:
    """The search looks nowhere else: were this not so, what somebody sees elsewhere could not be found. A reviewer from
    elsewhere came to one case by its name, and lists it."""
    await named_case(cast, unheard())
    query = (
        "select count(*) filter (where u.organisation_id <> c.organisation_id), count(*) from case_access a"
        " join cases c on c.id = a.case_id join users u on u.principal = a.principal"
        " where u.role in ('caseworker', 'supervisor') and not exists (select from outside_reviews r"
        " where r.case_id = c.id and r.user_id = u.id and r.completed_at is not null)"
    )
    elsewhere, everywhere = superuser.execute(query).fetchone() or (None, None)
    assert (elsewhere, bool(everywhere)) == (0, True)


async def test_pages_hold_everybody_once(cast: Cast) -> None:
    name = unheard()
    people = {await add(cast, family_name_en=name, given_name_en=given) for given in ("Dara", "Dara", "Nary", "Lin")}
    seen: list[str] = []
    body: dict[str, Any] = {"name": name, "limit": 3}
    while True:
        page = answered(await cast.client("caseworker").post("/people/search", json=body), 200)
        seen += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        body["cursor"] = page["next_cursor"]
    assert (len(seen), set(seen)) == (4, people)
    best = await find(cast, name=f"{name} Daara")
    assert [one["score"] for one in best] == sorted((one["score"] for one in best), reverse=True)


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "", "criterion_required"),
        ({"limit": 3}, "", "criterion_required"),
        ({"name": ""}, "/name", "text_empty"),
        ({"name": "a\u202eb"}, "/name", "text_direction_override"),
        ({"phone": "twelve"}, "/phone", "phone_invalid"),
        ({"code": "no"}, "/code", "case_code_invalid"),
        ({"name": "Sok", "limit": 201}, "/limit", "out_of_range"),
        ({"name": "Sok", "cursor": "!!"}, "/cursor", "cursor_invalid"),
        ({"name": "Sok", "cursor": "AAAA"}, "/cursor", "cursor_invalid"),
        ({"name": "Sok", "village": "x"}, "/village", "unknown_field"),
    ],
)
async def test_a_wrong_search_is_refused_without_an_echo(
    cast: Cast, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await cast.client("caseworker").post("/people/search", json=body)
    (error,) = answered(answer, 422)["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)


async def test_the_trail_tells_what_was_searched_by_and_whom_it_showed(cast: Cast, superuser: Superuser) -> None:
    name = unheard()
    case_id, _, code = await named_case(cast, name, phones=[{"number": "012777400"}])
    client = cast.client("caseworker")
    asked: list[tuple[dict[str, Any], str]] = [
        ({"name": name}, "name"),
        ({"phone": "012777400"}, "phone"),
        ({"name": name, "phone": "012777400", "code": code}, "name_phone_code"),
    ]
    for body, reason in asked:
        row = (await told(superuser, client, "POST", "/people/search", json=body)).row
        assert (row["action"], row["status"], row["reason"]) == ("search_people", 200, reason)
        assert ([str(one) for one in row["case_ids"]], row["via"]) == ([case_id], ["lead"])
        assert name not in str(row)
    row = (await told(superuser, cast.client("colleague"), "POST", "/people/search", json={"name": name})).row
    assert (row["case_ids"], row["via"]) == ([], [])


async def test_a_key_makes_no_search_a_remembered_one(cast: Cast, superuser: Superuser) -> None:
    name, key = unheard(), str(uuid4())
    for expected in (0, 1):
        answer = await cast.client("caseworker").post(
            "/people/search", json={"name": name}, headers={"Idempotency-Key": key}
        )
        assert len(answered(answer, 200)["items"]) == expected
        await add(cast, family_name_en=name)
    assert superuser.execute("select from idempotency_keys where key = %s", [key]).fetchone() is None


async def test_what_was_searched_for_is_found_nowhere(cast: Cast, superuser: Superuser, runtime: Runtime) -> None:
    person = await add(cast, family_name_en=MARKER, given_name_en="Dara", phones=[{"number": "012777500"}])
    lines = StringIO()
    logs.configure(lines)
    try:
        for body in ({"name": MARKER}, {"phone": "012777500"}, {"name": f"{MARKER} Dara", "phone": "012777500"}):
            assert await ids(cast, **body) == {person}
        answered(await cast.client("caseworker").post("/people/matches", json={"person_id": person}), 200)
        answered(await cast.client("caseworker").post("/people/search", json={"name": MARKER, "code": MARKER}), 422)
    finally:
        logs.configure()
    tables = superuser.execute(
        "select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname in ('public', 'vault') and c.relkind = 'r'"
    ).fetchall()
    kept = lines.getvalue() + bytes(metrics.metrics_response().body).decode()
    for (table,) in tables:
        kept += str(superuser.execute(f"select t::text from {table} t".encode()).fetchall())
    for secret in (MARKER, MARKER.casefold(), "Zq7", MARKER.encode().hex(), "12777500"):
        assert secret not in kept
    tokens = runtime.database.shared["search"].names(MARKER)
    assert str(tokens.pop()) in kept, "the question finds what is there"


# Duplicates.


async def matches(cast: Cast, who: str = "caseworker", **wanted: Any) -> dict[str, tuple[int, set[str]]]:
    page = answered(await cast.client(who).post("/people/matches", json=wanted), 200)
    scores = [one["score"] for one in page["items"]]
    assert scores == sorted(scores, reverse=True)
    return {one["id"]: (one["score"], set(one["reasons"])) for one in page["items"]}


async def test_likely_duplicates_come_with_reasons_and_the_likeliest_first(cast: Cast) -> None:
    name = unheard()
    person: dict[str, Any] = {
        "family_name_en": name,
        "given_name_en": "Sreymom",
        "birth_date": "1990-06-01",
        "village_code": VILLAGE,
        "phones": [{"number": "012777600"}],
    }
    one = await add(cast, **person)
    twin = await add(cast, **person | {"birth_date": "1990-01-01", "birth_date_precision": "year"})
    near = await add(cast, family_name_en=name, given_name_en="Srei Mum")
    turned = await add(cast, family_name_en="Sreymom", given_name_en=name)
    phone = await add(cast, alias="Neighbour", phones=[{"number": "012777600"}])
    sister = await add(cast, **person | {"given_name_en": "Dara", "phones": []})
    found = await matches(cast, person_id=one)
    assert found == {
        twin: (100, {"same_phone", "same_name", "birth_year", "village"}),
        turned: (40, {"same_name"}),
        phone: (35, {"same_phone"}),
        near: (25, {"near_name"}),
    }
    assert sister not in found
    assert {one, twin} <= (await matches(cast, person=person)).keys()


async def test_duplicates_are_suggested_among_the_people_whom_one_sees(cast: Cast) -> None:
    name = unheard()
    _, client, _ = await named_case(cast, name)
    person = await add(cast, family_name_en=name, given_name_en="Sreymom")
    assert client in await matches(cast, person_id=person)
    assert await matches(cast, "colleague", person_id=person) == {}
    for who in ("stranger", "colleague"):
        answered(await cast.client(who).post("/people/matches", json={"person_id": client}), 404)


@pytest.mark.parametrize("body", [{}, {"person_id": str(uuid4()), "person": {"alias": "A"}}, {"person": {}}])
async def test_matches_are_asked_of_one_person(cast: Cast, body: dict[str, Any]) -> None:
    answered(await cast.client("caseworker").post("/people/matches", json=body), 422)


# Limits of rate and time.


@asynccontextmanager
async def differently(cast: Cast, runtime: Runtime, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The caseworker before an application with other settings, on the same database."""
    app = create_app(Settings.model_validate({**runtime.settings.model_dump(), **settings}), cast.clock)
    transport, caseworker = httpx.ASGITransport(app=app), cast.client("caseworker")
    async with httpx.AsyncClient(transport=transport, base_url=caseworker.base_url, auth=caseworker.auth) as client:
        yield client
    await app.state.runtime.database.close()


async def test_the_sixty_first_search_of_a_minute_waits(cast: Cast, runtime: Runtime) -> None:
    assert Settings.model_fields["searches_per_minute"].default == 60
    async with differently(cast, runtime, searches_per_minute=3) as client:
        for path, body in (
            ("search", {"name": "Sok"}),
            ("matches", {"person": {"alias": "A"}}),
            ("search", {"code": "SR-03NQ-K8S3"}),
        ):
            answered(await client.post(f"/people/{path}", json=body), 200)
        refused = await client.post("/people/search", json={"name": "Sok"})
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) > 0
        answered(await client.get("/people"), 200)


async def test_no_search_is_answered_sooner_than_the_floor_be_it_good_or_refused(cast: Cast, runtime: Runtime) -> None:
    async with differently(cast, runtime, search_floor_ms=150) as client:
        for body, status in (({"name": unheard()}, 200), ({}, 422)):
            began = time.perf_counter()
            answered(await client.post("/people/search", json=body), status)
            assert time.perf_counter() - began >= 0.15
        assert runtime.settings.search_floor_ms == 0


def test_a_superuser_sees_tokens_of_eight_bytes_only(superuser: psycopg.Connection[Any]) -> None:
    columns = superuser.execute(
        "select column_name::text, data_type::text from information_schema.columns where table_name = 'search_tokens'"
    ).fetchall()
    assert ("token", "bigint") in columns
    assert {name for name, _ in columns} == {"organisation_id", "kind", "token", "sensitive", "person_id", "case_id"}
