"""The statements of one request of the API, as they are really sent, so that the reference sends the same."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from fastapi import FastAPI
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from app.case_code import random_case_code
from app.security import Runtime

CASE_CODE = re.compile(r"SR-[0-9A-Z]{4}-[0-9A-Z]{4}")

Statement = tuple[str, dict[str, Any]]


@contextmanager
def recording(engine: AsyncEngine) -> Iterator[list[Statement]]:
    """Every statement that the engine's connections send within the block, whoever sends it, in order."""
    seen: list[Statement] = []

    class Recording(psycopg.AsyncCursor[Any]):
        async def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
            seen.append((query, dict(params or {})))
            return await super().execute(query, params, **options)

        async def executemany(self, query: Any, params_seq: Any, **options: Any) -> None:
            seen.extend((query, dict(row)) for row in params_seq)
            await super().executemany(query, params_seq, **options)

    def lend(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.driver_connection.cursor_factory = Recording

    def take_back(connection: Any, _record: Any) -> None:
        if connection is not None:
            connection.driver_connection.cursor_factory = psycopg.AsyncCursor

    event.listen(engine.sync_engine, "checkout", lend)
    event.listen(engine.sync_engine, "checkin", take_back)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "checkout", lend)
        event.remove(engine.sync_engine, "checkin", take_back)


async def statements_of(app: FastAPI, method: str, path: str, token: str, body: Any = None) -> list[Statement]:
    """Send one request through the application in this process and note what it executes."""
    runtime: Runtime = app.state.runtime
    transport = httpx.ASGITransport(app=app)
    headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
    with recording(runtime.database.engine) as seen:
        async with httpx.AsyncClient(transport=transport, base_url="http://bench", headers=headers) as client:
            response = await client.request(method, path, json=body)
    assert response.status_code < 300, f"{method} {path} answered {response.status_code}"
    return seen


class Replayed:
    """Statements with the ids of one request, given out again with fresh ids and codes."""

    def __init__(self, statements: list[Statement], known: set[UUID]) -> None:
        self._statements = statements
        values = [value for _, parameters in statements for value in parameters.values()]
        self._fresh = {value for value in values if isinstance(value, UUID)} - known

    def again(self, subject: Mapping[UUID, UUID]) -> list[Statement]:
        """The same statements; `subject` maps an id of the captured request to another."""
        ids = {own_id: uuid4() for own_id in self._fresh} | dict(subject)
        code = random_case_code()

        def other(value: Any) -> Any:
            if isinstance(value, UUID):
                return ids.get(value, value)
            return code if isinstance(value, str) and CASE_CODE.fullmatch(value) else value

        return [
            (sql, {name: other(value) for name, value in parameters.items()}) for sql, parameters in self._statements
        ]
