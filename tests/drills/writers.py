"""People who open cases and send the same request again, with the same key, until it is acknowledged."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import httpx

from tests.cases import intake
from tests.drills.place import PATIENCE_SECONDS, Place

PAUSE_SECONDS = 0.05  # the drill is less patient than Retry-After asks for


@dataclass
class Ledger:
    """What the writers were told: ids by key, when, and how often they were refused."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    moments: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    unexpected: Counter[str] = field(default_factory=Counter)
    owners: dict[str, int] = field(default_factory=dict)
    replayed: int = 0  # written before the answer was lost: what a client without a key would have doubled

    def note(self, key: str, writer: int, answer: httpx.Response | None) -> bool:
        """One attempt's outcome; True when the case is acknowledged."""
        if answer is None:
            self.refused["no answer"] += 1
            return False
        if answer.status_code == 201:
            self.acknowledged[key] = answer.json()["id"]
            self.owners[key] = writer
            self.replayed += "Idempotency-Replayed" in answer.headers
            self.moments.append(time.monotonic())
            return True
        self.refused[said(answer)] += 1
        if not may_be_repeated(answer):
            self.unexpected[said(answer)] += 1
        return False


def said(answer: httpx.Response) -> str:
    """Status and code of a refusal."""
    kind = answer.headers.get("Content-Type", "")
    return f"{answer.status_code} {answer.json()['code']}" if kind == "application/problem+json" else kind


def may_be_repeated(answer: httpx.Response) -> bool:
    """Whether the refusal is one of the two that a client with a key may meet while something fails."""
    asked_to_wait = answer.status_code == 503 and answer.headers.get("Retry-After", "").isdigit()
    return asked_to_wait or said(answer) == "409 idempotency_in_progress"


async def send(client: httpx.AsyncClient, key: str, summary: str) -> httpx.Response | None:
    """One intake; None when the connection broke before the answer."""
    try:
        return await client.post("/cases", json=intake(summary=summary), headers={"Idempotency-Key": key})
    except httpx.TransportError:
        return None


async def write(place: Place, ledger: Ledger, writer: int, stop: asyncio.Event) -> None:
    """Open one case after the other; what is begun is finished, however long it takes to be acknowledged."""
    async with place.client(writer) as client:
        while not stop.is_set():
            key = str(uuid4())
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not ledger.note(key, writer, await send(client, key, key)):  # noqa: ASYNC110 (asks again)
                    await asyncio.sleep(PAUSE_SECONDS)


@asynccontextmanager
async def writing(place: Place, number: int) -> AsyncIterator[Ledger]:
    """So many writers at work for the length of the block."""
    ledger, stop = Ledger(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for writer in range(number):
            group.create_task(write(place, ledger, writer, stop))
        try:
            yield ledger
        finally:
            stop.set()


async def until_acknowledged(ledger: Ledger, more: int) -> None:
    """Wait for so many more cases."""
    wanted = len(ledger.acknowledged) + more
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(ledger.acknowledged) < wanted:  # noqa: ASYNC110 (looked at from outside)
            await asyncio.sleep(0.005)
