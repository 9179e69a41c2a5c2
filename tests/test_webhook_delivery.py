"""Events on their way to a partner: signed, in order, again and again, and never one that is not for it."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from app.database_urls import DatabaseUrls
from app.webhooks.schedule import RETRIES
from tests.cast import Cast, FrozenClock, answered
from tests.hooking import Partner, Receiver, Work, partner, receiving
from tests.referring import client_of

Superuser = psycopg.Connection[Any]
MATCH = {"If-Match": "*"}


@pytest.fixture
async def clinic(cast: Cast) -> Partner:
    return await partner(cast)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
async def work(cast: Cast, clock: FrozenClock, database: DatabaseUrls) -> AsyncIterator[Work]:
    async with await psycopg.AsyncConnection.connect(database.worker, autocommit=True) as connection:
        yield Work(connection, cast, clock)


async def test_a_message_is_thin_signed_and_the_one_of_the_feed(
    clinic: Partner, receiver: Receiver, work: Work, superuser: Superuser
) -> None:
    hook = await clinic.hook(receiver.url)
    referral = await clinic.referred()
    await _round_by_the_real_clock(work, superuser, hook)
    (message,) = receiver.got
    fed = (await clinic.events())["items"][-1]
    assert message.event_id == fed.pop("id")
    assert message.told == fed
    assert message.told["data"] == {"referral_id": referral["id"], "status": "requested"}
    assert message.told["type"] == "referral.requested"
    assert Webhook(hook["secret"]).verify(message.body, message.headers) == message.told
    with pytest.raises(WebhookVerificationError):
        Webhook(hook["secret"]).verify(message.body.replace(b"requested", b"accepted"), message.headers)
    for hidden in (referral["case_id"], "Kolab", "general_health", referral["code"]):
        assert hidden not in message.body.decode() + str(message.headers)


async def test_after_a_rotation_both_secrets_verify_until_the_old_one_ends(
    clinic: Partner, receiver: Receiver, work: Work, superuser: Superuser
) -> None:
    ends = (
        "update webhooks set previous_until = %s where id = %s"  # by the real clock, by which signatures are verified
    )
    old = await clinic.hook(receiver.url)
    path = f"/webhooks/{old['id']}/rotate-secret"
    referral = await clinic.referred()
    until = datetime.now(UTC) + timedelta(days=1)
    new = await clinic.call("POST", path, 200, headers=MATCH)
    superuser.execute(ends, [until, old["id"]])
    await _verified_round(work, superuser, receiver, [old, new])
    superuser.execute(ends, [datetime.now(UTC) - timedelta(seconds=1), old["id"]])
    await clinic.move(referral, "accepted")
    await _verified_round(work, superuser, receiver, [new], not_by=[old])
    newest = await clinic.call("POST", path, 200, headers=MATCH)
    superuser.execute(ends, [until, old["id"]])
    await clinic.move(referral, "in_progress")
    await _verified_round(work, superuser, receiver, [new, newest], not_by=[old])


async def _round_by_the_real_clock(work: Work, superuser: Superuser, hook: Any) -> None:
    """Whoever verifies a signature looks at a real clock, before which the tests' own may have run far ahead."""
    due = "update webhook_deliveries set next_attempt_at = now() where webhook_id = %s and status = 'pending'"
    superuser.execute(due, [hook["id"]])
    work.clock = None
    await work.round()


async def _verified_round(
    work: Work, superuser: Superuser, receiver: Receiver, by: list[Any], not_by: list[Any] | None = None
) -> None:
    await _round_by_the_real_clock(work, superuser, by[0])
    message = receiver.got[-1]
    for hook in by:
        assert Webhook(hook["secret"]).verify(message.body, message.headers) == message.told
    for hook in not_by or []:
        with pytest.raises(WebhookVerificationError):
            Webhook(hook["secret"]).verify(message.body, message.headers)


async def test_only_what_was_chosen_is_sent(clinic: Partner, receiver: Receiver, work: Work) -> None:
    await clinic.hook(receiver.url, "referral.accepted", "referral.completed")
    referral = await clinic.referred()
    await clinic.move(referral, "accepted")
    await clinic.move(referral, "in_progress")
    await clinic.move(referral, "completed", outcome_code="attended")
    await work.round()
    assert [one.told["type"] for one in receiver.got] == ["referral.accepted", "referral.completed"]


