"""What the database itself holds about imports: who gets the work, for how long, and that what is over is gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from tests.cast import Cast

AT = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
ADD: LiteralString = """
    insert into imports (id, organisation_id, kind, state, digest, rows_total, rows_done, errors, duplicates, unchanged,
                         written, session_id, created_at, created_by, run, lease_until)
    values (%(id)s, %(organisation)s, 'people', %(state)s, '', 1, 0, 0, 0, 0, 0, %(session)s, %(at)s, %(by)s, %(run)s,
            %(lease)s)
"""
ADD_CHUNK: LiteralString = """
    insert into import_chunks (id, import_id, organisation_id, number, rows, first_row, last_row, errors, duplicates,
                               unchanged, sealed)
    select gen_random_uuid(), id, organisation_id, 0, 1, 2, 2, 0, 0, 0, '' from imports where id = %s
"""
ADD_KEY: LiteralString = """
    insert into vault.data_keys (home, organisation_id, kek_id, wrapped)
    select id, organisation_id, 'x', '' from imports where id = %s
"""


class Desk:
    """A transaction that sees everything and leaves nothing behind, in which there are only its own imports."""

    def __init__(self, connection: psycopg.Connection[Any], cast: Cast) -> None:
        self.connection, self.cast = connection, cast
        connection.execute("delete from imports")
        self.at(AT)

    def at(self, moment: datetime) -> None:
        self.connection.execute("select set_config('samaki.now', %s, true)", [moment.isoformat()])

    def add(self, state: str, *, who: str = "supervisor", lease: float | None = None, **ago: float) -> UUID:
        """An import; `lease`: seconds that it still is somebody's, negative when they are over."""
        own_id = uuid4()
        values = {
            "id": own_id,
            "organisation": self.cast.users[who].organisation_id,
            "state": state,
            "session": self.cast.sessions[who],
            "by": self.cast.id(who),
            "at": AT - timedelta(**ago),
            "run": None if lease is None else uuid4(),
            "lease": None if lease is None else AT + timedelta(seconds=lease),
        }
        self.connection.execute(ADD, values)
        self.connection.execute(ADD_CHUNK, [own_id])
        self.connection.execute(ADD_KEY, [own_id])
        return own_id

    def claim(self, run: UUID | None = None) -> Any:
        """What is handed out: id, session, user, whether to write; None for nothing."""
        return self.connection.execute("select * from claim_import(%s)", [run or uuid4()]).fetchone()

    def state(self, import_id: UUID) -> Any:
        return self.one("select state from imports where id = %s", import_id)

    def is_kept(self, import_id: UUID) -> bool:
        """Are rows and key there? Never one without the other."""
        chunks = self.one("select count(*) from import_chunks where import_id = %s", import_id)
        keys = self.one("select count(*) from vault.data_keys where home = %s", import_id)
        assert chunks == keys
        return bool(chunks)

    def one(self, query: LiteralString, *values: Any) -> Any:
        row = self.connection.execute(query, values).fetchone()
        assert row is not None
        return row[0]


@contextmanager
def desk(database: DatabaseUrls, cast: Cast) -> Iterator[Desk]:
    with psycopg.connect(database.admin) as connection:
        try:
            yield Desk(connection, cast)
        finally:
            connection.rollback()


async def test_what_waits_longest_is_handed_out_once(database: DatabaseUrls, cast: Cast) -> None:
    with desk(database, cast) as on:
        second, first = on.add("queued", minutes=1), on.add("queued", minutes=2)
        run = uuid4()
        expected = (first, cast.sessions["supervisor"], cast.users["supervisor"].id, False)
        assert on.claim(run) == expected
        assert (on.state(first), on.one("select run from imports where id = %s", first)) == ("checking", run)
        assert on.claim()[0] == second
        assert on.claim() is None


@pytest.mark.parametrize("state", ["checked", "committed", "failed", "expired"])
async def test_where_there_is_nothing_to_do_nothing_is_handed_out(
    database: DatabaseUrls, cast: Cast, state: str
) -> None:
    with desk(database, cast) as on:
        on.add(state)
        assert on.claim() is None
        queued = on.add("queued")
        assert on.claim()[0] == queued


@pytest.mark.parametrize("state", ["checking", "committing"])
async def test_what_somebody_left_lying_is_handed_out_again_when_the_lease_is_over(
    database: DatabaseUrls, cast: Cast, state: str
) -> None:
    with desk(database, cast) as on:
        held = on.add(state, lease=1)
        assert on.claim() is None
        on.at(AT + timedelta(seconds=1))
        assert on.claim() == (held, cast.sessions["supervisor"], cast.users["supervisor"].id, state == "committing")
        on.at(AT + timedelta(seconds=90))
        assert on.claim() is None
        on.at(AT + timedelta(seconds=91))
        assert on.claim()[0] == held


