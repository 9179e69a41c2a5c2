"""Help for a client: asked for, decided, handed over, and found again in the ledger, through the API."""

from typing import Any, LiteralString
from uuid import UUID

import httpx

from app.calendar import day_of
from app.models.codes.people import Role
from tests.acts import newcomer
from tests.cast import Cast, FrozenClock, answered

MONEY = {"kind": "financial", "amount_minor": 100_000, "currency": "KHR", "purpose": "School fees of her children."}
GOODS = {"kind": "social", "item": "Rice, 50 kg", "purpose": "They have nothing to eat."}
PAID = {"amount_minor": 40_000, "method": "cash", "receipt_reference": "R-17"}
STATES = ("submitted", "approved", "part_paid", "paid", "declined", "withdrawn", "cancelled")

# As nobody's service writes it.
PAYMENT: LiteralString = """
    insert into assistance_disbursements (id, request_id, case_id, organisation_id, reference, reversal_of,
                                          amount_minor, method, paid_on, created_at, created_by, sealed)
    select gen_random_uuid(), id, case_id, organisation_id, gen_random_uuid(), %(of)s, %(amount)s, 'cash',
           created_at, created_at, created_by, '' from assistance_requests where id = %(id)s
"""


async def ask(cast: Cast, case_id: str, who: str = "caseworker", status: int = 201, **changes: Any) -> Any:
    body = {**MONEY, **changes}
    return answered(await cast.client(who).post(f"/cases/{case_id}/assistance-requests", json=body), status)


async def decide(cast: Cast, one: Any, who: str = "supervisor", status: int = 200, **changes: Any) -> Any:
    body = {"decision": "approve", "reason": "As the committee agreed.", **changes}
    return answered(await cast.client(who).post(f"/assistance-requests/{one['id']}/decision", json=body), status)


async def pay(cast: Cast, one: Any, who: str = "caseworker", status: int = 201, **changes: Any) -> Any:
    return answered(await paying(cast, one, who, **changes), status)


async def paying(cast: Cast, one: Any, who: str = "caseworker", **changes: Any) -> httpx.Response:
    body = {**PAID, "paid_on": f"{day_of(cast.clock())}", **changes}
    sent = {name: value for name, value in body.items() if value is not None}
    return await cast.client(who).post(f"/assistance-requests/{one['id']}/disbursements", json=sent)


async def reverse(cast: Cast, one: Any, paid: Any, who: str = "caseworker", status: int = 201) -> Any:
    path = f"/assistance-requests/{one['id']}/disbursements/{paid['id']}/reverse"
    return answered(await cast.client(who).post(path, json={"reason": "Counted twice."}), status)


async def end(cast: Cast, one: Any, how: str, who: str = "caseworker", status: int = 200) -> Any:
    said = {"reason": "No longer needed."}
    return answered(await cast.client(who).post(f"/assistance-requests/{one['id']}/{how}", json=said), status)


async def read(cast: Cast, one: Any, who: str = "caseworker", status: int = 200) -> Any:
    return answered(await cast.client(who).get(f"/assistance-requests/{one['id']}"), status)


async def in_state(cast: Cast, case_id: str, state: str) -> Any:
    """A request that has come so far."""
    one = await ask(cast, case_id)
    if state == "withdrawn":
        return await end(cast, one, "withdraw")
    if state != "submitted":
        one = await decide(cast, one, decision="decline" if state == "declined" else "approve")
    if state in {"part_paid", "paid"}:
        await pay(cast, one, amount_minor=40_000 if state == "part_paid" else 100_000)
    if state == "cancelled":
        await end(cast, one, "cancel")
    return await read(cast, one)


async def ledger(cast: Cast, who: str, month: str, **query: Any) -> Any:
    return answered(await cast.client(who).get("/assistance-ledger", params={"month": month, **query}), 200)


async def lines(cast: Cast, who: str, month: str) -> dict[str, Any]:
    """Every line by its reference; the totals of every page are the sums of all lines."""
    found: dict[str, Any] = {}
    query: dict[str, Any] = {"limit": 3}
    pages = []
    while True:
        page = await ledger(cast, who, month, **query)
        assert not found.keys() & {line["reference"] for line in page["items"]}
        found |= {line["reference"]: line for line in page["items"]}
        pages.append(page)
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    totals = {"KHR": 0, "USD": 0}
    for line in found.values():
        totals[line["currency"]] += line["amount_minor"]
    assert {page["month"] for page in pages} == {month}
    assert [page["totals"] for page in pages] == [totals] * len(pages)
    assert [line["paid_on"] for line in found.values()] == sorted(line["paid_on"] for line in found.values())
    return found


async def of_their_own(cast: Cast) -> dict[str, str]:
    """An organisation in which nothing was paid yet, with two supervisors and a caseworker."""
    wanted = {"name": "Another", "name_km": "មួយទៀត", "kind": "ngo"}
    made = answered(await cast.client("admin").post("/organisations", json=wanted), 201)
    cast.organisations[made["id"]] = UUID(made["id"])
    roles = {"caseworker": Role.CASEWORKER, "supervisor": Role.SUPERVISOR, "second": Role.SUPERVISOR}
    people = {name: await newcomer(cast, role, made["id"]) for name, role in roles.items()}
    return {**people, "organisation": made["id"]}


def month_of(clock: FrozenClock) -> str:
    return f"{clock():%Y-%m}"
