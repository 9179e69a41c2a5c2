"""A case that nobody has assessed waits no longer than one that somebody has: violence as at high risk."""

from datetime import timedelta
from typing import Any

import pytest

from tests.acts import SENSITIVE
from tests.cases import SUPPORT, open_case
from tests.cast import Cast, FrozenClock, answered
from tests.pages import whole
from tests.plans import EDIT, assess, put_first
from tests.test_worklist import moment

LIMITS = [(SENSITIVE, timedelta(days=7)), ("marital_issue", timedelta(days=30)), ("id_poor", timedelta(days=30))]
SECOND = timedelta(seconds=1)


async def first_of(cast: Cast, case_id: str) -> Any:
    (first,) = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
    return first


async def record(cast: Cast, case_id: str, one: Any, outcome: str, status: int = 200, **more: Any) -> Any:
    body = {"happened_at": cast.clock().isoformat(), "outcome": outcome, **more}
    path = f"/cases/{case_id}/follow-ups/{one['id']}/record"
    return answered(await cast.client("caseworker").post(path, json=body), status)


def late(refused: Any, pointer: str) -> bool:
    return [(one["code"], one["pointer"]) for one in refused["errors"]] == [("later_than_risk_allows", pointer)]


@pytest.mark.parametrize(("category", "limit"), LIMITS)
async def test_nobody_puts_off_the_next_contact_of_an_unassessed_case(
    cast: Cast, clock: FrozenClock, category: str, limit: timedelta
) -> None:
    case_id = await open_case(cast, category=category)
    first, lead = await first_of(cast, case_id), cast.client("caseworker")
    path, beyond = f"/cases/{case_id}/follow-ups/{first['id']}", (clock() + limit + SECOND).isoformat()
    assert late(answered(await lead.patch(path, json={"due_at": beyond}, headers=EDIT), 422), "/due_at")
    assert late(await record(cast, case_id, first, "met_safe", 422, next_due_at=beyond), "/next_due_at")
    if category == SENSITIVE:
        await record(cast, case_id, first, "met_concern")
        first = next(one for one in await whole(lead, f"/cases/{case_id}/follow-ups") if one["state"] == "planned")
        path = f"/cases/{case_id}/follow-ups/{first['id']}"
    else:
        await put_first(cast, case_id, due_at=(clock() + limit).isoformat())
    far = {"due_at": (clock() + timedelta(days=3000)).isoformat(), "channel": "visit"}
    answered(await lead.post(f"/cases/{case_id}/follow-ups", json=far), 201)  # one more, beside the one in time
    answered(await lead.delete(path, headers=EDIT), 409)
    latest = (clock() + limit).isoformat()
    following = (await record(cast, case_id, first, "met_safe", next_due_at=latest))["next"]
    assert moment(following["due_at"]) == clock() + limit


@pytest.mark.parametrize(("category", "limit"), LIMITS)
async def test_what_the_server_plans_next_is_within_it(
    cast: Cast, clock: FrozenClock, category: str, limit: timedelta
) -> None:
    case_id = await open_case(cast, category=category)
    following = (await record(cast, case_id, await first_of(cast, case_id), "met_safe"))["next"]
    assert moment(following["due_at"]) == clock() + limit


@pytest.mark.parametrize(("category", "limit"), LIMITS)
async def test_to_ask_her_again_waits_no_longer_either(
    cast: Cast, clock: FrozenClock, category: str, limit: timedelta
) -> None:
    case_id = await open_case(cast, category=category, consents=[{**SUPPORT, "purpose": "services"}])
    (given,) = await whole(cast.client("caseworker"), f"/cases/{case_id}/consents")
    path = f"/cases/{case_id}/consents/{given['id']}/withdraw"
    answered(await cast.client("caseworker").post(path, json={"reason": "Her wish."}), 200)
    found = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
    [asking] = [one for one in found if one["asks_consent"]]
    assert moment(asking["due_at"]) == clock() + limit


