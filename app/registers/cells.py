"""One cell of a register: what it may hold, and how dates, numbers and codes are read from it.

Registers are typed by hand, in either script: Khmer digits are digits, days are written day first, and a spreadsheet
has often made a number of a code or a day.
"""

import re
import unicodedata
from datetime import date, datetime, time, timedelta
from enum import Enum
from functools import cache

from app.labels import code_lists
from app.models.codes.cases import Category, Sensitivity
from app.models.codes.incidents import DatePrecision
from app.policy import own_sensitivity
from app.text import latin_digits, search_key


class Flaw(Enum):
    """What a cell holds instead of a value; each is told as an error of its row."""

    FORMULA = "formula"
    CELL_ERROR = "cell_error"


Cell = str | int | float | Flaw | None

# What a spreadsheet would run, was it ever to open the text again (OWASP, CSV injection).
_FORMULA_STARTS = frozenset("=+-@\t\r")
_SHOWS_NOTHING = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_FIRST_SERIAL, _LAST_SERIAL = 1, 2_958_465  # 31 December 9999
_EPOCHS = {1900: date(1899, 12, 30), 1904: date(1904, 1, 1)}
_LEAP_THAT_WAS_NONE = 60  # 29 February 1900, which Excel counts and no calendar has

_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})(?:-([0-9]{1,2}))?")
_DAY_FIRST = re.compile(r"(?:([0-9]{1,2})[/.\-])?([0-9]{1,2})[/.\-]([0-9]{4})")
_YEAR = re.compile(r"[0-9]{4}")
_SIGNED = re.compile(r"[-+\u2212\uff0b\uff0d]?[0-9]+(?:[.,][0-9]+)?")
_MIDNIGHT = re.compile(r"[T ]00:00(?::00(?:\.0+)?)?")


class CellError(Exception):
    """A cell that cannot be read; the code and its fixed sentence, never the value."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code, self.message = code, message


def text_of(cell: Cell) -> str | None:
    """The cell as somebody would write it; None for an empty one. Raises CellError for a flaw."""
    if isinstance(cell, Flaw):
        raise CellError(cell.value, _FLAWS[cell])
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    return None if cell is None else str(cell)


def safe_text(cell: Cell, *, is_phone: bool = False) -> str | None:
    """The same; a text that begins like a formula is refused, but for the + of a telephone number."""
    text = text_of(cell)
    if text is None or not isinstance(cell, str):
        return text
    first = unicodedata.normalize("NFKC", text.lstrip(_SHOWS_NOTHING)[:1])  # also the signs of full width
    if first in _FORMULA_STARTS and not (is_phone and first == "+"):
        raise CellError("formula", _FLAWS[Flaw.FORMULA])
    return text


def number_of(cell: Cell) -> int | None:
    """A whole number. One with a sign is no formula: it is refused for what it is, a number below the range."""
    text = text_of(cell)
    if text is None:
        return None
    digits = latin_digits(text).replace(" ", "")
    if not _SIGNED.fullmatch(digits):
        safe_text(cell)
    if not re.fullmatch("[0-9]{1,9}", digits):
        raise CellError("invalid_number", "This must be a whole number.")
    return int(digits)


def area_of(cell: Cell) -> str | None:
    """An area code. One that a spreadsheet took for a number has lost its leading zero: codes have an even length."""
    text = safe_text(cell)
    if text is None:
        return None
    digits = latin_digits(text).replace(" ", "")
    return f"0{digits}" if digits.isdigit() and len(digits) % 2 else digits


def flag_of(cell: Cell) -> bool | None:
    """Yes or no, in either language."""
    text = safe_text(cell)
    if text is None:
        return None
    key = search_key(text)
    if key not in _FLAGS:
        raise CellError("invalid_boolean", "This must be yes or no.")
    return _FLAGS[key]


def code_of(cell: Cell, codes: str) -> str | None:
    """A code of one of the lists of `GET /codes`, written as code or as its label in either language."""
    text = safe_text(cell)
    if text is None:
        return None
    found = _written(codes).get(search_key(text))
    if found is None:
        raise CellError("unknown_code", "This is not one of the codes of the list.")
    return found


def is_sensitive(cell: Cell) -> bool:
    """Does the category, or the sensitivity, in this cell ask for a lead of the case?"""
    try:
        text = safe_text(cell)
    except CellError:
        return False
    key = text and search_key(text)
    category = _written("category").get(key or "")
    return _written("sensitivity").get(key or "") == Sensitivity.SENSITIVE or (
        category is not None and own_sensitivity(Category(category)) is Sensitivity.SENSITIVE
    )


def day_of_cell(cell: Cell, date_system: int | None) -> tuple[date, DatePrecision] | None:
    """A day, how exactly it is known, or None: 2001-02-03, 3/2/2001, 2/2001, 2001, or a spreadsheet's number of a day.

    `date_system`: from which day the file counts (1900, 1904); None where it does not say, as in CSV: there a number is
    refused, because the two differ by four years.
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _from_number(cell, date_system)
    text = safe_text(cell)
    if text is None:
        return None
    plain = _MIDNIGHT.sub("", latin_digits(text).replace(" / ", "/").strip())
    if _YEAR.fullmatch(plain):
        return _made(int(plain), None, None)
    if match := _ISO.fullmatch(plain):
        year, month, day = match.groups()
    elif match := _DAY_FIRST.fullmatch(plain):
        day, month, year = match.groups()
    elif plain.isdigit():
        return _from_number(int(plain[:12]), date_system)
    else:
        raise CellError("invalid_date", _DATE)
    return _made(int(year), int(month), int(day) if day else None)


