"""The written bytes read again, by other means than those that wrote them: what they are, and what they keep.

Shares no line with measures.py on purpose: rows by the csv module, cell by cell; exact fractions in place of columns.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import polars as pl
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from app.exports.faults import Fault
from app.exports.manifest import ColumnEntry, Manifest

WITHHELD = "withheld"
AGGREGATE = "-aggregate"
UNEXPECTED = set('"\r\0\t ')
UNREADABLE = (
    OSError, ValueError, KeyError, csv.Error, BadZipFile, InvalidFileException, pl.exceptions.PolarsError,
)  # fmt: skip

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one table was found to be: its heading, its different rows with how often each stands there, and whether
    they stand in canonical order."""

    columns: Row
    cells: Mapping[Row, int]
    sorted: bool

    @property
    def classes(self) -> dict[Row, Counter[str]]:
        """By base values: how often each value of the attribute."""
        found: dict[Row, Counter[str]] = {}
        for (*base, value), rows in self.cells.items():
            found.setdefault(tuple(base), Counter())[value] += rows
        return found

    def figures(self) -> dict[str, int | Fraction]:
        """Of a narrow table with at least one row, by the names of the manifest; shares are exact."""
        classes = self.classes
        whole = sum(classes.values(), Counter())
        sizes = {base: values.total() for base, values in classes.items()}
        k = min(sizes.values())
        return {
            "rows_out": whole.total(),
            "withheld": whole[WITHHELD],
            "classes": len(classes),
            "smallest_cell": min(self.cells.values()),
            "k": k,
            "l": min(len(values) for values in classes.values()),
            "max_t": max(_distance(values, whole) for values in classes.values()),
            "max_posterior": max(Fraction(max(values.values()), values.total()) for values in classes.values()),
            "prosecutor_risk": Fraction(1, k),
            "journalist_risk": Fraction(1, k),
            "marketer_risk": Fraction(len(classes), whole.total()),
        }


@dataclass(frozen=True, slots=True)
class Findings:
    """What a directory holds: the narrow tables by attribute, and what could not be one."""

    readings: Mapping[str, Reading]
    faults: tuple[Fault, ...]


def read_again(directory: Path) -> Findings:
    """Every table of the directory. A CSV is taken at its word; Parquet, XLSX and aggregates must say the same."""
    readings: dict[str, Reading] = {}
    faults: list[Fault] = []
    others = {path.name: path for suffix in OTHERS for path in directory.glob(f"*.{suffix}")}
    for path in sorted(directory.glob("*.csv"), key=lambda one: (AGGREGATE in one.stem, one.name)):
        try:
            found = _csv_reading(path)
        except UNREADABLE:
            faults.append(Fault("unreadable_table", path.name))
            continue
        if AGGREGATE in path.stem:
            faults += _aggregate_faults(path, found, readings)
        elif found.cells and found.columns[-1] == path.stem:
            readings[path.stem] = found
        else:
            faults.append(Fault("unreadable_table", path.name))
        for suffix, read in OTHERS.items():
            other = others.pop(f"{path.stem}.{suffix}", None)
            faults += _other_faults(other, read, found) if other else []
    return Findings(readings, (*faults, *(Fault("extra_file", name) for name in sorted(others))))


def _other_faults(path: Path, read: Callable[[Path], Reading], found: Reading) -> list[Fault]:
    """Where both are in canonical order, the same rows as often are the same table."""
    try:
        return [] if read(path) == found else [Fault("other_rows", path.name)]
    except UNREADABLE:
        return [Fault("unreadable_table", path.name)]


def differences(found: Findings, manifest: Manifest) -> list[Fault]:
    """Where the tables are not what the manifest says, or do not keep what it promises; empty when all is well."""
    faults = list(found.faults)
    for column in manifest.columns:
        reading, file = found.readings.get(column.attribute), f"{column.attribute}.csv"
        if reading is None:
            faults.append(Fault("unreadable_table", file))
            continue
        figures = reading.figures()
        faults += [] if reading.sorted else [Fault("other_order", file)]
        faults += [Fault("other_figures", file, name) for name in _unequal(reading, figures, column, manifest)]
        faults += [Fault("broken_promise", file, name) for name in _broken(figures, column, manifest)]
    told = {column.attribute for column in manifest.columns}
    faults += [Fault("extra_file", f"{name}.csv") for name in sorted(found.readings.keys() - told)]
    return faults + _overall(manifest)


def _unequal(
    reading: Reading, figures: Mapping[str, int | Fraction], column: ColumnEntry, manifest: Manifest
) -> Iterator[str]:
    if reading.columns != (*column.base, column.attribute):
        yield "columns"
    for name, value in figures.items():
        said = getattr(column, name)
        if said != (value if isinstance(value, int) else round(float(value), 6)):
            yield name
    if column.rows_in != manifest.rows_in or column.rows_in != figures["rows_out"] + column.suppressed:
        yield "rows_in"
    counts = {file.rows for file in manifest.files if file.name.split(".")[0] == column.attribute}
    if counts != {figures["rows_out"]}:
        yield "rows"


