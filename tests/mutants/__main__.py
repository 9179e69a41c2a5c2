"""`python -m tests.mutants`: makes every wall wrong in turn and tells which mutants no test noticed; `make mutants`."""

import argparse
import asyncio
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from io import StringIO
from pathlib import Path

from app import logs
from app.embedded import EmbeddedPostgres
from app.keys import ensure
from tests.database import Server, embedded_server
from tests.mutants.databases import make_template, sql_mutants
from tests.mutants.policies import flips
from tests.mutants.run import Outcome, run_database, run_policy

TEMPLATE = "samaki_mutants"


def main() -> int:
    """0 when every mutant was noticed."""
    options = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    options.add_argument("--only", default="", help="a regular expression on the names of mutants")
    chosen = re.compile(options.parse_args().only)
    data_dir = Path(tempfile.mkdtemp(prefix="samaki-mutants-"))
    data_dir.chmod(0o711)  # PostgreSQL runs as a user of its own when this is root
    logs.configure(StringIO())
    ensure(data_dir / "keys")
    try:
        with EmbeddedPostgres(data_dir) as postgres:
            return asyncio.run(_run_all(embedded_server(postgres), data_dir / "keys", chosen))
    finally:
        shutil.rmtree(data_dir)


async def _run_all(server: Server, keys_dir: Path, chosen: re.Pattern[str]) -> int:
    make_template(server, TEMPLATE)
    by: Counter[str] = Counter()
    survivors: list[str] = []
    began = time.monotonic()
    async for outcome in _outcomes(server, keys_dir, chosen):
        by[(outcome.noticed_by or "nothing").partition(":")[0]] += 1
        print(
            f"{time.monotonic() - began:7.0f} s  {outcome.name}: {outcome.noticed_by or 'SURVIVED'}",
            flush=True,
        )
        if outcome.noticed_by is None:
            survivors.append(outcome.name)
    total = by.total()
    print(f"\n{total - len(survivors)} of {total} mutants killed; noticed by {dict(by.most_common())}")
    print("\n".join(f"  survived: {name}" for name in survivors))
    return 1 if survivors else 0


async def _outcomes(server: Server, keys_dir: Path, chosen: re.Pattern[str]) -> AsyncIterator[Outcome]:
    for mutant in sql_mutants(server.urls(TEMPLATE).admin):
        if chosen.search(mutant.name):
            yield await run_database(server, TEMPLATE, keys_dir, mutant)
    for flip in flips():
        if chosen.search(flip.name):
            for outcome in await run_policy(server, TEMPLATE, keys_dir, [flip]):
                yield outcome


if __name__ == "__main__":
    sys.exit(main())
