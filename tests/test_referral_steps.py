"""Every state of a referral, every actor, every step: who takes it where, as referrals.md has it, and nobody else."""

import asyncio
from typing import Any

import psycopg
import pytest

from app.models.codes.people import Role
from app.models.codes.referrals import ReferralStatus
from tests.acts import newcomer
from tests.cast import Cast, FrozenClock, answered
from tests.referring import accepted, agreed, client_of, move, refer, referred, seen

Superuser = psycopg.Connection[Any]

# From the page "States", by hand: S sender, R recipient; all else is refused.
LEGAL = """
requested   accepted:R    rejected:R  cancelled:SR
accepted    in_progress:R on_hold:R   completed:R  failed:R cancelled:SR
in_progress on_hold:R     completed:R failed:R     cancelled:SR
on_hold     in_progress:R completed:R failed:R     cancelled:SR
"""
WHAT_IT_NEEDS = {
    **{to: {"reason_code": "other"} for to in ("rejected", "cancelled", "on_hold", "failed")},
    "completed": {"outcome_code": "attended"},
}
BY = {"S": "caseworker", "R": "partner"}


def legal() -> dict[tuple[str, str, str], bool]:
    table = {}
    for line in LEGAL.strip().splitlines():
        start, *steps = line.split()
        for step in steps:
            to, sides = step.split(":")
            table.update({(start, to, side): True for side in sides})
    table.update({(start, "entered_in_error", "S"): True for start in ReferralStatus if start != "entered_in_error"})
    return table


def put(superuser: Superuser, clock: FrozenClock, referral: Any, status: str) -> None:
    superuser.execute("select set_config('samaki.now', %s, false)", [clock().isoformat()])
    superuser.execute("update referrals set status = %s where id = %s", [status, referral["id"]])


@pytest.mark.parametrize("start", list(ReferralStatus))
async def test_each_side_takes_the_steps_that_are_its_own_and_no_others(
    cast: Cast, superuser: Superuser, clock: FrozenClock, start: str
) -> None:
    referral, table, cells = await referred(cast), legal(), 0
    known = {step[:2] for step in table}
    for to in ReferralStatus:
        for side, who in BY.items():
            put(superuser, clock, referral, start)
            step = {"to": to, **WHAT_IT_NEEDS.get(to, {})}
            answer = await cast.client(who).post(f"/referrals/{referral['id']}/transitions", json=step)
            expected = 200 if (start, to, side) in table else 403 if (start, to) in known else 409
            assert answer.status_code == expected, (start, to, side)
            if expected == 409:
                assert answer.json()["code"] == "illegal_transition"
                assert set(answer.json()["allowed"]) == {t for s, t, by in table if s == start and by == side}
            cells += 1
    assert cells == 18


@pytest.mark.parametrize("who", ["liaison", "auditor", "admin", "stranger", "other_supervisor", "another_clinic"])
async def test_who_is_on_neither_side_moves_nothing_and_cannot_tell_that_it_exists(cast: Cast, who: str) -> None:
    if who == "another_clinic":
        await cast.add("another_clinic", Role.PARTNER, "council", [])
    referral = await referred(cast)
    for to in ReferralStatus:
        step = {"to": to, **WHAT_IT_NEEDS.get(to, {})}
        refused = 403 if who in {"liaison", "auditor", "admin"} else 404
        await move(cast, referral, to, who, refused, **{k: v for k, v in step.items() if k != "to"})
    assert (await seen(cast, referral, "caseworker"))["status"] == "requested"


async def test_a_colleague_who_only_reads_the_case_takes_no_step(cast: Cast) -> None:
    case_id = await client_of(cast, "id_poor")
    await agreed(cast, case_id)
    referral = await refer(cast, case_id)
    await seen(cast, referral, "colleague")
    await move(cast, referral, "cancelled", "colleague", 403, reason_code="other")


