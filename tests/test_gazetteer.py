"""Importing the gazetteer: all or nothing, every bad row named, safe to repeat, no code in use is lost."""

import csv
import io
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlmodel import SQLModel

from app.database_urls import DatabaseUrls
from app.schema import SchemaError
from app.services.gazetteer import USES, ImportReport, import_file
from app.services.gazetteer_file import COLUMNS, LONGEST_LINE, MOST_LISTED, MOST_ROWS
from tests.cast import AREAS, COMMUNE, VILLAGE

GAZETTEER = Path(__file__).parents[1].parent / "shared" / "data" / "gazetteer_kh.csv"
gazetteer_is_here = pytest.mark.skipif(
    not GAZETTEER.is_file(), reason="the shared data folder is not beside this clone"
)

Row = Sequence[str]
GOOD: list[Row] = [
    ("01", "province", "បន្ទាយមានជ័យ", "Banteay Meanchey", ""),
    ("0102", "district", "មង្គលបូរី", "Mongkol Borey", "01"),
    ("010201", "commune", "បន្ទាយនាង", "Banteay Neang", "0102"),
    ("01020101", "village", "អូរធំ", "", "010201"),
]
# The areas that the test database begins with, as a file would have them.
KNOWN: list[Row] = [(code, level.value, "ភូមិ", "", parent or "") for code, level, parent in AREAS]


def written(directory: Path, rows: Iterable[Row], heading: Row = COLUMNS) -> Path:
    """A file with these rows."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([heading, *rows])
    return raw(directory, text.getvalue().encode())


def raw(directory: Path, content: bytes) -> Path:
    path = directory / f"{uuid4().hex}.csv"
    path.write_bytes(content)
    return path


def areas(urls: DatabaseUrls) -> list[tuple[str, str, str, str | None, str | None]]:
    with psycopg.connect(urls.runtime) as connection:
        return connection.execute("select code, level, name_km, name_en, parent from areas order by code").fetchall()


def codes(urls: DatabaseUrls) -> set[str]:
    return {row[0] for row in areas(urls)}


def found(report: ImportReport) -> list[tuple[int, str]]:
    return [(problem.line, problem.code) for problem in report.problems]


@pytest.fixture
def refused(database: DatabaseUrls, tmp_path: Path) -> Iterator[object]:
    """Imports what must be refused, and gives lines and codes of the problems; nothing may have changed."""
    before = areas(database)

    def problems(rows: Iterable[Row] | bytes, heading: Row = COLUMNS) -> list[tuple[int, str]]:
        path = raw(tmp_path, rows) if isinstance(rows, bytes) else written(tmp_path, rows, heading)
        report = import_file(database, path)
        assert report.bad == len({line for line, _ in found(report)}) > 0
        assert (report.inserted, report.updated, report.removed) == (0, 0, 0)
        return found(report)

    yield problems
    assert areas(database) == before


@gazetteer_is_here
def test_all_of_cambodia_is_imported_in_ten_seconds_and_again_without_change(
    fresh_database: DatabaseUrls,
) -> None:
    began = time.monotonic()
    first = import_file(fresh_database, GAZETTEER)
    assert time.monotonic() - began < 10
    assert (first.rows, first.bad, first.kept_in_use) == (16_465, 0, ())
    assert first.inserted + first.updated == 16_465
    assert len(areas(fresh_database)) == 16_465
    assert import_file(fresh_database, GAZETTEER) == ImportReport(rows=16_465)


@gazetteer_is_here
def test_codes_keep_their_zeros_and_a_village_without_a_latin_name_is_kept(
    fresh_database: DatabaseUrls,
) -> None:
    import_file(fresh_database, GAZETTEER)
    rows = {row[0]: row for row in areas(fresh_database)}
    assert {"01", "0102", "010201", "1701"} <= rows.keys()
    assert not {"1", "102", "10201"} & rows.keys()
    assert rows["02010508"] == ("02010508", "village", "ប៉ៃឡាំ", None, "020105")
    by_level = {level: sum(row[1] == level for row in rows.values()) for level in {r[1] for r in rows.values()}}
    assert by_level == {"province": 25, "district": 210, "commune": 1652, "village": 14578}


@gazetteer_is_here
def test_one_bad_row_at_the_end_of_sixteen_thousand_changes_nothing(
    fresh_database: DatabaseUrls, tmp_path: Path
) -> None:
    before = areas(fresh_database)
    path = raw(tmp_path, GAZETTEER.read_bytes() + "102,district,ថ្មី,New,01\n".encode())
    report = import_file(fresh_database, path)
    assert found(report) == [(16_467, "wrong_length"), (16_467, "parent_not_prefix")]
    assert (report.rows, report.bad) == (16_466, 1)
    assert areas(fresh_database) == before


def test_a_second_import_of_the_same_file_changes_nothing(fresh_database: DatabaseUrls, tmp_path: Path) -> None:
    path = written(tmp_path, [*KNOWN, *GOOD])
    first = import_file(fresh_database, path)
    assert (first.inserted, first.updated, first.removed) == (len(GOOD), 0, 0)
    assert import_file(fresh_database, path) == ImportReport(rows=len(KNOWN) + len(GOOD))


def test_a_changed_name_is_updated_and_nothing_else(fresh_database: DatabaseUrls, tmp_path: Path) -> None:
    import_file(fresh_database, written(tmp_path, [*KNOWN, *GOOD]))
    changed = [*KNOWN, *GOOD[:3], ("01020101", "village", "អូរធំ", "Ou Thum", "010201")]
    report = import_file(fresh_database, written(tmp_path, changed))
    assert (report.inserted, report.updated, report.removed) == (0, 1, 0)
    assert ("01020101", "village", "អូរធំ", "Ou Thum", "010201") in areas(fresh_database)


@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_marks_line_ends_quotes_blank_lines_and_order_of_columns_do_not_matter(
    fresh_database: DatabaseUrls, tmp_path: Path, begin: bytes, end: str
) -> None:
    lines = [
        "name_en,parent,code,name_km,level",
        '"Ou Thum, ""new""",010201,01020101,អូរធំ,village',  # before its parent
        ",01,0102,មង្គលបូរី,district",
        "",
        'Banteay  Neang,"0102","010201"," បន្ទាយនាង ",commune',
        ",,01,បន្ទាយមានជ័យ,province",
    ]
    report = import_file(fresh_database, raw(tmp_path, begin + end.join(lines).encode()))
    assert (report.bad, report.inserted) == (0, 4)
    assert ("01020101", "village", "អូរធំ", 'Ou Thum, "new"', "010201") in areas(fresh_database)
    assert ("010201", "commune", "បន្ទាយនាង", "Banteay Neang", "0102") in areas(fresh_database)


