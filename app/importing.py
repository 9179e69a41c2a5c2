"""Works on imports beside the requests of an API process: the dry run by chunks, the commit in one transaction.

Here and not in the worker: the worker's role sees no case, and must not. What is looked up and written is so by the
API's role in the uploader's own sign-in, as if she asked: when she signs out, is deactivated or moved, the work ends.
"""

import asyncio
from contextlib import suppress
from uuid import uuid4

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import Deed, append
from app.db import run
from app.errors import Invalid, Problem, Unavailable
from app.logs import log
from app.models.audit import AuditKind
from app.models.codes.files import ImportKind
from app.permissions import Permission
from app.security import Actor, Runtime, act_as, require_role
from app.services import import_steps as steps
from app.services.import_room import room_of
from app.services.import_rows import Digests, Scales
from app.services.import_steps import ImportStopped, Job, LostImport, Tally

LOOK_EVERY = 5.0  # seconds; an import that came to this process is begun at once
CHECK, WRITE = Deed("check_import", AuditKind.CASEWORK), Deed("write_import", AuditKind.CASEWORK)
CASES_OF_A_ROW = 200  # of the trail: no more than a page of a list tells


class Importer:
    """The work of one process: one import at a time, so that the requests hardly notice."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime, self.database = runtime, runtime.database

    async def run(self) -> None:
        """Until cancelled: work while there is some, look again every few seconds."""
        while True:
            try:
                while await self.step():
                    pass
            except Exception as error:  # the database, most likely; whatever it is, others wait for the next look
                log.warning("import.work_failed", exc_info=error)
            self.runtime.import_waits.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self.runtime.import_waits.wait()

    async def step(self) -> bool:
        """Take one import that waits and work on it to its end; False when none waits.

        When the database fails nothing is told: the lease runs out, and the work is begun again.
        """
        async with self.database.transaction() as session:
            await self.database.use_clock(session)
            job = await steps.claim(session, uuid4())
        if job is None:
            return False
        try:
            await (self._commit(job) if job.committing else self._check(job))
        except LostImport:  # to another run, with the import itself, or because she works elsewhere now
            await self._fail(job, "rights_ended")
        except ImportStopped as stopped:
            await self._fail(job, stopped.why)
        except (Unavailable, psycopg.Error, SQLAlchemyError, OSError):
            raise
        except Invalid:
            await self._fail(job, "lead_unavailable")
        except Problem:
            await self._fail(job, "rights_ended")
        except Exception as error:
            log.error("import.failed", exc_info=error, job_id=job.id)
            await self._fail(job, "internal_error")
        return True

    async def _check(self, job: Job) -> None:
        tally, number, is_last = Tally(), 0, False
        scales = await self._scales(job)
        while not is_last:
            async with self.database.transaction() as session:
                actor = await self._actor(session, job)
                is_last = await steps.check_chunk(session, actor, job, number, tally, scales)
                if is_last:
                    await append(session, CHECK, 200, subject=job.id)
            number += 1

    async def _commit(self, job: Job) -> None:
        """All rows or none. Who commits is asked for at the beginning and once more at the end."""
        tally, scales = Tally(), await self._scales(job)
        async with self.database.transaction() as session:
            actor = await self._actor(session, job)
            await run(session, steps.LONGER, {})
            source, chunks = await steps.held(session, job)
            for number in range(chunks):
                await steps.write_chunk(session, actor, source, number, tally, scales)
                await self._tell_progress(job, tally.done)
            await self._actor(session, job)
            async for _ in steps.name_some_leads(session, actor, source, tally):
                await self._tell_progress(job, tally.done)
            await steps.finish(session, actor, job, tally)
            await self._tell_trail(session, job, tally)

    async def _tell_progress(self, job: Job, done: int) -> None:
        async with self.database.transaction() as session:
            await steps.tell_progress(session, await self._actor(session, job), job, done)

    async def _tell_trail(self, session: AsyncSession, job: Job, tally: Tally) -> None:
        for first in range(0, max(1, len(tally.opened)), CASES_OF_A_ROW):
            opened = tally.opened[first : first + CASES_OF_A_ROW]
            session.info["touched"] = {case.id: "opener" for case in opened}
            await append(session, WRITE, 200, subject=job.id)

    async def _actor(self, session: AsyncSession, job: Job) -> Actor:
        """The uploader as she is now. Raises the problem that a request of hers would get."""
        actor = await act_as(self.runtime, session, job.session_id, job.user_id)
        require_role(actor, Permission.IMPORT_EDIT)
        return actor

    async def _scales(self, job: Job) -> Scales:
        async with self.database.transaction() as session:
            actor = await self._actor(session, job)
            source, _ = await steps.held(session, job)
            room = await room_of(session, actor, source)
        # A visit may be hidden from who supervises beside the uploader, so may be that it was imported.
        uploader = source.created_by if source.kind is ImportKind.HOME_VISITS else None
        key = self.runtime.keys.secret("import-row")
        return Scales(Digests(key, source.organisation_id, source.kind, uploader), room)

    async def _fail(self, job: Job, why: str) -> None:
        log.info("import.stopped", job_id=job.id, code=why)
        async with self.database.transaction() as session:
            await self.database.use_clock(session)
            await steps.fail(session, job, why)
