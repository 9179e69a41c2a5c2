"""`samaki report 2024Q3`: the quarter of a whole organisation, in one of its forms, to standard output."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from app.cli.place import DataDir, configured, database
from app.errors import Invalid
from app.forms import dhis2, html, xlsx
from app.indicators.counting import Windows
from app.indicators.reading import Scope
from app.indicators.report import report_of
from app.models.codes.people import Language
from app.models.report import ReportRead
from app.models.report_query import ReportFormat
from app.organisation_totals import OrganisationTotals
from app.periods import Period, begun
from app.settings import Settings, SetupError


def report(
    period: Annotated[str, typer.Argument(help="the quarter: 2024Q3")],
    form: Annotated[ReportFormat, typer.Option("--format", help="the form")] = ReportFormat.JSON,
    organisation: Annotated[UUID | None, typer.Option(help="whose; unset: the one that has records")] = None,
    language: Annotated[Language, typer.Option(help="of the page")] = Language.KM,
    data_dir: DataDir = None,
) -> None:
    """Count a quarter of a whole organisation and write it to standard output; nothing is submitted."""
    chosen, now = configured(data_dir), datetime.now(UTC)
    try:
        quarter = begun(Period.asked(period, chosen.year_start_month), now)
    except Invalid as error:
        raise SetupError(f"{error.errors[0].message} Quarters are written 2024Q3.") from None
    with database(chosen) as urls:
        counted = asyncio.run(_count(urls.into(chosen), quarter, organisation, now))
    sys.stdout.buffer.write(_written(counted, form, language))


async def _count(chosen: Settings, period: Period, wanted: UUID | None, now: datetime) -> ReportRead:
    totals = OrganisationTotals(chosen)
    try:
        own = _the_one(await totals.organisations(period, wanted))
        counted = await totals.count(Scope(own, Windows.until(period), now, seen=False))
    finally:
        await totals.close()
    return report_of(counted.found)


def _the_one(found: list[Any]) -> UUID:
    meant = found if len(found) == 1 else [one for one in found if one.signatory]
    if len(meant) == 1:
        own: UUID = meant[0].id
        return own
    if not found:
        raise SetupError("no organisation has records of that quarter")
    names = "; ".join(f"{one.id} {one.name}" for one in found)
    raise SetupError(f"several organisations have records; name one with --organisation: {names}")


def _written(counted: ReportRead, form: ReportFormat, language: Language) -> bytes:
    match form:
        case ReportFormat.HTML:
            return html(counted, language).encode()
        case ReportFormat.XLSX:
            return xlsx(counted)
        case ReportFormat.DHIS2:
            return (json.dumps(dhis2(counted), ensure_ascii=False, indent=1) + "\n").encode()
        case _:
            return (counted.model_dump_json(indent=1) + "\n").encode()
