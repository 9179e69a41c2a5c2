"""A file that comes in with a request (multipart/form-data): in memory and bounded, never as plain text on a disk."""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from starlette.datastructures import UploadFile as Part
from starlette.formparsers import MultiPartException, MultiPartParser

from app.errors import Invalid, PayloadTooLarge, Problem, UnsupportedMediaType
from app.strict_json import StrictRequest

MOST_BYTES = 20_000_000
MOST_FIELDS = 10
MOST_TEXT = 100_000  # bytes of what is no file
MOST_TEXT = 100_000  # bytes of what is no file
_BLOCK = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")


@dataclass(frozen=True, slots=True)
class Upload:
    """The file of a request, and the texts beside it by name."""

    file: BinaryIO = field(repr=False)
    digest: bytes = field(repr=False)
    fields: dict[str, str] = field(repr=False)


class UploadRequest(StrictRequest):
    """A request whose body is compared by its parts: the boundary between them is another one at every sending."""

    upload: Upload | None = None

    async def body(self) -> bytes:
        """What stands for the body where a repeated request is recognised."""
        if self.upload is None:
            return await super().body()
        texts = sorted(self.upload.fields.items())
        return b"\0".join([self.upload.digest, *(f"{name}={text}".encode() for name, text in texts)])

    async def read_upload(self) -> Upload:
        """Read the parts. Raises UnsupportedMediaType, PayloadTooLarge, and Invalid where there is no one file."""
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "multipart/form-data":
            raise UnsupportedMediaType
        parser = _InMemory(self.headers, self.stream(), max_files=1, max_fields=MOST_FIELDS, max_part_size=MOST_TEXT)
        try:
            form = await parser.parse()
        except MultiPartException:
            raise Invalid.at("", "multipart_invalid", "The body is not a form with one file.") from None
        try:
            self.upload = _upload(form.multi_items())
        except Problem:
            await form.close()
            raise
        return self.upload


class _InMemory(MultiPartParser):
    """Starlette's parser, whose files would go to the disk above a megabyte."""

    spool_max_size = 2 * MOST_BYTES


def _upload(items: list[tuple[str, Any]]) -> Upload:
    file, fields = None, {}
    for name, part in items:
        if not _NAME.fullmatch(name) or (isinstance(part, Part) and name != "file"):
            raise Invalid.at("", "unknown_field", "There is no such field.")
        if isinstance(part, Part):
            file = part
        elif name in fields or name == "file":
            raise Invalid.at(f"/{name}", "duplicate_field", "This is not one text, or not a file.")
        else:
            fields[name] = part
    if file is None:
        raise Invalid.at("/file", "required", "This field is required.")
    if (file.size or 0) > MOST_BYTES:
        raise PayloadTooLarge
    digest = hashlib.sha256()
    while block := file.file.read(_BLOCK):
        digest.update(block)
    file.file.seek(0)
    return Upload(file.file, digest.digest(), fields)
