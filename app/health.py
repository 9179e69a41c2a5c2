"""`/health/live`, `/health/ready` and `/metrics`, at the root, for whoever runs the service."""

from ipaddress import ip_address
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import text

from app.errors import NotFound, Unavailable
from app.metrics import metrics_response
from app.models.base import Read
from app.security import Runtime, runtime_of

router = APIRouter(tags=["health"])

WORKER_SILENT_SECONDS = 120
STATE = text("""
    select (select count(*) from schema_sql) as migrated,
           (select extract(epoch from now() - max(seen_at)) from worker_heartbeats) as worker_silent
""")


class Health(Read):
    status: str = "ok"


@router.get("/health/live")
async def live() -> Health:
    """The process answers."""
    return Health()


@router.get("/health/ready")
async def ready(runtime: Annotated[Runtime, Depends(runtime_of)]) -> Health:
    """Database, migrations, keys (read at start) and worker are there; 503 otherwise."""
    async with runtime.database.transaction() as session:
        state = (await session.execute(STATE)).one()
    if not state.migrated or state.worker_silent is None or state.worker_silent > WORKER_SILENT_SECONDS:
        raise Unavailable(retry_after=5)
    return Health()


@router.get("/metrics", include_in_schema=False)
async def read_metrics(request: Request) -> Response:
    """Prometheus metrics, for this machine only; elsewhere there is no such page."""
    if request.client is None or not ip_address(request.client.host).is_loopback:
        raise NotFound
    return metrics_response()
