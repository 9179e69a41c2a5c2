"""Records of the programme for tests: bodies that are whole, and rows for the stage of the matrix."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from app.sealing import KeyRing
from tests.cast import COMMUNE, Cast, answered

DAY = "2026-03-01"
WOMEN: dict[str, Any] = {"sex": "female", "age_band": "30-44", "disability": None}
ACTIVITY: dict[str, Any] = {
    "kind": "health_training",
    "starts_on": DAY,
    "commune_code": COMMUNE,
    "topics": ["nutrition"],
    "facilitators": ["health"],
    "attendance": {"total": 12, "by": [{**WOMEN, "people": 12}], "groups": [{"group": "smart_woman", "people": 3}]},
}
CAMPAIGN: dict[str, Any] = {
    "kind": "media_campaign",
    "starts_on": DAY,
    "commune_code": COMMUNE,
    "campaign": {"channel": "tuk_tuk", "reach": 400, "counted_how": "People on the way, twice an hour."},
}
VISIT: dict[str, Any] = {"visited_on": DAY, "topics": ["nutrition"], "outcome": "advice_given"}
COMMITMENT: dict[str, Any] = {
    "promised_by": "commune_chief",
    "commune_code": COMMUNE,
    "issue": "domestic_violence",
    "what": "The committee will see each family within two weeks.",
    "made_on": DAY,
    "due_on": "2026-06-01",
}
FEEDBACK: dict[str, Any] = {
    "public_service": "health_centre",
    "commune_code": COMMUNE,
    "sentiment": "negative",
    "given_on": DAY,
    "given_by": {"sex": "female", "age_band": "18-29", "people": 3},
    "text": "They waited from dawn to noon.",
}
BUSINESS: dict[str, Any] = {"kind": "food_stall", "started_on": DAY, "commune_code": COMMUNE}
RELIEF: dict[str, Any] = {"cause": "flood", "item": "Rice, 25 kg", "quantity": 2, "distributed_on": DAY}

_OWN = "id, version, created_at, updated_at, recorded_at, organisation_id, created_by"
_VALUES = "%(id)s, 1, %(now)s, %(now)s, %(now)s, %(organisation)s, %(by)s"
# How the stage's row of each kind is written, whatever was done to it before.
ROWS: dict[str, str] = {
    "activities": f"insert into activities ({_OWN}, kind, starts_on, ends_on, commune_code, topics, facilitators,"
    f" people, groups) values ({_VALUES}, 'public_forum', %(day)s, %(day)s, %(commune)s, '[]', '[]', 0, '{{}}')",
    "home_visits": f"insert into home_visits ({_OWN}, household_id, caseworker_id, visited_on, topics, outcome, erased)"
    f" values ({_VALUES}, %(household)s, %(by)s, %(day)s, '[]', 'no_need', false)",
    "commitments": f"insert into commitments ({_OWN}, promised_by, commune_code, issue, made_on, status, sealed)"
    f" values ({_VALUES}, 'commune_chief', %(commune)s, 'climate', %(day)s, 'open', %(sealed)s)",
    "feedback": f"insert into feedback ({_OWN}, public_service, commune_code, sentiment, given_on, given_sex,"
    " given_age_band, given_people, sealed)"
    f" values ({_VALUES}, 'school', %(commune)s, 'negative', %(day)s, 'female', 'unknown', 2, %(sealed)s)",
    "businesses": f"insert into businesses ({_OWN}, kind, owner_id, owner_sex, owner_age_band, commune_code,"
    f" started_on) values ({_VALUES}, 'retail', %(person)s, 'female', 'unknown', %(commune)s, %(day)s)",
    "distributions": f"insert into distributions ({_OWN}, household_id, cause, item, quantity, distributed_on)"
    f" values ({_VALUES}, %(household)s, 'flood', 'Rice', 2, %(day)s)",
}
IDS = {
    "activities": "activity_id",
    "home_visits": "home_visit_id",
    "commitments": "commitment_id",
    "feedback": "feedback_id",
    "businesses": "business_id",
    "distributions": "distribution_id",
}


async def made(cast: Cast, who: str, path: str, body: Mapping[str, Any], code: int = 201) -> Any:
    """What a POST of a record answers."""
    return answered(await cast.client(who).post(path, json=body), code)


async def activity(cast: Cast, who: str = "caseworker", code: int = 201, **changes: Any) -> Any:
    """A health training with twelve women."""
    return await made(cast, who, "/activities", {**ACTIVITY, **changes}, code)


async def person(cast: Cast, who: str = "caseworker", **changes: Any) -> str:
    """Somebody of the register; gives the id."""
    body = {"family_name_en": "Chan", "given_name_en": "Sreymom", "sex": "female", **changes}
    own_id: str = (await made(cast, who, "/people", body))["id"]
    return own_id


async def household(cast: Cast, who: str = "caseworker", **changes: Any) -> str:
    """A household of the register; gives the id."""
    own_id: str = (await made(cast, who, "/households", {"size": 4, **changes}))["id"]
    return own_id


async def visit(cast: Cast, who: str = "caseworker", code: int = 201, **changes: Any) -> Any:
    """A visit to a household of its own, about nothing that anybody must not know."""
    home = changes.pop("household_id", None) or await household(cast, who)
    return await made(cast, who, "/home-visits", {**VISIT, "household_id": home, **changes}, code)


async def commitment(cast: Cast, who: str = "caseworker", code: int = 201, **changes: Any) -> Any:
    """A promise of the commune chief."""
    return await made(cast, who, "/commitments", {**COMMITMENT, **changes}, code)


async def feedback(cast: Cast, who: str = "caseworker", code: int = 201, **changes: Any) -> Any:
    """What three women said of the health centre."""
    return await made(cast, who, "/feedback", {**FEEDBACK, **changes}, code)


async def business(cast: Cast, who: str = "caseworker", code: int = 201, **changes: Any) -> Any:
    """The food stall of somebody of the register."""
    owner = changes.pop("owner_id", None) or await person(cast, who)
    return await made(cast, who, "/businesses", {**BUSINESS, "owner_id": owner, **changes}, code)


async def relief(cast: Cast, who: str = "caseworker", code: int = 201, **changes: Any) -> Any:
    """Rice after the flood, for a household of its own."""
    home = changes.pop("household_id", None) or await household(cast, who)
    return await made(cast, who, "/distributions", {**RELIEF, "household_id": home, **changes}, code)


async def changed(cast: Cast, who: str, path: str, code: int = 200, **changes: Any) -> Any:
    """What a PATCH of a record answers."""
    return answered(await cast.client(who).patch(path, json=changes, headers={"If-Match": "*"}), code)


async def refused(cast: Cast, who: str, path: str, body: Mapping[str, Any]) -> tuple[str, str]:
    """Pointer and code of the one thing that is wrong with a POST."""
    (error,) = (await made(cast, who, path, body, 422))["errors"]
    return error["pointer"], error["code"]


def put_record(stage: Any, table: str, by: str) -> None:
    """The stage's row of this table, of the NGO, recorded by somebody of the stage."""
    own_id = UUID(stage.register.setdefault(IDS[table], str(uuid4())))
    stage.run(f"delete from {table} where id = %s", own_id)
    of: dict[str, Any] = {
        "id": own_id,
        "now": stage.cast.clock(),
        "day": DAY,
        "commune": COMMUNE,
        "organisation": stage.cast.organisation("ngo"),
        "by": stage.user(by),
        "household": stage.register["household_id"],
        "person": stage.register["register_person"],
    }
    if "%(sealed)s" in ROWS[table]:
        ring = KeyRing(stage.cast.runtime.kek)
        ring.make(own_id)
        kek_id, wrapped = ring.wrapped(own_id)
        lamp, waited = {"what": "A lamp at the well.", "evidence": None}, {"text": "They waited.", "response": None}
        words = {"commitments": lamp, "feedback": waited}
        of |= {"sealed": ring.seal(table, own_id, own_id, words[table])}
    stage.admin.execute(ROWS[table], of)
    if "sealed" in of:
        key = "insert into vault.data_keys (home, organisation_id, kek_id, wrapped, part) values (%s, %s, %s, %s, %s)"
        stage.run(key, own_id, of["organisation"], kek_id, wrapped, table.removesuffix("s"))


def put_case_visit(stage: Any, ids: dict[str, str]) -> None:
    """A visit that somebody recorded for a case of the stage, by the names of its ids."""
    if "case_visit" in ids:
        stage.run("delete from home_visits where id = %s", ids["case_visit"])
    ids["case_visit"] = stage.one(
        "insert into home_visits (id, version, created_at, updated_at, organisation_id, household_id, case_id,"
        " caseworker_id, visited_on, topics, outcome, erased, recorded_at, created_by)"
        " select coalesce(%s::uuid, gen_random_uuid()), 1, opened_at, opened_at, organisation_id, %s, id, %s,"
        " opened_at, '[]', 'no_need', false, opened_at, %s from cases where id = %s returning id::text",
        ids.get("case_visit"),
        stage.register["household_id"],
        *[stage.user("spare")] * 2,
        ids["case_id"],
    )
