"""Who carries how much, over what the supervisor may know of: stubs included, excluded cases in no number."""

from datetime import timedelta
from typing import Any

import psycopg

from app.models.codes.people import Role
from app.security import Runtime
from benchmarks.capture import recording
from tests.acts import SENSITIVE, exclude, listed
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.helping import ask, end
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


async def test_what_waits_for_a_second_person_is_in_the_numbers_as_it_is_on_the_stubs(
    cast: Cast, runtime: Runtime, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    office = await own_office(cast, runtime)
    who, lead = office["worker"], cast.id(office["worker"])
    quiet, rise, money, minor, told, dead = [await open_case(cast, who, SENSITIVE) for _ in range(6)]

    async def counted() -> int:
        number = (await carried(cast, office["overseer"]))[lead][2]
        stubs = await listed(cast, office["overseer"], "/caseload")
        assert number == sum(one["needs_review"] for one in stubs)
        return number

    assert await counted() == 0
    risk = {"level": "high", "reason": "What she told us."}
    answered(await cast.client(who).post(f"/cases/{rise}/risk", json=risk), 201)
    assert await counted() == 1
    one = await ask(cast, money, who)
    assert await counted() == 2
    superuser.execute(
        "update consents set bypass_until = %s where case_id = %s", [clock() + timedelta(hours=24), minor]
    )
    assert await counted() == 3
    body = {"basis": "vital_interest", "recipient": "Police", "what": "Danger.", "disclosed_at": clock().isoformat()}
    made = answered(await cast.client(who).post(f"/cases/{told}/disclosures", json=body), 201)
    assert await counted() == 4
    put(superuser, dead, death_review_due_at=clock() + timedelta(hours=72))
    assert await counted() == 5
    # And each of them is over.
    superuser.execute("update risk_changes set reviewed_at = created_at where case_id = %s", [rise])
    assert await counted() == 4
    superuser.execute("update risk_changes set reviewed_at = null where case_id = %s", [rise])
    put(superuser, rise, risk_level="low")
    assert await counted() == 4
    await end(cast, one, "withdraw", who)
    assert await counted() == 3
    for change in ("bypass_confirmed_at = created_at", "bypass_confirmed_at = null, withdrawn_at = created_at"):
        superuser.execute(f"update consents set {change} where case_id = %s", [minor])
        assert await counted() == 2
    superuser.execute("update consents set withdrawn_at = null, bypass_until = %s where case_id = %s", [clock(), minor])
    assert await counted() == 2
    superuser.execute("update disclosures set confirmed_by = created_by where id = %s", [made["id"]])
    assert await counted() == 1
    put(superuser, dead, death_review_due_at=None)
    assert await counted() == 0
    assert quiet