@pytest.mark.parametrize(
    ("row", "problems"),
    [
        (("1", "province", "ក", "", ""), ["wrong_length"]),
        (("1701", "province", "ក", "", ""), ["wrong_length"]),
        (("0103", "village", "ក", "", "01"), ["wrong_length"]),
        (("០៣", "province", "ក", "", ""), ["not_latin_digits"]),
        (("0x", "province", "ក", "", ""), ["not_latin_digits"]),
        ((" 03", "province", "ក", "", ""), ["not_latin_digits"]),
        (("3.0", "province", "ក", "", ""), ["not_latin_digits"]),
        (("", "province", "ក", "", ""), ["not_latin_digits"]),
        (("03", "hamlet", "ក", "", ""), ["unknown_level", "parent_missing"]),
        (("01", "province", "ក", "", ""), ["duplicate_code"]),
        (("0103", "district", "", "", "01"), ["name_missing"]),
        (("0103", "district", "  ", "", "01"), ["name_missing"]),
        (("0103", "district", "ក\x00ខ", "", "01"), ["text_control_character"]),
        (("0103", "district", "ក", "a\x00", "01"), ["text_control_character"]),
        (("0103", "district", "ក\u202e", "", "01"), ["text_direction_override"]),
        (("0103", "district", "ក" * 121, "", "01"), ["text_too_long"]),
        (("0103", "district", "ក", "", ""), ["parent_missing"]),
        (("0103", "district", "ក", "", "02"), ["parent_not_prefix"]),
        (("0103", "district", "ក", "", "1"), ["parent_not_prefix"]),
        (("03", "province", "ក", "", "01"), ["parent_unexpected"]),
        (("0901", "district", "ក", "", "09"), ["unknown_parent"]),
        (("0103", "district", "ក", ""), ["field_count"]),
        (("0103", "district", "ក", "", "01", ""), ["field_count"]),
        (("0103", "district", "ក", "x" * LONGEST_LINE, "01"), ["line_too_long"]),
    ],
)
def test_each_fault_of_a_row_is_named_by_line_and_code(refused, row: Row, problems: list[str]) -> None:  # type: ignore[no-untyped-def]
    assert refused([*GOOD, row]) == [(6, problem) for problem in problems]


