"""What is told outside about a client is on record, with two people who stand by it, and nothing is sent by it."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from tests.acts import SENSITIVE, assign, exclude
from tests.cases import SUPPORT, open_case
from tests.cast import Cast, FrozenClock, answered
from tests.pages import whole

TOLD = {"basis": "vital_interest", "recipient": "Officer Marker, district police", "what": "She is at Marker's house."}


@pytest.fixture
def runtime_connection(database: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.runtime) as connection:
        yield connection


async def tell(cast: Cast, case_id: str, who: str = "caseworker", status: int = 201, **changes: Any) -> Any:
    body = {**TOLD, "disclosed_at": cast.clock().isoformat(), **changes}
    return answered(await cast.client(who).post(f"/cases/{case_id}/disclosures", json=body), status)


async def confirm(cast: Cast, one: Any, who: str, status: int = 200) -> Any:
    path = f"/cases/{one['case_id']}/disclosures/{one['id']}/confirm"
    return answered(await cast.client(who).post(path), status)


async def case_of_two(cast: Cast) -> str:
    case_id = await open_case(cast, category=SENSITIVE, consents=[SUPPORT])
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    return case_id


@pytest.mark.parametrize("basis", ["vital_interest", "mandatory_report", "court_order"])
async def test_what_was_told_is_read_as_it_was_written_and_by_whom(cast: Cast, basis: str) -> None:
    case_id = await case_of_two(cast)
    told = await tell(cast, case_id, basis=basis)
    assert {name: told[name] for name in ("basis", "recipient", "what")} == {**TOLD, "basis": basis}
    assert told["recorded_by"]["id"] == cast.id("caseworker")
    assert (told["confirmed_by"], told["confirmed_at"]) == (None, None)
    [listed] = await whole(cast.client("supervisor"), f"/cases/{case_id}/disclosures")
    assert listed == told
    path = f"/cases/{case_id}/disclosures/{told['id']}"
    assert answered(await cast.client("colleague").get(path), 200) == told


@pytest.mark.parametrize("second", ["colleague", "supervisor"])
async def test_a_second_person_stands_by_it_and_not_who_told(cast: Cast, clock: FrozenClock, second: str) -> None:
    case_id = await case_of_two(cast)
    told = await tell(cast, case_id)
    assert (await confirm(cast, told, "caseworker", 409))["code"] == "conflict"
    clock.advance(minutes=5)
    confirmed = await confirm(cast, told, second)
    assert confirmed["confirmed_by"]["id"] == cast.id(second)
    assert confirmed["confirmed_at"] == clock().isoformat().replace("+00:00", "Z")
    assert (confirmed["recipient"], confirmed["disclosed_at"]) == (told["recipient"], told["disclosed_at"])
    for again in ("colleague", "supervisor", "caseworker"):
        await confirm(cast, told, again, 409)
    events = await whole(cast.client("caseworker"), f"/cases/{case_id}/timeline")
    about = [(one["type"], one["data"]) for one in events if one["type"].startswith("disclosure.")]
    basis = {"basis": "vital_interest"}
    assert about == [("disclosure.confirmed", basis), ("disclosure.recorded", basis)]


async def test_nothing_of_it_lies_in_clear_and_nothing_is_sent(cast: Cast, superuser: psycopg.Connection[Any]) -> None:
    case_id = await case_of_two(cast)
    await tell(cast, case_id)
    for table in ("disclosures", "events", "audit_events", "idempotency_keys"):
        rows = superuser.execute(f"select row_to_json(t)::text from {table} t").fetchall()
        assert not [row for (row,) in rows if "Marker" in row], table


async def test_a_liaison_and_who_is_excluded_know_nothing_of_it(cast: Cast) -> None:
    case_id = await case_of_two(cast)
    await assign(cast, "caseworker", case_id, "liaison", "liaison")
    told = await tell(cast, case_id)
    path = f"/cases/{case_id}/disclosures"
    answered(await cast.client("liaison").get(path), 403)
    events = await whole(cast.client("liaison"), f"/cases/{case_id}/timeline")
    assert not [one for one in events if one["type"].startswith("disclosure.")]
    await exclude(cast, "caseworker", case_id, "colleague")
    answered(await cast.client("colleague").get(path), 404)
    await confirm(cast, told, "colleague", 404)


async def test_what_has_not_happened_yet_was_not_told(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of_two(cast)
    later = clock().replace(year=clock().year + 1).isoformat()
    problem = await tell(cast, case_id, status=422, disclosed_at=later)
    assert problem["errors"][0]["pointer"] == "/disclosed_at"
    for wrong in ({"basis": "gossip"}, {"recipient": ""}, {"what": None}, {"sent": True}):
        await tell(cast, case_id, status=422, **wrong)


async def test_a_closed_case_takes_no_new_one_and_its_second_person_may_still_confirm(cast: Cast) -> None:
    case_id = await open_case(cast)
    told = await tell(cast, case_id)
    closure = {"to": "closed", "closure": {"reason": "moved_away"}}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/transitions", json=closure), 200)
    assert (await tell(cast, case_id, status=409))["code"] == "case_closed"
    await confirm(cast, told, "supervisor")


async def test_one_of_another_case_is_not_found_here(cast: Cast) -> None:
    one, other = await case_of_two(cast), await case_of_two(cast)
    told = await tell(cast, one)
    for case_id in (other, str(uuid4())):
        answered(await cast.client("supervisor").get(f"/cases/{case_id}/disclosures/{told['id']}"), 404)
        await confirm(cast, {**told, "case_id": case_id}, "supervisor", 404)


async def test_the_database_lets_nobody_confirm_what_is_their_own_or_confirmed_already(
    cast: Cast, superuser: psycopg.Connection[Any], runtime_connection: psycopg.Connection[Any]
) -> None:
    case_id = await case_of_two(cast)
    told = await tell(cast, case_id)
    change = "update disclosures set confirmed_at = now(), confirmed_by = app_user_id() where id = %s"

    def confirmed_as(who: str) -> int:
        begin = "select from begin_request(%s, %s)"
        runtime_connection.execute(begin, [cast.sessions[who], cast.clock()])
        done = runtime_connection.execute(change, [told["id"]]).rowcount
        runtime_connection.rollback()
        return done

    assert [confirmed_as(who) for who in ("caseworker", "colleague", "supervisor", "stranger")] == [0, 1, 1, 0]
    await confirm(cast, told, "supervisor")
    assert confirmed_as("colleague") == 0
