"""The walls of webhooks and of the feed, in sentences that need nothing but a database: mutants meet them."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from app.models.codes.people import Role
from tests.acts import call_as
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.hooking import Partner, partner, receiving, system_of, there
from tests.referring import client_of
from tests.test_event_feed import PUT

Superuser = psycopg.Connection[Any]
CLAIM = "select id, claim, attempts from claim_deliveries(%s, %s, %s, interval '30 seconds')"
SETTLE = "select settle_deliveries(%s, %s, %s, %s, %s, %s, %s)"
MATCH = {"If-Match": "*"}
FIRST, LAST = UUID(int=1), UUID(int=2**128 - 1)


async def exclude(cast: Cast, case_id: str, who: str) -> str:
    body = {"user_id": cast.id(who), "reason_code": "client_wish"}
    made = answered(await cast.client("caseworker").post(f"/cases/{case_id}/exclusions", json=body), 201)
    return str(made["id"])


async def colleague_of(clinic: Partner) -> str:
    name = f"colleague_{uuid4().hex[:8]}"
    await clinic.cast.add(name, Role.PARTNER, clinic.name, [])
    return name


async def test_an_event_waits_for_the_webhook_of_its_partner_and_of_nobody_else(
    cast: Cast, database: DatabaseUrls
) -> None:
    async with there(cast, database) as one, there(cast, database) as other:
        referral = await one.clinic.referred()
        await other.clinic.referred()
        assert [d["referral_id"] for d in await one.clinic.deliveries(one.hook)] == [referral["id"]]
        await one.work.round()
        assert len(one.receiver.of(referral)) == len(one.receiver.got) == 1
        assert other.receiver.of(referral) == []
        assert await other.clinic.call("GET", "/webhooks", 200) == {
            "items": [await other.clinic.call("GET", other.path, 200)],
            "next_cursor": None,
        }


async def test_only_the_chosen_types_wait_and_only_while_it_is_active(cast: Cast, database: DatabaseUrls) -> None:
    async with there(cast, database) as here:
        await here.clinic.call("PATCH", here.path, 200, json={"events": ["referral.accepted"]}, headers=MATCH)
        referral = await here.clinic.referred()
        await here.clinic.move(referral, "accepted")
        await here.clinic.call("PATCH", here.path, 200, json={"active": False, "events": ["referral.*"]}, headers=MATCH)
        await here.clinic.move(referral, "in_progress")
        assert [one["type"] for one in await here.clinic.deliveries(here.hook)] == ["referral.accepted"]
        await here.work.round()
        assert here.receiver.got == []
        await here.clinic.call("PATCH", here.path, 200, json={"active": True}, headers=MATCH)
        await here.work.round()
        assert [one.status for one in here.receiver.got] == ["accepted"]
        since = {"since": (cast.clock() - timedelta(hours=1)).isoformat()}
        assert (await here.clinic.call("POST", f"{here.path}/redeliver", 202, json=since))["queued"] == 3
        await here.work.round()
        assert [one.status for one in here.receiver.got[1:]] == ["requested", "accepted", "in_progress"]
        async with receiving() as second:  # of two, one is paused
            beside = await here.clinic.hook(second.url)
            await here.clinic.referred()
            path = f"/webhooks/{beside['id']}"
            await here.clinic.call("PATCH", path, 200, json={"active": False}, headers=MATCH)
            await here.work.round()
            assert second.got == []


async def test_what_the_keeper_may_not_know_does_not_wait_is_not_sent_and_not_replayed(
    cast: Cast, database: DatabaseUrls, superuser: Superuser
) -> None:
    count = "select count(*) from webhook_deliveries where referral_id = %s"
    async with there(cast, database) as here:
        before, after = await client_of(cast), await client_of(cast)
        await exclude(cast, before, here.clinic.name)
        never = await here.clinic.referred(before)
        assert superuser.execute(count, [never["id"]]).fetchone() == (0,)
        once = await here.clinic.referred(after)
        assert superuser.execute(count, [once["id"]]).fetchone() == (1,)
        exclusion = await exclude(cast, after, here.clinic.name)
        assert await here.clinic.deliveries(here.hook) == []
        await here.work.round()
        assert here.receiver.got == []
        assert superuser.execute(count, [once["id"]]).fetchone() == (0,)
        since = {"since": (cast.clock() - timedelta(hours=1)).isoformat()}
        assert (await here.clinic.call("POST", f"{here.path}/redeliver", 202, json=since))["queued"] == 0
        colleague = await colleague_of(here.clinic)  # who may know it, and has it sent nowhere else
        assert (await here.clinic.call("POST", f"{here.path}/redeliver", 202, colleague, json=since))["queued"] == 0
        superuser.execute("update case_exclusions set lifted_at = created_at where origin_id = %s", [exclusion])
        assert (await here.clinic.call("POST", f"{here.path}/redeliver", 202, json=since))["queued"] == 1
        await here.work.round()
        assert len(here.receiver.of(once)) == len(here.receiver.got) == 1


async def test_an_excluded_colleague_of_the_keeper_sees_and_replays_nothing(
    cast: Cast, database: DatabaseUrls, superuser: Superuser
) -> None:
    async with there(cast, database) as here:
        referral = await here.clinic.referred()
        colleague = await colleague_of(here.clinic)
        await exclude(cast, referral["case_id"], colleague)
        (delivery,) = await here.clinic.deliveries(here.hook)
        assert await here.clinic.deliveries(here.hook, colleague) == []
        assert (await here.clinic.events(colleague))["items"] == []
        again = f"{here.path}/redeliver"
        since = {"since": (cast.clock() - timedelta(hours=1)).isoformat()}
        assert (await here.clinic.call("POST", again, 202, colleague, json=since))["queued"] == 0
        await here.clinic.call("POST", again, 404, colleague, json={"event_id": delivery["event_id"]})
        superuser.execute("update webhook_deliveries set status = 'dead' where id = %s", [delivery["id"]])
        assert (await here.clinic.call("POST", again, 202, colleague, json={"dead": True}))["queued"] == 0
        assert (await here.clinic.call("POST", again, 202, json={"dead": True}))["queued"] == 1


async def test_of_the_cases_own_organisation_only_standard_cases_are_told(
    cast: Cast, database: DatabaseUrls, superuser: Superuser
) -> None:
    clinic, sender = await partner(cast), f"sender_{uuid4().hex[:8]}"
    await cast.add(sender, Role.PARTNER, "ngo", [])
    ngo = Partner(cast, sender, cast.organisation("ngo"))
    count = "select count(*) from webhook_deliveries where referral_id = %s and webhook_id = %s"
    async with receiving() as receiver, there(cast, database) as here:
        hook = await ngo.hook(receiver.url)
        try:
            standard = await clinic.referred(await open_case(cast))
            later_sensitive = await clinic.referred(await open_case(cast))
            sensitive = await clinic.referred()
            path = f"/cases/{later_sensitive['case_id']}"
            raised = {"sensitivity": "sensitive"}
            answered(await cast.client("caseworker").patch(path, json=raised, headers=MATCH), 200)
            assert superuser.execute(count, [sensitive["id"], hook["id"]]).fetchone() == (0,)
            await here.work.round()
            assert len(receiver.of(standard)) == 1
            assert receiver.of(later_sensitive) == receiver.of(sensitive) == []
            events = {one["data"]["referral_id"] for one in (await ngo.events(limit=200))["items"]}
            assert standard["id"] in events
            assert not events & {later_sensitive["id"], sensitive["id"]}
        finally:
            await ngo.call("DELETE", f"/webhooks/{hook['id']}", 204, headers=MATCH)


async def test_the_events_of_one_referral_wait_for_each_other_and_for_no_other(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock
) -> None:
    async with there(cast, database) as here:
        here.receiver.answer = lambda message: 500 if message.status == "requested" else 204
        one, other = await here.clinic.referred(), await here.clinic.referred()
        await here.clinic.move(one, "accepted")
        await here.work.round()
        assert sorted(message.status for message in here.receiver.got) == ["requested", "requested"]
        here.receiver.answer = lambda _: 204
        await here.work.round()
        assert len(here.receiver.got) == 2  # five seconds are not over
        clock.advance(seconds=5)
        await here.work.round()
        assert [message.status for message in here.receiver.of(one)] == ["requested"] * 2 + ["accepted"]
        assert [message.status for message in here.receiver.of(other)] == ["requested"] * 2


async def test_what_is_dead_holds_up_nothing(cast: Cast, database: DatabaseUrls, superuser: Superuser) -> None:
    async with there(cast, database) as here:
        referral = await here.clinic.referred()
        superuser.execute("update webhook_deliveries set status = 'dead' where referral_id = %s", [referral["id"]])
        await here.clinic.move(referral, "accepted")
        await here.work.round()
        assert [message.status for message in here.receiver.got] == ["accepted"]


async def test_events_of_a_referral_have_their_places_even_where_the_later_began_before(
    cast: Cast, database: DatabaseUrls, superuser: Superuser
) -> None:
    async with there(cast, database) as here:
        referral = await here.clinic.referred()
        write = """insert into events (id, case_id, organisation_id, type, audience, at, actor_id, data, referral_id,
                                       partner_id)
                   select %s, r.case_id, r.organisation_id, 'referral.message', 'caseworkers', %s, r.created_by,
                          jsonb_build_object('status', %s::text), r.id, r.partner_id from referrals r where r.id = %s"""
        hold = "select from referrals where id = %s for no key update"
        clock = "select set_config('samaki.now', %s, true)"
        with psycopg.connect(database.admin) as first, psycopg.connect(database.admin) as second:
            for connection in (first, second):
                connection.execute(clock, [cast.clock().isoformat()])
                connection.execute("select pg_current_xact_id()")  # the first has the lower number
            second.execute(hold, [referral["id"]])
            second.execute(write, [uuid4(), cast.clock(), "accepted", referral["id"]])
            second.commit()
            first.execute(hold, [referral["id"]])
            first.execute(write, [uuid4(), cast.clock(), "cancelled", referral["id"]])
            first.commit()
        await here.work.round()
        assert [message.status for message in here.receiver.got] == ["requested", "accepted", "cancelled"]
        again = {"since": (cast.clock() - timedelta(hours=1)).isoformat()}
        await here.clinic.call("POST", f"{here.path}/redeliver", 202, json=again)
        await here.work.round()
        assert [message.status for message in here.receiver.got[3:]] == ["requested", "accepted", "cancelled"]


async def test_what_is_taken_is_taken_once_until_the_lease_is_over(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock
) -> None:
    async with there(cast, database) as here:
        await here.clinic.referred()

        async def own(each: int = 500) -> list[Any]:
            mine = {str(one["id"]) for one in await here.clinic.deliveries(here.hook)}
            taken = await (await here.work.connection.execute(CLAIM, [clock(), 10_000, each])).fetchall()
            return [row for row in taken if str(row[0]) in mine]

        assert len(await own()) == 1
        assert await own() == []
        clock.advance(seconds=31)
        (late,) = await own()
        clock.advance(seconds=31)
        (now,) = await own()
        failed = [[False], [500], [None], [5]]
        await here.work.connection.execute(SETTLE, [clock(), [late[0]], [late[1]], *failed])  # too slow: says nothing
        assert [one["attempts"] for one in await here.clinic.deliveries(here.hook)] == [0]
        await here.work.connection.execute(SETTLE, [clock(), [now[0]], [now[1]], *failed])
        (delivery,) = await here.clinic.deliveries(here.hook)
        assert (delivery["status"], delivery["attempts"], delivery["last_status_code"]) == ("pending", 1, 500)
        assert await own() == []
        clock.advance(seconds=5)
        assert [row[2] for row in await own()] == [1]


async def test_one_organisation_has_only_so_many_on_their_way_at_once(
    cast: Cast, database: DatabaseUrls, superuser: Superuser
) -> None:
    on_its_way = "select count(*) from webhook_deliveries where webhook_id = %s and claim is not null"
    async with there(cast, database) as here:
        case_id = await client_of(cast)
        for _ in range(4):
            await here.clinic.referred(case_id)
        for _ in range(2):
            await here.work.connection.execute(CLAIM, [cast.clock(), 10_000, 2])
        assert superuser.execute(on_its_way, [here.hook["id"]]).fetchone() == (2,)
        await here.work.connection.execute(CLAIM, [cast.clock(), 0, 500])
        assert superuser.execute(on_its_way, [here.hook["id"]]).fetchone() == (2,)


async def test_nothing_is_sent_for_an_organisation_that_is_shut_out(
    cast: Cast, database: DatabaseUrls, superuser: Superuser
) -> None:
    shut = "update organisations set active = %s where id = %s"
    async with there(cast, database) as here:
        await here.clinic.referred()
        superuser.execute(shut, [False, here.clinic.organisation_id])
        await here.work.round()
        assert here.receiver.got == []
        superuser.execute(shut, [True, here.clinic.organisation_id])
        await here.work.round()
        assert len(here.receiver.got) == 1


async def test_410_ends_the_attempt_and_stops_this_webhook_alone(cast: Cast, database: DatabaseUrls) -> None:
    async with there(cast, database) as gone, there(cast, database) as other:
        gone.receiver.answer = lambda _: 410
        await gone.clinic.referred()
        await gone.work.round()
        stopped = await gone.clinic.call("GET", gone.path, 200)
        assert (stopped["active"], stopped["stopped_because"], stopped["version"]) == (False, "gone", 2)
        assert (await other.clinic.call("GET", other.path, 200))["active"]
        assert [one["status"] for one in await gone.clinic.deliveries(gone.hook)] == ["dead"]


@pytest.mark.parametrize("change", ["active = false", "role = 'auditor'", "organisation_id = null"])
async def test_a_webhook_stops_when_its_keeper_is_no_partner_there_any_more(
    cast: Cast, database: DatabaseUrls, superuser: Superuser, change: str
) -> None:
    async with there(cast, database) as here, there(cast, database) as other:
        colleague = await colleague_of(here.clinic)
        rename = "update users set display_name = 'Another' where id = %s"
        superuser.execute(rename, [cast.id(here.clinic.name)])
        assert (await here.clinic.call("GET", here.path, 200, colleague))["active"]
        superuser.execute(f"update users set {change} where id = %s".encode(), [cast.id(here.clinic.name)])
        stopped = await here.clinic.call("GET", here.path, 200, colleague)
        assert (stopped["active"], stopped["stopped_because"], stopped["version"]) == (False, "keeper_left", 2)
        assert (await other.clinic.call("GET", other.path, 200))["active"]


async def test_only_a_person_of_the_own_organisation_writes_and_answers_for_it(
    cast: Cast, database: DatabaseUrls
) -> None:
    put = """insert into webhooks (id, version, created_at, updated_at, organisation_id, created_by, keeper_id, url,
                                   events, active, sealed)
             values (gen_random_uuid(), 1, now(), now(), %s, %s, %s, 'https://elsewhere.example', '{}', true, '')"""
    change = "update webhooks set url = 'https://elsewhere.example', keeper_id = %s where id = %s"
    async with there(cast, database) as here:
        me, system, other = here.clinic.name, await system_of(cast, here.clinic), await partner(cast)
        own = here.clinic.organisation_id
        with psycopg.connect(database.runtime) as connection:

            def begin(who: str) -> None:
                connection.rollback()
                connection.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])

            def refused(statement: str, *values: Any) -> bool:
                try:
                    return connection.execute(statement.encode(), values).rowcount == 0
                except psycopg.errors.InsufficientPrivilege:
                    return True

            for who, organisation, created_by, keeper in (
                (system, own, system, system),
                (me, other.organisation_id, me, me),
                (me, own, me, system),
                (me, own, system, me),
                ("caseworker", cast.organisation("ngo"), "caseworker", "caseworker"),
            ):
                begin(who)
                assert refused(put, organisation, cast.id(created_by), cast.id(keeper))
            for who, keeper in ((system, system), (other.name, other.name), (me, system)):
                begin(who)
                assert refused(change, cast.id(keeper), here.hook["id"])
            for who in (system, other.name):
                begin(who)
                assert refused("delete from webhooks where id = %s", here.hook["id"])
            for statement in ("insert into webhook_deliveries default values", "delete from webhook_deliveries"):
                begin(me)
                assert refused(statement)
            begin(me)
            assert not refused(put, own, cast.id(me), cast.id(me))
            assert not refused(change, cast.id(me), here.hook["id"])
            assert not refused("delete from webhooks where id = %s", here.hook["id"])
            begin(system)
            assert not refused("select from webhooks where id = %s", here.hook["id"])
            begin(other.name)
            assert refused("select from webhooks where id = %s", here.hook["id"])
            assert refused("select from webhook_deliveries")


async def test_a_supervisor_of_the_organisation_that_is_asked_has_no_feed(cast: Cast, database: DatabaseUrls) -> None:
    """Supervisors see referrals to their organisation; the stream is its partner accounts' alone."""
    async with there(cast, database) as here:
        await here.clinic.referred()
        supervisor = f"supervisor_{uuid4().hex[:8]}"
        await cast.add(supervisor, Role.SUPERVISOR, here.clinic.name, [])
        with psycopg.connect(database.runtime) as connection:
            connection.execute("select from begin_request(%s, %s)", [cast.sessions[supervisor], cast.clock()])
            for table in ("events", "webhooks", "webhook_deliveries"):
                assert connection.execute(f"select from {table}".encode()).rowcount == 0
            redeliver, since = "select redeliver(%s, null, %s, 10)", cast.clock() - timedelta(hours=1)
            assert connection.execute(redeliver, [here.hook["id"], since]).fetchone() == (0,)
            connection.rollback()
            another = (await partner(cast)).name
            connection.execute("select from begin_request(%s, %s)", [cast.sessions[another], cast.clock()])
            assert connection.execute(redeliver, [here.hook["id"], since]).fetchone() == (0,)
            connection.rollback()
            connection.execute("select from begin_request(%s, %s)", [cast.sessions[here.clinic.name], cast.clock()])
            assert connection.execute(redeliver, [here.hook["id"], since]).fetchone() == (1,)