def test_every_bad_row_is_reported_and_the_rest_is_still_judged(refused) -> None:  # type: ignore[no-untyped-def]
    content = "\n".join(
        [
            ",".join(COLUMNS),
            "1,province,ក,,",
            '02,province,"ក,,',
            "03,province,ខ,,",
            "0301,district,គ,,03",
            "0401,district,ឃ,,04",
        ]
    )
    broken = content.encode() + b"\n05,province,\xff\xfe,,\n0501,district,\xe1\x9e\x80,,05\n"
    assert refused(broken) == [
        (2, "wrong_length"),
        (3, "broken_quotes"),
        (6, "unknown_parent"),
        (7, "broken_utf8"),
    ]


@pytest.mark.parametrize(
    ("heading", "problems"),
    [
        (("code", "level", "name_km", "name_en"), ["missing_column"]),
        (("01", "province", "ក", "", ""), ["missing_column", "unknown_column", "duplicate_column"]),
        ((*COLUMNS, "type"), ["unknown_column"]),
        ((*COLUMNS, "code"), ["duplicate_column"]),
    ],
)
def test_a_file_without_the_right_heading_is_refused(refused, heading: Row, problems: list[str]) -> None:  # type: ignore[no-untyped-def]
    assert refused(GOOD, heading) == [(1, problem) for problem in problems]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00" * 100, b"code;level;name_km;name_en;parent"])
def test_what_is_no_gazetteer_at_all_is_refused(refused, content: bytes) -> None:  # type: ignore[no-untyped-def]
    assert refused(content)[0] == (1, "missing_column")


def test_a_file_without_rows_does_not_empty_the_gazetteer(refused) -> None:  # type: ignore[no-untyped-def]
    assert refused([]) == [(1, "no_rows")]


def test_a_file_beyond_all_measure_is_left_unread(database: DatabaseUrls, tmp_path: Path) -> None:
    path = written(tmp_path, [GOOD[0]] * (MOST_ROWS + 5))
    report = import_file(database, path)
    assert report.rows == MOST_ROWS
    assert report.bad == MOST_ROWS  # all but the first repeat its code, and one line says that the rest was not read


def test_a_thousand_bad_rows_are_all_counted_and_the_first_are_listed(database: DatabaseUrls, tmp_path: Path) -> None:
    report = import_file(database, written(tmp_path, [("1", "province", "ក", "", "")] * 1000))
    assert report.bad == 1000
    assert len(report.problems) == MOST_LISTED
    assert [problem.line for problem in report.problems] == sorted(problem.line for problem in report.problems)


def test_a_report_never_repeats_what_the_file_says(database: DatabaseUrls, tmp_path: Path) -> None:
    report = import_file(database, written(tmp_path, [("Sokha", "Sokha", "Sokha\x00", "Sokha", "Sokha")]))
    assert len(report.problems) >= 3
    assert "Sokha" not in " ".join(map(str, report.problems))


def test_progress_ends_with_the_number_of_rows(database: DatabaseUrls, tmp_path: Path) -> None:
    told: list[int] = []
    import_file(database, written(tmp_path, [("1", "province", "ក", "", "")] * 2500), told.append)
    assert told == [1000, 2000, 2500]


