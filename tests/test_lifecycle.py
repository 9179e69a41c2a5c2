"""The steps of a case: which are legal, who takes them, what must hold first, what a closed case allows."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.acts import assign
from tests.cases import SUPPORT, open_case
from tests.cast import Cast, FrozenClock, answered
from tests.pages import whole
from tests.plans import end_contacts, make_ready

STANDARD, SENSITIVE = "id_poor", "domestic_violence"
RETURNED = {"reason": "client_request", "informed_can_return": True}
WAY = ("intake", "assessment", "planning", "implementation", "follow_up", "closure_requested", "closed")
# product.md, Lifecycle; a standard case may also go from intake to implementation.
LEGAL: dict[str, set[str]] = {
    "intake": {"assessment", "closed"},
    "assessment": {"planning", "closure_requested"},
    "planning": {"assessment", "implementation", "closure_requested"},
    "implementation": {"planning", "follow_up", "closure_requested"},
    "follow_up": {"planning", "implementation", "closure_requested"},
    "closure_requested": {"follow_up", "closed"},
    "closed": {"assessment"},
}


def legal(category: str, status: str) -> set[str]:
    """Where a case may go from here."""
    skips = category == STANDARD and status == "intake"
    return LEGAL[status] | ({"implementation"} if skips else set())


async def step(cast: Cast, who: str, case_id: str, to: str, **more: Any) -> httpx.Response:
    """Ask for one step, with a reason."""
    body = {"to": to, "reason": "As agreed.", **more}
    return await cast.client(who).post(f"/cases/{case_id}/transitions", json=body)


def closure_for(status: str, to: str) -> dict[str, Any]:
    """The closure where one belongs."""
    ends = to == "closure_requested" or (status, to) == ("intake", "closed")
    return {"closure": RETURNED} if ends else {}


def decider(status: str) -> str:
    """Somebody who may take the step: the supervisor decides closures, the lead does the rest."""
    return "supervisor" if status == "closure_requested" else "caseworker"


async def reach(cast: Cast, category: str, status: str) -> str:
    """A new case of `caseworker` in this status, which `supervisor` reviews when it is sensitive."""
    case_id = await open_case(cast, category=category)
    if category == SENSITIVE:
        await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
        await make_ready(cast, case_id)
    for before, after in pairwise(WAY[: WAY.index(status) + 1]):
        who = decider(before)
        answered(await step(cast, who, case_id, after, **closure_for(before, after)), 200)
        if after == "closure_requested":
            await end_contacts(cast, case_id)
    return case_id


async def read(cast: Cast, case_id: str, who: str = "caseworker") -> Any:
    return answered(await cast.client(who).get(f"/cases/{case_id}"), 200)


# ---- which steps there are ----


@pytest.mark.parametrize("status", WAY)
@pytest.mark.parametrize("category", [STANDARD, SENSITIVE])
async def test_every_legal_step_is_taken(cast: Cast, category: str, status: str) -> None:
    for to in legal(category, status):
        case_id = await reach(cast, category, status)
        who = decider(status)
        moved = answered(await step(cast, who, case_id, to, **closure_for(status, to)), 200)
        assert moved["status"] == to
        assert (await read(cast, case_id))["status"] == to


@pytest.mark.parametrize("status", WAY)
@pytest.mark.parametrize("category", [STANDARD, SENSITIVE])
async def test_every_other_step_is_refused_with_the_steps_that_there_are(
    cast: Cast, category: str, status: str
) -> None:
    case_id = await reach(cast, category, status)
    before = await read(cast, case_id)
    for to in set(WAY) - legal(category, status):
        for who in ("caseworker", "supervisor"):
            refused = answered(await step(cast, who, case_id, to), 409)
            assert refused["code"] == "illegal_transition", (status, to)
            assert refused["allowed"] == sorted(legal(category, status))
    assert await read(cast, case_id) == before


async def test_a_step_that_does_not_exist_is_a_wrong_body(cast: Cast) -> None:
    case_id = await open_case(cast)
    problem = answered(await step(cast, "caseworker", case_id, "banana"), 422)
    assert problem["errors"][0]["pointer"] == "/to"


async def test_of_the_same_step_twice_at_once_one_is_taken(cast: Cast) -> None:
    case_id = await open_case(cast)
    both = await asyncio.gather(*(step(cast, "caseworker", case_id, "assessment") for _ in range(2)))
    assert sorted(answer.status_code for answer in both) == [200, 409]
    events = answered(await cast.client("caseworker").get(f"/cases/{case_id}/timeline"), 200)["items"]
    assert [event["type"] for event in events].count("case.status_changed") == 1


async def test_a_step_honours_the_version_when_it_is_sent(cast: Cast) -> None:
    case_id = await open_case(cast)
    path, body = f"/cases/{case_id}/transitions", {"to": "assessment"}
    stale = await cast.client("caseworker").post(path, json=body, headers={"If-Match": '"7"'})
    answered(stale, 412)
    assert stale.headers["ETag"] == '"1"'
    moved = await cast.client("caseworker").post(path, json=body, headers={"If-Match": '"1"'})
    assert answered(moved, 200)["version"] == 2
    assert moved.headers["ETag"] == '"2"'


async def test_every_step_is_told_in_the_timeline_by_whom_and_why(cast: Cast) -> None:
    case_id = await open_case(cast)
    answered(await step(cast, "caseworker", case_id, "assessment", reason="She agreed."), 200)
    events = answered(await cast.client("caseworker").get(f"/cases/{case_id}/timeline"), 200)["items"]
    (moved,) = [event for event in events if event["type"] == "case.status_changed"]
    assert moved["data"] == {"from": "intake", "to": "assessment"}
    assert moved["reason"] == "She agreed."
    assert moved["actor"]["id"] == cast.id("caseworker")


# ---- consent ----


@pytest.mark.parametrize("to", ["assessment", "implementation"])
async def test_no_case_starts_without_a_consent_to_services(cast: Cast, to: str) -> None:
    case_id = await open_case(cast, consents=[SUPPORT])
    lead, path = cast.client("caseworker"), f"/cases/{case_id}/consents"
    assert answered(await step(cast, "caseworker", case_id, to), 409)["code"] == "consent_required"
    services = {**SUPPORT, "purpose": "services"}
    over = {**services, "expires_on": "2026-03-01"}
    answered(await lead.post(path, json=over), 201)
    assert answered(await step(cast, "caseworker", case_id, to), 409)["code"] == "consent_required"
    given = answered(await lead.post(path, json=services), 201)
    answered(await lead.post(f"{path}/{given['id']}/withdraw", json={}), 200)
    assert answered(await step(cast, "caseworker", case_id, to), 409)["code"] == "consent_required"
    answered(await lead.post(path, json=services), 201)
    answered(await step(cast, "caseworker", case_id, to), 200)


# ---- closing ----

INTAKE_REASONS = (
    *(
        "not_eligible",
        "declined",
        "duplicate",
        "no_contact",
        "moved_away",
        "died",
        "transferred",
        "client_request",
    ),
)


@pytest.mark.parametrize("reason", [*INTAKE_REASONS, "needs_met", "other"])
async def test_an_intake_is_closed_for_its_own_reasons_only(cast: Cast, reason: str) -> None:
    case_id = await open_case(cast, consents=[])
    answer = await step(cast, "caseworker", case_id, "closed", closure={"reason": reason})
    if reason == "no_contact":
        assert answered(answer, 409)["blocked_by"] == ["too_few_attempts"]  # test_closing.py says what is enough
    elif reason in INTAKE_REASONS:
        closed = answered(answer, 200)
        assert closed["closure"]["reason"] == reason
        assert closed["closed_at"] is not None
    else:
        assert answered(answer, 422)["errors"][0]["pointer"] == "/closure/reason"


INFORMED = [
    # closure's reason, informed_can_return, reason of the step: where it is wrong
    ("needs_met", True, None, None),
    ("client_request", True, None, None),
    ("declined", True, None, None),
    ("needs_met", None, None, "/closure/informed_can_return"),
    ("needs_met", "not_possible", "Gone.", "/closure/informed_can_return"),
    ("client_request", "not_possible", "Gone.", "/closure/informed_can_return"),
    ("declined", "not_possible", "Gone.", "/closure/informed_can_return"),
    ("moved_away", True, None, None),
    ("moved_away", "not_possible", "Gone.", None),
    ("moved_away", "not_possible", None, "/reason"),
    ("died", "not_possible", "She died.", None),
    ("died", None, None, None),
    ("died", "not_possible", None, None),
    ("no_contact", None, "Gone.", "/closure/informed_can_return"),
    ("no_contact", False, "Gone.", "/closure/informed_can_return"),
]


@pytest.mark.parametrize(("reason", "informed", "why", "wrong"), INFORMED)
async def test_who_closes_says_whether_the_client_knows_that_she_may_return(
    cast: Cast, reason: str, informed: bool | str | None, why: str | None, wrong: str | None
) -> None:
    case_id = await reach(cast, STANDARD, "assessment")
    closure = {"reason": reason, "informed_can_return": informed}
    answer = await step(cast, "caseworker", case_id, "closure_requested", closure=closure, reason=why)
    if wrong is None:
        assert answered(answer, 200)["closure"] == {**closure, "outcome": "unknown", "summary": None}
    else:
        pointers = [error["pointer"] for error in answered(answer, 422)["errors"]]
        assert any(pointer.startswith(wrong) for pointer in pointers), pointers


async def test_a_closure_comes_with_the_request_to_close_and_nowhere_else(cast: Cast) -> None:
    case_id = await open_case(cast)
    for status, to in pairwise(WAY[:5]):
        refused = answered(await step(cast, "caseworker", case_id, to, closure=RETURNED), 422)
        assert refused["errors"][0]["pointer"] == "/closure", status
        answered(await step(cast, "caseworker", case_id, to), 200)
    refused = answered(await step(cast, "caseworker", case_id, "closure_requested"), 422)
    assert refused["errors"][0]["pointer"] == "/closure"
    answered(await step(cast, "caseworker", case_id, "closure_requested", closure=RETURNED), 200)
    for to in ("closed", "follow_up"):
        answered(await step(cast, "supervisor", case_id, to, closure=RETURNED), 422)


@pytest.mark.parametrize(("status", "to"), [("closure_requested", "follow_up"), ("closed", "assessment")])
async def test_returning_and_reopening_need_a_reason(cast: Cast, status: str, to: str) -> None:
    case_id = await reach(cast, STANDARD, status)
    refused = answered(await step(cast, "supervisor", case_id, to, reason=None), 422)
    assert refused["errors"][0]["pointer"] == "/reason"
    opened = answered(await step(cast, "supervisor", case_id, to), 200)
    assert (opened["closed_at"], opened["closure"]) == (None, None)


async def test_a_closed_case_shows_how_and_when_it_was_closed(cast: Cast, clock: FrozenClock) -> None:
    case_id = await reach(cast, STANDARD, "closure_requested")
    assert (await read(cast, case_id))["closed_at"] is None
    clock.advance(minutes=7)
    answered(await step(cast, "caseworker", case_id, "closed"), 200)
    closed = await read(cast, case_id)
    assert closed["closed_at"] == clock().isoformat().replace("+00:00", "Z")
    assert closed["closure"]["reason"] == RETURNED["reason"]


# ---- who ----


async def allowed(cast: Cast, case_id: str, people: Sequence[str], to: str, **more: Any) -> list[int]:
    """How the step is answered to each of them, one after the other."""
    return [(await step(cast, who, case_id, to, **more)).status_code for who in people]


async def test_the_lead_or_a_supervisor_closes_a_standard_case_and_nobody_else(cast: Cast) -> None:
    case_id = await reach(cast, STANDARD, "closure_requested")
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    assert await allowed(cast, case_id, ["colleague", "stranger", "liaison"], "closed") == [403, 404, 403]
    assert await allowed(cast, case_id, ["colleague"], "follow_up") == [403]
    assert await allowed(cast, case_id, ["caseworker"], "closed") == [200]
    assert await allowed(cast, case_id, ["colleague", "caseworker"], "assessment") == [403, 200]
    other = await reach(cast, STANDARD, "closure_requested")
    assert await allowed(cast, other, ["supervisor"], "closed") == [200]


async def test_a_sensitive_case_is_closed_by_a_reviewing_supervisor_only(cast: Cast) -> None:
    case_id = await reach(cast, SENSITIVE, "closure_requested")
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    people = ["caseworker", "colleague", "second_supervisor", "other_supervisor"]
    assert await allowed(cast, case_id, people, "closed") == [403, 403, 404, 404]
    assert await allowed(cast, case_id, people[1:], "follow_up") == [403, 404, 404]
    await assign(cast, "supervisor", case_id, "second_supervisor", "caseworker")
    assert await allowed(cast, case_id, ["second_supervisor", "supervisor"], "closed") == [403, 200]


async def test_who_asked_to_close_a_sensitive_case_does_not_decide_it(cast: Cast) -> None:
    case_id = await reach(cast, SENSITIVE, "assessment")
    await assign(cast, "second_supervisor", case_id, "supervisor", "caseworker")
    asked = await step(cast, "supervisor", case_id, "closure_requested", closure=RETURNED)
    answered(asked, 200)
    await end_contacts(cast, case_id)
    for reviewer in ("supervisor", "second_supervisor"):
        await assign(cast, reviewer, case_id, reviewer, "reviewer")
    assert await allowed(cast, case_id, ["supervisor"], "closed") == [403]
    assert await allowed(cast, case_id, ["second_supervisor"], "closed") == [200]


async def taken_back(cast: Cast, requester: str, who: str) -> Any:
    """`who` takes back the request of `requester` on a sensitive case that `caseworker` leads."""
    case_id = await reach(cast, SENSITIVE, "assessment")
    for one in ("colleague", "supervisor"):
        await assign(cast, "second_supervisor", case_id, one, "caseworker")
    answered(await step(cast, requester, case_id, "closure_requested", closure=RETURNED), 200)
    without = await cast.client(who).post(f"/cases/{case_id}/transitions", json={"to": "follow_up"})
    if without.status_code != 403:
        assert [one["pointer"] for one in answered(without, 422)["errors"]] == ["/reason"]
    back = await step(cast, who, case_id, "follow_up", reason="She still needs us.")
    seen = await read(cast, case_id)
    if back.status_code == 200:
        assert (seen["status"], seen["closure"]) == ("follow_up", None)
        told = [one["reason"] for one in await whole(cast.client("caseworker"), f"/cases/{case_id}/timeline")]
        assert "She still needs us." in told
    else:
        assert seen["status"] == "closure_requested"
    return back.status_code


@pytest.mark.parametrize(
    ("requester", "who", "status"),
    [
        ("supervisor", "supervisor", 200),  # also where nobody else is there who could decide
        ("colleague", "colleague", 200),
        ("colleague", "caseworker", 200),  # the lead
        ("caseworker", "caseworker", 200),
        ("caseworker", "colleague", 403),
        ("caseworker", "supervisor", 403),  # works on it and reviews it not
    ],
)
async def test_who_asked_or_leads_takes_the_request_to_close_back(
    cast: Cast, requester: str, who: str, status: int
) -> None:
    assert await taken_back(cast, requester, who) == status


async def test_an_intake_is_closed_by_the_lead_or_a_supervisor(cast: Cast) -> None:
    case_id = await open_case(cast)
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    assert await allowed(cast, case_id, ["colleague"], "closed", closure=RETURNED) == [403]
    assert await allowed(cast, case_id, ["supervisor"], "closed", closure=RETURNED) == [200]


async def test_a_reviewer_decides_closures_and_moves_nothing_else(cast: Cast) -> None:
    case_id = await reach(cast, SENSITIVE, "assessment")
    assert await allowed(cast, case_id, ["supervisor"], "planning") == [403]
    assert await allowed(cast, case_id, ["supervisor"], "closure_requested", closure=RETURNED) == [403]
    assert (await read(cast, case_id))["status"] == "assessment"


async def test_who_only_reads_a_case_does_not_move_it(cast: Cast) -> None:
    case_id = await open_case(cast, consents=[SUPPORT, {**SUPPORT, "purpose": "services"}])
    await assign(cast, "caseworker", case_id, "liaison", "liaison")
    people = ["colleague", "liaison", "partner", "auditor", "admin", "nobody"]
    assert await allowed(cast, case_id, people, "assessment") == [403, 403, 403, 403, 403, 401]
    assert await allowed(cast, case_id, ["supervisor"], "assessment") == [200]


# ---- closed ----


async def test_a_closed_case_refuses_every_edit_and_keeps_what_protects_the_client(cast: Cast) -> None:
    case_id = await reach(cast, STANDARD, "closed")
    lead, path = cast.client("caseworker"), f"/cases/{case_id}"
    before = await read(cast, case_id)
    edits: list[tuple[str, str, Any]] = [
        ("PATCH", "", {"priority": "urgent"}),
        ("PATCH", "", {"sensitivity": "sensitive"}),
        ("POST", "/notes", {"text": "x"}),
        ("POST", "/consents", SUPPORT),
        ("POST", "/incidents", {}),
        ("POST", "/people", {"alias": "Child", "role": "child"}),
    ]
    for method, rest, body in edits:
        answer = await lead.request(method, path + rest, json=body, headers={"If-Match": "*"})
        assert answered(answer, 409)["code"] == "case_closed", rest
    client = f"/people/{before['client']['id']}"
    answer = await lead.patch(client, json={"alias": "New"}, headers={"If-Match": "*"})
    assert answered(answer, 409)["code"] == "case_closed"
    assert await read(cast, case_id) == before
    (consent,) = answered(await lead.get(f"{path}/consents"), 200)["items"]
    answered(await lead.post(f"{path}/consents/{consent['id']}/withdraw", json={}), 200)
    excluded = {"user_id": cast.id("colleague"), "reason_code": "client_wish"}
    answered(await lead.post(f"{path}/exclusions", json=excluded), 201)


async def test_reopening_is_no_way_around_the_consent_to_services(cast: Cast) -> None:
    case_id = await open_case(cast, category="domestic_violence", consents=[])
    path, lead = f"/cases/{case_id}/transitions", cast.client("caseworker")
    closure = {"reason": "declined", "informed_can_return": True}
    answered(await lead.post(path, json={"to": "closed", "closure": closure}), 200)
    refused = answered(await lead.post(path, json={"to": "assessment", "reason": "Came back."}), 409)
    assert refused["code"] == "consent_required"


async def test_who_took_her_consent_back_and_returns_agrees_with_the_reopening(cast: Cast) -> None:
    case_id = await open_case(cast)
    lead, path = cast.client("caseworker"), f"/cases/{case_id}"
    closure = {"reason": "client_request", "informed_can_return": True}
    answered(await step(cast, "caseworker", case_id, "closed", closure=closure), 200)
    (given,) = await whole(lead, f"{path}/consents")
    answered(await lead.post(f"{path}/consents/{given['id']}/withdraw", json={"reason": "Her wish."}), 200)
    services = {**SUPPORT, "purpose": "services"}
    for consents in ([], [SUPPORT]):
        refused = answered(await step(cast, "caseworker", case_id, "assessment", consents=consents), 409)
        assert refused["code"] == "consent_required"
    future = [{**services, "obtained_on": "2199-01-01"}]
    wrong = answered(await step(cast, "caseworker", case_id, "assessment", consents=future), 422)
    assert [one["pointer"] for one in wrong["errors"]] == ["/consents/0/obtained_on"]
    assert len(await whole(lead, f"{path}/consents")) == 1  # nothing is left of what was refused
    answered(await step(cast, "caseworker", case_id, "assessment", consents=[services, SUPPORT]), 200)
    active = [one["purpose"] for one in await whole(lead, f"{path}/consents") if one["active"]]
    assert sorted(active) == ["ccwc_support", "services"]
    assert "consent.given" in [one["type"] for one in await whole(lead, f"{path}/timeline")]


async def test_a_step_that_reopens_nothing_carries_no_consent(cast: Cast) -> None:
    case_id = await open_case(cast)
    services = {**SUPPORT, "purpose": "services"}
    refused = answered(await step(cast, "caseworker", case_id, "assessment", consents=[services]), 422)
    assert [one["pointer"] for one in refused["errors"]] == ["/consents"]


async def test_a_reopened_case_is_worked_on_again(cast: Cast) -> None:
    case_id = await reach(cast, SENSITIVE, "closed")
    answered(await step(cast, "caseworker", case_id, "assessment", reason="She came back."), 200)
    lead, path = cast.client("caseworker"), f"/cases/{case_id}"
    answered(await lead.post(f"{path}/notes", json={"text": "x"}), 201)
    opened = await read(cast, case_id)
    assert (opened["status"], opened["closed_at"], opened["closure"]) == ("assessment", None, None)
    asked = await step(cast, "caseworker", case_id, "closure_requested", closure=RETURNED)
    answered(asked, 200)
    answered(await step(cast, "supervisor", case_id, "closed"), 200)


# ---- sensitivity and category ----


async def edit(cast: Cast, case_id: str, **change: Any) -> httpx.Response:
    """One edit by the lead."""
    return await cast.client("caseworker").patch(f"/cases/{case_id}", json=change, headers={"If-Match": "*"})


async def test_sensitivity_never_falls(cast: Cast) -> None:
    case_id = await open_case(cast)
    answered(await edit(cast, case_id, sensitivity="standard"), 200)
    answered(await edit(cast, case_id, sensitivity="sensitive"), 200)
    assert answered(await edit(cast, case_id, sensitivity="standard"), 409)["code"] == "conflict"
    answered(await edit(cast, case_id, category="land_dispute"), 200)
    assert (await read(cast, case_id))["sensitivity"] == "sensitive"


CATEGORIES = [
    # from, to, status of the edit, sensitivity afterwards
    ("id_poor", "land_dispute", 200, "standard"),
    ("id_poor", "health_referral", 200, "sensitive"),
    ("disaster_relief", "domestic_violence", 200, "sensitive"),
    ("domestic_violence", "marital_issue", 200, "sensitive"),
    ("health_referral", "vital_documents", 409, "sensitive"),
    ("marital_issue", "social_assistance", 409, "sensitive"),
]


@pytest.mark.parametrize(("old", "new", "status", "sensitivity"), CATEGORIES)
async def test_a_category_changes_within_its_sensitivity_or_upwards(
    cast: Cast, old: str, new: str, status: int, sensitivity: str
) -> None:
    case_id = await open_case(cast, category=old)
    answered(await edit(cast, case_id, category=new), status)
    after = await read(cast, case_id)
    assert (after["category"], after["sensitivity"]) == (new if status == 200 else old, sensitivity)


async def test_a_change_upwards_makes_the_case_sensitive_whatever_else_the_edit_says(cast: Cast) -> None:
    case_id = await open_case(cast)
    await edit(cast, case_id, category=SENSITIVE, sensitivity="standard")
    after = await read(cast, case_id)
    assert (after["category"], after["sensitivity"]) in {(SENSITIVE, "sensitive"), ("id_poor", "standard")}


async def test_an_incident_makes_a_case_sensitive_in_the_same_call(cast: Cast) -> None:
    case_id = await open_case(cast)
    assert (await cast.client("colleague").get(f"/cases/{case_id}")).status_code == 200
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/incidents", json={}), 201)
    assert (await read(cast, case_id))["sensitivity"] == "sensitive"
    assert (await cast.client("colleague").get(f"/cases/{case_id}")).status_code == 404


async def test_a_case_of_a_standard_category_may_be_opened_as_sensitive(cast: Cast) -> None:
    case_id = await open_case(cast, sensitivity="sensitive")
    assert (await cast.client("colleague").get(f"/cases/{case_id}")).status_code == 404
