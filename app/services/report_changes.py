"""What one version of a report says otherwise than another: figure by figure, and in the words of the later one."""

from collections.abc import Iterator

from app.calendar import day_of
from app.models.report import Caveat, IndicatorRead, ReportRead, Words
from app.models.report_version import FigureChange, ReportVersion

CORRECTS = "corrects"
# What differs between any two versions, whatever was counted.
_OWN = {"generated_at", "as_of", "version"}

Figures = dict[tuple[str, str | None, str | None, bool], int | None]


def report_in(version: ReportVersion) -> ReportRead:
    """The report as it was frozen."""
    return ReportRead.model_validate_json(version.body)


def changes_between(earlier: ReportRead, later: ReportRead) -> list[FigureChange]:
    """Every figure, slice and year to date that is not as it was."""
    before, after = _figures(earlier), _figures(later)
    return [
        FigureChange(
            indicator=key[0], by=key[1], code=key[2], year_to_date=key[3], before=before.get(key), after=after.get(key)
        )
        for key in dict.fromkeys((*after, *before))
        if before.get(key) != after.get(key)
    ]


def says_the_same(one: ReportRead, other: ReportRead) -> bool:
    """Would a reader of both find nothing different but the moment at which they were made?"""
    return _content(one) == _content(other)


def correcting(report: ReportRead, standing: ReportRead) -> ReportRead:
    """The report, which says of itself which version it corrects, since when that stood, and in how many figures."""
    changed = len(changes_between(standing, report))
    day = day_of(standing.as_of).isoformat()
    said = Caveat(
        code=CORRECTS,
        text=Words(
            en=f"This version corrects version {standing.version}, which stood since {day}: {_figures_en(changed)}.",
            km=f"កំណែនេះកែតម្រូវកំណែទី {standing.version} ដែលមានសុពលភាពតាំងពី {day}៖ {_figures_km(changed)}។",
        ),
    )
    return report.model_copy(update={"caveats": [said, *report.caveats]})


def _figures_en(changed: int) -> str:
    return {0: "every figure is as it was", 1: "one figure differs"}.get(changed, f"{changed:,} figures differ")


def _figures_km(changed: int) -> str:
    return f"តួលេខ {changed:,} ខុសពីមុន" if changed else "តួលេខទាំងអស់នៅដដែល"


def _content(report: ReportRead) -> dict[str, object]:
    caveats = [one for one in report.caveats if one.code != CORRECTS]
    return report.model_copy(update={"caveats": caveats}).model_dump(exclude=_OWN)


def _figures(report: ReportRead) -> Figures:
    return {key: value for indicator in report.indicators for key, value in _of_indicator(indicator)}


def _of_indicator(one: IndicatorRead) -> Iterator[tuple[tuple[str, str | None, str | None, bool], int | None]]:
    yield (one.code, None, None, False), one.value
    yield (one.code, None, None, True), one.year_to_date
    for slicing in one.disaggregations:
        for cell in slicing.cells:
            yield (one.code, slicing.by, cell.code, False), cell.value
