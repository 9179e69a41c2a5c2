"""Every connection of the pool is held by slow statements: who waits is told soon, and then all is well."""

import asyncio
import time

import httpx
import psycopg

from app.cli import address
from tests.drills.findings import Finding
from tests.drills.place import PROCESSES, Place
from tests.drills.restarting import Readings

SLACK_SECONDS = 2.0  # of a busy machine, beyond the limits of the settings: 2 s for the pool, 5 s for a statement


async def pool_exhausted(place: Place, readers: int = 80) -> Finding:
    """A lock on the table of cases makes every read of it wait until the statement's limit."""
    settings = place.settings
    places = settings.pool_size * PROCESSES
    readings = Readings()
    async with place.client(connections=readers) as client:
        async with await psycopg.AsyncConnection.connect(place.urls.admin) as admin:
            await admin.execute("lock table cases in access exclusive mode")
            reads = asyncio.gather(*(_read(client, readings) for _ in range(readers)))
            alive = await _slowest_sign_of_life(place, reads)
            await reads
            await admin.rollback()
        held, after = time.monotonic(), Readings()
        await asyncio.gather(*(_read(client, after) for _ in range(places)))
    waits = sorted(ended - asked for asked, ended in readings.refused)
    quick = sum(wait < settings.pool_timeout_seconds + SLACK_SECONDS for wait in waits)
    healthy = max((ended for _, ended in after.good), default=float("inf")) - held
    longest = settings.statement_timeout_ms / 1000 + SLACK_SECONDS
    return Finding(
        f"pool exhausted by slow queries ({readers} reads at {places} connections)",
        "quick 503s, healthy after",
        f"{quick} refused within {waits[quick - 1] if quick else 0:.1f} s, the {len(waits) - quick} slow ones within"
        f" {max(waits, default=0):.1f} s, {sum(readings.unexpected.values())} otherwise than 503 with Retry-After;"
        f" signs of life within {alive * 1000:.0f} ms; {places} reads good {healthy * 1000:.0f} ms after",
        len(waits) == readers
        and readers - places <= quick < readers
        and waits[-1] < longest
        and not readings.unexpected
        and alive < SLACK_SECONDS
        and len(after.good) == places,
    )


async def _read(client: httpx.AsyncClient, readings: Readings) -> None:
    asked = time.monotonic()
    readings.note(asked, await client.get("/cases", params={"limit": 1}))


async def _slowest_sign_of_life(place: Place, until: "asyncio.Future[list[None]]") -> float:
    """The longest that `/health/live` took meanwhile: waiting for the database holds up nothing else."""
    slowest = 0.0
    async with httpx.AsyncClient(base_url=address.url(place.listener)) as client:
        while not until.done():
            asked = time.monotonic()
            assert (await client.get("/health/live")).status_code == 200
            slowest = max(slowest, time.monotonic() - asked)
            await asyncio.sleep(0.05)
    return slowest
