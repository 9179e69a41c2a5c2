"""`python -m benchmarks.imports`: a register of 50,000 cases through dry run and commit, in seconds and megabytes.

One API process on an embedded PostgreSQL with load data, so that names are met again. The register comes as XLSX, is
written, and comes once more as CSV: then every row is known.
"""

import argparse
import asyncio
import csv
import io
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import openpyxl
import psycopg

from app.demo.invented import villages_of
from app.demo.names import FAMILY_NAMES, FEMALE_GIVEN_NAMES
from app.demo.places import COMMUNES
from app.keys import KeyStore
from app.tokens import AccessTokens
from benchmarks.__main__ import Server, serving
from benchmarks.stage import Stage, counted, stage

SUPERVISOR = "bench_supervisor"
HEADER = [
    *("category", "commune_code", "village_code", "summary", "family_name_km", "given_name_km", "family_name_en"),
    *("given_name_en", "sex", "birth_date", "phone", "consent_form", "consent_on"),
]
DRY_RUN_SECONDS, MEGABYTES = 60, 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--data-dir", type=Path, default=Path("/var/tmp/samaki-bench-imports"))
    options = parser.parse_args()
    with (
        stage(options.data_dir / str(options.cases), options.cases) as on,
        serving(on, "api", options.data_dir / "none") as api,
    ):
        print(f"cases {counted(on.urls, 'cases'):,}, rows of the register {options.rows:,}")
        held = asyncio.run(_measure(on, api, list(_register(options.rows))))
    sys.exit(0 if held else 1)


async def _measure(on: Stage, api: Server, rows: list[list[Any]]) -> bool:
    caller, held = _Caller(on), True
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{api.port}/api/v1", timeout=120) as client:
        client.event_hooks["request"] = [caller.sign]
        files: list[tuple[str, Callable[[list[list[Any]]], bytes]]] = [("XLSX", _xlsx), ("CSV", _csv)]
        for name, written in files:
            content = written(rows)
            began, cpu = time.monotonic(), api.cpu_seconds()
            sent = await client.post("/imports", files={"file": ("register", content)}, data={"kind": "cases"})
            sent.raise_for_status()
            taken = time.monotonic() - began
            checked = await _until(client, api, sent.json()["id"], {"checked", "failed"})
            seconds = taken + checked[1]
            within = seconds < DRY_RUN_SECONDS and checked[3] < MEGABYTES
            held &= within
            print(
                f"{'held  ' if within else 'MISSED'} {name} of {len(content) / 1e6:.1f} MB: taken in {taken:.1f} s,"
                f" dry run {checked[1]:.1f} s,"
                f" together {seconds:.1f} s (bar {DRY_RUN_SECONDS}),"
                f" {api.cpu_seconds() - cpu:.1f} s of them computing in the API,"
                f" {checked[2]} steps of progress seen,"
                f" at most {checked[3]:.0f} MB (bar {MEGABYTES}); {checked[0]['rows']}"
            )
            cpu = api.cpu_seconds()
            (await client.post(f"/imports/{sent.json()['id']}/commit")).raise_for_status()
            done = await _until(client, api, sent.json()["id"], {"committed", "failed"})
            print(
                f"     {done[0]['state']} in {done[1]:.1f} s, {api.cpu_seconds() - cpu:.1f} s of them in the API,"
                f" at most {done[3]:.0f} MB; {done[0]['rows']}"
            )
    return held


async def _until(client: httpx.AsyncClient, api: Server, import_id: str, states: set[str]) -> Any:
    """The import once it is in one of these states, seconds, different counts seen meanwhile, most megabytes."""
    began, seen, most, slowest = time.monotonic(), set(), 0.0, 0.0
    while True:
        asked = time.monotonic()
        found = (await client.get(f"/imports/{import_id}")).json()
        slowest = max(slowest, time.monotonic() - asked)
        most = max(most, api.process.memory_info().rss / 1e6)
        if found["state"] in states:
            print(f"     slowest other request meanwhile {slowest * 1000:.0f} ms")
            return found, time.monotonic() - began, len(seen), most
        seen.add(found["rows"]["done"])
        await asyncio.sleep(0.1)


class _Caller:
    """A supervisor of the bench's organisation with a session of her own."""

    def __init__(self, on: Stage) -> None:
        keys, now = KeyStore.load(on.settings.keys_dir), datetime.now(UTC)
        self.tokens = AccessTokens(keys, on.settings.issuer, on.settings.audience)
        self.session = uuid4()
        with psycopg.connect(on.urls.admin, autocommit=True) as connection:
            found = connection.execute("select id from users where username = %s", [SUPERVISOR]).fetchone()
            assert found is not None, "the load data has no supervisor of the bench"
            self.user = found[0]
            connection.execute("delete from imported_rows")
            connection.execute(
                "insert into sessions (id, user_id, created_at, expires_at) values (%s, %s, %s, %s)",
                [self.session, self.user, now, now + timedelta(days=1)],
            )

    async def sign(self, request: httpx.Request) -> None:
        token, _ = self.tokens.issue(self.user, self.session, datetime.now(UTC))
        request.headers["Authorization"] = f"Bearer {token}"


def _register(count: int) -> Iterator[list[Any]]:
    """Rows as offices have them: a birthday, a year, a telephone number, a sentence."""
    draws = random.Random(1)  # noqa: S311
    for number in range(count):
        family, given = draws.choice(FAMILY_NAMES), draws.choice(FEMALE_GIVEN_NAMES)
        commune = draws.choice(COMMUNES)
        born = date(1950, 1, 1) + timedelta(days=draws.randrange(20_000))
        yield [
            *(draws.choice(["id_poor", "social_assistance"]), commune, draws.choice(villages_of(commune))),
            *(f"Asks for help with the papers of her children, line {number}.", family.km, given.km),
            *(family.en, given.en, "female", born.isoformat() if number % 3 else str(born.year)),
            *(f"0{draws.choice([12, 92, 77])}{draws.randrange(1_000_000):06}", "verbal", "2026-03-01"),
        ]


def _xlsx(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in [HEADER, *rows]:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _csv(rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *rows])
    return text.getvalue().encode()


if __name__ == "__main__":
    main()
