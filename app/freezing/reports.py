"""What submitted reports tell of the cases of a quarter, in the words of the exports' audit."""

from collections.abc import Iterable, Iterator
from typing import Any

from app.indicators.cases import CaseCount
from app.models.codes.files import ExportAttribute
from app.models.report import ReportRead

# How the report calls what an export has a table of. Its other slicings are base columns, which an attacker is taken to
# know of everybody anyhow; and its other counts mix the cases of several quarters.
TABLES = {"category": ExportAttribute.CATEGORY.value, "disability": ExportAttribute.DISABILITY.value}
NAMES = {"unknown": "not_recorded"}

Told = dict[str, Any]


def figures_of(reports: Iterable[str]) -> list[Told]:
    """The told counts of cases opened in the quarter, each once, in order: attribute and value."""
    found = {one for body in reports for one in _of_report(ReportRead.model_validate_json(body))}
    return [{"attribute": attribute, "value": value} for attribute, value in sorted(found)]


def _of_report(report: ReportRead) -> Iterator[tuple[str, str]]:
    for indicator in report.indicators:
        if indicator.code == CaseCount.OPENED:
            for slicing in indicator.disaggregations:
                if slicing.by in TABLES:
                    told = [cell.code for cell in slicing.cells if cell.value is not None]
                    yield from ((TABLES[slicing.by], NAMES.get(code, code)) for code in told)
