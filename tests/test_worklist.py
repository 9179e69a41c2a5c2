"""Today's work in one call: most urgent first, nothing forgotten, and never more than the reader may see."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.calendar import PHNOM_PENH
from app.models.codes.people import OrganisationKind, Role
from app.models.organisation import Organisation
from app.security import Runtime
from app.services import worklist as service
from app.services.worklist import MOST
from benchmarks.capture import recording
from tests.acts import (
    SENSITIVE,
    assign,
    break_glass,
    exclude,
    lift,
    newcomer,
    with_liaison,
)
from tests.cases import SUPPORT, intake, open_case
from tests.cast import COMMUNE, VILLAGE, Cast, FrozenClock, answered
from tests.helping import ask, decide
from tests.pages import whole
from tests.trail import Superuser, told

RAPE = {"penetration": True}
HIT = {"physical": True}
ITEM = {
    *("kind", "reason", "due_at", "due_week", "overdue", "case_id", "case_code", "alias", "place", "contact"),
    "subject_id",
}


async def worklist(cast: Cast, who: str) -> list[Any]:
    """The items of this person's worklist, without its bound: other tests leave people of the cast much to do."""
    bounds = service.MOST, service.EXAMINED
    service.MOST, service.EXAMINED = 10_000, 20_000
    try:
        items: list[Any] = answered(await cast.client(who).get("/worklist"), 200)["items"]
    finally:
        service.MOST, service.EXAMINED = bounds
    return items


async def about(cast: Cast, who: str, case_id: str) -> dict[str, Any]:
    """What it says of one case, by kind."""
    found = [item for item in await worklist(cast, who) if item["case_id"] == case_id]
    kinds = [item["kind"] for item in found]
    assert len(kinds) == len(set(kinds)), kinds
    return {item["kind"]: item for item in found}


async def report_incident(cast: Cast, case_id: str, who: str = "caseworker", hours: float = 10, **told: Any) -> Any:
    at = (cast.clock() - timedelta(hours=hours)).isoformat()
    body = {"occurred_at": at, "precision": "exact", "answers": RAPE, **told}
    return answered(await cast.client(who).post(f"/cases/{case_id}/incidents", json=body), 201)


async def plan(cast: Cast, case_id: str, due_at: datetime, who: str = "caseworker", **more: Any) -> Any:
    body = {"due_at": due_at.isoformat(), "channel": "visit", **more}
    return answered(await cast.client(who).post(f"/cases/{case_id}/follow-ups", json=body), 201)


async def record(cast: Cast, one: Any, who: str = "caseworker", **more: Any) -> Any:
    body = {"happened_at": cast.clock().isoformat(), "outcome": "met_safe", **more}
    path = f"/cases/{one['case_id']}/follow-ups/{one.get('subject_id') or one['id']}/record"
    return answered(await cast.client(who).post(path, json=body), 200)


def put(superuser: psycopg.Connection[Any], case_id: str, **columns: Any) -> None:
    """Columns of a case as they came to be somehow."""
    superuser.execute("select set_config('samaki.now', '2026-01-01T00:00Z', false)")
    for name, value in columns.items():
        superuser.execute(f"update cases set {name} = %s where id = %s", [value, case_id])


async def leaderless(cast: Cast, category: str = SENSITIVE, **changes: Any) -> str:
    """A case that a liaison brought to the NGO."""
    body = intake(category, organisation_id=cast.organisation("ngo"), **changes)
    case_id: str = answered(await cast.client("liaison").post("/cases", json=body), 201)["id"]
    return case_id


