"""Help reaches the client through two people: who asks for it never decides, and no more is paid than was approved."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from app.calendar import day_of
from app.security import Runtime
from benchmarks.capture import recording
from tests.acts import SENSITIVE, assign, break_glass, exclude, newcomer, without_instance
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.helping import (
    GOODS,
    MONEY,
    PAID,
    STATES,
    ask,
    decide,
    end,
    in_state,
    ledger,
    lines,
    of_their_own,
    pay,
    paying,
    read,
    reverse,
)
from tests.pages import whole


async def test_money_is_asked_for_approved_by_another_person_and_paid_in_parts(cast: Cast) -> None:
    case_id = await open_case(cast)
    one = await ask(cast, case_id)
    assert (one["status"], one["awaiting_second"], one["requested_by"]["id"]) == (
        "submitted",
        False,
        cast.id("caseworker"),
    )
    assert (one["amount_minor"], one["currency"], one["purpose"]) == (100_000, "KHR", MONEY["purpose"])
    approved = await decide(cast, one, amount_minor=90_000)
    assert (approved["status"], approved["approved_minor"], approved["paid_minor"]) == ("approved", 90_000, 0)
    decision = approved["decision"]
    assert (decision["by"]["id"], decision["decision"], decision["amount_minor"], decision["reason"]) == (
        cast.id("supervisor"),
        "approve",
        90_000,
        "As the committee agreed.",
    )
    first = await pay(cast, one, currency="KHR")
    assert (first["amount_minor"], first["currency"], first["receipt_reference"]) == (40_000, "KHR", "R-17")
    assert (first["recorded_by"]["id"], first["reversal_of"], first["reversed_by"]) == (
        cast.id("caseworker"),
        None,
        None,
    )
    assert ((await read(cast, one))["status"], (await read(cast, one))["paid_minor"]) == ("part_paid", 40_000)
    await pay(cast, one, amount_minor=50_000, method="bank")
    assert ((await read(cast, one))["status"], (await read(cast, one))["paid_minor"]) == ("paid", 90_000)
    path = f"/assistance-requests/{one['id']}/disbursements"
    listed = await whole(cast.client("caseworker"), path)
    assert sorted(item["amount_minor"] for item in listed) == [40_000, 50_000]
    assert answered(await cast.client("caseworker").get(f"{path}/{first['id']}"), 200) == first


async def test_whoever_asks_never_decides_whatever_else_she_is(cast: Cast) -> None:
    case_id = await open_case(cast)
    own = await ask(cast, case_id, "supervisor")
    for decision in ("approve", "decline"):
        await decide(cast, own, "supervisor", 403, decision=decision)
    assert (await read(cast, own))["status"] == "submitted"
    assert (await decide(cast, own, "second_supervisor"))["status"] == "approved"
    # A reviewer of a sensitive case decides, and never what she asked for before she was one.
    sensitive = await open_case(cast, "supervisor", SENSITIVE)
    asked = await ask(cast, sensitive, "supervisor")
    await assign(cast, "supervisor", sensitive, "caseworker", "lead")
    await assign(cast, "supervisor", sensitive, "supervisor", "reviewer")
    await decide(cast, asked, "supervisor", 403)
    await assign(cast, "second_supervisor", sensitive, "second_supervisor", "reviewer")
    assert (await decide(cast, asked, "second_supervisor"))["status"] == "approved"


async def test_only_supervisors_decide_and_a_lead_who_is_one_does_not_on_a_sensitive_case(cast: Cast) -> None:
    one = await ask(cast, await open_case(cast))
    await decide(cast, one, "colleague", 403)
    case_id = await open_case(cast, "supervisor", SENSITIVE)
    await assign(cast, "supervisor", case_id, "caseworker", "caseworker")
    await decide(cast, await ask(cast, case_id, "caseworker"), "supervisor", 403)


async def test_above_the_ceiling_two_people_approve_and_neither_is_who_asked(cast: Cast) -> None:
    case_id = await open_case(cast)
    one = await ask(cast, case_id, amount_minor=800_001)
    first = await decide(cast, one)
    assert (first["status"], first["awaiting_second"], first["approved_minor"], first["decision"]) == (
        "submitted",
        True,
        None,
        None,
    )
    assert (first["first_approval"]["by"]["id"], first["first_approval"]["amount_minor"]) == (
        cast.id("supervisor"),
        800_001,
    )
    await pay(cast, one, status=409)
    await decide(cast, one, "supervisor", 403)
    await decide(cast, one, "supervisor", 403, decision="decline")
    await decide(cast, one, "second_supervisor", 422, amount_minor=800_002)
    second = await decide(cast, one, "second_supervisor", amount_minor=800_001, reason="Seen too.")
    assert (second["status"], second["awaiting_second"], second["approved_minor"]) == ("approved", False, 800_001)
    assert (second["decision"]["by"]["id"], second["decision"]["reason"]) == (
        cast.id("second_supervisor"),
        "Seen too.",
    )
    assert second["first_approval"]["reason"] == "As the committee agreed."


async def test_the_second_never_approves_more_than_the_first_and_may_decline(cast: Cast) -> None:
    case_id = await open_case(cast)
    one = await ask(cast, case_id, amount_minor=2_000_000)
    await decide(cast, one, amount_minor=900_000)
    await decide(cast, one, "second_supervisor", 422, amount_minor=900_001)
    assert (await decide(cast, one, "second_supervisor"))["approved_minor"] == 900_000
    other = await ask(cast, case_id, amount_minor=2_000_000)
    await decide(cast, other)
    declined = await decide(cast, other, "second_supervisor", decision="decline")
    assert (declined["status"], declined["approved_minor"], declined["decision"]["decision"]) == (
        "declined",
        None,
        "decline",
    )


@pytest.mark.parametrize(("currency", "ceiling"), [("KHR", 800_000), ("USD", 20_000)])
async def test_one_person_approves_up_to_the_ceiling_of_the_currency(cast: Cast, currency: str, ceiling: int) -> None:
    case_id = await open_case(cast)
    at_it = await ask(cast, case_id, amount_minor=ceiling, currency=currency)
    assert (await decide(cast, at_it))["status"] == "approved"
    above = await ask(cast, case_id, amount_minor=ceiling + 1, currency=currency)
    assert (await decide(cast, above))["awaiting_second"] is True
    less = await ask(cast, case_id, amount_minor=ceiling + 1, currency=currency)
    assert (await decide(cast, less, amount_minor=ceiling))["status"] == "approved"


async def test_the_admin_sets_the_ceiling_of_an_organisation_for_what_is_decided_from_then_on(cast: Cast) -> None:
    team, elsewhere = await of_their_own(cast), await of_their_own(cast)
    case_id = await open_case(cast, team["caseworker"])
    one = await ask(cast, case_id, team["caseworker"], amount_minor=11, currency="USD")
    path = f"/organisations/{team['organisation']}"

    async def put(ceiling: Any, status: int = 200) -> Any:
        change = {"assistance_ceiling_usd_minor": ceiling}
        return answered(await cast.client("admin").patch(path, json=change, headers={"If-Match": "*"}), status)

    assert (await put(10))["assistance_ceiling_usd_minor"] == 10
    assert (await decide(cast, one, team["supervisor"]))["awaiting_second"] is True
    other = answered(await cast.client("admin").get(f"/organisations/{elsewhere['organisation']}"), 200)
    assert (other["assistance_ceiling_usd_minor"], other["assistance_ceiling_khr_minor"]) == (20_000, 800_000)
    await put(0)
    least = await ask(cast, case_id, team["caseworker"], amount_minor=1, currency="USD")
    assert (await decide(cast, least, team["supervisor"]))["awaiting_second"] is True
    for wrong in (-1, 1.5, "10", None, True, 10**13):
        await put(wrong, 422)


@pytest.mark.parametrize("state", STATES)
async def test_a_request_goes_only_where_its_state_lets_it(cast: Cast, state: str) -> None:
    legal = {
        "submitted": {"decision", "withdraw"},
        "approved": {"pay", "cancel"},
        "part_paid": {"pay", "settle"},
    }.get(state, set())
    for step in ("decision", "withdraw", "pay", "cancel", "settle"):
        one = await in_state(cast, await open_case(cast), state)
        assert one["status"] == state
        before = await read(cast, one)
        if step == "decision":
            reached = await decide(cast, one, status=200 if step in legal else 409)
        elif step == "pay":
            reached = await pay(cast, one, status=201 if step in legal else 409, amount_minor=1)
        else:
            who = "supervisor" if step == "settle" else "caseworker"
            reached = await end(cast, one, step, who, 200 if step in legal else 409)
        if step not in legal:
            assert reached["code"] == "illegal_transition"
            assert await read(cast, one) == before


async def test_an_illegal_step_tells_which_are_legal(cast: Cast) -> None:
    case_id = await open_case(cast)
    allowed = {
        "submitted": ["approved", "declined", "withdrawn"],
        "approved": ["cancelled", "paid", "part_paid"],
        "declined": [],
    }
    for state, steps in allowed.items():
        one = await in_state(cast, case_id, state)
        refused = await end(cast, one, "cancel" if state == "submitted" else "withdraw", status=409)
        assert refused["allowed"] == steps


async def test_who_asked_or_the_lead_withdraws_and_nobody_else(cast: Cast) -> None:
    case_id = await open_case(cast)
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    one = await ask(cast, case_id)
    await end(cast, one, "withdraw", "colleague", 403)
    await end(cast, one, "withdraw", "supervisor", 403)
    own = await ask(cast, case_id, "colleague")
    ended = await end(cast, own, "withdraw", "colleague")
    assert (ended["status"], ended["ended_by"]["id"], ended["end_reason"]) == (
        "withdrawn",
        cast.id("colleague"),
        "No longer needed.",
    )
    by_another = await ask(cast, case_id, "colleague")
    assert (await end(cast, by_another, "withdraw", "caseworker"))["status"] == "withdrawn"


async def test_no_more_than_was_asked_for_is_approved_and_a_decline_has_no_amount(cast: Cast) -> None:
    one = await ask(cast, await open_case(cast))
    refused = await decide(cast, one, status=422, amount_minor=100_001)
    assert [error["pointer"] for error in refused["errors"]] == ["/amount_minor"]
    await decide(cast, one, status=422, decision="decline", amount_minor=1)
    await decide(cast, one, status=422, reason=None)
    assert (await read(cast, one))["status"] == "submitted"
    assert (await decide(cast, one))["approved_minor"] == 100_000


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"amount_minor": 0}, "/amount_minor"),
        ({"amount_minor": -5}, "/amount_minor"),
        ({"amount_minor": 10.5}, "/amount_minor"),
        ({"amount_minor": "100"}, "/amount_minor"),
        ({"amount_minor": True}, "/amount_minor"),
        ({"amount_minor": 1_000_000_000_001}, "/amount_minor"),
        ({"amount_minor": 2**63 - 1}, "/amount_minor"),
        ({"currency": "THB"}, "/currency"),
        ({"currency": None}, "/currency"),
        ({"amount_minor": None}, "/amount_minor"),
        ({"amount_minor": None, "currency": None}, "/amount_minor"),
        ({"kind": "social", "amount_minor": None, "currency": None}, "/item"),
        ({"purpose": "  "}, "/purpose"),
        ({"kind": "loan"}, "/kind"),
    ],
)
async def test_a_request_that_is_not_whole_is_refused_where_it_is_wrong(
    cast: Cast, change: dict[str, Any], pointer: str
) -> None:
    refused = await ask(cast, await open_case(cast), status=422, **change)
    assert [error["pointer"] for error in refused["errors"]] == [pointer]


async def test_help_in_kind_without_an_amount_is_delivered_once(cast: Cast) -> None:
    case_id = await open_case(cast)
    path = f"/cases/{case_id}/assistance-requests"
    one = answered(await cast.client("caseworker").post(path, json=GOODS), 201)
    assert (one["item"], one["amount_minor"], one["currency"]) == (GOODS["item"], None, None)
    await decide(cast, one, status=422, amount_minor=5)
    assert (await decide(cast, one))["approved_minor"] is None
    await pay(cast, one, status=422)
    delivery: dict[str, Any] = {"amount_minor": None, "method": "in_kind"}
    await pay(cast, one, status=422, currency="KHR", **delivery)
    given = await pay(cast, one, **delivery)
    assert (given["amount_minor"], given["currency"], (await read(cast, one))["status"]) == (None, None, "paid")
    await pay(cast, one, status=409, **delivery)
    await reverse(cast, one, given)
    assert (await read(cast, one))["status"] == "approved"
    await pay(cast, one, **delivery)
    assert (await read(cast, one))["status"] == "paid"


async def test_no_payment_is_above_what_is_left_of_the_approval_or_in_another_currency(cast: Cast) -> None:
    one = await decide(cast, await ask(cast, await open_case(cast)), amount_minor=50_000)
    assert (await pay(cast, one, status=409, amount_minor=50_001))["code"] == "exceeds_approval"
    await pay(cast, one)
    assert (await pay(cast, one, status=409, amount_minor=10_001))["code"] == "exceeds_approval"
    other = await pay(cast, one, status=422, amount_minor=1, currency="USD")
    assert [error["pointer"] for error in other["errors"]] == ["/currency"]
    for wrong in (0, -1, 1.5, "1", True, 10**13):
        refused = await pay(cast, one, status=422, amount_minor=wrong)
        assert [error["pointer"] for error in refused["errors"]] == ["/amount_minor"]
    missing = await pay(cast, one, status=422, amount_minor=None)
    assert [error["pointer"] for error in missing["errors"]] == ["/amount_minor"]
    assert (await read(cast, one))["paid_minor"] == 40_000


async def test_a_payment_is_neither_to_come_nor_before_its_approval(cast: Cast, clock: FrozenClock) -> None:
    one = await ask(cast, await open_case(cast))
    clock.advance(days=3)
    await decide(cast, one)
    approved_on = day_of(clock())
    clock.advance(days=3)
    for day in (day_of(clock()) + timedelta(days=1), approved_on - timedelta(days=1)):
        refused = await pay(cast, one, status=422, paid_on=f"{day}")
        assert [error["pointer"] for error in refused["errors"]] == ["/paid_on"]
    assert (await pay(cast, one, paid_on=f"{approved_on}"))["paid_on"] == f"{approved_on}"


async def test_a_reversal_is_a_row_of_its_own_that_frees_the_amount_and_moves_the_request_back(
    cast: Cast, clock: FrozenClock
) -> None:
    one = await decide(cast, await ask(cast, await open_case(cast)))
    first, second = await pay(cast, one), await pay(cast, one, amount_minor=60_000)
    clock.advance(days=2)
    back = await reverse(cast, one, second)
    assert (back["amount_minor"], back["reversal_of"], back["paid_on"], back["reason"], back["receipt_reference"]) == (
        -60_000,
        second["id"],
        f"{day_of(clock())}",
        "Counted twice.",
        None,
    )
    assert ((await read(cast, one))["status"], (await read(cast, one))["paid_minor"]) == ("part_paid", 40_000)
    path = f"/assistance-requests/{one['id']}/disbursements/{second['id']}"
    assert answered(await cast.client("caseworker").get(path), 200)["reversed_by"] == back["id"]
    await reverse(cast, one, second, status=409)
    await reverse(cast, one, back, status=409)
    await reverse(cast, one, first)
    assert ((await read(cast, one))["status"], (await read(cast, one))["paid_minor"]) == ("approved", 0)
    await pay(cast, one, amount_minor=100_000)
    assert (await read(cast, one))["status"] == "paid"


async def test_what_was_taken_back_whole_may_be_cancelled_and_is_then_paid_no_more(cast: Cast) -> None:
    one = await decide(cast, await ask(cast, await open_case(cast)))
    await reverse(cast, one, await pay(cast, one))
    assert (await end(cast, one, "cancel"))["status"] == "cancelled"
    await pay(cast, one, status=409)


async def test_the_rest_that_nobody_wants_is_given_up_by_who_decides_and_the_case_can_close(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    one = await in_state(cast, case_id, "part_paid")
    own = await decide(cast, await ask(cast, case_id, "supervisor"), "second_supervisor")
    await pay(cast, own)
    for who, which in (("caseworker", one), ("colleague", one), ("supervisor", own)):
        await end(cast, which, "settle", who, 403)
    month = f"{cast.clock():%Y-%m}"
    before = await ledger(cast, "supervisor", month, limit=200)
    for which, who in ((one, "supervisor"), (own, "second_supervisor")):
        settled = await end(cast, which, "settle", who)
        assert (settled["status"], settled["approved_minor"], settled["paid_minor"]) == ("paid", 100_000, 40_000)
        assert (settled["ended_by"]["id"], settled["end_reason"]) == (cast.id(who), "No longer needed.")
        assert settled["ended_at"] is not None
        refused = await pay(cast, which, status=409, amount_minor=1)
        assert (refused["code"], refused["allowed"]) == ("illegal_transition", [])
        await end(cast, which, "settle", who, 409)
    assert await ledger(cast, "supervisor", month, limit=200) == before
    told = "select data from events where subject_id = %s and type = 'assistance.settled'"
    assert superuser.execute(told, [one["id"]]).fetchall() == [({"kind": "financial"},)]
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    superuser.execute("update cases set status = 'follow_up' where id = %s", [case_id])
    closure = {"reason": "needs_met", "informed_can_return": True}
    answered(await step(cast, "caseworker", case_id, "closure_requested", reason="Done.", closure=closure), 200)
    answered(await step(cast, "supervisor", case_id, "closed"), 200)


async def test_what_was_settled_is_open_again_when_a_payment_of_it_is_taken_back(cast: Cast) -> None:
    one = await decide(cast, await ask(cast, await open_case(cast)))
    first, second = await pay(cast, one), await pay(cast, one, amount_minor=10_000)
    settled = await end(cast, one, "settle", "supervisor")
    await reverse(cast, one, second)
    now = await read(cast, one)
    assert (now["status"], now["paid_minor"], now["version"]) == ("part_paid", 40_000, settled["version"] + 1)
    assert (now["ended_at"], now["ended_by"], now["end_reason"]) == (None, None, None)
    await end(cast, one, "settle", "supervisor")
    await reverse(cast, one, first)
    assert (await read(cast, one))["status"] == "approved"
    await pay(cast, one, amount_minor=100_000)


async def test_a_payment_of_one_request_is_not_found_below_another(cast: Cast) -> None:
    case_id = await open_case(cast)
    one, other = await decide(cast, await ask(cast, case_id)), await decide(cast, await ask(cast, case_id))
    paid = await pay(cast, one)
    await reverse(cast, other, paid, status=404)
    path = f"/assistance-requests/{other['id']}/disbursements/{paid['id']}"
    answered(await cast.client("caseworker").get(path), 404)
    elsewhere = await open_case(cast)
    answered(await cast.client("caseworker").get(f"/cases/{elsewhere}/assistance-requests/{one['id']}"), 404)


async def test_of_fifty_payments_at_once_no_more_than_the_approval_goes_out(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    one = await decide(cast, await ask(cast, await open_case(cast)))

    async def again_while_busy() -> httpx.Response:
        while (answer := await paying(cast, one, amount_minor=3_000)).status_code == 503:
            pass  # a busy machine says so, and the payment is sent again
        return answer

    answers = await asyncio.gather(*(again_while_busy() for _ in range(50)))
    assert Counter(answer.status_code for answer in answers) == {201: 33, 409: 17}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"exceeds_approval"}
    found = superuser.execute(
        "select count(*), sum(amount_minor) from assistance_disbursements where request_id = %s", [one["id"]]
    ).fetchone()
    assert found == (33, 99_000)
    now = await read(cast, one)
    assert (now["status"], now["paid_minor"]) == ("part_paid", 99_000)


async def test_of_many_decisions_and_of_many_reversals_at_once_one_counts(cast: Cast) -> None:
    one = await ask(cast, await open_case(cast))
    path = f"/assistance-requests/{one['id']}"
    said = {"decision": "approve", "reason": "Yes."}
    who = ["supervisor", "second_supervisor"] * 4
    answers = await asyncio.gather(*(cast.client(name).post(f"{path}/decision", json=said) for name in who))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    paid = await pay(cast, one)
    back = f"{path}/disbursements/{paid['id']}/reverse"
    answers = await asyncio.gather(*(cast.client("caseworker").post(back, json={"reason": "Twice."}) for _ in range(8)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}
    assert (await read(cast, one))["paid_minor"] == 0


async def test_a_payment_that_is_sent_again_with_its_key_is_paid_once(cast: Cast) -> None:
    one = await decide(cast, await ask(cast, await open_case(cast)))
    path = f"/assistance-requests/{one['id']}/disbursements"
    body, headers = {**PAID, "paid_on": f"{day_of(cast.clock())}"}, {"Idempotency-Key": f"pay {one['id']}"}
    first, again = [await cast.client("caseworker").post(path, json=body, headers=headers) for _ in range(2)]
    assert answered(first, 201) == answered(again, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await read(cast, one))["paid_minor"] == 40_000


async def test_a_transition_honours_the_version_that_was_read(cast: Cast) -> None:
    one = await ask(cast, await open_case(cast))
    said = {"decision": "approve", "reason": "Yes."}
    for tag, status in (('"7"', 412), ('"1"', 200)):
        path = f"/assistance-requests/{one['id']}/decision"
        answered(await cast.client("supervisor").post(path, json=said, headers={"If-Match": tag}), status)
    stale = await cast.client("caseworker").post(
        f"/assistance-requests/{one['id']}/cancel", json={"reason": "No."}, headers={"If-Match": '"1"'}
    )
    assert answered(stale, 412)
    seen = await cast.client("caseworker").get(f"/assistance-requests/{one['id']}")
    assert seen.headers["ETag"] == '"2"' == stale.headers["ETag"]


# ---- closing ----


async def step(cast: Cast, who: str, case_id: str, to: str, **more: Any) -> httpx.Response:
    return await cast.client(who).post(f"/cases/{case_id}/transitions", json={"to": to, **more})


@pytest.mark.parametrize("state", STATES)
async def test_a_case_does_not_close_over_help_that_is_undecided_or_unpaid(
    cast: Cast, superuser: psycopg.Connection[Any], state: str
) -> None:
    case_id = await open_case(cast)
    one = await in_state(cast, case_id, state)
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    superuser.execute("update cases set status = 'follow_up' where id = %s", [case_id])
    closure = {"reason": "needs_met", "informed_can_return": True}
    answered(await step(cast, "caseworker", case_id, "closure_requested", reason="Done.", closure=closure), 200)
    blocked_by = {
        "submitted": ["undecided_assistance"],
        "approved": ["unpaid_assistance"],
        "part_paid": ["unpaid_assistance"],
    }.get(state)
    closing = answered(await step(cast, "supervisor", case_id, "closed"), 409 if blocked_by else 200)
    if blocked_by:
        assert (closing["code"], closing["blocked_by"]) == ("closure_blocked", blocked_by)
    assert (await read(cast, one))["status"] == state


async def test_a_closed_case_takes_no_request_no_decision_and_no_payment(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    waiting, approved = await ask(cast, case_id), await decide(cast, await ask(cast, case_id))
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    superuser.execute("update cases set status = 'closed' where id = %s", [case_id])
    for refused in (
        await ask(cast, case_id, status=409),
        await decide(cast, waiting, status=409),
        await end(cast, waiting, "withdraw", status=409),
        await end(cast, approved, "cancel", status=409),
        await pay(cast, approved, status=409),
    ):
        assert refused["code"] == "case_closed"
    assert (await read(cast, waiting))["status"] == "submitted"


async def test_a_payment_that_was_none_is_taken_back_on_a_closed_case_too_and_the_ledger_becomes_right(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    request = await in_state(cast, case_id, "paid")
    (paid,) = await whole(cast.client("caseworker"), f"/assistance-requests/{request['id']}/disbursements")
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    superuser.execute("update cases set status = 'closed' where id = %s", [case_id])
    await reverse(cast, request, paid, "colleague", 403)
    await reverse(cast, request, paid, "stranger", 404)
    back = await reverse(cast, request, paid)
    assert (back["amount_minor"], back["reversal_of"]) == (-100_000, paid["id"])
    found = await lines(cast, "supervisor", f"{day_of(cast.clock()):%Y-%m}")
    mine = [found[one["ledger_reference"]]["amount_minor"] for one in (paid, back)]
    assert mine == [100_000, -100_000]
    after = await read(cast, request)
    assert (after["status"], after["paid_minor"]) == ("approved", 0)
    # Nothing more: it is not paid anew, nor taken back twice.
    assert (await pay(cast, request, status=409))["code"] == "case_closed"
    again = await reverse(cast, request, paid, status=409)
    assert (again["code"], again["cause"]) == ("conflict", "taken_back")


async def test_closing_an_intake_takes_back_what_waits(cast: Cast) -> None:
    case_id = await open_case(cast)
    waiting, approved, paid = [await in_state(cast, case_id, state) for state in ("submitted", "approved", "paid")]
    closure = {"reason": "declined", "informed_can_return": True}
    answered(await step(cast, "caseworker", case_id, "closed", closure=closure), 200)
    states = [(await read(cast, one))["status"] for one in (waiting, approved, paid)]
    assert states == ["withdrawn", "cancelled", "paid"]


async def test_an_intake_is_not_closed_over_help_that_was_paid_in_part(cast: Cast) -> None:
    case_id = await open_case(cast)
    one = await in_state(cast, case_id, "part_paid")
    waiting = await in_state(cast, case_id, "submitted")
    closure = {"reason": "moved_away", "informed_can_return": True}
    refused = answered(await step(cast, "caseworker", case_id, "closed", closure=closure), 409)
    assert (refused["code"], refused["blocked_by"]) == ("closure_blocked", ["unpaid_assistance"])
    states = [(await read(cast, each))["status"] for each in (one, waiting)]
    assert states == ["part_paid", "submitted"], "nothing is taken back by a closing that is refused"
    await end(cast, one, "settle", "supervisor")
    answered(await step(cast, "caseworker", case_id, "closed", closure=closure), 200)
    assert [(await read(cast, each))["status"] for each in (one, waiting)] == ["paid", "withdrawn"]


async def test_a_death_at_intake_is_recorded_at_once_and_what_was_paid_in_part_is_settled_with_it(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    one = await in_state(cast, case_id, "part_paid")
    answered(await step(cast, "caseworker", case_id, "closed", closure={"reason": "died"}), 200)
    settled = await read(cast, one)
    assert (settled["status"], settled["approved_minor"], settled["paid_minor"]) == ("paid", 100_000, 40_000)
    assert settled["ended_by"]["id"] == cast.id("caseworker")
    told = "select data from events where subject_id = %s and type = 'assistance.settled'"
    assert superuser.execute(told, [one["id"]]).fetchall() == [({"kind": "financial"},)]


# ---- who sees what ----


async def test_the_requests_of_every_case_are_those_of_the_cases_that_one_sees(cast: Cast) -> None:
    who = await newcomer(cast, cast.users["caseworker"].role, "ngo")
    standard, sensitive, own = await open_case(cast), await open_case(cast, category=SENSITIVE), await open_case(cast)
    shown, hidden, gone = await ask(cast, standard), await ask(cast, sensitive), await ask(cast, own)
    await exclude(cast, "caseworker", own, who)
    for given, waits in (({}, True), ({"status": "submitted"}, True), ({"status": "paid"}, False)):
        listed = [one["id"] for one in await whole(cast.client(who), "/assistance-requests", **given, limit=7)]
        assert (shown["id"] in listed) is waits
        assert not {hidden["id"], gone["id"]} & set(listed)
        assert len(listed) == len(set(listed))
    found = {one["id"]: one for one in await whole(cast.client("caseworker"), "/assistance-requests", limit=200)}
    assert found[hidden["id"]] == await read(cast, hidden)
    for one in (hidden, gone):
        await read(cast, one, who, 404)
        path = f"/assistance-requests/{one['id']}/disbursements"
        answered(await cast.client(who).get(path), 404)
    strangers = [one["id"] for one in await whole(cast.client("stranger"), "/assistance-requests", limit=200)]
    assert not {shown["id"], hidden["id"], gone["id"]} & set(strangers)


async def test_a_hidden_request_answers_every_operation_as_an_unknown_one_does(cast: Cast, app: Any) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await assign(cast, "supervisor", case_id, "second_supervisor", "reviewer")
    one = await decide(cast, await ask(cast, case_id), "second_supervisor")
    paid = await pay(cast, one)
    asked = 0
    for path, operations in app.openapi()["paths"].items():
        if "/assistance-requests/{" not in path or path.startswith("/api/v1/cases/"):
            continue
        for method in operations:
            for who in ("stranger", "colleague", "supervisor", "other_supervisor"):
                answers = set()
                for request_id in (one["id"], str(uuid4()), "no-id"):
                    ids = {"assistance_request_id": request_id, "disbursement_id": paid["id"]}
                    address = path.removeprefix("/api/v1").format_map(ids)
                    response = await cast.client(who).request(method, address, json={})
                    answers.add(str(without_instance(response)))
                    asked += 1
                assert len(answers) == 1, (method, path, who)
    assert asked >= 90


async def test_the_list_is_newest_first_and_says_in_the_trail_what_it_showed(
    cast: Cast, clock: FrozenClock, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    asked = []
    for _ in range(3):
        clock.advance(seconds=1)
        asked.append((await ask(cast, case_id))["id"])
    page = answered(await cast.client("caseworker").get("/assistance-requests", params={"limit": 3}), 200)
    assert [one["id"] for one in page["items"]] == asked[::-1]
    row = superuser.execute(
        "select case_ids, via from audit_events where action = 'list_assistance' and actor_id = %s"
        " order by at desc, seq desc limit 1",
        [cast.id("caseworker")],
    ).fetchone()
    assert row is not None
    assert ([str(one) for one in row[0]], row[1]) == ([case_id], ["lead"])


async def test_a_liaison_is_told_nothing_of_help(cast: Cast) -> None:
    one = await ask(cast, await open_case(cast))
    for path in ("/assistance-requests", f"/assistance-requests/{one['id']}", "/assistance-ledger?month=2026-03"):
        answered(await cast.client("liaison").get(path), 403)


async def test_who_broke_the_glass_reads_and_pays_nothing(cast: Cast, superuser: psycopg.Connection[Any]) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    one = await ask(cast, case_id)
    await break_glass(cast, superuser, case_id, "second_supervisor")
    assert (await read(cast, one, "second_supervisor"))["id"] == one["id"]
    await decide(cast, one, "second_supervisor", 403)
    await ask(cast, case_id, "second_supervisor", 403)
    await pay(cast, one, "second_supervisor", 403)


async def test_what_is_private_of_help_stands_nowhere_in_clear(cast: Cast, superuser: psycopg.Connection[Any]) -> None:
    one = await ask(cast, await open_case(cast), item="Marker Kolab", purpose="Marker Kolab")
    await decide(cast, one, reason="Marker Kolab")
    await pay(cast, one, receipt_reference="Marker Kolab")
    for table in ("assistance_requests", "assistance_disbursements", "events", "audit_events"):
        found = superuser.execute(f"select count(*) from {table} t where t::text like '%%Kolab%%'").fetchone()
        assert found == (0,), table


async def test_a_list_of_many_requests_takes_as_many_statements_as_one_of_few(cast: Cast, runtime: Runtime) -> None:
    case_ids = [await open_case(cast) for _ in range(4)]
    for case_id in case_ids:
        await decide(cast, await ask(cast, case_id))
    counted: dict[int, list[int]] = {1: [], 4: []}
    for limit, found in counted.items():
        for _ in range(3):  # the process looks for imports that wait on the same engine now and then
            with recording(runtime.database.engine) as statements:
                page = await cast.client("caseworker").get("/assistance-requests", params={"limit": limit})
            assert len(answered(page, 200)["items"]) == limit
            found.append(len(statements))
    assert [min(found) for found in counted.values()] == [3, 3]  # who asks, the page, the trail
