"""PostgreSQL stops and comes back under load: refused clearly meanwhile, nothing lost, well again at once."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import psycopg

from tests.drills.checks import kept
from tests.drills.findings import Finding, counted
from tests.drills.place import PATIENCE_SECONDS, Place
from tests.drills.writers import Ledger, may_be_repeated, said, until_acknowledged, writing

WRITERS, READERS = 8, 4
DOWN_SECONDS = 1.5
HEALTHY_SECONDS = 1.0
SETTLED = 50  # cases acknowledged before the fault, and again after it


@dataclass
class Readings:
    """What the readers were told: when they asked, how long it took, and whether it was good."""

    good: list[tuple[float, float]] = field(default_factory=list)
    refused: list[tuple[float, float]] = field(default_factory=list)
    unexpected: Counter[str] = field(default_factory=Counter)

    def note(self, asked: float, answer: httpx.Response | None) -> None:
        """One answer, or none."""
        times = (asked, time.monotonic())
        if answer is not None and answer.status_code == 200:
            self.good.append(times)
            return
        self.refused.append(times)
        if answer is None or not may_be_repeated(answer):
            self.unexpected["no answer" if answer is None else said(answer)] += 1


async def postgres_restarted(place: Place, mode: str, down: float = DOWN_SECONDS) -> Finding:
    """`mode`: fast, which ends every transaction in order, or immediate, which is a crash."""
    async with writing(place, WRITERS) as ledger, reading(place) as readings:
        await until_acknowledged(ledger, SETTLED)
        await asyncio.to_thread(place.stop_postgres, mode)
        stopped = time.monotonic()
        await asyncio.sleep(down)
        starting = time.monotonic()
        back = (await asyncio.gather(_first_connection(place), asyncio.to_thread(place.start_postgres)))[0]
        await until_acknowledged(ledger, SETTLED)
    found = await kept(place, ledger)
    healthy = _healthy_after(back, ledger, readings)
    meanwhile = [one for one in readings.refused if stopped < one[0] < starting]
    served = [one for one in readings.good if stopped < one[0] and one[1] < starting]
    slowest = max((ended - asked for asked, ended in meanwhile), default=0.0)
    unexpected = readings.unexpected + ledger.unexpected
    return Finding(
        f"PostgreSQL restart ({mode}) under load",
        "lost 0; 503 with Retry-After meanwhile; healthy < 1 s after it is back",
        f"{found}; {ledger.replayed} were written before their answer was lost;"
        f" {len(meanwhile):,} reads refused while it was down, slowest {slowest * 1000:.0f} ms,"
        f" all 503 with Retry-After but: {counted(unexpected)}; healthy {healthy * 1000:.0f} ms after it was back",
        found.whole and bool(meanwhile) and not served and not unexpected and healthy < HEALTHY_SECONDS,
    )


def _healthy_after(back: float, ledger: Ledger, readings: Readings) -> float:
    """Seconds from the server's return to the first read, the first write, and the last read that failed."""
    read = min((ended for asked, ended in readings.good if asked > back), default=float("inf"))
    written = min((moment for moment in ledger.moments if moment > back), default=float("inf"))
    failed = max((ended for asked, ended in readings.refused if asked > back), default=back)
    return max(read, written, failed) - back


@asynccontextmanager
async def reading(place: Place) -> AsyncIterator[Readings]:
    """Readers of a list at work for the length of the block."""
    readings, stop = Readings(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for reader in range(READERS):
            group.create_task(_read(place, reader, readings, stop))
        try:
            yield readings
        finally:
            stop.set()


async def _read(place: Place, reader: int, readings: Readings, stop: asyncio.Event) -> None:
    async with place.client(reader) as client:
        while not stop.is_set():
            asked = time.monotonic()
            try:
                answer = await client.get("/cases", params={"limit": 1})
            except httpx.TransportError:
                answer = None
            readings.note(asked, answer)
            await asyncio.sleep(0.01)


async def _first_connection(place: Place) -> float:
    """When the server lets somebody in again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(place.urls.runtime)
            except psycopg.OperationalError:
                await asyncio.sleep(0.005)
                continue
            await connection.close()
            return time.monotonic()
