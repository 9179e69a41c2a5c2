"""What the database itself keeps of a referral: who it is for, when it closes, what is told of it, and what waits."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from app.models.codes.people import Role
from tests.acts import break_glass, call_as, newcomer, with_liaison
from tests.cast import Cast, FrozenClock, answered
from tests.referring import accepted, agreed, client_of, move, refer, referred, seen
from tests.test_referral_disclosure import change_contact, withdraw
from tests.test_referrals_in import send

Superuser = psycopg.Connection[Any]
SUSPEND = "select suspend_referral_contact(%s)"
TOLD = "select sealed is not null, contact_sealed is not null from referral_snapshots where referral_id = %s"
EVENTS = """
    select e.data ->> 'status', e.partner_id::text, e.audience from events e
     where e.referral_id = %s and e.type = 'referral.' || %s order by e.at, e.id
"""


def row(superuser: Superuser, referral: Any, columns: str) -> Any:
    """These columns of the referral as they are."""
    return superuser.execute(f"select {columns} from referrals where id = %s".encode(), [referral["id"]]).fetchone()


def told(superuser: Superuser, referral: Any) -> Any:
    """Is something told of her still, and how to reach her?"""
    return superuser.execute(TOLD.encode(), [referral["id"]]).fetchone()


def events(superuser: Superuser, referral: Any, what: str) -> list[Any]:
    return superuser.execute(EVENTS.encode(), [referral["id"], what]).fetchall()


async def standard(cast: Cast) -> Any:
    """A referral of a standard case."""
    case_id = await client_of(cast, "id_poor")
    await agreed(cast, case_id)
    return await refer(cast, case_id)


async def close(cast: Cast, case_id: str, reason: str = "declined") -> None:
    closure = {"reason": reason, "informed_can_return": True}
    body = {"to": "closed", "closure": closure, "reason": "She does not want it."}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/transitions", json=body), 200)


# ---- what a step leaves ----


async def test_a_step_keeps_what_was_said_with_it_and_moves_no_other_referral(
    cast: Cast, clock: FrozenClock, superuser: Superuser
) -> None:
    referral = await referred(cast)
    beside = await refer(cast, referral["case_id"])
    clock.advance(minutes=1)
    yes = await move(cast, referral, "accepted")
    clock.advance(minutes=1)
    later = (clock() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    held = await move(cast, referral, "on_hold", reason_code="no_capacity", appointment_at=later)
    assert (held["status"], held["reason_code"], held["business_status"]) == ("on_hold", "no_capacity", "scheduled")
    assert held["appointment_at"] == later
    assert held["answered_at"] == yes["answered_at"] is not None
    assert (yes["ended_at"], held["ended_at"], held["version"]) == (None, None, yes["version"] + 1)
    clock.advance(minutes=1)
    done = await move(cast, referral, "completed", outcome_code="attended", reason="She was seen.")
    assert (done["outcome_code"], done["status_reason"]) == ("attended", "She was seen.")
    assert done["ended_at"] > done["answered_at"] == yes["answered_at"]
    assert (await seen(cast, beside))["status"] == "requested"
    mistaken = await move(cast, referral, "entered_in_error", "caseworker")
    assert mistaken["ended_at"] == done["ended_at"]


async def test_each_step_is_an_event_for_both_sides_which_names_the_state_and_nothing_else(
    cast: Cast, superuser: Superuser
) -> None:
    referral = await accepted(cast)
    await move(cast, referral, "in_progress")
    path = f"/referrals/{referral['id']}/messages"
    answered(await cast.client("partner").post(path, json={"text": "She came."}), 201)
    clinic = cast.organisation("clinic")
    for what, status in (
        ("requested", "requested"),
        ("accepted", "accepted"),
        ("in_progress", "in_progress"),
        ("message", "in_progress"),
    ):
        assert events(superuser, referral, what) == [(status, clinic, "caseworkers")], what
    data = "select count(*) from events where referral_id = %s and (sealed is not null or (data - 'status') <> '{}')"
    assert superuser.execute(data.encode(), [referral["id"]]).fetchone() == (0,)


@pytest.mark.parametrize("to", ["rejected", "cancelled", "failed", "entered_in_error"])
async def test_a_bad_end_destroys_what_was_told(cast: Cast, superuser: Superuser, to: str) -> None:
    referral = await (referred(cast) if to == "rejected" else accepted(cast))
    assert told(superuser, referral) == (True, True)
    who = "caseworker" if to == "entered_in_error" else "partner"
    await move(cast, referral, to, who, reason_code="other")
    assert told(superuser, referral) == (False, False)
    assert row(superuser, referral, "disclosed_until") == (None,)


async def test_a_bad_end_closes_it_whatever_is_said_of_its_time(
    cast: Cast, database: DatabaseUrls, superuser: Superuser
) -> None:
    referral = await accepted(cast)
    call = "select move_referral(%s, 'failed', 'other', null, null, null, %s, null, 'failed')"
    call_as(cast, database, "partner", call, referral["id"], cast.clock() + timedelta(days=90))
    assert row(superuser, referral, "disclosed_until") == (None,)


async def test_nobody_but_the_two_sides_moves_a_referral_or_speaks_of_it_in_the_database(
    database: DatabaseUrls, cast: Cast
) -> None:
    case_id = await client_of(cast)
    other_ngo: dict[str, Any] = {"organisation_id": cast.organisation("other_ngo")}
    await agreed(cast, case_id, **other_ngo)
    asked = await refer(cast, case_id, **other_ngo)
    await move(cast, asked, "accepted", "other_supervisor")
    referral = asked["id"]
    for who in ("stranger", "partner", "supervisor", "liaison", "auditor", "admin"):
        for look in ("app_sees_referral", "app_may_open_referral"):
            assert call_as(cast, database, who, f"select {look}(%s)", referral) is False, (who, look)
        assert call_as(cast, database, who, "select count(*) from referrals where id = %s", referral) == 0, who
        for call in (
            "select tell_referral(%s, 'message')",
            "select move_referral(%s, 'completed', null, null, null, null, null, null, 'completed')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                call_as(cast, database, who, call, referral)
        assert call_as(cast, database, who, "select hold_referral(%s)", referral) is None


# ---- how to reach her ----


async def test_a_change_of_safe_contact_closes_it_wherever_it_was_told_and_nowhere_else(
    cast: Cast, superuser: Superuser
) -> None:
    referral = await accepted(cast)
    done = await refer(cast, referral["case_id"])
    await move(cast, done, "accepted")
    await move(cast, done, "completed", outcome_code="attended")
    nothing = await refer(cast, referral["case_id"], shared_fields=["name"])
    elsewhere = await accepted(cast)
    before = (await seen(cast, referral))["version"]
    for channels in (["sms"], ["visit"]):
        await change_contact(cast, referral["case_id"], channels=channels)
    for one in (referral, done):
        assert told(superuser, one) == (True, False)
        assert [status for status, *_ in events(superuser, one, "contact_changed")] == [one_status(superuser, one)]
        assert row(superuser, one, "contact_suspended_at is not null") == (True,)
    assert (await seen(cast, referral))["version"] == before + 1
    assert row(superuser, nothing, "contact_suspended_at") == (None,)
    assert events(superuser, nothing, "contact_changed") == []
    assert told(superuser, elsewhere) == (True, True)
    assert row(superuser, elsewhere, "contact_suspended_at") == (None,)


def one_status(superuser: Superuser, referral: Any) -> str:
    return str(row(superuser, referral, "status")[0])


async def test_who_only_reads_the_case_or_does_not_see_it_closes_nothing(
    cast: Cast, database: DatabaseUrls, superuser: Superuser
) -> None:
    referral = await standard(cast)
    for who in ("colleague", "stranger", "partner", "liaison"):
        call_as(cast, database, who, SUSPEND, referral["case_id"])
        assert told(superuser, referral) == (True, True), who
    call_as(cast, database, "supervisor", SUSPEND, referral["case_id"])
    assert told(superuser, referral) == (True, False)


# ---- what ends with the consent, and with the case ----


async def test_with_the_consent_ends_what_rests_on_it_and_nothing_that_rests_on_another(
    cast: Cast, superuser: Superuser
) -> None:
    case_id = await client_of(cast)
    first = await agreed(cast, case_id, ["name"], organisation_id=None, sector="health")
    one, done, refused = [await refer(cast, case_id, shared_fields=["name"]) for _ in range(3)]
    await move(cast, one, "accepted")
    await move(cast, done, "accepted")
    await move(cast, done, "completed", outcome_code="attended")
    await move(cast, refused, "rejected", reason_code="no_capacity")
    await agreed(cast, case_id)
    other, other_done = [await refer(cast, case_id) for _ in range(2)]
    await move(cast, other_done, "accepted")
    await move(cast, other_done, "completed", outcome_code="attended")
    versions = {own["id"]: (await seen(cast, own))["version"] for own in (one, done)}
    await withdraw(cast, case_id, first)
    ended = await seen(cast, one)
    assert (ended["status"], ended["reason_code"], ended["disclosed"]) == ("cancelled", "consent_withdrawn", None)
    assert (ended["ended_at"] is not None, ended["version"]) == (True, versions[one["id"]] + 1)
    assert [status for status, *_ in events(superuser, one, "cancelled")] == ["cancelled"]
    closed = await seen(cast, done)
    assert (closed["status"], closed["disclosed"], closed["version"]) == ("completed", None, versions[done["id"]] + 1)
    for own in (one, done):
        assert told(superuser, own) == (False, False)
        assert row(superuser, own, "disclosed_until") == (None,)
    still = await seen(cast, refused)
    assert (still["status"], still["reason_code"]) == ("rejected", "no_capacity")
    assert (await seen(cast, other))["status"] == "requested"
    assert told(superuser, other) == (True, True)
    assert (await seen(cast, other_done))["disclosed"]["name"] == "Kong Sokhakolab"


async def test_with_the_case_ends_what_is_open_and_what_was_completed_goes_on(cast: Cast, superuser: Superuser) -> None:
    case_id = await client_of(cast, "id_poor")
    await agreed(cast, case_id)
    waiting, working, done, refused = [await refer(cast, case_id) for _ in range(4)]
    for own in (working, done):
        await move(cast, own, "accepted")
    await move(cast, done, "completed", outcome_code="attended")
    await move(cast, refused, "rejected", reason_code="no_capacity")
    elsewhere = await referred(cast)
    version = (await seen(cast, working))["version"]
    await close(cast, case_id)
    for own in (waiting, working):
        ended = await seen(cast, own)
        assert (ended["status"], ended["reason_code"]) == ("cancelled", "other")
        assert told(superuser, own) == (False, False)
        assert len(events(superuser, own, "cancelled")) == 1
        assert row(superuser, own, "disclosed_until") == (None,)
    assert (await seen(cast, working))["version"] == version + 1
    assert (await seen(cast, refused))["reason_code"] == "no_capacity"
    assert (await seen(cast, done))["disclosed"]["name"] == "Kong Sokhakolab"
    assert (await seen(cast, elsewhere))["status"] == "requested"


async def test_a_step_of_the_case_that_closes_nothing_ends_no_referral(cast: Cast, superuser: Superuser) -> None:
    case_id = await client_of(cast)
    await agreed(cast, case_id, purpose="services", organisation_id=None, shared_fields=[])
    await agreed(cast, case_id)
    referral = await refer(cast, case_id)
    step = {"to": "assessment"}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/transitions", json=step), 200)
    assert (await seen(cast, referral))["status"] == "requested"
    assert told(superuser, referral) == (True, True)


async def test_when_she_has_died_nothing_is_told_of_her_any_more(cast: Cast, superuser: Superuser) -> None:
    case_id = await client_of(cast)
    await agreed(cast, case_id)
    working, done = [await refer(cast, case_id) for _ in range(2)]
    for own in (working, done):
        await move(cast, own, "accepted")
    await move(cast, done, "completed", outcome_code="attended")
    body = {"to": "closed", "closure": {"reason": "died", "informed_can_return": None}, "reason": "He killed her."}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/transitions", json=body), 200)
    for own in (working, done):
        assert (await seen(cast, own))["disclosed"] is None
        assert told(superuser, own) == (False, False)


# ---- who follows it ----


async def test_the_own_organisations_systems_follow_standard_cases_and_lose_what_becomes_sensitive(cast: Cast) -> None:
    system = await newcomer(cast, Role.PARTNER, "ngo")
    elsewhere = await newcomer(cast, Role.PARTNER, "council")
    first, second, hidden = await standard(cast), await standard(cast), await referred(cast)
    followed = await seen(cast, first, system)
    assert (followed["disclosed"], followed["direction"], followed["external_id"]) == (None, "outgoing", None)
    assert "case_id" not in followed
    await seen(cast, first, elsewhere, 404)
    await seen(cast, hidden, system, 404)
    await move(cast, first, "cancelled", system, 403, reason_code="other")
    path = f"/cases/{first['case_id']}"
    match = {"If-Match": (await cast.client("caseworker").get(path)).headers["ETag"]}
    raised = {"sensitivity": "sensitive"}
    answered(await cast.client("caseworker").patch(path, json=raised, headers=match), 200)
    await seen(cast, first, system, 404)
    await seen(cast, second, system)


async def test_openings_are_of_that_referral_alone_and_read_by_who_works_on_the_case(
    cast: Cast, database: DatabaseUrls, superuser: Superuser
) -> None:
    case_id, _ = await with_liaison(cast)
    await agreed(cast, case_id, ["sex"])
    one, other = [await refer(cast, case_id, shared_fields=["sex"]) for _ in range(2)]
    for own in (one, other):
        await seen(cast, own)
        await move(cast, own, "accepted")
    await seen(cast, one)
    await break_glass(cast, superuser, case_id, "colleague")
    count = "select count(*) from referral_openings(%s)"
    found = {
        who: call_as(cast, database, who, count, one["id"])
        for who in ("caseworker", "liaison", "colleague", "stranger", "partner", "supervisor")
    }
    assert found == {"caseworker": 2, "liaison": 0, "colleague": 0, "stranger": 0, "partner": 0, "supervisor": 0}
    assert call_as(cast, database, "caseworker", count, other["id"]) == 1


async def test_a_number_is_known_to_the_partner_that_gave_it_and_to_nobody_else(
    cast: Cast, database: DatabaseUrls
) -> None:
    sender = await newcomer(cast, Role.PARTNER, "other_ngo")
    sent, other = await send(cast, who=sender), await send(cast)
    asked = "select referral_of_external_id(%s)::text"
    number = sent["external_id"]
    assert call_as(cast, database, sender, asked, number) == sent["id"]
    assert call_as(cast, database, sender, asked, f"{number}x") is None
    for who in ("partner", "other_supervisor", "stranger", "supervisor"):
        assert call_as(cast, database, who, asked, number) is None, who
    assert call_as(cast, database, "partner", asked, other["external_id"]) == other["id"]


async def test_nobody_sends_a_client_to_their_own_organisation(cast: Cast) -> None:
    system = await newcomer(cast, Role.PARTNER, "ngo")
    refused = await send(cast, 422, system)
    assert refused["errors"][0]["pointer"] == "/organisation_id"


SERVICE = """
    insert into services (id, version, created_at, updated_at, organisation_id, service_type, status, name, name_km,
                          languages, schedules, phones, locations)
    values (gen_random_uuid(), 1, now(), now(), %s, %s, 'active', 'Service', 'Service', '[]', '[]', '[]', '[]')
    returning id::text
