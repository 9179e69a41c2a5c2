"""The report as DHIS2 imports it: one `dataValueSet` for POST /api/dataValueSets, described in dhis2.schema.json.

Every name is a code (`idScheme`). A figure is the data element of its code; its slices are a data element of their
own (`<code>_by_sex`; category option combination `sex_female`, as its codes are unique among all), since DHIS2 adds up
what stands under one element and below one organisation unit, and would count everybody twice; `<code>_year_to_date` is
distinct over the year and no sum of quarters. All stand at the organisation (its id is its code) or, in a report of
one commune, there.

`dataValues` comes after everything that says how to read it, and `suppressed` after `dataValues`: importers up to 2.42
read the head until the first list and the values until that list ends, later ones by name. None of them reads
`suppressed`, so the answer may be sent on as it is.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from app.errors import Invalid
from app.forms.telling import told
from app.models.report import IndicatorRead, ReportRead

_SCHEMES = ("idScheme", "dataSetIdScheme", "dataElementIdScheme", "orgUnitIdScheme", "categoryOptionComboIdScheme")
DATA_SET = "samaki_quarterly"


def dhis2(report: ReportRead) -> dict[str, Any]:
    """The set; hidden figures are absent from its values and named in `suppressed`. 422 where the organisation's
    quarters are none of DHIS2's."""
    report = told(report)
    unit = report.geography.commune_code or str(report.geography.organisation_id)
    where = {"period": quarter_of(report.starts_on), "orgUnit": unit}
    return {
        **dict.fromkeys(_SCHEMES, "code"),
        "dataSet": DATA_SET,
        **where,
        "dataValues": [
            {**place, **where, "value": str(value)}
            for one in report.indicators
            for place, value in _values(one)
            if value is not None
        ],
        "suppressed": [
            {**_place(one.code, cell.by, cell.code, to_date=cell.year_to_date), **where}
            for one in report.indicators
            for cell in one.suppressed
        ],
    }


def quarter_of(starts_on: date) -> str:
    """The calendar quarter that begins there, which is what DHIS2 calls one: where the year begins in July, our
    2024Q1 is DHIS2's 2024Q3."""
    if starts_on.month % 3 != 1:
        raise Invalid.at("/query/format", "no_dhis2_quarter", "DHIS2 has no quarter that begins in this month.")
    return f"{starts_on.year}Q{starts_on.month // 3 + 1}"


def _values(one: IndicatorRead) -> Iterator[tuple[dict[str, str], int | None]]:
    yield _place(one.code, None, None, to_date=False), one.value
    yield _place(one.code, None, None, to_date=True), one.year_to_date
    for part in one.disaggregations:
        for cell in part.cells:
            yield _place(one.code, part.by, cell.code, to_date=False), cell.value


def _place(indicator: str, by: str | None, code: str | None, *, to_date: bool) -> dict[str, str]:
    element = indicator + (f"_by_{by}" if by else "") + ("_year_to_date" if to_date else "")
    return {"dataElement": element} | ({"categoryOptionCombo": f"{by}_{code}"} if by else {})
