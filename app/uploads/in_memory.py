"""A register that comes in with a request: in memory and bounded, never as plain text on a disk."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from io import BytesIO

from starlette.requests import Request

from app.errors import PayloadTooLarge
from app.uploads.multipart import FileForm

MOST_BYTES = 20_000_000


@dataclass(frozen=True, slots=True)
class UploadInMemory:
    """The file of a request, and the texts beside it by name. `content` is the file's hash.

    `digest` is of all parts, for Idempotency-Key: the boundary between them is another one at every sending.
    """

    file: BytesIO = field(repr=False)
    content: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    fields: dict[str, str] = field(repr=False)


async def received_in_memory(request: Request, texts: Collection[str]) -> UploadInMemory:
    """The parts of this request. Raises 413, 415, and 422 where there is no one file."""
    form, file, digest = FileForm(request, texts), BytesIO(), hashlib.sha256()
    async for data in request.stream():
        content = form.feed(data)
        digest.update(content)
        file.write(content)
        if file.tell() > MOST_BYTES:
            raise PayloadTooLarge
    form.finish()
    file.seek(0)
    parts = b"\0".join(f"{name}={text}".encode() for name, text in sorted(form.fields.items()))
    return UploadInMemory(file, digest.digest(), digest.digest() + hashlib.sha256(parts).digest(), form.fields)
