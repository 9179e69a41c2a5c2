"""Signed heads of the trail: the worker signs all sixteen every hour and hands them to an anchor outside.

Who rewrites a chain to its end, head included, cannot rewrite what was signed, nor what the anchor already holds.
"""

import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
from cryptography.exceptions import InvalidSignature
from starlette.concurrency import run_in_threadpool

from app.key_pairs import AuditKey
from app.logs import log

EVERY = timedelta(hours=1)
AGAIN_AFTER = timedelta(minutes=2)  # an anchor that did not answer
TITLE = "samaki audit heads 1"
WEBHOOK_SECONDS = 10.0

LAST = "select max(at) from audit_signatures"
HEADS = "select shard, seq, encode(hash, 'hex') from audit_heads order by shard"
KEEP = "insert into audit_signatures (at, statement, key_id, signature) values (%s, %s, %s, %s)"

Head = tuple[int, int, str]


@dataclass(slots=True)
class Anchor:
    """Who signs, and where signed heads go beside the database; `untold`: where the newest have not arrived yet."""

    key: AuditKey
    file: Path | None = None
    url: str | None = None
    line: str = ""
    untold: set[Path | str] = field(default_factory=set)
    try_at: datetime | None = None


def statement_of(heads: list[Head], at: datetime) -> str:
    """The text that is signed: a title, the moment, and `shard seq hash` a line."""
    lines = [f"{shard} {seq} {digest}" for shard, seq, digest in heads]
    return "\n".join([TITLE, at.astimezone(UTC).isoformat(), *lines])


def heads_in(statement: str) -> list[Head]:
    """What a statement says; ValueError when it is none."""
    title, _at, *lines = statement.split("\n")
    if title != TITLE:
        raise ValueError("not a statement of heads")
    return [(int(shard), int(seq), digest) for shard, seq, digest in (line.split(" ") for line in lines)]


def is_signed(key: AuditKey, statement: str, signature: bytes) -> bool:
    """Whether this key signed exactly this text."""
    try:
        key.private.public_key().verify(signature, statement.encode())
    except InvalidSignature:
        return False
    return True


async def sign_when_due(connection: psycopg.AsyncConnection[Any], anchor: Anchor, now: datetime) -> bool:
    """Sign the heads when the last signature is an hour old; True when that was so.

    An anchor that does not answer is asked again every two minutes. If the worker is killed meanwhile, or an hour
    passes, the next heads cover what these did.
    """
    line = await _sign(connection, anchor.key, now)
    if line is not None:
        anchor.line, anchor.try_at = line, now
        anchor.untold = {place for place in (anchor.file, anchor.url) if place is not None}
    if anchor.untold and anchor.try_at is not None and now >= anchor.try_at:
        for place in sorted(anchor.untold, key=str):
            if await _handed_over(place, anchor.line):
                anchor.untold.discard(place)
        anchor.try_at = now + AGAIN_AFTER
    return line is not None


async def _sign(connection: psycopg.AsyncConnection[Any], key: AuditKey, now: datetime) -> str | None:
    """The signed heads as one line, when it is time."""
    async with connection.transaction():
        last = await (await connection.execute(LAST)).fetchone()
        if last and last[0] is not None and now - last[0] < EVERY:
            return None
        heads = await (await connection.execute(HEADS)).fetchall()
        statement = statement_of([(head[0], head[1], head[2]) for head in heads], now)
        signature = key.private.sign(statement.encode())
        await connection.execute(KEEP, [now, statement, key.key_id, signature])
    return json.dumps({"statement": statement, "key_id": key.key_id, "signature": signature.hex()})


async def _handed_over(place: Path | str, line: str) -> bool:
    try:
        if isinstance(place, Path):
            await run_in_threadpool(_append, place, line)
        else:
            async with httpx.AsyncClient(timeout=WEBHOOK_SECONDS) as client:
                answer = await client.post(place, content=line, headers={"Content-Type": "application/json"})
                answer.raise_for_status()
    except (OSError, httpx.HTTPError) as error:
        log.error("audit.anchor_failed", exc_info=error)
        return False
    return True


def _append(path: Path, line: str) -> None:
    with open(path, "a", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())
