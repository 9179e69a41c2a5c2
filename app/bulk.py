"""Many rows in one statement, for what comes as a file. COPY would be quicker, and is refused under row policies."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import driver_of


async def insert_many(
    session: AsyncSession, table: str, rows: Sequence[Mapping[str, Any]], *, if_free: bool = False
) -> int:
    """Many new rows of the same columns in one statement; returns how many were written, which are all of them unless
    `if_free` passed over those whose unique value was taken. A row goes as JSON: one statement for any number."""
    if not rows:
        return 0
    columns = ", ".join(rows[0])
    statement = (
        f"insert into {table} ({columns}) select {columns}"  # noqa: S608 (names of our own columns)
        f" from json_populate_recordset(null::{table}, %(rows)s::json)" + " on conflict do nothing" * if_free
    )
    written = json.dumps(list(rows), default=_as_json)
    return (await driver_of(session).execute(statement, {"rows": written})).rowcount


def _as_json(value: Any) -> str:
    """As PostgreSQL reads it from JSON: ids, times, and bytes in hex."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return value.isoformat() if isinstance(value, date) else str(value)
