"""A database of one's own with the whole application in front of it and the stage set."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import httpx
import psycopg
from fastapi import FastAPI
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from app import logs
from app.database_urls import DatabaseUrls
from app.main import create_app
from app.security import Runtime
from app.settings import Settings
from tests.cast import Cast, FrozenClock, add_cast
from tests.database import Server
from tests.stage import Stage


@dataclass(frozen=True)
class Ground:
    """One application on one database, the people before it, and its clock."""

    app: FastAPI
    runtime: Runtime
    urls: DatabaseUrls
    clock: FrozenClock
    cast: Cast
    stage: Stage


@asynccontextmanager
async def ground(
    urls: DatabaseUrls, keys_dir: Path, *, search_floor_ms: int = 0, like: Ground | None = None
) -> AsyncIterator[Ground]:
    """The application before the database of `urls`, with cast and stage.

    With `like` the database is a copy of the one that `like` left: everybody and everything is in place already.
    """
    clock = FrozenClock()
    app = create_app(
        Settings(
            database_url=SecretStr(urls.runtime),
            reports_database_url=SecretStr(urls.reports),
            keys_dir=keys_dir,
            erasure_ledger=keys_dir.parent / "erasures.jsonl",
            demo=True,
            requests_per_minute=1_000_000,
            searches_per_minute=1_000_000,
            visits_per_minute=1_000_000,
            search_floor_ms=search_floor_ms,
            pool_size=4,
            caseload_full_at=100_000,  # many tests give cases to the same few people
        ),
        clock,
    )
    logs.configure(StringIO())  # thousands of requests are asked here
    runtime: Runtime = app.state.runtime
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    try:
        with psycopg.connect(urls.admin, autocommit=True) as admin:
            async with app.router.lifespan_context(app), Cast(transport, runtime, clock) as cast:
                stage = Stage(cast, admin)
                if like is None:
                    await add_cast(cast)
                    await stage.set()
                else:
                    cast.recognise(like.cast)
                    stage.recognise(like.stage)
                clock.advance(minutes=2)  # what ends within a minute has ended; nobody has swept it away
                yield Ground(app, runtime, urls, clock, cast, stage)
    finally:
        logs.configure()


@asynccontextmanager
async def another(server: Server, like: Ground, keys_dir: Path) -> AsyncIterator[Ground]:
    """One more ground like this one, which was left; a copy takes a tenth of the time of setting the stage."""
    name = conninfo_to_dict(like.urls.admin)["dbname"]
    assert isinstance(name, str)
    with server.clone(name) as urls:
        async with ground(urls, keys_dir, like=like) as made:
            yield made
