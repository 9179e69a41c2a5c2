"""The disk of the database fills up under writers: what was acknowledged stays, and with room writing goes on."""

import asyncio
import os
from pathlib import Path

from tests.drills.checks import kept
from tests.drills.findings import Finding, counted
from tests.drills.place import PATIENCE_SECONDS, Place, directory, place, small_disk
from tests.drills.writers import Ledger, until_acknowledged, writing

DISK_MEGABYTES = 192
LEFT_BYTES = 200_000
REFUSALS = 20
WRITERS = 4
SETTLED = 30
FAULT, BAR = "disk full", "acknowledged rows kept; writes resume"


async def disk_full() -> Finding:
    """A place of its own, on a disk in memory that only root may mount."""
    try:
        with small_disk(DISK_MEGABYTES) as disk, directory() as logs:
            async with place(disk, logs, processes=1) as here:
                return await _fill(here, disk)
    except PermissionError as error:
        return Finding(FAULT, BAR, str(error), None)


async def _fill(here: Place, disk: Path) -> Finding:
    async with writing(here, WRITERS) as ledger:
        await until_acknowledged(ledger, SETTLED)
        filler = disk / "filler"
        room = os.statvfs(disk)
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(4096, room.f_bavail * room.f_frsize - LEFT_BYTES))
        before = len(ledger.acknowledged)
        await _until_refused(ledger, REFUSALS)
        amid = len(ledger.acknowledged) - before
        filler.unlink()
        fell = not here.postgres.running
        await asyncio.to_thread(here.start_postgres)
        await until_acknowledged(ledger, SETTLED)
    found = await kept(here, ledger)
    server = "the server had stopped and was started again" if fell else "the server stayed up"
    return Finding(
        f"{FAULT} ({DISK_MEGABYTES} MB tmpfs)",
        BAR,
        f"{found}; {amid} more fitted, refused: {counted(ledger.refused)}; {server}; with room again, writes resumed",
        found.whole and not ledger.unexpected,
    )


async def _until_refused(ledger: Ledger, times: int) -> None:
    wanted = ledger.refused.total() + times
    async with asyncio.timeout(PATIENCE_SECONDS):
        while ledger.refused.total() < wanted:  # noqa: ASYNC110 (looked at from outside, as a person would)
            await asyncio.sleep(0.005)
