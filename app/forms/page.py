"""The report as one page that fetches nothing: for a telephone, a screen and A4 paper, in Khmer or English."""

from collections.abc import Mapping, Set
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from app.forms.charts import Chart, bars, columns
from app.forms.speaking import Speech
from app.forms.telling import any_hidden, empty_quarters, told
from app.forms.words import BY, GROUPS, HEADLINES, OPEN_AT_START, PAGE, UNITS
from app.models.codes.people import Language
from app.models.report import Disaggregation, IndicatorRead, ReportRead, Trend, Words

NO_ROOM = "–"  # over a column, for words that stand in the table and the description of the chart
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_ROOM = Path(__file__).parent
# An isolate that somebody left open inside a <bdi> reaches beyond it; neither language needs any of these.
_UNSEEN = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127, 0x200E, 0x200F, *range(0x202A, 0x202F)])
_UNSEEN |= dict.fromkeys(range(0x2066, 0x206A))


def _seen(value: object) -> object:
    return value.translate(_UNSEEN) if isinstance(value, str) else value


_TEMPLATES = Environment(
    loader=FileSystemLoader(_ROOM),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_seen,
    trim_blocks=True,
    lstrip_blocks=True,
)
_STYLE = Markup((_ROOM / "page.css").read_text(encoding="utf-8"))  # noqa: S704 - a file of ours


def html(report: ReportRead, language: Language) -> str:
    """The whole page as text; everything that comes from records is escaped and set apart from its surroundings."""
    report, speech = told(report), Speech(language)
    return _TEMPLATES.get_template("page.html.jinja").render(
        policy=PAGE_POLICY,
        style=_STYLE,
        language=speech.tag,
        words={name: speech.say(words) for name, words in PAGE.items()},
        say=speech.say,
        number=speech.number,
        percent=lambda one: _percent(one, speech),
        unit=lambda one: speech.say(UNITS[one.unit]),
        next_id=count(1).__next__,
        anchors={one.code: at for at, one in enumerate(report.indicators, start=1)},
        report=report,
        quarter=speech.quarter(report.period),
        months=speech.months(report.starts_on, report.ends_on),
        state=_state(report, speech),
        as_of=speech.fill("as_of", as_of=speech.moment(report.as_of), made=speech.moment(report.generated_at)),
        headlines=_headlines(report),
        groups=_groups(report),
        charts={one.code: _charts(one, report, speech) for one in report.indicators},
        any_hidden=any_hidden(report),
        open_at_start=OPEN_AT_START,
    )


def _state(report: ReportRead, speech: Speech) -> str:
    return speech.say(PAGE["live"]) if report.version is None else speech.fill("version", n=report.version)


def _headlines(report: ReportRead) -> list[IndicatorRead]:
    by_code = {one.code: one for one in report.indicators if one.value is not None}
    return [by_code[code] for code in HEADLINES if code in by_code]


def _groups(report: ReportRead) -> list[tuple[Words, Words, list[IndicatorRead]]]:
    groups = [
        (title, introduction, [one for one in report.indicators if one.unit in units])
        for title, introduction, units in GROUPS
    ]
    return [group for group in groups if group[2]]


def _percent(one: IndicatorRead, speech: Speech) -> Mapping[str, Any] | None:
    """How much of the target is reached, rounded down: 99.9 % is not all of it. Null where it would tell or is void."""
    if one.value is None or not one.target:
        return None
    reached = one.value * 100 // one.target
    return {"text": speech.fill("percent", n=f"{reached:,}"), "bar": min(max(reached, 0), 100)}


def _charts(one: IndicatorRead, report: ReportRead, speech: Speech) -> list[Chart]:
    empty = empty_quarters(report, one.unit)
    own = [trend for trend in report.trends if trend.code == one.code and trend.periods]
    trends = [_columns(one, trend, empty, speech) for trend in own]
    return trends + [_bars(one, part, speech) for part in one.disaggregations if part.cells]


def _columns(one: IndicatorRead, trend: Trend, empty: Set[str], speech: Speech) -> Chart:
    cells = [
        (period, speech.say(PAGE["nothing_recorded"]) if period in empty else speech.number(value), value)
        for period, value in zip(trend.periods, trend.values, strict=True)
    ]
    chart = columns(*_titles(one, speech.say(PAGE["trend"]), cells, speech), cells)
    marks = [replace(mark, value=NO_ROOM) if mark.label in empty else mark for mark in chart.marks]
    return replace(chart, marks=marks)


def _bars(one: IndicatorRead, part: Disaggregation, speech: Speech) -> Chart:
    cells = [(speech.say(cell.label), speech.number(cell.value), cell.value) for cell in part.cells]
    by = speech.say(BY[part.by]) if part.by in BY else part.by
    return bars(*_titles(one, by, cells, speech), cells)


def _titles(
    one: IndicatorRead, by: str, cells: list[tuple[str, str, int | None]], speech: Speech
) -> tuple[str, str, str]:
    summary = " ".join(speech.fill("cell", label=label, value=printed) for label, printed, _ in cells)
    return by, speech.fill("chart_of", name=speech.say(one.name), by=by), summary
