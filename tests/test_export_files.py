"""A release as files: the same for everybody and for ever, safe to open, and nothing stays of one that is wrong."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
import pytest

from app.exports import files
from app.exports.content import Audit, Release
from app.exports.faults import Fault
from app.exports.files import write
from app.exports.manifest import FileEntry, Manifest
from app.exports.measures import CASES, Measures, measured
from app.exports.profile import load_profile
from app.exports.refusing import Refused
from app.exports.second_reading import Findings, differences, read_again
from tests.exporting import FROZEN_AT, SOFTWARE, Cell, invented, key, quarter, release, table, written

PROJECT = Path(__file__).parent.parent
NAMES = {
    f"{attribute}{aggregate}.{suffix}"
    for attribute in ("category", "id_poor", "status", "disability")
    for aggregate in ("", "-aggregate")
    for suffix in ("csv", "parquet", "xlsx")
}


def contents(room: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in room.iterdir()}


def lines(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("exports") / "2024Q3"
    written(made, quarter())
    return made


def test_a_release_is_its_tables_its_aggregates_two_pages_and_the_manifest(room: Path) -> None:
    assert set(contents(room)) == NAMES | {"risk-en.html", "risk-km.html", "manifest.json"}
    assert {path.stat().st_mode & 0o777 for path in room.iterdir()} == {0o600}


def test_the_manifest_lists_every_file_with_its_hash_its_size_and_its_rows(room: Path) -> None:
    manifest = json.loads((room / "manifest.json").read_bytes())
    listed = {one["name"]: one for one in manifest["files"]}
    assert [one["name"] for one in manifest["files"]] == sorted(listed)
    assert set(listed) == {path.name for path in room.iterdir()} - {"manifest.json"}
    for name, entry in listed.items():
        content = (room / name).read_bytes()
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
        assert entry["bytes"] == len(content)
        stem = name.split(".")[0]
        rows = None if name.endswith(".html") else len(lines(room / f"{stem}.csv")) - 1
        assert entry["rows"] == rows


def test_the_manifest_says_of_each_column_what_went_in_what_came_out_and_what_was_hidden(tmp_path: Path) -> None:
    one = quarter()
    manifest = written(tmp_path / "x", one)
    assert manifest.profile.model_dump() == {"name": "auditor-v1", "version": 1, "hash": one.profile.hash}
    assert (manifest.period, manifest.frozen_at, manifest.rows_in) == ("2024Q3", FROZEN_AT, one.rows_in)
    assert manifest.software == SOFTWARE
    assert (manifest.audit.cells, manifest.audit.pinned) == (17, 0)
    for told, column in zip(one.tables, manifest.columns, strict=True):
        assert (column.attribute, column.rung, column.why) == (told.attribute, told.rung, told.why)
        assert column.rows_in == one.rows_in == column.rows_out + column.suppressed
        assert (column.suppressed, column.withheld) == (told.suppressed, told.withheld)
    assert manifest.columns[-1].base == ()
    assert manifest.risk.k == min(column.k for column in manifest.columns) >= one.profile.k
    assert manifest.risk.max_posterior == max(column.max_posterior for column in manifest.columns)
    assert manifest.promise.k == 5


def test_csv_parquet_and_workbook_hold_the_same_rows_in_the_same_order(room: Path) -> None:
    for name in sorted(one.removesuffix(".csv") for one in NAMES if one.endswith(".csv")):
        rows = lines(room / f"{name}.csv")
        frame = pl.read_parquet(room / f"{name}.parquet")
        sheet = openpyxl.load_workbook(room / f"{name}.xlsx").worksheets[0]
        assert [frame.columns, *([str(one) for one in row] for row in frame.rows())] == rows
        assert [[str(cell.value) for cell in row] for row in sheet.rows] == rows
        assert rows[1:] == sorted(rows[1:])
        assert b"\r" not in (room / f"{name}.csv").read_bytes()


def test_an_aggregate_counts_the_rows_of_its_narrow_table_and_knows_nothing_else(room: Path) -> None:
    rows = lines(room / "category.csv")
    heading, *cells = lines(room / "category-aggregate.csv")
    assert heading == [*rows[0], "cases"]
    assert sum(int(cell[-1]) for cell in cells) == len(rows) - 1
    for *values, cases in cells:
        assert rows.count(values) == int(cases)


def test_two_writings_of_one_release_are_the_same_bytes(room: Path, tmp_path: Path) -> None:
    written(tmp_path / "again", quarter())
    assert contents(tmp_path / "again") == contents(room)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The same release, and one of more than one row group, by two processes with other hashes and threads."""
    script = (
        "import sys; from pathlib import Path; from tests.exporting import invented, quarter, release, written;"
        "from app.exports.profile import load_profile; room = Path(sys.argv[1]); written(room / 'small', quarter());"
        "written(room / 'large', release(invented(3, 'category', load_profile('auditor-v1'), 4_700)))"
    )
    rooms = []
    for seed, threads in (("1", "1"), ("4321", "7")):
        rooms.append(tmp_path_factory.mktemp("elsewhere"))
        environment = os.environ | {"PYTHONHASHSEED": seed, "POLARS_MAX_THREADS": threads, "TZ": "America/Lima"}
        command = [sys.executable, "-c", script, str(rooms[-1])]
        subprocess.run(command, cwd=PROJECT, env=environment, check=True, timeout=120)
    return rooms


