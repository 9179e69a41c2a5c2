"""A referral is never forgotten: silence is told to both sides, and a case does not close over an open one."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from app.services import worklist
from tests.acts import assign
from tests.cast import Cast, FrozenClock, answered
from tests.pages import whole
from tests.referring import accepted, agreed, client_of, move, refer, referred, seen
from tests.test_referrals_in import send
from tests.test_reminders import reminded

Superuser = psycopg.Connection[Any]
DUE = {
    "stat": timedelta(hours=4),
    "asap": timedelta(hours=24),
    "urgent": timedelta(hours=72),
    "routine": timedelta(days=14),
}


def told(superuser: Superuser, referral: Any) -> int:
    asked = "select count(*) from events where referral_id = %s and type = 'referral.overdue'"
    row = superuser.execute(asked, [referral["id"]]).fetchone()
    assert row is not None
    return int(row[0])


async def waits(cast: Cast, who: str, referral: Any) -> list[str]:
    """The kinds of the worklist's items about this referral."""
    items = answered(await cast.client(who).get("/worklist"), 200)["items"]
    return [one["kind"] for one in items if one["subject_id"] == referral["id"]]


@pytest.mark.parametrize("priority", list(DUE))
async def test_the_answer_is_due_by_the_priority(cast: Cast, priority: str) -> None:
    referral = await referred(cast, priority=priority)
    assert referral["due_at"] == (cast.clock() + DUE[priority]).strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_silence_is_told_once_past_due_and_once_more_at_twice_the_time(
    cast: Cast, clock: FrozenClock, database: DatabaseUrls, superuser: Superuser
) -> None:
    referral = await referred(cast, priority="stat")
    clock.advance(hours=4)
    await reminded(database, clock)
    assert (told(superuser, referral), (await seen(cast, referral))["overdue"]) == (0, False)
    clock.advance(seconds=1)
    for _ in range(2):
        await reminded(database, clock)
    assert (told(superuser, referral), (await seen(cast, referral))["overdue"]) == (1, True)
    clock.advance(hours=4, seconds=-1)
    await reminded(database, clock)
    assert told(superuser, referral) == 1
    clock.advance(seconds=1)
    for _ in range(2):
        await reminded(database, clock)
    assert told(superuser, referral) == 2


async def test_what_is_accepted_and_not_finished_in_time_is_silence_too(
    cast: Cast, clock: FrozenClock, database: DatabaseUrls, superuser: Superuser
) -> None:
    working, done = await accepted(cast, priority="stat"), await accepted(cast, priority="stat")
    await move(cast, done, "completed", outcome_code="attended")
    clock.advance(hours=5)
    await reminded(database, clock)
    assert (told(superuser, working), told(superuser, done)) == (1, 0)


async def test_silence_is_on_the_worklist_of_the_lead_and_of_a_supervisor_who_sees_the_case(
    cast: Cast, clock: FrozenClock, superuser: Superuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound in ("MOST", "EXAMINED"):  # what other tests left to these people is more than a list shows
        monkeypatch.setattr(worklist, bound, 100_000)
    hidden = await referred(cast, priority="stat")
    case_id = await client_of(cast, "id_poor")
    await agreed(cast, case_id)
    standard = await refer(cast, case_id, priority="stat")
    assert await waits(cast, "caseworker", hidden) == []
    superuser.execute("select set_config('samaki.now', %s, false)", [clock().isoformat()])
    ended = "update referrals set status = 'completed' where case_id <> all (%s::uuid[])"  # what other tests left
    superuser.execute(ended, [[case_id, hidden["case_id"]]])
    clock.advance(hours=5)
    assert await waits(cast, "caseworker", hidden) == ["referral_overdue"]
    assert await waits(cast, "supervisor", standard) == ["referral_overdue"]
    assert await waits(cast, "supervisor", hidden) == []
    await assign(cast, "supervisor", hidden["case_id"], "supervisor", "reviewer")
    assert await waits(cast, "supervisor", hidden) == ["referral_overdue"]
    await move(cast, hidden, "rejected", reason_code="no_capacity")
    assert await waits(cast, "caseworker", hidden) == []


async def test_what_a_partner_sent_waits_for_an_answer_on_the_worklist(cast: Cast) -> None:
    referral = await send(cast)
    assert await waits(cast, "supervisor", referral) == ["referral"]
    await move(cast, referral, "accepted", "supervisor")
    assert await waits(cast, "supervisor", referral) == []


async def test_a_case_does_not_close_over_an_open_referral(cast: Cast) -> None:
    case_id = await client_of(cast, "id_poor")
    await agreed(cast, case_id)
    await agreed(cast, case_id, purpose="services", organisation_id=None)
    referral = await refer(cast, case_id)
    steps = f"/cases/{case_id}/transitions"
    answered(await cast.client("caseworker").post(steps, json={"to": "implementation"}), 200)
    closure = {"reason": "needs_met", "outcome": "resolved", "informed_can_return": True}
    wanted = {"to": "closure_requested", "closure": closure}
    answered(await cast.client("caseworker").post(steps, json=wanted), 200)
    refused = answered(await cast.client("supervisor").post(steps, json={"to": "closed"}), 409)
    assert "open_referral" in refused["blocked_by"]
    await move(cast, referral, "cancelled", "caseworker", reason_code="client_declined")
    again = (await cast.client("supervisor").post(steps, json={"to": "closed"})).json()
    assert "open_referral" not in again.get("blocked_by", [])


async def test_an_intake_that_closes_cancels_what_it_asked(cast: Cast) -> None:
    case_id = await client_of(cast, "id_poor")
    await agreed(cast, case_id)
    referral = await refer(cast, case_id)
    wanted = {"to": "closed", "closure": {"reason": "declined"}}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/transitions", json=wanted), 200)
    after = await seen(cast, referral)
    assert (after["status"], after["disclosed"]) == ("cancelled", None)


async def test_a_page_goes_on_where_the_last_one_ended(cast: Cast, clock: FrozenClock) -> None:
    case_id = await client_of(cast)
    await agreed(cast, case_id)
    sent = []
    for _ in range(5):
        sent.append((await refer(cast, case_id))["id"])
        clock.advance(seconds=1)
    for who in ("partner", "caseworker"):
        found = [one["id"] for one in await whole(cast.client(who), "/referrals", limit=2)]
        assert [own_id for own_id in found if own_id in sent] == sent[::-1]
        assert len(found) == len(set(found))
    answered(await cast.client("partner").get("/referrals", params={"limit": 201}), 422)
    after = clock().isoformat()
    await move(cast, {"id": sent[2]}, "accepted")
    clock.advance(seconds=1)
    await move(cast, {"id": sent[2]}, "in_progress")
    query = {"updated_after": after, "direction": "incoming"}
    changed = answered(await cast.client("partner").get("/referrals", params=query), 200)["items"]
    assert [one["id"] for one in changed if one["id"] in sent] == [sent[2]]
    incoming = answered(await cast.client("caseworker").get("/referrals", params=query), 200)["items"]
    assert [one["id"] for one in incoming if one["id"] in sent] == []
