"""`python -m tests.fuzz`: 20,000 generated requests as every role, then hostile text everywhere; `make fuzz`."""

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

from app.embedded import EmbeddedPostgres
from app.keys import ensure
from tests.database import Server, embedded_server
from tests.fuzz.callers import CALLERS
from tests.fuzz.driver import Fuzz, Tally, fuzz
from tests.ground import ground
from tests.hostile import bodies_of_operations, strings_in_fields, strings_in_parameters
from tests.mutants.databases import make_template

TEMPLATE = "samaki_fuzz"
LEAST = 20_000


def main() -> int:
    """0 when every answer was as it must be."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("--requests", type=int, default=LEAST, help="generate at least so many")
    options.add_argument("--seed", type=int, default=secrets.randbits(32), help="repeat the run of this seed")
    chosen = options.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    data_dir = Path(tempfile.mkdtemp(prefix="samaki-fuzz-"))
    data_dir.chmod(0o711)  # PostgreSQL runs as a user of its own when this is root
    ensure(data_dir / "keys")
    try:
        with EmbeddedPostgres(data_dir) as postgres:
            server = embedded_server(postgres)
            make_template(server, TEMPLATE)
            tally = _generated(server, data_dir / "keys", chosen.requests, chosen.seed)
            silent = asyncio.run(_hostile(server, data_dir / "keys"))
    finally:
        shutil.rmtree(data_dir)
    return 1 if tally.wrong or not silent or tally.total < chosen.requests else 0


def _generated(server: Server, keys_dir: Path, wanted: int, number: int) -> Tally:
    with server.clone(TEMPLATE) as urls, fuzz(urls, keys_dir) as one:
        print(f"{len(one.operations)} operations, {len(CALLERS)} callers", flush=True)
        while one.tally.total < wanted:
            left = wanted - one.tally.total  # some operations can be asked in a few ways only
            number = _round(one, 4 + left // (len(one.operations) * len(CALLERS)), number)
    wrong = one.tally.wrong
    unsendable = f"{one.tally.unsendable} more that HTTP cannot carry"
    print(f"{one.tally.total:,} generated requests, {unsendable}; {wrong.total()} wrong answers", flush=True)
    for what, times in wrong.most_common():
        print(f"  WRONG {times:5}  {what}", flush=True)
    return one.tally


def _round(one: Fuzz, examples: int, number: int) -> int:
    for caller in CALLERS:
        began, before = time.monotonic(), one.tally.total
        one.run(caller, examples, number)
        statuses = one.tally.asked[caller]
        told = ", ".join(f"{status} x{count}" for status, count in sorted(statuses.items()))
        seconds, asked = time.monotonic() - began, one.tally.total - before
        print(f"  {caller:20} {asked:6,} in {seconds:4.0f} s, all: {told}", flush=True)
        number += 1_000
    return number


async def _hostile(server: Server, keys_dir: Path) -> bool:
    """False at the first answer that is wrong, which is told."""
    began = time.monotonic()
    with server.clone(TEMPLATE) as urls:
        async with ground(urls, keys_dir) as on:
            try:
                asked, fields = await strings_in_fields(on)
                bodies = await bodies_of_operations(on)
                more, parameters = await strings_in_parameters(on)
            except AssertionError as error:
                print(f"  WRONG  {error}")
                return False
    print(
        f"hostile: {asked:,} texts in {fields} fields of bodies, {bodies:,} bodies,"
        f" {more:,} texts in {parameters} parameters; 0 x 5xx, {time.monotonic() - began:.0f} s"
    )
    return True


if __name__ == "__main__":
    sys.exit(main())