def test_another_process_with_other_hashes_and_threads_writes_the_same_bytes(room: Path, elsewhere: list[Path]) -> None:
    for other in elsewhere:
        assert contents(other / "small") == contents(room)


def test_large_tables_are_the_same_bytes_with_any_number_of_threads(elsewhere: list[Path]) -> None:
    one, other = (room / "large" for room in elsewhere)
    assert contents(one) == contents(other)
    assert len(lines(one / "category.csv")) > 131_072  # two row groups


def test_the_order_in_which_rows_were_told_is_not_in_the_files(room: Path, tmp_path: Path) -> None:
    one = quarter()
    by_row = [told.rows.with_columns(pl.lit(1, dtype=pl.Int64).alias("cases")) for told in one.tables]
    shuffled = tuple(
        replace(told, cells=rows.sample(fraction=1, shuffle=True, seed=3))
        for told, rows in zip(one.tables, by_row, strict=True)
    )
    assert not shuffled[0].rows.equals(one.tables[0].rows)
    assert shuffled[0].rows.sort(pl.all()).equals(one.tables[0].rows)
    written(tmp_path / "again", replace(one, tables=shuffled))
    assert contents(tmp_path / "again") == contents(room)


def test_a_table_that_is_not_sorted_is_caught_by_the_second_reading(room: Path, tmp_path: Path) -> None:
    """The order of rows may be the order of cases."""
    shutil.copytree(room, tmp_path / "x")
    manifest = Manifest.read((room / "manifest.json").read_bytes())
    heading, *rows = (room / "category.csv").read_text().splitlines()
    (tmp_path / "x" / "category.csv").write_text("\n".join([heading, *rows[::-1]]) + "\n")
    found = {(one.code, one.file) for one in differences(read_again(tmp_path / "x"), manifest)}
    assert ("other_order", "category.csv") in found


