"""`python -m tests.drills`: the faults of safety.md on real processes, and what they measured; `make drill`."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator

from rich.console import Console
from rich.table import Table

from tests.drills.crowding import pool_exhausted
from tests.drills.filling import disk_full
from tests.drills.findings import Finding
from tests.drills.killing import api_killed, worker_killed
from tests.drills.place import directory, place
from tests.drills.racing import one_key, one_version
from tests.drills.restarting import postgres_restarted
from tests.drills.restoring import restored
from tests.drills.rotating import keys_rotated
from tests.drills.telling import teller_killed


def main() -> int:
    """0 when no bar was missed."""
    began = time.monotonic()
    findings = asyncio.run(_run())
    table = Table("fault", "bar", "measured", "", show_lines=True)
    for one in findings:
        table.add_row(one.fault, one.bar, one.measured, one.verdict)
    Console(width=None if sys.stdout.isatty() else 140).print(table)
    verdicts = [one.verdict for one in findings]
    counts = ", ".join(f"{verdicts.count(what)} {what}" for what in ("held", "MISSED", "not run"))
    print(f"{counts}, in {time.monotonic() - began:.0f} s")
    return 1 if "MISSED" in verdicts else 0


async def _run() -> list[Finding]:
    found: list[Finding] = []
    async for one in _drills():
        print(f"{one.verdict:8} {one.fault}", flush=True)
        found.append(one)
    return found


async def _drills() -> AsyncIterator[Finding]:
    with directory() as data_dir, directory() as logs:
        async with place(data_dir, logs) as here:
            yield await api_killed(here)
            for mode in ("fast", "immediate"):
                yield await postgres_restarted(here, mode)
            yield await one_key(here)
            yield await one_version(here)
            yield await pool_exhausted(here)
            yield await worker_killed(here)
            yield await teller_killed(here)
            yield await keys_rotated(here)
            yield await restored(here)
    yield await disk_full()


if __name__ == "__main__":
    sys.exit(main())
