"""The process of a computation, as the worker has it: it may take a minute and hundreds of megabytes, and whatever
becomes of it, the worker goes on.

It gets rows without ids and the directory of the keys, and knows no database.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from types import TracebackType
from typing import Self

from app.freezing.work import Word, Work

ENDS_IN = 5.0  # seconds for a process that was asked to end


class Computation:
    """The process, from its start to its end."""

    def __init__(self, work: Work) -> None:
        self._work = work

    async def __aenter__(self) -> Self:
        command = [sys.executable, "-m", "app.freezing"]
        self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        self._giving = asyncio.create_task(_give(self._process, self._work.written()))
        self._line: asyncio.Task[bytes] | None = None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in (self._giving, self._line):
            if task is not None:
                task.cancel()
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(ENDS_IN):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def listen(self, seconds: float) -> Word | None:
        """What it says next; None when it said nothing for so long. Who ended without a last word has failed."""
        assert self._process.stdout is not None  # noqa: S101
        self._line = self._line or asyncio.create_task(self._process.stdout.readline())
        await asyncio.wait([self._line], timeout=seconds)
        if not self._line.done():
            return None
        line, self._line = self._line.result(), None
        return Word.read(line)


async def _give(process: Process, text: bytes) -> None:
    assert process.stdin is not None  # noqa: S101
    with suppress(BrokenPipeError, ConnectionResetError):  # it has ended: its last word is waited for elsewhere
        process.stdin.write(text)
        await process.stdin.drain()
        process.stdin.close()
