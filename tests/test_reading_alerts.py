"""Who is shown many cases in an hour is told to the supervisors of the organisation, from the trail."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from app.models.codes.people import OrganisationKind, Role
from app.models.organisation import Organisation
from app.reading_watch import WATCH, ReadingLimits, watch_when_due
from app.security import Runtime
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.trail import Superuser

MANY, MANY_LISTED = 3, 6
Watch = Callable[..., set[str]]


async def staffed(cast: Cast, runtime: Runtime, *more: tuple[str, Role]) -> dict[str, str]:
    """An organisation of its own with a reader and two supervisors; the names under which the cast knows them."""
    place = f"place_{uuid4().hex[:8]}"
    organisation = Organisation.named(cast.clock(), name=place, name_km="ភូមិ", kind=OrganisationKind.NGO)
    async with runtime.database.transaction() as session:
        session.add(organisation)
    cast.organisations[place] = organisation.id
    people = (("reader", Role.CASEWORKER), ("overseer", Role.SUPERVISOR), ("second", Role.SUPERVISOR), *more)
    for name, role in people:
        await cast.add(f"{place}_{name}", role, place, [])
    return {name: f"{place}_{name}" for name, _ in people}


async def opened(cast: Cast, who: str, count: int) -> list[str]:
    """Cases of this person's own, made long before they are read."""
    cases = [await open_case(cast, who) for _ in range(count)]
    cast.clock.advance(hours=3)
    return cases


async def reads(cast: Cast, who: str, cases: list[str]) -> None:
    for case_id in cases:
        answered(await cast.client(who).get(f"/cases/{case_id}"), 200)


def at_work(superuser: Superuser, clock: FrozenClock, since: datetime | None = None) -> Watch:
    """The watch from `since` on, or from now; gives whom each look speaks of."""
    superuser.execute("update reading_watch set watched_until = %s", [since or clock() - timedelta(minutes=16)])

    def look(opened: int = MANY, listed: int = 1000) -> set[str]:
        superuser.execute("select set_config('samaki.now', %s, false)", [clock().isoformat()])
        return {str(one) for (one,) in superuser.execute(WATCH, [opened, listed]).fetchall()}

    return look


def looks_until_now(look: Watch, clock: FrozenClock, superuser: Superuser) -> list[set[str]]:
    """Looks until nothing is due."""
    found = []
    for _ in range(40):
        found.append(look())
        row = superuser.execute("select watched_until from reading_watch").fetchone()
        if row is not None and row[0] > clock() - timedelta(minutes=16):
            break
    return found


async def told(cast: Cast, who: str, status: int = 200) -> Any:
    answer = await cast.client(who).get("/audit-events/alerts", params={"limit": 200})
    body = answered(answer, status)
    return [(one["actor"]["id"], one["kind"]) for one in body["items"]] if status == 200 else body["code"]


@pytest.mark.parametrize(("count", "alerted"), [(MANY - 1, False), (MANY, True)])
async def test_many_cases_opened_in_an_hour_are_told_and_one_less_is_not(
    cast: Cast, runtime: Runtime, clock: FrozenClock, superuser: Superuser, count: int, alerted: bool
) -> None:
    people = await staffed(cast, runtime)
    cases = await opened(cast, people["reader"], count)
    await reads(cast, people["reader"], cases * 3)
    clock.advance(minutes=17)
    own_id = cast.id(people["reader"])
    assert (own_id in at_work(superuser, clock, clock() - timedelta(minutes=18))()) is alerted
    expected = [(own_id, "opened")] if alerted else []
    assert await told(cast, people["overseer"]) == await told(cast, people["second"]) == expected
    assert (own_id, "opened") not in await told(cast, "supervisor"), "another organisation's"
    for nobody in (people["reader"], "liaison", "partner", "auditor", "admin"):
        assert await told(cast, nobody, 403) == "forbidden"


async def test_no_supervisor_is_told_of_herself_and_the_other_one_is(
    cast: Cast, runtime: Runtime, clock: FrozenClock, superuser: Superuser
) -> None:
    people = await staffed(cast, runtime)
    cases = await opened(cast, people["reader"], MANY)
    await reads(cast, people["overseer"], cases)
    clock.advance(minutes=17)
    at_work(superuser, clock, clock() - timedelta(minutes=18))()
    assert await told(cast, people["overseer"]) == []
    assert await told(cast, people["second"]) == [(cast.id(people["overseer"]), "opened")]


async def test_pages_of_lists_are_watched_by_a_measure_of_their_own(
    cast: Cast, runtime: Runtime, clock: FrozenClock, superuser: Superuser
) -> None:
    people = await staffed(cast, runtime)
    await opened(cast, people["reader"], MANY_LISTED)
    for _ in range(3):
        answered(await cast.client(people["second"]).get("/cases", params={"limit": 3}), 200)
    answered(await cast.client(people["reader"]).get("/cases"), 200)
    clock.advance(minutes=17)
    look = at_work(superuser, clock, clock() - timedelta(minutes=18))
    found = look(MANY, MANY_LISTED)
    assert cast.id(people["reader"]) in found
    assert cast.id(people["second"]) not in found, "the same three cases three times are three"
    assert await told(cast, people["overseer"]) == [(cast.id(people["reader"]), "listed")]


async def test_writing_and_being_refused_is_not_reading(
    cast: Cast, runtime: Runtime, clock: FrozenClock, superuser: Superuser
) -> None:
    people = await staffed(cast, runtime)
    cases = await opened(cast, people["reader"], MANY)
    for case_id in cases:
        note = {"text": "Seen."}
        answered(await cast.client(people["reader"]).post(f"/cases/{case_id}/notes", json=note), 201)
        answered(await cast.client("stranger").get(f"/cases/{case_id}"), 404)
    clock.advance(minutes=17)
    found = at_work(superuser, clock, clock() - timedelta(minutes=18))()
    assert not {cast.id(people["reader"]), cast.id("stranger")} & found


