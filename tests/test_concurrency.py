"""Two at once: exactly one of them has changed what both have seen, and nobody slips past a decision."""

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from app.models.codes.people import Role
from tests.acts import newcomer
from tests.cases import SUPPORT, intake, open_case
from tests.cast import Cast, answered
from tests.helping import PAYMENT, ask, decide, read

ROUNDS, WRITERS = 5, 8


async def test_of_eight_edits_of_one_version_exactly_one_succeeds_each_time(cast: Cast) -> None:
    path = f"/cases/{await open_case(cast)}"
    lead = cast.client("caseworker")
    for number in range(ROUNDS):
        seen = (await lead.get(path)).headers["ETag"]
        edits = (
            lead.patch(path, json={"summary": f"{number}.{writer}"}, headers={"If-Match": seen})
            for writer in range(WRITERS)
        )
        answers = await asyncio.gather(*edits)
        assert Counter(answer.status_code for answer in answers) == {200: 1, 412: WRITERS - 1}
        (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
        now = answered(await lead.get(path), 200)
        assert (now["summary"], now["version"]) == (winner["summary"], number + 2)


@pytest.mark.parametrize("of", ["register", "case"])
async def test_of_eight_edits_of_one_person_exactly_one_succeeds_each_time(cast: Cast, of: str) -> None:
    lead = cast.client("caseworker")
    if of == "register":
        person_id = answered(await lead.post("/people", json={"alias": "First"}), 201)["id"]
    else:
        person_id = answered(await lead.get(f"/cases/{await open_case(cast)}"), 200)["client"]["id"]
    path = f"/people/{person_id}"
    for number in range(ROUNDS):
        seen = (await lead.get(path)).headers["ETag"]
        edits = (
            lead.patch(path, json={"alias": f"{number}.{writer}"}, headers={"If-Match": seen})
            for writer in range(WRITERS)
        )
        answers = await asyncio.gather(*edits)
        assert Counter(answer.status_code for answer in answers) == {200: 1, 412: WRITERS - 1}
        (winner,) = [answer.json() for answer in answers if answer.status_code == 200]
        now = answered(await lead.get(path), 200)
        assert (now["alias"], now["version"]) == (winner["alias"], number + 2)


@pytest.mark.parametrize("what", ["cases", "notes", "follow-ups", "actions"])
async def test_of_two_rows_with_one_own_id_at_once_one_is_written_and_the_other_is_a_conflict(
    cast: Cast, what: str
) -> None:
    """A phone that sends again before the first answer is there, without an idempotency key."""
    lead, due = cast.client("caseworker"), (cast.clock() + timedelta(days=2)).isoformat()
    case_id = await open_case(cast)
    bodies: dict[str, dict[str, Any]] = {
        "cases": intake("domestic_violence"),
        "notes": {"text": "Once."},
        "follow-ups": {"due_at": due, "channel": "visit"},
        "actions": {"title": "Ask", "need": "documents", "due_on": due[:10]},
    }
    path = "/cases" if what == "cases" else f"/cases/{case_id}/{what}"
    for _ in range(ROUNDS):
        body = {**bodies[what], "id": str(uuid4())}
        answers = await asyncio.gather(*(lead.post(path, json=body) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
        [refused, _] = [answer.json() for answer in answers if answer.status_code == 409]
        assert refused["code"] == "conflict"
        answered(await lead.get(f"{path}/{body['id']}"), 200)


async def test_a_client_is_renamed_and_copied_into_cases_at_once_and_nobody_waits_for_ever(cast: Cast) -> None:
    lead = cast.client("caseworker")
    for _ in range(ROUNDS):
        client_id = answered(await lead.get(f"/cases/{await open_case(cast)}"), 200)["client"]["id"]
        copy = {name: value for name, value in intake().items() if name != "client"} | {"client_id": client_id}
        renamed = {"json": {"alias": "Renamed"}, "headers": {"If-Match": "*"}}
        calls = [lead.post("/cases", json=copy), lead.patch(f"/people/{client_id}", **renamed)]  # type: ignore[arg-type]
        calls += [lead.post("/cases", json=copy) for _ in range(5)]
        calls += [lead.patch(f"/people/{client_id}", **renamed) for _ in range(5)]  # type: ignore[arg-type]
        assert {answer.status_code for answer in await asyncio.gather(*calls)} == {200, 201}


async def test_of_many_steps_at_once_only_one_is_taken(cast: Cast) -> None:
    case_id = await open_case(cast)
    step = f"/cases/{case_id}/transitions"
    lead = cast.client("caseworker")
    steps = await asyncio.gather(*(lead.post(step, json={"to": "assessment"}) for _ in range(WRITERS)))
    assert Counter(answer.status_code for answer in steps) == {200: 1, 409: WRITERS - 1}


async def test_a_consent_is_withdrawn_once(cast: Cast) -> None:
    case_id = await open_case(cast, consents=[SUPPORT])
    lead = cast.client("caseworker")
    consent = answered(await lead.get(f"/cases/{case_id}/consents"), 200)["items"][0]
    path = f"/cases/{case_id}/consents/{consent['id']}/withdraw"
    answers = await asyncio.gather(*(lead.post(path, json={}) for _ in range(WRITERS)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: WRITERS - 1}


async def test_of_many_leads_named_at_once_one_remains(cast: Cast, superuser: psycopg.Connection[Any]) -> None:
    case_id = await open_case(cast)
    path = f"/cases/{case_id}/assignments"
    users = [cast.id(name) for name in ("colleague", "second_supervisor", "supervisor", "caseworker")] * 2
    wanted = ({"user_id": user, "role": "lead"} for user in users)
    answers = await asyncio.gather(*(cast.client("supervisor").post(path, json=body) for body in wanted))
    assert {answer.status_code for answer in answers} <= {201, 409}
    leads = superuser.execute(
        "select a.user_id = c.lead_id from assignments a join cases c on c.id = a.case_id"
        " where a.case_id = %s and a.role = 'lead' and a.ended_at is null",
        [case_id],
    ).fetchall()
    assert leads == [(True,)]


# ---- one change waits for the other, and then sees what it has decided ----


@contextmanager
def _held_back(
    urls: DatabaseUrls, first: LiteralString, second: LiteralString, values: dict[str, Any]
) -> Iterator[list[Any]]:
    """Runs `second` while `first` is not yet committed; gives what became of it: nothing, or an error."""
    outcome: list[Any] = []

    def run() -> None:
        with psycopg.connect(urls.admin, autocommit=True) as connection:
            try:
                connection.execute("select set_config('samaki.now', %(now)s, false)", values)
                connection.execute(second, values)
                outcome.append(None)
            except psycopg.Error as error:
                outcome.append(error)

    with psycopg.connect(urls.admin) as connection, psycopg.connect(urls.admin, autocommit=True) as watcher:
        connection.execute("select set_config('samaki.now', %(now)s, false)", values)
        connection.execute(first, values)
        thread = threading.Thread(target=run)
        thread.start()
        waiting = (
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        while thread.is_alive() and watcher.execute(waiting).fetchone() == (0,):
            thread.join(0.005)
        assert outcome == [], "the second change waits for the first"
        connection.commit()
        thread.join()
    yield outcome


ASSIGN: LiteralString = (
    "insert into assignments (id, case_id, organisation_id, user_id, role, created_at, created_by)"
    " select gen_random_uuid(), id, organisation_id, %(user)s, %(role)s, created_at, created_by"
    " from cases where id = %(case)s"
)
EXCLUDE: LiteralString = (
    "select put_exclusion(c.id, row(gen_random_uuid(), c.id, c.organisation_id, %(user)s::uuid, gen_random_uuid(),"
    " 'client_wish', %(now)s::timestamptz, c.created_by, null, null, null, null, null, null, false)::case_exclusions)"
    " from cases c where c.id = %(case)s"
)
WITHDRAW: LiteralString = (
    "update consents set withdrawn_at = created_at where case_id = %(case)s and purpose = 'ccwc_support'"
)
COUNT_ACCESS = "select count(*) from case_access where case_id = %s and principal = %s"


@pytest.mark.parametrize(
    "second",
    [
        "select spread_exclusions(%(case)s)",
        "select exclude_user(%(case)s, %(user)s, 'other', %(case)s, null) from begin_request(%(session)s, %(now)s)",
        "select lift_exclusion(%(case)s, %(case)s, '') from begin_request(%(session)s, %(now)s)",
    ],
    ids=["spreading", "excluding", "lifting"],
)
async def test_whoever_changes_who_is_excluded_waits_for_who_does_so_already(
    cast: Cast, database: DatabaseUrls, second: LiteralString
) -> None:
    values = {
        "case": await open_case(cast),
        "user": cast.id("colleague"),
        "session": cast.sessions["caseworker"],
        "now": cast.clock().isoformat(),
    }
    with _held_back(database, "select lock_client_graph()", second, values) as outcome:
        assert outcome == [None]


async def test_an_assignment_that_waited_for_an_exclusion_is_refused(
    cast: Cast, database: DatabaseUrls, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    values = _values(cast, case_id, "colleague", "caseworker")
    with _held_back(database, EXCLUDE, ASSIGN, values) as outcome:
        assert isinstance(outcome[0], psycopg.errors.ExclusionViolation)
    assert superuser.execute(COUNT_ACCESS, [case_id, cast.users["colleague"].principal]).fetchone() == (0,)


async def test_an_exclusion_that_waited_for_an_assignment_ends_it(
    cast: Cast, database: DatabaseUrls, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    values = _values(cast, case_id, "colleague", "caseworker")
    with _held_back(database, ASSIGN, EXCLUDE, values) as outcome:
        assert outcome == [None]
    assert superuser.execute(COUNT_ACCESS, [case_id, cast.users["colleague"].principal]).fetchone() == (0,)


@pytest.mark.parametrize("withdrawal_first", [True, False])
async def test_a_liaison_and_a_withdrawal_at_once_leave_no_access(
    cast: Cast, database: DatabaseUrls, superuser: psycopg.Connection[Any], withdrawal_first: bool
) -> None:
    case_id = await open_case(cast, category="domestic_violence", consents=[SUPPORT])
    values = _values(cast, case_id, "liaison", "liaison")
    first, second = (WITHDRAW, ASSIGN) if withdrawal_first else (ASSIGN, WITHDRAW)
    with _held_back(database, first, second, values) as outcome:
        assert outcome == [None]
    assert superuser.execute(COUNT_ACCESS, [case_id, cast.users["liaison"].principal]).fetchone() == (0,)


MOVE: LiteralString = "update users set organisation_id = null where id = %(user)s"


@pytest.mark.parametrize("moves_first", [True, False])
async def test_who_is_assigned_and_moved_at_once_sees_nothing(
    cast: Cast, database: DatabaseUrls, superuser: psycopg.Connection[Any], moves_first: bool
) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    mover = await newcomer(cast, Role.CASEWORKER, "ngo")
    values = _values(cast, case_id, mover, "caseworker")
    first, second = (MOVE, ASSIGN) if moves_first else (ASSIGN, MOVE)
    with _held_back(database, first, second, values) as outcome:
        assert outcome == [None]
    assert superuser.execute(COUNT_ACCESS, [case_id, cast.users[mover].principal]).fetchone() == (0,)


async def test_a_lead_who_is_moved_while_she_opens_a_case_leads_nothing(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    move = "update users set organisation_id = %s where id = %s"
    for _ in range(10):
        mover = await newcomer(cast, Role.CASEWORKER, "ngo")
        opened, _ = await asyncio.gather(
            cast.client("caseworker").post("/cases", json=intake(lead_id=cast.id(mover))),
            asyncio.to_thread(superuser.execute, move, [cast.organisation("other_ngo"), cast.id(mover)]),
        )
        assert opened.status_code in {201, 422}
        held = "select count(*) from case_access where principal = %s"
        assert superuser.execute(held, [cast.users[mover].principal]).fetchone() == (0,)


def _values(cast: Cast, case_id: str, user: str, role: str) -> dict[str, Any]:
    now = cast.clock()
    return {"case": case_id, "user": cast.id(user), "role": role, "now": now.isoformat()}


async def test_of_two_payments_that_no_service_keeps_apart_the_database_lets_one_through(
    cast: Cast, database: DatabaseUrls
) -> None:
    one = await decide(cast, await ask(cast, await open_case(cast)))
    values = {"id": one["id"], "amount": 60_000, "of": None, "now": cast.clock().isoformat()}
    with _held_back(database, PAYMENT, PAYMENT, values) as outcome:
        assert [type(error) for error in outcome] == [psycopg.errors.CheckViolation]
    assert (await read(cast, one))["paid_minor"] == 60_000


RAISE: LiteralString = "update cases set sensitivity = 'sensitive' where id = %(case)s"
COPY: LiteralString = (
    "insert into assistance_requests select (jsonb_populate_record(r, jsonb_build_object('id', %(new)s::uuid))).*"
    " from assistance_requests r where r.id = %(id)s"
)


@pytest.mark.parametrize("raised_first", [True, False])
async def test_what_is_asked_for_while_the_case_becomes_sensitive_is_hidden_with_it(
    cast: Cast, database: DatabaseUrls, superuser: psycopg.Connection[Any], raised_first: bool
) -> None:
    case_id = await open_case(cast)
    one = await ask(cast, case_id)
    values = {"case": case_id, "id": one["id"], "new": str(uuid4()), "now": cast.clock().isoformat()}
    first, second = (RAISE, COPY) if raised_first else (COPY, RAISE)
    with _held_back(database, first, second, values) as outcome:
        assert outcome == [None]
    marked = superuser.execute("select standard from assistance_requests where case_id = %s", [case_id]).fetchall()
    superuser.execute("delete from assistance_requests where id = %s", [values["new"]])
    assert marked == [(False,), (False,)]
