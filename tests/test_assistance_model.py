"""Any course of requests, decisions, payments and reversals against a plain model: answers, states and the ledger."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.calendar import day_of
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.helping import PAID, ask, lines, of_their_own

CEILINGS = {"KHR": 800_000, "USD": 20_000}


@dataclass
class Payment:
    """One line; `line` as the ledger shows it, `open` while nothing takes it back."""

    own_id: str
    amount: int
    line: tuple[Any, ...]
    open: bool = True


@dataclass
class Request:
    """A request as product.md has it."""

    own_id: str
    currency: str
    asked: int
    asked_by: str
    state: str = "submitted"
    first: tuple[str, int] | None = None
    approved: int = 0
    payments: list[Payment] = field(default_factory=list)

    @property
    def paid(self) -> int:
        return sum(one.amount for one in self.payments if one.open)

    def decide(self, who: str, decision: str, amount: int | None) -> int:
        """What becomes of a decision: the status of its answer."""
        if who == self.asked_by:
            return 403
        if self.state != "submitted":
            return 409
        if self.first is not None and self.first[0] == who:
            return 403
        most = self.first[1] if self.first else self.asked
        if amount is not None and (decision == "decline" or amount > most):
            return 422
        amount = amount or most
        if decision == "decline":
            self.state = "declined"
        elif self.first is None and amount > CEILINGS[self.currency]:
            self.first = (who, amount)
        else:
            self.state, self.approved = "approved", amount
        return 200

    def may_pay(self, amount: int) -> int:
        """The status of the answer to a payment."""
        if self.state not in {"approved", "part_paid"} or amount > self.approved - self.paid:
            return 409
        return 201

    def settle(self) -> None:
        """The state that follows from what is paid."""
        self.state = "approved" if not self.paid else "part_paid" if self.paid < self.approved else "paid"


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("ask"),
            st.sampled_from(["caseworker", "supervisor"]),
            st.sampled_from(["KHR", "USD"]),
            st.sampled_from([1, 5_000, 20_000, 20_001, 800_000, 800_001, 1_000_000]),
        ),
        st.tuples(
            st.just("decide"),
            st.integers(0, 3),
            st.sampled_from(["supervisor", "second"]),
            st.sampled_from(["approve", "approve", "approve", "decline"]),
            st.sampled_from([None, None, 1, 5_000, 20_000, 800_000, 2_000_000]),
        ),
        st.tuples(st.just("pay"), st.integers(0, 3), st.sampled_from([1, 2_500, 5_000, 20_000, 400_000, 800_001])),
        st.tuples(st.just("reverse"), st.integers(0, 3), st.integers(0, 2)),
        st.tuples(st.just("end"), st.integers(0, 3), st.sampled_from(["withdraw", "cancel", "settle"])),
        st.tuples(st.just("wait")),
    ),
    min_size=8,
    max_size=30,
)


class Course:
    """One organisation, one case, and what was done there."""

    def __init__(self, cast: Cast, clock: FrozenClock, team: dict[str, str], case_id: str) -> None:
        self.cast, self.clock, self.team, self.case_id = cast, clock, team, case_id
        self.requests: list[Request] = []
        self.lines: list[tuple[Any, ...]] = []
        self.months = {f"{clock():%Y-%m}"}

    async def do(self, step: tuple[Any, ...]) -> None:
        """One step in both worlds; the answers are the same."""
        kind, *rest = step
        if kind == "wait":
            self.clock.advance(days=17)
            self.months.add(f"{self.clock():%Y-%m}")
        elif kind == "ask":
            await self.ask(*rest)
        elif self.requests:
            request = self.requests[rest[0] % len(self.requests)]
            await getattr(self, kind)(request, *rest[1:])
            seen = answered(await self.client("caseworker").get(f"/assistance-requests/{request.own_id}"), 200)
            assert (seen["status"], seen["paid_minor"]) == (request.state, request.paid)
            assert seen["paid_minor"] <= (seen["approved_minor"] or 0) <= seen["amount_minor"]

    def client(self, who: str) -> Any:
        return self.cast.client(self.team[who])

    async def ask(self, who: str, currency: str, amount: int) -> None:
        made = await ask(self.cast, self.case_id, self.team[who], currency=currency, amount_minor=amount)
        self.requests.append(Request(made["id"], currency, amount, who))

    async def decide(self, request: Request, who: str, decision: str, amount: int | None) -> None:
        said = {"decision": decision, "reason": "So it was agreed."} | ({"amount_minor": amount} if amount else {})
        path = f"/assistance-requests/{request.own_id}/decision"
        answered(await self.client(who).post(path, json=said), request.decide(who, decision, amount))

    async def pay(self, request: Request, amount: int) -> None:
        body = {**PAID, "amount_minor": amount, "paid_on": f"{day_of(self.clock())}"}
        status = request.may_pay(amount)
        path = f"/assistance-requests/{request.own_id}/disbursements"
        made = answered(await self.client("caseworker").post(path, json=body), status)
        if status == 201:
            line = (made["ledger_reference"], body["paid_on"], amount, request.currency, None)
            request.payments.append(Payment(made["id"], amount, line))
            self.lines.append(line)
            request.settle()

    async def reverse(self, request: Request, which: int) -> None:
        if not request.payments:
            return
        payment = request.payments[which % len(request.payments)]
        path = f"/assistance-requests/{request.own_id}/disbursements/{payment.own_id}/reverse"
        status = 201 if payment.open else 409
        made = answered(await self.client("caseworker").post(path, json={"reason": "A mistake."}), status)
        if status == 201:
            payment.open = False
            today = f"{day_of(self.clock())}"
            self.lines.append((made["ledger_reference"], today, -payment.amount, request.currency, payment.line[0]))
            request.settle()

    async def end(self, request: Request, how: str) -> None:
        # The caseworker leads the case, so may withdraw whatever was asked for; the second supervisor asks for nothing.
        before, after, who = {
            "withdraw": ("submitted", "withdrawn", "caseworker"),
            "cancel": ("approved", "cancelled", "caseworker"),
            "settle": ("part_paid", "paid", "second"),
        }[how]
        legal = request.state == before
        path = f"/assistance-requests/{request.own_id}/{how}"
        answered(await self.client(who).post(path, json={"reason": "Enough."}), 200 if legal else 409)
        if legal:
            request.state = after


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
async def test_whatever_is_done_the_ledger_of_each_month_equals_its_rows(
    cast: Cast, clock: FrozenClock, steps: list[tuple[Any, ...]]
) -> None:
    team = await of_their_own(cast)
    course = Course(cast, clock, team, await open_case(cast, team["caseworker"]))
    for step in steps:
        await course.do(step)
    for who in ("supervisor", "second"):
        found: list[tuple[Any, ...]] = []
        for month in course.months:
            shown = await lines(cast, team[who], month)
            named = ("reference", "paid_on", "amount_minor", "currency", "reversal_of")
            assert all(line["paid_on"].startswith(month) for line in shown.values())
            found += [tuple(line[name] for name in named) for line in shown.values()]
        assert Counter(found) == Counter(course.lines)
