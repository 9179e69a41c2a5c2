"""kill -9: of the API under writers, and of the worker amid its housekeeping."""

import asyncio
import time
from typing import LiteralString
from uuid import uuid4

import psycopg

from app.worker import DUTIES
from tests.drills.checks import kept
from tests.drills.findings import Finding, counted
from tests.drills.place import PATIENCE_SECONDS, WRITERS, Place
from tests.drills.writers import until_acknowledged, writing

EACH = 3  # cases of every writer between two kills, so that each kill hits work in full swing

PUT_OLD_KEYS = """
    insert into idempotency_keys (actor_id, key, digest, created_at)
    select %s, %s || n, '', now() - make_interval(days => %s) from generate_series(1, %s) n
"""
LEFT: LiteralString = "select count(*) from idempotency_keys where key like %s"
SILENT: LiteralString = "select extract(epoch from now() - max(seen_at))::int from worker_heartbeats"


async def api_killed(place: Place, kills: int = 8, writers: int = WRITERS) -> Finding:
    """Every API process dies at once, again and again; clients send the same keys until they are answered."""
    away: list[float] = []
    async with writing(place, writers) as ledger:
        for _ in range(kills):
            await until_acknowledged(ledger, EACH * writers)
            began = time.monotonic()
            for api in place.apis:
                api.kill()
            await place.start_api()
            away.append(time.monotonic() - began)
        await until_acknowledged(ledger, EACH * writers)
    found = await kept(place, ledger)
    return Finding(
        f"kill -9 of the API under {writers} writers, x{kills}",
        "acknowledged lost 0, duplicated 0, half-written 0, audit chain intact",
        f"{found}; {ledger.replayed} were written before their answer was lost; refused meanwhile:"
        f" {counted(ledger.refused)}; back after at most {max(away):.1f} s",
        found.whole and not ledger.unexpected,
    )


async def worker_killed(place: Place, rows: int = 20_000) -> Finding:
    """The worker dies between two batches of what it takes away; started again, it takes away the rest."""
    mark = uuid4().hex
    actor = place.cast.users["admin"].id
    keep = next(duty.keep.days for duty in DUTIES if duty.name == "idempotency_keys.deleted")
    place.worker.end()
    with place.everything() as admin:
        for kind, days, count in (("old", keep + 1, rows), ("young", keep - 1, 100)):
            admin.execute(PUT_OLD_KEYS, [actor, f"{kind} {mark}", days, count])
        place.worker.start()
        amid = await _until_left(admin, f"old {mark}%", rows - 1)
        place.worker.kill()
        began = time.monotonic()
        place.worker.start()
        await _until_left(admin, f"old {mark}%", 0)
        seconds = time.monotonic() - began
        young = _one(admin, LEFT, f"young {mark}%")
        silent = _one(admin, SILENT)
    return Finding(
        "worker killed amid its housekeeping",
        "what is due goes, what is not stays, and it is alive again",
        f"killed with {amid:,} of {rows:,} rows left, 0 left {seconds:.1f} s after its start;"
        f" {100 - young} of 100 young rows taken; last sign of life {silent} s ago",
        0 < amid < rows and young == 100 and silent < 15,
    )


async def _until_left(admin: psycopg.Connection, keys: str, most: int) -> int:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (left := _one(admin, LEFT, keys)) > most:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.002)
    return left


def _one(admin: psycopg.Connection, query: LiteralString, *values: str) -> int:
    row = admin.execute(query, values).fetchone()
    assert row is not None
    return int(row[0])
