"""`python -m tests.mutants`: makes every wall wrong in turn and tells which ones no test noticed."""

import argparse
import asyncio
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

from app.embedded import EmbeddedPostgres
from app.keys import ensure
from tests.database import Server, embedded_server
from tests.mutants.databases import Mutant, make_template, misplaced, sql_mutants
from tests.mutants.policies import flips
from tests.mutants.run import Outcome, run_database, run_policies

TEMPLATE = "samaki_mutants"


def main() -> int:
    """0 when every mutant was noticed."""
    options = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    options.add_argument("--only", default="", help="a regular expression on the names of mutants")
    chosen = re.compile(options.parse_args().only)
    data_dir = Path(tempfile.mkdtemp(prefix="samaki-mutants-"))
    data_dir.chmod(0o711)  # PostgreSQL runs as a user of its own when this is root
    ensure(data_dir / "keys")
    try:
        with EmbeddedPostgres(data_dir) as postgres:
            return asyncio.run(_run_all(embedded_server(postgres), data_dir / "keys", chosen))
    finally:
        shutil.rmtree(data_dir)


async def _run_all(server: Server, keys_dir: Path, chosen: re.Pattern[str]) -> int:
    make_template(server, TEMPLATE)
    right = await run_database(server, TEMPLATE, keys_dir, Mutant("nothing wrong", "select"))
    if right.noticed_by is not None:
        print(f"the tests fail without any mutant: {right.noticed_by}")
        return 2
    if wrong := misplaced(server, TEMPLATE, sql_mutants(server.urls(TEMPLATE).admin)):
        print("\n".join(wrong))
        return 2
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
    wanted = [flip for flip in flips() if chosen.search(flip.name)]
    async for outcome in run_policies(server, TEMPLATE, keys_dir, wanted):
        yield outcome


if __name__ == "__main__":
    sys.exit(main())
