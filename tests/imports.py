"""Sending registers in tests, and an application whose imports are worked on only when a test says so."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import openpyxl
import psycopg
from fastapi import FastAPI
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from app.database_urls import DatabaseUrls
from app.importing import Importer
from app.main import create_app
from app.security import Runtime
from tests.cast import COMMUNE, VILLAGE, Cast, FrozenClock, add_cast, answered
from tests.conftest import settings_for

Rows = Sequence[Sequence[Any]]
CASES = ["category", "commune_code", "summary", "family_name_en", "given_name_en", "sex", "birth_date"]
PEOPLE = ["family_name_km", "given_name_km", "sex", "birth_date", "phone", "village_code"]
HOUSEHOLDS = ["village_code", "id_poor_level", "size"]


@dataclass(frozen=True)
class Desk:
    """One application, the people before it, and who works on its imports."""

    app: FastAPI
    runtime: Runtime
    urls: DatabaseUrls
    clock: FrozenClock
    cast: Cast
    importer: Importer
    admin: psycopg.Connection[Any]

    async def send(
        self, content: bytes, kind: str = "people", who: str = "supervisor", **fields: str
    ) -> httpx.Response:
        """POST one file."""
        files = {"file": ("register", content)}
        return await self.cast.client(who).post("/imports", files=files, data={"kind": kind, **fields})

    async def sent(self, content: bytes, kind: str = "people", who: str = "supervisor", **fields: str) -> str:
        """The id of a file that is taken in."""
        made: str = answered(await self.send(content, kind, who, **fields), 201)["id"]
        return made

    async def checked(self, content: bytes, kind: str = "people", who: str = "supervisor", **fields: str) -> str:
        """The id of a file whose dry run is over."""
        made = await self.sent(content, kind, who, **fields)
        await self.work()
        assert (await self.read(made, who))["state"] == "checked"
        return made

    async def committed(self, content: bytes, kind: str = "people", who: str = "supervisor", **fields: str) -> Any:
        """The import of a file that is written."""
        made = await self.checked(content, kind, who, **fields)
        answered(await self.cast.client(who).post(f"/imports/{made}/commit"), 202)
        await self.work()
        done = await self.read(made, who)
        assert done["state"] == "committed", done
        return done

    async def work(self) -> None:
        """Work until nothing waits."""
        while await self.importer.step():
            pass

    async def read(self, import_id: str, who: str = "supervisor") -> Any:
        """The import as its uploader reads it."""
        return answered(await self.cast.client(who).get(f"/imports/{import_id}"), 200)

    async def report(self, import_id: str, **query: Any) -> list[Any]:
        """The rows of one page of the report."""
        path = f"/imports/{import_id}/rows"
        return list(answered(await self.cast.client("supervisor").get(path, params=query), 200)["items"])

    def count(self, table: str) -> int:
        """All rows of a table."""
        row = self.admin.execute(f"select count(*) from {table}".encode()).fetchone()
        assert row is not None
        return int(row[0])

    def one(self, query: str, *values: Any) -> Any:
        """The first value of a query that sees everything."""
        row = self.admin.execute(query.encode(), values).fetchone()
        assert row is not None
        return row[0]


@asynccontextmanager
async def desk(urls: DatabaseUrls, keys_dir: Path) -> AsyncIterator[Desk]:
    """The application before a database of its own; nobody works on imports but the test."""
    clock = FrozenClock()
    app = create_app(settings_for(urls, keys_dir), clock)
    runtime: Runtime = app.state.runtime
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    try:
        with psycopg.connect(urls.admin, autocommit=True) as admin:
            async with Cast(transport, runtime, clock) as cast:
                await add_cast(cast)
                yield Desk(app, runtime, urls, clock, cast, Importer(runtime), admin)
    finally:
        await runtime.database.close()


def csv_file(header: Sequence[str], rows: Rows, delimiter: str = ",") -> bytes:
    """A register as CSV."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows([header, *rows])
    return text.getvalue().encode()


def xlsx_file(header: Sequence[str], rows: Rows, *, merged: str | None = None, mac: bool = False) -> bytes:
    """The same as XLSX."""
    book = openpyxl.Workbook()
    if mac:
        book.epoch = CALENDAR_MAC_1904
    sheet = book.worksheets[0]
    for row in [header, *rows]:
        sheet.append(list(row))
    if merged:
        sheet.merge_cells(merged)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def people(count: int) -> list[list[str]]:
    """Different people of the village, whom no other test knows."""
    name = "".join(chr(ord("ក") + int(digit, 16)) for digit in uuid4().hex[:8])
    return [[f"សុខ{name}", f"ដារ៉ា{number}", "female", "1990", "", VILLAGE] for number in range(count)]


def cases(count: int, category: str = "id_poor") -> list[list[str]]:
    """Different clients of the commune, whom no other test knows."""
    name = "".join(chr(ord("a") + int(digit, 16)) for digit in uuid4().hex[:8])
    return [[category, COMMUNE, "Asks.", f"Sok{name}", f"Dara{number}", "female", "1990"] for number in range(count)]
