"""Load data: the access that COPY leaves is what the triggers would derive, and nothing dangles."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from app.case_code import is_case_code
from app.database_urls import DatabaseUrls
from app.demo import load_accounts, load_cases
from app.settings import Settings, SetupError
from tests.database import Server

CASES = 300
ACCESS = "select case_access::text from case_access order by principal, case_id"

FOREIGN_KEYS = """
    select conrelid::regclass::text, confrelid::regclass::text,
           array(select attname::text from unnest(conkey) with ordinality k (number, place)
                   join pg_attribute on attrelid = conrelid and attnum = number order by place),
           array(select attname::text from unnest(confkey) with ordinality k (number, place)
                   join pg_attribute on attrelid = confrelid and attnum = number order by place)
      from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace
"""


KEY = base64.b64encode(bytes(range(32))).decode()


def load(urls: DatabaseUrls, keys_dir: Path, cases: int, seed: int) -> list[int]:
    """Load, and give the reports of progress."""
    reports: list[int] = []
    load_cases(urls, with_keys(urls, keys_dir), cases, seed, reports.append)
    return reports


def with_keys(urls: DatabaseUrls, keys_dir: Path) -> Settings:
    """Settings with a key of the tests' own, from the environment and not from a file."""
    return Settings(database_url=SecretStr(urls.runtime), key_encryption_keys=SecretStr(KEY), keys_dir=keys_dir)


def rows(urls: DatabaseUrls, query: LiteralString | sql.Composed, *values: Any) -> list[Any]:
    """What really is in the tables."""
    with psycopg.connect(urls.admin) as connection:
        return connection.execute(query, values).fetchall()


@pytest.fixture(scope="module")
def loaded(keys_dir: Path, server: Server, template: str) -> Iterator[DatabaseUrls]:
    with server.clone(template) as urls:
        assert load(urls, keys_dir, CASES, 1)[-1] == CASES
        yield urls


def test_the_access_that_was_loaded_is_the_access_that_a_refresh_derives(loaded: DatabaseUrls) -> None:
    with psycopg.connect(loaded.admin) as connection:
        before = connection.execute(ACCESS).fetchall()
        leads = connection.execute("select id, lead_id from cases order by 1").fetchall()
        connection.execute("select refresh_case_access(id) from cases")
        assert connection.execute(ACCESS).fetchall() == before
        assert connection.execute("select id, lead_id from cases order by 1").fetchall() == leads
        # The same comparison sees a row that should not be there.
        connection.execute("delete from assignments where role = 'lead' and case_id = %s", [leads[0][0]])
        connection.execute("select refresh_case_access(%s)", [leads[0][0]])
        assert connection.execute(ACCESS).fetchall() != before
        connection.rollback()


def test_there_are_about_three_ways_to_a_case_and_three_in_ten_cases_are_sensitive(
    loaded: DatabaseUrls,
) -> None:
    [(ways,)] = rows(loaded, "select count(*) from case_access")
    assert 2.7 < ways / CASES < 3.3
    [(sensitive,)] = rows(loaded, "select count(*) from cases where sensitivity = 'sensitive'")
    assert 0.2 < sensitive / CASES < 0.4
    via = {row[0] for row in rows(loaded, "select distinct via from case_access")}
    assert via == {"lead", "assigned", "liaison", "reviewer", "organisation"}


def test_every_case_has_its_client_lead_consent_and_opening(loaded: DatabaseUrls) -> None:
    for query in (
        "select case_id from people p join cases c on (p.case_id, p.id) = (c.id, c.client_id)",
        "select case_id from assignments join cases c on (case_id, user_id, role) = (c.id, lead_id, 'lead')",
        "select case_id from consents where purpose = 'services'",
        "select case_id from events join cases c on (case_id, at, type) = (c.id, opened_at, 'case.opened')",
    ):
        assert sorted(rows(loaded, query)) == sorted(rows(loaded, "select id from cases"))
    assert all(is_case_code(code) for (code,) in rows(loaded, "select code from cases"))


def test_no_foreign_key_dangles(loaded: DatabaseUrls) -> None:
    with psycopg.connect(loaded.admin) as connection:
        keys = connection.execute(FOREIGN_KEYS).fetchall()
        assert len(keys) > 20
        for table, other, columns, targets in keys:
            names = [(sql.Identifier(one), sql.Identifier(two)) for one, two in zip(columns, targets, strict=True)]
            same = sql.SQL(" and ").join(sql.SQL("o.{} = t.{}").format(two, one) for one, two in names)
            given = sql.SQL(" and ").join(sql.SQL("t.{} is not null").format(one) for one, _ in names)
            query = sql.SQL("select count(*) from {} t where {} and not exists (select from {} o where {})")
            dangling = query.format(sql.Identifier(table), given, sql.Identifier(other), same)
            assert connection.execute(dangling).fetchone() == (0,), table