async def test_a_replay_takes_what_is_asked_for_and_no_more(
    cast: Cast, database: DatabaseUrls, superuser: Superuser, clock: FrozenClock
) -> None:
    async with there(cast, database) as here:
        again = f"{here.path}/redeliver"
        old = await here.clinic.referred()
        clock.advance(hours=1)
        referral = await here.clinic.referred()
        await here.work.round()
        since = {"since": clock().isoformat()}
        assert (await here.clinic.call("POST", again, 202, json=since))["queued"] == 1
        await here.work.round()
        assert [len(here.receiver.of(one)) for one in (old, referral)] == [1, 2]
        await here.clinic.call("PATCH", here.path, 200, json={"events": ["referral.accepted"]}, headers=MATCH)
        assert (await here.clinic.call("POST", again, 202, json=since))["queued"] == 0
        event_id = here.receiver.of(old)[0].event_id
        await here.clinic.call("POST", again, 404, json={"event_id": event_id})
        await here.clinic.call("PATCH", here.path, 200, json={"events": ["referral.requested"]}, headers=MATCH)
        assert (await here.clinic.call("POST", again, 202, json={"event_id": event_id}))["queued"] == 1
        (waiting,) = await here.clinic.deliveries(here.hook, status="pending")
        assert (waiting["event_id"], waiting["attempts"], waiting["delivered_at"]) == (event_id, 0, None)
        await here.work.round()
        assert [len(here.receiver.of(one)) for one in (old, referral)] == [2, 2]
        with psycopg.connect(database.runtime) as connection:
            connection.execute("select from begin_request(%s, %s)", [cast.sessions[here.clinic.name], clock()])
            too_many = connection.execute(
                "select redeliver(%s, null, %s, 1)", [here.hook["id"], clock() - timedelta(hours=2)]
            )
            assert too_many.fetchone() == (2,)
        assert {one["status"] for one in await here.clinic.deliveries(here.hook)} == {"delivered"}
        superuser.execute("update webhook_deliveries set status = 'dead' where event_id = %s", [event_id])
        assert (await here.clinic.call("POST", again, 202, json={"dead": True}))["queued"] == 1
        other = await partner(cast)
        await other.call("POST", again, 404, json={"dead": True})