"""


@pytest.mark.parametrize(("service_type", "before"), [("safe_abortion", False), ("general_health", True)])
async def test_which_service_of_the_directory_it_is_tells_no_recipient_what_is_protected(
    cast: Cast, superuser: Superuser, service_type: str, before: bool
) -> None:
    clinic = cast.organisation("clinic")
    made = superuser.execute(SERVICE.encode(), [clinic, service_type]).fetchone()
    assert made is not None
    referral = await referred(cast, service_type=service_type, service_id=made[0])
    assert referral["service_id"] == made[0]
    page = answered(await cast.client("partner").get("/referrals"), 200)["items"]
    [listed] = [one for one in page if one["id"] == referral["id"]]
    for one in (listed, await seen(cast, referral)):
        assert (one["service_id"] is not None, one["service_type"] is not None) == (before, before)
    await move(cast, referral, "accepted")
    assert (await seen(cast, referral))["service_id"] == made[0]


async def test_a_supervisor_whose_referral_makes_the_case_sensitive_is_answered_and_sees_it_no_more(
    cast: Cast,
) -> None:
    case_id = await client_of(cast, "id_poor")
    await agreed(cast, case_id)
    referral = await refer(cast, case_id, "supervisor", service_type="shelter")
    assert referral["service_type"] == "shelter"
    await seen(cast, referral, "supervisor", 404)
    answered(await cast.client("supervisor").post(f"/referrals/{referral['id']}/share", json={}), 404)
    assert (await seen(cast, referral, "caseworker"))["status"] == "requested"


async def test_a_number_of_a_partner_is_read_by_that_partner_alone(cast: Cast) -> None:
    system = await newcomer(cast, Role.PARTNER, "ngo")
    sent = await send(cast, category="id_poor")
    assert (await seen(cast, sent))["external_id"] == sent["external_id"]
    assert (await seen(cast, sent, system))["external_id"] is None
    page = answered(await cast.client(system).get("/referrals"), 200)["items"]
    assert [one["external_id"] for one in page if one["id"] == sent["id"]] == [None]


# ---- the worker ----


def as_worker(database: DatabaseUrls, clock: FrozenClock, call: str) -> Any:
    """What the worker's call answers, which waits for nobody."""
    with psycopg.connect(database.worker) as connection:
        connection.execute("select set_config('samaki.now', %s, true)", [clock().isoformat()])
        connection.execute("set local lock_timeout = '2s'")
        found = connection.execute(call.encode()).fetchone()
    return found and found[0]


