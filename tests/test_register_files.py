"""What a register may be as a file, and what is read from its cells: nothing is guessed in silence, nothing is run."""

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

import openpyxl
import pytest

from app.errors import Invalid, UnsupportedMediaType
from app.models.codes.files import ImportKind
from app.registers import Register, RowRead, read_register, read_rows
from app.registers.cells import day_of_cell
from tests.cast import COMMUNE, VILLAGE
from tests.imports import CASES, PEOPLE, cases, csv_file, people, xlsx_file

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
KIND = ImportKind.PEOPLE


def register(content: bytes, kind: ImportKind = KIND, mapping: Mapping[str, str | None] | None = None) -> Register:
    return read_register(io.BytesIO(content), kind, mapping)


def rows(content: bytes, kind: ImportKind = KIND, mapping: Mapping[str, str | None] | None = None) -> list[RowRead]:
    chunks = register(content, kind, mapping).chunks
    return [row for chunk in chunks for row in read_rows(json.loads(chunk.document), kind, NOW)]


def refused(
    content: bytes, kind: ImportKind = KIND, mapping: Mapping[str, str | None] | None = None
) -> tuple[str, str]:
    with pytest.raises(Invalid) as found:
        register(content, kind, mapping)
    return found.value.errors[0].pointer, found.value.errors[0].code


def body(row: RowRead) -> dict[str, Any]:
    assert row.body is not None, row.errors
    return row.body.model_dump(mode="json", exclude_defaults=True)


def errors(row: RowRead) -> list[tuple[str, str]]:
    assert row.body is None
    return [(error.pointer, error.code) for error in row.errors]


def of_birth(*cells: Any, mac: bool = False) -> list[RowRead]:
    return rows(xlsx_file(["alias", "birth_date"], [["A", cell] for cell in cells], mac=mac))


def of_birth_in_csv(*cells: str) -> list[RowRead]:
    return rows(csv_file(["alias", "birth_date"], [["A", cell] for cell in cells]))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_csv_comes_with_any_usual_delimiter_with_or_without_a_mark(delimiter: str, mark: bytes) -> None:
    (row,) = rows(mark + csv_file(["alias", "address"], [["Kolab", "House 3, behind; the market"]], delimiter))
    assert body(row) == {"alias": "Kolab", "address": "House 3, behind; the market"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_another_encoding_is_refused_and_not_guessed(encoding: str) -> None:
    assert refused("alias\nសុខ\n".encode(encoding)) == ("/file", "encoding")


def test_what_is_not_utf8_is_refused() -> None:
    assert refused(b"alias\n\xe9\xff\n") == ("/file", "encoding")


def test_broken_quotes_are_refused() -> None:
    assert refused(b'alias\n"a"b\n') == ("/file", "csv_broken")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"alias\n", b"alias\n , \n", b"alias\n\n\n"])
def test_a_file_without_rows_is_refused(content: bytes) -> None:
    assert refused(content)[1] in {"empty_file", "unknown_column"}


def test_blank_rows_are_passed_over_and_the_others_keep_their_number() -> None:
    found = rows(csv_file(["alias", "sex"], [["A", ""], ["", ""], ["B", ""]]))
    assert [(row.number, body(row)["alias"]) for row in found] == [(2, "A"), (4, "B")]


def test_a_formula_is_an_error_in_a_workbook_whatever_it_once_gave() -> None:
    found = rows(xlsx_file(["alias", "known_as"], [["A", "=1+1"], ["B", "=HYPERLINK(A1)"], ["formula", "fine"]]))
    assert [errors(row) for row in found[:2]] == [[("/known_as", "formula")]] * 2
    assert body(found[2])["alias"] == "formula", "a word is no formula"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "＋1", "－1", "＠SUM(A1)", "\u200b=1"])
def test_what_a_spreadsheet_would_run_is_refused_in_text(text: str) -> None:
    (row,) = rows(csv_file(["alias", "known_as"], [["A", f"{text}"]]))
    assert errors(row) == [("/known_as", "formula")]


@pytest.mark.parametrize("text", ["-3", "+3", "-៣", "−3", "－3", "- 3", "-3.5", "-0"])
def test_a_number_with_a_sign_is_a_wrong_number_and_no_formula(text: str) -> None:
    (row,) = rows(csv_file(["village_code", "size"], [["17020101", text]]), ImportKind.HOUSEHOLDS)
    assert errors(row) == [("/size", "invalid_number")]