async def test_an_old_secret_signs_until_its_time_is_over(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock
) -> None:
    async with there(cast, database) as here:
        referral = await here.clinic.referred()
        await here.clinic.call("POST", f"{here.path}/rotate-secret", 200, headers=MATCH)
        await here.work.round()
        clock.advance(days=1, seconds=1)
        await here.clinic.move(referral, "accepted")
        await here.work.round()
        assert [len(one.headers["webhook-signature"].split()) for one in here.receiver.got] == [2, 1]


async def test_what_has_arrived_is_forgotten_after_thirty_days_and_nothing_else_is(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock, superuser: Superuser
) -> None:
    async with there(cast, database) as here:
        await here.clinic.referred()
        dead, young = await here.clinic.referred(), await here.clinic.referred()
        await here.work.round()
        superuser.execute("update webhook_deliveries set status = 'dead' where referral_id = %s", [dead["id"]])
        clock.advance(days=30)
        later = "update webhook_deliveries set delivered_at = %s where referral_id = %s"
        superuser.execute(later, [clock() - timedelta(days=29), young["id"]])
        superuser.execute("select set_config('samaki.now', %s, false)", [clock().isoformat()])
        superuser.execute("select forget_deliveries(0)")
        assert len(await here.clinic.deliveries(here.hook)) == 3
        while superuser.execute("select forget_deliveries(500)").fetchone() == (500,):
            pass
        left = await here.clinic.deliveries(here.hook)
        assert {one["referral_id"] for one in left} == {dead["id"], young["id"]}


