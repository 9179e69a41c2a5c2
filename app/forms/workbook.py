"""The report as a workbook in both languages: figures, slices, and what the words mean. Same report, same bytes."""

from collections.abc import Iterator, Sequence
from datetime import UTC
from io import BytesIO

import xlsxwriter

from app.forms.telling import HIDDEN, empty_quarters, told
from app.forms.words import BY, PAGE, UNITS
from app.models.report import ReportRead, Unit

# A cell is text or a number; whatever came out of a record is text, also "=1+1" and addresses.
_Row = Sequence[str | int | None]
_AS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
_HIDDEN = f"{HIDDEN.en} / {HIDDEN.km}"
_NOTHING = f"{PAGE['nothing_recorded'].en} / {PAGE['nothing_recorded'].km}"


def xlsx(report: ReportRead) -> bytes:
    """The workbook; a hidden figure is a word in its cell, so that no sum takes it for nothing."""
    report, file = told(report), BytesIO()
    book = xlsxwriter.Workbook(file, _AS_TEXT)
    book.set_properties({"title": f"Samaki {report.period}", "created": report.generated_at.astimezone(UTC)})
    _sheet(book, "Figures តួលេខ", _FIGURES, _figures(report))
    _sheet(book, "Slices ផ្នែក", _SLICES, _slices(report))
    _sheet(book, "Notes កំណត់សម្គាល់", _NOTES, _notes(report))
    book.close()
    return file.getvalue()


_FIGURES = (
    ("code", 30),
    ("name_en", 44),
    ("name_km", 44),
    ("unit_en", 18),
    ("unit_km", 18),
    ("value", 12),
    ("printed_en", 14),
    ("printed_km", 14),
    ("target", 12),
    ("year_to_date", 14),
    ("trace", 60),
)
_SLICES = (
    ("code", 30),
    ("name_en", 40),
    ("name_km", 40),
    ("by", 14),
    ("slice", 20),
    ("slice_en", 26),
    ("slice_km", 26),
    ("value", 12),
)
_NOTES = (("about", 34), ("en", 90), ("km", 90))


def _figures(report: ReportRead) -> Iterator[_Row]:
    for one in report.indicators:
        unit = UNITS[one.unit]
        figures = (_shown(one.value), one.printed.en, one.printed.km, one.target, _shown(one.year_to_date))
        yield (one.code, one.name.en, one.name.km, unit.en, unit.km, *figures, one.trace)


def _slices(report: ReportRead) -> Iterator[_Row]:
    for one in report.indicators:
        for part in one.disaggregations:
            for cell in part.cells:
                label = cell.label
                yield one.code, one.name.en, one.name.km, part.by, cell.code, label.en, label.km, _shown(cell.value)
    known = {one.code: one for one in report.indicators}
    empty = {unit: empty_quarters(report, unit) for unit in Unit}
    for trend in report.trends:
        one = known[trend.code]
        for period, value in zip(trend.periods, trend.values, strict=True):
            shown = _NOTHING if period in empty[one.unit] else _shown(value)
            yield one.code, one.name.en, one.name.km, "period", period, period, period, shown


def _notes(report: ReportRead) -> Iterator[_Row]:
    where = report.geography
    state = PAGE["live"] if report.version is None else None
    yield "organisation", where.organisation.en, where.organisation.km
    if where.commune is not None:
        yield f"commune {where.commune_code}", where.commune.en, where.commune.km
    yield "period", *[f"{report.period} ({report.starts_on} – {report.ends_on})"] * 2
    yield "version", *([state.en, state.km] if state else [str(report.version)] * 2)
    if report.provisional:
        yield "provisional", PAGE["provisional"].en, PAGE["provisional"].km
    yield "as_of", *[report.as_of.astimezone(UTC).isoformat(timespec="seconds")] * 2
    for name in ("hidden_why", "hidden_more", "hidden_not_zero"):
        yield "hidden", PAGE[name].en, PAGE[name].km
    for caveat in report.caveats:
        yield caveat.code, caveat.text.en, caveat.text.km
    for one in report.indicators:
        yield one.code, one.definition.en, one.definition.km
    for by, words in BY.items():
        yield by, words.en, words.km


def _shown(value: int | None) -> str | int:
    return _HIDDEN if value is None else value


def _sheet(book: xlsxwriter.Workbook, name: str, columns: Sequence[tuple[str, int]], rows: Iterator[_Row]) -> None:
    sheet = book.add_worksheet(name)
    head = book.add_format({"bold": True, "bottom": 2, "font_color": "#0B5D5E"})
    text = book.add_format({"text_wrap": True, "valign": "top"})
    number = book.add_format({"num_format": "#,##0", "valign": "top"})
    for at, (title, width) in enumerate(columns):
        sheet.set_column(at, at, width)
        sheet.write_string(0, at, title, head)
    for line, row in enumerate(rows, start=1):
        for at, value in enumerate(row):
            if isinstance(value, int):
                sheet.write_number(line, at, value, number)
            elif value is not None:
                sheet.write_string(line, at, value, text)
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
