"""Rows of a CSV file: UTF-8 with or without a byte order mark, separated by comma, semicolon or tab."""

import csv
from collections.abc import Iterator
from io import TextIOWrapper
from typing import BinaryIO

from app.errors import Invalid
from app.registers.cells import Cell

_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff", b"\x00")
_DELIMITERS = ",;\t"
_LOOKED_AT = 65_536


def csv_rows(file: BinaryIO) -> Iterator[tuple[int, list[Cell]]]:
    """Each record with its number, from 1; empty cells are None. The file is closed with the rows. Raises Invalid."""
    head = file.read(_LOOKED_AT)
    file.seek(0)
    if head.startswith(_OTHER_ENCODINGS) or b"\0" in head:
        raise Invalid.at("/file", "encoding", "The file must be UTF-8: save it as “CSV UTF-8”.")
    text = TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        for number, record in enumerate(csv.reader(text, delimiter=_delimiter(head), strict=True), start=1):
            yield number, [cell.strip() or None for cell in record]
    except UnicodeDecodeError:
        raise Invalid.at("/file", "encoding", "The file must be UTF-8: save it as “CSV UTF-8”.") from None
    except csv.Error:
        raise Invalid.at("/file", "csv_broken", "The file is not well-formed CSV.") from None


def _delimiter(head: bytes) -> str:
    """What separates most of the first line that is not empty, outside of quotes."""
    first = next((line for line in head.decode("utf-8-sig", "replace").splitlines() if line.strip()), "")
    outside = "".join(first.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)
