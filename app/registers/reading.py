"""A whole file as chunks of rows: bounded in rows, columns and bytes, and checked for what holds for the file."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from app.errors import Invalid, UnsupportedMediaType
from app.models.codes.files import ImportKind
from app.registers.cells import Cell, flaw_as_json, is_sensitive
from app.registers.columns import TELLING, fields_of
from app.registers.csv_file import csv_rows
from app.registers.xlsx_file import date_system_and_rows

MOST_ROWS = 50_000
MOST_TEXT = 30_000_000  # bytes of all rows
REASON = "over_limit_reason"
CHUNK = 500  # rows that are checked, reported and written at a time

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows, as sealed JSON: `{fields, date_system, over_limit_reason, rows: [[number, [cell, …]], …]}`."""

    rows: int
    first_row: int
    last_row: int
    document: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Register:
    """A file that can be read; `sensitive`: a row at least is of a sensitive category, or says that it is sensitive."""

    rows: int
    sensitive: bool
    chunks: list[Chunk]


def read_register(
    file: BinaryIO, kind: ImportKind, mapping: Mapping[str, str | None] | None, reason: str | None = None
) -> Register:
    """The file in chunks. Takes seconds, so call it in a thread. Raises Invalid, UnsupportedMediaType.

    `reason`: why its lead is given more cases than allowed, which is sealed with the rows and gone with them.
    """
    start = file.read(4)
    file.seek(0)
    if start.startswith(_OLE):
        raise UnsupportedMediaType  # the older .xls
    if start.startswith(_ZIP):
        date_system, rows = date_system_and_rows(file)
        return _in_chunks(rows, kind, mapping, {"date_system": date_system, REASON: reason})
    return _in_chunks(csv_rows(file), kind, mapping, {"date_system": None, REASON: reason})


def _in_chunks(
    rows: Iterator[tuple[int, list[Cell]]],
    kind: ImportKind,
    mapping: Mapping[str, str | None] | None,
    head: Mapping[str, object],
) -> Register:
    filled = ((number, row) for number, cells in rows if (row := _without_end(cells)))
    header = next(filled, None)
    if header is None:
        raise Invalid.at("/file", "empty_file", "The file has no rows.")
    fields = fields_of(header[1], kind, mapping)
    reader = _Reader(fields, {"fields": fields, **head})
    for number, cells in filled:
        reader.take(number, cells)
    return reader.end()


class _Reader:
    """Gathers rows into chunks."""

    def __init__(self, fields: Sequence[str | None], head: Mapping[str, object]) -> None:
        self._fields, self._head = fields, head
        self._telling = [place for place, field in enumerate(fields) if field in TELLING]
        self._chunks: list[Chunk] = []
        self._waiting: list[tuple[int, Sequence[Cell]]] = []
        self._rows = self._bytes = 0
        self._sensitive = False

    def take(self, number: int, cells: Sequence[Cell]) -> None:
        """One more row. Raises Invalid when there are too many."""
        self._rows += 1
        if self._rows > MOST_ROWS:
            raise Invalid.at("/file", "too_many_rows", "A register has at most 50,000 rows.")
        if len(cells) > len(self._fields):
            raise Invalid.at(f"/file/rows/{number}", "outside_columns", "A cell has no header above it.")
        self._sensitive = self._sensitive or any(
            is_sensitive(cells[place]) for place in self._telling if place < len(cells)
        )
        self._waiting.append((number, cells))
        if len(self._waiting) == CHUNK:
            self._close_chunk()

    def end(self) -> Register:
        """The register. Raises Invalid for one without rows."""
        self._close_chunk()
        if not self._chunks:
            raise Invalid.at("/file", "empty_file", "The file has no rows.")
        return Register(self._rows, self._sensitive, self._chunks)

    def _close_chunk(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        whole = {**self._head, "rows": waiting}
        text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"), default=flaw_as_json)
        document = text.encode("utf-8", "surrogatepass")  # half a character is told as an error of its row
        self._bytes += len(document)
        if self._bytes > MOST_TEXT:
            raise Invalid.at("/file", "too_large_unpacked", "The rows of the file are too large.")
        self._chunks.append(Chunk(len(waiting), waiting[0][0], waiting[-1][0], document))


def _without_end(cells: list[Cell]) -> list[Cell]:
    """The row without the empty cells at its end; nothing of a blank row."""
    end = len(cells)
    while end and cells[end - 1] is None:
        end -= 1
    return cells[:end]
