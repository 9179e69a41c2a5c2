"""A child agrees herself, a caregiver with her; never whom she must be protected from, and care does not wait."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from app.calendar import day_of
from app.database_urls import DatabaseUrls
from app.services.agreed import may_be_minor
from tests.acts import SENSITIVE, assign, status_of
from tests.cases import SUPPORT, intake, open_case
from tests.cast import Cast, FrozenClock, answered
from tests.pages import whole

SERVICES = {**SUPPORT, "purpose": "services"}
TODAY = date(2026, 6, 15)

AGES = [
    # birth date, precision, is she taken to be a minor on 15 June 2026
    ("2008-06-15", "exact", False),
    ("2008-06-16", "exact", True),
    ("2008-06-16", "day", True),
    ("2008-05-31", "month", False),
    ("2008-06-01", "month", True),
    ("2008-01-01", "year", True),  # she may be born in December
    ("2007-12-31", "year", False),
    ("2008-01-01", "unknown", True),
    ("2007-01-01", None, False),
    ("2008-02-29", "exact", False),
    ("2012-02-01", "month", True),
    (None, "unknown", False),
]


@pytest.mark.parametrize(("birth", "precision", "minor"), AGES)
def test_who_may_be_under_eighteen_is_taken_to_be(birth: str | None, precision: str | None, minor: bool) -> None:
    assert may_be_minor({"birth_date": birth, "birth_date_precision": precision}, TODAY) is minor


@pytest.fixture
def runtime_connection(database: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.runtime) as connection:
        yield connection


def child(clock: FrozenClock, years: int = 12) -> dict[str, Any]:
    born = day_of(clock()) - timedelta(days=years * 366)
    return {"alias": "A girl", "sex": "female", "birth_date": born.isoformat(), "birth_date_precision": "exact"}


async def case_of(cast: Cast, clock: FrozenClock, **changes: Any) -> str:
    case_id = await open_case(cast, category=SENSITIVE, **{"client": child(clock), "consents": [], **changes})
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    return case_id


async def give(cast: Cast, case_id: str, status: int = 201, who: str = "caseworker", **changes: Any) -> Any:
    return answered(await cast.client(who).post(f"/cases/{case_id}/consents", json={**SERVICES, **changes}), status)


async def may_start(cast: Cast, case_id: str) -> bool:
    """Would the case leave intake? Asked without leaving it."""
    path, headers = f"/cases/{case_id}/transitions", {"If-Match": "*"}
    answer = await cast.client("caseworker").post(path, json={"to": "assessment"}, headers=headers)
    if answer.status_code == 409:
        assert answer.json()["code"] == "consent_required"
        return False
    answered(answer, 200)
    return True


async def stands(cast: Cast, case_id: str) -> bool:
    """Does any consent to services count as active?"""
    given = await whole(cast.client("caseworker"), f"/cases/{case_id}/consents")
    return any(one["active"] for one in given if one["purpose"] == "services")


async def confirm(cast: Cast, one: Any, who: str, status: int = 200) -> Any:
    path = f"/cases/{one['case_id']}/consents/{one['id']}/confirm"
    return answered(await cast.client(who).post(path), status)


async def caregiver(cast: Cast, case_id: str, **changes: Any) -> Any:
    body = {"family_name_en": "Sok", "given_name_en": "Vanna", "role": "caregiver", **changes}
    return answered(await cast.client("caseworker").post(f"/cases/{case_id}/people", json=body), 201)


async def doubt(cast: Cast, person: Any, status: int = 200, **changes: Any) -> Any:
    body = {"caregiver_doubt": "suspected", **changes}
    answer = await cast.client("caseworker").patch(f"/people/{person['id']}", json=body, headers={"If-Match": "*"})
    return answered(answer, status)


# ---- who must agree ----


@pytest.mark.parametrize(
    ("given_by", "enough"),
    [
        (["client"], False),
        (["caregiver"], False),
        (["caregiver", "caregiver"], False),
        (["client", "caregiver"], True),
        (["client_and_caregiver"], True),
    ],
)
async def test_for_a_child_she_and_a_caregiver_agree(
    cast: Cast, clock: FrozenClock, given_by: list[str], enough: bool
) -> None:
    case_id = await case_of(cast, clock)
    for who in given_by:
        await give(cast, case_id, given_by=who)
    assert await stands(cast, case_id) is enough
    assert await may_start(cast, case_id) is enough


async def test_at_the_opening_the_same_holds(cast: Cast, clock: FrozenClock) -> None:
    alone = await case_of(cast, clock, consents=[SERVICES])
    both = await case_of(cast, clock, consents=[{**SERVICES, "given_by": "client_and_caregiver"}])
    assert [await may_start(cast, case_id) for case_id in (alone, both)] == [False, True]


@pytest.mark.parametrize("client", [{"alias": "A woman"}, {"alias": "A woman", "birth_date": "1980-01-01"}])
async def test_a_woman_decides_alone_and_nobody_decides_for_her(cast: Cast, clock: FrozenClock, client: Any) -> None:
    case_id = await case_of(cast, clock, client=client)
    await give(cast, case_id, given_by="caregiver")
    assert not await may_start(cast, case_id)
    await give(cast, case_id)
    assert await may_start(cast, case_id)


async def test_what_either_of_them_takes_back_ends_it(cast: Cast, clock: FrozenClock) -> None:
    for ends in ("client", "caregiver"):
        case_id = await case_of(cast, clock)
        given = {who: await give(cast, case_id, given_by=who) for who in ("client", "caregiver")}
        path = f"/cases/{case_id}/consents/{given[ends]['id']}/withdraw"
        answered(await cast.client("caseworker").post(path, json={}), 200)
        assert not await stands(cast, case_id)
        dates = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")  # of one moment, in any order
        assert sorted((one["state"], one["asks_consent"]) for one in dates) == [("cancelled", False), ("planned", True)]


async def test_a_girl_who_comes_of_age_decides_alone_from_that_day(cast: Cast, clock: FrozenClock) -> None:
    born = (day_of(clock()) + timedelta(days=2)).replace(year=day_of(clock()).year - 18)
    client = {"alias": "A girl", "birth_date": born.isoformat(), "birth_date_precision": "exact"}
    case_id = await case_of(cast, clock, client=client, consents=[SERVICES])
    assert not await stands(cast, case_id)
    clock.advance(days=2)
    assert await stands(cast, case_id)


# ---- whom she must be protected from ----


@pytest.mark.parametrize("why", ["suspected", "unsafe"])
async def test_a_caregiver_who_is_doubted_agrees_to_nothing(cast: Cast, clock: FrozenClock, why: str) -> None:
    case_id = await case_of(cast, clock)
    doubted = await caregiver(cast, case_id, caregiver_doubt=why)
    for given_by in ("caregiver", "client_and_caregiver"):
        for named in ({}, {"caregiver_id": doubted["id"]}):
            refused = await give(cast, case_id, 409, given_by=given_by, **named)
            assert refused["code"] == "unsafe_caregiver"
    other = await caregiver(cast, case_id, given_name_en="Chan")
    missing = await give(cast, case_id, 422, given_by="client_and_caregiver")
    assert missing["errors"][0]["pointer"] == "/caregiver_id"
    given = await give(cast, case_id, given_by="client_and_caregiver", caregiver_id=other["id"])
    assert (given["caregiver_id"], given["active"]) == (other["id"], True)


async def test_what_a_caregiver_agreed_to_ends_with_the_doubt_and_her_own_yes_stays(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id = await case_of(cast, clock)
    father = await caregiver(cast, case_id)
    both = await give(cast, case_id, given_by="client_and_caregiver", caregiver_id=father["id"])
    alone = await give(cast, case_id, given_by="caregiver", caregiver_id=father["id"])
    assert both["active"]
    await doubt(cast, father)
    given = {one["id"]: one for one in await whole(cast.client("caseworker"), f"/cases/{case_id}/consents")}
    assert given[alone["id"]]["withdrawn_at"] is not None
    assert given[both["id"]]["withdrawn_at"] is None
    assert not await stands(cast, case_id)
    bypass = await give(cast, case_id, bypass={"reason": "caregiver_suspected"})
    assert bypass["active"]


async def test_a_yes_that_names_nobody_ends_unless_somebody_else_may_have_said_it(
    cast: Cast, clock: FrozenClock
) -> None:
    for others, left in ((0, False), (1, True)):
        case_id = await case_of(cast, clock)
        father = await caregiver(cast, case_id)
        for _ in range(others):
            await caregiver(cast, case_id, given_name_en="Chan")
        await give(cast, case_id, given_by="client_and_caregiver")
        await doubt(cast, father)
        assert await stands(cast, case_id) is left
    late = await case_of(cast, clock, consents=[{**SERVICES, "given_by": "client_and_caregiver"}])
    await caregiver(cast, late, caregiver_doubt="unsafe")
    assert not await stands(cast, late)


async def test_the_doubt_about_one_caregiver_touches_no_other_case(cast: Cast, clock: FrozenClock) -> None:
    one, other = await case_of(cast, clock), await case_of(cast, clock)
    father = await caregiver(cast, one)
    await give(cast, other, given_by="client_and_caregiver")
    await doubt(cast, father)
    assert await stands(cast, other)


async def test_a_doubted_caregiver_is_no_way_to_her(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast, clock, safe_contact={"may_answer": "her stepfather Sok Vanna"})
    phone = {"number": "+85512345678", "safe_to_call": True}
    father = await caregiver(cast, case_id, phones=[phone])
    other = await caregiver(cast, case_id, given_name_en="Chan", family_name_en="Mao", phones=[phone])
    marked = await doubt(cast, father)
    assert [one["safe_to_call"] for one in marked["phones"]] == [False]
    lead, path, headers = cast.client("caseworker"), f"/cases/{case_id}", {"If-Match": "*"}
    assert answered(await lead.get(path), 200)["safe_contact"]["may_answer"] is None
    for name in ("VANNA", "ask for vanna, her stepfather"):
        named = {"safe_contact": {"may_answer": name}}
        refused = answered(await lead.patch(path, json=named, headers=headers), 409)
        assert refused["code"] == "unsafe_contact"
    for name in ("her aunt Sok Chan", "Vannak"):  # many are called Sok; a longer name is another one
        answered(await lead.patch(path, json={"safe_contact": {"may_answer": name}}, headers=headers), 200)
    refused = await doubt(cast, father, 409, caregiver_doubt="unsafe", phones=[phone])
    assert refused["code"] == "unsafe_contact"
    body = {"alias": "Uncle", "role": "caregiver", "caregiver_doubt": "unsafe", "phones": [phone]}
    assert answered(await lead.post(f"{path}/people", json=body), 409)["code"] == "unsafe_contact"
    untouched = answered(await lead.get(f"/people/{other['id']}"), 200)
    assert [one["safe_to_call"] for one in untouched["phones"]] == [True]


async def test_only_a_caregiver_is_doubted_as_one(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast, clock)
    lead = cast.client("caseworker")
    body = {"alias": "One", "caregiver_doubt": "unsafe"}
    answered(await lead.post(f"/cases/{case_id}/people", json={**body, "role": "child"}), 422)
    answered(await lead.post("/people", json=body), 422)
    client = answered(await lead.get(f"/cases/{case_id}"), 200)["client"]
    assert (await doubt(cast, client, 422))["errors"][0]["pointer"] == "/caregiver_doubt"


async def test_a_caregiver_of_another_case_agrees_to_nothing_here(cast: Cast, clock: FrozenClock) -> None:
    one, other = await case_of(cast, clock), await case_of(cast, clock)
    stranger = await caregiver(cast, other)
    sister = answered(
        await cast.client("caseworker").post(f"/cases/{one}/people", json={"alias": "Sister", "role": "other"}), 201
    )
    for person in (stranger, sister):
        await give(cast, one, 404, given_by="client_and_caregiver", caregiver_id=person["id"])
    await give(cast, one, 422, given_by="client", caregiver_id=stranger["id"])


# ---- passing the caregiver by ----


@pytest.mark.parametrize("reason", ["caregiver_suspected", "unsafe", "absent", "mature_minor"])
async def test_care_does_not_wait_for_the_second_person(cast: Cast, clock: FrozenClock, reason: str) -> None:
    case_id = await case_of(cast, clock, client=child(clock, 16))
    given = await give(cast, case_id, bypass={"reason": reason})
    until = (clock() + timedelta(hours=24)).isoformat().replace("+00:00", "Z")
    assert given["bypass"] == {
        "reason": reason,
        "confirm_until": until,
        "confirmed_at": None,
        "confirmed_by": None,
    }
    assert given["active"]
    assert await may_start(cast, case_id)


async def test_without_a_second_person_it_lapses_after_a_day(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast, clock)
    given = await give(cast, case_id, bypass={"reason": "absent"})
    clock.advance(hours=23, minutes=59, seconds=59)
    assert await stands(cast, case_id)
    clock.advance(seconds=1)
    assert not await stands(cast, case_id)
    assert not await may_start(cast, case_id)
    assert (await confirm(cast, given, "colleague", 409))["code"] == "conflict"
    # Another one does not renew it: this time somebody else must have looked.
    again = await give(cast, case_id, bypass={"reason": "absent"})
    assert not again["active"]
    assert (await confirm(cast, again, "colleague"))["active"]
    assert await may_start(cast, case_id)


@pytest.mark.parametrize("second", ["colleague", "supervisor"])
async def test_who_works_on_the_case_or_oversees_it_makes_it_last(cast: Cast, clock: FrozenClock, second: str) -> None:
    case_id = await case_of(cast, clock, client=child(clock, 16))
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    given = await give(cast, case_id, bypass={"reason": "mature_minor"})
    await confirm(cast, given, "caseworker", 409)
    confirmed = await confirm(cast, given, second)
    assert confirmed["bypass"]["confirmed_by"] == cast.id(second)
    await confirm(cast, given, "colleague", 409)
    clock.advance(days=3)
    assert await stands(cast, case_id)
    # What was confirmed in its time stands in the way of no later one.
    path = f"/cases/{case_id}/consents/{given['id']}/withdraw"
    answered(await cast.client("caseworker").post(path, json={}), 200)
    assert not await stands(cast, case_id)
    assert (await give(cast, case_id, bypass={"reason": "absent"}))["active"]


async def test_a_second_person_confirms_what_she_was_asked_and_nothing_else(
    cast: Cast, clock: FrozenClock, runtime_connection: psycopg.Connection[Any]
) -> None:
    one, other = await case_of(cast, clock), await case_of(cast, clock)
    given = await give(cast, one, bypass={"reason": "absent"})
    apart = await give(cast, other, bypass={"reason": "absent"})
    begin = "select from begin_request(%s, %s)"
    runtime_connection.execute(begin, [cast.sessions["colleague"], clock()])
    call = "select confirm_bypass(%s, %s)"
    assert runtime_connection.execute(call, [other, given["id"]]).fetchone() == (None,)
    runtime_connection.rollback()
    await confirm(cast, given, "colleague")
    path = f"/cases/{other}/consents/{apart['id']}"
    assert answered(await cast.client("caseworker").get(path), 200)["bypass"]["confirmed_at"] is None


async def test_a_liaison_is_no_second_person_and_nobody_confirms_what_is_no_bypass(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id = await case_of(cast, clock, consents=[SUPPORT])
    await assign(cast, "caseworker", case_id, "liaison", "liaison")
    given = await give(cast, case_id, bypass={"reason": "absent"})
    plain = await give(cast, case_id)
    await confirm(cast, given, "liaison", 403)
    await confirm(cast, given, "second_supervisor", 404)
    await confirm(cast, plain, "colleague", 409)
    other = await case_of(cast, clock)
    await confirm(cast, {**given, "case_id": other}, "colleague", 404)
    path = f"/cases/{case_id}/consents/{given['id']}/withdraw"
    answered(await cast.client("caseworker").post(path, json={}), 200)
    await confirm(cast, given, "colleague", 409)
    assert not await stands(cast, case_id)
    assert await status_of(cast, "liaison", case_id) == 200


async def test_a_bypass_goes_with_her_own_yes_to_services_only(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast, clock)
    bypass = {"reason": "absent"}
    wrong_ones: list[dict[str, Any]] = [
        {"given_by": "caregiver", "bypass": bypass},
        {"given_by": "client_and_caregiver", "bypass": bypass},
        {"purpose": "statistics", "bypass": bypass},
        {"bypass": {"reason": "in_a_hurry"}},
        {"bypass": {}},
    ]
    for wrong in wrong_ones:
        await give(cast, case_id, 422, **wrong)


async def test_why_a_caregiver_is_passed_by_and_who_is_doubted_lie_nowhere_in_clear(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await case_of(cast, clock)
    await give(cast, case_id, bypass={"reason": "caregiver_suspected"})
    father = await caregiver(cast, case_id)
    await doubt(cast, father)
    for table in ("consents", "people", "events"):
        rows = superuser.execute(f"select row_to_json(t)::text from {table} t where case_id = %s", [case_id]).fetchall()
        assert rows
        assert not [row for (row,) in rows if "suspected" in row], table


# ---- what leaves the organisation ----


def to_others(cast: Cast, **changes: Any) -> dict[str, Any]:
    told = {"organisation_id": cast.organisation("other_ngo"), "shared_fields": ["name", "need_summary"]}
    return {**SUPPORT, "purpose": "referral", **told, **changes}


async def goes(cast: Cast, case_id: str) -> bool:
    """Could the case be handed over? Taken back at once."""
    lead, body = cast.client("caseworker"), {"organisation_id": cast.organisation("other_ngo"), "reason": "She moves."}
    answer = await lead.post(f"/cases/{case_id}/transfers", json=body)
    if answer.status_code == 409:
        assert answer.json()["code"] == "consent_required"
        return False
    made = answered(answer, 201)
    answered(await lead.post(f"/cases/{case_id}/transfers/{made['id']}/withdraw", json={"reason": "Not yet."}), 200)
    return True


async def active(cast: Cast, case_id: str, purpose: str) -> bool:
    given = await whole(cast.client("caseworker"), f"/cases/{case_id}/consents")
    return any(one["active"] for one in given if one["purpose"] == purpose)


@pytest.mark.parametrize(
    ("years", "given", "enough"),
    [
        (6, [{}], False),
        (6, [{"given_by": "caregiver"}], False),
        (6, [{}, {"given_by": "caregiver"}], True),
        (6, [{"given_by": "client_and_caregiver"}], True),
        (6, [{}, {"given_by": "caregiver", "shared_fields": ["language"]}], False),
        (6, [{}, {"given_by": "caregiver", "organisation_id": "clinic"}], False),
        (30, [{}], True),
        (30, [{"given_by": "caregiver"}], False),
    ],
)
async def test_a_child_is_not_handed_on_by_her_own_yes_alone(
    cast: Cast, clock: FrozenClock, years: int, given: list[dict[str, Any]], enough: bool
) -> None:
    case_id = await case_of(cast, clock, client=child(clock, years))
    for one in given:
        elsewhere = {"organisation_id": cast.organisation("clinic")} if "organisation_id" in one else {}
        await give(cast, case_id, **to_others(cast, **{**one, **elsewhere}))
    assert await active(cast, case_id, "referral") is enough
    assert await goes(cast, case_id) is enough


async def test_a_bypass_of_the_caregiver_lets_her_be_referred_and_ends_with_it(cast: Cast, clock: FrozenClock) -> None:
    case_id = await case_of(cast, clock)
    await give(cast, case_id, **to_others(cast))
    await give(cast, case_id, bypass={"reason": "caregiver_suspected"})
    assert await goes(cast, case_id), "care does not wait"
    clock.advance(hours=25)
    assert not await goes(cast, case_id)


async def test_what_a_doubted_caregiver_agreed_to_with_her_is_not_enough_any_more(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id = await case_of(cast, clock)
    father = await caregiver(cast, case_id)
    await give(cast, case_id, **to_others(cast, given_by="client_and_caregiver", caregiver_id=father["id"]))
    assert await goes(cast, case_id)
    await doubt(cast, father)
    assert not await goes(cast, case_id)


async def test_to_statistics_a_child_agrees_with_a_caregiver_and_to_a_liaison_herself(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id = await case_of(cast, clock)
    for purpose in ("statistics", "ccwc_support"):
        await give(cast, case_id, purpose=purpose)
    assert not await active(cast, case_id, "statistics")
    assert await active(cast, case_id, "ccwc_support"), "decision 0019"
    await give(cast, case_id, purpose="statistics", given_by="client_and_caregiver")
    assert await active(cast, case_id, "statistics")


@pytest.mark.parametrize(
    ("born", "precision", "status"),
    [
        (3, "exact", 422),
        (14, "exact", 422),
        (15, "exact", 201),
        (17, "exact", 201),
        (15, "year", 201),
        (14, "year", 422),
        (None, None, 201),
    ],
)
async def test_a_small_child_is_no_mature_minor(
    cast: Cast, clock: FrozenClock, born: int | None, precision: str | None, status: int
) -> None:
    client: dict[str, Any] = {"alias": "A girl", "sex": "female"}
    if born is not None:
        today = day_of(clock())
        client |= {"birth_date": today.replace(year=today.year - born).isoformat(), "birth_date_precision": precision}
    bypass = {**SERVICES, "bypass": {"reason": "mature_minor"}}
    body = intake(SENSITIVE, client=client, consents=[SUPPORT, bypass])
    opened = answered(await cast.client("caseworker").post("/cases", json=body), status)
    case_id = await case_of(cast, clock, client=client)
    given = await give(cast, case_id, status, bypass={"reason": "mature_minor"})
    if status == 422:
        told = [[(error["pointer"], error["code"]) for error in one["errors"]] for one in (opened, given)]
        assert told == [[("/consents/1/bypass/reason", "too_young")], [("/bypass/reason", "too_young")]]
        await give(cast, case_id, bypass={"reason": "absent"})
