"""The workbook: three sheets in both languages, the same bytes for the same report, and no text that acts."""

import re
from io import BytesIO
from typing import Any
from zipfile import ZipFile

from openpyxl import load_workbook

from app.forms import xlsx
from app.models.report import ReportRead, Unit, Words
from tests.forms.reports import HOSTILE, hostile, indicator, quarter, report, trend

Rows = list[dict[str, Any]]


def sheets(one: ReportRead) -> tuple[Rows, Rows, Rows]:
    book = load_workbook(BytesIO(xlsx(one)))
    read: list[Rows] = []
    for sheet in book.worksheets:
        head, *rows = sheet.iter_rows(values_only=True)
        read.append([dict(zip(map(str, head), row, strict=True)) for row in rows])
    figures, slices, notes = read
    return figures, slices, notes


def test_every_figure_stands_with_its_names_and_its_numbers_as_numbers() -> None:
    figures, _, _ = sheets(quarter())
    assert [row["code"] for row in figures] == [one.code for one in quarter().indicators]
    first = figures[0]
    assert (first["value"], first["target"], first["year_to_date"]) == (1072, 1300, 2215)
    assert (first["unit_en"], first["unit_km"]) == ("people", "នាក់")
    assert first["name_km"] == quarter().indicators[0].name.km
    assert (figures[4]["value"], figures[4]["printed_en"]) == (1243, "over 1,200")
    assert figures[1]["target"] == 2000
    assert figures[5]["target"] is None


def test_every_slice_and_every_earlier_quarter_has_its_row() -> None:
    _, slices, _ = sheets(quarter())
    cells = {(row["code"], row["by"], row["slice"]): row["value"] for row in slices}
    assert cells["women_girls_empowered", "commune", "170201"] == 204
    assert cells["families_visited", "period", "2024Q2"] == 164
    assert cells["families_visited", "period", "2024Q1"] == 0
    expected = sum(len(part.cells) for one in quarter().indicators for part in one.disaggregations)
    assert len(slices) == len(cells) == expected + sum(len(one.periods) for one in quarter().trends)


def test_a_hidden_number_is_a_word_and_not_an_empty_cell() -> None:
    figures, slices, notes = sheets(quarter())
    assert {figures[-1][name] for name in ("value", "year_to_date")} == {"hidden / លាក់"}
    hidden = [row["slice"] for row in slices if row["value"] == "hidden / លាក់" and row["by"] == "category"]
    assert hidden == ["land_dispute", "disaster_relief"]
    assert any(row["about"] == "hidden" for row in notes)


def test_an_earlier_quarter_in_which_nothing_was_recorded_is_no_zero() -> None:
    families = indicator("x", Words(en="Families", km="គ្រួសារ"), Unit.HOUSEHOLDS, 12)
    meetings = indicator("y", Words(en="Meetings", km="ប្រជុំ"), Unit.ACTIVITIES, 0)
    _, slices, _ = sheets(report(families, meetings, trends=[trend("x", 0, 4, 12), trend("y", 0, 0, 0)]))
    nothing = "nothing recorded / គ្មានកំណត់ត្រា"
    assert [row["value"] for row in slices if row["by"] == "period"] == [nothing, 4, 12, nothing, 0, 0]


def test_definitions_caveats_and_version_are_told_in_both_languages() -> None:
    _, _, notes = sheets(quarter())
    about = {str(row["about"]): row for row in notes}
    assert about["late_entries"]["en"] == quarter().caveats[1].text.en
    assert about["women_girls_empowered"]["km"] == quarter().indicators[0].definition.km
    assert about["version"]["en"] == "1"
    assert about["organisation"]["km"] == "ស្ត្រីសាមគ្គី"


def test_nothing_that_somebody_typed_is_a_formula_or_a_link() -> None:
    book = ZipFile(BytesIO(xlsx(hostile())))
    parts = {name: book.read(name).decode() for name in book.namelist()}
    assert not [name for name, text in parts.items() if "<f>" in text or "<hyperlink" in text or "TargetMode" in text]
    figures, _, _ = sheets(hostile())
    names = [row["name_en"] for row in figures]
    for kind in ("formula", "call", "link", "turned", "script"):
        assert HOSTILE[kind] in names


def test_a_text_longer_than_a_cell_is_cut_and_not_dropped() -> None:
    place = report().geography
    long = place.organisation.model_copy(update={"en": "x" * 40_000})
    _, _, notes = sheets(report(geography=place.model_copy(update={"organisation": long})))
    assert notes[0]["en"] == "x" * 32_767


def test_the_same_report_is_the_same_bytes() -> None:
    assert xlsx(quarter()) == xlsx(quarter())
    assert xlsx(quarter()) != xlsx(report())
    about = ZipFile(BytesIO(xlsx(quarter()))).read("docProps/core.xml").decode()
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", about)) == {"2024-10-15T09:30:00Z"}
