"""Each drill in a few seconds; `make drill` has more patience and prints the table."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import LiteralString
from uuid import UUID, uuid4

import pytest

from app.webhooks.signing import body_of, new_secret, signed
from tests.drills.checks import kept
from tests.drills.crowding import pool_exhausted
from tests.drills.filling import disk_full
from tests.drills.findings import Finding
from tests.drills.killing import api_killed, worker_killed
from tests.drills.place import Place, directory, place
from tests.drills.racing import one_key, one_version
from tests.drills.restarting import postgres_restarted
from tests.drills.restoring import restored
from tests.drills.rotating import keys_rotated
from tests.drills.telling import judge, teller_killed
from tests.drills.writers import until_acknowledged, writing
from tests.hooking import Message


@pytest.fixture(scope="module")
async def here() -> AsyncIterator[Place]:
    with directory() as data_dir, directory() as logs:
        async with place(data_dir, logs) as made:
            yield made


def held(finding: Finding) -> None:
    assert finding.held, f"{finding.fault}: {finding.measured}"


async def test_an_api_that_is_killed_loses_and_doubles_nothing(here: Place) -> None:
    held(await api_killed(here, kills=2, writers=8))


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_database_that_restarts_loses_nothing_and_is_healthy_within_a_second(here: Place, mode: str) -> None:
    held(await postgres_restarted(here, mode, down=0.5))


async def test_thirty_posts_with_one_key_are_one_case(here: Place) -> None:
    held(await one_key(here))


async def test_of_eight_edits_of_one_version_one_is_taken_through_all_processes(here: Place) -> None:
    held(await one_version(here, versions=10))


async def test_an_exhausted_pool_refuses_soon_and_recovers(here: Place) -> None:
    held(await pool_exhausted(here, readers=48))


async def test_a_killed_worker_goes_on_where_it_was(here: Place) -> None:
    held(await worker_killed(here, rows=4_000))


async def test_a_worker_killed_amid_its_messages_loses_none_and_keeps_their_order(here: Place) -> None:
    held(await teller_killed(here, kills=2, referrals=20, events=5, wait_for_leases=False))


def test_the_judge_of_messages_notices_what_is_early_forged_or_doubled() -> None:
    secret, referral = new_secret(), uuid4()

    def message(number: int, by: str = secret) -> Message:
        body = body_of("referral.message", datetime.now(UTC), referral, str(number))
        return Message(signed(body, UUID(int=number), datetime.now(UTC), [by]), body)

    assert judge([message(0), message(1), message(1), message(2)], secret) == (1, 0, 0)
    assert judge([message(0), message(2), message(1)], secret)[1] > 0
    assert judge([message(0), message(1), message(0)], secret)[1] > 0
    assert judge([message(0, new_secret())], secret) == (0, 0, 1)


async def test_nobody_notices_that_every_data_key_is_wrapped_anew(here: Place) -> None:
    held(await keys_rotated(here, keys=3_000))


async def test_a_backup_restores_on_an_empty_machine(here: Place) -> None:
    held(await restored(here, writers=4))


async def test_a_full_disk_keeps_what_was_acknowledged() -> None:
    finding = await disk_full()
    if finding.held is None:
        pytest.skip(finding.measured)
    held(finding)


TORN: dict[str, LiteralString] = {
    "lost": "delete from cases where id = %s",
    "half_written": "delete from consents where case_id = %s",
    "changed": "delete from idempotency_keys where location = '/api/v1/cases/' || %s",
}


@pytest.mark.parametrize("fault", TORN)
async def test_the_checks_notice_what_is_lost_torn_or_answered_otherwise(here: Place, fault: str) -> None:
    async with writing(here, 2) as ledger:
        await until_acknowledged(ledger, 5)
    assert (await kept(here, ledger)).whole
    last = list(ledger.acknowledged.values())[-1]
    with here.everything() as admin:
        admin.execute("set session_replication_role = replica")  # as a torn transaction would: no trigger, no key
        admin.execute(TORN[fault], [last])
        found = await kept(here, ledger)
        assert not found.whole
        assert getattr(found, fault) >= 1
        admin.execute("delete from cases where id = %s", [last])


async def test_the_checks_notice_a_case_that_was_written_twice(here: Place) -> None:
    async with writing(here, 1) as ledger:
        await until_acknowledged(ledger, 3)
    assert (await kept(here, ledger)).whole
    twice = next(iter(ledger.acknowledged))
    del ledger.acknowledged[twice]
    with here.everything() as admin:
        admin.execute("delete from idempotency_keys where key = %s", [twice])
    assert (await kept(here, ledger)).duplicated == 1