def flaw_as_json(flaw: object) -> dict[str, str]:
    """For `json.dumps(default=…)`: a flaw must not look like a text. Raises TypeError for anything else."""
    if not isinstance(flaw, Flaw):
        raise TypeError
    return {"flaw": flaw.value}


def cell_from_json(value: object) -> Cell:
    """The cell that was written so."""
    if isinstance(value, dict):
        return Flaw(value["flaw"])
    return value if isinstance(value, str | int | float) else None


def as_text(moment: datetime | date | time | timedelta) -> str:
    """What a spreadsheet holds as a date, as text: a time of day without a day is none of our dates."""
    return moment.isoformat(" ") if isinstance(moment, datetime) else str(moment)


def _from_number(number: float, date_system: int | None) -> tuple[date, DatePrecision]:
    if not _FIRST_SERIAL <= number <= _LAST_SERIAL:
        raise CellError("invalid_date", _DATE)
    if 1900 <= number <= 2200 and float(number).is_integer():
        return _made(int(number), None, None)  # a year; as a serial it would be of 1905
    if date_system is None:
        raise CellError("date_is_number", "A number does not say from which day it counts: write YYYY-MM-DD.")
    early = date_system == 1900 and number < _LEAP_THAT_WAS_NONE
    try:
        found = _EPOCHS[date_system] + timedelta(days=int(number) + early)
    except OverflowError:
        raise CellError("invalid_date", _DATE) from None
    return found, DatePrecision.DAY


def _made(year: int, month: int | None, day: int | None) -> tuple[date, DatePrecision]:
    precision = DatePrecision.DAY if day else DatePrecision.MONTH if month else DatePrecision.YEAR
    try:
        return date(year, month if month is not None else 1, day if day is not None else 1), precision
    except ValueError:
        raise CellError("invalid_date", _DATE) from None


@cache
def _written(codes: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in code_lists()[codes]:
        found |= dict.fromkeys(map(search_key, (one.km, one.en, one.code)), one.code)
    return found | {search_key(short): code for short, code in _SHORT.get(codes, {}).items()}


_FLAWS = {
    Flaw.FORMULA: "A formula is not read: write the value.",
    Flaw.CELL_ERROR: "The spreadsheet shows an error here.",
}
_DATE = "This must be a date: YYYY-MM-DD, DD/MM/YYYY, or a year."
_FLAGS = {
    **dict.fromkeys(("yes", "y", "true", "1", "បាទ", "ចាស", "មាន"), True),
    **dict.fromkeys(("no", "n", "false", "0", "ទេ", "គ្មាន"), False),
}
_SHORT = {"sex": {"f": "female", "m": "male", "ស្រី": "female", "ប្រុស": "male"}}
