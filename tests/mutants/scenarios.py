# statements of tests; nothing in them comes from outside
"""What follows for access when time passes and people move: sentences that tests elsewhere do not say."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.calendar import day_of
from app.models.codes.people import Role
from tests.cases import SUPPORT, intake, open_case
from tests.cast import COMMUNE, OTHER_COMMUNE, Cast, FrozenClock, answered
from tests.oracle.stage import wrongly_derived
from tests.pages import whole
from tests.row_statements import ADDS

Superuser = psycopg.Connection[Any]


async def _me(cast: Cast, who: str) -> int:
    return (await cast.client(who).get("/cases")).status_code


async def _newcomer(cast: Cast, role: Role, organisation: str, *communes: str) -> str:
    name = f"mutant_{uuid4().hex[:8]}"
    await cast.add(name, role, organisation, list(communes))
    return name


async def _assign(cast: Cast, by: str, case_id: str, user: str, role: str) -> None:
    wanted = {"user_id": cast.id(user), "role": role, "reason": "As agreed."}
    answered(await cast.client(by).post(f"/cases/{case_id}/assignments", json=wanted), 201)


async def _sees(cast: Cast, who: str, case_id: str) -> bool:
    return (await cast.client(who).get(f"/cases/{case_id}")).status_code == 200


def _derived(cast: Cast, superuser: Superuser, case_id: str) -> bool:
    return wrongly_derived(superuser, cast.clock(), [case_id]) == 0


def _run(cast: Cast, superuser: Superuser, statement: str, *values: Any) -> None:
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    superuser.execute(statement.encode(), values)


@pytest.mark.parametrize(
    "change",
    [
        "update sessions set ended_at = created_at where user_id = %s",
        "update sessions set expires_at = created_at where user_id = %s",
        "update users set active = false where id = %s",
        "update organisations set active = false where id = (select organisation_id from users where id = %s)",
    ],
)
async def test_a_session_is_dead_at_once(cast: Cast, superuser: Superuser, change: str) -> None:
    name = await _newcomer(cast, Role.CASEWORKER, "other_ngo")
    assert await _me(cast, name) == 200
    _run(cast, superuser, change, cast.id(name))
    try:
        assert await _me(cast, name) == 401
    finally:
        superuser.execute("update organisations set active = true")


@pytest.mark.parametrize(
    "change",
    [
        "status = 'planning'",
        "category = 'marital_issue'",
        "sensitivity = 'sensitive'",
        "opened_at = opened_at - interval '1 day'",
        "commune_code = '170301'",
    ],
)
async def test_access_follows_every_change_of_a_case(cast: Cast, superuser: Superuser, change: str) -> None:
    case_id = await open_case(cast, consents=[SUPPORT])
    await _assign(cast, "caseworker", case_id, "liaison", "liaison")
    assert _derived(cast, superuser, case_id)
    _run(cast, superuser, f"update cases set {change} where id = %s", case_id)
    assert _derived(cast, superuser, case_id)


@pytest.mark.parametrize(
    ("role", "user_role", "organisation"),
    [
        ("liaison", Role.CASEWORKER, "ngo"),
        ("reviewer", Role.CASEWORKER, "ngo"),
        ("reviewer", Role.SUPERVISOR, "other_ngo"),
        ("caseworker", Role.CCWC_LIAISON, "ngo"),
        ("cover", Role.CASEWORKER, "other_ngo"),
        ("lead", Role.PARTNER, "ngo"),
    ],
)
async def test_an_assignment_gives_nothing_to_whom_it_does_not_fit(
    cast: Cast, superuser: Superuser, role: str, user_role: Role, organisation: str
) -> None:
    """Whoever wrote it into the table."""
    name = await _newcomer(cast, user_role, organisation, COMMUNE)
    case_id = await open_case(cast, category="domestic_violence", consents=[SUPPORT])
    _write_assignment(cast, superuser, case_id, name, role)
    access = "select count(*) from case_access where case_id = %s and principal = %s"
    assert superuser.execute(access, [case_id, cast.users[name].principal]).fetchone() == (0,)


def _write_assignment(cast: Cast, superuser: Superuser, case_id: str, user: str, role: str) -> None:
    _run(
        cast,
        superuser,
        "insert into assignments (id, case_id, organisation_id, user_id, role, created_at, created_by)"
        " select gen_random_uuid(), id, organisation_id, %s, %s, created_at, created_by"
        " from cases where id = %s",
        cast.id(user),
        role,
        case_id,
    )


def _grant(cast: Cast, superuser: Superuser, case_id: str, user: str) -> None:
    now = cast.clock()
    _run(
        cast,
        superuser,
        "insert into break_glass_grants (id, case_id, organisation_id, user_id, reason_code, created_at,"
        " expires_at) select gen_random_uuid(), id, organisation_id, %s, 'danger_to_life', %s, %s"
        " from cases where id = %s",
        cast.id(user),
        now,
        now + timedelta(hours=4),
        case_id,
    )


@pytest.mark.parametrize(
    ("user_role", "organisation", "active"),
    [(Role.CCWC_LIAISON, "ngo", True), (Role.CASEWORKER, "other_ngo", True), (Role.CASEWORKER, "ngo", False)],
)
async def test_broken_glass_gives_nothing_to_whom_it_does_not_fit(
    cast: Cast, superuser: Superuser, user_role: Role, organisation: str, active: bool
) -> None:
    name = await _newcomer(cast, user_role, organisation, COMMUNE)
    _run(cast, superuser, "update users set active = %s where id = %s", active, cast.id(name))
    case_id = await open_case(cast, category="domestic_violence")
    _grant(cast, superuser, case_id, name)
    assert not await _sees(cast, name, case_id)
    access = "select count(*) from case_access where case_id = %s and principal = %s"
    assert superuser.execute(access, [case_id, cast.users[name].principal]).fetchone() == (0,)


@pytest.mark.parametrize("change", ["active = false", "role = 'ccwc_liaison'", "organisation_id = null"])
async def test_broken_glass_ends_for_good_when_its_user_changes(cast: Cast, superuser: Superuser, change: str) -> None:
    name = await _newcomer(cast, Role.CASEWORKER, "ngo")
    case_id = await open_case(cast, category="domestic_violence")
    _grant(cast, superuser, case_id, name)
    assert await _sees(cast, name, case_id)
    _run(cast, superuser, f"update users set {change} where id = %s", cast.id(name))
    restored = "update users set active = true, role = 'caseworker', organisation_id = %s where id = %s"
    _run(cast, superuser, restored, cast.organisation("ngo"), cast.id(name))
    assert not await _sees(cast, name, case_id)
    assert _derived(cast, superuser, case_id)


async def test_a_grant_that_is_ended_early_gives_nothing(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    _grant(cast, superuser, case_id, "colleague")
    assert await _sees(cast, "colleague", case_id)
    _run(cast, superuser, "update break_glass_grants set ended_at = created_at where case_id = %s", case_id)
    assert not await _sees(cast, "colleague", case_id)


@pytest.mark.parametrize(
    ("before", "after", "role", "back"),
    [
        (Role.SUPERVISOR, "role = 'caseworker'", "reviewer", "role = 'supervisor'"),
        (Role.CASEWORKER, "role = 'ccwc_liaison'", "caseworker", "role = 'caseworker'"),
        (Role.CCWC_LIAISON, "communes = '{170301}'", "liaison", "communes = '{170201}'"),
        (Role.CCWC_LIAISON, "active = false", "liaison", "active = true"),
    ],
)
async def test_an_assignment_ends_for_good_when_its_person_changes(
    cast: Cast, superuser: Superuser, before: Role, after: str, role: str, back: str
) -> None:
    home = "council" if before is Role.CCWC_LIAISON else "ngo"
    name = await _newcomer(cast, before, home, *([COMMUNE] if home == "council" else []))
    case_id = await open_case(cast, category="domestic_violence", consents=[SUPPORT])
    await _assign(cast, "supervisor" if before is Role.SUPERVISOR else "caseworker", case_id, name, role)
    assert await _sees(cast, name, case_id)
    for change in (after, back):
        _run(cast, superuser, f"update users set {change} where id = %s", cast.id(name))
        assert not await _sees(cast, name, case_id)
        assert _derived(cast, superuser, case_id)
    told = answered(await cast.client("caseworker").get(f"/cases/{case_id}/timeline"), 200)["items"]
    assert ("assignment.ended", "user_changed") in {(e["type"], e["data"].get("reason")) for e in told}


async def test_a_consent_lasts_until_the_end_of_its_last_day_in_phnom_penh(cast: Cast, clock: FrozenClock) -> None:
    today = clock().astimezone().date()
    given = {**SUPPORT, "obtained_on": "2026-03-01", "expires_on": str(today)}
    case_id = await open_case(cast, consents=[given])
    await _assign(cast, "caseworker", case_id, "liaison", "liaison")
    end = clock().replace(hour=17, minute=0, second=0)  # midnight there
    clock.advance(seconds=(end - clock()).total_seconds() - 1)
    assert await _sees(cast, "liaison", case_id)
    clock.advance(seconds=1)
    assert not await _sees(cast, "liaison", case_id)
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/consents", json=SUPPORT), 201)
    assert not await _sees(cast, "liaison", case_id), "a new consent revives nobody"
    clock.advance(hours=10)  # the next morning


async def test_of_two_consents_the_longer_counts(cast: Cast, clock: FrozenClock) -> None:
    today = day_of(clock())
    ending = {**SUPPORT, "expires_on": str(today)}
    lasting = {**SUPPORT, "expires_on": str(today + timedelta(days=1))}
    for other, days in ((SUPPORT, 400), (lasting, 1)):
        case_id = await open_case(cast, consents=[ending, other])
        await _assign(cast, "caseworker", case_id, "liaison", "liaison")
        clock.advance(days=days)
        assert await _sees(cast, "liaison", case_id)
        ending["expires_on"] = str(day_of(clock()))
        lasting["expires_on"] = str(day_of(clock()) + timedelta(days=1))


async def test_a_longer_consent_given_later_carries_on(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, consents=[{**SUPPORT, "expires_on": str(day_of(clock()))}])
    await _assign(cast, "caseworker", case_id, "liaison", "liaison")
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/consents", json=SUPPORT), 201)
    clock.advance(days=2)
    assert await _sees(cast, "liaison", case_id)


async def test_one_of_two_consents_withdrawn_ends_nothing_and_both_end_it(cast: Cast) -> None:
    case_id = await open_case(cast, consents=[SUPPORT, SUPPORT])
    await _assign(cast, "caseworker", case_id, "liaison", "liaison")
    consents = answered(await cast.client("caseworker").get(f"/cases/{case_id}/consents"), 200)["items"]
    for number, consent in enumerate(consents):
        path = f"/cases/{case_id}/consents/{consent['id']}/withdraw"
        answered(await cast.client("caseworker").post(path, json={}), 200)
        assert await _sees(cast, "liaison", case_id) is (number == 0)


async def test_a_withdrawal_ends_the_assignment_of_the_liaison_and_says_why(cast: Cast) -> None:
    case_id = await open_case(cast, consents=[SUPPORT])
    lead = cast.client("caseworker")
    await _assign(cast, "caseworker", case_id, "liaison", "liaison")
    consent = answered(await lead.get(f"/cases/{case_id}/consents"), 200)["items"][0]
    answered(await lead.post(f"/cases/{case_id}/consents/{consent['id']}/withdraw", json={}), 200)
    assignments = answered(await lead.get(f"/cases/{case_id}/assignments"), 200)["items"]
    ended = [one["end_reason"] for one in assignments if one["user_id"] == cast.id("liaison")]
    assert ended == ["consent_ended"]


async def test_the_sweep_ends_what_time_has_ended_and_nothing_else(
    cast: Cast, clock: FrozenClock, superuser: Superuser
) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    lasting = await _newcomer(cast, Role.CASEWORKER, "ngo")
    for user, hours in (("colleague", 1), (lasting, 48)):
        until = (clock() + timedelta(hours=hours)).isoformat()
        wanted = {"user_id": cast.id(user), "role": "cover", "until": until}
        answered(await cast.client("caseworker").post(f"/cases/{case_id}/assignments", json=wanted), 201)
    clock.advance(hours=2)
    _run(cast, superuser, "select sweep_expired_access(100000)")
    assert superuser.execute("select sweep_expired_access(100000)").fetchone() == (0,)
    open_ones = superuser.execute(
        "select count(*) from assignments where case_id = %s and ended_at is null", [case_id]
    ).fetchone()
    assert open_ones == (2,), "the lead and the cover that lasts"
    rows = superuser.execute(
        "select count(*) from case_access where case_id = %s and expires_at is not null", [case_id]
    ).fetchone()
    assert rows == (1,)


async def test_a_standard_case_without_lead_is_seen_by_its_organisation_as_any_other(cast: Cast) -> None:
    body = intake(organisation_id=cast.organisation("ngo"))
    case_id = answered(await cast.client("liaison").post("/cases", json=body), 201)["id"]
    seen = answered(await cast.client("supervisor").get(f"/cases/{case_id}"), 200)
    assert seen["access"] == {"via": "organisation", "mode": "write"}
    seen = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)
    assert seen["access"] == {"via": "organisation", "mode": "read"}


async def test_the_strongest_way_is_shown(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    await _assign(cast, "supervisor", case_id, "second_supervisor", "reviewer")
    _grant(cast, superuser, case_id, "second_supervisor")
    seen = answered(await cast.client("second_supervisor").get(f"/cases/{case_id}"), 200)
    assert seen["access"] == {"via": "reviewer", "mode": "contribute"}


async def test_a_stronger_way_takes_over_from_broken_glass_and_gives_back(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    _grant(cast, superuser, case_id, "colleague")
    await _assign(cast, "caseworker", case_id, "colleague", "caseworker")
    seen = answered(await cast.client("colleague").get(f"/cases/{case_id}"), 200)
    assert seen["access"] == {"via": "assigned", "mode": "write"}
    _run(cast, superuser, "update assignments set ended_at = created_at where user_id = %s", cast.id("colleague"))
    seen = answered(await cast.client("colleague").get(f"/cases/{case_id}"), 200)
    assert seen["access"] == {"via": "break_glass", "mode": "contribute"}


async def test_that_a_liaison_has_left_is_not_told_to_the_other_liaisons(cast: Cast, superuser: Superuser) -> None:
    leaving = await _newcomer(cast, Role.CCWC_LIAISON, "council", COMMUNE)
    case_id = await open_case(cast, consents=[SUPPORT])
    for liaison in (leaving, "liaison"):
        await _assign(cast, "caseworker", case_id, liaison, "liaison")
    _run(cast, superuser, "update users set communes = '{}' where id = %s", cast.id(leaving))
    told = {
        who: {e["type"] for e in answered(await cast.client(who).get(f"/cases/{case_id}/timeline"), 200)["items"]}
        for who in ("liaison", "caseworker")
    }
    assert "assignment.ended" in told["caseworker"]
    assert "assignment.ended" not in told["liaison"]


async def test_a_lead_who_is_gone_leaves_no_name_on_the_case(cast: Cast, superuser: Superuser) -> None:
    lead = await _newcomer(cast, Role.CASEWORKER, "ngo")
    case_id = await open_case(cast, lead, category="domestic_violence")
    _run(cast, superuser, "update users set active = false where id = %s", cast.id(lead))
    seen = answered(await cast.client("supervisor").get(f"/cases/{case_id}"), 200)
    assert seen["lead"] is None
    assert seen["access"] == {"via": "reviewer", "mode": "contribute"}


async def _exclude(cast: Cast, by: str, case_id: str, user: str) -> str:
    wanted = {"user_id": cast.id(user), "reason_code": "client_wish"}
    made: str = answered(await cast.client(by).post(f"/cases/{case_id}/exclusions", json=wanted), 201)["id"]
    return made


async def _lift(cast: Cast, by: str, case_id: str, exclusion_id: str) -> int:
    path = f"/cases/{case_id}/exclusions/{exclusion_id}/lift"
    return (await cast.client(by).post(path, json={"reason": "A mistake."})).status_code


async def test_an_exclusion_is_lifted_only_on_a_case_of_its_own(cast: Cast) -> None:
    case_id, other = await open_case(cast), await open_case(cast)
    excluded = await _exclude(cast, "caseworker", case_id, "colleague")
    assert await _lift(cast, "caseworker", other, excluded) == 404
    assert await _lift(cast, "caseworker", case_id, excluded) == 200
    assert await _lift(cast, "supervisor", other, excluded) == 404
    assert await _lift(cast, "supervisor", case_id, excluded) == 200
    assert await _lift(cast, "second_supervisor", case_id, excluded) == 404, "it was lifted already"
    listed = answered(await cast.client("caseworker").get(f"/cases/{other}/exclusions"), 200)["items"]
    assert listed == []


async def test_who_is_excluded_no_longer_may_be_assigned_and_oversees_again(cast: Cast) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    for who in ("colleague", "second_supervisor"):
        exclusion = await _exclude(cast, "caseworker", case_id, who)
        await _assign(cast, "supervisor", case_id, "supervisor", "reviewer")
        assert await _finds_stub(cast, "second_supervisor", case_id) is (who == "colleague")
        for by in ("caseworker", "supervisor"):
            assert await _lift(cast, by, case_id, exclusion) == 200
    assert await _finds_stub(cast, "second_supervisor", case_id)
    await _assign(cast, "second_supervisor", case_id, "colleague", "caseworker")


def test_only_the_opener_has_just_opened_a_case(cast: Cast, runtime_connection: psycopg.Connection[Any]) -> None:
    """In one transaction, as no request ever is: what a connection that was mixed up could do."""
    own_id = uuid4()
    values = {
        "own_id": own_id,
        "organisation_id": cast.organisation("ngo"),
        "commune": COMMUNE,
        "person_id": uuid4(),
        "by": cast.id("caseworker"),
        "now": cast.clock(),
    }
    statement = ADDS["case"].replace("gen_random_uuid()", "%(own_id)s", 1)
    with runtime_connection.transaction(force_rollback=True):
        for who, opened in (("caseworker", True), ("colleague", False)):
            runtime_connection.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
            if opened:
                runtime_connection.execute(statement.encode(), values)
            assert runtime_connection.execute("select app_just_opened(%s)", [own_id]).fetchone() == (opened,), who


async def test_a_new_place_on_a_case_takes_the_place_of_the_former(cast: Cast) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    await _assign(cast, "caseworker", case_id, "colleague", "caseworker")
    until = (cast.clock() + timedelta(hours=1)).isoformat()
    wanted = {"user_id": cast.id("colleague"), "role": "cover", "reason": "On leave.", "until": until}
    path = f"/cases/{case_id}/assignments"
    answered(await cast.client("caseworker").post(path, json=wanted), 201)
    places = await whole(cast.client("caseworker"), path)
    hers = {one["role"]: one["ended_at"] is None for one in places if one["user_id"] == cast.id("colleague")}
    assert hers == {"cover": True, "caseworker": False}


async def test_who_handed_a_case_over_has_no_receipt_of_it_any_more(cast: Cast) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    path = f"/cases/{case_id}/receipt"
    answered(await cast.client("caseworker").get(path), 200)
    await _assign(cast, "caseworker", case_id, "colleague", "lead")
    assert not await _sees(cast, "caseworker", case_id)
    answered(await cast.client("caseworker").get(path), 404)


async def _finds_stub(cast: Cast, who: str, case_id: str) -> bool:
    return case_id in {item["id"] for item in await whole(cast.client(who), "/caseload")}


async def test_a_lifted_exclusion_does_not_follow_the_client_and_one_that_stands_does(cast: Cast) -> None:
    case_id = await open_case(cast)
    lifted = await _exclude(cast, "caseworker", case_id, "colleague")
    assert not await _sees(cast, "colleague", case_id)
    for by in ("caseworker", "supervisor"):
        assert await _lift(cast, by, case_id, lifted) == 200
    assert await _sees(cast, "colleague", case_id)
    await _exclude(cast, "caseworker", case_id, "second_supervisor")
    client_id = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)["client"]["id"]
    body = {**intake(), "client_id": client_id}
    del body["client"]
    second = answered(await cast.client("caseworker").post("/cases", json=body), 201)["id"]
    assert await _sees(cast, "colleague", second)
    assert not await _sees(cast, "second_supervisor", second)
    assert await _sees(cast, "supervisor", second)


async def test_two_decisions_about_one_user_are_lifted_one_by_one(cast: Cast, superuser: Superuser) -> None:
    """Two cases of one client were excluded from apart, before anybody knew that she is the same."""
    first, second = await open_case(cast), await open_case(cast)
    excluded = [await _exclude(cast, "caseworker", case_id, "colleague") for case_id in (first, second)]
    _run(
        cast,
        superuser,
        "insert into person_links (id, person_id, other_id, created_at, created_by)"
        " select gen_random_uuid(), a.client_id, b.client_id, a.created_at, a.created_by from cases a, cases b"
        " where a.id = %s and b.id = %s",
        second,
        first,
    )
    for by in ("caseworker", "supervisor"):
        assert await _lift(cast, by, first, excluded[0]) == 200
    for case_id in (first, second):
        assert not await _sees(cast, "colleague", case_id), "the other decision stands"


async def test_an_exclusion_stays_with_the_client_who_is_a_child_in_another_case(
    cast: Cast, superuser: Superuser
) -> None:
    first, second = await open_case(cast), await open_case(cast)
    child = {"alias": "Child", "role": "child"}
    child_id = answered(await cast.client("caseworker").post(f"/cases/{second}/people", json=child), 201)["id"]
    _run(
        cast,
        superuser,
        "insert into person_links (id, person_id, other_id, created_at, created_by)"
        " select gen_random_uuid(), client_id, %s, created_at, created_by from cases where id = %s",
        child_id,
        first,
    )
    await _exclude(cast, "caseworker", first, "colleague")
    assert not await _sees(cast, "colleague", first)
    assert await _sees(cast, "colleague", second)


async def test_the_caseload_pages_and_filters_as_it_says(cast: Cast, superuser: Superuser) -> None:
    lead = await _newcomer(cast, Role.CASEWORKER, "ngo")
    own = {await open_case(cast, lead, category="domestic_violence") for _ in range(3)}
    closed = await open_case(cast, lead, category="domestic_violence")
    _run(cast, superuser, "update cases set status = 'closed' where id = %s", closed)
    _run(
        cast,
        superuser,
        "update cases set next_due_at = %s where id = any (%s::uuid[])",
        cast.clock(),
        list(own),
    )
    found = await whole(cast.client("supervisor"), "/caseload", lead_id=cast.id(lead), limit=2)
    assert sorted(item["id"] for item in found) == sorted(own)
    assert len(own) == 3
    waiting: dict[str, str | bool] = {"needs_lead": True, "lead_id": cast.id(lead)}
    assert answered(await cast.client("supervisor").get("/caseload", params=waiting), 200)["items"] == []
    body = {"user_id": cast.id("colleague"), "role": "lead"}
    answered(await cast.client("supervisor").post(f"/cases/{closed}/assignments", json=body), 201)


async def test_a_case_that_moves_leaves_its_liaison_and_comes_back_without(cast: Cast) -> None:
    case_id = await open_case(cast, consents=[SUPPORT])
    await _assign(cast, "caseworker", case_id, "liaison", "liaison")
    for commune in (OTHER_COMMUNE, COMMUNE):
        change = {"commune_code": commune}
        client = cast.client("caseworker")
        answered(await client.patch(f"/cases/{case_id}", json=change, headers={"If-Match": "*"}), 200)
        assert not await _sees(cast, "liaison", case_id)


OWING = [
    (Role.CASEWORKER, "ngo", "", "", True, False),
    (Role.CASEWORKER, "ngo", "must_change", "", False, True),
    (Role.CASEWORKER, "ngo", "mfa_due", "", False, True),
    (Role.CASEWORKER, "ngo", "mfa_due", "proposed", False, True),
    (Role.CASEWORKER, "ngo", "mfa_due", "confirmed", False, False),
    (Role.SUPERVISOR, "ngo", "", "", True, True),
    (Role.SUPERVISOR, "ngo", "", "", False, False),
    (Role.SUPERVISOR, "ngo", "", "proposed", True, True),
    (Role.SUPERVISOR, "ngo", "", "confirmed", True, False),
    (Role.SUPERVISOR, "ngo", "must_change", "confirmed", True, True),
    (Role.PARTNER, "clinic", "", "", True, True),
    (Role.PARTNER, "clinic", "system", "", True, False),
    (Role.PARTNER, "clinic", "unconfirmed", "", False, True),
]


@pytest.mark.parametrize(("role", "organisation", "mark", "factor", "required", "owes"), OWING)
async def test_who_owes_a_factor_or_a_yes_is_nobody_to_the_rows(
    cast: Cast,
    superuser: Superuser,
    runtime_connection: Superuser,
    role: Role,
    organisation: str,
    mark: str,
    factor: str,
    required: bool,
    owes: bool,
) -> None:
    name = await _newcomer(cast, role, organisation)
    if mark in {"system", "unconfirmed"}:
        made = "update users set system = true, scopes = '{{}}', confirmed_at = {} where id = %s"
        _run(cast, superuser, made.format("app_now()" if mark == "system" else "null"), cast.id(name))
    elif mark:
        _run(cast, superuser, f"update user_credentials set {mark} = true where user_id = %s", cast.id(name))
    if factor:
        confirmed_at = cast.clock() if factor == "confirmed" else None
        row = "insert into user_totp (user_id, secret, created_at, confirmed_at, last_step) values (%s, '', %s, %s, 0)"
        _run(cast, superuser, row, cast.id(name), cast.clock(), confirmed_at)
    try:
        asked = [cast.sessions[name], cast.clock(), required]
        owing = "select password_due or mfa_due or confirmation_due from begin_request(%s, %s, %s)"
        found = runtime_connection.execute(owing, asked)
        assert found.fetchall() == [(owes,)]
        for setting in ("user_id", "role", "organisation_id", "principals"):
            value = runtime_connection.execute("select current_setting(%s, true)", [f"samaki.{setting}"]).fetchone()
            assert value is not None
            assert bool(value[0]) is not owes
    finally:
        runtime_connection.rollback()
