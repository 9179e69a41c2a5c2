"""Referrals in tests: a client with everything to tell, her consent, what is asked, and what each side does."""

from typing import Any

from tests.cases import open_case
from tests.cast import VILLAGE, Cast, answered

EVERYTHING = [
    *("name", "sex", "age", "phone", "safe_contact", "village", "commune", "language", "disability"),
    *("need_summary", "risk_level"),
]
PHONE = "+85512555001"
SOKHA = {
    "family_name_en": "Kong",
    "given_name_en": "Sokhakolab",
    "sex": "female",
    "birth_date": "1994-05-17",
    "birth_date_precision": "day",
    "phones": [{"number": PHONE, "owner": "self", "safe_to_call": True}],
    "village_code": VILLAGE,
    "address": "Behind the pagoda",
    "language": "en",
    "disability": {"seeing": "a_lot"},
    "marital_status": "widowed",
}
SAFE = {"channels": ["phone"], "code_phrase": "Are the mangoes ripe?"}
NEED = "She needs a paper for the court."
MESSAGE = "Please ring after nine."


async def agreed(cast: Cast, case_id: str, fields: list[str] | None = None, **changes: Any) -> str:
    """Her consent that the clinic is told these fields; gives its id."""
    given = {
        "purpose": "referral",
        "organisation_id": cast.organisation("clinic"),
        "shared_fields": EVERYTHING if fields is None else fields,
        "form": "verbal",
        "obtained_on": "2026-03-01",
        **changes,
    }
    made: str = answered(await cast.client("caseworker").post(f"/cases/{case_id}/consents", json=given), 201)["id"]
    return made


async def refer(cast: Cast, case_id: str, who: str = "caseworker", status: int = 201, **changes: Any) -> Any:
    wanted = {
        "organisation_id": cast.organisation("clinic"),
        "service_type": "general_health",
        "reason": NEED,
        "shared_fields": EVERYTHING,
        "message": MESSAGE,
        **changes,
    }
    return answered(await cast.client(who).post(f"/cases/{case_id}/referrals", json=wanted), status)


async def client_of(cast: Cast, category: str = "domestic_violence", **changes: Any) -> str:
    """A case of hers, with all that could be told."""
    told = {"client": SOKHA, "summary": "He hits her; she hides.", "safe_contact": SAFE, "village_code": VILLAGE}
    return await open_case(cast, "caseworker", category, **{**told, **changes})


async def referred(cast: Cast, fields: list[str] | None = None, **changes: Any) -> Any:
    """A referral to the clinic that waits for its answer."""
    case_id = await client_of(cast)
    await agreed(cast, case_id, fields)
    shared: dict[str, Any] = {} if fields is None else {"shared_fields": fields}
    return await refer(cast, case_id, **shared, **changes)


async def move(cast: Cast, referral: Any, to: str, who: str = "partner", status: int = 200, **more: Any) -> Any:
    path = f"/referrals/{referral['id']}/transitions"
    return answered(await cast.client(who).post(path, json={"to": to, **more}), status)


async def seen(cast: Cast, referral: Any, who: str = "partner", status: int = 200, rest: str = "") -> Any:
    return answered(await cast.client(who).get(f"/referrals/{referral['id']}{rest}"), status)


async def accepted(cast: Cast, fields: list[str] | None = None, **changes: Any) -> Any:
    """The same, and the clinic has said yes."""
    referral = await referred(cast, fields, **changes)
    await move(cast, referral, "accepted")
    return referral
