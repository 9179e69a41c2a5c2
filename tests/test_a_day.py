"""A day from the first home visit to a safe closure, through the API alone; and a day without network."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from app.calendar import day_of
from app.models.codes.people import Role
from tests.acts import SENSITIVE, newcomer
from tests.cases import intake
from tests.cast import COMMUNE, Cast, FrozenClock, answered
from tests.plans import EDIT, FIRST, PLAN, da5
from tests.test_sync import Device

MOST_CALLS = 25


class Calls:
    """What is asked, counted: a front end on a weak network waits for each."""

    def __init__(self, cast: Cast, who: str) -> None:
        self.cast, self.who, self.counted = cast, who, 0

    async def __call__(self, method: str, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        self.counted += 1
        client = self.cast.client(more.pop("who", self.who))
        return answered(await client.request(method, path, json=body, **more), status)


async def test_a_day_from_the_first_home_visit_to_a_safe_closure_takes_twenty_five_calls(
    cast: Cast, clock: FrozenClock
) -> None:
    # Somebody whose first day it is: what earlier tests left to do to others does not push hers off her worklist.
    call = Calls(cast, await newcomer(cast, Role.CASEWORKER, "ngo"))
    now, day = clock().isoformat(), day_of(clock()).isoformat()
    opened = await call("POST", "/cases", first_visit(cast, clock), 201)
    case = f"/cases/{opened['id']}"
    await call("POST", f"{case}/transitions", {"to": "assessment"})
    assessed = await call("POST", f"{case}/assessments", da5(cast, "choked"), 201)
    assert assessed["level"] == "high"
    await call("PUT", f"{case}/safety-plan", PLAN, 201, headers=FIRST)
    await call("POST", f"{case}/transitions", {"to": "planning"})
    await call("POST", f"{case}/transitions", {"to": "implementation"})

    today = (await call("GET", "/worklist"))["items"]
    assert (today[0]["kind"], today[0]["case_id"]) == ("care_window", opened["id"])
    assert {"care_window", "action"} <= {one["kind"] for one in today if one["case_id"] == opened["id"]}
    (health,) = [one for one in today if (one["kind"], one["case_id"]) == ("action", opened["id"])]
    went = {"note": "Went with her to the health centre."}
    done = await call("POST", f"{case}/actions/{health['subject_id']}/complete", went)
    assert (done["urgent"], done["prompt"]) == (True, "urgent_health")

    # The visit: the date that the opening has planned, made one she agreed to, and recorded.
    contacts = (await call("GET", f"{case}/follow-ups"))["items"]
    planned = min((one for one in contacts if one["state"] == "planned"), key=lambda one: str(one["due_at"]))
    recorded = await call(
        "POST", f"{case}/follow-ups/{planned['id']}/record", {"happened_at": now, "outcome": "met_safe"}
    )
    await call("POST", f"{case}/notes", {"text": "She is with her aunt, and calm."}, 201)

    referral = await call("POST", f"{case}/referrals", to_the_clinic(cast), 201)
    for step in ({"to": "accepted"}, {"to": "completed", "outcome_code": "attended"}):
        await call("POST", f"/referrals/{referral['id']}/transitions", step, who="partner")

    money = {"kind": "financial", "amount_minor": 100_000, "currency": "KHR", "purpose": "Transport."}
    asked = await call("POST", f"{case}/assistance-requests", money, 201)
    reviewer = {"user_id": cast.id("supervisor"), "role": "reviewer", "reason": "Money and closing."}
    await call("POST", f"{case}/assignments", reviewer, 201, who="supervisor")
    request = f"/assistance-requests/{asked['id']}"
    await call("POST", f"{request}/decision", {"decision": "approve", "reason": "Needed."}, who="supervisor")
    payment = {"amount_minor": 100_000, "method": "cash", "paid_on": day, "receipt_reference": "R-1"}
    await call("POST", f"{request}/disbursements", payment, 201)

    await call("PUT", f"{case}/safety-plan", {**PLAN, "reviewed_on": day}, headers=EDIT)
    asks = {"reason": "needs_met", "outcome": "improved", "informed_can_return": True, "summary": "Safe."}
    await call("POST", f"{case}/transitions", {"to": "closure_requested", "closure": asks})
    (rise,) = (await call("GET", f"{case}/risk-history", who="supervisor"))["items"]
    await call("POST", f"{case}/risk-history/{rise['id']}/review", {"note": "Seen."}, who="supervisor")
    open_ones = [one for one in (await call("GET", f"{case}/follow-ups"))["items"] if one["state"] == "planned"]
    assert {one["id"] for one in open_ones} >= {recorded["next"]["id"]}
    for one in open_ones:
        await call("DELETE", f"{case}/follow-ups/{one['id']}", None, 204, headers=EDIT)
    closed = await call("POST", f"{case}/transitions", {"to": "closed"}, who="supervisor")
    assert closed["status"] == "closed"
    assert call.counted <= MOST_CALLS, call.counted


async def test_the_same_day_without_network_arrives_whole_beside_a_colleagues_edit(
    cast: Cast, clock: FrozenClock
) -> None:
    who = await newcomer(cast, Role.CASEWORKER, "ngo")
    device, client = Device(cast, who), cast.client(who)
    known = answered(await client.post("/cases", json=intake("id_poor")), 201)["id"]
    await device.pull()
    seen = device.held["case", known]["version"]
    own, visit, step, words = (str(uuid4()) for _ in range(4))
    now = clock().isoformat()
    elsewhere = {"json": {"summary": "The office has called."}, "headers": {"If-Match": f'"{seen}"'}}
    answered(await cast.client("supervisor").patch(f"/cases/{known}", **elsewhere), 200)  # type: ignore[arg-type]
    written = [
        item("create", "case", own, intake("id_poor")),
        item("transition", "case", own, {"to": "implementation"}),
        item("create", "follow_up", visit, {"case_id": own, "due_at": now, "channel": "visit"}),
        item("transition", "follow_up", visit, {"case_id": own, "happened_at": now, "outcome": "met_safe"}),
        item("create", "action", step, {"case_id": own, "title": "Card", "need": "documents", "due_on": now[:10]}),
        item("create", "note", words, {"case_id": known, "text": "She was not at home; her sister was."}),
        item("update", "case", known, {"summary": "Her sister has her papers."}, if_match=f'"{seen}"'),
    ]
    results = await device.push(*written)
    assert [one["status"] for one in results] == [201, 200, 201, 200, 201, 201, 412]
    stands = results[-1]["current"]
    assert stands["summary"] == "The office has called."
    both = {"summary": f"{stands['summary']} Her sister has her papers."}
    resolved = item("update", "case", known, both, if_match=f'"{stands["version"]}"')
    assert [one["status"] for one in await device.push(*written[:-1], resolved)] == [201, 200, 201, 200, 201, 201, 200]
    await device.pull()
    assert {("case", own), ("follow_up", visit), ("action", step), ("note", words)} <= device.held.keys()
    assert device.held["case", own]["status"] == "implementation"
    assert device.held["follow_up", visit]["state"] == "recorded"
    assert device.held["case", known]["summary"] == both["summary"]


def to_the_clinic(cast: Cast) -> dict[str, Any]:
    """What is asked of the health centre, with what she agreed to tell it."""
    told = {"shared_fields": ["name", "age"], "reason": "Care after violence.", "priority": "stat"}
    return {"organisation_id": cast.organisation("clinic"), "service_type": "clinical_management_of_rape", **told}


def first_visit(cast: Cast, clock: FrozenClock) -> dict[str, Any]:
    """What a first home visit after violence tells, in one call."""
    agreed = {"form": "verbal", "obtained_on": day_of(clock()).isoformat()}
    to_clinic = {"purpose": "referral", "organisation_id": cast.organisation("clinic"), **agreed}
    return {
        **intake(SENSITIVE),
        "consents": [
            {"purpose": "services", **agreed},
            {**to_clinic, "shared_fields": ["name", "age"]},
        ],
        "commune_code": COMMUNE,
        "client": {"family_name_en": "Test", "given_name_en": "Client", "sex": "female", "birth_date": "1990-05-01"},
        "safe_contact": {"channels": ["visit", "phone"], "last_confirmed_on": f"{clock():%Y-%m-%d}"},
        "incident": {
            "occurred_at": (clock() - timedelta(hours=20)).isoformat(),
            "precision": "exact",
            "answers": {"penetration": True, "physical": True},
        },
    }


def item(op: str, kind: str, own_id: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One change with a key of its own, which it keeps when it is sent again."""
    return {"op": op, "type": kind, "id": own_id, "data": data, "idempotency_key": uuid4().hex, **more}
