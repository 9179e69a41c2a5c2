"""Numbers for Prometheus: by route template, never by path, so that no id and no name becomes a label."""

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from sqlalchemy.pool import QueuePool
from starlette.responses import Response

REGISTRY = CollectorRegistry()

requests = Counter("samaki_http_requests", "Requests answered", ["route", "method", "status"], registry=REGISTRY)
seconds = Histogram(
    "samaki_http_request_seconds",
    "Seconds from the first byte to the last",
    ["route", "method"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
in_progress = Gauge("samaki_http_in_progress", "Requests being answered", registry=REGISTRY)
log_keys_dropped = Counter("samaki_log_keys_dropped", "Log keys outside the allow-list", registry=REGISTRY)
_pool = Gauge("samaki_db_pool_connections", "Connections of the pool", ["state"], registry=REGISTRY)
waiting = Gauge("samaki_waiting", "What waits in all organisations together, by kind", ["kind"], registry=REGISTRY)


def watch_pool(pool: QueuePool) -> None:
    """Reports connections `used` and `idle` of the pool (an engine's `.pool`), read at each scrape."""
    _pool.labels("used").set_function(pool.checkedout)
    _pool.labels("idle").set_function(pool.checkedin)


def metrics_response() -> Response:
    """Everything measured by this process, in Prometheus' text format."""
    return Response(generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})
