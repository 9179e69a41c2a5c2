"""A release as files: equal releases are equal bytes, wherever and whenever they are written."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import polars as pl
import xlsxwriter

from app.exports.content import NarrowTable, Release
from app.exports.manifest import CODE, MANIFEST, FileEntry, Manifest, stated
from app.exports.measures import CASES, Measures, canonical, measured
from app.exports.page import html
from app.exports.refusing import Refused
from app.exports.second_reading import AGGREGATE, differences, read_again
from app.key_pairs import ExportKey
from app.models.codes.people import Language

Times = np.ndarray[tuple[int], np.dtype[np.int64]]

MOST_XLSX_ROWS = 50_000
PART = 1 << 18  # bytes
TABLES_AT_ONCE = 3  # one is hashed and written while others are made
PAGES = {Language.EN: "risk-en.html", Language.KM: "risk-km.html"}


def write(release: Release, directory: Path, *, signer: ExportKey, software_version: str) -> Manifest:
    """Write the release as a new directory, read it again, and give it its name; or leave nothing.

    Raises Refused (`second_reading`: the bytes are not what the manifest says, or do not keep what it promises;
    `unknown_code`: a value that is no code), FileExistsError, or OSError when the disk takes no more. A draft that a
    killed process left behind is replaced.
    """
    if directory.exists():
        raise FileExistsError(f"{directory.name} is there already")
    draft = directory.with_name(f".{directory.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(mode=0o700)
        manifest = _written(release, draft, signer, software_version)
        if differences(read_again(draft), manifest):
            raise Refused("second_reading")
        for path in (*sorted(draft.iterdir()), draft):
            _sync(path)
        draft.rename(directory)
        _sync(directory.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest


def _written(release: Release, draft: Path, signer: ExportKey, software_version: str) -> Manifest:
    entries, measures = list[FileEntry](), {}
    with ThreadPoolExecutor(TABLES_AT_ONCE) as pool:
        for attribute, found, files in pool.map(lambda table: _put(draft, table, release.frozen_at), release.tables):
            measures[attribute] = found
            entries += files
    statement = stated(release, measures, software_version)
    for language, name in PAGES.items():
        entries.append(_file(draft / name, [html(statement, language).encode()], None))
    ordered = tuple(sorted(entries, key=lambda entry: entry.name))
    manifest = statement.model_copy(update={"files": ordered}).signed(signer)
    _file(draft / MANIFEST, [manifest.written()], None)
    return manifest


def _check_codes(table: NarrowTable, cells: pl.DataFrame) -> None:
    """Whatever is no code (a formula, a name, a null) is a mistake of ours, and never written."""
    for column in table.cells.columns[:-1]:
        told = {column, *cells[column].to_list()}
        if not all(isinstance(one, str) and re.fullmatch(CODE, one) for one in told):
            raise Refused("unknown_code", column=column)


def _put(draft: Path, table: NarrowTable, frozen_at: datetime) -> tuple[str, Measures, list[FileEntry]]:
    """All files of one attribute: the narrow table, and the same counted."""
    cells = canonical(table.cells)
    _check_codes(table, cells)
    name, once = table.attribute, np.ones(cells.height, dtype=np.int64)
    files = []
    for stem, rows, times in (
        (name, cells.drop(CASES), cells[CASES].to_numpy()),
        (f"{name}{AGGREGATE}", cells, once),
    ):
        for suffix, parts in _table(rows, times, frozen_at):
            files.append(_file(draft / f"{stem}.{suffix}", parts, int(times.sum())))
    return name, measured(cells), files


def _table(rows: pl.DataFrame, times: Times, frozen_at: datetime) -> Iterator[tuple[str, Iterator[bytes]]]:
    """`rows`: all different, in canonical order; `times`: how often each stands in the table."""
    yield "csv", _csv(rows, times)
    yield "parquet", _parquet(rows, times)
    if times.sum() <= MOST_XLSX_ROWS:
        yield "xlsx", _xlsx(rows, times, frozen_at)


def _csv(rows: pl.DataFrame, times: Times) -> Iterator[bytes]:
    """In parts of a size that stays in the processor's cache: new memory costs more than what is done with it."""
    lines = rows.select(pl.concat_str(pl.all(), separator=",")).to_series().to_list()
    part = bytearray(f"{','.join(rows.columns)}\n".encode())
    for line, n in zip(lines, times.tolist(), strict=True):
        one = f"{line}\n".encode()
        at_once = max(1, PART // len(one))
        for left in range(n, 0, -at_once):
            part += one * min(left, at_once)
            if len(part) >= PART:
                yield bytes(part)
                part.clear()
    yield bytes(part)


def _parquet(rows: pl.DataFrame, times: Times) -> Iterator[bytes]:
    """Codes as dictionaries, which readers take for text or for categories."""
    texts = [pl.col(name).cast(pl.Enum(sorted(set(rows[name].to_list())))) for name in rows.columns if name != CASES]
    file = BytesIO()
    rows.with_columns(texts)[np.repeat(np.arange(rows.height), times)].write_parquet(
        file, compression="zstd", compression_level=3, statistics=False, row_group_size=131_072
    )
    yield file.getvalue()


def _xlsx(rows: pl.DataFrame, times: Times, frozen_at: datetime) -> Iterator[bytes]:
    """Codes as text, whatever they look like to a spreadsheet; `cases` as numbers."""
    file = BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    book.set_properties({"created": frozen_at.astimezone(UTC)})
    sheet = book.add_worksheet("Samaki")
    sheet.ignore_errors({"number_stored_as_text": f"A1:Z{MOST_XLSX_ROWS + 1}"})
    for at, name in enumerate(rows.columns):
        sheet.write_string(0, at, name)
        put = sheet.write_number if name == CASES else sheet.write_string
        for down, value in enumerate(np.repeat(rows[name].to_numpy(), times), start=1):
            put(down, at, value)
    book.close()
    yield file.getvalue()


def _file(path: Path, parts: Iterable[bytes], rows: int | None) -> FileEntry:
    """A new file for its owner alone."""
    digest, size = hashlib.sha256(), 0
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        for part in parts:
            digest.update(part)
            size += file.write(part)
    return FileEntry(name=path.name, sha256=digest.hexdigest(), bytes=size, rows=rows)


def _sync(path: Path) -> None:
    """Put a file's content, or a directory's names, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