async def test_the_worker_tells_and_closes_no_more_at_once_than_it_is_told_to(
    cast: Cast, clock: FrozenClock, database: DatabaseUrls, superuser: Superuser
) -> None:
    late = [await referred(cast, priority="stat") for _ in range(3)]
    clock.advance(hours=5)
    assert as_worker(database, clock, "select tell_overdue_referrals(1)") == 1
    as_worker(database, clock, "select tell_overdue_referrals(10000)")
    assert [len(events(superuser, one, "overdue")) for one in late] == [1, 1, 1]
    clock.advance(hours=5)
    as_worker(database, clock, "select tell_overdue_referrals(10000)")
    clock.advance(days=30)
    as_worker(database, clock, "select tell_overdue_referrals(10000)")
    assert [len(events(superuser, one, "overdue")) for one in late] == [2, 2, 2]


async def test_what_time_has_closed_is_destroyed_once_and_what_is_open_stays(
    cast: Cast, clock: FrozenClock, database: DatabaseUrls, superuser: Superuser
) -> None:
    past = await accepted(cast)
    clock.advance(days=80)
    there = await accepted(cast)
    clock.advance(days=10, seconds=1)
    as_worker(database, clock, "select close_disclosures(10000)")
    assert told(superuser, past) == (False, False)
    assert row(superuser, past, "disclosed_until") == (None,)
    assert told(superuser, there) == (True, True)
    assert as_worker(database, clock, "select close_disclosures(10000)") == 0


