"""`Range` of a download that goes on where it was cut off (RFC 9110, section 14): one range of bytes."""

import re
from dataclasses import dataclass

from app.errors import RangeNotSatisfiable

_ONE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `first` to `last`, both included, of `size`."""

    first: int
    last: int
    size: int

    @property
    def length(self) -> int:
        """How many bytes these are."""
        return self.last - self.first + 1

    @property
    def header(self) -> str:
        """As Content-Range says it."""
        return f"bytes {self.first}-{self.last}/{self.size}"


def whole(size: int) -> Span:
    """All of it."""
    return Span(0, size - 1, size)


def asked_span(asked: str | None, size: int) -> Span | None:
    """The range that was asked for; None where there is none, or one that we need not understand: then all is sent.

    416 where nothing of the file lies in it.
    """
    found = _ONE.fullmatch(asked) if asked else None
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        if int(last) == 0:
            raise RangeNotSatisfiable(size)
        return Span(max(0, size - int(last)), size - 1, size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise RangeNotSatisfiable(size)
    return Span(int(first), min(int(last), size - 1) if last else size - 1, size)
