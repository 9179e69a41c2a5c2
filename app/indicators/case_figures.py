"""The figures of cases as the report tells them, and as it does not."""

import json
from collections.abc import Iterator

from app.disclosure import Name
from app.indicators.cases import DEFINITIONS, NAMES, SLICED_BY, CaseCount, Slice
from app.indicators.labels import labels_of
from app.indicators.printing import printed
from app.indicators.reading import Found
from app.indicators.telling import (
    BY_COMMUNE,
    Told,
    codes_of,
    hidden_at_submission,
    hidden_live,
    name_of,
    of_year,
    year_name,
)
from app.models.report import Disaggregation, IndicatorRead, SliceCell, SuppressedCell, Trend, Unit
from app.periods import Period


def case_indicators(found: Found) -> tuple[list[IndicatorRead], list[Trend]]:
    """Of a commune only those that a whole year tells."""
    hidden = _hidden(found)
    period, commune = found.scope.windows.period, found.scope.commune
    if commune is not None:
        yearly = BY_COMMUNE if period.quarter == 4 else ()
        return [_of_commune(found, count, commune, hidden) for count in yearly], []
    return [_indicator(found, count, hidden) for count in CaseCount], [
        _trend(found, count, hidden) for count in CaseCount
    ]


def told_before(found: Found) -> Told:
    """What submitted versions and anonymised exports say of cases."""
    values: dict[Name, int] = {}
    hidden: set[Name] = set()
    for version in found.submitted:
        if version.body is not None:
            first_month = found.scope.windows.period.first_month
            said = json.loads(version.body)
            for indicator in said["indicators"]:
                if indicator["code"] in set(CaseCount):
                    _take(_told(indicator, Period.parse(version.period, first_month)), values, hidden)
            for trend in said["trends"]:
                if trend["code"] in set(CaseCount):
                    _take(_told_again(Trend.model_validate(trend), first_month), values, hidden)
    values |= _released(found)
    return Told(values, frozenset(hidden - values.keys()))


def _released(found: Found) -> dict[Name, int]:
    """What anonymised exports tell, as it is today: who knows the number of a cohort nearly knows this one."""
    first_month = found.scope.windows.period.first_month
    told = {}
    for one in found.released:
        period = Period.parse(one.period, first_month)
        of = (one.attribute, "unknown" if one.value == "not_recorded" else one.value)
        told[name_of(CaseCount.OPENED, of, period)] = found.flow.of(CaseCount.OPENED, of, period)
    return told


def _take(told: dict[Name, int | None], values: dict[Name, int], hidden: set[Name]) -> None:
    values |= {name: value for name, value in told.items() if value is not None}
    hidden |= {name for name, value in told.items() if value is None}


def _told(indicator: dict[str, object], period: Period) -> dict[Name, int | None]:
    read = IndicatorRead.model_validate(indicator)
    count = CaseCount(read.code)
    found = {name_of(count, None, period): read.value, year_name(count, period): read.year_to_date}
    for slicing in read.disaggregations:
        found |= {name_of(count, (slicing.by, cell.code), period): cell.value for cell in slicing.cells}
    return found


def _told_again(trend: Trend, first_month: int) -> dict[Name, int | None]:
    quarters = [Period.parse(text, first_month) for text in trend.periods]
    values = zip(quarters, trend.values, strict=True)
    return {name_of(CaseCount(trend.code), None, one): value for one, value in values}


def _hidden(found: Found) -> frozenset[Name]:
    told = told_before(found)
    if found.unseen is None:
        return hidden_live(found.flow, found.told_of, told)
    return hidden_at_submission(found.flow, found.unseen, found.told_of, told)


def _indicator(found: Found, count: CaseCount, hidden: frozenset[Name]) -> IndicatorRead:
    period = found.scope.windows.period
    name, year = name_of(count, None, period), year_name(count, period)
    value = None if name in hidden else found.flow.of(count, None, period)
    slices = [_slices(found, count, by, hidden) for by in SLICED_BY]
    not_told: list[tuple[str | None, str | None, bool]] = [(None, None, False)] if name in hidden else []
    not_told += [(None, None, True)] if year in hidden else []
    not_told += [(one.by, cell.code, False) for one in slices for cell in one.cells if cell.value is None]
    return IndicatorRead(
        code=count,
        name=NAMES[count],
        definition=DEFINITIONS[count],
        unit=Unit.CASES,
        value=value,
        printed=printed(value),
        target=found.targets.get(count),
        year_to_date=None if year in hidden else of_year(found.flow, count, None, period),
        disaggregations=slices,
        suppressed=[SuppressedCell(by=by, code=code, year_to_date=year) for by, code, year in not_told],
        trace=f"/reports/quarterly/{period}/records/{count}",
        late_entries=None,
    )


def _slices(found: Found, count: CaseCount, by: str, hidden: frozenset[Name]) -> Disaggregation:
    return Disaggregation(by=by, cells=list(_cells(found, count, by, hidden)))


def _cells(found: Found, count: CaseCount, by: str, hidden: frozenset[Name]) -> Iterator[SliceCell]:
    period, occurring = found.scope.windows.period, codes_of(found.flow, by)
    for code, label in labels_of(by, occurring, found.places).items():
        of: Slice = (by, code)
        value = None if name_of(count, of, period) in hidden else found.flow.of(count, of, period)
        if code in occurring:
            yield SliceCell(code=code, label=label, value=value)


def _of_commune(found: Found, count: CaseCount, commune: str, hidden: frozenset[Name]) -> IndicatorRead:
    period = found.scope.windows.period
    year = year_name(count, period, commune)
    told = None if year in hidden else of_year(found.flow, count, ("commune", commune), period)
    return IndicatorRead(
        code=count,
        name=NAMES[count],
        definition=DEFINITIONS[count],
        unit=Unit.CASES,
        value=None,
        printed=printed(None),
        target=None,
        year_to_date=told,
        disaggregations=[],
        suppressed=[
            SuppressedCell(by=None, code=None, year_to_date=False),
            *([SuppressedCell(by=None, code=None, year_to_date=True)] if told is None else []),
        ],
        trace=f"/reports/quarterly/{period}/records/{count}?commune_code={commune}",
        late_entries=None,
    )


def _trend(found: Found, count: CaseCount, hidden: frozenset[Name]) -> Trend:
    quarters = [*found.scope.windows.earlier, found.scope.windows.period]
    return Trend(
        code=count,
        periods=[str(one) for one in quarters],
        values=[None if name_of(count, None, one) in hidden else found.flow.of(count, None, one) for one in quarters],
    )
