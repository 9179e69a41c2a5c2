"""The inventory of the walls, and what a connection reads that never said who is calling."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from app.database_urls import DatabaseUrls
from tests.cases import open_case
from tests.cast import Cast
from tests.inventory import RIGHTS, differences, walled

READABLE = sorted(table for table, rights in RIGHTS.items() if "SELECT" in rights)
VAULT = {"data_keys"}
SETTINGS = ("samaki.user_id", "samaki.organisation_id", "samaki.role", "samaki.principals", "samaki.now")


@pytest.fixture
def runtime_connection(database: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.runtime) as connection:
        yield connection


def test_the_catalogue_says_what_the_inventory_says(fresh_database: DatabaseUrls) -> None:
    with psycopg.connect(fresh_database.admin) as connection:
        assert differences(connection) == []


@pytest.mark.parametrize(
    "change",
    [
        "create table letters (id uuid primary key, case_id uuid)",
        "alter table notes no force row level security",
        "create policy too_much on notes for delete to samaki_runtime using (true)",
        "grant select on case_exclusions to samaki_worker",
        "grant update (lead_id) on cases to samaki_runtime",
        "alter function app_leads(uuid) reset search_path",
        "grant execute on function is_excluded(uuid, uuid) to public",
        "grant select on fitting_assignments to samaki_runtime",
        "alter table notes alter organisation_id drop not null",
        "alter table users add column last_case uuid references cases (id)",
    ],
)
def test_the_inventory_notices_a_change(fresh_database: DatabaseUrls, change: str) -> None:
    with psycopg.connect(fresh_database.admin) as connection:
        connection.execute(change.encode())
        assert differences(connection)


def _count(connection: psycopg.Connection[Any], table: str) -> int:
    place = sql.Identifier("vault", table) if table in VAULT else sql.Identifier(table)
    row = connection.execute(sql.SQL("select count(*) from {}").format(place)).fetchone()
    assert row is not None
    return int(row[0])


def _reads(connection: psycopg.Connection[Any]) -> dict[str, int]:
    return {table: _count(connection, table) for table in READABLE}


NOTHING = dict.fromkeys(READABLE, 0)


def _begin(connection: psycopg.Connection[Any], session_id: Any) -> None:
    connection.execute("select from begin_request(%s)", [session_id])


async def test_without_settings_the_api_s_role_reads_nothing(
    cast: Cast, runtime_connection: psycopg.Connection[Any], superuser: psycopg.Connection[Any]
) -> None:
    await open_case(cast)
    assert _count(superuser, "cases") > 0
    assert walled(superuser) - set(READABLE) == {
        *("case_exclusions", "break_glass_grants", "audit_events"),
        *("screening_matches", "screening_tokens", "user_tokens", "erasure_ledger"),
        "case_flow",
        *("export_cohorts", "export_members", "export_parties", "export_approvals"),
    }
    assert _reads(runtime_connection) == NOTHING


async def test_settings_end_with_their_transaction(cast: Cast, runtime_connection: psycopg.Connection[Any]) -> None:
    await open_case(cast)
    _begin(runtime_connection, cast.sessions["caseworker"])
    assert _count(runtime_connection, "cases") > 0
    runtime_connection.commit()
    # A setting that was once made is '' from now on, no longer absent: neither an error nor a right.
    assert _reads(runtime_connection) == NOTHING


async def test_settings_that_somebody_left_in_the_session_are_not_taken_over(
    cast: Cast, runtime_connection: psycopg.Connection[Any]
) -> None:
    await open_case(cast)
    _begin(runtime_connection, cast.sessions["partner"])
    own = _reads(runtime_connection)
    runtime_connection.commit()
    _leave_behind(runtime_connection, cast.sessions["caseworker"])
    _begin(runtime_connection, cast.sessions["partner"])
    assert _reads(runtime_connection) == own
    assert own["cases"] == 0


async def test_a_dead_session_reads_nothing_even_where_settings_were_left_behind(
    cast: Cast, runtime_connection: psycopg.Connection[Any]
) -> None:
    await open_case(cast)
    _leave_behind(runtime_connection, cast.sessions["caseworker"])
    _begin(runtime_connection, uuid4())
    assert _reads(runtime_connection) == NOTHING


def _leave_behind(connection: psycopg.Connection[Any], session_id: Any) -> None:
    """What `SET` without LOCAL in one transaction does to the next on the same connection."""
    _begin(connection, session_id)
    for name in SETTINGS:
        connection.execute("select set_config(%s, current_setting(%s, true), false)", [name, name])
    connection.commit()
    assert _count(connection, "cases") > 0, "without begin_request such settings would count"
    connection.commit()


async def test_the_api_s_role_writes_neither_access_nor_exclusions(
    cast: Cast, runtime_connection: psycopg.Connection[Any]
) -> None:
    _begin(runtime_connection, cast.sessions["supervisor"])
    for statement in (
        b"insert into case_access select * from case_access",
        b"update case_access set mode = 'write'",
        b"delete from case_access",
        b"truncate case_access",
        b"select from case_exclusions",
        b"delete from case_exclusions",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), runtime_connection.transaction():
            runtime_connection.execute(statement)


def test_reports_count_cases_but_read_no_code_and_no_client(database: DatabaseUrls) -> None:
    with psycopg.connect(database.reports) as connection:
        counted = connection.execute("select count(id) from cases").fetchone()
        assert counted is not None
        for column in ("code", "client_id", "lead_id", "sealed", "created_by"):
            query = sql.SQL("select {} from cases").format(sql.Identifier(column))
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(query)
