"""Many people at one release at the same time, and what a slow reader gets of one that ends meanwhile."""

import asyncio
import hashlib
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI

from app.database_urls import DatabaseUrls
from app.erasures import Ledger
from app.export_parts import CHUNK
from app.models.codes.cases import Category
from app.retention import Retention
from app.services.export_files import TOGETHER
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.quarters import quarters_in
from tests.released import COHORT, EXPORT, FILE, SHA256, put_export
from tests.test_edge import lines, served
from tests.test_erasure import ask, confirm
from tests.test_export_walls import a_release

__all__ = ["lines"]  # a fixture

Superuser = psycopg.Connection[Any]
PARTS = 20 * TOGETHER  # 40 megabytes: more than lies between a server and a client that does not read
MEMBER = "insert into export_members select id, organisation_id, %s from cases where id = %s"


async def test_of_twenty_yeses_at_once_one_counts(cast: Cast, superuser: Superuser) -> None:
    with a_release(cast, superuser, "frozen"):
        path, said = f"/exports/{EXPORT}/approve", {"manifest_sha256": SHA256}
        people = ["supervisor", "second_supervisor"] * 10
        answers = await asyncio.gather(*(cast.client(who).post(path, json=said) for who in people))
        assert sorted(one.status_code for one in answers) == [200] + [409] * 19
        assert {one.json()["cause"] for one in answers if one.status_code == 409} == {"answered"}
        counted = "select count(*), min(manifest_sha256) from export_approvals"
        assert superuser.execute(counted).fetchone() == (1, SHA256)
        assert superuser.execute("select state from exports").fetchone() == ("released",)


async def test_a_slow_reader_is_cut_off_when_a_member_is_erased_and_that_is_no_failure(
    app: FastAPI, cast: Cast, superuser: Superuser, lines: io.StringIO
) -> None:
    case_id = await open_case(cast)
    with a_release(cast, superuser):
        superuser.execute(MEMBER, [COHORT, case_id])
        whole = _grow(superuser)
        async with served(app) as port, slow_reader(port) as (reader, writer):
            writer.write(_asks(cast, f"/api/v1/exports/{EXPORT}/files/{FILE}"))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            got = await reader.readexactly(CHUNK)
            await ask(cast, case_id)
            await confirm(cast, case_id)
            lines.truncate(0)
            lines.seek(0)
            got += await asyncio.wait_for(reader.read(-1), timeout=60)
            again = await cast.client("auditor").get(f"/exports/{EXPORT}/files/{FILE}")
    assert whole.startswith(got)
    assert len(got) < len(whole), "what was on its way came, and nothing after it"
    assert answered(again, 410)["code"] == "withdrawn"
    logged = [json.loads(line) for line in lines.getvalue().splitlines()]
    [cut] = [line for line in logged if line["event"] == "answer.cut"]
    assert (cut["level"], cut["code"]) == ("info", "withdrawn")
    assert [line for line in logged if line["level"] != "info"] == [], "nobody is woken by what is wanted"
    assert {line.get("request_id") for line in logged} >= {cut["request_id"]}


@asynccontextmanager
async def slow_reader(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that takes one part at a time, and is gone after the block whatever happened in it: the server
    waits for who is connected."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=CHUNK)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def _grow(superuser: Superuser) -> bytes:
    """The file of the release becomes one of many parts."""
    parts = [bytes([number]) * CHUNK for number in range(PARTS)]
    superuser.execute("delete from export_chunks where name = %s", [FILE])
    with superuser.cursor() as cursor:
        put = "insert into export_chunks (export_id, name, number, content) values (%s, %s, %s, %s)"
        cursor.executemany(put, [(EXPORT, FILE, number, part) for number, part in enumerate(parts)])
    whole = b"".join(parts)
    changed = "update export_files set size = %s, sha256 = %s where name = %s"
    superuser.execute(changed, [len(whole), hashlib.sha256(whole).hexdigest(), FILE])
    return whole


def _asks(cast: Cast, path: str) -> bytes:
    token, _ = cast.runtime.tokens.issue(cast.users["auditor"].id, cast.sessions["auditor"], cast.clock())
    return f"GET {path} HTTP/1.1\r\nHost: samaki.test\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


async def test_the_retention_clock_withdraws_what_was_released_of_whom_it_erases(
    fresh_database: DatabaseUrls, keys_dir: Path, tmp_path: Path
) -> None:
    clock = FrozenClock()
    async with quarters_in(fresh_database, keys_dir, clock, tmp_path / "freezing") as quarters:
        case_id = quarters.case(status="closed", category="id_poor", closed=clock() - timedelta(days=100))

        def run(statement: str, *values: Any) -> None:
            quarters.db.execute(statement.encode(), values)

        put_export(run, quarters.cast.organisations["ngo"], quarters.cast.users["auditor"].id, "released")
        quarters.db.execute(MEMBER, [COHORT, case_id])
        ledger, manifest = Ledger(tmp_path / "erasures.jsonl", b"k" * 32), f"/exports/{EXPORT}/manifest"
        auditor, supervisor = quarters.cast.client("auditor"), quarters.cast.client("supervisor")
        async with await psycopg.AsyncConnection.connect(fresh_database.worker, autocommit=True) as connection:
            for days, status in ((101, 200), (99, 410)):
                kept = dict.fromkeys((one.value for one in Category), 0) | {"id_poor": days}
                await Retention(ledger, kept).tick(connection, clock())
                for client in (auditor, supervisor):
                    assert (await client.get(manifest)).status_code == status, days
        assert quarters.count("select count(*) from export_chunks") == 0
        fresh = answered(await quarters.request("public-v1"), 410)
        assert fresh["code"] == "withdrawn", "no other profile is made of them either"


@pytest.mark.parametrize("path", ["/manifest", f"/files/{FILE}"])
async def test_a_withdrawn_release_answers_strangers_as_if_it_had_never_been(
    cast: Cast, superuser: Superuser, path: str
) -> None:
    with a_release(cast, superuser, "withdrawn"):
        answered(await cast.client("supervisor").get(f"/exports/{EXPORT}{path}"), 410)
        answered(await cast.client("other_supervisor").get(f"/exports/{EXPORT}{path}"), 404)
