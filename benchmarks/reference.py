"""The bare reference of house.md: Starlette and the driver, executing the statements of the API under the same policies.

No FastAPI, no token check, no validation, no models: session and settings, the statements, commit, and the rows as JSON.
"""

import json
import pickle
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

CASES = "/api/v1/cases"


def create_reference(url: str, captured: Path, pool_size: int) -> Starlette:
    """The reference; `captured` holds the statements per operation, pickled by the bench itself in the same run."""
    operations: dict[str, tuple[Replayed, UUID | None]] = pickle.loads(captured.read_bytes())  # noqa: S301
    pool = AsyncConnectionPool(url, min_size=pool_size, max_size=pool_size, open=False, kwargs={"row_factory": dict_row})

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
                    rows = await cursor.fetchall()
        return Response(json.dumps(rows, default=str), status, media_type="application/json")

    async def list_cases(request: Request) -> Response:
        return await answer("list", request, 200)

    async def filtered(request: Request) -> Response:
        return await answer("filtered", request, 200)

    async def detail(request: Request) -> Response:
        return await answer("detail", request, 200)

    async def create(request: Request) -> Response:
        return await answer("create", request, 201)

    async def patch(request: Request) -> Response:
        return await answer("patch", request, 200)

    async def opened() -> None:
        await pool.open(wait=True)

    app = Starlette(
        routes=[
            Route(CASES, list_cases, methods=["GET"]),
            Route("/filtered", filtered, methods=["GET"]),
            Route(CASES, create, methods=["POST"]),
            Route(f"{CASES}/{{case_id}}", detail, methods=["GET"]),
            Route(f"{CASES}/{{case_id}}", patch, methods=["PATCH"]),
        ],
    )
    app.state.opened = opened
    return app
