"""A partner sends a client: she is taken in once, by her consent; the partner follows its referral, never her case."""

import asyncio
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.models.codes import Role
from tests.cast import COMMUNE, Cast, answered
from tests.referring import SAFE, SOKHA, move, seen

Superuser = psycopg.Connection[Any]


def sending(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "organisation_id": cast.organisation("ngo"),
        "category": "domestic_violence",
        "commune_code": COMMUNE,
        "client": SOKHA,
        "safe_contact": SAFE,
        "consent": {"form": "verbal", "obtained_on": "2026-03-01"},
        "priority": "urgent",
        "need_summary": "She came with a broken arm.",
        "external_id": f"HC-17/{uuid4().hex}",
        **changes,
    }


async def send(cast: Cast, status: int = 201, who: str = "partner", **changes: Any) -> Any:
    return answered(await cast.client(who).post("/referrals", json=sending(cast, **changes)), status)


async def case_of(cast: Cast, referral: Any) -> Any:
    """The intake, as the organisation's supervisors see it while nobody leads it."""
    case_id = (await seen(cast, referral, "supervisor"))["case_id"]
    return answered(await cast.client("supervisor").get(f"/cases/{case_id}"), 200)


async def test_she_is_taken_in_at_the_organisation_and_waits_for_a_lead(cast: Cast) -> None:
    referral = await send(cast)
    case = await case_of(cast, referral)
    assert case["status"] == "intake"
    assert case["lead"] is None
    assert case["summary"] == "She came with a broken arm."
    assert case["client"]["display_name"] == "Kong Sokhakolab"
    waiting = answered(await cast.client("supervisor").get("/worklist"), 200)["items"]
    assert case["id"] in {item["case_id"] for item in waiting}


async def test_the_partner_follows_the_referral_and_never_sees_the_case(cast: Cast) -> None:
    referral = await send(cast)
    assert "case_id" not in referral
    case = await case_of(cast, referral)
    answered(await cast.client("partner").get(f"/cases/{case['id']}"), 403)
    listed = answered(
        await cast.client("partner").get("/referrals", params={"external_id": referral["external_id"]}), 200
    )
    assert [one["id"] for one in listed["items"]] == [referral["id"]]
    await move(cast, referral, "accepted", "supervisor")
    followed = await seen(cast, referral)
    assert (followed["status"], followed["direction"], followed["disclosed"]) == ("accepted", "outgoing", None)
    assert case["code"] not in str(followed)


@pytest.mark.parametrize("consent", [None, {}, {"form": "verbal"}])
async def test_without_her_consent_nobody_is_taken_in(cast: Cast, superuser: Superuser, consent: Any) -> None:
    wanted = sending(cast, consent=consent)
    if consent is None:
        del wanted["consent"]
    before = superuser.execute("select count(*) from cases").fetchone()
    answered(await cast.client("partner").post("/referrals", json=wanted), 422)
    assert superuser.execute("select count(*) from cases").fetchone() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"commune_code": 170201},
        {"commune_code": "999999"},
        {"client": {**SOKHA, "birth_date": "22012-01-01"}},
        {"client": {**SOKHA, "birth_date": "2022-05-1"}},
        {"consent": {"form": "verbal", "obtained_on": "2022-05-1"}},
        {"external_id": "a name with spaces"},
        {"external_id": ""},
        {"external_id": "x" * 65},
        {"client": {}},
    ],
)
async def test_what_is_wrongly_written_is_a_422_and_nothing_is_written(
    cast: Cast, superuser: Superuser, wrong: dict[str, Any]
) -> None:
    before = superuser.execute("select count(*) from cases").fetchone()
    await send(cast, 422, **wrong)
    assert superuser.execute("select count(*) from cases").fetchone() == before


async def test_only_an_ngo_takes_a_client_in(cast: Cast) -> None:
    for organisation in ("clinic", "council"):
        await send(cast, 422, organisation_id=cast.organisation(organisation))


async def test_the_same_number_sent_again_is_the_first_referral(cast: Cast) -> None:
    first = await send(cast)
    again = await send(cast, 200, need_summary="Once more.", external_id=first["external_id"])
    assert again["id"] == first["id"]


async def test_the_same_number_sent_twenty_times_at_once_is_one_case_and_one_referral(
    cast: Cast, superuser: Superuser
) -> None:
    wanted = sending(cast)
    sent = await asyncio.gather(*(cast.client("partner").post("/referrals", json=wanted) for _ in range(20)))
    assert sorted(one.status_code for one in sent) == [200] * 19 + [201]
    assert len({one.json()["id"] for one in sent}) == 1
    rows = superuser.execute(
        "select count(*), count(distinct case_id) from referrals where external_id = %s and partner_id = %s",
        [wanted["external_id"], cast.organisation("clinic")],
    ).fetchone()
    assert rows == (1, 1)


async def test_another_partners_number_is_its_own(cast: Cast) -> None:
    referral = await send(cast)
    await cast.add("other_partner", Role.PARTNER, "council", [])
    listed = answered(
        await cast.client("other_partner").get("/referrals", params={"external_id": referral["external_id"]}), 200
    )
    assert listed["items"] == []
    await send(cast, 201, "other_partner", external_id=referral["external_id"])


async def test_nobody_but_a_partner_sends_a_client_so(cast: Cast) -> None:
    for who in ("caseworker", "supervisor", "liaison", "auditor", "admin"):
        await send(cast, 403, who)


async def test_a_partner_says_that_its_own_referral_was_a_mistake_and_accepts_it_never(cast: Cast) -> None:
    referral = await send(cast)
    await move(cast, referral, "accepted", "partner", 403)
    await move(cast, referral, "entered_in_error", "partner")
    assert (await seen(cast, referral, "supervisor"))["status"] == "entered_in_error"
