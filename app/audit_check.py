"""`samaki audit verify`: every chain recomputed from its first row, and every signed head held against it.

Nothing of the database's own functions is used, and no more than a batch of rows is in memory at once.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from app.audit_heads import Head, heads_in, is_signed
from app.key_pairs import AuditKey
from app.models.audit import SHARDS

BATCH = 5_000
MOST_FAULTS = 100
SEED = bytes(32)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ROWS = "select * from audit_events where shard = %s order by seq"
HEADS = "select shard, seq, encode(hash, 'hex') from audit_heads order by shard"
SIGNATURES = "select statement, key_id, signature from audit_signatures order by at"

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was written, and where; `seq` is the first row that does not fit."""

    shard: int | None
    seq: int | None
    fault: str

    def __str__(self) -> str:
        where = "" if self.shard is None else f"shard {self.shard}"
        return f"{where}{'' if self.seq is None else f', seq {self.seq}'}{': ' if where else ''}{self.fault}"


@dataclass(slots=True)
class Findings:
    """What a run looked at and found; of faults the first hundred, `more` counts the others."""

    rows: int = 0
    signatures: int = 0
    faults: list[Fault] = field(default_factory=list)
    more: int = 0

    def add(self, shard: int | None, seq: int | None, fault: str) -> None:
        """One more fault."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(shard, seq, fault))
        else:
            self.more += 1


@dataclass(frozen=True, slots=True)
class Signed:
    """One signed statement, from the table or from the anchor's file."""

    statement: str
    key_id: str
    signature: bytes


def count_rows(connection: psycopg.Connection[Any]) -> int:
    """How many rows the heads speak of, for a progress bar."""
    row = connection.execute("select coalesce(sum(seq), 0)::bigint from audit_heads").fetchone()
    return int(row[0]) if row else 0


def verify(
    connection: psycopg.Connection[Any],
    keys: Iterable[AuditKey],
    anchor_file: Path | None = None,
    advance: Advance = lambda _: None,
) -> Findings:
    """Look at everything in one snapshot. `connection` must be allowed to read the trail, and is left in a transaction.

    `advance` is told of every batch of rows.
    """
    connection.execute("set transaction isolation level repeatable read, read only")
    findings = Findings()
    claims = _signed_heads(connection, {key.key_id: key for key in keys}, anchor_file, findings)
    heads: dict[int, Head] = {head[0]: head for head in connection.execute(HEADS).fetchall()}
    for shard in range(SHARDS):
        _verify_chain(connection, shard, heads.get(shard), claims[shard], findings, advance)
    return findings


def row_text(row: Any) -> str:
    """The text under a row's hash, as migrations/sql/090_audit.sql writes it."""
    microseconds = (row.at - EPOCH) // timedelta(microseconds=1)
    values = (
        *(row.shard, row.seq, row.id, microseconds, row.actor_id, row.kind, row.action, row.status, row.reason),
        *(",".join(map(str, row.case_ids)), ",".join(row.via), row.subject_id, row.request_id),
        *(row.account and row.account.hex(), row.address and row.address.hex(), row.counted),
    )
    return "|".join("" if value is None else str(value) for value in values)


def _verify_chain(
    connection: psycopg.Connection[Any],
    shard: int,
    head: Head | None,
    claims: dict[int, set[str]],
    findings: Findings,
    advance: Advance,
) -> None:
    seq, before = 0, SEED
    for rows in _batches(connection, shard):
        for row in rows:
            if row.seq != seq + 1:
                findings.add(shard, seq + 1, "removed")
            elif hashlib.sha256(before + row_text(row).encode()).digest() != row.hash:
                findings.add(shard, row.seq, "altered, or the row before it")
            if claims.pop(row.seq, {row.hash.hex()}) != {row.hash.hex()}:
                findings.add(shard, row.seq, "not the row that was signed")
            seq, before = row.seq, row.hash
        findings.rows += len(rows)
        advance(len(rows))
    if head is None or (head[1], head[2]) != (seq, before.hex()):
        findings.add(shard, seq + 1, "the end is missing" if head and head[1] > seq else "the head does not fit")
    for missing in sorted(claims):
        if missing > seq:
            findings.add(shard, missing, "signed, and not there")


def _batches(connection: psycopg.Connection[Any], shard: int) -> Iterator[list[Any]]:
    with connection.cursor(f"audit_{shard}", row_factory=namedtuple_row) as cursor:
        cursor.execute(ROWS, [shard])
        while rows := cursor.fetchmany(BATCH):
            yield rows


def _signed_heads(
    connection: psycopg.Connection[Any], keys: dict[str, AuditKey], anchor_file: Path | None, findings: Findings
) -> defaultdict[int, dict[int, set[str]]]:
    """What was signed: by shard and seq the hash that must be found there (two, when two statements differ)."""
    claims: defaultdict[int, dict[int, set[str]]] = defaultdict(dict)
    stored: set[bytes] = set()
    for signed in _stored(connection):
        stored.add(hashlib.sha256(signed.statement.encode()).digest())
        _take(signed, keys, claims, findings)
    for signed in _anchored(anchor_file, findings):
        if hashlib.sha256(signed.statement.encode()).digest() not in stored:
            findings.add(None, None, "the anchor holds signed heads that the database has lost")
            _take(signed, keys, claims, findings)
    return claims


def _take(
    signed: Signed,
    keys: dict[str, AuditKey],
    claims: defaultdict[int, dict[int, set[str]]],
    findings: Findings,
) -> None:
    findings.signatures += 1
    key = keys.get(signed.key_id)
    if key is None:
        findings.add(None, None, f"heads signed with the key {signed.key_id}, which is not here")
    elif not is_signed(key, signed.statement, signed.signature):
        findings.add(None, None, "signed heads that were altered")
    else:
        for shard, seq, digest in heads_in(signed.statement):
            if seq:
                claims[shard].setdefault(seq, set()).add(digest)


def _stored(connection: psycopg.Connection[Any]) -> Iterator[Signed]:
    with connection.cursor("audit_signed") as cursor:
        cursor.execute(SIGNATURES)
        yield from (Signed(statement, key_id, signature) for statement, key_id, signature in cursor)


def _anchored(path: Path | None, findings: Findings) -> Iterator[Signed]:
    if path is None or not path.exists():
        return
    with path.open(encoding="ascii", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                one = json.loads(line)
                yield Signed(str(one["statement"]), str(one["key_id"]), bytes.fromhex(one["signature"]))
            except (ValueError, KeyError, TypeError):
                findings.add(None, None, f"line {number} of the anchor cannot be read")
