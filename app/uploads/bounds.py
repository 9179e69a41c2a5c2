"""How much of receiving files one process does at once, so that everybody else is answered meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from app.errors import Unavailable

AT_ONCE = 32  # files on their way; each takes less than a megabyte of memory, and its size on disk
STORED_AT_ONCE = 4  # of a dozen connections to the database


class UploadBounds:
    """Files on their way, being written anew, and being stored."""

    def __init__(self) -> None:
        self.images = ThreadPoolExecutor(max_workers=1, thread_name_prefix="image")
        self._coming = 0
        self._storing = asyncio.Semaphore(STORED_AT_ONCE)

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
    async def storing(self) -> AsyncIterator[None]:
        """A place for the transaction that stores it; waits for one without holding a connection."""
        async with self._storing:
            yield