async def test_a_webhook_is_taken_away_beside_a_worker_that_settles(
    cast: Cast, database: DatabaseUrls, superuser: Superuser
) -> None:
    """Each takes several deliveries, in an order of its own: without the webhook between them they stop each other."""
    clinic = await partner(cast)
    hook = await clinic.hook("http://127.0.0.1:9/x")
    for _ in range(2):
        await clinic.referred()
    clock = cast.clock()
    with psycopg.connect(database.worker) as worker:
        taken = worker.execute(CLAIM, [clock, 256, 16]).fetchall()
        worker.commit()
        placed = superuser.execute(
            "select id from webhook_deliveries where webhook_id = %s order by ctid", [hook["id"]]
        ).fetchall()
        claims = {row[0]: row[1] for row in taken}
        first, second = (([row[0]], [claims[row[0]]]) for row in placed)
        rest = [[False], [500], [None], [60]]
        worker.execute(SETTLE, [clock, *second, *rest])
        path = f"/webhooks/{hook['id']}"
        asked = asyncio.create_task(cast.client(clinic.name).delete(path, headers=MATCH))
        waits = "select exists (select from pg_locks where not granted and locktype in ('transactionid', 'tuple'))"
        async with asyncio.timeout(20):
            while superuser.execute(waits).fetchone() != (True,):  # noqa: ASYNC110 (of another process)
                await asyncio.sleep(0.005)
        worker.execute(SETTLE, [clock, *first, *rest])
        worker.commit()
    assert (await asked).status_code == 204


