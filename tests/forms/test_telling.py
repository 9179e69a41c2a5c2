"""What one form hides no form tells: the number of a few people is nowhere in page, workbook or DHIS2 set."""

import json
from io import BytesIO
from zipfile import ZipFile

import pytest

from app.forms import dhis2, html, xlsx
from app.forms.telling import HIDDEN, told
from app.models.codes.people import Language
from app.models.report import ReportRead, SuppressedCell, Unit, Words
from tests.forms.reports import indicator, report, trend

# Numbers that cannot come about in any other way: no date, size, colour or coordinate looks like them.
FIGURE, TO_DATE, SLICE, OPEN = 70_707, 80_808, 90_909, 61_616
NAME = Words(en="Cases", km="ករណី")


def careless(**changes: object) -> ReportRead:
    """A report that lists cells as suppressed and yet carries them: as a mistake of the engine would."""
    return report(
        indicator(
            "cases_opened",
            NAME,
            Unit.CASES,
            FIGURE,
            year_to_date=TO_DATE,
            target=100,
            by={"sex": [SLICE, OPEN, None, 0]},
            **changes,
        ),
        trends=[trend("cases_opened", 51_515, None, FIGURE)],
    )


def everything(one: ReportRead) -> str:
    """All bytes of all forms as text."""
    book = ZipFile(BytesIO(xlsx(one)))
    parts = [book.read(name).decode() for name in book.namelist()]
    return "\n".join([*(html(one, language) for language in Language), *parts, json.dumps(dhis2(one))])


def printings(value: int) -> set[str]:
    return {str(value), f"{value:,}"}


def cell(by: str | None, code: str | None, *, to_date: bool = False) -> SuppressedCell:
    return SuppressedCell(by=by, code=code, year_to_date=to_date)


@pytest.mark.parametrize(
    ("hidden", "number"),
    [
        (cell(None, None), FIGURE),
        (cell(None, None, to_date=True), TO_DATE),
        (cell("sex", "female"), SLICE),
    ],
)
def test_a_number_that_is_listed_as_hidden_is_in_no_form_although_the_report_carries_it(
    hidden: SuppressedCell, number: int
) -> None:
    assert any(one in everything(careless(suppressed=[])) for one in printings(number))
    text = everything(careless(suppressed=[hidden]))
    assert not any(one in text for one in printings(number))
    assert any(one in text for one in printings(OPEN))


def test_a_hidden_figure_tells_neither_its_words_nor_its_share_of_the_target() -> None:
    told_share = html(careless(suppressed=[]), Language.EN)
    assert f"{FIGURE:,}\N{NO-BREAK SPACE}% reached" in told_share
    page = everything(careless(suppressed=[cell(None, None)], printed=Words(en="about 71000", km="ប្រហែល 71000")))
    assert "71000" not in page
    assert "% reached" not in page


def test_what_is_null_is_listed_and_what_is_listed_is_null() -> None:
    one = told(careless(suppressed=[cell("sex", "female"), cell("sex", "male", to_date=True)])).indicators[0]
    assert [each.value for each in one.disaggregations[0].cells] == [None, OPEN, None, 0]
    assert {(each.by, each.code, each.year_to_date) for each in one.suppressed} == {
        ("sex", "female", False),
        ("sex", "male", True),
        ("sex", "other", False),
    }
    assert len(one.suppressed) == 3


def test_a_report_without_hidden_cells_is_told_as_it_is() -> None:
    one = report(indicator("families_visited", NAME, Unit.HOUSEHOLDS, 187, by={"sex": [1, 2, 3, 0]}))
    assert told(one) == one
    assert HIDDEN.en not in html(one, Language.EN).split("<body>")[1].replace("aria-hidden", "")
