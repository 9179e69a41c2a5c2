"""`/health/live`, `/health/ready` and `/metrics`, at the root, for whoever runs the service."""

from functools import cache
from ipaddress import ip_address
from typing import Annotated

import psycopg
from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import schema
from app.errors import NotFound, Unavailable
from app.metrics import metrics_response, waiting
from app.models.base import Read
from app.security import Runtime, runtime_of

router = APIRouter(tags=["health"])

WORKER_SILENT_SECONDS = 120
STATE = text("""
    select (select version_num from alembic_version) as revision,
           (select sha256 from schema_sql) as sql_files,
           (select extract(epoch from now() - max(seen_at)) from worker_heartbeats) as worker_silent,
           to_regclass('public.unfinished_restore') is null as whole
""")
WAITING = text("""
    select overdue, escalated, leaderless, stranded_cases() as stranded, deliveries, dead_deliveries
      from waiting_counts(), delivery_counts()
""")
expected_schema = cache(schema.expected)


class Health(Read):
    status: str = "ok"


@router.get("/health/live")
async def live() -> Health:
    """The process answers."""
    return Health()


@router.get("/health/ready")
async def ready(runtime: Annotated[Runtime, Depends(runtime_of)]) -> Health:
    """Database, its present shape, keys (read at start) and worker are there; 503 otherwise."""
    try:
        async with runtime.database.transaction() as session:
            state = (await session.execute(STATE)).one()
    except (SQLAlchemyError, psycopg.Error):
        raise Unavailable(retry_after=5) from None
    migrated = state.whole and (state.revision, state.sql_files) == expected_schema()
    if not migrated or state.worker_silent is None or state.worker_silent > WORKER_SILENT_SECONDS:
        raise Unavailable(retry_after=5)
    return Health()


@router.get("/metrics", include_in_schema=False)
async def read_metrics(request: Request, runtime: Annotated[Runtime, Depends(runtime_of)]) -> Response:
    """Prometheus metrics, for this machine only; elsewhere there is no such page."""
    if request.client is None or not ip_address(request.client.host).is_loopback:
        raise NotFound
    await _count_waiting(runtime)
    return metrics_response()


async def _count_waiting(runtime: Runtime) -> None:
    """Overdue follow-ups, cases, deliveries to webhooks; of a database that does not answer no old numbers."""
    waiting.clear()
    try:
        async with runtime.database.transaction() as session:
            await runtime.database.use_clock(session)
            counted = (await session.execute(WAITING)).one()
    except (SQLAlchemyError, psycopg.Error):
        return
    for kind, count in counted._asdict().items():
        waiting.labels(kind).set(count)