async def test_a_receiver_that_is_down_for_an_hour_misses_nothing_and_gets_it_in_order(
    clinic: Partner, receiver: Receiver, work: Work, clock: FrozenClock
) -> None:
    receiver.answer = lambda _: 500
    hook = await clinic.hook(receiver.url)
    referrals = [await clinic.referred() for _ in range(2)]
    for minute in range(60):
        await work.round()
        if minute == 1:
            for referral in referrals:
                await clinic.move(referral, "accepted")
        if minute == 2:
            await clinic.move(referrals[0], "in_progress")
        clock.advance(minutes=1)
    assert {one.status for one in receiver.got} == {"requested"}  # nothing overtakes what has not arrived
    receiver.answer = lambda _: 204
    before = len(receiver.got)
    clock.advance(hours=2)
    await work.round()
    arrived = receiver.got[before:]
    statuses = [[one.status for one in arrived if one.told["data"]["referral_id"] == r["id"]] for r in referrals]
    assert statuses == [["requested", "accepted", "in_progress"], ["requested", "accepted"]]
    assert {one["status"] for one in await clinic.deliveries(hook)} == {"delivered"}
    assert len({one.event_id for one in receiver.got}) == 5  # the same id at every attempt


async def test_a_receiver_that_cannot_be_reached_is_a_failed_attempt(clinic: Partner, work: Work) -> None:
    async with receiving() as gone:
        hook = await clinic.hook(gone.url)
    await clinic.referred()
    await work.round()
    (delivery,) = await clinic.deliveries(hook)
    assert (delivery["status"], delivery["attempts"], delivery["last_problem"]) == ("pending", 1, "connection_failed")
    assert delivery["last_status_code"] is None


@pytest.mark.parametrize("status", [500, 503, 429, 400, 301, 302, 307, 304, 300, 404])
async def test_only_2xx_says_that_it_has_arrived(clinic: Partner, work: Work, status: int) -> None:
    async with receiving() as elsewhere, receiving(answer=lambda _: status, location=elsewhere.url) as receiver:
        hook = await clinic.hook(receiver.url)
        await clinic.referred()
        await work.round()
        (delivery,) = await clinic.deliveries(hook)
        assert (delivery["status"], delivery["last_status_code"]) == ("pending", status)
        assert elsewhere.connections == 0  # no redirect is followed


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_2xx_is_enough(clinic: Partner, receiver: Receiver, work: Work, status: int) -> None:
    receiver.answer = lambda _: status
    hook = await clinic.hook(receiver.url)
    await clinic.referred()
    await work.round()
    (delivery,) = await clinic.deliveries(hook)
    assert (delivery["status"], delivery["last_status_code"], delivery["next_attempt_at"]) == (
        "delivered",
        status,
        None,
    )


async def test_it_is_tried_ten_times_as_the_schedule_says_and_is_then_visibly_dead(
    clinic: Partner, receiver: Receiver, work: Work, clock: FrozenClock
) -> None:
    receiver.answer = lambda _: 500
    hook = await clinic.hook(receiver.url)
    referral = await clinic.referred()
    for number, wait in enumerate(RETRIES, start=1):
        await work.round()
        assert len(receiver.got) == number
        (delivery,) = await clinic.deliveries(hook)
        assert datetime.fromisoformat(delivery["next_attempt_at"]) == clock() + wait
        clock.advance(seconds=wait.total_seconds() - 1)
        await work.round()
        assert len(receiver.got) == number  # not before its time
        clock.advance(seconds=1)
    await clinic.move(referral, "accepted")
    await work.round()
    dead = await clinic.deliveries(hook, status="dead")
    assert [(one["type"], one["attempts"], one["next_attempt_at"]) for one in dead] == [
        ("referral.requested", 10, None)
    ]
    clock.advance(days=30)
    before = len(receiver.of(referral))
    await work.round()
    assert "requested" not in {one.status for one in receiver.of(referral)[before:]}
    assert {one.status for one in receiver.of(referral)} == {"requested", "accepted"}  # what is dead holds nothing up


def test_the_schedule_is_the_agreed_one() -> None:
    seconds, minutes, hours = [5], [5, 30], [2, 5, 10, 14, 20, 24]
    waits = [*seconds, *(one * 60 for one in minutes), *(one * 3600 for one in hours)]
    assert [wait.total_seconds() for wait in RETRIES] == waits


