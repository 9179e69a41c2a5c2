"""From a body on its way to a file that may be stored: its name, what it is, and its sealed chunks."""

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app.errors import Invalid, PayloadTooLarge, Unavailable
from app.logs import log
from app.models.attachment import MediaType
from app.sealing import KeyRing
from app.sealing.chunks import CHUNK
from app.security import Runtime, runtime_of
from app.uploads.images import written_anew
from app.uploads.kinds import IMAGES, Kind, check_name
from app.uploads.multipart import FileForm
from app.uploads.spool import Spool

MOST_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent. `digest`: keyed hash of its name and content as they came, for Idempotency-Key."""

    name: str
    media_type: MediaType
    spool: Spool
    digest: bytes


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[Upload]:
    """The file of this request, on its disk until the block ends. 413, 415, 422; 503 when the disk takes no more."""
    runtime = runtime_of(request)
    with _spool(runtime) as spool:
        coming = _Coming(request, runtime, spool)
        async for data in request.stream():
            await coming.take(data)
        name, kind, digest = await coming.finish()
        if kind not in IMAGES:
            yield Upload(name, kind, spool, digest)
            return
        with _spool(runtime) as anew:
            await _write_anew(runtime, spool, kind, anew)
            yield Upload(name, kind, anew, digest)


class _Coming:
    """One file on its way: parsed, hashed, looked at and sealed, a chunk at a time."""

    def __init__(self, request: Request, runtime: Runtime, spool: Spool) -> None:
        self._form, self._spool, self._kind = FileForm(request), spool, Kind()
        self._hash = hmac.new(runtime.keys.secret("idempotency-upload"), digestmod="sha256")
        self._waiting = bytearray()
        self._size = 0

    async def take(self, data: bytes) -> None:
        """The next bytes of the body."""
        content = self._form.feed(data)
        self._size += len(content)
        if self._size > MOST_BYTES:
            raise PayloadTooLarge
        self._waiting += content
        if len(self._waiting) >= CHUNK:
            await run_in_threadpool(self._keep)

    async def finish(self) -> tuple[str, MediaType, bytes]:
        """Name, kind and digest, when the body was whole and holds one file that may be attached."""
        name = self._form.finish()
        if self._size == 0:
            raise Invalid.at("/file", "empty", "The file is empty.")
        await run_in_threadpool(self._keep, last=True)
        kind = self._kind.found()
        check_name(name, kind)
        self._hash.update(b"\0" + name.encode())  # a length of its own is not needed: no name holds a NUL
        return name, kind, self._hash.digest()

    def _keep(self, *, last: bool = False) -> None:
        part = bytes(self._waiting)
        self._waiting.clear()
        self._hash.update(part)
        self._kind.look(part)
        _write(self._spool, part)
        if last:
            _finish(self._spool)


async def _write_anew(runtime: Runtime, spool: Spool, kind: MediaType, anew: Spool) -> None:
    def write() -> None:
        _write(anew, written_anew(b"".join(spool.content()), kind))
        _finish(anew)

    await asyncio.get_running_loop().run_in_executor(runtime.files.images, write)


def _spool(runtime: Runtime) -> Spool:
    try:
        return Spool(KeyRing(runtime.kek))
    except OSError as error:
        raise _no_room(error) from None


def _write(spool: Spool, part: bytes) -> None:
    try:
        spool.write(part)
    except OSError as error:
        raise _no_room(error) from None


def _finish(spool: Spool) -> None:
    try:
        spool.finish()
    except OSError as error:
        raise _no_room(error) from None


def _no_room(error: OSError) -> Unavailable:
    log.error("upload.no_room", exc_info=error)
    return Unavailable(retry_after=30)
