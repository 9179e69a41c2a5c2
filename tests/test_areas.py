"""Areas and code lists: codes are text with leading zeros, and names are found however they are typed."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from app.database_urls import DatabaseUrls
from app.main import create_app
from app.models.codes import CODE_LISTS
from app.models.codes.people import Role
from app.services.areas import NAME_KEY
from app.services.gazetteer import import_file
from app.text import search_key
from tests.cast import COMMUNE, Cast, FrozenClock, answered
from tests.conftest import settings_for
from tests.database import Server
from tests.test_gazetteer import GAZETTEER, gazetteer_is_here, written

ROWS = [
    ("01", "province", "បន្ទាយមានជ័យ", "Banteay Meanchey", ""),
    ("0102", "district", "មង្គលបូរី", "Mongkol Borey", "01"),
    ("010201", "commune", "បន្ទាយនាង", "Banteay Neang", "0102"),
    ("01020101", "village", "អូរអណ្ដូង", "Ou Andoung", "010201"),
    ("01020102", "village", "ភូមិ ១០០%", "Phum_100", "010201"),
    ("01020103", "village", "ថ្មី", "", "010201"),
    ("02", "province", "បាត់ដំបង", "Battambang", ""),
]


@pytest.fixture(scope="module")
async def client(
    server: Server,
    template: str,
    keys_dir: Path,
    clock: FrozenClock,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody signed in before a database with the areas of ROWS alone."""
    with server.clone(template) as urls:
        with psycopg.connect(urls.owner) as connection:
            connection.execute("delete from areas")  # villages of the template would stay
        report = import_file(urls, written(tmp_path_factory.mktemp("areas"), ROWS))
        assert (report.bad, report.inserted) == (0, len(ROWS))
        app = create_app(settings_for(urls, keys_dir), clock)
        async with (
            app.router.lifespan_context(app),
            Cast(httpx.ASGITransport(app=app), app.state.runtime, clock) as people,
        ):
            await people.add("auditor", Role.AUDITOR, None, [])
            yield people.client("auditor")


async def codes(client: httpx.AsyncClient, **query: Any) -> list[str]:
    return [area["code"] for area in answered(await client.get("/areas", params=query), 200)["items"]]


async def test_every_signed_in_role_reads_areas_and_codes(cast: Cast) -> None:
    for name in ("caseworker", "supervisor", "liaison", "partner", "auditor", "admin"):
        assert (await cast.client(name).get("/areas")).status_code == 200
        assert (await cast.client(name).get("/codes")).status_code == 200
    for path in ("/areas", "/areas/17", "/codes"):
        assert (await cast.client("nobody").get(path)).status_code == 401


async def test_an_area_is_read_by_its_code_and_an_unknown_one_is_not_found(cast: Cast) -> None:
    area = answered(await cast.client("partner").get(f"/areas/{COMMUNE}"), 200)
    assert area == {
        "code": COMMUNE,
        "level": "commune",
        "name_km": "ភូមិ",
        "name_en": None,
        "parent": COMMUNE[:4],
    }
    for unknown in ("99", "1", "017", "170201000", "%00", "១៧", "x" * 500):
        assert (await cast.client("partner").get(f"/areas/{unknown}")).status_code == 404


async def test_a_list_is_in_the_order_of_codes_and_narrowed_by_parent_and_level(
    client: httpx.AsyncClient,
) -> None:
    assert await codes(client) == [code for code, *_ in ROWS]
    assert await codes(client, parent="010201") == ["01020101", "01020102", "01020103"]
    assert await codes(client, parent="01", level="district") == ["0102"]
    assert await codes(client, parent="01", level="village") == []
    assert set(await codes(client, level="province")) == {"01", "02"}