@pytest.mark.parametrize(("category", "lost"), [(SENSITIVE, True), ("marital_issue", False), ("id_poor", False)])
async def test_who_is_not_found_and_was_never_asked_about_violence_is_looked_for_at_once(
    cast: Cast, clock: FrozenClock, category: str, lost: bool
) -> None:
    case_id = await open_case(cast, category=category)
    following = (await record(cast, case_id, await first_of(cast, case_id), "not_found"))["next"]
    assert (moment(following["due_at"]) == clock() + timedelta(hours=24)) is lost
    told = [one["type"] for one in await whole(cast.client("caseworker"), f"/cases/{case_id}/timeline")]
    assert ("follow_up.escalated" in told) is lost


# ---- the first look at violence ----


async def test_the_day_within_which_somebody_looks_into_violence_is_not_put_off(cast: Cast, clock: FrozenClock) -> None:
    case_id, lead = await open_case(cast, category=SENSITIVE), cast.client("caseworker")
    first, opened_at = await first_of(cast, case_id), clock()
    assert moment(first["due_at"]) == opened_at + timedelta(hours=24)
    path, listing = f"/cases/{case_id}/follow-ups/{first['id']}", f"/cases/{case_id}/follow-ups"
    clock.advance(hours=3)
    latest, beyond = opened_at + timedelta(hours=24), opened_at + timedelta(hours=24, seconds=1)
    assert late(answered(await lead.patch(path, json={"due_at": beyond.isoformat()}, headers=EDIT), 422), "/due_at")
    answered(await lead.patch(path, json={"due_at": latest.isoformat(), "channel": "visit"}, headers=EDIT), 200)
    # Not by another date in its place either, nor by one in time that is then put off.
    later = {"due_at": (opened_at + timedelta(days=6)).isoformat(), "channel": "visit"}
    answered(await lead.post(listing, json=later), 201)
    answered(await lead.delete(path, headers=EDIT), 409)
    sooner = {"due_at": (opened_at + timedelta(hours=5)).isoformat(), "channel": "visit"}
    second = answered(await lead.post(listing, json=sooner), 201)
    answered(await lead.delete(path, headers=EDIT), 204)
    own = f"{listing}/{second['id']}"
    assert late(answered(await lead.patch(own, json=later, headers=EDIT), 422), "/due_at")


async def test_who_asks_for_another_day_is_looked_for_within_a_day_again(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    first = await first_of(cast, case_id)
    clock.advance(hours=30)
    for hours, status in ((25, 422), (24, 200)):
        then = (clock() + timedelta(hours=hours)).isoformat()
        await record(cast, case_id, first, "rescheduled", status, next_due_at=then)


@pytest.mark.parametrize("outcome", ["met_safe", "met_concern", "not_found", "declined"])
async def test_once_somebody_has_looked_it_waits_as_long_as_at_high_risk(
    cast: Cast, clock: FrozenClock, outcome: str
) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    latest = (clock() + timedelta(days=7)).isoformat()
    await record(cast, case_id, await first_of(cast, case_id), outcome, next_due_at=latest)


async def test_once_its_danger_is_known_or_where_it_was_no_violence_when_opened_the_first_date_may_move(
    cast: Cast, clock: FrozenClock
) -> None:
    known, other = await open_case(cast, category=SENSITIVE), await open_case(cast, category="marital_issue")
    await assess(cast, known)
    violence = {"category": SENSITIVE}
    answered(await cast.client("caseworker").patch(f"/cases/{other}", json=violence, headers=EDIT), 200)
    for case_id in (known, other):
        (one,) = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
        path, then = f"/cases/{case_id}/follow-ups/{one['id']}", (clock() + timedelta(days=6)).isoformat()
        answered(await cast.client("caseworker").patch(path, json={"due_at": then}, headers=EDIT), 200)


async def test_to_ask_her_again_is_planned_freely_within_its_own_limit(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE, consents=[{**SUPPORT, "purpose": "services"}])
    (given,) = await whole(cast.client("caseworker"), f"/cases/{case_id}/consents")
    path = f"/cases/{case_id}/consents/{given['id']}/withdraw"
    answered(await cast.client("caseworker").post(path, json={"reason": "Her wish."}), 200)
    found = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
    [asking] = [one for one in found if one["asks_consent"]]
    path, then = f"/cases/{case_id}/follow-ups/{asking['id']}", (clock() + timedelta(days=5)).isoformat()
    answered(await cast.client("caseworker").patch(path, json={"due_at": then}, headers=EDIT), 200)
