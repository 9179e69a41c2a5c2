"""What is overdue, or waits too long, is told once to who may see the case, whatever happens to the worker."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from app import reminders
from app.database_urls import DatabaseUrls
from app.health import WAITING
from app.models.codes.people import Role
from app.reminders import remind
from tests.acts import SENSITIVE, assign, break_glass, exclude, newcomer, with_liaison
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.pages import whole
from tests.test_first_dates import dates
from tests.test_worklist import about, leaderless, plan, put, record


@pytest.fixture
async def at_work(database: DatabaseUrls) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    """The worker's own connection."""
    async with await psycopg.AsyncConnection.connect(database.worker, autocommit=True) as connection:
        yield connection


@pytest.fixture
def runtime_connection(database: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.runtime) as connection:
        yield connection


async def reminded(database: DatabaseUrls, clock: FrozenClock) -> None:
    """The worker has told everything that there is to tell."""
    async with await psycopg.AsyncConnection.connect(database.worker, autocommit=True) as connection:
        for _ in range(20):
            if not await remind(connection, clock()):
                break


async def heard(cast: Cast, case_id: str, who: str = "caseworker") -> list[str]:
    """What the timeline says of it, oldest first."""
    found = await whole(cast.client(who), f"/cases/{case_id}/timeline")
    kinds = [one["type"] for one in found if one["type"] in {"follow_up.overdue", "case.escalated"}]
    return kinds[::-1]


def escalated(superuser: psycopg.Connection[Any], case_id: str) -> bool:
    row = superuser.execute("select escalated_at is not null from cases where id = %s", [case_id]).fetchone()
    return row == (True,)


