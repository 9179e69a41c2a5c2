"""Nobody is given more cases than they can carry unless a supervisor says why, and no refusal tells of a hidden one."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any
from uuid import uuid4

import psycopg

from app.caseload import SHARED_AS, CaseloadLimits
from app.models.codes.people import Role
from app.settings import Settings
from tests.acts import assign, exclude, newcomer, status_of
from tests.cases import intake, open_case
from tests.cast import Cast, answered
from tests.test_worklist import leaderless

Superuser = psycopg.Connection[Any]
SENSITIVE = "domestic_violence"
WARN_AT, FULL_AT = 2, 4


def limited(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """Few cases are much while the test runs; the numbers themselves are those of the settings."""

    @wraps(test)
    async def with_low_limits(cast: Cast, **others: Any) -> None:
        database = cast.runtime.database
        before = database.shared
        database.shared = {**before, SHARED_AS: CaseloadLimits(WARN_AT, FULL_AT)}
        try:
            await test(cast=cast, **others)
        finally:
            database.shared = before

    return with_low_limits


async def lead_of(cast: Cast, cases: int, category: str = SENSITIVE) -> str:
    """Somebody new who leads so many open cases, all of which they opened."""
    name = await newcomer(cast, Role.CASEWORKER, "ngo")
    for _ in range(cases):
        await open_case(cast, name, category)
    return name


async def give(cast: Cast, who: str, case_id: str, lead: str, status: int = 201, **more: Any) -> Any:
    wanted = {"user_id": cast.id(lead), "role": "lead", "reason": "As agreed.", **more}
    return answered(await cast.client(who).post(f"/cases/{case_id}/assignments", json=wanted), status)


async def carried(cast: Cast, lead: str, who: str = "supervisor") -> Any:
    page = answered(await cast.client(who).get("/caseload", params={"lead_id": cast.id(lead)}), 200)
    return page["leads"]


async def test_twenty_are_said_and_twenty_five_are_full() -> None:
    fields = Settings.model_fields
    assert (fields["caseload_warn_at"].default, fields["caseload_full_at"].default) == (20, 25)


@limited
async def test_who_names_a_lead_is_told_how_much_that_person_carries(cast: Cast) -> None:
    lead = await lead_of(cast, 0)
    for level in ("normal", "high", "high", "full"):
        case_id = await open_case(cast, "caseworker", SENSITIVE)
        given = await give(cast, "supervisor", case_id, lead)
        assert (given["caseload"], given["over_limit_reason"]) == (level, None)
    again = await cast.client(lead).get(f"/cases/{case_id}/assignments/{given['id']}")
    assert answered(again, 200)["caseload"] is None
    other = await newcomer(cast, Role.CASEWORKER, "ngo")
    made = await assign(cast, lead, case_id, other, "caseworker")
    assert answered(await cast.client(lead).get(f"/cases/{case_id}/assignments/{made}"), 200)["caseload"] is None


@limited
async def test_a_full_caseload_takes_no_other_case_unless_a_supervisor_says_why(
    cast: Cast, superuser: Superuser
) -> None:
    lead = await lead_of(cast, FULL_AT)
    case_id = await open_case(cast, "caseworker", SENSITIVE)
    refused = await give(cast, "supervisor", case_id, lead, 409)
    assert refused["code"] == "caseload_full"
    assert set(refused) == {"type", "title", "status", "code", "instance"}, "no number, no case"
    assert await status_of(cast, "caseworker", case_id) == 200
    why = "Her colleague is in hospital."
    given = await give(cast, "supervisor", case_id, lead, over_limit_reason=why)
    assert (given["caseload"], given["over_limit_reason"]) == ("over", why)
    read = answered(await cast.client(lead).get(f"/cases/{case_id}/assignments/{given['id']}"), 200)
    assert read["over_limit_reason"] == why
    (told,) = superuser.execute(
        "select data from events where case_id = %s and subject_id = %s", [case_id, given["id"]]
    ).fetchall()
    assert told[0]["over_limit"] is True
    stored = superuser.execute("select sealed from assignments where id = %s", [given["id"]]).fetchone()
    assert stored is not None
    assert b"hospital" not in stored[0]


@limited
async def test_a_reason_that_was_not_needed_is_not_kept(cast: Cast) -> None:
    lead = await lead_of(cast, 1)
    case_id = await open_case(cast, "caseworker", SENSITIVE)
    assert (await give(cast, "supervisor", case_id, lead, over_limit_reason="Just so."))["over_limit_reason"] is None


@limited
async def test_only_a_supervisor_goes_over_the_limit(cast: Cast) -> None:
    lead = await lead_of(cast, FULL_AT, "id_poor")
    case_id = await open_case(cast, "caseworker", "id_poor")
    assert (await give(cast, "caseworker", case_id, lead, 409))["code"] == "caseload_full"
    await give(cast, "caseworker", case_id, lead, 403, over_limit_reason="She can.")
    await give(cast, "supervisor", case_id, lead, over_limit_reason="She can.")


@limited
async def test_who_leads_the_case_already_is_not_counted_twice(cast: Cast) -> None:
    lead = await lead_of(cast, FULL_AT - 1)
    case_id = await open_case(cast, lead, SENSITIVE)
    assert (await give(cast, "supervisor", case_id, lead))["caseload"] == "full"


@limited
async def test_closed_cases_and_other_places_weigh_nothing(cast: Cast) -> None:
    lead = await lead_of(cast, FULL_AT - 1)
    closing = await open_case(cast, lead, SENSITIVE)
    step = {"to": "closed", "closure": {"reason": "client_request", "informed_can_return": True}}
    answered(await cast.client(lead).post(f"/cases/{closing}/transitions", json=step), 200)
    case_id = await open_case(cast, "caseworker", SENSITIVE)
    await assign(cast, "caseworker", case_id, lead, "caseworker")
    assert (await give(cast, "supervisor", case_id, lead))["caseload"] == "full"
    full = await open_case(cast, "caseworker", SENSITIVE)
    await assign(cast, "caseworker", full, lead, "caseworker")


@limited
async def test_nobody_is_turned_away_at_the_door(cast: Cast) -> None:
    lead = await lead_of(cast, FULL_AT + 1)
    body = intake(SENSITIVE, lead_id=cast.id(lead))
    assert answered(await cast.client("supervisor").post("/cases", json=body), 409)["code"] == "caseload_full"
    answered(await cast.client(lead).post("/cases", json=body), 201)


@limited
async def test_a_caseworker_learns_nothing_of_the_hidden_cases_of_a_colleague(cast: Cast) -> None:
    lead = await lead_of(cast, FULL_AT + 2)  # sensitive: no colleague knows of them
    case_id = await open_case(cast, "caseworker", SENSITIVE)
    given = await give(cast, "caseworker", case_id, lead)
    assert given["caseload"] == "normal"


@limited
async def test_an_excluded_supervisor_does_not_learn_of_the_case_by_counting(cast: Cast) -> None:
    lead = await lead_of(cast, FULL_AT - 1)
    hidden = await open_case(cast, lead, SENSITIVE)
    excluded = await newcomer(cast, Role.SUPERVISOR, "ngo")
    await exclude(cast, lead, hidden, excluded)
    assert [one["open"] for one in await carried(cast, lead, excluded)] == [FULL_AT - 1]
    assert [one["open"] for one in await carried(cast, lead)] == [FULL_AT]
    case_id = await open_case(cast, "caseworker", SENSITIVE)
    assert (await give(cast, "supervisor", case_id, lead, 409))["code"] == "caseload_full"
    assert (await give(cast, excluded, case_id, lead))["caseload"] == "full"


@limited
async def test_the_caseload_says_who_carries_how_much(cast: Cast) -> None:
    for cases, level in ((1, "normal"), (2, "high"), (4, "full"), (5, "over")):
        lead = await lead_of(cast, cases)
        (found,) = await carried(cast, lead)
        assert found["lead"]["id"] == cast.id(lead)
        assert (found["open"], found["level"]) == (cases, level)
    page = answered(await cast.client("supervisor").get("/caseload", params={"limit": 3}), 200)
    ids = [one["lead"] and one["lead"]["id"] for one in page["leads"]]
    assert len(set(ids)) == len(ids)
    assert {item["lead"]["id"] for item in page["items"] if item["lead"]} <= set(ids)
    await leaderless(cast)
    waiting = answered(await cast.client("supervisor").get("/caseload", params={"needs_lead": True}), 200)
    assert {(one["lead"], one["level"]) for one in waiting["leads"]} == {(None, None)}


@limited
async def test_another_organisations_supervisor_counts_nothing_here(cast: Cast) -> None:
    lead = await lead_of(cast, FULL_AT)
    assert await carried(cast, lead, "other_supervisor") == []


@limited
async def test_ten_who_are_given_to_one_person_at_once_do_not_pass_the_limit(cast: Cast, superuser: Superuser) -> None:
    lead = await lead_of(cast, FULL_AT - 2)
    cases = [await open_case(cast, "caseworker", SENSITIVE) for _ in range(10)]
    wanted = {"user_id": cast.id(lead), "role": "lead", "reason": "As agreed."}
    answers = await asyncio.gather(
        *(
            cast.client(who).post(f"/cases/{case_id}/assignments", json=wanted)
            for case_id, who in zip(cases, ["supervisor", "second_supervisor"] * 5, strict=True)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {201: 2, 409: 8}
    led = "select count(*) from cases where lead_id = %s and status <> 'closed'"
    assert superuser.execute(led, [cast.id(lead)]).fetchone() == (FULL_AT,)


@limited
async def test_a_transfer_does_not_go_to_a_full_lead(cast: Cast) -> None:
    lead = await newcomer(cast, Role.CASEWORKER, "other_ngo")
    for _ in range(FULL_AT):
        await open_case(cast, lead, SENSITIVE)
    case_id = await open_case(cast, "caseworker", SENSITIVE)
    other_ngo = cast.organisation("other_ngo")
    consent = {"purpose": "referral", "organisation_id": other_ngo, "form": "verbal", "obtained_on": "2026-03-01"}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/consents", json=consent), 201)
    asked = {"organisation_id": other_ngo, "reason": "She moves."}
    transfer = answered(await cast.client("caseworker").post(f"/cases/{case_id}/transfers", json=asked), 201)
    path = f"/transfers/{transfer['id']}/accept"
    refused = await cast.client("other_supervisor").post(path, json={"lead_id": cast.id(lead)})
    assert answered(refused, 409)["code"] == "caseload_full"
    answered(await cast.client("other_supervisor").post(path, json={}), 200)


@limited
async def test_what_is_unknown_is_unknown_whoever_is_full(cast: Cast) -> None:
    lead = await lead_of(cast, FULL_AT)
    await give(cast, "supervisor", str(uuid4()), lead, 404)
    hidden = await open_case(cast, "stranger", SENSITIVE)
    await give(cast, "supervisor", hidden, lead, 404)


@limited
async def test_a_case_is_opened_for_a_full_colleague_when_a_supervisor_says_why(cast: Cast) -> None:
    lead, supervisor = await lead_of(cast, FULL_AT), cast.client("supervisor")
    body = {**intake(SENSITIVE), "lead_id": cast.id(lead)}
    assert answered(await supervisor.post("/cases", json=body), 409)["code"] == "caseload_full"
    why = {**body, "over_limit_reason": "Nobody else speaks her language."}
    answered(await cast.client("caseworker").post("/cases", json=why), 403)
    made = answered(await supervisor.post("/cases", json=why), 201)
    (place,) = answered(await cast.client(lead).get(f"/cases/{made['id']}/assignments"), 200)["items"]
    assert (place["user_id"], place["over_limit_reason"]) == (cast.id(lead), why["over_limit_reason"])
    # Where there was room it is not kept: nothing was allowed.
    free = await lead_of(cast, 0)
    made = answered(await supervisor.post("/cases", json={**why, "lead_id": cast.id(free)}), 201)
    (place,) = answered(await cast.client(free).get(f"/cases/{made['id']}/assignments"), 200)["items"]
    assert place["over_limit_reason"] is None
