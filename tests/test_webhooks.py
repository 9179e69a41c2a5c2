"""A partner's own webhooks: who makes, changes and sees them, where they may lead, and whose stream they carry."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from standardwebhooks import Webhook

from app.models.webhook import ReferralEvent
from app.webhooks.signing import seal_of
from tests.cast import Cast, answered
from tests.hooking import Partner, Receiver, partner, receiving, system_of

Superuser = psycopg.Connection[Any]
MATCH = {"If-Match": "*"}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
async def clinic(cast: Cast) -> Partner:
    return await partner(cast)


async def test_the_secret_is_shown_once_and_is_one_that_the_library_takes(clinic: Partner, receiver: Receiver) -> None:
    made = await clinic.hook(receiver.url, "referral.accepted", "referral.requested")
    assert made["secret"].startswith("whsec_")
    Webhook(made["secret"])
    read = await clinic.call("GET", f"/webhooks/{made['id']}", 200)
    assert read == {name: value for name, value in made.items() if name != "secret"}
    assert read["events"] == ["referral.accepted", "referral.requested"]
    listed = await clinic.call("GET", "/webhooks", 200)
    assert listed["items"] == [read]
    assert "secret" not in read


async def test_the_secret_is_sealed_in_the_database(clinic: Partner, receiver: Receiver, superuser: Superuser) -> None:
    made = await clinic.hook(receiver.url)
    row = superuser.execute("select w::text, sealed from webhooks w where id = %s", [made["id"]]).fetchone()
    assert row is not None
    assert made["secret"] not in row[0]
    assert made["secret"].encode() not in bytes(row[1])


async def test_the_same_key_again_is_the_same_webhook_and_no_secret(clinic: Partner, receiver: Receiver) -> None:
    wanted = {"url": receiver.url, "events": ["referral.*"]}
    key = {"Idempotency-Key": "once"}
    first = await clinic.call("POST", "/webhooks", 201, json=wanted, headers=key)
    again = await clinic.call("POST", "/webhooks", 201, json=wanted, headers=key)
    assert again["id"] == first["id"]
    assert "secret" not in again
    turned = f"/webhooks/{first['id']}/rotate-secret"
    assert "secret" in await clinic.call("POST", turned, 200, headers={**MATCH, "Idempotency-Key": "turn"})
    assert "secret" not in await clinic.call("POST", turned, 200, headers={**MATCH, "Idempotency-Key": "turn"})


async def test_nobody_of_another_organisation_can_tell_that_a_webhook_is_there(
    cast: Cast, clinic: Partner, receiver: Receiver
) -> None:
    made, other = await clinic.hook(receiver.url), await partner(cast)
    unknown = made["id"][:-4] + "0000"
    for method, rest, request in (
        ("GET", "", {}),
        ("PATCH", "", {"json": {"active": False}, "headers": MATCH}),
        ("PATCH", "", {"json": {"active": "no"}}),
        ("DELETE", "", {"headers": MATCH}),
        ("POST", "/rotate-secret", {"headers": MATCH}),
        ("POST", "/rotate-secret", {}),
        ("GET", "/deliveries", {}),
        ("POST", "/redeliver", {"json": {"dead": True}}),
        ("POST", "/redeliver", {"json": {}}),
    ):
        hidden = await cast.client(other.name).request(method, f"/webhooks/{made['id']}{rest}", **request)
        nowhere = await cast.client(other.name).request(method, f"/webhooks/{unknown}{rest}", **request)
        bodies = [{**one.json(), "instance": None} for one in (hidden, nowhere)]
        assert (hidden.status_code, bodies[0]) == (404, bodies[1])
    assert (await other.call("GET", "/webhooks", 200))["items"] == []
    assert (await clinic.call("GET", f"/webhooks/{made['id']}", 200))["version"] == 1


async def test_a_system_looks_but_leads_the_stream_nowhere_else(
    cast: Cast, clinic: Partner, receiver: Receiver
) -> None:
    made, system = await clinic.hook(receiver.url), await system_of(cast, clinic)
    path = f"/webhooks/{made['id']}"
    assert (await clinic.call("GET", path, 200, system))["id"] == made["id"]
    await clinic.call("GET", f"{path}/deliveries", 200, system)
    await clinic.call("POST", f"{path}/redeliver", 202, system, json={"dead": True})
    await clinic.call("GET", "/events", 200, system)
    await clinic.call("POST", "/webhooks", 403, system, json={"url": receiver.url, "events": ["referral.*"]})
    await clinic.call("PATCH", path, 403, system, json={"url": receiver.url}, headers=MATCH)
    await clinic.call("DELETE", path, 403, system, headers=MATCH)
    await clinic.call("POST", f"{path}/rotate-secret", 403, system, headers=MATCH)


async def test_the_rows_let_a_system_change_nothing_either(
    cast: Cast, clinic: Partner, receiver: Receiver, database: Any
) -> None:
    made, system = await clinic.hook(receiver.url), await system_of(cast, clinic)
    with psycopg.connect(database.runtime) as connection:
        connection.execute("select from begin_request(%s, %s)", [cast.sessions[system], cast.clock()])
        change = "update webhooks set url = 'https://elsewhere.example', keeper_id = app_user_id() where id = %s"
        assert connection.execute(change, [made["id"]]).rowcount == 0
        assert connection.execute("delete from webhooks where id = %s", [made["id"]]).rowcount == 0
        connection.rollback()
        connection.execute("select from begin_request(%s, %s)", [cast.sessions[clinic.name], cast.clock()])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):  # who changes it keeps it
            connection.execute("update webhooks set keeper_id = %s where id = %s", [cast.id(system), made["id"]])


async def test_every_change_asks_for_the_password_again(
    cast: Cast, clinic: Partner, receiver: Receiver, superuser: Superuser
) -> None:
    made = await clinic.hook(receiver.url)
    path = f"/webhooks/{made['id']}"
    long_ago = "update sessions set created_at = %s - interval '6 minutes', proved_at = null where id = %s"
    token, _ = cast.runtime.tokens.issue(cast.users[clinic.name].id, cast.sessions[clinic.name], cast.clock())
    superuser.execute(long_ago, [cast.clock(), cast.sessions[clinic.name]])
    client = cast.client("nobody")
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", "/webhooks", {"json": {"url": receiver.url, "events": ["referral.*"]}}),
        ("PATCH", path, {"json": {"active": False}, "headers": MATCH}),
        ("POST", f"{path}/rotate-secret", {"headers": MATCH}),
        ("DELETE", path, {"headers": MATCH}),
    ]
    for method, where, request in asked:
        headers = {**request.pop("headers", {}), "Authorization": f"Bearer {token}"}
        refused = await client.request(method, where, headers=headers, **request)
        assert (refused.status_code, refused.json()["code"]) == (401, "step_up_required")


async def test_only_a_partner_has_webhooks(cast: Cast, receiver: Receiver) -> None:
    for who in ("caseworker", "supervisor", "liaison", "auditor", "admin"):
        client = cast.client(who)
        for path in ("/webhooks", "/events"):
            answered(await client.get(path), 403)
        answered(await client.post("/webhooks", json={"url": receiver.url, "events": ["referral.*"]}), 403)
    assert receiver.connections == 0  # nobody looks at what such a caller names


async def test_an_organisation_has_a_few_webhooks_and_no_more(clinic: Partner, receiver: Receiver) -> None:
    for _ in range(5):
        await clinic.hook(receiver.url)
    refused = await clinic.hook(receiver.url, status=409)
    assert refused["code"] == "webhook_limit"


@pytest.mark.parametrize("events", [[], ["case.closed"], ["referral"], ["*"], ["referral.accepted", 7], None])
async def test_what_is_told_is_chosen_from_a_closed_list(clinic: Partner, receiver: Receiver, events: Any) -> None:
    refused = await clinic.call("POST", "/webhooks", 422, json={"url": receiver.url, "events": events})
    assert {error["pointer"].split("/")[1] for error in refused["errors"]} == {"events"}


async def test_every_type_of_the_list_may_be_chosen(clinic: Partner, receiver: Receiver) -> None:
    every = [one.value for one in ReferralEvent]
    assert (await clinic.hook(receiver.url, *every, every[0]))["events"] == sorted(every)


async def test_a_change_needs_the_version_that_was_seen(clinic: Partner, receiver: Receiver) -> None:
    path = f"/webhooks/{(await clinic.hook(receiver.url))['id']}"
    client = clinic.cast.client(clinic.name)
    seen = (await client.get(path)).headers["ETag"]
    answered(await client.patch(path, json={"active": False}), 428)
    answered(await client.delete(path), 428)
    changed = await client.patch(path, json={"active": False}, headers={"If-Match": seen})
    assert answered(changed, 200)["active"] is False
    stale = await client.patch(path, json={"active": True}, headers={"If-Match": seen})
    assert (stale.status_code, stale.headers["ETag"]) == (412, changed.headers["ETag"])
    answered(await client.delete(path, headers={"If-Match": changed.headers["ETag"]}), 204)
    answered(await client.get(path), 404)


async def test_an_address_that_sends_on_is_refused_when_it_is_named(clinic: Partner, receiver: Receiver) -> None:
    receiver.look = 302
    refused = await clinic.hook(receiver.url, status=422)
    assert [(error["pointer"], error["code"]) for error in refused["errors"]] == [("/url", "webhook_address")]
    assert receiver.connections == 1
    receiver.look = 405
    made = await clinic.hook(receiver.url)
    receiver.look = 308
    path = f"/webhooks/{made['id']}"
    await clinic.call("PATCH", path, 422, json={"url": receiver.url + "&x=1"}, headers=MATCH)
    assert (await clinic.call("GET", path, 200))["url"] == receiver.url


async def test_nobody_need_listen_yet_where_a_webhook_leads(clinic: Partner) -> None:
    async with receiving() as gone:
        url = gone.url
    await clinic.hook(url)


async def test_a_webhook_stops_with_its_keepers_account_and_a_colleague_takes_it_over(
    cast: Cast, clinic: Partner, receiver: Receiver, superuser: Superuser
) -> None:
    made = await clinic.hook(receiver.url)
    colleague = f"colleague_of_{clinic.name}"
    await cast.add(colleague, cast.users[clinic.name].role, clinic.name, [])
    path = f"/webhooks/{made['id']}"
    superuser.execute("update users set active = false where id = %s", [cast.id(clinic.name)])
    stopped = await clinic.call("GET", path, 200, colleague)
    assert (stopped["active"], stopped["stopped_because"]) == (False, "keeper_left")
    taken = await clinic.call("PATCH", path, 200, colleague, json={"active": True}, headers=MATCH)
    assert (taken["active"], taken["stopped_because"]) == (True, None)
    assert taken["keeper"]["id"] == cast.id(colleague)


async def test_a_rotation_keeps_the_old_secret_for_a_day_or_as_long_as_is_said(
    cast: Cast, clinic: Partner, receiver: Receiver
) -> None:
    made = await clinic.hook(receiver.url)
    path = f"/webhooks/{made['id']}/rotate-secret"
    turned = await clinic.call("POST", path, 200, headers=MATCH)
    assert turned["secret"] != made["secret"]
    assert datetime.fromisoformat(turned["old_secret_valid_until"]) == cast.clock() + timedelta(days=1)
    for wrong in ("2020-01-01T00:00:00Z", "2199-01-01T00:00:00Z"):
        await clinic.call("POST", path, 422, json={"old_valid_until": wrong}, headers=MATCH)
    until = {"old_valid_until": cast.clock().isoformat()}
    ended = await clinic.call("POST", path, 200, json=until, headers=MATCH)
    assert ended["old_secret_valid_until"] is None


async def test_of_twenty_who_rotate_at_once_one_holds_the_secret_that_signs(
    clinic: Partner, receiver: Receiver, superuser: Superuser
) -> None:
    made = await clinic.hook(receiver.url)
    path, seen = f"/webhooks/{made['id']}/rotate-secret", {"If-Match": '"1"'}
    await clinic.call("POST", path, 428)
    client = clinic.cast.client(clinic.name)
    answers = await asyncio.gather(*(client.post(path, headers=seen) for _ in range(20)))
    assert sorted(one.status_code for one in answers) == [200, *[412] * 19]
    [turned] = [one.json() for one in answers if one.status_code == 200]
    row = superuser.execute("select sealed, previous_sealed from webhooks where id = %s", [made["id"]]).fetchone()
    seal = seal_of(clinic.cast.runtime.keys)
    assert row is not None
    kept = [seal.open(one, UUID(made["id"])).decode() for one in row]
    assert kept == [turned["secret"], made["secret"]]
