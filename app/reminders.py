"""The worker tells what is overdue and what waits too long: an event in the timeline, once, for who may see the case.

What was told is marked on the row itself, in the transaction of the event: a worker that is killed in between has told
nothing, and one that starts again repeats nothing. Nothing leaves the server.
"""

from datetime import datetime
from typing import Any

import psycopg

from app.logs import log

SET_CLOCK = "select set_config('samaki.now', %s, true)"
BATCH = 200
TELLING = {
    "reminders.overdue_told": "select tell_overdue(%s)",
    "reminders.transfers_told": "select tell_overdue_transfers(%s)",
    "reminders.escalated": "select escalate_cases(%s)",
    "referrals.overdue_told": "select tell_overdue_referrals(%s)",
    "referrals.closed": "select close_disclosures(%s)",
}


async def remind(connection: psycopg.AsyncConnection[Any], now: datetime) -> bool:
    """Tell what is due to be told, BATCH of each; True when there may be more. `connection` is in autocommit mode."""
    full = False
    for event, statement in TELLING.items():
        async with connection.transaction():
            await connection.execute(SET_CLOCK, [now.isoformat()])
            row = await (await connection.execute(statement, [BATCH])).fetchone()
        told = row[0] if row else 0
        if told:
            log.info(event, count=told)
        full = full or told >= BATCH
    return full