async def test_410_stops_the_webhook_until_somebody_starts_it_again(
    clinic: Partner, receiver: Receiver, work: Work, clock: FrozenClock
) -> None:
    receiver.answer = lambda _: 410
    hook = await clinic.hook(receiver.url)
    path = f"/webhooks/{hook['id']}"
    referral = await clinic.referred()
    await work.round()
    stopped = await clinic.call("GET", path, 200)
    assert (stopped["active"], stopped["stopped_because"]) == (False, "gone")
    receiver.answer = lambda _: 204
    await clinic.move(referral, "accepted")
    clock.advance(days=2)
    await work.round()
    assert len(receiver.got) == 1
    await clinic.call("PATCH", path, 200, json={"active": True}, headers=MATCH)
    since = (clock() - timedelta(days=3)).isoformat()
    assert (await clinic.call("POST", f"{path}/redeliver", 202, json={"since": since}))["queued"] == 2
    await work.round()
    assert [one.status for one in receiver.got[1:]] == ["requested", "accepted"]


async def test_an_answer_that_comes_too_late_is_none_and_holds_up_nobody_else(
    cast: Cast, clinic: Partner, receiver: Receiver, work: Work
) -> None:
    async with receiving(delay=30) as slow:
        slow_hook = await clinic.hook(slow.url)
        for _ in range(3):
            await clinic.referred()
        other = await partner(cast)
        await other.hook(receiver.url)
        await other.referred()
        began = time.monotonic()
        rounds = asyncio.create_task(work.round(within=1.5))
        async with asyncio.timeout(1):
            while not receiver.got:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await rounds
        assert time.monotonic() - began < 5
        found = await clinic.deliveries(slow_hook)
        assert {(one["status"], one["last_problem"]) for one in found} == {("pending", "timed_out")}


async def test_an_event_that_happens_while_something_slow_is_on_its_way_is_sent_meanwhile(
    cast: Cast, clinic: Partner, receiver: Receiver, work: Work
) -> None:
    async with receiving(delay=30) as slow:
        await clinic.hook(slow.url)
        await clinic.referred()
        other = await partner(cast)
        await other.hook(receiver.url)
        rounds = asyncio.create_task(work.round(within=4))
        async with asyncio.timeout(3.5):
            while not slow.got:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await other.referred()
            while not receiver.got:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await rounds


async def test_a_long_answer_is_cut_off_and_kept_nowhere(
    clinic: Partner, receiver: Receiver, work: Work, superuser: Superuser
) -> None:
    receiver.answer, receiver.body = lambda _: 200, b"marker of the receiver " * 100_000
    hook = await clinic.hook(receiver.url)
    await clinic.referred()
    await work.round()
    (delivery,) = await clinic.deliveries(hook)
    assert delivery["status"] == "delivered"
    kept = superuser.execute("select d::text from webhook_deliveries d where webhook_id = %s", [hook["id"]]).fetchall()
    assert "marker" not in str(kept)


async def test_what_a_worker_that_died_had_taken_is_sent_by_the_next_when_its_lease_is_over(
    clinic: Partner, receiver: Receiver, work: Work, clock: FrozenClock
) -> None:
    await clinic.hook(receiver.url)
    await clinic.referred()
    claim = "select * from claim_deliveries(%s, 256, 16, interval '30 seconds')"
    assert (await (await work.connection.execute(claim, [clock()])).fetchall()) != []
    await work.round()
    assert receiver.got == []
    clock.advance(seconds=31)
    await work.round()
    assert len(receiver.got) == 1


async def test_who_was_too_slow_does_not_settle_what_somebody_else_has_taken(
    clinic: Partner, receiver: Receiver, work: Work, clock: FrozenClock
) -> None:
    hook = await clinic.hook(receiver.url)
    await clinic.referred()
    claim = "select id, claim from claim_deliveries(%s, 256, 16, interval '30 seconds')"
    taken = await (await work.connection.execute(claim, [clock()])).fetchall()
    clock.advance(seconds=31)
    again = await (await work.connection.execute(claim, [clock()])).fetchall()
    assert {row[0] for row in taken} <= {row[0] for row in again}
    settle = "select settle_deliveries(%s, %s, %s, %s, %s, %s, %s)"
    mine = [list(column) for column in zip(*taken, strict=True)]
    failed = [[False] * len(taken), [500] * len(taken), [None] * len(taken), [None] * len(taken)]
    await work.connection.execute(settle, [clock(), *mine, *failed])
    assert [one["status"] for one in await clinic.deliveries(hook)] == ["pending"]


