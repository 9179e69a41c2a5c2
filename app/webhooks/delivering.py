"""The worker's part: takes what is due, sends many at once, and says what came of each.

Nothing here remembers anything: what is taken and not settled, because this process was killed, is anybody's again when
its lease is over. So every event arrives at least once, and those of one referral in their order.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from app.db import Clock
from app.logs import log
from app.models.webhook import SendProblem
from app.sealed_secret import SecretSeal
from app.webhooks.schedule import wait_after
from app.webhooks.sending import TIMEOUT_SECONDS, Sender, Sent
from app.webhooks.signing import body_of, signed

AT_ONCE = 512
OF_ONE_ORGANISATION = 32
LEASE = timedelta(seconds=2 * TIMEOUT_SECONDS)
LOOK_AGAIN_SECONDS = 0.5  # while something slow is on its way
GONE = 410

CLAIM = "select * from claim_deliveries(%(clock)s, %(at_most)s, %(each)s, %(lease)s)"
SETTLE = """
    select settle_deliveries(%(clock)s, %(ids)s::uuid[], %(claims)s::uuid[], %(arrived)s::boolean[], %(codes)s::int[],
                             %(problems)s::text[], %(waits)s::int[])
"""


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt: what was taken, and what came of it."""

    delivery: Any
    sent: Sent

    @property
    def wait(self) -> int | None:
        """Seconds until the next attempt; None when there is none: it has arrived, or is dead."""
        wait = wait_after(self.delivery.attempts + 1)
        return None if self.sent.arrived or self.sent.status == GONE or wait is None else int(wait.total_seconds())


class Deliverer:
    """Sends what waits. `clock` is for tests; else the database's time counts."""

    def __init__(
        self, seal: SecretSeal, sender: Sender, *, clock: Clock | None = None, within: float = TIMEOUT_SECONDS
    ) -> None:
        self._seal, self._sender, self._clock, self._within = seal, sender, clock, within

    async def drain(self, connection: psycopg.AsyncConnection[Any], stop: asyncio.Event) -> None:
        """Send until nothing is due; after `stop` nothing more is taken. `connection` is in autocommit mode."""
        sending: set[asyncio.Task[Tried]] = set()
        try:
            while True:
                room = 0 if stop.is_set() else AT_ONCE - len(sending)
                sending |= {asyncio.create_task(self._try(one)) for one in await self._claim(connection, room)}
                if not sending:
                    return
                done, sending = await asyncio.wait(
                    sending, timeout=LOOK_AGAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
                if done:
                    await self._settle(connection, [task.result() for task in done])
        finally:
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)

    async def _claim(self, connection: psycopg.AsyncConnection[Any], room: int) -> list[Any]:
        if not room:
            return []
        asked = {"clock": self._now(), "at_most": room, "each": OF_ONE_ORGANISATION, "lease": LEASE}
        async with connection.cursor(row_factory=namedtuple_row) as cursor:
            await cursor.execute(CLAIM, asked)
            return await cursor.fetchall()

    async def _try(self, delivery: Any) -> Tried:
        try:
            body = body_of(delivery.type, delivery.at, delivery.referral_id, delivery.status)
            headers = signed(body, delivery.event_id, delivery.sent_at, self._secrets(delivery))
            sent = await self._sender.post(delivery.url, headers, body, within=self._within)
        except Exception as error:  # one webhook's fault stops no other
            log.error("webhooks.broken", exc_info=error, job_id=delivery.id)
            sent = Sent(problem=SendProblem.CONNECTION)
        return Tried(delivery, sent)

    def _secrets(self, delivery: Any) -> list[str]:
        sealed = [delivery.sealed, *([delivery.previous_sealed] if delivery.previous_sealed else [])]
        return [self._seal.open(bytes(one), delivery.webhook_id).decode() for one in sealed]

    async def _settle(self, connection: psycopg.AsyncConnection[Any], tried: list[Tried]) -> None:
        values = {
            "clock": self._now(),
            "ids": [one.delivery.id for one in tried],
            "claims": [one.delivery.claim for one in tried],
            "arrived": [one.sent.arrived for one in tried],
            "codes": [one.sent.status for one in tried],
            "problems": [one.sent.problem and one.sent.problem.value for one in tried],
            "waits": [one.wait for one in tried],
        }
        await connection.execute(SETTLE, values)
        _tell(tried)

    def _now(self) -> Any:
        return self._clock() if self._clock else None


def _tell(tried: Iterable[Tried]) -> None:
    arrived = [one.sent.arrived for one in tried]
    for event, count in (("webhooks.delivered", sum(arrived)), ("webhooks.failed", arrived.count(False))):
        if count:
            log.info(event, count=count)