async def test_an_hour_is_an_hour_wherever_it_begins(
    cast: Cast, runtime: Runtime, clock: FrozenClock, superuser: Superuser
) -> None:
    people = await staffed(cast, runtime)
    own_id = cast.id(people["reader"])
    cases = await opened(cast, people["reader"], MANY)
    since = clock()
    for case_id in cases:  # slowly: never so many within an hour
        await reads(cast, people["reader"], [case_id])
        clock.advance(minutes=50)
    assert all(own_id not in found for found in looks_until_now(at_work(superuser, clock, since), clock, superuser))
    since = clock()
    for case_id in cases:  # within forty minutes, across the full hour
        clock.advance(minutes=20)
        await reads(cast, people["reader"], [case_id])
    clock.advance(minutes=17)
    found = looks_until_now(at_work(superuser, clock, since), clock, superuser)
    assert [own_id in one for one in found].count(True) == 1, "told once, not at every quarter of the hour"


async def test_what_was_read_while_no_worker_ran_is_told_when_one_runs(
    cast: Cast, runtime: Runtime, clock: FrozenClock, superuser: Superuser
) -> None:
    people = await staffed(cast, runtime)
    own_id = cast.id(people["reader"])
    cases = await opened(cast, people["reader"], MANY)
    since = clock()
    for _ in range(2):
        await reads(cast, people["reader"], cases)
        clock.advance(hours=3)
    found = looks_until_now(at_work(superuser, clock, since), clock, superuser)
    assert [own_id in one for one in found].count(True) == 2
    assert await told(cast, people["overseer"]) == [(own_id, "opened")] * 2


async def test_the_first_look_of_all_is_at_the_present_hour_and_after_a_long_sleep_at_last_weeks(
    cast: Cast, runtime: Runtime, clock: FrozenClock, superuser: Superuser
) -> None:
    people = await staffed(cast, runtime)
    cases = await opened(cast, people["reader"], MANY)
    await reads(cast, people["reader"], cases)
    clock.advance(minutes=17)
    look = at_work(superuser, clock)
    superuser.execute("update reading_watch set watched_until = null")
    assert cast.id(people["reader"]) in look()
    clock.advance(days=30)
    look()
    (watched,) = superuser.execute("select watched_until from reading_watch").fetchall()[0]
    assert timedelta(days=7) <= clock() - watched < timedelta(days=7, minutes=17)


async def test_the_worker_itself_looks_and_logs_an_id_and_no_name(
    cast: Cast,
    runtime: Runtime,
    clock: FrozenClock,
    superuser: Superuser,
    database: DatabaseUrls,
    capsys: pytest.CaptureFixture[str],
) -> None:
    people = await staffed(cast, runtime)
    await reads(cast, people["reader"], await opened(cast, people["reader"], MANY))
    clock.advance(minutes=17)
    at_work(superuser, clock, clock() - timedelta(minutes=18))
    async with await psycopg.AsyncConnection.connect(database.worker, autocommit=True) as connection:
        for _ in range(2):
            await watch_when_due(connection, ReadingLimits(MANY, 1000), clock())
    lines = [line for line in capsys.readouterr().out.splitlines() if "alert.many_cases" in line]
    mine = [line for line in lines if cast.id(people["reader"]) in line]
    assert len(mine) == 1
    assert people["reader"] not in mine[0]


async def test_alerts_come_in_pages_that_leave_nothing_out(
    cast: Cast, runtime: Runtime, clock: FrozenClock, superuser: Superuser
) -> None:
    people = await staffed(cast, runtime)
    organisation_id = cast.users[people["reader"]].organisation_id
    for number in range(5):
        superuser.execute(
            "insert into reading_alerts (id, at, user_id, organisation_id, kind) values (%s, %s, %s, %s, 'opened')",
            [uuid4(), clock() - timedelta(hours=number // 2), cast.id(people["reader"]), organisation_id],
        )
    whole = answered(await cast.client(people["overseer"]).get("/audit-events/alerts"), 200)["items"]
    query: dict[str, Any] = {"limit": 2}
    found: list[Any] = []
    while True:
        page = answered(await cast.client(people["overseer"]).get("/audit-events/alerts", params=query), 200)
        found += page["items"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == whole
    assert len(found) == 5


async def test_an_hour_that_takes_too_long_to_look_at_does_not_stop_the_worker(
    clock: FrozenClock, superuser: Superuser, database: DatabaseUrls, capsys: pytest.CaptureFixture[str]
) -> None:
    clock.advance(hours=1)
    at_work(superuser, clock, clock() - timedelta(hours=1))
    limits = ReadingLimits(MANY, 1000)
    async with await psycopg.AsyncConnection.connect(database.worker, autocommit=True) as connection:
        await connection.execute("set statement_timeout = '50ms'")
        with psycopg.connect(database.admin) as held:
            held.execute("select from reading_watch for update")
            await watch_when_due(connection, limits, clock())
        assert "alert.watch_failed" in capsys.readouterr().out
        await connection.execute("set statement_timeout = '30s'")
        before = superuser.execute("select watched_until from reading_watch").fetchone()
        await watch_when_due(connection, limits, clock())
        assert superuser.execute("select watched_until from reading_watch").fetchone() == before, "not at once again"
        clock.advance(minutes=15)
        await watch_when_due(connection, limits, clock())
        assert superuser.execute("select watched_until from reading_watch").fetchone() != before