async def test_an_organisations_webhook_never_gets_anothers_events(
    cast: Cast, clinic: Partner, receiver: Receiver, work: Work
) -> None:
    await clinic.hook(receiver.url)
    other = await partner(cast)
    async with receiving() as others:
        others_hook = await other.hook(others.url)
        mine, theirs = await clinic.referred(), await other.referred()
        await other.move(theirs, "accepted")
        await clinic.move(mine, "accepted")
        await work.round()
        assert len(receiver.of(mine)) == len(receiver.got) == 2
        assert len(others.of(theirs)) == len(others.got) == 2
    assert {one["referral_id"] for one in await other.deliveries(others_hook)} == {theirs["id"]}
    for one in (await clinic.events())["items"]:
        assert one["data"]["referral_id"] == mine["id"]


async def test_a_referral_hidden_from_the_keeper_is_sent_no_more_from_that_moment(
    cast: Cast, clinic: Partner, receiver: Receiver, work: Work
) -> None:
    hook = await clinic.hook(receiver.url)
    seen, hidden = await clinic.referred(), await clinic.referred()
    excluded = {"user_id": cast.id(clinic.name), "reason_code": "client_wish"}
    path = f"/cases/{hidden['case_id']}/exclusions"
    answered(await cast.client("caseworker").post(path, json=excluded), 201)  # already on its way
    cancelled = {"to": "cancelled", "reason_code": "other", "reason": "She asks for it."}
    answered(await cast.client("caseworker").post(f"/referrals/{hidden['id']}/transitions", json=cancelled), 200)
    await work.round()
    assert receiver.of(hidden) == []
    assert len(receiver.of(seen)) == 1
    assert {one["referral_id"] for one in await clinic.deliveries(hook)} == {seen["id"]}
    assert {one["data"]["referral_id"] for one in (await clinic.events())["items"]} == {seen["id"]}
    since = {"since": (cast.clock() - timedelta(days=1)).isoformat()}
    assert (await clinic.call("POST", f"/webhooks/{hook['id']}/redeliver", 202, json=since))["queued"] == 1


async def test_a_colleague_who_is_excluded_sees_and_replays_nothing_of_it(
    cast: Cast, clinic: Partner, receiver: Receiver, work: Work, superuser: Superuser
) -> None:
    hook = await clinic.hook(receiver.url)
    referral = await clinic.referred()
    colleague = f"colleague_of_{clinic.name}"
    await cast.add(colleague, cast.users[clinic.name].role, clinic.name, [])
    excluded = {"user_id": cast.id(colleague), "reason_code": "client_wish"}
    path = f"/cases/{referral['case_id']}/exclusions"
    answered(await cast.client("caseworker").post(path, json=excluded), 201)
    await work.round()
    (delivery,) = await clinic.deliveries(hook)
    assert await clinic.deliveries(hook, colleague) == []
    assert (await clinic.events(colleague))["items"] == []
    again = f"/webhooks/{hook['id']}/redeliver"
    await clinic.call("POST", again, 404, colleague, json={"event_id": delivery["event_id"]})
    since = {"since": (cast.clock() - timedelta(days=1)).isoformat()}
    assert (await clinic.call("POST", again, 202, colleague, json=since))["queued"] == 0
    superuser.execute("update webhook_deliveries set status = 'dead' where id = %s", [delivery["id"]])
    assert (await clinic.call("POST", again, 202, colleague, json={"dead": True}))["queued"] == 0
    assert (await clinic.call("POST", again, 202, json={"dead": True}))["queued"] == 1


async def test_one_event_all_since_a_time_or_all_that_is_dead_is_sent_again_with_its_ids(
    cast: Cast, clinic: Partner, receiver: Receiver, work: Work, clock: FrozenClock
) -> None:
    before_hook = await clinic.referred()
    hook = await clinic.hook(receiver.url)
    again = f"/webhooks/{hook['id']}/redeliver"
    clock.advance(minutes=1)
    referral = await clinic.referred()
    await clinic.move(referral, "accepted")
    await work.round()
    first = [one.event_id for one in receiver.got]
    assert (await clinic.call("POST", again, 202, json={"event_id": first[0]}))["queued"] == 1
    await work.round()
    assert [one.event_id for one in receiver.got] == [*first, first[0]]
    assert (await clinic.call("POST", again, 202, json={"since": clock().isoformat()}))["queued"] == 2
    await work.round()
    assert [one.event_id for one in receiver.got[3:]] == first
    ago = {"since": (clock() - timedelta(minutes=1)).isoformat()}  # and what happened before there was a webhook
    assert (await clinic.call("POST", again, 202, json=ago))["queued"] == 3
    await work.round()
    assert len(receiver.of(before_hook)) == 1
    assert (await clinic.call("POST", again, 202, json={"dead": True}))["queued"] == 0