# ---- what waits, and for whom ----


@contextmanager
def meanwhile(urls: DatabaseUrls, values: dict[str, Any], second: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction in whose middle `second` begins elsewhere, and waits; both must come to their end."""
    outcome: list[Any] = []

    def run() -> None:
        with psycopg.connect(urls.admin) as connection:
            try:
                connection.execute("select set_config('samaki.now', %(now)s, true)", values)
                connection.execute(second.encode(), values)
                outcome.append(None)
            except psycopg.Error as error:
                outcome.append(error)

    thread = threading.Thread(target=run)
    with psycopg.connect(urls.runtime) as first, psycopg.connect(urls.admin, autocommit=True) as watcher:
        first.execute("select from begin_request(%(session)s, %(now)s)", values)
        first.execute("select hold_referral(%(id)s)", values)
        thread.start()
        waiting = (
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        while thread.is_alive() and watcher.execute(waiting.encode()).fetchone() == (0,):
            thread.join(0.005)
        assert outcome == [], "the second waits for the first"
        yield first
        first.commit()
        thread.join()
    assert outcome == [None]


REJECT = "select move_referral(%(id)s, 'rejected', 'other', null, null, null, null, null, 'rejected')"
ERASE = "select erase_rows_of(c.id) from (select id from cases where id = %(case)s for update) c"
WITHDRAW = "update consents set withdrawn_at = created_at where case_id = %(case)s and purpose = 'referral'"


async def a_step_and(cast: Cast, database: DatabaseUrls, second: str) -> Any:
    referral = await referred(cast)
    values = {
        "id": referral["id"],
        "case": referral["case_id"],
        "session": cast.sessions["partner"],
        "now": cast.clock().isoformat(),
    }
    with meanwhile(database, values, second) as first:
        first.execute(REJECT.encode(), values)
    return referral


async def test_a_step_and_a_withdrawal_at_once_both_come_to_their_end(
    cast: Cast, database: DatabaseUrls, superuser: Superuser
) -> None:
    referral = await a_step_and(cast, database, WITHDRAW)
    assert one_status(superuser, referral) == "rejected"
    assert told(superuser, referral) == (False, False)


async def test_a_step_and_an_erasure_at_once_both_come_to_their_end(cast: Cast, database: DatabaseUrls) -> None:
    referral = await a_step_and(cast, database, ERASE)
    await seen(cast, referral, status=404)


async def test_the_worker_goes_past_a_case_that_is_being_erased(
    cast: Cast, clock: FrozenClock, database: DatabaseUrls, superuser: Superuser
) -> None:
    late, past = await referred(cast, priority="stat"), await accepted(cast)
    clock.advance(days=90, seconds=1)
    with psycopg.connect(database.admin) as erasing:
        ids = [late["case_id"], past["case_id"]]
        erasing.execute("select from cases where id = any (%s::uuid[]) for update", [ids])
        as_worker(database, clock, "select tell_overdue_referrals(10000)")
        as_worker(database, clock, "select close_disclosures(10000)")
        assert events(superuser, late, "overdue") == []
        assert told(superuser, past) == (True, True)
    as_worker(database, clock, "select tell_overdue_referrals(10000)")
    as_worker(database, clock, "select close_disclosures(10000)")
    assert len(events(superuser, late, "overdue")) == 1
    assert told(superuser, past) == (False, False)