@pytest.mark.parametrize("text", ["=3", "-3+1", "+A1", "--3", "-", "@3", "-3 cmd"])
def test_what_is_more_than_a_number_with_a_sign_is_still_a_formula(text: str) -> None:
    (row,) = rows(csv_file(["village_code", "size"], [["17020101", text]]), ImportKind.HOUSEHOLDS)
    assert errors(row) == [("/size", "formula")]


def test_a_telephone_number_may_begin_with_a_plus_and_with_nothing_else_of_the_kind() -> None:
    numbers = ["+855 12 345 678", "=85512345678", "-12", "＝85512345678"]
    found = rows(csv_file(["alias", "phone"], [["A", number] for number in numbers]))
    assert body(found[0])["phones"] == [{"number": "+85512345678"}]
    assert [errors(row) for row in found[1:]] == [[("/phone", "formula")]] * 3


@pytest.mark.parametrize("first", [True, False])
def test_a_second_sheet_with_rows_is_refused_and_not_passed_over(first: bool) -> None:
    book = openpyxl.load_workbook(io.BytesIO(xlsx_file(["alias"], [["A"]])))
    sheet = book.create_sheet("More", None if first else 0)
    for shown, cell, error in (("visible", None, None), ("hidden", "list", None), ("visible", "B", "several_sheets")):
        sheet.sheet_state, sheet["B7"] = shown, cell
        written = io.BytesIO()
        book.save(written)
        if error is not None:
            assert refused(written.getvalue()) == ("/file", error)
        elif first:
            assert [body(row)["alias"] for row in rows(written.getvalue())] == ["A"]


def test_merged_cells_are_refused_before_anything_is_read() -> None:
    content = xlsx_file(["alias", "sex"], [["A", "f"], ["B", "f"]], merged="A2:A3")
    assert refused(content) == ("/file", "merged_cells")


def test_khmer_digits_are_digits_in_numbers_dates_and_telephones() -> None:
    (person,) = rows(csv_file(["alias", "birth_date", "phone"], [["A", "០៣/០២/១៩៩០", "០១២ ៣៤៥ ៦៧៨"]]))
    assert body(person)["birth_date"] == "1990-02-03"
    assert body(person)["phones"] == [{"number": "+85512345678"}]
    (home,) = rows(csv_file(["village_code", "size"], [["១៧០២០១០១", "១២"]]), ImportKind.HOUSEHOLDS)
    assert body(home) == {"village_code": VILLAGE, "size": 12}


def test_a_date_is_read_day_first_and_says_how_exactly_it_is_known() -> None:
    found = [body(row) for row in of_birth_in_csv("1990-02-03", "3/2/1990", "03.02.1990", "02/1990", "1990-02", "1990")]
    assert [one["birth_date"] for one in found] == ["1990-02-03"] * 3 + ["1990-02-01"] * 2 + ["1990-01-01"]
    assert [one["birth_date_precision"] for one in found] == ["day"] * 3 + ["month"] * 2 + ["year"]


@pytest.mark.parametrize("cell", ["31/02/1990", "13/13/1990", "3/2/90", "soon", "0000-01-01", "1990-0-1", "9" * 5000])
def test_what_is_no_date_is_an_error(cell: str) -> None:
    (row,) = of_birth_in_csv(cell)
    assert errors(row)[0][0] == "/birth_date"


@pytest.mark.parametrize(
    ("cell", "mac", "expected"),
    [
        (33000, False, "1990-05-07"),
        (33000, True, "1994-05-08"),
        (33000.75, False, "1990-05-07"),
        (datetime(1990, 5, 7), False, "1990-05-07"),  # noqa: DTZ001 (a workbook knows no zone)
        (datetime(1990, 5, 7), True, "1990-05-07"),  # noqa: DTZ001 (as above)
        (date(1990, 5, 7), False, "1990-05-07"),
        (1990, False, "1990-01-01"),
        ("7/5/1990", False, "1990-05-07"),
    ],
)
def test_a_day_in_a_workbook_counts_from_the_day_of_the_workbook(cell: Any, mac: bool, expected: str) -> None:
    (row,) = of_birth(cell, mac=mac)
    assert body(row)["birth_date"] == expected


def test_days_before_the_leap_day_that_never_was_are_not_one_off() -> None:
    assert day_of_cell(1, 1900) == (date(1900, 1, 1), "day")
    assert day_of_cell(59, 1900) == (date(1900, 2, 28), "day")
    assert day_of_cell(61, 1900) == (date(1900, 3, 1), "day")


