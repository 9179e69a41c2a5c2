"""One count of a quarter in a process that holds nothing else: run by `benchmarks.report`, prints what it took."""

import asyncio
import json
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from pydantic import SecretStr

from app.indicators.counting import Windows
from app.indicators.reading import Scope
from app.indicators.report import report_of
from app.organisation_totals import OrganisationTotals
from app.periods import Period
from app.settings import Settings


async def count(url: str, organisation: UUID, period: Period) -> dict[str, float | int | None]:
    """Seconds of counting and of hiding, megabytes at most, and two of the figures."""
    totals = OrganisationTotals(Settings(database_url=SecretStr(url), reports_database_url=SecretStr(url)))
    began = time.monotonic()
    try:
        counted = await totals.count(Scope(organisation, Windows.until(period), datetime.now(UTC), seen=False))
    finally:
        await totals.close()
    between = time.monotonic()
    values = {one.code: one.value for one in report_of(counted.found).indicators}
    return {
        "counting": between - began,
        "hiding": time.monotonic() - between,
        "megabytes": _most_memory(),
        "women": values["women_girls_empowered"],
        "opened": values["cases_opened"],
    }


def _most_memory() -> float:
    """Of this program alone: what getrusage says is never less than what its parent held."""
    [kilobytes] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(kilobytes) / 1024


if __name__ == "__main__":
    print(json.dumps(asyncio.run(count(sys.argv[1], UUID(sys.argv[2]), Period.parse(sys.argv[3])))))
