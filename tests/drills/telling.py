"""The worker killed while it tells partners what happened: each event arrives, and none before the one before it."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
from standardwebhooks import Webhook

from app.keys import KeyStore
from app.webhooks.delivering import LEASE
from app.webhooks.signing import new_secret, seal_of
from tests.cases import intake
from tests.drills.findings import Finding
from tests.drills.place import PATIENCE_SECONDS, Place, Process
from tests.hooking import Message, Receiver, receiving

ADD_HOOK: LiteralString = """
    insert into webhooks (id, version, created_at, updated_at, organisation_id, created_by, keeper_id, url, events,
                          active, sealed)
    values (%(id)s, 1, now(), now(), %(organisation)s, %(keeper)s, %(keeper)s, %(url)s, '{referral.*}', true,
            %(sealed)s)
"""
ADD_REFERRALS: LiteralString = """
    insert into referrals (id, version, created_at, updated_at, case_id, organisation_id, partner_id, direction, code,
                           sector, protected, standard, province_code, priority, status, due_at, created_by)
    select gen_random_uuid(), 1, now(), now(), c.id, c.organisation_id, %(partner)s, 'out',
           left('D' || replace(gen_random_uuid()::text, '-', ''), 12), 'other', false, false, '17', 'routine',
           'accepted', now() + interval '14 days', c.created_by
      from cases c, generate_series(1, %(count)s) where c.id = %(case)s
"""
# One more event of each referral; what it says is its number among them.
ADD_EVENTS: LiteralString = """
    insert into events (id, case_id, organisation_id, type, audience, at, actor_id, data, referral_id, partner_id)
    select gen_random_uuid(), r.case_id, r.organisation_id, 'referral.message', 'caseworkers', now(), r.created_by,
           jsonb_build_object('status', %(number)s::text), r.id, r.partner_id
      from referrals r where r.partner_id = %(partner)s and r.case_id = %(case)s
"""
WAITING: LiteralString = "select count(*) from webhook_deliveries where webhook_id = %s and status = 'pending'"
LEASES_END: LiteralString = "update webhook_deliveries set lease_until = now() where lease_until is not null"


@dataclass
class Telling:
    """A partner with a webhook, whose events wait, and the worker that may send to this machine."""

    place: Place
    receiver: Receiver
    worker: Process
    hook_id: UUID
    secret: str
    expected: int

    def waiting(self) -> int:
        """How many events have not arrived, as the worker knows."""
        with self.place.everything() as admin:
            row = admin.execute(WAITING, [self.hook_id]).fetchone()
            assert row is not None
            return int(row[0])

    async def until_got(self, count: int) -> None:
        """So many messages have come, or no event waits any more."""
        async with asyncio.timeout(PATIENCE_SECONDS + LEASE.total_seconds()):
            while len(self.receiver.got) < count and self.waiting():  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.01)

    def leases_end(self) -> None:
        """As if their time were over."""
        with self.place.everything() as admin:
            admin.execute(LEASES_END)


@asynccontextmanager
async def telling(place: Place, referrals: int, events: int, delay: float = 0) -> AsyncIterator[Telling]:
    """`events` of each of `referrals` wait for a receiver that answers after `delay` seconds; no worker runs yet."""
    place.worker.end()
    async with place.client() as client, receiving(delay=delay) as receiver:
        client.headers["Authorization"] = f"Bearer {_token(place)}"
        opened = await client.post("/cases", json=intake())
        opened.raise_for_status()
        case_id = opened.json()["id"]
        hook_id, secret = uuid4(), new_secret()
        partner = {"partner": place.cast.organisation("clinic"), "case": case_id}
        with place.everything() as admin:
            _put_hook(admin, place, hook_id, secret, receiver.url)
            admin.execute(ADD_REFERRALS, {**partner, "count": referrals})
            for number in range(events):
                admin.execute(ADD_EVENTS, {**partner, "number": number})
        environment = {**place.worker.environment, "SAMAKI_DEMO": "true"}
        worker = replace(place.worker, environment=environment, running=None)
        try:
            yield Telling(place, receiver, worker, hook_id, secret, referrals * events)
        finally:
            worker.end()
            with place.everything() as admin:
                admin.execute("delete from webhooks where id = %s", [hook_id])
            place.worker.start()


def _token(place: Place) -> str:
    """Of somebody who is none of the writers: what those acknowledge is counted after other drills."""
    cast = place.cast
    return cast.runtime.tokens.issue(cast.users["caseworker"].id, cast.sessions["caseworker"], cast.clock())[0]


def _put_hook(admin: psycopg.Connection, place: Place, hook_id: UUID, secret: str, url: str) -> None:
    sealed = seal_of(KeyStore.load(place.settings.keys_dir)).seal(secret.encode(), hook_id)
    hook = {"id": hook_id, "organisation": place.cast.organisation("clinic"), "keeper": place.cast.id("partner")}
    admin.execute(ADD_HOOK, {**hook, "url": url, "sealed": sealed})


async def teller_killed(
    place: Place, kills: int = 4, referrals: int = 60, events: int = 10, *, wait_for_leases: bool = True
) -> Finding:
    """The worker dies amid its messages, again and again. What it had taken is sent by the next after its lease."""
    async with telling(place, referrals, events, delay=0.02) as told:
        for kill in range(1, kills + 1):
            told.worker.start()
            await told.until_got(kill * told.expected // (kills + 2))
            told.worker.kill()
            if not wait_for_leases:
                told.leases_end()
        killed_with = told.waiting()
        began = time.monotonic()
        told.worker.start()
        await _until_none_waits(told)
        seconds = time.monotonic() - began
        doubled, early, forged = judge(told.receiver.got, told.secret)
        missing = told.expected - len({one.event_id for one in told.receiver.got})
    return Finding(
        f"worker killed mid-delivery, x{kills}",
        "every event delivered at least once, in order per referral",
        f"{told.expected} events of {referrals} referrals, {killed_with} waited at the last kill; {missing} missing,"
        f" {early} out of order, {forged} not signed; {doubled} twice; the rest {seconds:.1f} s after the last start",
        missing == early == forged == 0 and killed_with > 0,
    )


async def _until_none_waits(told: Telling) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS + LEASE.total_seconds()):
        while told.waiting():  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.05)


def judge(got: Sequence[Message], secret: str) -> tuple[int, int, int]:
    """Messages that came again, that came before an earlier one of their referral, and that are not rightly signed."""
    last: dict[str, int] = defaultdict(lambda: -1)
    early = forged = 0
    verifier = Webhook(secret)
    for message in got:
        number, referral = int(message.status), message.told["data"]["referral_id"]
        early += number not in {last[referral], last[referral] + 1}
        last[referral] = number
        try:
            verifier.verify(message.body, message.headers)
        except Exception:
            forged += 1
    return len(got) - len({one.event_id for one in got}), early, forged


async def telling_rate(place: Place, referrals: int = 400, events: int = 10) -> tuple[int, float]:
    """How many events one worker delivers to a receiver on this machine, and in how many seconds."""
    async with telling(place, referrals, events) as told:
        told.worker.start()
        while not told.receiver.got:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.001)
        began = time.monotonic()
        await _until_none_waits(told)
        return told.expected, time.monotonic() - began
