"""Bars and columns as numbers for the template, in units of a viewBox 320 wide, at which a phone shows them 1:1."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH = 320
_ROW = 36
_COLUMNS_SHOWN = 8
_COLUMN_HEIGHT = 96


@dataclass(frozen=True)
class Mark:
    """One bar or column: `label` and `value` as printed, where it begins (`at`) and how long it is (`size`).

    `size` is null where the number is hidden: then nothing of the length may be drawn.
    """

    label: str
    value: str
    at: float
    size: float | None
    now: bool = False


@dataclass(frozen=True)
class Chart:
    """`kind` bars or columns; `step` is the room of one mark, `rows` all numbers for the table beside it."""

    kind: str
    caption: str
    title: str
    summary: str
    marks: Sequence[Mark]
    rows: Sequence[tuple[str, str, bool]]
    step: float
    height: float


def bars(caption: str, title: str, summary: str, cells: Sequence[tuple[str, str, int | None]]) -> Chart:
    """One bar a slice, all from zero and on one scale. A cell: label, value as printed, value."""
    most = _most(value for *_, value in cells)
    marks = [
        Mark(label, printed, at * _ROW, _share(value, most, WIDTH)) for at, (label, printed, value) in enumerate(cells)
    ]
    return Chart("bars", caption, title, summary, marks, _rows(cells), _ROW, len(cells) * _ROW)


def columns(caption: str, title: str, summary: str, cells: Sequence[tuple[str, str, int | None]]) -> Chart:
    """One column a quarter, the newest on the right; the table has those for which there is no room here."""
    shown = cells[-_COLUMNS_SHOWN:]
    most = _most(value for *_, value in shown)
    step = WIDTH / max(len(shown), 3)
    marks = [
        Mark(label, printed, at * step, _share(value, most, _COLUMN_HEIGHT), now=at == len(shown) - 1)
        for at, (label, printed, value) in enumerate(shown)
    ]
    return Chart("columns", caption, title, summary, marks, _rows(cells), step, _COLUMN_HEIGHT + 44)


def _most(values: Iterable[int | None]) -> int:
    return max((value for value in values if value is not None), default=0)


def _share(value: int | None, most: int, room: float) -> float | None:
    """At least a hair where there is something, nothing at zero."""
    if value is None:
        return None
    return round(max(value / most * room, 1.5), 1) if value > 0 else 0.0


def _rows(cells: Sequence[tuple[str, str, int | None]]) -> list[tuple[str, str, bool]]:
    return [(label, printed, value is None) for label, printed, value in cells]
