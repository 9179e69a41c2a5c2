"""The feed: what webhooks send, as pages, for its own partners; nothing is skipped, nothing is another's."""

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from app.models.codes.people import Role
from app.models.webhook import ReferralEvent
from tests.cases import open_case
from tests.cast import Cast, answered
from tests.hooking import Partner, partner, system_of

Superuser = psycopg.Connection[Any]

PUT = """
    insert into events (id, case_id, organisation_id, type, audience, at, actor_id, data, referral_id, partner_id)
    select %s, r.case_id, r.organisation_id, 'referral.message', 'caseworkers', %s, r.created_by,
           jsonb_build_object('status', r.status), r.id, r.partner_id
      from referrals r where r.id = %s
"""


@pytest.fixture
async def clinic(cast: Cast) -> Partner:
    return await partner(cast)


async def everything(of: Partner, limit: int = 2) -> list[Any]:
    """The whole feed, page by page."""
    items: list[Any] = []
    after: dict[str, Any] = {}
    while True:
        page = await of.events(limit=limit, **after)
        if not page["items"]:
            assert page["next_cursor"] == after.get("after")
            return items
        items += page["items"]
        after = {"after": page["next_cursor"]}


async def test_all_that_happens_to_its_referrals_comes_once_and_in_order(cast: Cast, clinic: Partner) -> None:
    assert await clinic.events() == {"items": [], "next_cursor": None}
    referral = await clinic.referred()
    for to, more in (("accepted", {}), ("in_progress", {}), ("completed", {"outcome_code": "attended"})):
        await clinic.move(referral, to, **more)
    items = await everything(clinic)
    assert [one["data"]["status"] for one in items] == ["requested", "accepted", "in_progress", "completed"]
    assert {one["data"]["referral_id"] for one in items} == {referral["id"]}
    assert {frozenset(one) for one in items} == {frozenset({"id", "type", "timestamp", "data"})}
    assert {frozenset(one["data"]) for one in items} == {frozenset({"referral_id", "status"})}
    assert {one["type"] for one in items} <= {one.value for one in ReferralEvent}
    system = await system_of(cast, clinic)
    assert (await clinic.events(system))["items"] == items


async def test_who_keeps_the_cursor_gets_what_happens_later(clinic: Partner) -> None:
    referral = await clinic.referred()
    first = await clinic.events()
    assert (await clinic.events(after=first["next_cursor"]))["items"] == []
    await clinic.move(referral, "accepted")
    later = await clinic.events(after=first["next_cursor"])
    assert [one["data"]["status"] for one in later["items"]] == ["accepted"]


async def test_a_transaction_that_commits_late_is_not_skipped(
    cast: Cast, clinic: Partner, database: DatabaseUrls
) -> None:
    early, late = await clinic.referred(), await clinic.referred()
    start = (await clinic.events())["next_cursor"]
    event_id = uuid4()
    with psycopg.connect(database.admin) as slow:
        slow.execute("select set_config('samaki.now', %s, true)", [cast.clock().isoformat()])
        slow.execute(PUT, [event_id, cast.clock(), late["id"]])  # has its number, and is not yet there
        await clinic.move(early, "accepted")  # has a later one, and is there
        meanwhile = await clinic.events(after=start)
        assert meanwhile["items"] == []  # what comes before it is not known yet
        slow.commit()
    after = await clinic.events(after=meanwhile["next_cursor"])
    assert after["items"][0]["id"] == str(event_id)
    assert [one["data"]["referral_id"] for one in after["items"]] == [late["id"], early["id"]]


async def test_readers_beside_many_writers_miss_and_double_nothing(clinic: Partner) -> None:
    referrals = [await clinic.referred() for _ in range(8)]
    read: list[str] = []
    done = asyncio.Event()

    async def follow() -> None:
        after: dict[str, Any] = {}
        while True:
            over = done.is_set()
            page = await clinic.events(limit=3, **after)
            read.extend(one["id"] for one in page["items"])
            after = {"after": page["next_cursor"]} if page["next_cursor"] else {}
            if over and not page["items"]:
                return

    async with asyncio.TaskGroup() as group:  # whoever follows ends with the others, also when one of them fails
        group.create_task(follow())
        await asyncio.gather(*(clinic.move(one, "accepted") for one in referrals))
        await asyncio.gather(*(clinic.move(one, "in_progress") for one in referrals))
        done.set()
    assert len(read) == len(set(read)) == 24
    assert read == [one["id"] for one in await everything(clinic, limit=200)]


async def test_a_cursor_is_one_organisations_own(cast: Cast, clinic: Partner) -> None:
    await clinic.referred()
    cursor = (await clinic.events())["next_cursor"]
    other = await partner(cast)
    refused = await other.call("GET", "/events", 422, params={"after": cursor})
    assert [(error["pointer"], error["code"]) for error in refused["errors"]] == [("/query/after", "cursor_invalid")]


def held(cursor: str) -> bytes:
    return urlsafe_b64decode(cursor)


@pytest.mark.parametrize("text", ["x", "====", "%00", "é", "MQ", "a" * 201, "fHw", " "])
async def test_a_cursor_that_was_not_made_here_is_refused(clinic: Partner, text: str) -> None:
    await clinic.call("GET", "/events", 422, params={"after": text})


