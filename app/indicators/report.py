"""The report as it is read, from what was counted."""

from typing import Any

from app.indicators.case_figures import case_indicators
from app.indicators.caveats import caveats_of
from app.indicators.counting import Tally
from app.indicators.definition import Indicator
from app.indicators.labels import slices_of
from app.indicators.printing import printed
from app.indicators.programme import PROGRAMME
from app.indicators.reading import Found
from app.models.report import Geography, IndicatorRead, ReportRead, Trend, Words


def report_of(found: Found, version: int | None = None) -> ReportRead:
    """The report; `version` is the number under which it is submitted."""
    scope, period = found.scope, found.scope.windows.period
    chosen = {one.code: chosen_tally(found, one) for one in PROGRAMME}
    cases, trends = case_indicators(found)
    quarters = [*scope.windows.earlier, period]
    return ReportRead(
        period=str(period),
        starts_on=period.starts_on,
        ends_on=period.ends_on,
        geography=Geography(
            organisation_id=scope.organisation_id,
            organisation=found.organisation,
            commune_code=scope.commune,
            commune=_place(found, scope.commune),
        ),
        generated_at=scope.now,
        as_of=scope.now,
        version=version,
        provisional=not period.is_over(scope.now),
        indicators=[*(_indicator(found, one, chosen[one.code]) for one in PROGRAMME), *cases],
        trends=[
            *(
                Trend(code=code, periods=[str(one) for one in quarters], values=[tally.value(one) for one in quarters])
                for code, tally in chosen.items()
            ),
            *trends,
        ],
        caveats=caveats_of(found, chosen),
    )


def chosen_tally(found: Found, indicator: Indicator) -> Tally:
    """People where anybody is named in the quarter, else attendances, which say so: never both in one figure."""
    named = found.tallies[indicator.code]
    other = found.instead.get(indicator.code)
    period = found.scope.windows.period
    return other if other is not None and not named.value(period) and other.value(period) else named


def trace_of(found: Found, code: str) -> str:
    """Where the records behind a figure are listed, below the base."""
    commune = found.scope.commune
    path = f"/reports/quarterly/{found.scope.windows.period}/records/{code}"
    return path if commune is None else f"{path}?commune_code={commune}"


def _indicator(found: Found, own: Indicator, tally: Tally) -> IndicatorRead:
    told, period = tally.indicator, found.scope.windows.period
    value = tally.value(period)
    return IndicatorRead(
        code=own.code,
        name=told.name,
        definition=told.definition,
        unit=told.unit,
        value=value,
        printed=printed(value, told.told_in),
        target=found.targets.get(own.code),
        year_to_date=tally.year_to_date,
        disaggregations=slices_of(told.by, tally.slices, found.places),
        suppressed=[],
        trace=trace_of(found, own.code),
        late_entries=tally.late,
    )


def _place(found: Found, code: str | None) -> Words | None:
    return found.places.get(code) if code else None


def records_of(found: Found) -> dict[str, Any]:
    """By indicator the ids of the records behind its figure."""
    return {one.code: chosen_tally(found, one).records for one in PROGRAMME}
