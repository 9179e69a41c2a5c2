"""One submitted report, put there by hand: for the matrix and the walls."""

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from app.models.report import Geography, ReportRead, Words

AT = datetime(2024, 10, 20, 3, tzinfo=UTC)
NOTHING = hashlib.sha256(b"").hexdigest()


def put_report(run: Callable[..., Any], organisation: UUID, by: UUID, period: str = "2024Q3") -> None:
    """The only version of the only report; nothing was counted in it."""
    name = Words(en="Another", km="មួយទៀត")
    report = ReportRead(
        period=period,
        starts_on=date(2024, 7, 1),
        ends_on=date(2024, 9, 30),
        geography=Geography(organisation_id=organisation, organisation=name, commune_code=None, commune=None),
        generated_at=AT,
        as_of=AT,
        version=1,
        provisional=False,
        indicators=[],
        trends=[],
        caveats=[],
    )
    body = report.model_dump_json()
    run("delete from report_versions")
    run(
        "insert into report_versions (id, organisation_id, period, number, starts_on, ends_on, as_of, submitted_at,"
        " submitted_by, body, sha256, records) values (%s, %s, %s, 1, %s, %s, %s, %s, %s, %s, %s, %s)",
        *(uuid4(), organisation, period, report.starts_on, report.ends_on, AT, AT, by, body),
        hashlib.sha256(body.encode()).hexdigest(),
        Jsonb({"families_visited": {"count": 0, "sha256": NOTHING}}),
    )
