"""Where a file waits until its row can be written: on disk, in chunks that are sealed already; never in clear."""

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Self
from uuid import UUID

from app.ids import new_id
from app.sealing import KeyRing
from app.sealing.chunks import CHUNK, open_chunk, seal_chunk
from app.sealing.data_key import VERSION
from app.sealing.key_encryption import NONCE_BYTES

_SEALED = len(VERSION) + NONCE_BYTES + CHUNK + 16  # GCM's tag
_ROOM = CHUNK + 1  # the last chunk is known only when nothing comes after it


class Spool:
    """A file under a new id and a new key, written once and then read; gone when it is closed, or the process ends."""

    def __init__(self, ring: KeyRing) -> None:
        self.id: UUID = new_id()
        ring.make(self.id)
        self.wrapped = ring.wrapped(self.id)
        self.size = 0
        self._key = ring.key(self.id)
        self._waiting = bytearray()
        self._chunks = 0
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by `close`

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def write(self, part: bytes) -> None:
        """The next bytes. Raises OSError when the disk takes no more."""
        self.size += len(part)
        self._waiting += part
        while len(self._waiting) >= _ROOM:
            self._keep(CHUNK, last=False)

    def finish(self) -> None:
        """What was written is all of it."""
        self._keep(len(self._waiting), last=True)

    def sealed(self) -> Iterator[tuple[int, bytes]]:
        """The chunks with their numbers, as they are stored."""
        self._file.seek(0)
        for number in range(self._chunks):
            yield number, self._file.read(_SEALED)

    def content(self) -> Iterator[bytes]:
        """The chunks, opened."""
        for number, chunk in self.sealed():
            yield open_chunk(self._key, self.id, number, chunk, size=self.size)

    def close(self) -> None:
        """Nothing is left of it."""
        self._file.close()

    def _keep(self, length: int, *, last: bool) -> None:
        part = bytes(self._waiting[:length])
        del self._waiting[:length]
        sealed = seal_chunk(self._key, self.id, self._chunks, part, last=last)
        if self._file.write(sealed) != len(sealed):
            raise OSError("the disk took a part only")
        self._chunks += 1