def midnight(clock: FrozenClock) -> datetime:
    """When the day ends in Phnom Penh."""
    local = clock().astimezone(PHNOM_PENH)
    return (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def wait_until(clock: FrozenClock, at: datetime) -> None:
    assert at >= clock()
    clock.at = at


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def own_office(cast: Cast, runtime: Runtime) -> dict[str, str]:
    """An organisation that no other test knows: two caseworkers and two supervisors, by the names of the cast."""
    place = f"office_{uuid4().hex[:8]}"
    organisation = Organisation.named(cast.clock(), name=place, name_km="ភូមិ", kind=OrganisationKind.NGO)
    async with runtime.database.transaction() as session:
        session.add(organisation)
    cast.organisations[place] = organisation.id
    roles = {"worker": Role.CASEWORKER, "colleague": Role.CASEWORKER, "overseer": Role.SUPERVISOR}
    for name, role in {**roles, "second": Role.SUPERVISOR}.items():
        await cast.add(f"{place}_{name}", role, place, [])
    return {name: f"{place}_{name}" for name in (*roles, "second")}


# ---- what is most urgent ----


async def test_care_comes_first_and_then_everything_in_the_order_of_the_list(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    who, wish = await newcomer(cast, Role.CASEWORKER, "ngo"), {"channels": ["phone"], "last_confirmed_on": "2026-01-05"}
    # Made in the opposite order of what they must come out in.
    old = await open_case(cast, who, SENSITIVE, safe_contact=wish)
    put(superuser, old, opened_at=clock() - timedelta(days=40))
    today = f"{clock().astimezone(PHNOM_PENH):%Y-%m-%d}"
    statistics = {"purpose": "statistics", "form": "verbal", "obtained_on": "2026-03-01", "expires_on": today}
    ends = await open_case(cast, who, consents=[statistics])
    covered = await open_case(cast)
    until = (clock() + timedelta(days=2)).isoformat()
    await assign(cast, "caseworker", covered, who, "cover", until=until)
    covering = await open_case(cast, who)
    await assign(cast, who, covering, "colleague", "cover", until=until)
    undated = await open_case(cast, who)
    put(superuser, undated, next_due_at=None)
    due = await open_case(cast, who)
    await plan(cast, due, clock(), who)
    late = await open_case(cast, who)
    put(superuser, late, risk_level="high")
    await plan(cast, late, clock(), who)
    clock.advance(minutes=1)
    new = await open_case(cast, who, SENSITIVE)
    await report_incident(cast, new, who, answers=HIT)
    hurt = await open_case(cast, who, SENSITIVE)
    await report_incident(cast, hurt, who)
    items = await worklist(cast, who)
    assert [(item["kind"], item["case_id"]) for item in items] == [
        ("care_window", hurt),
        ("new_incident", new),
        ("overdue_high_risk", late),
        ("follow_up", due),
        ("no_date", undated),
        ("cover_ends", covering),
        ("cover", covered),
        ("consent_ends", ends),
        ("safe_contact_unconfirmed", old),
    ]
    assert all(set(item) == ITEM for item in items)
    assert [item["overdue"] for item in items[:4]] == [False, False, True, True]


async def test_the_hours_that_end_first_and_the_date_that_is_oldest_come_first(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    cases = [await open_case(cast, who, SENSITIVE) for _ in range(3)]
    for case_id, hours in zip(cases, (10, 100, 70), strict=True):  # 62, 20 and 2 hours are left
        await report_incident(cast, case_id, who, hours)
    items = await worklist(cast, who)
    assert [item["case_id"] for item in items] == [cases[2], cases[1], cases[0]]
    ends = [(moment(item["due_at"]) - clock()) / timedelta(hours=1) for item in items]
    assert ends == [2, 20, 62]
    other = await newcomer(cast, Role.CASEWORKER, "ngo")
    for days in (1, 3, 2):
        await plan(cast, await open_case(cast, other), clock() - timedelta(days=days), other)
    due = [item["due_at"] for item in await worklist(cast, other)]
    assert due == sorted(due)
    assert len(due) == 3


@pytest.mark.parametrize(
    ("told", "hours", "kind", "left"),
    [
        ({}, 71.99, "care_window", 0.01),
        ({}, 72, "care_window", 48),  # contraception is left
        ({}, 119.99, "care_window", 0.01),
        ({}, 120, "new_incident", None),
        ({"answers": {"sexual_contact": True}}, 10, "care_window", 62),
        ({"answers": HIT}, 10, "new_incident", None),
        ({"answers": {}}, 10, "new_incident", None),
        ({"precision": "year"}, 10, "new_incident", None),
        ({"precision": "unknown"}, 10, "new_incident", None),
    ],
)
async def test_an_incident_is_told_once_by_the_hours_that_are_left_for_care(
    cast: Cast, clock: FrozenClock, told: Any, hours: float, kind: str, left: float | None
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    incident = await report_incident(cast, case_id, hours=hours, **told)
    found = await about(cast, "caseworker", case_id)
    assert {"care_window", "new_incident"} & found.keys() == {kind}
    assert found[kind]["subject_id"] == incident["id"]
    assert found[kind]["contact"] is None
    if left is not None:
        assert moment(found[kind]["due_at"]) - clock() == timedelta(hours=left)


async def test_a_man_has_no_window_for_contraception(cast: Cast) -> None:
    man = {"family_name_en": "Test", "given_name_en": "Client", "sex": "male"}
    case_id = await open_case(cast, category=SENSITIVE, client=man)
    await report_incident(cast, case_id, hours=80)
    assert "new_incident" in await about(cast, "caseworker", case_id)


async def test_an_incident_is_new_until_somebody_was_with_her_and_the_hours_for_care_stay(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await report_incident(cast, case_id, hours=1)
    hit = await report_incident(cast, case_id, hours=1, answers=HIT)
    found = await about(cast, "caseworker", case_id)
    assert found["new_incident"]["subject_id"] == hit["id"]
    assert moment(found["new_incident"]["due_at"]) == clock() + timedelta(hours=24)
    clock.advance(hours=1)
    await record(cast, await plan(cast, case_id, clock()))
    found = await about(cast, "caseworker", case_id)
    assert {"care_window", "new_incident"} & found.keys() == {"care_window"}


async def test_an_incident_is_new_for_five_days(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await report_incident(cast, case_id, answers=HIT)
    clock.advance(days=5, seconds=-1)
    assert "new_incident" in await about(cast, "caseworker", case_id)
    clock.advance(seconds=1)
    assert "new_incident" not in await about(cast, "caseworker", case_id)


# ---- today ----


async def test_today_ends_at_midnight_in_phnom_penh(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast)
    wait_until(clock, midnight(clock))
    end = midnight(clock)
    for due_at in (end - timedelta(seconds=1), end):
        await plan(cast, case_id, due_at)
    wait_until(clock, end - timedelta(seconds=1))

    async def due() -> list[Any]:
        found = [item for item in await worklist(cast, "caseworker") if item["case_id"] == case_id]
        return [(moment(item["due_at"]), item["overdue"]) for item in found]

    assert await due() == [(end - timedelta(seconds=1), False)]
    wait_until(clock, end)
    assert await due() == [(end - timedelta(seconds=1), True), (end, False)]
    clock.advance(seconds=1)
    assert await due() == [(end - timedelta(seconds=1), True), (end, True)]


async def test_what_is_recorded_or_taken_back_or_closed_is_done(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    first, second = [await plan(cast, case_id, clock() - timedelta(minutes=n)) for n in (2, 1)]
    path = f"/cases/{case_id}/follow-ups/{first['id']}"
    answered(await cast.client("caseworker").delete(path, headers={"If-Match": "*"}), 204)
    assert (await about(cast, "caseworker", case_id))["follow_up"]["subject_id"] == second["id"]
    await record(cast, second)
    assert await about(cast, "caseworker", case_id) == {}
    other = await open_case(cast)
    await plan(cast, other, clock())
    put(superuser, other, status="closed")
    assert await about(cast, "caseworker", other) == {}


async def test_how_she_may_be_reached_is_told_with_the_contact(cast: Cast, clock: FrozenClock) -> None:
    safe = {"channels": ["phone"], "from": "08:00", "to": "11:00", "leave_message": True}
    case_id = await open_case(cast, category=SENSITIVE, safe_contact=safe, village_code=VILLAGE)
    morning = midnight(clock) + timedelta(hours=9)
    planned = await plan(cast, case_id, morning, channel="phone")
    for one in await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups"):
        if one["id"] != planned["id"] and one["state"] == "planned":  # the date at the desk
            await record(cast, one, next_due_at=(morning + timedelta(days=3)).isoformat())
    wait_until(clock, midnight(clock) + timedelta(hours=7))
    item = (await about(cast, "caseworker", case_id))["follow_up"]
    opens = clock() + timedelta(hours=1)
    assert item["subject_id"] == planned["id"]
    assert {**item["contact"], "next_window": moment(item["contact"]["next_window"])} == {
        "allowed_now": False,
        "next_window": opens,
        "channel": "phone",
        "leave_message": True,
    }
    wait_until(clock, morning)
    item = (await about(cast, "caseworker", case_id))["follow_up"]
    assert item["contact"]["allowed_now"] is True
    assert item["place"]["code"] == VILLAGE
    assert item["place"]["name_km"]


async def test_a_date_at_the_desk_contacts_nobody(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    clock.advance(hours=24, minutes=1)
    item = (await about(cast, "caseworker", case_id))["follow_up"]
    assert (item["contact"], item["overdue"], item["alias"]) == (None, True, "Test Client")
    assert item["place"]["code"] == COMMUNE


async def test_who_has_an_alias_is_called_by_it_and_no_reason_speaks_of_violence_or_illness(
    cast: Cast, clock: FrozenClock
) -> None:
    client = {"alias": "Lotus", "family_name_en": "Chan", "given_name_en": "Sreymom", "sex": "female"}
    case_id = await open_case(cast, category=SENSITIVE, client=client, summary="He hit her.")
    await report_incident(cast, case_id)
    found = await about(cast, "caseworker", case_id)
    assert {item["alias"] for item in found.values()} == {"Lotus"}
    words = json.dumps(found, ensure_ascii=False).lower()
    for word in ("sreymom", "violence", "rape", "hiv", "hit her", "abuse"):
        assert word not in words
    assert found["care_window"]["reason"] == {"en": "Health, today", "km": "សុខភាព ថ្ងៃនេះ"}


async def test_the_lead_is_told_what_a_colleague_left_undone_and_the_colleague_what_is_theirs(
    cast: Cast, clock: FrozenClock
) -> None:
    case_id = await open_case(cast)
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    await plan(cast, case_id, clock() + timedelta(minutes=5), assignee_id=cast.id("colleague"))
    await plan(cast, case_id, clock() + timedelta(minutes=5))
    assert (await about(cast, "colleague", case_id)).keys() == {"follow_up"}
    assert [item["case_id"] for item in await worklist(cast, "caseworker")].count(case_id) == 1
    clock.advance(minutes=6)
    assert [item["case_id"] for item in await worklist(cast, "caseworker")].count(case_id) == 2
    assert (await about(cast, "colleague", case_id)).keys() == {"follow_up"}, "the lead's stay the lead's"


async def test_who_covers_has_the_leads_dates_until_the_cover_ends(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    until = (clock() + timedelta(hours=2)).isoformat()
    await assign(cast, "caseworker", case_id, "colleague", "cover", until=until)
    await plan(cast, case_id, clock() + timedelta(minutes=5))
    found = await about(cast, "colleague", case_id)
    assert found.keys() == {"follow_up", "cover"}
    assert moment(found["cover"]["due_at"]) == moment(until)
    assert "cover_ends" in await about(cast, "caseworker", case_id)
    clock.advance(hours=2)
    assert await about(cast, "colleague", case_id) == {}
    assert (await about(cast, "caseworker", case_id)).keys() == {"follow_up"}


async def test_a_cover_that_ends_later_is_not_told_yet(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast)
    until = (clock() + timedelta(days=3)).isoformat()
    await assign(cast, "caseworker", case_id, "colleague", "cover", until=until)
    assert "cover_ends" not in await about(cast, "caseworker", case_id)
    clock.advance(seconds=1)
    assert "cover_ends" in await about(cast, "caseworker", case_id)


@pytest.mark.parametrize(("days", "told"), [(-1, False), (0, True), (7, True), (8, False)])
async def test_a_consent_that_ends_within_a_week_is_told(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any], days: int, told: bool
) -> None:
    case_id = await open_case(cast)
    day = clock().astimezone(PHNOM_PENH).date() + timedelta(days=days)
    superuser.execute("select set_config('samaki.now', %s, false)", [clock().isoformat()])
    superuser.execute("update consents set expires_on = %s where case_id = %s", [day, case_id])
    assert ("consent_ends" in await about(cast, "caseworker", case_id)) is told
    if told:
        again = {"purpose": "services", "form": "verbal", "obtained_on": "2026-03-01"}
        answered(await cast.client("caseworker").post(f"/cases/{case_id}/consents", json=again), 201)
        assert "consent_ends" not in await about(cast, "caseworker", case_id), "another lasts longer"


async def test_a_consent_that_was_withdrawn_does_not_end(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    superuser.execute(
        "update consents set expires_on = %s, withdrawn_at = now() where case_id = %s", [clock().date(), case_id]
    )
    assert "consent_ends" not in await about(cast, "caseworker", case_id)


@pytest.mark.parametrize(
    ("category", "said", "told"),
    [
        (SENSITIVE, {"channels": ["phone"]}, True),
        (SENSITIVE, None, True),
        ("id_poor", {"channels": ["phone"]}, True),
        ("id_poor", None, False),
    ],
)
async def test_a_safe_contact_that_nobody_confirmed_for_thirty_days_is_told(
    cast: Cast, clock: FrozenClock, category: str, said: Any, told: bool
) -> None:
    case_id = await open_case(cast, category=category, safe_contact=said)
    clock.advance(days=29)
    assert "safe_contact_unconfirmed" not in await about(cast, "caseworker", case_id)
    clock.advance(days=1, hours=15)
    assert ("safe_contact_unconfirmed" in await about(cast, "caseworker", case_id)) is told
    today = f"{clock().astimezone(PHNOM_PENH):%Y-%m-%d}"
    change = {"safe_contact": {"channels": ["phone"], "last_confirmed_on": today}}
    path = f"/cases/{case_id}"
    answered(await cast.client("caseworker").patch(path, json=change, headers={"If-Match": "*"}), 200)
    assert "safe_contact_unconfirmed" not in await about(cast, "caseworker", case_id)


# ---- supervisors ----


async def test_what_nobody_leads_is_told_to_the_supervisors_with_its_care_window(
    cast: Cast, clock: FrozenClock
) -> None:
    occurred = (clock() - timedelta(hours=10)).isoformat()
    case_id = await leaderless(cast, incident={"occurred_at": occurred, "precision": "exact", "answers": RAPE})
    for who in ("supervisor", "second_supervisor"):
        found = await about(cast, who, case_id)
        assert found.keys() == {"leaderless", "care_window"}
        assert moment(found["leaderless"]["due_at"]) == clock() + timedelta(hours=4)
        assert found["leaderless"]["alias"] == "Test Client", "they are its reviewers"
    for who in ("caseworker", "liaison", "other_supervisor"):
        assert await about(cast, who, case_id) == {}
    await exclude(cast, "supervisor", case_id, "second_supervisor")
    assert await about(cast, "second_supervisor", case_id) == {}
    await assign(cast, "supervisor", case_id, "caseworker", "lead")
    assert await about(cast, "supervisor", case_id) == {}
    assert "care_window" in await about(cast, "caseworker", case_id)


async def test_a_case_waits_without_a_lead_from_when_the_lead_was_lost(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    clock.advance(days=3)
    superuser.execute("select set_config('samaki.now', %s, false)", [clock().isoformat()])
    superuser.execute("update assignments set ended_at = %s where case_id = %s", [clock(), case_id])
    found = await about(cast, "supervisor", case_id)
    assert moment(found["leaderless"]["due_at"]) == clock() + timedelta(hours=4)


async def test_a_closing_is_told_to_who_may_decide_it_and_to_nobody_else(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    standard, sensitive = await open_case(cast), await open_case(cast, category=SENSITIVE)
    for case_id in (standard, sensitive):
        put(superuser, case_id, status="closure_requested", closure_requested_by=cast.id("caseworker"))
    assert "closure_review" in await about(cast, "supervisor", standard)
    assert (await about(cast, "supervisor", sensitive)).keys() == {"needs_review"}
    await assign(cast, "supervisor", sensitive, "supervisor", "reviewer")
    assert (await about(cast, "supervisor", sensitive)).keys() == {"closure_review"}
    await assign(cast, "supervisor", sensitive, "second_supervisor", "caseworker")
    assert await about(cast, "second_supervisor", sensitive) == {}, "who works on it does not decide"
    put(superuser, sensitive, closure_requested_by=cast.id("supervisor"))
    assert await about(cast, "supervisor", sensitive) == {}, "nor does who asked for it"
    for who in ("caseworker", "colleague", "other_supervisor", "liaison"):
        assert not {"closure_review", "needs_review"} & (await about(cast, who, standard)).keys()
    await exclude(cast, "supervisor", standard, "second_supervisor")
    assert await about(cast, "second_supervisor", standard) == {}


async def one_waits(cast: Cast, clock: FrozenClock, what: str, case_id: str) -> tuple[str, str]:
    """Something of the caseworker's waits for a second person: its id, and how that person says yes."""
    lead, base = cast.client("caseworker"), f"/cases/{case_id}"
    if what == "bypass":
        given = {**SUPPORT, "purpose": "services", "bypass": {"reason": "absent"}}
        made = answered(await lead.post(f"{base}/consents", json=given), 201)["id"]
        return made, f"{base}/consents/{made}/confirm"
    told = {"basis": "vital_interest", "recipient": "The police", "what": "Where she is."}
    told["disclosed_at"] = clock().isoformat()
    made = answered(await lead.post(f"{base}/disclosures", json=told), 201)["id"]
    return made, f"{base}/disclosures/{made}/confirm"


@pytest.mark.parametrize("what", ["bypass", "disclosure"])
@pytest.mark.parametrize("second", ["colleague", "supervisor"])
async def test_what_waits_for_a_second_person_is_told_to_who_may_be_it(
    cast: Cast, clock: FrozenClock, what: str, second: str
) -> None:
    child = {"alias": "A girl", "birth_date": f"{clock().year - 12}-01-01"}
    case_id = await open_case(cast, category=SENSITIVE, client=child, consents=[])
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    subject, path = await one_waits(cast, clock, what, case_id)
    for who in ("colleague", "supervisor"):
        item = (await about(cast, who, case_id))["confirmation"]
        assert (item["subject_id"], item["overdue"]) == (subject, False)
        assert moment(item["due_at"]) == clock() + timedelta(hours=24)
    for who in ("caseworker", "stranger"):
        assert "confirmation" not in await about(cast, who, case_id)
    assert (await about(cast, "second_supervisor", case_id)).keys() == {"needs_review"}
    assert await looked_at(cast, case_id) is True
    answered(await cast.client(second).post(path), 200)
    assert await looked_at(cast, case_id) is False
    for who in ("colleague", "supervisor", "second_supervisor"):
        assert not {"confirmation", "needs_review"} & (await about(cast, who, case_id)).keys()


async def test_a_bypass_that_has_lapsed_or_was_taken_back_waits_for_nobody(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE, consents=[])
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    waits = {"colleague": "confirmation", "supervisor": "needs_review"}
    subject, _ = await one_waits(cast, clock, "bypass", case_id)
    for who, kind in waits.items():
        assert kind in await about(cast, who, case_id)
    assert await looked_at(cast, case_id) is True
    taken_back = f"/cases/{case_id}/consents/{subject}/withdraw"
    answered(await cast.client("caseworker").post(taken_back, json={}), 200)
    for who, kind in waits.items():
        assert kind not in await about(cast, who, case_id)
    assert await looked_at(cast, case_id) is False
    await one_waits(cast, clock, "bypass", case_id)
    clock.advance(hours=24)
    for who, kind in waits.items():
        assert kind not in await about(cast, who, case_id)
    assert await looked_at(cast, case_id) is False


@pytest.mark.parametrize("what", ["bypass", "disclosure"])
async def test_a_case_that_has_closed_waits_for_no_second_person(cast: Cast, clock: FrozenClock, what: str) -> None:
    case_id = await open_case(cast, category=SENSITIVE, consents=[])
    await one_waits(cast, clock, what, case_id)
    closing = {"to": "closed", "reason": "Elsewhere.", "closure": {"reason": "not_eligible"}}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/transitions", json=closing), 200)
    assert await about(cast, "supervisor", case_id) == {}


async def looked_at(cast: Cast, case_id: str) -> bool:
    """Does the stub ask for a look?"""
    [stub] = [one for one in await whole(cast.client("supervisor"), "/caseload") if one["id"] == case_id]
    return bool(stub["needs_review"])


@pytest.mark.parametrize("what", ["bypass", "disclosure"])
async def test_on_a_standard_case_any_supervisor_may_be_the_second_person_and_no_reader(
    cast: Cast, clock: FrozenClock, what: str
) -> None:
    case_id = await open_case(cast, consents=[])
    subject, path = await one_waits(cast, clock, what, case_id)
    for who in ("supervisor", "second_supervisor"):
        assert (await about(cast, who, case_id))["confirmation"]["subject_id"] == subject
    for who in ("caseworker", "colleague", "other_supervisor"):
        assert "confirmation" not in await about(cast, who, case_id)
    await exclude(cast, "supervisor", case_id, "second_supervisor")
    assert await about(cast, "second_supervisor", case_id) == {}
    answered(await cast.client("supervisor").post(path), 200)
    assert "confirmation" not in await about(cast, "supervisor", case_id)


@pytest.mark.parametrize("what", ["bypass", "disclosure", "request"])
async def test_what_waits_on_a_stub_says_no_more_than_that_somebody_should_look(
    cast: Cast, clock: FrozenClock, what: str
) -> None:
    case_id = await open_case(cast, category=SENSITIVE, consents=[])
    assert await about(cast, "supervisor", case_id) == {}
    if what == "request":
        one = await ask(cast, case_id)
    else:
        await one_waits(cast, clock, what, case_id)
    [item] = (await about(cast, "supervisor", case_id)).values()
    assert (item["kind"], item["due_at"], item["alias"], item["place"], item["contact"], item["subject_id"]) == (
        "needs_review",
        *(None,) * 5,
    )
    assert await looked_at(cast, case_id) is True
    await exclude(cast, "caseworker", case_id, "second_supervisor")
    assert await about(cast, "second_supervisor", case_id) == {}
    assert await about(cast, "other_supervisor", case_id) == {}
    if what == "request":
        await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
        assert (await about(cast, "supervisor", case_id)).keys() == {"approval"}
        await decide(cast, one)
        assert not {"needs_review", "approval"} & (await about(cast, "supervisor", case_id)).keys()


async def test_a_stub_on_the_worklist_says_no_more_than_a_stub_and_not_why(
    cast: Cast, clock: FrozenClock, superuser: Superuser, runtime: Runtime
) -> None:
    office = await own_office(cast, runtime)
    closing, urgent, quiet = [
        await open_case(cast, office["worker"], SENSITIVE, priority="stat", village_code=VILLAGE) for _ in range(3)
    ]
    put(superuser, closing, status="closure_requested", closure_requested_by=cast.id(office["worker"]))
    put(superuser, urgent, risk_level="high", escalated_at=clock())
    put(superuser, quiet, risk_level="high")
    items = {item["case_id"]: item for item in await worklist(cast, office["overseer"])}
    assert items.keys() == {closing, urgent}
    for item in items.values():
        assert {name for name, value in item.items() if value is None} == {
            *("alias", "place", "contact", "due_at", "subject_id")
        }
    same = [{**item, "case_id": "", "case_code": ""} for item in items.values()]
    assert same[0] == same[1], "why it is to be looked at is for who sees the case"
    found = await told(superuser, cast.client(office["overseer"]), "GET", "/worklist")
    assert set(found.row["via"]) == {"stub"}
    await exclude(cast, office["worker"], urgent, office["overseer"])
    assert [item["case_id"] for item in await worklist(cast, office["overseer"])] == [closing]
    assert {item["case_id"] for item in await worklist(cast, office["second"])} == {closing, urgent}
    assert not {closing, urgent} & {item["case_id"] for item in await worklist(cast, "supervisor")}


async def test_who_sees_an_escalated_case_is_told_more_and_its_lead_is_not_told_to_help_herself(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any], runtime: Runtime
) -> None:
    office = await own_office(cast, runtime)
    case_id = await open_case(cast, office["worker"], "id_poor")
    put(superuser, case_id, escalated_at=clock())
    found = await about(cast, office["overseer"], case_id)
    assert found.keys() == {"escalated"}
    assert found["escalated"]["alias"] == "Test Client"
    assert await about(cast, office["worker"], case_id) == {}
    led = await open_case(cast, office["overseer"], "id_poor")
    put(superuser, led, escalated_at=clock())
    assert await about(cast, office["overseer"], led) == {}
    assert (await about(cast, office["second"], led)).keys() == {"escalated"}
    put(superuser, case_id, status="closed")
    assert await about(cast, office["overseer"], case_id) == {}


async def test_broken_glass_waits_for_another_supervisors_review(
    cast: Cast, superuser: psycopg.Connection[Any], clock: FrozenClock
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    granted = await break_glass(cast, superuser, case_id, "second_supervisor")
    found = await about(cast, "supervisor", case_id)
    assert found.keys() == {"break_glass_review"}
    item = found["break_glass_review"]
    assert (item["alias"], item["place"], item["contact"]) == (None, None, None), "she sees the case as a stub"
    assert moment(item["due_at"]) == clock() + timedelta(hours=72)
    grants = superuser.execute("select id::text from break_glass_grants where case_id = %s", [case_id]).fetchall()
    assert item["subject_id"] == grants[0][0]
    assert granted["case_id"] == case_id
    for who in ("second_supervisor", "caseworker", "colleague", "other_supervisor"):
        assert "break_glass_review" not in await about(cast, who, case_id)
    said = {"finding": "justified"}
    path = f"/break-glass/{item['subject_id']}/review"
    await exclude(cast, "caseworker", case_id, "supervisor")
    assert await about(cast, "supervisor", case_id) == {}
    answered(await cast.client("supervisor").post(path, json=said), 404)
    superuser.execute("update break_glass_grants set reviewed_at = created_at where case_id = %s", [case_id])


# ---- screening ----


async def test_a_match_is_told_to_the_lead_who_answers_it_and_not_to_whom_it_is_about(cast: Cast) -> None:
    matched, phone = await newcomer(cast, Role.CASEWORKER, "ngo"), f"+85512{uuid4().int % 1_000_000:06}"
    path = f"/users/{cast.id(matched)}"
    answered(await cast.client("admin").patch(path, json={"phones": [phone]}, headers={"If-Match": "*"}), 200)
    case_id = await open_case(cast, category=SENSITIVE)
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await assign(cast, "caseworker", case_id, matched, "caseworker")
    incident = {"answers": HIT, "perpetrators": [{"phones": [phone]}]}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/incidents", json=incident), 201)
    item = (await about(cast, "caseworker", case_id))["screening_match"]
    assert await about(cast, matched, case_id) == {}
    assert "screening_match" not in await about(cast, "supervisor", case_id), "it is not asked of her"
    path = f"/cases/{case_id}/screening/{item['subject_id']}/answer"
    said = {"answer": "somebody_else", "reason": "Another village."}
    answered(await cast.client("caseworker").post(path, json=said), 200)
    assert "screening_match" not in await about(cast, "caseworker", case_id)


async def test_a_match_that_took_the_lead_away_is_asked_of_the_supervisors(cast: Cast) -> None:
    lead, phone = await newcomer(cast, Role.CASEWORKER, "ngo"), f"+85512{uuid4().int % 1_000_000:06}"
    path = f"/users/{cast.id(lead)}"
    answered(await cast.client("admin").patch(path, json={"phones": [phone]}, headers={"If-Match": "*"}), 200)
    case_id = await open_case(cast, lead, SENSITIVE)
    incident = {"answers": HIT, "perpetrators": [{"phones": [phone]}]}
    await cast.client(lead).post(f"/cases/{case_id}/incidents", json=incident)
    assert {"screening_match", "leaderless"} <= (await about(cast, "supervisor", case_id)).keys()
    assert await about(cast, lead, case_id) == {}


# ---- who is told nothing ----


async def test_a_liaison_is_told_the_own_follow_ups_as_the_liaison_view_shows_the_case(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id, consent_id = await with_liaison(cast)
    client = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)["client"]
    change = {"alias": "Lotus"}
    path = f"/people/{client['id']}"
    answered(await cast.client("caseworker").patch(path, json=change, headers={"If-Match": "*"}), 200)
    put(superuser, case_id, risk_level="high")
    await report_incident(cast, case_id)
    await plan(cast, case_id, clock())
    theirs = await plan(cast, case_id, clock() - timedelta(minutes=5), assignee_id=cast.id("liaison"))
    clock.advance(hours=1)
    found = await about(cast, "liaison", case_id)
    assert found.keys() == {"follow_up"}, "neither risk nor incident"
    item = found["follow_up"]
    assert (item["subject_id"], item["alias"], item["overdue"]) == (theirs["id"], "Test Client", True)
    assert item["contact"] == {"allowed_now": True, "next_window": None, "channel": "visit", "leave_message": False}
    other, _ = await with_liaison(cast)
    await plan(cast, other, clock() - timedelta(minutes=30), assignee_id=cast.id("liaison"))
    mine = [one["case_id"] for one in await worklist(cast, "liaison") if one["case_id"] in {case_id, other}]
    assert mine == [case_id, other], "by the date alone"
    for who in ("second_liaison", "other_liaison"):
        assert await about(cast, who, case_id) == {}
    withdraw = f"/cases/{case_id}/consents/{consent_id}/withdraw"
    answered(await cast.client("caseworker").post(withdraw, json={"reason": "Wish."}), 200)
    assert await about(cast, "liaison", case_id) == {}


async def busy_case(cast: Cast, superuser: psycopg.Connection[Any]) -> str:
    """A sensitive case of which there is much to tell."""
    case_id = await open_case(cast, category=SENSITIVE, consents=[SUPPORT])
    put(superuser, case_id, risk_level="high", opened_at=cast.clock() - timedelta(days=60))
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    await report_incident(cast, case_id)
    await plan(cast, case_id, cast.clock() - timedelta(hours=1), assignee_id=cast.id("colleague"))
    await plan(cast, case_id, cast.clock() - timedelta(hours=1))
    return case_id


async def test_who_may_not_see_a_case_is_told_nothing_of_it(
    cast: Cast, superuser: psycopg.Connection[Any], clock: FrozenClock
) -> None:
    case_id = await busy_case(cast, superuser)
    assert [item["case_id"] for item in await worklist(cast, "caseworker")].count(case_id) >= 3
    assert "overdue_high_risk" in await about(cast, "colleague", case_id)
    for who in ("stranger", "supervisor", "second_supervisor", "other_supervisor", "liaison"):
        assert await about(cast, who, case_id) == {}
    exclusion = await exclude(cast, "caseworker", case_id, "colleague")
    assert await about(cast, "colleague", case_id) == {}
    await lift(cast, "caseworker", case_id, exclusion["id"])
    for who in ("partner", "auditor", "admin"):
        answered(await cast.client(who).get("/worklist"), 403)


async def test_staff_who_only_may_read_a_standard_case_have_nothing_to_do_on_it(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast)
    await plan(cast, case_id, clock())
    clock.advance(minutes=1)
    assert (await about(cast, "caseworker", case_id)).keys() == {"follow_up"}
    for who in ("colleague", "supervisor"):
        assert await about(cast, who, case_id) == {}


async def test_a_reviewer_is_told_of_the_incident_and_not_of_others_visits(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await report_incident(cast, case_id)
    await plan(cast, case_id, clock())
    clock.advance(minutes=1)
    assert (await about(cast, "supervisor", case_id)).keys() == {"care_window"}


async def test_broken_glass_gives_nobody_work(cast: Cast, superuser: psycopg.Connection[Any]) -> None:
    case_id = await busy_case(cast, superuser)
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    await break_glass(cast, superuser, case_id, who)
    assert await about(cast, who, case_id) == {}
    superuser.execute("update break_glass_grants set reviewed_at = created_at where case_id = %s", [case_id])


# ---- one call ----


async def test_the_worklist_takes_at_most_six_statements_however_much_there_is_to_do(
    cast: Cast, clock: FrozenClock, runtime: Runtime, superuser: psycopg.Connection[Any]
) -> None:
    office = await own_office(cast, runtime)
    taken: dict[str, list[int]] = {}
    for _ in range(2):
        for _ in range(4):
            case_id = await open_case(cast, office["worker"], SENSITIVE, consents=[SUPPORT])
            await report_incident(cast, case_id, office["worker"])
            await plan(cast, case_id, clock(), office["worker"])
        for who in ("worker", "overseer"):
            with recording(runtime.database.engine) as statements:
                await worklist(cast, office[who])
            taken.setdefault(who, []).append(len(statements))
    assert max(taken["worker"]) <= 6, taken
    assert taken["worker"][0] == taken["worker"][1]
    assert max(taken["overseer"]) <= 6, taken


async def test_what_was_shown_is_in_the_trail_with_how_it_is_reached(cast: Cast, superuser: Superuser) -> None:
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    case_id = await open_case(cast, who, SENSITIVE)
    await report_incident(cast, case_id, who)
    await open_case(cast, who)  # nothing to do on this one today
    found = await told(superuser, cast.client(who), "GET", "/worklist")
    assert ([str(one) for one in found.row["case_ids"]], found.row["via"]) == ([case_id], ["lead"])


async def test_two_hundred_things_are_shown_and_said_that_there_are_more(cast: Cast, clock: FrozenClock) -> None:
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    case_id = await open_case(cast, who)
    for wanted in (MOST, MOST + 1):
        for _ in range(wanted - len(await worklist(cast, who))):
            await plan(cast, case_id, clock() - timedelta(hours=1), who)
        told_of = answered(await cast.client(who).get("/worklist"), 200)
        assert (len(told_of["items"]), told_of["more"]) == (MOST, wanted > MOST)
    answered(await cast.client(who).get("/worklist", params={"limit": 5}), 422)