async def test_a_code_without_its_leading_zero_is_no_code(client: httpx.AsyncClient) -> None:
    for number in ("1", "102", "10201"):
        errors = answered(await client.get("/areas", params={"parent": number}), 422)["errors"]
        assert errors[0]["pointer"] == "/query/parent"
    area = answered(await client.get("/areas/0102"), 200)
    assert (area["code"], area["parent"]) == ("0102", "01")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("បន្ទាយ", ["01", "010201"]),
        ("មានជ័យ", ["01"]),
        ("banteay", ["01", "010201"]),
        ("MEAN", ["01"]),
        ("  neang ", ["010201"]),
        ("អណ្តូង", ["01020101"]),  # written with the subscript that looks the same
        ("អណ្\u200bដូង", ["01020101"]),
        ("100%", ["01020102"]),  # Khmer digits in the name; % is no wildcard
        ("១០០", ["01020102"]),
        ("m_1", ["01020102"]),
        ("n_i", []),
        ("ថ្មី", ["01020103"]),
        ("'; drop table areas; --", []),
    ],
)
async def test_a_name_is_found_by_any_part_in_either_script(
    client: httpx.AsyncClient, typed: str, found: list[str]
) -> None:
    assert await codes(client, q=typed) == found


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("parent=99", "/query/parent"),
        ("parent=1701%00", "/query/parent"),
        ("level=hamlet", "/query/level"),
        ("q=", "/query/q"),
        ("q=%00", "/query/q"),
        ("q=" + "a" * 121, "/query/q"),
        ("cursor=abc", "/query/cursor"),
        ("cursor=0102%27", "/query/cursor"),
        ("limit=0", "/query/limit"),
        ("limit=201", "/query/limit"),
        ("name=x", "/query/name"),
    ],
)
async def test_a_wrong_query_is_refused_where_it_is_wrong(cast: Cast, query: str, pointer: str) -> None:
    errors = answered(await cast.client("caseworker").get(f"/areas?{query}"), 422)["errors"]
    assert [error["pointer"] for error in errors] == [pointer]


async def test_pages_follow_one_another_without_gap_or_repetition(client: httpx.AsyncClient) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = answered(await client.get("/areas", params={"limit": 2, **cursor}), 200)
        seen += [area["code"] for area in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == await codes(client)
    assert len(seen) == len(ROWS)


async def test_areas_and_codes_may_be_kept_for_an_hour_by_the_caller_alone(cast: Cast) -> None:
    for path in ("/areas", f"/areas/{COMMUNE}", "/codes"):
        answer = await cast.client("liaison").get(path)
        assert answer.headers["Cache-Control"] == "private, max-age=3600"
    refused = await cast.client("liaison").get("/areas/99")
    assert refused.headers["Cache-Control"] == "no-store"


async def test_every_code_list_is_served_with_both_labels(cast: Cast) -> None:
    lists = answered(await cast.client("partner").get("/codes"), 200)
    assert lists.keys() == CODE_LISTS.keys()
    for name, members in CODE_LISTS.items():
        assert [code["code"] for code in lists[name]] == [member.value for member in members]
    assert all(code.keys() == {"code", "en", "km"} for one in lists.values() for code in one)


async def test_code_lists_that_the_caller_has_are_not_sent_again(cast: Cast) -> None:
    client = cast.client("partner")
    first = await client.get("/codes")
    again = await client.get("/codes", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    other = await client.get("/codes", headers={"If-None-Match": '"older"'})
    assert (other.status_code, other.content) == (200, first.content)
    assert hashlib.sha256(first.content).hexdigest().startswith(first.headers["ETag"].strip('"'))


@gazetteer_is_here
async def test_every_village_of_cambodia_is_found_by_its_name_in_either_script(
    fresh_database: DatabaseUrls,
) -> None:
    import_file(fresh_database, GAZETTEER)
    with psycopg.connect(fresh_database.runtime) as connection:
        rows = connection.execute(f"select a.name_km, a.name_en, {NAME_KEY} from areas a".encode()).fetchall()
    assert len(rows) >= 16_465
    wrong = [name_km for name_km, name_en, key in rows if key != f"{search_key(name_km)}\n{search_key(name_en or '')}"]
    assert wrong == []
