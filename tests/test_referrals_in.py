"""A partner sends a client: she is taken in once, by her consent; the partner follows its referral, never her case."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.models.codes.people import Role
from app.models.referral_in import ReferralInCreate
from tests.cast import COMMUNE, Cast, FrozenClock, answered
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
        {"consent": {"form": "verbal", "obtained_on": "2026-02-01", "expires_on": "2026-01-31"}},
        {"consent": {"form": "verbal", "obtained_on": "2026-02-01", "expires_on": "2026-03-01"}},
        {"consent": {"form": "verbal", "obtained_on": "2190-01-01"}},
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


async def test_the_same_sent_again_is_the_first_referral(cast: Cast) -> None:
    wanted = sending(cast)
    first, again = [await cast.client("partner").post("/referrals", json=wanted) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == first.json()["id"]


@pytest.mark.parametrize(
    "change",
    [
        {"need_summary": "Once more."},
        {"client": {**SOKHA, "given_name_en": "Bopha"}},
        {"category": "id_poor"},
        {"priority": "stat"},
        {"safe_contact": {"do_not_contact": True}},
        {"consent": {"form": "written", "obtained_on": "2026-03-01"}},
    ],
)
async def test_another_client_or_need_under_a_number_that_was_used_is_not_lost_in_silence(
    cast: Cast, superuser: Superuser, change: dict[str, Any]
) -> None:
    first = await send(cast)
    before = superuser.execute("select count(*) from cases").fetchone()
    refused = await send(cast, 409, external_id=first["external_id"], **change)
    assert refused["code"] == "external_id_reused"
    assert superuser.execute("select count(*) from cases").fetchone() == before


async def test_the_same_number_for_another_organisation_is_refused(cast: Cast) -> None:
    first = await send(cast)
    await send(cast, 409, external_id=first["external_id"], organisation_id=cast.organisation("other_ngo"))


async def test_what_was_sent_is_kept_as_a_keyed_hash_alone(cast: Cast, superuser: Superuser) -> None:
    """Who has the row and guesses what was sent cannot know whether the guess is right."""
    wanted = sending(cast)
    sent = answered(await cast.client("partner").post("/referrals", json=wanted), 201)
    [digest] = superuser.execute("select sent_digest from referrals where id = %s", [sent["id"]]).fetchone() or [b""]
    said = ReferralInCreate.model_validate(wanted).model_dump_json(exclude_defaults=True).encode()
    assert digest == cast.runtime.keys.digest("referral-in", said) != hashlib.sha256(said).digest()


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


async def test_a_reviewer_who_accepts_for_an_intake_without_lead_writes_to_the_sender(cast: Cast) -> None:
    referral = await send(cast)
    await move(cast, referral, "accepted", "supervisor")
    path = f"/referrals/{referral['id']}/messages"
    answered(await cast.client("supervisor").post(path, json={"text": "She is with us."}), 201)
    assert [one["text"] for one in answered(await cast.client("partner").get(path), 200)["items"]] == [
        "She is with us."
    ]


CHILD = {"given_name_en": "Bopha", "sex": "female", "birth_date_precision": "day"}
ALONE = {"form": "verbal", "obtained_on": "2026-03-01"}


@pytest.mark.parametrize(
    ("client", "given_by", "warned"),
    [
        (CHILD, "client", True),
        (CHILD, "caregiver", True),
        (CHILD, "client_and_caregiver", False),
        (SOKHA, "client", False),
        (SOKHA, "caregiver", True),
    ],
)
async def test_who_takes_her_in_is_told_that_somebody_who_must_agree_has_not(
    cast: Cast, clock: FrozenClock, client: Any, given_by: str, warned: bool
) -> None:
    # Fourteen years old, however far other tests have moved the clock.
    born = {"birth_date": (clock() - timedelta(days=14 * 366)).date().isoformat()} if client is CHILD else {}
    referral = await send(cast, client={**client, **born}, consent={**ALONE, "given_by": given_by})
    said = ["consent_incomplete"] if warned else []
    for status in ("requested", "accepted"):
        found = await seen(cast, referral, "supervisor")
        assert (found["status"], [one["code"] for one in found["warnings"]]) == (status, said)
        if status == "requested":
            await move(cast, referral, "accepted", "supervisor")
    ended = await move(cast, referral, "completed", "supervisor", outcome_code="attended")
    assert ended["warnings"] == []


async def test_a_consent_that_has_run_out_since_is_no_missing_yes(cast: Cast, clock: FrozenClock) -> None:
    day = (clock() + timedelta(days=1)).date().isoformat()
    referral = await send(cast, consent={**ALONE, "expires_on": day})
    clock.advance(days=5)
    assert (await seen(cast, referral, "supervisor"))["warnings"] == []
