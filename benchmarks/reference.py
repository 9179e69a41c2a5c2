"""The bare reference of house.md: Starlette and the driver, with the statements of the API under the same policies.

No FastAPI, no token check, no validation, no models: session, settings, statements, commit, and the rows as JSON.
"""

import json
import pickle
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.capture import Replayed

CASES, WORKLIST = "/api/v1/cases", "/api/v1/worklist"
WORKLIST_OF_SUPERVISOR = f"{WORKLIST}/of-supervisor"  # here a path says what there the token does


def create_reference(url: str, captured: Path, pool_size: int) -> Starlette:
    """The reference; `captured` holds the statements per operation, pickled by the bench itself in the same run."""
    operations: dict[str, tuple[Replayed, UUID | None]] = pickle.loads(captured.read_bytes())
    pool = AsyncConnectionPool(
        url, min_size=pool_size, max_size=pool_size, open=False, kwargs={"row_factory": dict_row}
    )

    async def answer(name: str, request: Request, status: int) -> Response:
        await request.body()
        replayed, captured_id = operations[name]
        subject = {}
        if captured_id is not None:
            subject[captured_id] = UUID(request.path_params["case_id"])
        rows: list[Any] = []
        async with pool.connection() as connection:
            for sql, parameters in replayed.again(subject):
                cursor = await connection.execute(sql, parameters)
                if cursor.description is not None:
                    rows = max(rows, await cursor.fetchall(), key=len)  # what is answered; the trail gives one row
        return Response(json.dumps(rows, default=_written), status, media_type="application/json")

    def answering(name: str, status: int = 200) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return await answer(name, request, status)

        return endpoint

    async def read_list(request: Request) -> Response:
        return await answer("filtered" if request.url.query else "list", request, 200)

    async def opened() -> None:
        await pool.open(wait=True)

    app = Starlette(
        routes=[
            Route(CASES, read_list, methods=["GET"]),
            Route(CASES, answering("create", 201), methods=["POST"]),
            Route("/api/v1/people/search", answering("search"), methods=["POST"]),
            Route(WORKLIST, answering("worklist"), methods=["GET"]),
            Route(WORKLIST_OF_SUPERVISOR, answering("worklist of 30"), methods=["GET"]),
            Route(f"{CASES}/{{case_id}}", answering("detail"), methods=["GET"]),
            Route(f"{CASES}/{{case_id}}", answering("patch"), methods=["PATCH"]),
        ],
    )
    app.state.opened = opened
    return app


def _written(value: object) -> str:
    """As text; sealed blobs are left out, so that the reference never sends more than the API."""
    return "" if isinstance(value, bytes) else str(value)
