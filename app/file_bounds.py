"""How much of receiving and sending files one process does at once, so that everybody else is answered meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from app.errors import Unavailable

AT_ONCE = 32  # files on their way; each takes less than a megabyte of memory, and its size on disk
MOVED_AT_ONCE = 4  # of a dozen connections to the database


class FileBounds:
    """Files on their way, being written anew, and being stored or read."""

    def __init__(self) -> None:
        self.images = ThreadPoolExecutor(max_workers=1, thread_name_prefix="image")
        self._coming = 0
        self._moving = asyncio.Semaphore(MOVED_AT_ONCE)

    @asynccontextmanager
    async def coming(self) -> AsyncIterator[None]:
        """A place for one file; 503 when there is none, as a caller can wait better than we."""
        if self._coming >= AT_ONCE:
            raise Unavailable(retry_after=5)
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1

    @asynccontextmanager
    async def moving(self) -> AsyncIterator[None]:
        """A place for a transaction that stores or reads megabytes; waits for one without holding a connection."""
        async with self._moving:
            yield