@pytest.mark.parametrize("cell", [time(3, 0), -1, 0, 3_000_000, 1e300, True])
def test_a_number_that_is_no_day_is_an_error(cell: Any) -> None:
    (row,) = of_birth(cell)
    assert errors(row)[0][0] == "/birth_date"


def test_a_number_as_a_date_is_refused_where_nothing_says_from_which_day_it_counts() -> None:
    (row,) = of_birth_in_csv("33000")
    assert errors(row) == [("/birth_date", "date_is_number")]


def test_a_day_in_the_future_is_refused() -> None:
    (row,) = of_birth_in_csv("2026-03-03")
    assert errors(row) == [("/birth_date", "in_the_future")]


def test_an_area_code_that_became_a_number_gets_its_zero_back() -> None:
    (row,) = rows(xlsx_file(["alias", "village_code"], [["A", 1020301]]))
    assert body(row)["village_code"] == "01020301"


def test_codes_are_taken_as_code_or_as_label_in_either_language() -> None:
    written = ["female", "Female", "ស្រី", "F"]
    found = rows(csv_file(["alias", "sex"], [["A", cell] for cell in written]))
    assert [body(row)["sex"] for row in found] == ["female"] * 4
    (row,) = rows(csv_file(["alias", "sex"], [["A", "x"]]))
    assert errors(row) == [("/sex", "unknown_code")]


def test_names_are_normalised_as_everywhere() -> None:
    (row,) = rows(csv_file(["alias"], [["\u200bKo\u0300lab\u00a0"]]))
    assert body(row)["alias"] == "K\u00f2lab"


def test_an_error_names_the_column_and_never_what_was_in_it() -> None:
    header = [*CASES, "phone", "consent_form", "consent_on"]
    row = [*cases(1)[0], "Kolab-secret", "verbal", "1/3/2027"]
    (found,) = rows(csv_file(header, [row]), ImportKind.CASES)
    assert errors(found) == [("/phone", "phone_invalid")]
    assert "Kolab" not in repr(found.errors)
    (found,) = rows(csv_file(header, [[*cases(1)[0], "", "verbal", "1/3/2027"]]), ImportKind.CASES)
    assert errors(found) == [("/consent_on", "in_the_future")]
    (found,) = rows(csv_file(header, [[*cases(1)[0], "", "verbal", ""]]), ImportKind.CASES)
    assert errors(found) == [("/consent_on", "required")]


def test_headers_are_known_by_field_or_by_their_usual_words() -> None:
    (row,) = rows(csv_file(["Family Name", "នាមខ្លួន", " SEX "], [["Sok", "ដារ៉ា", "f"]]))
    assert body(row) == {"family_name_en": "Sok", "given_name_km": "ដារ៉ា", "sex": "female"}


def test_an_unknown_column_is_refused_and_named_by_its_number() -> None:
    assert refused(csv_file(["alias", "Remarks"], [["A", "B"]])) == ("/file/columns/2", "unknown_column")
    assert refused(csv_file(["alias", ""], [["A", "B"]])) == ("/file/rows/2", "outside_columns")
    assert refused(csv_file(["", "alias"], [["A", "B"]])) == ("/file/columns/1", "unknown_column")


def test_two_columns_of_one_name_or_field_are_refused() -> None:
    assert refused(csv_file(["alias", "Alias"], [["A", "B"]]))[1] == "duplicate_column"
    assert refused(csv_file(["sex", "ភេទ"], [["f", "f"]]))[1] == "duplicate_column"


def test_a_mapping_names_every_column_and_may_leave_one_out() -> None:
    content = csv_file(["Who", "Remarks"], [["Kolab", "secret"]])
    (row,) = rows(content, mapping={"who": "alias", "REMARKS": None})
    assert body(row) == {"alias": "Kolab"}
    assert refused(content, mapping={"Who": "alias"}) == ("/file/columns/2", "unknown_column")
    assert refused(content, mapping={"Who": "alias", "Remarks": "whereabouts"}) == ("/mapping", "unknown_field")
    assert refused(content, mapping={"Who": "alias", "Remarks": None, "More": None}) == ("/mapping", "unknown_column")
    assert refused(content, mapping={"Who": "alias", "Remarks": "alias"})[1] == "duplicate_column"
    assert refused(content, mapping={"Who": None, "Remarks": None}) == ("/file", "column_missing")


def test_a_register_of_cases_needs_what_every_case_needs() -> None:
    assert refused(csv_file(["alias"], [["A"]]), ImportKind.CASES) == ("/category", "column_missing")