ADD_CASE = """
    insert into organisations (id, version, created_at, updated_at, name, name_km, kind, active, signatory,
                               staff_principal, supervisors_principal,
                               assistance_ceiling_khr_minor, assistance_ceiling_usd_minor, programme_communes)
    values (%(o)s, 1, now(), now(), 'x', 'x', 'ngo', true, false, gen_random_uuid(), gen_random_uuid(), 1, 1, '[]');
    insert into users (id, version, created_at, updated_at, username, display_name, role, organisation_id,
                       language, active, system, principal)
    values (%(u)s, 1, now(), now(), %(u)s, 'x', 'caseworker', %(o)s, 'km', true, false, gen_random_uuid());
    insert into people (id, version, created_at, updated_at, organisation_id, case_id, role, sex, created_by,
                        sealed)
    values (%(p)s, 1, now(), now(), %(o)s, %(c)s, 'client', 'unknown', %(u)s, '');
    insert into cases (id, version, created_at, updated_at, code, organisation_id, category, sensitivity,
                       status, priority, risk_level, commune_code, client_id, client_sex, client_age_band,
                       opened_at, team_version, created_by, sealed)
    values (%(c)s, 1, now(), now(), 'SR-TEST-CASE', %(o)s, 'id_poor', 'standard', 'intake', 'routine',
            'not_assessed', %(commune)s, %(p)s, 'unknown', 'unknown', now(), 1, %(u)s, '');
"""


# Where people live is sealed: a village may be anybody's, so none goes.
A_VILLAGE_AND_ABOVE = {"17", "1702", COMMUNE, VILLAGE}


def add_case(urls: DatabaseUrls, commune: str) -> None:
    """A case with its client, in a commune; where they live is sealed."""
    values = {name: str(uuid4()) for name in ("o", "u", "p", "c")}
    with psycopg.connect(urls.admin, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute(ADD_CASE, {**values, "commune": commune})


@pytest.mark.parametrize(
    ("commune", "kept"),
    [
        ("170301", {"1703", "170301"}),
        ("1703", {"1703"}),
        ("01", set()),
    ],
)
def test_a_code_that_a_case_uses_is_kept_with_all_above_it(
    fresh_database: DatabaseUrls,
    tmp_path: Path,
    commune: str,
    kept: set[str],
) -> None:
    import_file(fresh_database, written(tmp_path, [*KNOWN, *GOOD]))
    add_case(fresh_database, commune)
    with psycopg.connect(fresh_database.runtime) as connection:  # the trap: to this role it looks unused
        assert connection.execute("select count(*) from cases").fetchone() == (0,)
    report = import_file(fresh_database, written(tmp_path, GOOD))
    kept = kept | A_VILLAGE_AND_ABOVE
    assert set(report.kept_in_use) == kept
    assert report.removed == len(KNOWN) - len(kept)
    assert codes(fresh_database) == {row[0] for row in GOOD} | kept


def test_communes_of_users_are_kept(fresh_database: DatabaseUrls, tmp_path: Path) -> None:
    add_case(fresh_database, "17")
    with psycopg.connect(fresh_database.admin) as connection:
        connection.execute("update users set communes = array['170301']")
    report = import_file(fresh_database, written(tmp_path, GOOD))
    assert (report.removed, set(report.kept_in_use)) == (0, {row[0] for row in KNOWN})
    with psycopg.connect(fresh_database.admin) as connection:
        connection.execute("update users set communes = '{}'")
    assert import_file(fresh_database, written(tmp_path, GOOD)).removed == 2  # 170301 and 1703 above it


@pytest.mark.parametrize("blind", ["owner", "runtime", "worker"])
def test_a_role_that_cannot_see_every_case_may_not_import(
    fresh_database: DatabaseUrls, tmp_path: Path, blind: str
) -> None:
    add_case(fresh_database, COMMUNE)
    before = areas(fresh_database)
    blinded = replace(fresh_database, loader=getattr(fresh_database, blind))
    with pytest.raises(SchemaError, match="loader"):
        import_file(blinded, written(tmp_path, GOOD))
    assert areas(fresh_database) == before


def test_every_column_that_can_hold_a_code_is_asked_before_a_code_goes() -> None:
    held = set()
    for table in SQLModel.metadata.sorted_tables:
        for column in table.columns:
            points = any(key.target_fullname == "areas.code" for key in column.foreign_keys)
            if table.name != "areas" and (points or "commune" in column.name or "village" in column.name):
                held.add((table.name, column.name))
    asked = {(use.split()[-1], column) for use in USES for column in re.findall(r"\w*(?:commune|village)\w*", use)}
    asked.remove(("'village'", "village"))  # of the areas themselves: a village may be anybody's
    assert asked == held