@pytest.mark.parametrize("size", [1, 100])
def test_where_one_part_ends_and_the_next_begins_shows_in_no_file(
    room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """Would catch: a row that is lost, or told twice, where a table is larger than what is written at once."""
    monkeypatch.setattr(files, "PART", size)
    written(tmp_path / "again", quarter())
    assert contents(tmp_path / "again") == contents(room)


def test_another_release_is_other_bytes(tmp_path: Path) -> None:
    """What was equal above was not equal because nothing is in it."""
    written(tmp_path / "one", quarter(7))
    written(tmp_path / "other", quarter(8))
    assert contents(tmp_path / "one")["category.csv"] != contents(tmp_path / "other")["category.csv"]


def test_a_workbook_of_more_than_fifty_thousand_rows_is_left_out(tmp_path: Path) -> None:
    big: list[Cell] = [(("intake",), 20_000), (("planning",), 20_000), (("closed",), 10_001)]
    small: list[Cell] = [*big[:2], (("closed",), 10_000)]
    written(tmp_path / "big", release(table("status", (), big, rung="all")))
    written(tmp_path / "small", release(table("status", (), small, rung="all")))
    assert not (tmp_path / "big" / "status.xlsx").exists()
    assert (tmp_path / "big" / "status.parquet").exists()
    assert (tmp_path / "big" / "status-aggregate.xlsx").exists()
    assert (tmp_path / "small" / "status.xlsx").exists()


@pytest.mark.parametrize(
    "value",
    ["=1+1", "+855", "-2", "@SUM(A1)", "\t=1", "\r=1", "a,b", 'a"b', "a\nb", "", "ស្រី", "Domestic", "a b", None],
)
@pytest.mark.parametrize("place", ["base", "attribute"])
def test_what_is_no_code_is_never_written_above_all_no_formula(tmp_path: Path, value: str, place: str) -> None:
    cells: list[Cell] = [(("170201", one), 20) for one in ("intake", "planning", "closed")]
    frame = table("status", ("place",), cells).cells
    column = "place" if place == "base" else "status"
    bad = frame.with_columns(pl.when(pl.int_range(pl.len()) < 1).then(pl.lit(value)).otherwise(column).alias(column))
    one = replace(table("status", ("place",), cells), cells=bad.sort(bad.columns))
    with pytest.raises(Refused) as refusal:
        written(tmp_path / "x", release(one))
    assert refusal.value.code == "unknown_code"
    assert list(tmp_path.iterdir()) == []


def test_codes_stay_text_in_a_spreadsheet(tmp_path: Path) -> None:
    cells: list[Cell] = [(("010203", "60+", one), 20) for one in ("intake", "planning", "closed")]
    written(tmp_path / "x", release(table("status", ("place", "age"), cells)))
    sheet = openpyxl.load_workbook(tmp_path / "x" / "status.xlsx").worksheets[0]
    assert [cell.value for cell in sheet[2]] == ["010203", "60+", "closed"]
    assert {cell.data_type for row in sheet.rows for cell in row} == {"s"}
    assert pl.read_parquet(tmp_path / "x" / "status.parquet")["place"][0] == "010203"


def test_a_workbook_carries_the_moment_of_the_freeze_and_nobodys_name(room: Path) -> None:
    properties = openpyxl.load_workbook(room / "status.xlsx").properties
    assert properties.created == FROZEN_AT.replace(tzinfo=None)
    assert properties.modified == FROZEN_AT.replace(tzinfo=None)
    assert not properties.creator
    assert not properties.lastModifiedBy


VALUES = ("assessment", "closed", "follow_up", "intake", "planning")


def even(per_cell: int = 12, **cells: int) -> list[Cell]:
    """Four communes with five values each, `cells` changing some: `c3_intake=4`."""
    return [((f"17020{at}", value), cells.get(f"c{at}_{value}", per_cell)) for at in (1, 2, 3, 4) for value in VALUES]


YES_NO: list[Cell] = [((f"17020{at}", value), 20) for at in (1, 2, 3, 4) for value in ("no", "not_recorded", "yes")]

# Each keeps every other promise: only the check of the one named can refuse it.
PLANTED: dict[str, tuple[str, list[Cell]]] = {
    "l": ("status", [*even(), (("170205", "closed"), 30), (("170205", "intake"), 30)]),
    "max_posterior": ("status", even(c3_closed=12 * 16 + 1)),
    "base risk": ("status", [((f"1702{at:02}", value), 6) for at in range(10, 20) for value in VALUES]),
    "smallest_cell": ("status", even(c2_intake=4)),
    "smallest_cell of what is withheld": ("status", [*even(), (("170203", "withheld"), 4)]),
    "smallest_cell of one alone": ("status", even(c2_intake=1)),
}


@pytest.mark.parametrize("promise", PLANTED)
def test_a_table_that_breaks_a_promise_is_refused_and_nothing_stays(
    tmp_path: Path, promise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attribute, cells = PLANTED[promise]
    found: list[Fault] = []

    def noted(findings: Findings, manifest: Manifest) -> list[Fault]:
        found.extend(differences(findings, manifest))
        return found

    monkeypatch.setattr(files, "differences", noted)
    with pytest.raises(Refused) as refusal:
        written(tmp_path / "x", release(table(attribute, ("place",), cells)))
    assert refusal.value.code == "second_reading"
    assert found == [Fault("broken_promise", f"{attribute}.csv", promise.partition(" of ")[0])]
    assert list(tmp_path.iterdir()) == []


def test_a_class_of_fewer_than_k_is_refused_by_its_own_name(tmp_path: Path) -> None:
    """It has smaller cells too, so the reading is asked by itself."""
    four: list[Cell] = [*YES_NO, (("170205", "no"), 2), (("170205", "yes"), 2)]
    manifest = written(tmp_path / "well", release(table("disability", ("place",), YES_NO)))
    path = tmp_path / "well" / "disability.csv"
    path.write_text(path.read_text() + "".join(f"{place},{value}\n" * n for (place, value), n in four[-2:]))
    found = {str(fault) for fault in differences(read_again(tmp_path / "well"), manifest)}
    assert "disability.csv does not keep what the manifest promises (k)" in found
    assert "disability.csv does not keep what the manifest promises (smallest_cell)" in found


def test_the_edge_of_each_promise_is_kept(tmp_path: Path) -> None:
    """Twice k rows of two values, exactly 80 %, exactly 3 %, k rows alike, k rows withheld."""
    ten: list[Cell] = [*YES_NO, (("170205", "no"), 5), (("170205", "yes"), 5)]
    assert written(tmp_path / "k", release(table("disability", ("place",), ten))).risk.k == 10
    posterior = written(tmp_path / "posterior", release(table("status", ("place",), even(c3_closed=12 * 16))))
    assert posterior.risk.max_posterior == 0.8
    exactly: list[Cell] = [((f"17020{at}", value), 7) for at in (1, 2, 3) for value in VALUES[:4]]
    exactly += [(("170201", VALUES[4]), 6), (("170202", VALUES[4]), 5), (("170203", VALUES[4]), 5)]  # a hundred
    assert written(tmp_path / "base", release(table("status", ("place",), exactly))).risk.marketer_risk == 0.03
    written(tmp_path / "alike", release(table("status", ("place",), even(c2_intake=5))))
    written(tmp_path / "withheld", release(table("status", ("place",), [*even(), (("170203", "withheld"), 5)])))


@pytest.mark.parametrize("pinned", [1, 200])
def test_a_release_with_a_cell_that_can_be_calculated_is_refused(tmp_path: Path, pinned: int) -> None:
    with pytest.raises(Refused, match="second_reading"):
        written(tmp_path / "x", replace(quarter(), audit=Audit(500, pinned)))
    assert list(tmp_path.iterdir()) == []


def wrong_suppressed(one: Release) -> Release:
    return replace(one, tables=(replace(one.tables[0], suppressed=3), *one.tables[1:]))


def wrong_withheld(one: Release) -> Release:
    return replace(one, tables=(replace(one.tables[0], withheld=one.tables[0].withheld + 1), *one.tables[1:]))


@pytest.mark.parametrize("wrong", [wrong_suppressed, wrong_withheld])
def test_a_manifest_that_would_not_be_true_is_refused_and_nothing_stays(tmp_path: Path, wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(Refused, match="second_reading"):
        written(tmp_path / "x", wrong(quarter()))
    assert list(tmp_path.iterdir()) == []


def test_a_figure_that_the_first_reading_got_wrong_is_caught_by_the_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = measured
    for name in ("k", "l", "max_t", "max_posterior", "prosecutor_risk", "journalist_risk", "marketer_risk", "rows"):

        def wrong(cells: pl.DataFrame, name: str = name) -> Measures:
            found = right(cells)
            return replace(found, **{name: getattr(found, name) + (1 if name in {"k", "l", "rows"} else 0.000001)})

        monkeypatch.setattr(files, "measured", wrong)
        with pytest.raises(Refused, match="second_reading"):
            written(tmp_path / name, quarter())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx"])
@pytest.mark.parametrize("name", ["category", "category-aggregate"])
def test_a_file_that_was_written_wrong_is_caught_by_the_second_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, suffix: str
) -> None:
    """As if a library wrote one row too few: hash and manifest agree with the bytes, only the reading does not."""
    right = files._table

    def wrong(rows: pl.DataFrame, times: files.Times, frozen_at: datetime) -> Iterator[tuple[str, Iterator[bytes]]]:
        heading = rows.columns
        stem = f"{heading[-2]}-aggregate" if heading[-1] == CASES else heading[-1]
        for kind, content in right(rows, times, frozen_at):
            fewer = np.where(np.arange(len(times)) == 3, times - 1, times)
            made = {"csv": files._csv, "parquet": files._parquet}.get(kind)
            less = made(rows, fewer) if made else files._xlsx(rows, fewer, frozen_at)
            yield kind, less if (stem, kind) == (name, suffix) else content

    monkeypatch.setattr(files, "_table", wrong)
    with pytest.raises(Refused, match="second_reading"):
        written(tmp_path / "x", quarter())
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_leaves_nothing_and_the_next_try_is_the_same_release(
    room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = os.fsync, [9]

    def full(descriptor: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        written(tmp_path / "x", quarter())
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    written(tmp_path / "x", quarter())
    assert contents(tmp_path / "x") == contents(room)


def test_a_disk_that_fills_while_a_table_is_put_on_it_leaves_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Would catch: a file that is written beside the making of the next, and whose failure nobody hears of."""
    real = files._file

    def full(path: Path, parts: Iterable[bytes], rows: int | None) -> FileEntry:
        if path.name == "status-aggregate.xlsx":
            raise OSError(28, "No space left on device")
        return real(path, parts, rows)

    monkeypatch.setattr(files, "_file", full)
    with pytest.raises(OSError, match="No space"):
        written(tmp_path / "x", quarter())
    assert list(tmp_path.iterdir()) == []


def test_a_killed_writer_leaves_no_release_and_the_next_writes_it_whole(room: Path, tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from app.exports import files;"
        "from tests.exporting import quarter, written;"
        "files.html = lambda *_: os.kill(os.getpid(), signal.SIGKILL);"
        "written(Path(sys.argv[1]), quarter())"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "x")], cwd=PROJECT, check=False, timeout=120)
    assert done.returncode == -9
    assert not (tmp_path / "x").exists()
    assert [path.name for path in tmp_path.iterdir()] == [".x.draft"]
    written(tmp_path / "x", quarter())
    assert contents(tmp_path / "x") == contents(room)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_release_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    written(tmp_path / "x", quarter())
    before = contents(tmp_path / "x")
    with pytest.raises(FileExistsError):
        written(tmp_path / "x", quarter(8))
    assert contents(tmp_path / "x") == before


def test_what_leaves_the_agreement_promises_eleven(tmp_path: Path) -> None:
    manifest: Manifest = write(quarter(7, "public-v1"), tmp_path / "x", signer=key(), software_version=SOFTWARE)
    assert (manifest.promise.k, manifest.risk.k >= 11) == (11, True)
    within = invented(7, "category", load_profile("auditor-v1"))
    six: list[Cell] = [*even(40), *((("170205", value), 6) for value in ("closed", "intake", "planning"))]
    written(tmp_path / "inside", release(within, table("status", ("place",), six)))
    with pytest.raises(Refused, match="second_reading"):
        written(tmp_path / "outside", release(table("status", ("place",), six), profile=load_profile("public-v1")))