async def test_a_replay_of_what_is_dead_goes_before_what_waits(
    clinic: Partner, receiver: Receiver, work: Work, superuser: Superuser
) -> None:
    receiver.answer = lambda _: 500
    hook = await clinic.hook(receiver.url)
    referral = await clinic.referred()
    superuser.execute("update webhook_deliveries set attempts = 9 where webhook_id = %s", [hook["id"]])
    await clinic.move(referral, "accepted")
    await work.round()
    assert [one["status"] for one in await clinic.deliveries(hook, status="dead")] == ["dead"]
    receiver.answer = lambda _: 204
    again = f"/webhooks/{hook['id']}/redeliver"
    assert (await clinic.call("POST", again, 202, json={"dead": True}))["queued"] == 1
    superuser.execute("update webhook_deliveries set next_attempt_at = created_at where webhook_id = %s", [hook["id"]])
    before = len(receiver.got)
    await work.round()
    assert [one.status for one in receiver.got[before:]] == ["requested", "accepted"]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"dead": False},
        {"dead": True, "since": "2026-03-01T00:00:00Z"},
        {"since": "2019-01-01T00:00:00Z"},
        {"since": "2199-01-01T00:00:00Z"},
        {"since": "2026-03-01"},
        {"event_id": "first"},
    ],
)
async def test_a_replay_says_exactly_what(clinic: Partner, receiver: Receiver, wanted: Any) -> None:
    hook = await clinic.hook(receiver.url)
    await clinic.call("POST", f"/webhooks/{hook['id']}/redeliver", 422, json=wanted)


async def test_an_event_of_somebody_else_is_not_found_like_one_that_never_happened(
    cast: Cast, clinic: Partner, receiver: Receiver
) -> None:
    hook, other = await clinic.hook(receiver.url), await partner(cast)
    await other.referred()
    theirs = (await other.events())["items"][0]["id"]
    again = f"/webhooks/{hook['id']}/redeliver"
    for event_id in (theirs, hook["id"]):
        await clinic.call("POST", again, 404, json={"event_id": event_id})


async def test_a_paused_webhook_gets_nothing_and_an_ended_one_takes_what_waits_along(
    clinic: Partner, receiver: Receiver, work: Work, superuser: Superuser
) -> None:
    hook = await clinic.hook(receiver.url)
    path = f"/webhooks/{hook['id']}"
    referral = await clinic.referred()
    await clinic.call("PATCH", path, 200, json={"active": False}, headers=MATCH)
    await clinic.move(referral, "accepted")
    await work.round()
    assert receiver.got == []
    await clinic.call("PATCH", path, 200, json={"active": True}, headers=MATCH)
    await work.round()
    assert [one.status for one in receiver.got] == ["requested"]  # what waited; the rest is asked for, or in the feed
    await clinic.call("DELETE", path, 204, headers=MATCH)
    left = superuser.execute("select from webhook_deliveries where webhook_id = %s", [hook["id"]]).fetchall()
    assert left == []


async def test_an_organisation_that_is_shut_out_is_told_nothing(
    clinic: Partner, receiver: Receiver, work: Work, superuser: Superuser
) -> None:
    await clinic.hook(receiver.url)
    await clinic.referred()
    shut = "update organisations set active = %s where id = %s"
    superuser.execute(shut, [False, clinic.organisation_id])
    await work.round()
    assert receiver.got == []
    superuser.execute(shut, [True, clinic.organisation_id])
    await work.round()
    assert len(receiver.got) == 1


async def test_one_organisation_has_only_so_many_on_their_way_at_once(
    cast: Cast, clinic: Partner, receiver: Receiver, work: Work, superuser: Superuser
) -> None:
    await clinic.hook(receiver.url)
    case_id = await client_of(cast)
    for _ in range(5):
        await clinic.referred(case_id)
    claim = "select id from claim_deliveries(%s, 256, 2, interval '30 seconds')"
    for _ in range(2):
        await work.connection.execute(claim, [cast.clock()])
    own = "select count(*) from webhook_deliveries where organisation_id = %s and claim is not null"
    assert superuser.execute(own, [clinic.organisation_id]).fetchone() == (2,)
