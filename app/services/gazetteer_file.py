"""Reading a gazetteer file: every row is judged, and every bad one named by its line."""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pydantic_core import PydanticCustomError

from app.models.codes.people import AreaLevel
from app.text import clean_line

COLUMNS = ("code", "level", "name_km", "name_en", "parent")
DIGITS: dict[str, int] = {
    AreaLevel.PROVINCE: 2,
    AreaLevel.DISTRICT: 4,
    AreaLevel.COMMUNE: 6,
    AreaLevel.VILLAGE: 8,
}
LONGEST_NAME = 120
LONGEST_LINE = 2_000  # bytes
MOST_ROWS = 100_000  # six times Cambodia: a file with more is some other file
MOST_LISTED = 100

MESSAGES = {
    "missing_column": "The first line must name the columns code, level, name_km, name_en and parent.",
    "unknown_column": "There is a column beside code, level, name_km, name_en and parent.",
    "duplicate_column": "A column is named twice.",
    "no_rows": "There is no area in the file.",
    "too_many_rows": f"There are more than {MOST_ROWS} rows; the rest was not read.",
    "line_too_long": f"The line is longer than {LONGEST_LINE} bytes.",
    "broken_utf8": "The line is not UTF-8.",
    "broken_quotes": "The line's quotation marks do not pair.",
    "field_count": "The line has more or fewer fields than columns.",
    "unknown_level": "The level must be province, district, commune or village.",
    "not_latin_digits": "A code has Latin digits (0 to 9) only.",
    "wrong_length": "The length of the code does not fit its level: 2, 4, 6 or 8 digits with leading zeros.",
    "duplicate_code": "The code stands on an earlier line too.",
    "name_missing": "The Khmer name is empty.",
    "parent_missing": "Every area but a province has a parent.",
    "parent_unexpected": "A province has no parent.",
    "parent_not_prefix": "The parent must be the code without its last two digits.",
    "unknown_parent": "No line of the file has the parent's code.",
}


class AreaRow(NamedTuple):
    """One good row, in the order of the table's columns."""

    code: str
    level: str
    name_km: str
    name_en: str | None
    parent: str | None


@dataclass(frozen=True, slots=True)
class BadRow:
    """What is wrong with one line (the first is 1); never what it says."""

    line: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.code}: {self.message}"


@dataclass
class Reading:
    """What a file holds. `problems` lists at most `MOST_LISTED`, `bad_lines` has every line with one."""

    count: int = 0
    rows: list[AreaRow] = field(default_factory=list)
    problems: list[BadRow] = field(default_factory=list)
    bad_lines: set[int] = field(default_factory=set)
    lines_of: dict[str, int] = field(default_factory=dict)

    def refuse(self, line: int, code: str, message: str | None = None) -> None:
        """Note a problem of a line; `message` for codes that are not in MESSAGES."""
        self.bad_lines.add(line)
        if len(self.problems) < MOST_LISTED:
            self.problems.append(BadRow(line, code, message or MESSAGES[code]))


def read_gazetteer(path: Path, progress: Callable[[int], None]) -> Reading:
    """Judge the whole file; `progress` is told the number of rows so far. Raises OSError."""
    reading = Reading()
    with path.open("rb") as file:
        lines = _lines(file)
        columns = _columns(reading, lines)
        for line, raw in lines if columns else ():
            if reading.count == MOST_ROWS:
                reading.refuse(line, "too_many_rows")
                break
            reading.count += 1
            _read_row(reading, line, raw, columns)
            if reading.count % 1000 == 0:
                progress(reading.count)
    if columns and not reading.count:
        reading.refuse(1, "no_rows")
    _check_parents(reading)
    progress(reading.count)
    return reading


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of every line that is not blank; of one that is too long, its beginning."""
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        rest = raw
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST_LINE + 1)
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        if raw.strip():
            yield number, raw


def _fields(raw: bytes) -> list[str]:
    """The fields of one line; ValueError, whose text is the problem's code.

    Names of areas have no line ends, so that a lone quotation mark spoils one line only.
    """
    if len(raw) > LONGEST_LINE:
        raise ValueError("line_too_long")
    try:
        return next(csv.reader([raw.decode("utf-8").rstrip("\r\n")], strict=True))
    except UnicodeDecodeError:
        raise ValueError("broken_utf8") from None
    except (csv.Error, StopIteration):
        raise ValueError("broken_quotes") from None


def _columns(reading: Reading, lines: Iterator[tuple[int, bytes]]) -> list[str]:
    """The columns in the file's order; none when the first line is not a good heading."""
    line, raw = next(lines, (1, b""))
    try:
        columns = _fields(raw) if raw else []
    except ValueError as error:
        reading.refuse(line, str(error))
        return []
    if set(COLUMNS) - set(columns):
        reading.refuse(line, "missing_column")
    if set(columns) - set(COLUMNS):
        reading.refuse(line, "unknown_column")
    if len(set(columns)) < len(columns):
        reading.refuse(line, "duplicate_column")
    return [] if reading.problems else columns


def _read_row(reading: Reading, line: int, raw: bytes, columns: list[str]) -> None:
    try:
        fields = _fields(raw)
        if len(fields) != len(columns):
            raise ValueError("field_count")
    except ValueError as error:
        reading.refuse(line, str(error))
        # Its code is noted all the same, so that one bad commune does not make all its villages bad.
        guess = raw.decode("utf-8", "replace").strip().split(",")
        reading.lines_of.setdefault(dict(zip(columns, guess, strict=False)).get("code", ""), line)
        return
    row = dict(zip(columns, fields, strict=True))
    for problem in (*_problems_of_code(reading, row), *_problems_of_parent(row)):
        reading.refuse(line, problem)
    reading.lines_of.setdefault(row["code"], line)
    name_km, name_en = _name(reading, line, row["name_km"]), _name(reading, line, row["name_en"])
    if not row["name_km"].strip():
        reading.refuse(line, "name_missing")
    if name_km and line not in reading.bad_lines:
        reading.rows.append(AreaRow(row["code"], row["level"], name_km, name_en, row["parent"] or None))


def _problems_of_code(reading: Reading, row: dict[str, str]) -> Iterator[str]:
    code, level = row["code"], row["level"]
    if not (code.isascii() and code.isdigit()):
        yield "not_latin_digits"
    elif len(code) != DIGITS.get(level, len(code)):
        yield "wrong_length"
    if level not in DIGITS:
        yield "unknown_level"
    if code in reading.lines_of:
        yield "duplicate_code"


def _problems_of_parent(row: dict[str, str]) -> Iterator[str]:
    if row["level"] == AreaLevel.PROVINCE:
        if row["parent"]:
            yield "parent_unexpected"
    elif not row["parent"]:
        yield "parent_missing"
    elif row["parent"] != row["code"][:-2]:
        yield "parent_not_prefix"


def _name(reading: Reading, line: int, written: str) -> str | None:
    """The name in normal form with single spaces, None for an empty or a bad one."""
    if not written.strip():
        return None
    try:
        return " ".join(clean_line(written, LONGEST_NAME).split())
    except PydanticCustomError as error:
        reading.refuse(line, error.type, error.message())
        return None


def _check_parents(reading: Reading) -> None:
    """Every parent has a line, before or after its children, be it a bad one that is reported already."""
    listed = reading.problems
    reading.problems = []
    for row in reading.rows:
        if row.parent is not None and row.parent not in reading.lines_of:
            reading.refuse(reading.lines_of[row.code], "unknown_parent")
    reading.problems = sorted([*listed, *reading.problems], key=lambda one: one.line)[:MOST_LISTED]
