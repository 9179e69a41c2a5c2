"""`python -m tests.oracle`: 100,000 compared operations on a server of its own; `make oracle`."""

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from app import schema
from app.embedded import EmbeddedPostgres
from app.keys import ensure
from tests.cast import AREAS
from tests.database import Server, embedded_server
from tests.oracle.driver import Difference, Tally, compare
from tests.oracle.stage import stage

NAME = "samaki_oracle"


def main() -> int:
    """0 when nothing differed; prints progress, and on a difference the shortest run that shows it."""
    options = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__)
    options.add_argument("--operations", type=int, default=100_000, help="compare at least so many")
    options.add_argument("--seed", type=int, default=secrets.randbits(32), help="repeat the run of this seed")
    chosen = options.parse_args()
    _say(f"seed {chosen.seed}\n")
    data_dir = Path(tempfile.mkdtemp(prefix="samaki-oracle-"))
    data_dir.chmod(0o711)  # PostgreSQL runs as a user of its own when this is root
    try:
        with EmbeddedPostgres(data_dir) as postgres:
            tally, found = asyncio.run(_compare(embedded_server(postgres), data_dir, chosen.operations, chosen.seed))
    finally:
        shutil.rmtree(data_dir)
    return _tell(tally, found)


async def _compare(server: Server, data_dir: Path, operations: int, seed: int) -> tuple[Tally, Difference | None]:
    urls = server.urls(NAME)
    server.create(NAME)
    schema.prepare(urls.admin)
    schema.upgrade(urls.owner)
    with psycopg.connect(urls.owner) as connection:
        for code, level, parent in AREAS:
            row = (code, level.value, "ភូមិ", parent)
            connection.execute("insert into areas (code, level, name_km, parent) values (%s, %s, %s, %s)", row)
    ensure(data_dir / "keys")
    began = time.monotonic()

    def progress(compared: int) -> None:
        rate = compared / (time.monotonic() - began)
        _say(f"\r{compared:>9,} of {operations:,} compared, {rate:,.0f} a second")

    async with stage(urls, data_dir / "keys") as here:
        return await compare(here, seed, operations, progress)


def _tell(tally: Tally, found: Difference | None) -> int:
    _say("\n")
    for kind in sorted({*tally.succeeded, *tally.refused}):
        done, refused = tally.succeeded.get(kind, 0), tally.refused.get(kind, 0)
        _say(f"  {kind:<12} {done:>7,} done {refused:>7,} refused\n")
    _say(f"{tally.compared:,} operations compared, {0 if found is None else 1} differences\n")
    _say(f"{found}\n" if found else "")
    return 0 if found is None else 1


def _say(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