def test_the_bench_caseworker_sees_exactly_one_case_in_twenty(loaded: DatabaseUrls) -> None:
    caseworker = load_accounts()[0]
    assert caseworker.username == "bench_caseworker"
    assert rows(loaded, "select id from users where username = 'bench_caseworker'") == [(caseworker.id,)]
    own_session, now = uuid4(), datetime.now(UTC)
    with psycopg.connect(loaded.loader) as connection:
        connection.execute(
            "insert into sessions (id, user_id, created_at, expires_at) values (%s, %s, %s, %s)",
            [own_session, caseworker.id, now, now + timedelta(hours=1)],
        )
    with psycopg.connect(loaded.runtime) as connection:
        connection.execute("select begin_request(%s)", [own_session])
        assert connection.execute("select count(*) from cases").fetchone() == (CASES // 20,)


def test_another_seed_adds_cases_and_the_same_seed_is_refused(keys_dir: Path, loaded: DatabaseUrls) -> None:
    before = rows(loaded, "select count(*) from cases")[0][0]
    load(loaded, keys_dir, 100, 2)
    assert rows(loaded, "select count(*), count(distinct code), count(distinct client_id) from cases") == [
        (before + 100, before + 100, before + 100)
    ]
    with pytest.raises(SetupError, match="seed 2 has been loaded before"):
        load(loaded, keys_dir, 50, 2)
    assert rows(loaded, "select count(*) from cases") == [(before + 100,)]


def test_the_same_seed_gives_the_same_cases_in_another_database(
    keys_dir: Path, loaded: DatabaseUrls, fresh_database: DatabaseUrls
) -> None:
    load(fresh_database, keys_dir, CASES, 1)
    for table in ("cases", "people", "assignments", "consents", "events", "case_access"):
        everything = sql.SQL("select (to_jsonb(t) - 'opened_xid' - 'xid' - 'sealed')::text from {} t").format(
            sql.Identifier(table)
        )
        theirs = {str(row) for row in rows(loaded, everything)}
        assert {str(row) for row in rows(fresh_database, everything)} <= theirs
    assert rows(fresh_database, "select count(*) from cases") == [(CASES,)]


def test_a_load_that_is_cut_off_leaves_no_case_and_can_be_repeated(
    keys_dir: Path, fresh_database: DatabaseUrls
) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    settings = with_keys(fresh_database, keys_dir)
    with pytest.raises(KeyboardInterrupt):
        load_cases(fresh_database, settings, 50, 7, interrupt)
    assert rows(fresh_database, "select count(*) from cases") == [(0,)]
    assert load(fresh_database, keys_dir, 50, 7) == [50]


def test_without_the_short_cut_past_foreign_keys_the_same_cases_are_loaded(
    keys_dir: Path, loaded: DatabaseUrls, fresh_database: DatabaseUrls
) -> None:
    with psycopg.connect(fresh_database.admin, autocommit=True) as superuser:
        superuser.execute("revoke set on parameter session_replication_role from samaki_loader")
        try:
            load(fresh_database, keys_dir, CASES, 1)
        finally:
            superuser.execute("grant set on parameter session_replication_role to samaki_loader")
    theirs = set(rows(loaded, "select case_access::text from case_access"))
    assert set(rows(fresh_database, "select case_access::text from case_access")) <= theirs
    assert rows(fresh_database, "select count(*) from cases") == [(CASES,)]


@pytest.mark.parametrize(("cases", "seed"), [(10, -1), (10, 2970), (10_000_001, 1)])
def test_a_load_that_would_run_out_of_codes_is_refused(
    keys_dir: Path, fresh_database: DatabaseUrls, cases: int, seed: int
) -> None:
    with pytest.raises(SetupError, match="at most"):
        load(fresh_database, keys_dir, cases, seed)


def test_every_open_case_has_its_date_and_the_full_day_is_as_full_as_the_bench_says(loaded: DatabaseUrls) -> None:
    dated = "select case_id, due_at, assignee_id from follow_ups where happened_at is null and ended_at is null"
    open_cases = "select id, next_due_at, lead_id from cases where status <> 'closed' and next_due_at is not null"
    assert sorted(rows(loaded, dated)) == sorted(rows(loaded, open_cases))
    assert rows(
        loaded, "select count(*) from cases where (status = 'closed') is distinct from (next_due_at is null)"
    ) == [(0,)]
    of_day = (
        "select count(*), count(*) filter (where status = 'closed') from cases c join organisations o"
        " on o.id = c.organisation_id where o.name = 'day'"
    )
    [(cases,)] = rows(loaded, "select count(*) from cases")
    assert rows(loaded, of_day) == [(cases // 20, 0)]
    assert rows(loaded, "select count(*) from incidents") != [(0,)]


def test_loaded_cases_come_and_go_as_those_that_were_opened_by_hand(loaded: DatabaseUrls) -> None:
    steps = "select case_id, kind, enters, at, category, commune_code from case_flow order by 1, 3 desc"
    came = "select id, 'opened', true, opened_at, category, commune_code from cases"
    went = "select id, 'closed', false, closed_at, category, commune_code from cases where status = 'closed'"
    expected = [*rows(loaded, came), *rows(loaded, went)]
    assert sorted(map(str, rows(loaded, steps))) == sorted(map(str, expected))
