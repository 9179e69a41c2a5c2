"""What releases and reports tell of each other's cases, at the functions of the database that say so."""

from typing import Any
from uuid import uuid4

import psycopg

from app.database_urls import DatabaseUrls
from app.services.report_versions import LOCK
from tests.cast import Cast
from tests.released import AT, COHORT, EXPORT, PUT_COHORT, PUT_EXPORT, SHA256
from tests.submitted import put_report
from tests.test_export_cohorts import undone
from tests.test_export_walls import a_release

Superuser = psycopg.Connection[Any]
TELLS = "update exports set told = %s::jsonb where id = %s"
ID_POOR, DISABLED = ("category", "id_poor"), ("disability", "yes")


def told(attribute: str, value: str) -> str:
    return f'[{{"attribute": "{attribute}", "value": "{value}"}}]'


def another(superuser: Superuser, cast: Cast, period: str, organisation: str, state: str = "released") -> Any:
    """A cohort with rows of this organisation alone, and its release."""
    cohort, own_id = uuid4(), uuid4()
    superuser.execute(PUT_COHORT, [cohort, period, AT, None])
    party = "insert into export_parties (cohort_id, organisation_id) values (%s, %s)"
    superuser.execute(party, [cohort, cast.organisations[organisation]])
    superuser.execute(PUT_EXPORT, [own_id, "a", period, cohort, state, SHA256, cast.id("auditor"), AT, AT])
    return own_id


async def test_reports_reckon_with_what_releases_of_their_own_cases_tell_and_with_no_others(
    cast: Cast, superuser: Superuser, database: DatabaseUrls
) -> None:
    with a_release(cast, superuser):
        superuser.execute(TELLS, [told(*ID_POOR), EXPORT])
        superuser.execute(TELLS, [told(*DISABLED), another(superuser, cast, "2024Q2", "other_ngo")])
        wanted = {"ngo": [("2024Q3", *ID_POOR)], "other_ngo": [("2024Q2", *DISABLED)], "council": []}
        with psycopg.connect(database.reports, autocommit=True) as reports:
            for organisation, rows in wanted.items():
                asked = [cast.organisations[organisation]]
                assert reports.execute("select * from told_by_releases(%s)", asked).fetchall() == rows
            superuser.execute("update exports set state = 'withdrawn' where id = %s", [EXPORT])
            stays = reports.execute("select * from told_by_releases(%s)", [cast.organisations["ngo"]]).fetchall()
            assert stays == wanted["ngo"], "what a withdrawn one has told stays known"
        own = {"supervisor": wanted["ngo"], "other_supervisor": wanted["other_ngo"], "caseworker": [], "auditor": []}
        for who, rows in own.items():
            with psycopg.connect(database.runtime) as connection:
                connection.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
                assert connection.execute("select * from told_by_own_releases()").fetchall() == rows, who


async def test_a_release_is_audited_with_the_reports_of_its_quarter_and_its_organisations(
    cast: Cast, superuser: Superuser, database: DatabaseUrls
) -> None:
    copy = (
        "insert into report_versions (id, organisation_id, period, number, starts_on, ends_on, as_of, submitted_at,"
        " submitted_by, body, sha256, records) select gen_random_uuid(), %s, %s, 1, starts_on, ends_on, as_of,"
        " submitted_at, submitted_by, %s, sha256, records from report_versions where body <> 'other' limit 1"
    )
    own, other = cast.organisations["ngo"], cast.organisations["other_ngo"]

    def run(statement: str, *values: Any) -> None:
        superuser.execute(statement.encode(), values)

    with undone(superuser):
        run(PUT_COHORT, COHORT, "2024Q3", AT, None)
        run("insert into export_parties (cohort_id, organisation_id) values (%s, %s)", COHORT, own)
        another(superuser, cast, "2024Q2", "ngo")
        another(superuser, cast, "2024Q1", "other_ngo")
        put_report(run, own, cast.users["supervisor"].id)
        for organisation, period in ((own, "2024Q2"), (own, "2024Q1"), (other, "2024Q3"), (other, "2024Q1")):
            run(copy, organisation, period, "other")
        [(body,)] = superuser.execute("select body from told_of_cohort(%s)", [COHORT]).fetchall()
        assert body != "other"


async def test_no_report_is_submitted_while_a_release_with_its_cases_is_stored(
    cast: Cast, superuser: Superuser, database: DatabaseUrls
) -> None:
    tried = LOCK.replace("pg_advisory", "pg_try_advisory")
    with a_release(cast, superuser):
        another(superuser, cast, "2024Q2", "other_ngo")
        with psycopg.connect(database.worker) as worker, psycopg.connect(database.runtime) as runtime:
            worker.execute("select hold_reports_of_cohort(%s)", [COHORT])
            for organisation, free in (("ngo", False), ("other_ngo", True)):
                asked = {"organisation": cast.organisations[organisation]}
                assert runtime.execute(tried.encode(), asked).fetchone() == (free,), organisation
            worker.commit()
            runtime.commit()
            assert runtime.execute(tried.encode(), {"organisation": cast.organisations["ngo"]}).fetchone() == (True,)
