"""A report in one of its forms, as an answer."""

from starlette.responses import JSONResponse, Response

from app.forms import PAGE_POLICY, dhis2, html, xlsx
from app.models.codes.people import Language
from app.models.report import ReportRead
from app.models.report_query import ReportFormat

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def in_form(report: ReportRead, form: ReportFormat, language: Language) -> ReportRead | Response:
    """The report itself for JSON; else the page, the workbook, or the set for DHIS2. 422 where DHIS2 has no such
    quarters."""
    match form:
        case ReportFormat.HTML:
            policy = {"Content-Security-Policy": f"{PAGE_POLICY}; frame-ancestors 'none'"}
            return Response(html(report, language), headers=policy, media_type="text/html")
        case ReportFormat.XLSX:
            named = {"Content-Disposition": f'attachment; filename="samaki-{report.period}.xlsx"'}
            return Response(xlsx(report), headers=named, media_type=XLSX)
        case ReportFormat.DHIS2:
            return JSONResponse(dhis2(report))
        case _:
            return report
