"""What of a report is told: every form starts here, so that none of them can print what another one hides."""

from app.models.report import Disaggregation, IndicatorRead, ReportRead, SuppressedCell, Trend, Unit, Words

HIDDEN = Words(en="hidden", km="លាក់")
_Place = tuple[str | None, str | None, bool]  # by, code, year_to_date


def told(report: ReportRead) -> ReportRead:
    """The same report in which null and `suppressed` say the same: what is in one of them is in the other.

    A figure that is hidden is `HIDDEN` in `printed` and null in the last quarter of its trend.
    """
    indicators = [_indicator(one) for one in report.indicators]
    hidden = {one.code for one in indicators if one.value is None}
    trends = [_trend(one, report.period) if one.code in hidden else one for one in report.trends]
    return report.model_copy(update={"indicators": indicators, "trends": trends})


def any_hidden(report: ReportRead) -> bool:
    """Whether a reader will meet the mark, in a figure or in a trend."""
    return any(one.suppressed for one in report.indicators) or any(None in one.values for one in report.trends)


def empty_quarters(report: ReportRead, unit: Unit) -> set[str]:
    """Earlier quarters in which nothing at all was recorded, of cases or of the programme: whoever wrote nothing down
    did not do nothing."""
    of_cases = {one.code for one in report.indicators if one.unit is Unit.CASES}
    values: dict[str, set[int | None]] = {}
    for trend in report.trends:
        if (trend.code in of_cases) is (unit is Unit.CASES):
            for period, value in zip(trend.periods, trend.values, strict=True):
                values.setdefault(period, set()).add(value)
    return {period for period, found in values.items() if found == {0} and period != report.period}


def _indicator(one: IndicatorRead) -> IndicatorRead:
    hidden = _hidden(one)
    figure = (None, None, False) in hidden
    to_date = (None, None, True) in hidden
    return one.model_copy(
        update={
            "value": None if figure else one.value,
            "printed": HIDDEN if figure else one.printed,
            "year_to_date": None if to_date else one.year_to_date,
            "disaggregations": [_slices(part, hidden) for part in one.disaggregations],
            "suppressed": [SuppressedCell(by=by, code=code, year_to_date=ytd) for by, code, ytd in hidden],
        }
    )


def _hidden(one: IndicatorRead) -> list[_Place]:
    """Every place that is listed or null, once, as listed first."""
    listed: list[_Place] = [(cell.by, cell.code, cell.year_to_date) for cell in one.suppressed]
    null: list[_Place] = [(None, None, False)] if one.value is None else []
    null += [(None, None, True)] if one.year_to_date is None else []
    null += [(part.by, cell.code, False) for part in one.disaggregations for cell in part.cells if cell.value is None]
    return list(dict.fromkeys(listed + null))


def _slices(part: Disaggregation, hidden: list[_Place]) -> Disaggregation:
    cells = [
        cell.model_copy(update={"value": None}) if (part.by, cell.code, False) in hidden else cell
        for cell in part.cells
    ]
    return part.model_copy(update={"cells": cells})


def _trend(trend: Trend, period: str) -> Trend:
    values = [None if at == period else value for at, value in zip(trend.periods, trend.values, strict=True)]
    return trend.model_copy(update={"values": values})