@pytest.mark.parametrize("at", range(0, 48, 5))
async def test_a_cursor_that_was_changed_is_refused(clinic: Partner, at: int) -> None:
    await clinic.referred()
    was = bytearray(held((await clinic.events())["next_cursor"]))
    was[at] ^= 1
    await clinic.call("GET", "/events", 422, params={"after": urlsafe_b64encode(was).decode()})
    await clinic.call("GET", "/events", 422, params={"after": urlsafe_b64encode(was[:-1]).decode()})
    was[at] ^= 1
    await clinic.call("GET", "/events", 422, params={"after": urlsafe_b64encode(was + b"x").decode()})
    await clinic.call("GET", "/events", 200, params={"after": urlsafe_b64encode(was).decode()})


async def test_a_cursor_counts_nothing_of_the_database(clinic: Partner, superuser: Superuser) -> None:
    await clinic.referred()
    page = await clinic.events()
    was, own_id = held(page["next_cursor"]), UUID(page["items"][-1]["id"])
    assert (len(was), was[:32]) == (48, UUID(clinic.organisation_id).bytes + own_id.bytes)
    await clinic.referred()
    again = (await clinic.events(limit=1))["next_cursor"]
    assert again == page["next_cursor"]  # whatever happened in between


async def test_a_cursor_leads_on_where_a_restore_has_counted_the_transactions_anew(
    clinic: Partner, superuser: Superuser
) -> None:
    one, two = await clinic.referred(), await clinic.referred()
    after = (await clinic.events(limit=1))["next_cursor"]
    ranks = "update events set xid = (1 + (referral_id = %s)::int)::text::xid8 where referral_id = any (%s)"
    superuser.execute(ranks, [two["id"], [one["id"], two["id"]]])
    assert [item["data"]["referral_id"] for item in (await clinic.events(after=after))["items"]] == [two["id"]]


async def test_a_cursor_leads_on_from_what_was_erased_since(clinic: Partner, cast: Cast, superuser: Superuser) -> None:
    gone = await clinic.referred()
    after = (await clinic.events())["next_cursor"]
    there = await clinic.referred()
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    superuser.execute("select erase_rows_of(%s)", [gone["case_id"]])
    assert [item["data"]["referral_id"] for item in (await clinic.events(after=after))["items"]] == [there["id"]]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=x", "type=referral.accepted"])
async def test_the_feed_takes_a_place_and_a_limit_and_nothing_else(clinic: Partner, query: str) -> None:
    await clinic.call("GET", f"/events?{query}", 422)


async def test_a_sending_organisations_partner_is_told_of_standard_cases_only(cast: Cast, clinic: Partner) -> None:
    """Such accounts are of the case's own organisation: they know of a referral while its case is not sensitive."""
    sender = f"partner_of_ngo_{uuid4().hex[:8]}"
    await cast.add(sender, Role.PARTNER, "ngo", [])
    own = Partner(cast, sender, cast.organisation("ngo"))
    standard = await clinic.referred(await open_case(cast))
    sensitive = await clinic.referred()

    async def told() -> set[str]:
        return {one["data"]["referral_id"] for one in await everything(own, limit=200)}

    assert standard["id"] in await told()
    assert sensitive["id"] not in await told()
    raised, path = {"sensitivity": "sensitive"}, f"/cases/{standard['case_id']}"
    answered(await cast.client("caseworker").patch(path, json=raised, headers={"If-Match": "*"}), 200)
    assert standard["id"] not in await told()
    assert {one["data"]["referral_id"] for one in await everything(clinic)} == {standard["id"], sensitive["id"]}


async def test_what_is_erased_is_told_no_more(cast: Cast, clinic: Partner, superuser: Superuser) -> None:
    referral = await clinic.referred()
    assert len((await clinic.events())["items"]) == 1
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    superuser.execute("select erase_rows_of(%s)", [referral["case_id"]])
    assert (await clinic.events())["items"] == []


async def test_a_reading_of_the_feed_is_in_the_trail_with_the_cases_that_it_was_about(
    cast: Cast, clinic: Partner, superuser: Superuser
) -> None:
    referral = await clinic.referred()
    await clinic.events()
    row = superuser.execute(
        "select case_ids, via, kind from audit_events where actor_id = %s and action = 'list_events'",
        [cast.id(clinic.name)],
    ).fetchone()
    assert row is not None
    assert ([str(one) for one in row[0]], row[1], row[2]) == ([referral["case_id"]], ["referral"], "casework")


async def test_a_partner_reads_no_event_but_of_its_referrals(
    cast: Cast, clinic: Partner, database: DatabaseUrls
) -> None:
    """The rows themselves: nothing else of a case, and nothing of another's referral."""
    mine, other = await clinic.referred(), await partner(cast)
    await other.referred(mine["case_id"])
    with psycopg.connect(database.runtime) as connection:
        connection.execute("select from begin_request(%s, %s)", [cast.sessions[clinic.name], cast.clock()])
        found = connection.execute("select distinct referral_id::text from events").fetchall()
    assert found == [(mine["id"],)]


async def test_the_feed_says_nothing_of_who_or_what(cast: Cast, clinic: Partner) -> None:
    referral = await clinic.referred()
    await clinic.move(referral, "accepted")
    text = json.dumps(await clinic.events())
    for hidden in (referral["case_id"], referral["code"], "general_health", "Sokha", "phone", cast.id("caseworker")):
        assert hidden not in text


async def test_everybody_else_is_refused(cast: Cast) -> None:
    for who in ("caseworker", "supervisor", "liaison", "auditor", "admin"):
        answered(await cast.client(who).get("/events"), 403)
