"""Freezes releases, in the worker: one at a time, computed in a process of its own, so that housekeeping goes on.

Nothing half is ever seen: the rows are taken in one transaction, the files come into the database in another one,
together with the state that shows them. Whoever is killed in between begins again with the same rows.
"""

import asyncio
import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from starlette.concurrency import run_in_threadpool

from app.freezing import steps
from app.freezing.cohort import cohort_of, known_to
from app.freezing.computing import Computation
from app.freezing.steps import LEASE, Connection, Job, LostExport
from app.freezing.storing import store
from app.freezing.work import Word, Work
from app.keys import load_export_keys
from app.logs import log
from app.periods import Period
from app.sealing import KeyRing
from app.sealing.key_encryption import KeyEncryption, key_encryption
from app.settings import Settings

TELL_EVERY = 0.5  # seconds between two words on how far it is
RENEW_EVERY = LEASE.total_seconds() / 6
LONGEST = 15 * 60.0  # seconds for what takes one for 100,000 rows: what takes longer hangs, and others wait for it
TRIES = 3
AGAIN_IN = timedelta(minutes=1)
FULL_AGAIN_IN = timedelta(minutes=5)
DISK_FULL = "disk_full"
FOLDER = "freezing"


class _Clock:
    """The database's time when the work began, and what has passed since."""

    def __init__(self, began: datetime) -> None:
        self.began, self._started = began, time.monotonic()

    def __call__(self) -> datetime:
        return self.began + timedelta(seconds=time.monotonic() - self._started)


class Freezer:
    """One worker's freezing. `directory`: where files are written before they are stored; nothing stays there.
    `first_month`: in which the programme's year begins."""

    def __init__(self, kek: KeyEncryption, keys_dir: Path, directory: Path, first_month: int) -> None:
        self.kek, self.keys_dir, self.directory, self.first_month = kek, keys_dir, directory, first_month
        self._swept = False

    async def step(self, connection: Connection, now: datetime, stop: asyncio.Event) -> bool:
        """Take one release that waits and freeze it; False when none waits. `connection` is in autocommit mode.

        Raises psycopg.Error when the database fails: the lease runs out, and it is begun again.
        """
        if not self._swept:
            await self._sweep(connection)
        job = await steps.claim(connection, now)
        if job is None:
            return False
        place = self.directory / str(job.id)
        await run_in_threadpool(shutil.rmtree, place, ignore_errors=True)  # of a worker that was killed
        try:
            await self._freeze(connection, job, _Clock(now), place, stop)
        except LostExport:
            log.info("export.lost", job_id=job.id)
        except psycopg.errors.SerializationFailure:  # a case changed hands or was erased just then: take them anew
            await steps.give_back(connection, job, None, None)
        except psycopg.errors.DiskFull:
            await steps.give_back(connection, job, DISK_FULL, now + FULL_AGAIN_IN)
        except psycopg.Error:
            raise
        except Exception as error:  # whatever it is: the worker goes on
            log.error("export.failed", exc_info=error, job_id=job.id)
            await self._failed(connection, job, now)
        finally:
            await run_in_threadpool(shutil.rmtree, place, ignore_errors=True)
        return True

    async def _freeze(self, connection: Connection, job: Job, clock: _Clock, place: Path, stop: asyncio.Event) -> None:
        period = Period.parse(job.period, self.first_month)
        cohort = await cohort_of(connection, job, KeyRing(self.kek), period, clock.began)
        if cohort is None:
            return
        told = await known_to(connection, job, cohort, clock())
        files = place / "release"
        work = Work(cohort.rows, job.period, cohort.frozen_at, told, self.keys_dir, files)
        last = await self._computed(connection, job, work, clock, stop)
        if last.kind == "done":
            stored = await store(connection, job, cohort, told[-1], files)
            log.info("export.frozen" if stored else "export.anew", job_id=job.id)
        elif last.kind == "refused":
            await steps.refuse(connection, job, last.code)
            log.info("export.refused", job_id=job.id, code=last.code)
        elif last.kind == "full":
            await steps.give_back(connection, job, DISK_FULL, clock() + FULL_AGAIN_IN)
        elif stop.is_set():
            await steps.give_back(connection, job, None, None)
        else:
            log.error("export.failed", job_id=job.id, code=last.code)
            await self._failed(connection, job, clock())

    async def _failed(self, connection: Connection, job: Job, now: datetime) -> None:
        """Tried again some times: whoever killed it may have meant something else."""
        if job.tries + 1 < TRIES:
            await steps.give_back(connection, job, steps.FAILED, now + AGAIN_IN)
        else:
            await steps.refuse(connection, job, steps.FAILED)

    async def _computed(self, connection: Connection, job: Job, work: Work, clock: _Clock, stop: asyncio.Event) -> Word:
        """The last word of the computation; meanwhile tells how far it is, and keeps the lease."""
        told, newest, until = 0.0, Word("progress", "rows"), time.monotonic() + LONGEST
        async with Computation(work) as computation:
            while time.monotonic() < until:
                said = await computation.listen(TELL_EVERY)
                if said is not None and said.kind != "progress":
                    return said
                if stop.is_set():
                    return Word("failed", "stopped")
                newest = said or newest
                since = time.monotonic() - told
                if since >= (TELL_EVERY if said else RENEW_EVERY):
                    await steps.tell(connection, job, newest.code, newest.share, clock())
                    told = time.monotonic()
            return Word("failed", "too_long")

    async def _sweep(self, connection: Connection) -> None:
        """What a worker that was killed has left; once."""
        working = await steps.in_work(connection)
        await run_in_threadpool(_remove_others, self.directory, working)
        self._swept = True


def freezer_of(chosen: Settings) -> Freezer:
    """With these settings' keys and directory. Raises UnusableKey."""
    load_export_keys(chosen.keys_dir)  # which the computation loads, too: said at the start when it cannot be
    return Freezer(key_encryption(chosen), chosen.keys_dir, chosen.data_dir / FOLDER, chosen.year_start_month)


def _remove_others(directory: Path, working: frozenset[str]) -> None:
    if directory.is_dir():
        for one in directory.iterdir():
            if one.name not in working:
                shutil.rmtree(one, ignore_errors=True)
