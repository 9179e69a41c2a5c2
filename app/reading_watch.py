"""The worker's look at the trail for accounts that were shown many cases in an hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from app.logs import log

SET_CLOCK = "select set_config('samaki.now', %s, true)"
WATCH = "select * from watch_reading(%s, %s)"
AGAIN_AFTER = timedelta(minutes=15)


@dataclass(slots=True)
class ReadingLimits:
    """How many different cases in an hour are many: opened one by one, or shown on any page."""

    opened: int
    listed: int
    rests_until: datetime | None = None  # after a look that took too long


async def watch_when_due(connection: psycopg.AsyncConnection[Any], limits: ReadingLimits, now: datetime) -> None:
    """Look at the next hour that has passed, if any; every alert is a line of the log too, without a number or a name.

    `connection` is the worker's, in autocommit mode.
    """
    if limits.rests_until is not None and now < limits.rests_until:
        return
    try:
        async with connection.transaction():
            await connection.execute(SET_CLOCK, [now.isoformat()])
            told = await (await connection.execute(WATCH, [limits.opened, limits.listed])).fetchall()
    except psycopg.errors.QueryCanceled as error:  # an hour too full for the worker's patience must not stop its rest
        log.error("alert.watch_failed", exc_info=error)
        limits.rests_until = now + AGAIN_AFTER
        return
    for (user_id,) in told:
        log.warning("alert.many_cases", actor_id=str(user_id))