async def test_who_waited_for_a_referral_comes_after_who_was_before_it(
    cast: Cast, superuser: Superuser, database: DatabaseUrls
) -> None:
    """The number of a transaction says when it began, not when it came to the referral's turn."""
    clinic = await partner(cast)
    await clinic.referred()  # whose events count for nothing here
    referral = await clinic.referred()
    start = (await clinic.events())["next_cursor"]
    with psycopg.connect(database.admin) as slow:
        slow.execute("select set_config('samaki.now', %s, true), pg_current_xact_id()", [cast.clock().isoformat()])
        await clinic.move(referral, "accepted")
        slow.execute(PUT, [LAST, cast.clock(), referral["id"]])
        slow.execute(PUT, [FIRST, cast.clock(), referral["id"]])  # two of one transaction, ids the other way round
        assert (await clinic.events(after=start))["items"] == []
        slow.commit()
    await clinic.move(referral, "cancelled", reason_code="other")
    for limit in (1, 2, 50):
        read, after = [], start
        while page := (answer := await clinic.events(after=after, limit=limit))["items"]:
            read += [one["id"] if one["id"] in {str(FIRST), str(LAST)} else one["data"]["status"] for one in page]
            after = answer["next_cursor"]
        assert read == ["accepted", str(LAST), str(FIRST), "cancelled"]
    places = superuser.execute(
        "select array_agg(referral_place order by xid, referral_place) from events where referral_id = %s",
        [referral["id"]],
    ).fetchone()
    assert places == ([1, 2, 3, 4, 5],)


async def test_where_an_event_stands_is_told_to_partners_accounts_alone(cast: Cast, database: DatabaseUrls) -> None:
    async with there(cast, database) as here:
        await here.clinic.referred()
        [event] = (await here.clinic.events())["items"]
        asked = "select count(*) from feed_place(%s)"
        assert call_as(cast, database, here.clinic.name, asked, event["id"]) == 1
        for who in ("caseworker", "supervisor", "liaison", "auditor"):
            assert call_as(cast, database, who, asked, event["id"]) == 0
