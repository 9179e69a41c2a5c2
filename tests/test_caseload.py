"""Who carries how much, over what the supervisor may know of: stubs included, excluded cases in no number."""

from datetime import timedelta
from typing import Any

import psycopg

from app.models.codes import Role
from app.security import Runtime
from benchmarks.capture import recording
from tests.acts import SENSITIVE, exclude
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.test_worklist import own_office, put


async def carried(cast: Cast, who: str, **query: Any) -> dict[str | None, tuple[int, int, int]]:
    """By the lead's id: open, overdue, needs review."""
    told = answered(await cast.client(who).get("/caseload", params=query), 200)["leads"]
    found = {one["lead"] and one["lead"]["id"]: (one["open"], one["overdue"], one["needs_review"]) for one in told}
    assert len(found) == len(told)
    return found


async def test_every_colleague_is_told_with_what_they_carry(
    cast: Cast, runtime: Runtime, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    office = await own_office(cast, runtime)
    worker, colleague, overseer = (cast.id(office[name]) for name in ("worker", "colleague", "overseer"))
    assert await carried(cast, office["overseer"]) == {worker: (0, 0, 0), colleague: (0, 0, 0)}
    cases = [await open_case(cast, office["worker"], kind) for kind in ("id_poor", SENSITIVE, SENSITIVE, SENSITIVE)]
    own = await open_case(cast, office["overseer"])
    week = clock() - timedelta(days=clock().weekday())
    put(superuser, cases[0], next_due_at=week - timedelta(days=2))  # a Saturday, in Phnom Penh too
    put(superuser, cases[1], next_due_at=clock() - timedelta(seconds=1), status="closure_requested")
    put(superuser, cases[2], escalated_at=clock())
    put(superuser, cases[3], status="closed")
    expected: dict[str | None, tuple[int, int, int]] = {
        worker: (3, 1, 2),
        colleague: (0, 0, 0),
        overseer: (1, 0, 0),
    }
    assert await carried(cast, office["overseer"]) == await carried(cast, office["second"]) == expected
    superuser.execute("update assignments set ended_at = now() where case_id = %s", [own])
    expected = {worker: (3, 1, 2), colleague: (0, 0, 0), None: (1, 0, 1)}
    assert await carried(cast, office["overseer"]) == expected


async def test_a_case_from_which_she_is_excluded_is_in_no_number(cast: Cast, runtime: Runtime) -> None:
    office = await own_office(cast, runtime)
    worker = cast.id(office["worker"])
    cases = [await open_case(cast, office["worker"], SENSITIVE) for _ in range(2)]
    assert (await carried(cast, office["overseer"]))[worker] == (2, 0, 0)
    await exclude(cast, office["worker"], cases[0], office["overseer"])
    assert (await carried(cast, office["overseer"]))[worker] == (1, 0, 0)
    assert (await carried(cast, office["second"]))[worker] == (2, 0, 0)
    await exclude(cast, office["worker"], cases[1], office["overseer"])
    assert (await carried(cast, office["overseer"]))[worker] == (0, 0, 0), "as if there were none"


async def test_the_numbers_are_of_the_own_organisation_and_the_queries_of_the_list_narrow_them(
    cast: Cast, runtime: Runtime
) -> None:
    office = await own_office(cast, runtime)
    await open_case(cast, office["worker"])
    for other in ("other_supervisor", "supervisor"):
        assert cast.id(office["worker"]) not in await carried(cast, other)
    worker = cast.id(office["worker"])
    assert await carried(cast, office["overseer"], lead_id=worker) == {worker: (1, 0, 0)}
    assert await carried(cast, office["overseer"], needs_lead=True) == {}
    assert await carried(cast, office["overseer"], limit=1) == await carried(cast, office["overseer"])


async def test_who_is_no_caseworker_any_more_and_carries_nothing_is_not_told(
    cast: Cast, runtime: Runtime, superuser: psycopg.Connection[Any]
) -> None:
    office = await own_office(cast, runtime)
    gone = cast.id(office["colleague"])
    superuser.execute("update users set active = false where id = %s", [gone])
    assert gone not in await carried(cast, office["overseer"])
    superuser.execute("update users set active = true, system = true, scopes = '{}' where id = %s", [gone])
    assert gone not in await carried(cast, office["overseer"])
    superuser.execute(
        "update users set system = false, scopes = null, role = %s where id = %s", [Role.CCWC_LIAISON, gone]
    )
    assert gone not in await carried(cast, office["overseer"])


async def test_the_caseload_takes_as_many_statements_for_one_case_as_for_many(cast: Cast, runtime: Runtime) -> None:
    office = await own_office(cast, runtime)
    counts = []
    for _ in range(2):
        for _ in range(3):
            await open_case(cast, office["worker"], SENSITIVE)
        with recording(runtime.database.engine) as statements:
            await carried(cast, office["overseer"])
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 5
