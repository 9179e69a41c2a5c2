"""Rows of the one sheet of an XLSX workbook, streamed. What may be a bomb is refused before anything is parsed."""

import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

import openpyxl
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from app.errors import Invalid
from app.registers.cells import Cell, Flaw, as_text
from app.registers.columns import MOST_COLUMNS

MOST_PARTS = 500
MOST_UNPACKED = 150_000_000  # bytes of all parts; 50,000 rows of twenty columns are 40 MB
MOST_STRINGS = 60_000_000  # bytes of the shared strings, which are held in memory
MOST_RATIO = 200  # deflate packs a dull sheet 30 to 1, and nothing but a bomb 1000 to 1
SMALL = 1_000_000
LAST_ROW = 200_000  # gaps between rows are walked through
_BLOCK = 1 << 16
_BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError, ValueError)
# A formula is never evaluated, nor is what it once gave taken for the value.
_FLAWS = {"f": Flaw.FORMULA, "e": Flaw.CELL_ERROR}
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00")
_DECLARATIONS = (b"<!DOCTYPE", b"<!ENTITY")
_LONGEST = 16  # bytes of what is looked for, which may lie across two blocks


def date_system_and_rows(file: BinaryIO) -> tuple[int, Iterator[tuple[int, list[Cell]]]]:
    """The day from which the workbook counts, 1900 or 1904, and each row with its number, from 1. Raises Invalid."""
    _check_package(file)
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
        sheet, *others = book.worksheets
        several = any(map(_is_filled, others))
        system = 1904 if book.epoch == CALENDAR_MAC_1904 else 1900
    except Exception:  # what a stranger's workbook makes the library raise is anything at all
        raise _broken() from None
    if several:
        raise Invalid.at("/file", "several_sheets", "The workbook has rows on several sheets: send each as a file.")
    return system, _rows(sheet)


def _is_filled(sheet: Any) -> bool:
    """Does it look like a part of the register? What a spreadsheet keeps for itself is on hidden sheets."""
    rows = sheet.iter_rows(max_col=MOST_COLUMNS + 1, max_row=LAST_ROW, values_only=True)
    return sheet.sheet_state == "visible" and any(cell is not None for row in rows for cell in row)


def _rows(sheet: Any) -> Iterator[tuple[int, list[Cell]]]:
    first, width = 1, MOST_COLUMNS
    try:
        for row in sheet.iter_rows(max_col=MOST_COLUMNS + 1, max_row=LAST_ROW):
            cells = [_cell(cell) for cell in row]
            yield first, cells
            first += 1
            if any(cell is not None for cell in cells):  # the header: no row is wider, or it is refused for that
                width = max(place for place, cell in enumerate(cells, start=1) if cell is not None)
                break
        rest = sheet.iter_rows(min_row=first, max_col=width + 1, max_row=LAST_ROW + 1)
        for number, row in enumerate(rest, start=first):
            if number > LAST_ROW:
                raise Invalid.at("/file", "too_many_rows", "A register has at most 50,000 rows.")
            yield number, [_cell(cell) for cell in row]
    except Invalid:
        raise
    except Exception:  # what a stranger's workbook makes the library raise is anything at all
        raise _broken() from None


def _cell(cell: Any) -> Cell:
    value, kind = cell.value, cell.data_type if cell.value is not None else None
    if kind in _FLAWS:
        return _FLAWS[kind]
    if isinstance(value, datetime | date | time | timedelta):
        return as_text(value)
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, int | float) else None


def _check_package(file: BinaryIO) -> None:
    """Sizes as the archive declares them, which are never read beyond; then each part for what no workbook needs."""
    try:
        with zipfile.ZipFile(file) as package:
            parts = package.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise _too_large()
            for part in parts:
                _check_part(package, part)
    except _BROKEN:
        raise _broken() from None


def _check_part(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    if part.file_size > SMALL and part.file_size > MOST_RATIO * max(part.compress_size, 1):
        raise _too_large()
    if part.filename.endswith("sharedStrings.xml") and part.file_size > MOST_STRINGS:
        raise _too_large()
    is_sheet = part.filename.startswith("xl/worksheets/")
    with package.open(part) as stream:
        before = b""
        while block := stream.read(_BLOCK):
            if not before and block.startswith(_WIDE):
                raise _broken()  # XML of another encoding, which would hide what is looked for
            seen = before + block
            if any(word in seen for word in _DECLARATIONS):
                raise _broken()
            if is_sheet and b"mergeCell" in seen:
                raise Invalid.at("/file", "merged_cells", "The workbook has merged cells: every row needs its own.")
            before = block[-_LONGEST:]


def _broken() -> Invalid:
    return Invalid.at("/file", "xlsx_broken", "The file is not a workbook that can be read.")


def _too_large() -> Invalid:
    return Invalid.at("/file", "too_large_unpacked", "The workbook is too large once it is unpacked.")
