"""Erasure: two people, nothing left to read, nobody who sees it, and a ledger that no old backup gets round."""

from typing import Any

import psycopg

from app.security import Runtime
from tests.cases import open_case
from tests.cast import Cast, answered

WISH = {"reason_code": "client_wish", "reason": "She asked us to forget her."}
MARK = "Kolab Unforgettable"


async def wished(cast: Cast, who: str = "caseworker", **changes: Any) -> str:
    """A sensitive case with a wish for its erasure."""
    case_id = await open_case(cast, "caseworker", "domestic_violence", **changes)
    await reviewer(cast, case_id, "supervisor")
    answered(await cast.client(who).post(f"/cases/{case_id}/erasure", json=WISH), 201)
    return case_id


async def reviewer(cast: Cast, case_id: str, who: str) -> None:
    body = {"user_id": cast.id(who), "role": "reviewer", "reason": "Asked to confirm."}
    answered(await cast.client(who).post(f"/cases/{case_id}/assignments", json=body), 201)


async def confirm(cast: Cast, case_id: str, who: str = "supervisor", status: int = 204) -> Any:
    return answered(await cast.client(who).post(f"/cases/{case_id}/erasure/confirm"), status)


async def test_a_second_person_erases_what_the_first_asked(
    cast: Cast, superuser: psycopg.Connection, runtime: Runtime
) -> None:
    case_id = await wished(cast)
    shown = answered(await cast.client("supervisor").get(f"/cases/{case_id}/erasure"), 200)
    assert (shown["reason"], shown["requested_by"]["id"]) == (WISH["reason"], str(cast.id("caseworker")))
    await confirm(cast, case_id)
    for who in ("caseworker", "supervisor", "colleague"):
        answered(await cast.client(who).get(f"/cases/{case_id}"), 404)
        answered(await cast.client(who).get(f"/cases/{case_id}/erasure"), 404)
    assert superuser.execute("select count(*) from vault.data_keys where case_id = %s", [case_id]).fetchone() == (0,)
    assert case_id in {str(entry.case_id) for entry in runtime.ledger.entries()}