def test_more_than_fifty_thousand_rows_are_refused_and_as_many_are_not() -> None:
    line = "A\n"
    assert register(("alias\n" + line * 50_000).encode()).rows == 50_000
    assert refused(("alias\n" + line * 50_001).encode()) == ("/file", "too_many_rows")


def test_sixty_columns_are_the_most() -> None:
    many = [f"c{number}" for number in range(61)]
    assert refused(csv_file(many, [many])) == ("/file", "too_many_columns")
    assert refused(xlsx_file(many, [many])) == ("/file", "too_many_columns")


@pytest.mark.parametrize(
    ("category", "sensitivity", "expected"),
    [
        ("id_poor", "", False),
        ("domestic_violence", "", True),
        ("Domestic violence", "", True),
        ("អំពើហិង្សាក្នុងគ្រួសារ", "", True),
        ("id_poor", "sensitive", True),
        ("id_poor", "standard", False),
        ("=1", "", False),
    ],
)
def test_one_sensitive_row_makes_the_register_ask_for_a_lead(category: str, sensitivity: str, expected: bool) -> None:
    header = [*CASES, "sensitivity"]
    content = csv_file(
        header, [*([*row, ""] for row in cases(3)), [category, COMMUNE, "B", "C", "D", "", "", sensitivity]]
    )
    assert register(content, ImportKind.CASES).sensitive is expected


def part(content: bytes, name: str, replaced: bytes) -> bytes:
    """The workbook with one part replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.namelist():
            new.writestr(one, replaced if one == name else old.read(one))
    return file.getvalue()


SHEET = "xl/worksheets/sheet1.xml"
BOOK = xlsx_file(PEOPLE, people(1))


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    assert refused(part(BOOK, SHEET, b" " * 20_000_000)) == ("/file", "too_large_unpacked")


def test_many_parts_or_many_bytes_are_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for number in range(501):
            made.writestr(f"{number}.xml", b"")
    assert refused(file.getvalue()) == ("/file", "too_large_unpacked")


@pytest.mark.parametrize(
    "content",
    [
        b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">]><worksheet/>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><worksheet/>'.encode("utf-16"),
        b"<worksheet",
        b"",
        (
            b"<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData><row r='x'>"
            b"<c r='A1'><v>1</v></c></row></sheetData></worksheet>"
        ),
    ],
)
def test_entities_other_encodings_and_broken_parts_are_refused(content: bytes) -> None:
    assert refused(part(BOOK, SHEET, content))[1] in {"xlsx_broken", "empty_file"}


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + b"x" * 500, BOOK[:300], BOOK[:-10]])
def test_a_broken_archive_is_refused(content: bytes) -> None:
    assert refused(content) == ("/file", "xlsx_broken")


def test_an_archive_that_is_no_workbook_is_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("letter.txt", "Kolab")
    assert refused(file.getvalue()) == ("/file", "xlsx_broken")


def test_the_older_kind_of_workbook_is_of_no_type_that_is_taken() -> None:
    with pytest.raises(UnsupportedMediaType):
        register(b"\xd0\xcf\x11\xe0" + b"\0" * 100)


def test_an_empty_row_far_below_is_not_walked_to_for_ever() -> None:
    sheet = (
        b"<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData>"
        b"<row r='1'><c r='A1' t='inlineStr'><is><t>alias</t></is></c></row>"
        b"<row r='1048576'><c r='A1048576' t='inlineStr'><is><t>A</t></is></c></row></sheetData></worksheet>"
    )
    assert refused(part(BOOK, SHEET, sheet)) == ("/file", "too_many_rows")


def test_half_a_character_from_a_workbook_is_an_error_of_its_row() -> None:
    sheet = (
        b"<worksheet xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><sheetData>"
        b"<row r='1'><c r='A1' t='inlineStr'><is><t>alias</t></is></c></row>"
        b"<row r='2'><c r='A2' t='inlineStr'><is><t>_xD800_</t></is></c></row>"
        b"<row r='3'><c r='A3'><v>1" + b"0" * 400 + b"</v></c></row>"
        b"<row r='4'><c r='A4' t='e'><v>#REF!</v></c></row></sheetData></worksheet>"
    )
    found = rows(part(BOOK, SHEET, sheet))
    assert [row.number for row in found] == [2, 3, 4]
    assert errors(found[1]) == [("/alias", "text_too_long")]
    assert errors(found[2]) == [("/alias", "cell_error")]
