"""`python -m benchmarks.report`: the quarter of an organisation with 100,000 attendances beside a million loaded cases,
in seconds and megabytes of a process of its own, as `samaki report` counts it.

What is measured is added to the load once: nine of ten cases agree to statistics, and one organisation names so many
people at activities of the last whole quarter.
"""

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import LiteralString
from uuid import UUID

import psycopg

from app.calendar import day_of
from app.database_urls import DatabaseUrls
from app.periods import Period
from benchmarks.stage import counted, stage

SECONDS, MEGABYTES = 5, 300
ACTIVITIES = 1_000
ORGANISATION: LiteralString = "select organisation_id from cases group by 1 order by count(*) desc limit 1"
SOMEBODY: LiteralString = "select id from users where organisation_id = %(organisation)s limit 1"
CONSENTS: LiteralString = """
    insert into consents (id, version, created_at, updated_at, case_id, organisation_id, purpose, shared_fields,
                          given_by, form, obtained_on, created_by)
    select gen_random_uuid(), 1, c.opened_at, c.opened_at, c.id, c.organisation_id, 'statistics', '[]',
           'client', 'verbal', c.opened_at::date, c.created_by
      from cases c where get_byte(uuid_send(c.id), 15) < 230
"""
PEOPLE: LiteralString = """
    insert into people (id, version, created_at, updated_at, organisation_id, sex, created_by, sealed)
    select md5('report' || n)::uuid, 1, now(), now(), %(organisation)s, 'female', %(by)s, ''
      from generate_series(1, %(people)s) n
"""
# Every twentieth is in the register twice, and linked.
LINKS: LiteralString = """
    insert into person_links (id, person_id, other_id, created_at, created_by)
    select gen_random_uuid(), md5('report' || n)::uuid, md5('report' || (n + 1))::uuid, now(), %(by)s
      from generate_series(1, %(people)s - 1, 20) n
"""
EVENTS: LiteralString = """
    insert into activities (id, version, created_at, updated_at, organisation_id, kind, starts_on, ends_on,
                            commune_code, topics, facilitators, people, groups, recorded_at, created_by)
    select md5('activity' || n)::uuid, 1, now(), now(), %(organisation)s,
           (array['health_training', 'business_training', 'public_forum', 'self_empowerment_workshop'])[n %% 4 + 1],
           %(first)s::date + n %% 90, %(first)s::date + n %% 90, '17020' || (n %% 6 + 1), '[]', '[]', 0, '{}', now(),
           %(by)s
      from generate_series(1, %(activities)s) n
"""
ATTENDANCES: LiteralString = """
    insert into activity_participants (activity_id, person_id, organisation_id, sex, age_band)
    select md5('activity' || (n %% %(activities)s + 1))::uuid,
           md5('report' || ((n / %(activities)s + n * 7) %% %(people)s + 1))::uuid, %(organisation)s, 'female', '18-29'
      from generate_series(0, %(attendances)s - 1) n
    on conflict do nothing
"""
HEADS: LiteralString = """
    insert into activity_attendance (id, activity_id, organisation_id, sex, age_band, people)
    select gen_random_uuid(), p.activity_id, p.organisation_id, p.sex, p.age_band, count(*)::int
      from activity_participants p where p.organisation_id = %(organisation)s
     group by 2, 3, 4, 5
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--attendances", type=int, default=100_000)
    parser.add_argument("--data-dir", type=Path, default=Path("/var/tmp/samaki-bench"))
    options = parser.parse_args()
    with stage(options.data_dir / str(options.cases), options.cases) as on:
        period = Period.of(day_of(datetime.now(UTC))).previous()
        organisation = _furnish(on.urls, period, options.attendances)
        print(f"cases {counted(on.urls, 'cases'):,}, attendances {counted(on.urls, 'activity_participants'):,}")
        runs = [_measured(on.urls, organisation, period) for _ in range(3)]
    sys.exit(0 if all(runs) else 1)


def _furnish(urls: DatabaseUrls, period: Period, attendances: int) -> UUID:
    with psycopg.connect(urls.admin) as connection:
        [organisation] = connection.execute(ORGANISATION).fetchone() or [None]
        [somebody] = connection.execute(SOMEBODY, {"organisation": organisation}).fetchone() or [None]
        known = connection.execute("select exists (select from activity_participants)").fetchone()
        if known == (False,):
            values = {
                "organisation": organisation,
                "by": somebody,
                "first": period.starts_on,
                "activities": ACTIVITIES,
                "people": attendances // 4,
                "attendances": attendances,
            }
            connection.execute("set session_replication_role = replica")
            for statement in (CONSENTS, PEOPLE, LINKS, EVENTS, ATTENDANCES, HEADS):
                connection.execute(statement, values)
    with psycopg.connect(urls.admin, autocommit=True) as connection:
        connection.execute("vacuum (analyze)")
    assert isinstance(organisation, UUID)
    return organisation


def _measured(urls: DatabaseUrls, organisation: UUID, period: Period) -> bool:
    command = [sys.executable, "-m", "benchmarks.report_counting", urls.reports, str(organisation), str(period)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    seconds = found["counting"] + found["hiding"]
    within = seconds < SECONDS and found["megabytes"] < MEGABYTES
    print(
        f"{'held  ' if within else 'MISSED'} {period}: {seconds:.2f} s (bar {SECONDS}),"
        f" {found['hiding']:.2f} s of them to find what is not told, at most"
        f" {found['megabytes']:.0f} MB (bar {MEGABYTES}); women and girls {found['women']:,}, cases {found['opened']}"
    )
    return within


if __name__ == "__main__":
    main()
