"""What is taken away while somebody reads or writes is gone for them, as if they had come later: never a fault."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from app.database_urls import DatabaseUrls
from app.errors import NotFound
from app.services.referral_keys import gone_meanwhile
from tests.acts import exclude
from tests.cast import Cast, answered
from tests.referring import accepted, referred

Superuser = psycopg.Connection[Any]
WAITS = "select exists (select from pg_locks where not granted and relation = %s::regclass)"
AGAIN = "update case_exclusions set lifted_at = %s where origin_id = %s"
KEYS = "vault.data_keys"


async def excluded_later(cast: Cast, superuser: Superuser, referral: Any) -> str:
    """An exclusion of the partner that does not count yet; gives its id."""
    own_id: str = (await exclude(cast, "caseworker", referral["case_id"], "partner"))["id"]
    superuser.execute(AGAIN, [cast.clock(), own_id])
    return own_id


async def meanwhile(
    database: DatabaseUrls, table: str, exclusion: str, call: Coroutine[Any, Any, httpx.Response]
) -> httpx.Response:
    """The answer to a call that has come as far as this table when the exclusion is committed."""
    with psycopg.connect(database.admin) as other:
        other.execute(f"lock table {table} in access exclusive mode".encode())
        asked = asyncio.create_task(call)
        async with asyncio.timeout(20):
            while other.execute(WAITS, [table]).fetchone() != (True,):  # noqa: ASYNC110 (of another process)
                await asyncio.sleep(0.005)
        other.execute(AGAIN, [None, exclusion])
        other.commit()
    return await asked


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/referrals/{id}", None),
        ("GET", "http://samaki.test/fhir/R4/Patient/{id}", None),
        ("GET", "http://samaki.test/fhir/R4/ServiceRequest/{id}", None),
        ("GET", "http://samaki.test/fhir/R4/Task/{id}", None),
        ("POST", "/referrals/{id}/transitions", {"to": "in_progress"}),
        ("POST", "/referrals/{id}/messages", {"text": "She came."}),
        ("GET", "/referrals/{id}/messages", None),
    ],
)
async def test_who_is_excluded_while_the_answer_is_made_meets_what_does_not_exist(
    cast: Cast, superuser: Superuser, database: DatabaseUrls, method: str, path: str, body: Any
) -> None:
    referral = await accepted(cast)
    exclusion = await excluded_later(cast, superuser, referral)
    call = cast.client("partner").request(method, path.format(id=referral["id"]), json=body)
    answer = await meanwhile(database, KEYS, exclusion, call)
    assert answer.status_code == 404
    row = superuser.execute("select status, version from referrals where id = %s", [referral["id"]]).fetchone()
    assert row == ("accepted", referral["version"] + 1)


async def test_an_answer_that_meets_the_exclusion_is_a_404_and_nothing_is_accepted(
    cast: Cast, superuser: Superuser, database: DatabaseUrls
) -> None:
    referral = await referred(cast)
    exclusion = await excluded_later(cast, superuser, referral)
    call = cast.client("partner").post(f"/referrals/{referral['id']}/transitions", json={"to": "accepted"})
    assert (await meanwhile(database, KEYS, exclusion, call)).status_code == 404
    row = superuser.execute("select status from referrals where id = %s", [referral["id"]]).fetchone()
    assert row == ("requested",)


@pytest.mark.parametrize("what", ["read", "message"])
async def test_who_is_excluded_before_the_snapshot_is_told_nothing(
    cast: Cast, superuser: Superuser, database: DatabaseUrls, what: str
) -> None:
    referral = await accepted(cast)
    exclusion = await excluded_later(cast, superuser, referral)
    path, partner = f"/referrals/{referral['id']}", cast.client("partner")
    call = partner.get(path) if what == "read" else partner.post(f"{path}/messages", json={"text": "She came."})
    assert (await meanwhile(database, "referral_snapshots", exclusion, call)).status_code == 404


async def test_a_list_goes_on_without_the_one_that_has_gone(
    cast: Cast, superuser: Superuser, database: DatabaseUrls
) -> None:
    stays, goes = await referred(cast), await referred(cast)
    exclusion = await excluded_later(cast, superuser, goes)
    call = cast.client("partner").get("/referrals", params={"limit": 200})
    found = {one["id"] for one in answered(await meanwhile(database, KEYS, exclusion, call), 200)["items"]}
    assert stays["id"] in found
    assert goes["id"] not in found


ANSWERED = """
    update referrals set status = 'accepted', answered_at = %s, disclosed_until = %s, version = version + 1
     where id = %s
"""
WAITS_FOR_ROW = (
    "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database())"
)


async def test_telling_anew_beside_a_yes_is_a_step_after_it(
    cast: Cast, superuser: Superuser, database: DatabaseUrls
) -> None:
    referral = await referred(cast)
    share = cast.client("caseworker").post(f"/referrals/{referral['id']}/share", json={})
    with psycopg.connect(database.admin) as other:
        values = [cast.clock(), cast.clock() + timedelta(days=1), referral["id"]]
        other.execute("select set_config('samaki.now', %s, true)", [cast.clock().isoformat()])
        other.execute(ANSWERED, values)
        asked = asyncio.create_task(share)
        async with asyncio.timeout(20):
            while superuser.execute(WAITS_FOR_ROW).fetchone() != (True,):  # noqa: ASYNC110 (of another process)
                await asyncio.sleep(0.005)
        other.commit()
    shared = answered(await asked, 200)
    assert (shared["status"], shared["version"]) == ("accepted", referral["version"] + 2)


async def test_a_key_that_is_lost_is_an_alarm_still(cast: Cast, superuser: Superuser) -> None:
    referral = await accepted(cast)
    taken = superuser.execute("select * from vault.data_keys where home = %s", [referral["id"]]).fetchone()
    superuser.execute("delete from vault.data_keys where home = %s", [referral["id"]])
    try:
        answered(await cast.client("partner").get(f"/referrals/{referral['id']}"), 503)
    finally:
        marks = ", ".join(["%s"] * len(taken or ()))
        superuser.execute(f"insert into vault.data_keys values ({marks})".encode(), taken)


def test_only_what_the_walls_refuse_means_that_it_has_gone() -> None:
    with pytest.raises(NotFound), gone_meanwhile():
        raise psycopg.errors.InsufficientPrivilege
    with pytest.raises(psycopg.errors.UniqueViolation), gone_meanwhile():
        raise psycopg.errors.UniqueViolation
