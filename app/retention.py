"""The retention clock: closed cases whose time is over are erased by the worker, one at a time, and told in the ledger.

Nobody need ask for it; a legal hold stops it. The same worker completes the ledger's file, where an API process was
killed between the commit of an erasure and the line that tells of it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb
from starlette.concurrency import run_in_threadpool

from app.erasures import TABLE, Erasure, Ledger
from app.logs import log
from app.models.codes.cases import Category
from app.settings import Settings, SetupError

EVERY = timedelta(hours=1)  # a look for due cases; as long as there are some, one after the other
SET_CLOCK = "select set_config('samaki.now', %s, true)"
ERASE = "select id, case_id, homes, at from erase_due_case(%s)"
WRITTEN = "select count(*) from erasure_ledger"


class Retention:
    """The worker's memory of it: `days` each category is kept after closing, 0 for ever."""

    def __init__(self, ledger: Ledger, days: dict[str, int]) -> None:
        self.ledger, self.days = ledger, days
        self._looked_at: datetime | None = None
        self._written = -1

    async def tick(self, connection: psycopg.AsyncConnection[Any], now: datetime) -> bool:
        """Erase one case that is due, then complete the file; True when there may be more to erase.

        A file that cannot be written stops no erasure: the table has it, and the next tick tries again.
        """
        erased = False
        if self._looked_at is None or now - self._looked_at >= EVERY:
            erased = await self._erase_one(connection, now)
            if not erased:
                self._looked_at = now
        try:
            await self._complete(connection)
        except (OSError, SetupError) as error:
            log.error("erasures.ledger_failed", exc_info=error)
        return erased

    async def _erase_one(self, connection: psycopg.AsyncConnection[Any], now: datetime) -> bool:
        async with connection.transaction():
            await connection.execute(SET_CLOCK, [now.isoformat()])
            row = await (await connection.execute(ERASE, [Jsonb(self.days)])).fetchone()
        if row:
            log.info("retention.erased", case_id=row[1])
        return row is not None

    async def _complete(self, connection: psycopg.AsyncConnection[Any]) -> None:
        counted = await (await connection.execute(WRITTEN)).fetchone()
        if counted is None or counted[0] == self._written:
            return
        rows = await (await connection.execute(TABLE)).fetchall()
        await run_in_threadpool(self.ledger.append, [Erasure(row[0], row[1], tuple(row[2]), row[3]) for row in rows])
        self._written = len(rows)


def retention_days(settings: Settings) -> dict[str, int]:
    """How many days each category is kept after closing. Raises SetupError for a category that is none."""
    days = dict.fromkeys((category.value for category in Category), settings.retention_days)
    for category, own in _own_days(settings):
        if category not in days:
            raise SetupError(f"SAMAKI_RETENTION_DAYS_BY_CATEGORY names {category}, which is no category")
        days[category] = own
    return days


def _own_days(settings: Settings) -> Iterator[tuple[str, int]]:
    for part in settings.retention_days_by_category:
        category, _, days = part.partition("=")
        yield category, int(days)
