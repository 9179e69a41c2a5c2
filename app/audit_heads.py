"""Signed heads of the trail: the worker signs all sixteen every hour and hands them to an anchor outside.

Who rewrites a chain to its end, head included, cannot rewrite what was signed, nor what the anchor already holds.
"""

import json
import os
from dataclasses import dataclass
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
TITLE = "samaki audit heads 1"
WEBHOOK_SECONDS = 10.0

LAST = "select max(at) from audit_signatures"
HEADS = "select shard, seq, encode(hash, 'hex') from audit_heads order by shard"
KEEP = "insert into audit_signatures (at, statement, key_id, signature) values (%s, %s, %s, %s)"

Head = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Anchor:
    """Who signs, and where signed heads go beside the database."""

    key: AuditKey
    file: Path | None = None
    url: str | None = None


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

    An anchor that does not answer costs nothing but the delay: the next signature covers what this one did.
    """
    async with connection.transaction():
        last = await (await connection.execute(LAST)).fetchone()
        if last and last[0] is not None and now - last[0] < EVERY:
            return False
        heads = await (await connection.execute(HEADS)).fetchall()
        statement = statement_of([(head[0], head[1], head[2]) for head in heads], now)
        signature = anchor.key.private.sign(statement.encode())
        await connection.execute(KEEP, [now, statement, anchor.key.key_id, signature])
    line = json.dumps({"statement": statement, "key_id": anchor.key.key_id, "signature": signature.hex()})
    await _hand_over(anchor, line)
    return True


async def _hand_over(anchor: Anchor, line: str) -> None:
    try:
        if anchor.file is not None:
            await run_in_threadpool(_append, anchor.file, line)
        if anchor.url is not None:
            async with httpx.AsyncClient(timeout=WEBHOOK_SECONDS) as client:
                answer = await client.post(anchor.url, content=line, headers={"Content-Type": "application/json"})
                answer.raise_for_status()
    except (OSError, httpx.HTTPError) as error:
        log.error("audit.anchor_failed", exc_info=error)


def _append(path: Path, line: str) -> None:
    with open(path, "a", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())
