"""What is told of her: what she agreed to, to whom she agreed, from the yes until it closes, and never a word more."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.calendar import day_of
from app.database_urls import DatabaseUrls
from app.models.codes.people import Role
from tests.acts import assign, exclude, newcomer
from tests.cast import VILLAGE, Cast, FrozenClock, answered
from tests.fhir.asking import ROOT
from tests.hooking import Partner, partner, system_of
from tests.pages import whole
from tests.referring import (
    EVERYTHING,
    MESSAGE,
    PHONE,
    SAFE,
    SOKHA,
    accepted,
    agreed,
    client_of,
    move,
    refer,
    referred,
    seen,
)
from tests.test_reminders import reminded
from tests.test_services import added

Superuser = psycopg.Connection[Any]
PROTECTED = (
    *("safe_abortion", "family_planning", "antenatal_care", "clinical_management_of_rape", "mental_health"),
    *("psychosocial_support", "police_protection", "shelter"),
)
CONTACT = {"phone", "village", "safe_contact"}


async def withdraw(cast: Cast, case_id: str, consent_id: str) -> None:
    path = f"/cases/{case_id}/consents/{consent_id}/withdraw"
    answered(await cast.client("caseworker").post(path, json={}), 200)


async def change_contact(cast: Cast, case_id: str, **contact: Any) -> None:
    path = f"/cases/{case_id}"
    match = {"If-Match": (await cast.client("caseworker").get(path)).headers["ETag"]}
    answered(await cast.client("caseworker").patch(path, json={"safe_contact": contact}, headers=match), 200)


# ---- consent ----


async def test_nobody_is_told_anything_without_her_consent_for_that_very_recipient(cast: Cast) -> None:
    case_id = await client_of(cast)
    assert (await refer(cast, case_id, status=409))["code"] == "consent_required"
    await agreed(cast, case_id, organisation_id=cast.organisation("other_ngo"))
    await agreed(cast, case_id, purpose="services")
    await agreed(cast, case_id, organisation_id=None, sector="legal")
    await agreed(cast, case_id, obtained_on="2026-02-01", expires_on="2026-02-27")
    await withdraw(cast, case_id, await agreed(cast, case_id))
    assert (await refer(cast, case_id, status=409))["code"] == "consent_required"
    await agreed(cast, case_id, [one for one in EVERYTHING if one != "name"])
    assert (await refer(cast, case_id, status=409))["code"] == "consent_required"
    await refer(cast, case_id, shared_fields=["age"])


async def test_a_consent_for_the_sector_is_one_for_every_service_of_it(cast: Cast) -> None:
    case_id = await client_of(cast)
    await agreed(cast, case_id, organisation_id=None, sector="health")
    await refer(cast, case_id)
    assert (await refer(cast, case_id, status=409, service_type="legal_aid"))["code"] == "consent_required"


@pytest.mark.parametrize("field", ["phone", "village"])
async def test_how_to_find_her_goes_with_how_she_may_be_reached(cast: Cast, field: str) -> None:
    case_id = await client_of(cast)
    await agreed(cast, case_id)
    assert (await refer(cast, case_id, status=422, shared_fields=[field]))["errors"][0]["code"] == (
        "safe_contact_required"
    )
    await refer(cast, case_id, shared_fields=[field, "safe_contact"])


@pytest.mark.parametrize("wrong", ["past", "far", "organisation", "own", "service", "field", "type"])
async def test_what_cannot_be_asked_is_refused_and_nothing_is_written(
    cast: Cast, superuser: Superuser, wrong: str
) -> None:
    case_id = await client_of(cast)
    await agreed(cast, case_id)
    changes: dict[str, dict[str, Any]] = {
        "past": {"due_at": (cast.clock() - timedelta(minutes=1)).isoformat()},
        "far": {"due_at": (cast.clock() + timedelta(days=90, minutes=1)).isoformat()},
        "organisation": {"organisation_id": str(uuid4())},
        "own": {"organisation_id": cast.organisation("ngo")},
        "service": {"service_id": str(uuid4())},
        "field": {"shared_fields": ["address"]},
        "type": {"service_type": "witchcraft"},
    }
    await refer(cast, case_id, status=422, **changes[wrong])
    count = superuser.execute("select count(*) from referrals where case_id = %s", [case_id]).fetchone()
    assert count == (0,)


async def test_a_service_that_does_not_fit_her_is_a_warning_and_one_that_is_not_offered_a_refusal(cast: Cast) -> None:
    case_id = await client_of(cast)
    await agreed(cast, case_id)
    boys = await added(cast, minimum_age=5, maximum_age=12, sex_served="male", capacity="full")
    asked = await refer(cast, case_id, service_id=boys["id"])
    assert [one["code"] for one in asked["warnings"]] == ["age_not_served", "sex_not_served", "full", "not_assured"]
    assert asked["service_id"] == boys["id"]
    fitting = await added(cast, assured_on=day_of(cast.clock()).isoformat())
    assert (await refer(cast, case_id, service_id=fitting["id"]))["warnings"] == []
    for other in (await added(cast, status="inactive"), await added(cast, service_type="legal_aid")):
        refused = await refer(cast, case_id, status=422, service_id=other["id"])
        assert refused["errors"][0]["pointer"] == "/service_id"


async def test_who_cannot_answer_or_offers_nothing_of_the_kind_is_a_warning(cast: Cast) -> None:
    """Else a referral that can only run into silence looks like any other."""
    case_id = await client_of(cast)
    empty, only_system = await partner(cast), await partner(cast)
    await system_of(cast, only_system)

    async def warned(of: Partner, **changes: Any) -> list[str]:
        asked = await of.referred(case_id, **changes)
        read = await seen(cast, asked, "caseworker")
        assert asked["warnings"] == read["warnings"]
        return [one["code"] for one in read["warnings"]]

    assert await warned(empty) == []
    for who in (empty.name, only_system.name):
        async with cast.runtime.database.transaction() as session:
            cast.users[who].active = False
            await session.merge(cast.users[who])
    assert await warned(empty) == ["nobody_answers"]
    assert await warned(only_system) == []
    service = {"name": "Court", "name_km": "តុលាការ", "service_type": "legal_aid", "languages": ["km"]}
    made = {**service, "organisation_id": only_system.organisation_id}
    answered(await cast.client("admin").post("/services", json=made), 201)
    assert await warned(only_system) == ["sector_not_offered"]
    assert await warned(only_system, service_type="legal_aid") == []


async def test_where_to_reach_her_is_told_to_nobody_while_nobody_may_contact_her(cast: Cast) -> None:
    case_id = await client_of(cast)
    await agreed(cast, case_id)
    referral = await refer(cast, case_id)
    await change_contact(cast, case_id, do_not_contact=True)
    path = f"/referrals/{referral['id']}/share"
    told = ["name", "safe_contact", "need_summary"]
    for fields in ({}, {"shared_fields": [*told, "phone"]}, {"shared_fields": [*told, "village"]}):
        refused = answered(await cast.client("caseworker").post(path, json=fields), 409)
        assert refused["code"] == "unsafe_contact"
    assert (await refer(cast, case_id, status=409))["code"] == "unsafe_contact"
    answered(await cast.client("caseworker").post(path, json={"shared_fields": told}), 200)
    await move(cast, referral, "accepted")
    disclosed = (await seen(cast, referral))["disclosed"]
    assert disclosed["safe_contact"]["do_not_contact"] is True, "that nobody may is told"
    assert disclosed.keys() == set(told)


async def test_a_liaison_and_a_colleague_refer_nobody(cast: Cast) -> None:
    case_id = await client_of(cast, "id_poor")
    await agreed(cast, case_id)
    await refer(cast, case_id, "liaison", 403)
    await refer(cast, case_id, "colleague", 403)
    await refer(cast, case_id, "stranger", 404)
    await refer(cast, case_id, "partner", 403)
    await refer(cast, case_id, "supervisor")


# ---- before and after the yes ----


@pytest.mark.parametrize("service_type", PROTECTED)
async def test_a_protected_service_is_its_sector_until_the_yes(cast: Cast, service_type: str) -> None:
    case_id = await client_of(cast, "id_poor")
    await agreed(cast, case_id)
    referral = await refer(cast, case_id, service_type=service_type, organisation_id=cast.organisation("clinic"))
    assert referral["service_type"] == service_type
    before = await seen(cast, referral)
    listed = {one["id"]: one for one in await whole(cast.client("partner"), "/referrals")}
    request = (await cast.client("partner").get(f"http://samaki.test/fhir/R4/ServiceRequest/{referral['id']}")).json()
    # Of a sector in which every service is protected the name says as much as the type.
    expected = "health" if referral["sector"] == "health" else "other"
    for told in (before, listed[referral["id"]]):
        assert (told["service_type"], told["sector"]) == (None, expected)
    assert [one["coding"][0]["code"] for one in (*request["category"], request["code"])] == [expected] * 2
    for telling in {service_type, referral["sector"]} - {"health"}:
        assert f'"{telling}"' not in json.dumps([before, listed[referral["id"]], request])
    await move(cast, referral, "accepted")
    accepted_one = await seen(cast, referral)
    assert (accepted_one["service_type"], accepted_one["sector"]) == (service_type, referral["sector"])
    again = {one["id"]: one for one in await whole(cast.client("partner"), "/referrals")}
    assert again[referral["id"]]["sector"] == expected, "lists never hold what is told"
    own = {one["id"]: one for one in await whole(cast.client("caseworker"), "/referrals")}
    assert own[referral["id"]]["sector"] == referral["sector"]
    case = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)
    assert case["sensitivity"] == "sensitive"


async def test_a_service_that_is_not_protected_is_told_at_once(cast: Cast) -> None:
    referral = await referred(cast)
    assert (await seen(cast, referral))["service_type"] == "general_health"


@pytest.mark.parametrize("field", EVERYTHING)
async def test_each_field_is_told_alone_when_she_agreed_to_it_alone(cast: Cast, field: str) -> None:
    fields = sorted({field} | ({"safe_contact"} if field in CONTACT else set()))
    referral = await accepted(cast, fields)
    assert sorted((await seen(cast, referral))["disclosed"]) == fields


async def test_no_mark_that_was_not_shared_appears_in_anything_that_the_partner_fetches(cast: Cast) -> None:
    """Every private field of the case carries a mark of its own; only two are shared."""
    marks = {name: f"Mark{name.replace('_', '').title()}" for name in ("family_name_en", "given_name_en", "known_as")}
    client = {**SOKHA, **marks, "address": "MarkAddress"}
    contact = {**SAFE, "code_phrase": "MarkPhrase", "may_answer": "MarkSister"}
    case_id = await client_of(cast, client=client, safe_contact=contact, summary="MarkSummary")
    note = {"text": "MarkNote", "audience": "team"}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/notes", json=note), 201)
    await agreed(cast, case_id, ["age", "need_summary"])
    referral = await refer(cast, case_id, shared_fields=["age", "need_summary"], reason="AgreedNeed")
    code = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)["code"]
    forbidden = [*marks.values(), "MarkAddress", "MarkPhrase", "MarkSister", "MarkSummary", "MarkNote", PHONE]
    forbidden += [VILLAGE, case_id, code, "widowed", "1994-05", "a_lot"]
    fetched = []
    for step in (None, "accepted", "in_progress"):
        if step:
            fetched.append(await move(cast, referral, step))
        own = f"/referrals/{referral['id']}"
        paths = [own, f"{own}/messages", f"{own}/receipt", "/referrals", "/referrals?status=requested"]
        paths += [f"/cases/{case_id}", f"/cases/{case_id}/referrals"]
        fetched += [(await cast.client("partner").get(path)).text for path in paths]
    told = "\n".join(map(str, fetched))
    assert "AgreedNeed" in told
    assert [mark for mark in forbidden if mark in told.replace(f"/api/v1/cases/{case_id}", "")] == []


async def test_lists_never_hold_what_is_told_of_her(cast: Cast) -> None:
    referral = await accepted(cast)
    [item] = [
        one
        for one in answered(await cast.client("partner").get("/referrals"), 200)["items"]
        if one["id"] == referral["id"]
    ]
    assert not {"disclosed", "message", "commune_code", "case_id"} & set(item)


# ---- it closes ----


@pytest.mark.parametrize("to", ["cancelled", "failed", "entered_in_error"])
async def test_what_was_told_closes_with_a_bad_end(cast: Cast, superuser: Superuser, to: str) -> None:
    referral = await accepted(cast)
    assert (await seen(cast, referral))["disclosed"]
    by = "caseworker" if to == "entered_in_error" else "partner"
    await move(cast, referral, to, by, reason_code="other")
    after = await seen(cast, referral)
    assert (after["disclosed"], after["message"], after["commune_code"]) == (None, None, None)
    left = "select sealed, contact_sealed from referral_snapshots where referral_id = %s"
    assert superuser.execute(left, [referral["id"]]).fetchone() == (None, None)


async def test_a_rejected_referral_told_nothing_and_never_will(cast: Cast) -> None:
    referral = await referred(cast)
    await move(cast, referral, "rejected", reason_code="no_capacity")
    assert (await seen(cast, referral))["disclosed"] is None


async def test_thirty_days_after_the_end_it_is_closed(cast: Cast, clock: FrozenClock) -> None:
    referral = await accepted(cast)
    await move(cast, referral, "completed", outcome_code="attended")
    clock.advance(days=30, seconds=-1)
    assert (await seen(cast, referral))["disclosed"]
    clock.advance(seconds=1)
    assert (await seen(cast, referral))["disclosed"] is None


async def test_ninety_days_without_a_change_it_is_closed_and_the_worker_destroys_it(
    cast: Cast, clock: FrozenClock, database: DatabaseUrls, superuser: Superuser
) -> None:
    referral = await accepted(cast)
    clock.advance(days=60)
    await move(cast, referral, "in_progress")
    clock.advance(days=90, seconds=-1)
    await reminded(database, clock)
    assert (await seen(cast, referral))["disclosed"]
    clock.advance(seconds=1)
    assert (await seen(cast, referral))["disclosed"] is None
    await reminded(database, clock)
    left = "select sealed from referral_snapshots where referral_id = %s"
    assert superuser.execute(left, [referral["id"]]).fetchone() == (None,)


async def test_withdrawn_consent_closes_it_in_the_same_write_and_cancels_what_rests_on_it(cast: Cast) -> None:
    case_id = await client_of(cast)
    consent = await agreed(cast, case_id)
    waiting, working, done = [await refer(cast, case_id) for _ in range(3)]
    for one in (working, done):
        await move(cast, one, "accepted")
    await move(cast, done, "completed", outcome_code="attended")
    assert (await seen(cast, done))["disclosed"]
    await withdraw(cast, case_id, consent)
    for one, status in ((waiting, "cancelled"), (working, "cancelled"), (done, "completed")):
        after = await seen(cast, one)
        assert (after["status"], after["disclosed"]) == (status, None)
    assert (await seen(cast, waiting))["reason_code"] == "consent_withdrawn"
    await move(cast, waiting, "accepted", status=409)


async def test_a_consent_that_has_run_out_closes_it(cast: Cast, clock: FrozenClock) -> None:
    case_id = await client_of(cast)
    await agreed(cast, case_id, expires_on=(day_of(cast.clock()) + timedelta(days=3)).isoformat())
    referral = await refer(cast, case_id)
    await move(cast, referral, "accepted")
    assert (await seen(cast, referral))["disclosed"]
    clock.advance(days=4)
    assert (await seen(cast, referral))["disclosed"] is None


async def test_tightened_safe_contact_closes_how_to_reach_her_at_once(cast: Cast, superuser: Superuser) -> None:
    referral = await accepted(cast)
    await change_contact(cast, referral["case_id"], do_not_contact=True)
    after = await seen(cast, referral)
    assert after["contact_suspended"] is True
    assert set(after["disclosed"]) == set(EVERYTHING) - CONTACT
    row = superuser.execute(
        "select count(*) from events where referral_id = %s and type = 'referral.contact_changed'", [referral["id"]]
    ).fetchone()
    assert row == (1,)


async def test_the_sender_tells_anew_how_she_may_be_reached_today(cast: Cast) -> None:
    referral = await accepted(cast)
    await change_contact(cast, referral["case_id"], channels=["sms"])
    path = f"/referrals/{referral['id']}/share"
    answered(await cast.client("partner").post(path, json={}), 403)
    shared = answered(await cast.client("caseworker").post(path, json={}), 200)
    assert shared["contact_suspended"] is False
    told = await seen(cast, referral)
    assert told["disclosed"]["safe_contact"]["channels"] == ["sms"]
    assert told["message"] == MESSAGE


async def test_telling_anew_needs_a_consent_of_today(cast: Cast) -> None:
    case_id = await client_of(cast)
    await agreed(cast, case_id, ["age"], organisation_id=None, sector="health")
    referral = await refer(cast, case_id, shared_fields=["age"])
    path = f"/referrals/{referral['id']}/share"
    wider = {"shared_fields": ["age", "name"]}
    assert answered(await cast.client("caseworker").post(path, json=wider), 409)["code"] == "consent_required"
    await agreed(cast, case_id, ["age", "name"])
    answered(await cast.client("caseworker").post(path, json=wider), 200)
    await move(cast, referral, "accepted")
    assert set((await seen(cast, referral))["disclosed"]) == {"age", "name"}


async def test_a_snapshot_is_as_it_was_when_it_was_asked(cast: Cast) -> None:
    referral = await referred(cast)
    people = answered(await cast.client("caseworker").get(f"/cases/{referral['case_id']}/people"), 200)["items"]
    path = f"/people/{people[0]['id']}"
    match = {"If-Match": (await cast.client("caseworker").get(path)).headers["ETag"]}
    change = {"given_name_en": "Changed"}
    answered(await cast.client("caseworker").patch(path, json=change, headers=match), 200)
    await move(cast, referral, "accepted")
    assert (await seen(cast, referral))["disclosed"]["name"] == "Kong Sokhakolab"


# ---- who ----


async def test_an_excluded_person_of_the_recipient_cannot_tell_that_the_referral_exists(cast: Cast) -> None:
    referral, other = await accepted(cast), await newcomer(cast, Role.PARTNER, "clinic")
    await exclude(cast, "caseworker", referral["case_id"], other)
    await seen(cast, referral, other, 404)
    await move(cast, referral, "in_progress", other, 404)
    ids = [one["id"] for one in answered(await cast.client(other).get("/referrals"), 200)["items"]]
    assert referral["id"] not in ids
    await seen(cast, referral)


async def test_the_receipt_says_what_was_told_to_whom_and_each_time_it_was_opened(
    cast: Cast, clock: FrozenClock
) -> None:
    referral = await referred(cast, ["age"])
    await seen(cast, referral)
    receipt = await seen(cast, referral, "caseworker", rest="/receipt")
    assert (receipt["shared_fields"], receipt["openings"], receipt["open"]) == (["age"], [], False)
    await move(cast, referral, "accepted")
    clock.advance(minutes=3)
    await seen(cast, referral)
    await cast.client("partner").get("/referrals")
    receipt = await seen(cast, referral, "caseworker", rest="/receipt")
    assert receipt["open"] is True
    assert [one["user"]["id"] for one in receipt["openings"]] == [cast.id("partner")] * 2
    assert {one["organisation_id"] for one in receipt["openings"]} == {cast.organisation("clinic")}
    await seen(cast, referral, "partner", 403, rest="/receipt")
    await move(cast, referral, "failed", reason_code="unreachable")
    receipt = await seen(cast, referral, "caseworker", rest="/receipt")
    assert (receipt["open"], len(receipt["openings"])) == (False, 2)


async def test_a_referral_is_not_found_below_another_case(cast: Cast) -> None:
    referral, other = await referred(cast), await client_of(cast)
    own = f"/cases/{referral['case_id']}/referrals/{referral['id']}"
    answered(await cast.client("caseworker").get(own), 200)
    answered(await cast.client("caseworker").get(f"/cases/{other}/referrals/{referral['id']}"), 404)


async def test_a_colleague_sees_the_referrals_of_standard_cases_and_of_hers_and_no_others(cast: Cast) -> None:
    hidden = await referred(cast)
    case_id = await client_of(cast, "id_poor")
    await agreed(cast, case_id)
    standard = await refer(cast, case_id)
    shared = await referred(cast)
    await assign(cast, "caseworker", shared["case_id"], "colleague", "caseworker")
    found = {one["id"] for one in answered(await cast.client("colleague").get("/referrals?limit=200"), 200)["items"]}
    assert {standard["id"], shared["id"]} <= found
    assert hidden["id"] not in found
    await seen(cast, hidden, "colleague", 404)
    ring = {"sensitivity": "sensitive"}
    match = {"If-Match": (await cast.client("caseworker").get(f"/cases/{case_id}")).headers["ETag"]}
    answered(await cast.client("caseworker").patch(f"/cases/{case_id}", json=ring, headers=match), 200)
    found = {one["id"] for one in answered(await cast.client("colleague").get("/referrals?limit=200"), 200)["items"]}
    assert standard["id"] not in found


async def test_words_between_the_sides_are_read_while_the_referral_is_worked_on(cast: Cast) -> None:
    referral = await referred(cast)
    path = f"/referrals/{referral['id']}/messages"
    answered(await cast.client("caseworker").post(path, json={"text": "Hello?"}), 409)
    await move(cast, referral, "accepted")
    asked = answered(await cast.client("caseworker").post(path, json={"text": "Is she there?"}), 201)
    answered(await cast.client("partner").post(path, json={"text": "She came."}), 201)
    for who in ("caseworker", "partner"):
        words = answered(await cast.client(who).get(path), 200)["items"]
        assert {(one["text"], one["from_recipient"]) for one in words} == {
            ("Is she there?", False),
            ("She came.", True),
        }
    answered(await cast.client("stranger").get(path), 404)
    await move(cast, referral, "failed", reason_code="unreachable")
    assert answered(await cast.client("partner").get(path), 200)["items"] == []
    answered(await cast.client("partner").get(f"{path}/{asked['id']}"), 404)
    assert len(answered(await cast.client("caseworker").get(path), 200)["items"]) == 2


async def test_before_the_yes_nothing_says_that_a_telephone_is_among_what_will_be_told(
    cast: Cast, clock: FrozenClock
) -> None:
    clinic, case_id = await partner(cast), await client_of(cast)
    with_phone = await clinic.referred(case_id)
    without = await clinic.referred(case_id, shared_fields=["name"])

    async def heard() -> list[Any]:
        told = [await seen(cast, one, clinic.name) for one in (with_phone, without)]
        tasks = [await cast.client(clinic.name).get(f"{ROOT}/Task/{one['id']}") for one in (with_phone, without)]
        return [*told, *(answered(one, 200) for one in tasks), (await clinic.events())["items"]]

    before = await heard()
    clock.advance(minutes=5)
    await change_contact(cast, case_id, channels=["sms"])
    assert await heard() == before
    assert (await seen(cast, with_phone, "caseworker"))["contact_suspended"] is True
    share = f"/referrals/{with_phone['id']}/share"
    assert answered(await cast.client("caseworker").post(share, json={}), 200)["contact_suspended"] is False
    assert await heard() == before
    await change_contact(cast, case_id, channels=["visit"])
    timeline = answered(await cast.client("caseworker").get(f"/cases/{case_id}/timeline?limit=200"), 200)["items"]
    told = [one["type"] for one in timeline if one["subject_id"] == with_phone["id"]]
    assert sorted(told) == [
        "referral.contact_changed",
        "referral.contact_changed",
        "referral.requested",
        "referral.shared",
    ]
    await clinic.move(with_phone, "accepted")
    after = await seen(cast, with_phone, clinic.name)
    assert (after["contact_suspended"], set(after["disclosed"]) & CONTACT) == (True, set())


@pytest.mark.parametrize("to", ["rejected", "cancelled"])
async def test_what_never_was_told_says_nothing_of_it_at_its_end_either(cast: Cast, to: str) -> None:
    referral = await referred(cast)
    await change_contact(cast, referral["case_id"], channels=["sms"])
    await move(cast, referral, to, reason_code="no_capacity")
    assert (await seen(cast, referral))["contact_suspended"] is False
    await move(cast, referral, "entered_in_error", "caseworker")
    assert (await seen(cast, referral))["contact_suspended"] is False
