"""The month's ledger is the sum of its lines and leads to nobody; below the service the database counts too."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from tests.acts import SENSITIVE, assign, exclude
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.helping import GOODS, PAYMENT, ask, decide, in_state, lines, month_of, of_their_own, pay, reverse


@pytest.fixture
def runtime_connection(database: DatabaseUrls) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database.runtime) as connection:
        yield connection


async def test_the_ledger_of_a_month_has_a_line_for_each_payment_and_reversal_and_nothing_else(
    cast: Cast, clock: FrozenClock
) -> None:
    team = await of_their_own(cast)
    worker = team["caseworker"]
    case_id = await open_case(cast, worker, category=SENSITIVE)
    await assign(cast, team["second"], case_id, team["second"], "reviewer")
    riel, dollars = await ask(cast, case_id, worker), await ask(cast, case_id, worker, currency="USD", amount_minor=500)
    path = f"/cases/{case_id}/assistance-requests"
    rice = answered(await cast.client(worker).post(path, json=GOODS), 201)
    for one in (riel, dollars, rice):
        await decide(cast, one, team["second"])
    month = month_of(clock)
    assert await lines(cast, team["supervisor"], month) == {}
    paid = [
        await pay(cast, riel, worker),
        await pay(cast, riel, worker, amount_minor=60_000, method="bank"),
        await pay(cast, dollars, worker, amount_minor=500, method="mobile_wallet"),
    ]
    await pay(cast, rice, worker, amount_minor=None, method="in_kind")
    back = await reverse(cast, riel, paid[0], worker)
    # The supervisor has the case as a stub, the other one reviews it: both see the same.
    found = await lines(cast, team["supervisor"], month)
    assert found == await lines(cast, team["second"], month)
    expected = {
        one["ledger_reference"]: {
            "reference": one["ledger_reference"],
            "paid_on": one["paid_on"],
            "kind": "financial",
            "amount_minor": one["amount_minor"],
            "currency": one["currency"],
            "method": one["method"],
            "reversal_of": paid[0]["ledger_reference"] if one is back else None,
        }
        for one in (*paid, back)
    }
    assert found == expected
    told = str(found)
    known = [case_id, riel["id"], dollars["id"], riel["case_code"], *(one["id"] for one in (*paid, back))]
    assert not [one for one in known if one in told]


async def test_who_is_excluded_finds_neither_lines_nor_sums_of_that_case(cast: Cast, clock: FrozenClock) -> None:
    team = await of_their_own(cast)
    worker = team["caseworker"]
    seen, hidden = await open_case(cast, worker), await open_case(cast, worker)
    for case_id, amount in ((seen, 7_000), (hidden, 30_000)):
        one = await ask(cast, case_id, worker)
        await decide(cast, one, team["second"])
        await pay(cast, one, worker, amount_minor=amount)
    month = month_of(clock)
    assert sorted(line["amount_minor"] for line in (await lines(cast, team["supervisor"], month)).values()) == [
        7_000,
        30_000,
    ]
    await exclude(cast, worker, hidden, team["supervisor"])
    assert [line["amount_minor"] for line in (await lines(cast, team["supervisor"], month)).values()] == [7_000]
    assert len(await lines(cast, team["second"], month)) == 2


async def test_a_ledger_is_of_one_month_and_of_one_organisation(cast: Cast, clock: FrozenClock) -> None:
    team = await of_their_own(cast)
    worker = team["caseworker"]
    clock.at = (clock().replace(day=1, hour=5) + timedelta(days=40)).replace(day=1)
    one = await ask(cast, await open_case(cast, worker), worker)
    await decide(cast, one, team["supervisor"])
    first = clock()
    paid = await pay(cast, one, worker)
    clock.advance(days=31)
    await reverse(cast, one, paid, worker)
    months = [f"{moment:%Y-%m}" for moment in (first - timedelta(days=1), first, clock(), clock() + timedelta(days=40))]
    amounts = [
        [line["amount_minor"] for line in (await lines(cast, team["supervisor"], month)).values()] for month in months
    ]
    assert amounts == [[], [40_000], [-40_000], []]
    for month in months:
        assert not (await lines(cast, "other_supervisor", month)).keys() & {paid["ledger_reference"]}
    for wrong in ("2026-13", "2026-00", "2026", "26-03", "2026-3", "1899-01", "2026-03-01", ""):
        refused = await cast.client("supervisor").get("/assistance-ledger", params={"month": wrong})
        assert [error["pointer"] for error in answered(refused, 422)["errors"]] == ["/query/month"]
    answered(await cast.client("supervisor").get("/assistance-ledger", params={"month": "2199-12"}), 200)
    present = answered(await cast.client(team["supervisor"]).get("/assistance-ledger"), 200)
    assert (present["month"], present["totals"]) == (month_of(clock), {"KHR": -40_000, "USD": 0})


# ---- the net of the database, below the service ----


def refused(connection: psycopg.Connection[Any], statement: str, values: dict[str, Any]) -> bool:
    """Does the database itself refuse this?"""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement.encode(), values)
    except psycopg.errors.CheckViolation:
        return True
    return False


async def test_the_database_itself_counts_what_is_paid_and_refuses_what_is_too_much(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    case_id = await open_case(cast)
    approved, waiting = await decide(cast, await ask(cast, case_id)), await ask(cast, case_id)
    other = await decide(cast, await ask(cast, case_id))
    cancelled = await in_state(cast, case_id, "cancelled")
    path = f"/cases/{case_id}/assistance-requests"
    goods = answered(await cast.client("caseworker").post(path, json=GOODS), 201)
    declined = await decide(cast, goods, decision="decline")
    paid = await pay(cast, approved)
    elsewhere = await pay(cast, other)
    back = await reverse(cast, other, await pay(cast, other))
    given = await decide(cast, answered(await cast.client("caseworker").post(path, json=GOODS), 201))
    not_given = await reverse(cast, given, await pay(cast, given, amount_minor=None))
    await pay(cast, given, amount_minor=None)
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    for request, amount, of, wrong in (
        (approved, 60_000, None, False),
        (approved, 60_001, None, True),  # more than is left
        (approved, None, None, True),  # without an amount
        (waiting, 1, None, True),  # not approved
        (cancelled, 1, None, True),  # given up
        (declined, None, None, True),  # declined
        (approved, -40_000, paid["id"], False),
        (approved, -39_999, paid["id"], True),  # not the amount of the payment
        (approved, -40_000, elsewhere["id"], True),  # a payment of another request
        (other, 40_000, back["id"], True),  # a reversal
        (given, None, not_given["id"], True),  # a reversal of what has no amount
        (approved, 40_000, paid["id"], True),  # a second payment that calls itself a reversal
    ):
        values = {"id": request["id"], "amount": amount, "of": of}
        assert refused(superuser, PAYMENT, values) is wrong, values


@pytest.mark.parametrize(
    "change",
    [
        "approved_minor = amount_minor + 1",
        "first_approved_minor = amount_minor + 1",
        "paid_minor = approved_minor + 1",
        "paid_minor = -1",
        "payments = -1",
        "payments = 1",
        "decided_by = created_by",
        "first_approved_by = created_by",
        "first_approved_by = decided_by",
        "decided_by = null",
        "approved_minor = null",
        "amount_minor = null",
        "currency = null",
        "amount_minor = null, currency = null, approved_minor = null",
        "status = 'paid'",
        "status = 'part_paid'",
        "amount_minor = 1000000000001",
    ],
)
async def test_a_request_that_contradicts_itself_cannot_be_written(
    cast: Cast, superuser: psycopg.Connection[Any], change: str
) -> None:
    one = await decide(cast, await ask(cast, await open_case(cast)))
    statement = f"update assistance_requests set {change} where id = %(id)s"
    assert refused(superuser, statement, {"id": one["id"]})


async def test_nobody_counts_payments_or_changes_what_was_asked_or_paid_through_the_api_s_role(
    cast: Cast, runtime_connection: psycopg.Connection[Any]
) -> None:
    one = await decide(cast, await ask(cast, await open_case(cast)))
    await pay(cast, one)
    begin = "select from begin_request(%s, %s)"
    for statement in (
        "update assistance_requests set paid_minor = 1",
        "update assistance_requests set payments = 0",
        "update assistance_requests set amount_minor = 1",
        "update assistance_requests set currency = 'USD'",
        "update assistance_requests set created_by = created_by",
        "delete from assistance_requests",
        "update assistance_disbursements set amount_minor = 1",
        "delete from assistance_disbursements",
    ):
        runtime_connection.execute(begin, [cast.sessions["caseworker"], cast.clock()])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            runtime_connection.execute(statement.encode())
        runtime_connection.rollback()