async def test_of_twenty_who_accept_at_once_one_has_accepted(cast: Cast) -> None:
    referral = await referred(cast)
    path = f"/referrals/{referral['id']}/transitions"
    answers = await asyncio.gather(*(cast.client("partner").post(path, json={"to": "accepted"}) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19


async def test_the_sender_does_not_accept_its_own_referral(cast: Cast) -> None:
    referral = await referred(cast)
    assert (await move(cast, referral, "accepted", "caseworker", 403))["code"] == "forbidden"


@pytest.mark.parametrize("to", ["rejected", "cancelled", "on_hold", "failed"])
async def test_a_step_that_needs_a_reason_is_refused_without_one(cast: Cast, to: str) -> None:
    referral = await (referred(cast) if to == "rejected" else accepted(cast))
    assert (await move(cast, referral, to, status=422))["errors"][0]["pointer"] == "/reason_code"
    done = await move(cast, referral, to, reason="The road is flooded.")
    assert (done["reason_code"], done["status_reason"]) == ("other", "The road is flooded.")


async def test_the_end_says_what_came_of_it(cast: Cast) -> None:
    referral = await accepted(cast)
    assert (await move(cast, referral, "completed", status=422))["errors"][0]["pointer"] == "/outcome_code"
    await move(cast, referral, "in_progress", status=422, outcome_code="attended")
    await move(cast, referral, "completed", outcome_code="attended")
    told = await seen(cast, referral, "caseworker")
    assert (told["status"], told["outcome_code"]) == ("completed", "attended")
    assert told["ended_at"] is not None


async def test_a_stale_step_is_refused_when_it_says_what_it_saw(cast: Cast) -> None:
    referral = await referred(cast)
    path, stale = f"/referrals/{referral['id']}/transitions", {"If-Match": '"9"'}
    answer = await cast.client("partner").post(path, json={"to": "accepted"}, headers=stale)
    assert (answer.status_code, answer.headers["ETag"]) == (412, '"1"')


async def test_the_recipient_says_when_the_appointment_is_and_what_became_of_it(cast: Cast) -> None:
    referral = await accepted(cast)
    path, at = f"/referrals/{referral['id']}", "2026-03-09T02:00:00Z"
    answered(await cast.client("partner").patch(path, json={"appointment_at": at}), 428)
    found = await cast.client("partner").get(path)
    match = {"If-Match": found.headers["ETag"]}
    done = answered(await cast.client("partner").patch(path, json={"appointment_at": at}, headers=match), 200)
    assert (done["appointment_at"], done["business_status"]) == (at, "scheduled")
    answered(await cast.client("partner").patch(path, json={"business_status": "visited"}, headers=match), 412)
    match = {"If-Match": f'"{done["version"]}"'}
    done = answered(await cast.client("partner").patch(path, json={"business_status": "no_show"}, headers=match), 200)
    told = await seen(cast, referral, "caseworker")
    assert (told["appointment_at"], told["business_status"]) == (at, "no_show")
    match = {"If-Match": f'"{done["version"]}"'}
    answered(await cast.client("caseworker").patch(path, json={"business_status": "visited"}, headers=match), 403)


async def test_there_is_no_appointment_before_the_yes(cast: Cast) -> None:
    referral = await referred(cast)
    body, match = {"business_status": "visited"}, {"If-Match": '"1"'}
    answered(await cast.client("partner").patch(f"/referrals/{referral['id']}", json=body, headers=match), 409)


async def test_what_the_sender_says_of_her_when_cancelling_is_not_told_to_the_recipient(cast: Cast) -> None:
    referral = await referred(cast)
    await move(cast, referral, "cancelled", "caseworker", reason="She went home to Battambang.")
    told = await seen(cast, referral)
    assert (told["reason_code"], told["status_reason"]) == ("other", None)


async def test_another_ngo_is_answered_for_by_its_supervisors(cast: Cast) -> None:
    case_id = await client_of(cast)
    await agreed(cast, case_id, organisation_id=cast.organisation("other_ngo"))
    referral = await refer(cast, case_id, organisation_id=cast.organisation("other_ngo"))
    await seen(cast, referral, "stranger", 404)
    await move(cast, referral, "accepted", "other_supervisor")
    assert (await seen(cast, referral, "other_supervisor"))["disclosed"]["name"] == "Kong Sokhakolab"
    unknown = await newcomer(cast, Role.SUPERVISOR, "ngo")
    await seen(cast, referral, unknown, 404)


async def test_the_words_of_one_step_are_no_reason_of_the_next(cast: Cast) -> None:
    referral = await accepted(cast)
    await move(cast, referral, "on_hold", reason="The doctor is ill.")
    held = await seen(cast, referral)
    match = {"If-Match": f'"{held["version"]}"'}
    dated = {"appointment_at": "2030-01-15T02:00:00Z"}
    path = f"/referrals/{referral['id']}"
    changed = answered(await cast.client("partner").patch(path, json=dated, headers=match), 200)
    assert (held["status_reason"], changed["status_reason"]) == ("The doctor is ill.",) * 2
    done = await move(cast, referral, "completed", outcome_code="attended")
    assert (done["reason_code"], done["status_reason"]) == (None, None)