async def test_commits_of_one_organisation_follow_each_other(database: DatabaseUrls, cast: Cast) -> None:
    with desk(database, cast) as on:
        on.add("committing", lease=1)
        waiting = on.add("committing", who="second_supervisor", hours=1)
        elsewhere = on.add("committing", who="other_supervisor")
        assert on.claim()[0] == elsewhere
        assert on.claim() is None
        on.add("queued")
        assert on.claim()[3] is False, "a check waits for nobody"
        on.connection.execute(
            "update imports set state = 'committed' where lease_until = %s", [AT + timedelta(seconds=1)]
        )
        assert on.claim()[0] == waiting


async def test_a_commit_that_was_left_lying_comes_before_the_next(database: DatabaseUrls, cast: Cast) -> None:
    with desk(database, cast) as on:
        left = on.add("committing", lease=-1)
        on.add("committing", who="second_supervisor", hours=1)
        assert on.claim()[0] == left
        assert on.claim() is None


async def test_only_who_holds_an_import_ends_it(database: DatabaseUrls, cast: Cast) -> None:
    with desk(database, cast) as on:
        held, run = on.add("queued"), uuid4()
        on.claim(run)
        on.connection.execute("select fail_import(%s, %s, 'x')", [held, uuid4()])
        assert (on.state(held), on.is_kept(held)) == ("checking", True)
        other = on.add("queued")
        on.connection.execute("select fail_import(%s, %s, 'rights_ended')", [held, run])
        assert (on.state(held), on.is_kept(held)) == ("failed", False)
        assert on.one("select failure from imports where id = %s", held) == "rights_ended"
        assert on.one("select ended_at from imports where id = %s", held) == AT
        assert (on.state(other), on.is_kept(other)) == ("queued", True)


@pytest.mark.parametrize("state", ["checked", "committed"])
async def test_what_is_done_is_not_ended_any_more(database: DatabaseUrls, cast: Cast, state: str) -> None:
    with desk(database, cast) as on:
        done = on.add(state)
        run = on.one("update imports set run = gen_random_uuid() where id = %s returning run", done)
        on.connection.execute("select fail_import(%s, %s, 'x')", [done, run])
        assert on.state(done) == state


async def test_a_day_is_what_a_file_stays(database: DatabaseUrls, cast: Cast) -> None:
    with desk(database, cast) as on:
        young = on.add("checked", hours=23, minutes=59)
        old = [on.add(state, hours=24) for state in ("queued", "checking", "checked", "committing")]
        held = on.add("checking", lease=1, hours=24)
        done = on.add("committed", hours=24)
        assert on.one("select expire_imports(3)") == 3
        assert on.one("select expire_imports(10)") == 1
        assert {on.state(one) for one in old} == {"expired"}
        assert not any(on.is_kept(one) for one in old)
        assert on.one("select ended_at from imports where id = %s", old[0]) == AT
        assert (on.state(young), on.state(held), on.state(done)) == ("checked", "checking", "committed")
        assert on.is_kept(young)
        on.at(AT + timedelta(seconds=1))
        on.connection.execute("select expire_imports(10)")
        assert on.state(held) == "expired"


@pytest.mark.parametrize("state", ["committed", "failed", "expired"])
async def test_when_an_import_is_over_rows_and_key_are_gone(database: DatabaseUrls, cast: Cast, state: str) -> None:
    with desk(database, cast) as on:
        ended, other = on.add("checked"), on.add("checked")
        on.connection.execute("update imports set state = 'committing' where id = %s", [ended])
        assert on.is_kept(ended)
        on.connection.execute("update imports set state = %s where id = %s", [state, ended])
        assert not on.is_kept(ended)
        assert on.is_kept(other)


async def test_when_an_import_is_taken_away_rows_and_key_are_gone(database: DatabaseUrls, cast: Cast) -> None:
    with desk(database, cast) as on:
        ended, other = on.add("checked"), on.add("checked")
        on.connection.execute("delete from imports where id = %s", [ended])
        assert not on.is_kept(ended)
        assert on.is_kept(other)


async def test_the_excluded_and_the_strange_are_not_told_that_a_row_was_imported(
    database: DatabaseUrls, cast: Cast
) -> None:
    """The rows wall (tests/rows.py) asks who sees a case; here: one's own, and one's own organisation's register."""
    add = (
        "insert into imported_rows (id, organisation_id, digest, created_at, created_by) values (%s, %s, %s, now(), %s)"
    )
    with psycopg.connect(database.admin, autocommit=True) as admin, psycopg.connect(database.runtime) as runtime:
        digest, organisation = uuid4().bytes, cast.users["supervisor"].organisation_id
        admin.execute(add, [uuid4(), organisation, digest, cast.id("second_supervisor")])
        for who, seen in (("supervisor", 1), ("second_supervisor", 1), ("caseworker", 0), ("other_supervisor", 0)):
            runtime.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
            found = runtime.execute("select from imported_rows where digest = %s", [digest]).rowcount
            assert found == seen, who
            runtime.rollback()