async def test_an_overdue_follow_up_is_told_once(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    planned = await plan(cast, case_id, clock() + timedelta(minutes=5))
    clock.advance(minutes=5)
    await reminded(database, clock)
    assert await heard(cast, case_id) == [], "it is due, not overdue"
    clock.advance(seconds=1)
    await reminded(database, clock)
    await reminded(database, clock)
    assert await heard(cast, case_id) == ["follow_up.overdue"]
    told = "select subject_id::text, actor_id, data, sealed, at from events where case_id = %s and type = %s"
    assert superuser.execute(told, [case_id, "follow_up.overdue"]).fetchall() == [
        (planned["id"], None, {}, None, clock())
    ]
    later = {"due_at": (clock() + timedelta(hours=1)).isoformat()}
    path = f"/cases/{case_id}/follow-ups/{planned['id']}"
    answered(await cast.client("caseworker").patch(path, json=later, headers={"If-Match": '"1"'}), 200)
    await reminded(database, clock)
    clock.advance(hours=2)
    await reminded(database, clock)
    assert await heard(cast, case_id) == ["follow_up.overdue"] * 2, "it was put off, and is late again"


async def test_telling_moves_no_version_and_no_date(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    planned = await plan(cast, case_id, clock())
    clock.advance(seconds=1)
    before = superuser.execute("select version, next_due_at, updated_at from cases where id = %s", [case_id]).fetchone()
    await reminded(database, clock)
    after = superuser.execute("select version, next_due_at, updated_at from cases where id = %s", [case_id]).fetchone()
    assert before == after
    await record(cast, planned)  # with the version that was read before
    assert await heard(cast, case_id) == ["follow_up.overdue"]


async def test_what_is_recorded_or_cancelled_is_not_told(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock
) -> None:
    case_id = await open_case(cast)
    done, gone = [await plan(cast, case_id, clock()) for _ in range(2)]
    await record(cast, done)
    path = f"/cases/{case_id}/follow-ups/{gone['id']}"
    answered(await cast.client("caseworker").delete(path, headers={"If-Match": "*"}), 204)
    clock.advance(minutes=1)
    await reminded(database, clock)
    assert await heard(cast, case_id) == []


async def test_a_worker_that_is_killed_in_between_loses_nothing_and_repeats_nothing(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    await plan(cast, case_id, clock())
    clock.advance(minutes=1)
    killed = await psycopg.AsyncConnection.connect(database.worker)
    await killed.execute("select set_config('samaki.now', %s, true)", [clock().isoformat()])
    await killed.execute("select tell_overdue(100000)")
    superuser.execute("select pg_terminate_backend(%s)", [killed.info.backend_pid])
    await killed.close()
    assert await heard(cast, case_id) == []
    await reminded(database, clock)
    await reminded(database, clock)
    assert await heard(cast, case_id) == ["follow_up.overdue"]


async def test_two_workers_at_once_tell_it_once_and_wait_for_nobody(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock
) -> None:
    case_id = await open_case(cast)
    await plan(cast, case_id, clock())
    clock.advance(minutes=1)
    async with await psycopg.AsyncConnection.connect(database.worker) as one:
        await one.execute("select set_config('samaki.now', %s, true)", [clock().isoformat()])
        await one.execute("select tell_overdue(100000)")
        await reminded(database, clock)
    await reminded(database, clock)
    assert await heard(cast, case_id) == ["follow_up.overdue"]


async def test_much_is_told_in_batches(
    cast: Cast, at_work: psycopg.AsyncConnection[Any], clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    while await remind(at_work, clock()):
        pass
    case_id = await open_case(cast)
    for _ in range(3):
        await plan(cast, case_id, clock())
    clock.advance(minutes=1)
    monkeypatch.setattr(reminders, "BATCH", 2)
    assert await remind(at_work, clock()) is True
    assert len(await heard(cast, case_id)) == 2
    assert await remind(at_work, clock()) is False
    assert len(await heard(cast, case_id)) == 3


async def test_what_is_told_is_for_the_caseworkers_and_not_for_the_liaison(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id, _ = await with_liaison(cast)
    put(superuser, case_id, risk_level="high")
    await plan(cast, case_id, clock(), assignee_id=cast.id("liaison"))
    clock.advance(hours=25)
    await reminded(database, clock)
    assert set(await heard(cast, case_id)) == {"follow_up.overdue", "case.escalated"}
    assert await heard(cast, case_id, "liaison") == []
    await exclude(cast, "caseworker", case_id, "second_supervisor")
    assert "needs_review" in await about(cast, "supervisor", case_id)
    assert await about(cast, "second_supervisor", case_id) == {}
    assert await about(cast, "other_supervisor", case_id) == {}


@pytest.mark.parametrize("risk", ["high", "medium", "low", "not_assessed"])
async def test_overdue_for_a_day_is_escalated_at_high_risk_alone(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock, superuser: psycopg.Connection[Any], risk: str
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await plan(cast, case_id, clock())
    put(superuser, case_id, risk_level=risk)
    clock.advance(hours=24)
    await reminded(database, clock)
    assert "case.escalated" not in await heard(cast, case_id)
    clock.advance(seconds=1)
    await reminded(database, clock)
    await reminded(database, clock)
    assert (await heard(cast, case_id)).count("case.escalated") == (1 if risk == "high" else 0)
    assert ("needs_review" in await about(cast, "supervisor", case_id)) is (risk == "high")


async def test_an_escalation_ends_when_somebody_acts_and_comes_back_when_it_is_late_again(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    planned, other = await plan(cast, case_id, clock()), await open_case(cast)
    put(superuser, case_id, risk_level="high")
    put(superuser, other, escalated_at=clock())
    clock.advance(hours=25)
    await reminded(database, clock)
    assert "escalated" in await about(cast, "supervisor", case_id)
    await assign(cast, "supervisor", case_id, "colleague", "lead")
    assert escalated(superuser, case_id), "a new lead has not been there yet"
    await record(cast, planned, "colleague", next_due_at=(clock() + timedelta(hours=1)).isoformat())
    assert not escalated(superuser, case_id)
    assert escalated(superuser, other), "that was another case"
    assert "escalated" not in await about(cast, "supervisor", case_id)
    clock.advance(hours=26)
    await reminded(database, clock)
    assert (await heard(cast, case_id)).count("case.escalated") == 2
    put(superuser, case_id, status="closed")
    assert not escalated(superuser, case_id)


async def test_who_records_one_of_two_late_ones_does_not_end_the_escalation(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    one, _ = [await plan(cast, case_id, clock()) for _ in range(2)]
    put(superuser, case_id, risk_level="high")
    clock.advance(hours=25)
    await reminded(database, clock)
    await record(cast, one)
    assert escalated(superuser, case_id)


async def test_four_hours_without_a_lead_are_escalated_and_naming_one_ends_it(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id, led = await leaderless(cast, "id_poor"), await open_case(cast)
    clock.advance(hours=4)
    await reminded(database, clock)
    assert not escalated(superuser, case_id)
    clock.advance(seconds=1)
    await reminded(database, clock)
    await reminded(database, clock)
    assert await heard(cast, case_id, "supervisor") == ["case.escalated"]
    assert not escalated(superuser, led)
    assert (await about(cast, "supervisor", case_id))["leaderless"]["overdue"] is True
    [first] = await dates(cast, case_id, "supervisor")
    await record(cast, first, "supervisor")
    assert escalated(superuser, case_id), "there is still nobody who leads it"
    await assign(cast, "supervisor", case_id, "caseworker", "lead")
    assert not escalated(superuser, case_id)


async def test_a_case_whose_lead_left_is_escalated_four_hours_after_that(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    leaver = await newcomer(cast, Role.CASEWORKER, "ngo")
    case_id = await open_case(cast, leaver, SENSITIVE)
    clock.advance(hours=10)
    change = {"active": False}
    path = f"/users/{cast.id(leaver)}"
    answered(await cast.client("admin").patch(path, json=change, headers={"If-Match": "*"}), 200)
    await reminded(database, clock)
    assert not escalated(superuser, case_id)
    clock.advance(hours=4, seconds=1)
    await reminded(database, clock)
    assert escalated(superuser, case_id)


async def test_who_finds_contact_unsafe_alerts_the_supervisors_at_once_and_nobody_reads_why(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    planned = await plan(cast, case_id, clock())
    answer = await record(cast, planned, outcome="unsafe_to_contact")
    assert await heard(cast, case_id) == ["case.escalated"]
    told = "select data, sealed, actor_id::text from events where case_id = %s and type = 'case.escalated'"
    assert superuser.execute(told, [case_id]).fetchall() == [({}, None, cast.id("caseworker"))]
    assert (await about(cast, "supervisor", case_id)).keys() == {"needs_review"}
    stub = [one for one in await whole(cast.client("supervisor"), "/caseload") if one["id"] == case_id]
    assert stub[0]["needs_review"] is True
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    assert escalated(superuser, case_id), "who helps has not looked yet"
    clock.advance(hours=1)
    await record(cast, answer["next"])
    assert await about(cast, "supervisor", case_id) == {}


async def test_a_liaison_who_records_that_contact_is_unsafe_alerts_too(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id, _ = await with_liaison(cast)
    hers = await plan(cast, case_id, clock(), assignee_id=cast.id("liaison"))
    await record(cast, hers, "liaison", outcome="unsafe_to_contact")
    assert escalated(superuser, case_id)


async def test_nobody_escalates_a_case_on_which_they_do_not_work(
    cast: Cast, superuser: psycopg.Connection[Any], runtime_connection: psycopg.Connection[Any]
) -> None:
    standard = await open_case(cast)
    sensitive = await open_case(cast, category=SENSITIVE)
    glass = await newcomer(cast, Role.CASEWORKER, "ngo")
    await break_glass(cast, superuser, sensitive, glass)
    for who, case_id in (
        (glass, sensitive),
        ("colleague", standard),
        ("colleague", sensitive),
        ("stranger", standard),
        ("supervisor", sensitive),
    ):
        runtime_connection.execute("select begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            runtime_connection.execute("select escalate_case(%s)", [case_id])
        runtime_connection.rollback()
        assert not escalated(superuser, case_id)


async def test_the_numbers_for_the_operator_count_what_waits_and_name_nothing(
    cast: Cast, app: Any, runtime: Any, clock: FrozenClock
) -> None:
    def numbers(text: str) -> dict[str, float]:
        lines = [line for line in text.splitlines() if line.startswith("samaki_waiting{")]
        return {line.split('"')[1]: float(line.split()[-1]) for line in lines}

    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://samaki.test") as here:
        before = numbers((await here.get("/metrics")).text)
        case_id = await leaderless(cast)
        await plan(cast, await open_case(cast), clock())
        clock.advance(seconds=1)
        answer = (await here.get("/metrics")).text
        after = numbers(answer)
    assert after.keys() == {"overdue", "escalated", "leaderless", "stranded", "deliveries", "dead_deliveries"}
    assert after["leaderless"] == before["leaderless"] + 1
    assert after["stranded"] == before["stranded"]
    assert after["overdue"] >= before["overdue"] + 1
    assert case_id not in answer
    assert "waiting_counts" in str(WAITING)


async def test_the_worker_tells_as_one_of_its_chores(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    assert len(await dates(cast, case_id)) == 1
    clock.advance(days=7, seconds=1)
    await reminded(database, clock)
    assert await heard(cast, case_id) == ["follow_up.overdue"]
