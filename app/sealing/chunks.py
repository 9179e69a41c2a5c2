"""Files sealed in chunks: each opens only in its own place, so that none is swapped, moved, or cut off the end."""

from uuid import UUID

from app.sealing.data_key import DataKey
from app.sealing.key_encryption import SealBroken

CHUNK = 256 * 1024  # bytes of a file; what is stored is 29 longer


def number_of_chunks(size: int) -> int:
    """How many chunks a file of so many bytes has."""
    return -(-size // CHUNK)


def seal_chunk(key: DataKey, own_id: UUID, number: int, part: bytes, *, last: bool) -> bytes:
    """One part of the file `own_id`, which is a home of its own."""
    return key.seal_text(_place(number, last=last), own_id, part)


def open_chunk(key: DataKey, own_id: UUID, number: int, sealed: bytes, *, size: int) -> bytes:
    """The part again; raises SealBroken when it was altered, or is not this one of a file of `size` bytes."""
    last = number == number_of_chunks(size) - 1
    part = key.open_text(_place(number, last=last), own_id, sealed)
    if len(part) != (size - number * CHUNK if last else CHUNK):
        raise SealBroken
    return part


def _place(number: int, *, last: bool) -> str:
    return f"attachment_chunks.{number}.{'last' if last else 'more'}"