def _broken(figures: Mapping[str, int | Fraction], column: ColumnEntry, manifest: Manifest) -> Iterator[str]:
    promise = manifest.promise
    if figures["k"] < promise.k:
        yield "k"
    if figures["l"] < column.promised_l:
        yield "l"
    if figures["max_posterior"] > _exact(promise.max_posterior):
        yield "max_posterior"
    if figures["marketer_risk"] > _exact(promise.max_base_risk):
        yield "base risk"
    if figures["smallest_cell"] < promise.k:  # then no row is unlike all others, and none is withheld alone
        yield "smallest_cell"


def _overall(manifest: Manifest) -> list[Fault]:
    """The head of the manifest against its own columns: nobody needs to read further than the worst."""
    faults = [Fault("broken_promise", "manifest.json", "pinned")] if manifest.audit.pinned else []
    for name in type(manifest.risk).model_fields:
        worst = min if name in {"k", "l"} else max
        if not manifest.columns or getattr(manifest.risk, name) != worst(
            getattr(one, name) for one in manifest.columns
        ):
            faults.append(Fault("other_figures", "manifest.json", name))
    return faults


def _aggregate_faults(path: Path, found: Reading, readings: Mapping[str, Reading]) -> list[Fault]:
    """An aggregate says of its narrow table how many rows are alike, and nothing else."""
    narrow = readings.get(path.stem.removesuffix(AGGREGATE))
    if narrow is None:
        return [Fault("extra_file", path.name)]
    expected = {(*cell, str(count)): 1 for cell, count in narrow.cells.items()}
    well = found.columns == (*narrow.columns, "cases") and found.cells == expected and found.sorted
    return [] if well else [Fault("other_rows", path.name)]


def _distance(values: Counter[str], whole: Counter[str]) -> Fraction:
    """Half the sum of the differences of shares; whoever adds shares in another order gets the same."""
    n, total = values.total(), whole.total()
    return sum((abs(Fraction(values[one], n) - Fraction(whole[one], total)) for one in whole), Fraction()) / 2


def _exact(share: float) -> Fraction:
    """0.8 as it is written, not as it is stored."""
    return Fraction(str(share))


def _csv_reading(path: Path) -> Reading:
    """ValueError for another form of CSV than ours, whatever a lenient reader makes of it."""
    text = path.read_bytes().decode("ascii")
    if not text.endswith("\n") or set(text) & UNEXPECTED:
        raise ValueError("not lines of codes")
    # Equal lines are equal rows, since nothing is quoted: the csv module needs to read one of them.
    runs = [(line, sum(1 for _ in alike)) for line, alike in groupby(text[:-1].split("\n"))]
    heading, *rows = csv.reader([line for line, _ in runs], strict=True)
    if any(len(row) != len(heading) or not all(row) for row in (heading, *rows)) or runs[0][1] != 1:
        raise ValueError("a row is not as wide as its heading")
    return _reading(heading, zip(map(tuple, rows), [times for _, times in runs[1:]], strict=True))


def _parquet_reading(path: Path) -> Reading:
    frame = pl.read_parquet(path)
    if frame.null_count().transpose().sum().item():
        raise ValueError("a value is missing")
    return _reading(frame.columns, _runs(_rows(frame)))


def _rows(frame: pl.DataFrame) -> Iterator[Row]:
    """A few at a time: as text they are many times what they are in the file."""
    for part in frame.iter_slices(10_000):
        yield from zip(*(column.cast(pl.String).to_list() for column in part.iter_columns()), strict=True)


def _xlsx_reading(path: Path) -> Reading:
    book = load_workbook(path, read_only=True, data_only=False)
    try:
        (sheet,) = book.worksheets
        rows = sheet.iter_rows()
        return _reading(_codes(next(rows)), _runs(map(_codes, rows)))
    finally:
        book.close()


def _codes(cells: Iterable[Any]) -> Row:
    if any(cell.data_type not in {"s", "n"} or cell.value is None for cell in cells):
        raise ValueError("a formula, or nothing")
    return tuple(str(cell.value) for cell in cells)


def _runs(rows: Iterable[Row]) -> Iterator[tuple[Row, int]]:
    return ((row, sum(1 for _ in alike)) for row, alike in groupby(rows))


def _reading(heading: Iterable[str], runs: Iterable[tuple[Row, int]]) -> Reading:
    """`runs`: equal rows in a row, and how many. In canonical order each stands higher than the one before."""
    cells: Counter[Row] = Counter()
    before: Row = ()
    in_order = True
    for row, times in runs:
        cells[row] += times
        in_order, before = in_order and row > before, row
    return Reading(tuple(heading), cells, in_order)


OTHERS = {"parquet": _parquet_reading, "xlsx": _xlsx_reading}
