"""A case goes to another organisation by her consent alone, and who receives it knows nothing of her before the yes."""

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.calendar import day_of
from app.database_urls import DatabaseUrls
from app.models.codes.people import Role
from tests import helping
from tests.acts import assign, call_as, exclude, finds, listed, newcomer, open_again, status_of, without_instance
from tests.cases import open_case
from tests.cast import COMMUNE, VILLAGE, Cast, FrozenClock, answered
from tests.helping import in_state
from tests.hooking import partner
from tests.test_reminders import reminded
from tests.test_worklist import worklist

Superuser = psycopg.Connection[Any]
SENSITIVE = "domestic_violence"
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
    "phones": [{"number": PHONE, "owner": "self"}],
    "village_code": VILLAGE,
    "address": "Behind the pagoda",
    "language": "en",
    "disability": {"seeing": "a_lot"},
    "marital_status": "widowed",
}
SAFE = {"channels": ["phone"], "code_phrase": "Are the mangoes ripe?"}
REASON = "She moves to her sister's."


async def agreed(cast: Cast, case_id: str, fields: list[str] | None = None, **changes: Any) -> str:
    """Her consent that the other NGO is told these fields; gives its id."""
    given = {
        "purpose": "referral",
        "organisation_id": cast.organisation("other_ngo"),
        "shared_fields": EVERYTHING if fields is None else fields,
        "form": "verbal",
        "obtained_on": "2026-03-01",
        **changes,
    }
    made: str = answered(await cast.client("caseworker").post(f"/cases/{case_id}/consents", json=given), 201)["id"]
    return made


async def ask(cast: Cast, case_id: str, who: str = "caseworker", status: int = 201, **changes: Any) -> Any:
    wanted = {"organisation_id": cast.organisation("other_ngo"), "reason": REASON, **changes}
    return answered(await cast.client(who).post(f"/cases/{case_id}/transfers", json=wanted), status)


async def asked(cast: Cast, category: str = SENSITIVE, fields: list[str] | None = None, **changes: Any) -> Any:
    """A transfer that waits for its answer."""
    told = {"client": SOKHA, "summary": "He hits her; she hides.", "safe_contact": SAFE, "village_code": VILLAGE}
    case_id = await open_case(cast, "caseworker", category, **{**told, **changes})
    await agreed(cast, case_id, fields)
    return await ask(cast, case_id)


async def accept(
    cast: Cast, transfer: Any, who: str = "other_supervisor", status: int = 200, lead: str | None = None
) -> Any:
    body = {"lead_id": cast.id(lead)} if lead else {}
    return answered(await cast.client(who).post(f"/transfers/{transfer['id']}/accept", json=body), status)


async def decline(cast: Cast, transfer: Any, who: str = "other_supervisor", status: int = 200) -> Any:
    body = {"reason": "Nobody of ours goes there."}
    return answered(await cast.client(who).post(f"/transfers/{transfer['id']}/decline", json=body), status)


async def withdraw(cast: Cast, transfer: Any, who: str = "caseworker", status: int = 200) -> Any:
    path = f"/cases/{transfer['case_id']}/transfers/{transfer['id']}/withdraw"
    return answered(await cast.client(who).post(path, json={"reason": "She stays."}), status)


async def incoming(cast: Cast, transfer: Any, who: str = "other_supervisor", status: int = 200) -> Any:
    return answered(await cast.client(who).get(f"/transfers/{transfer['id']}"), status)


async def sent(cast: Cast, transfer: Any, who: str = "caseworker", status: int = 200) -> Any:
    path = f"/cases/{transfer['case_id']}/transfers/{transfer['id']}"
    return answered(await cast.client(who).get(path), status)


async def read(cast: Cast, who: str, case_id: str, rest: str = "") -> Any:
    return answered(await cast.client(who).get(f"/cases/{case_id}{rest}"), 200)


def one(superuser: Superuser, query: str, *values: Any) -> Any:
    row = superuser.execute(query.encode(), values).fetchone()
    assert row is not None
    return row[0]


# ---- asking ----


async def test_nobody_hands_her_over_without_her_consent_for_that_very_organisation(cast: Cast) -> None:
    case_id = await open_case(cast, "caseworker", SENSITIVE)
    assert (await ask(cast, case_id, status=409))["code"] == "consent_required"
    await agreed(cast, case_id, organisation_id=cast.organisation("clinic"))
    await agreed(cast, case_id, organisation_id=None, sector="safety")
    await agreed(cast, case_id, purpose="services")
    await agreed(cast, case_id, obtained_on="2026-02-01", expires_on="2026-02-27")
    withdrawn = await agreed(cast, case_id)
    path = f"/cases/{case_id}/consents/{withdrawn}/withdraw"
    answered(await cast.client("caseworker").post(path, json={}), 200)
    assert (await ask(cast, case_id, status=409))["code"] == "consent_required"
    await agreed(cast, case_id, ["name"])
    assert (await ask(cast, case_id, status=409, shared_fields=["name", "age"]))["code"] == "consent_required"
    assert (await ask(cast, case_id))["shared_fields"] == ["name"]


async def test_phone_and_village_go_with_the_safe_contact_only(cast: Cast) -> None:
    case_id = await open_case(cast, "caseworker", SENSITIVE)
    await agreed(cast, case_id)
    for fields in (["name", "phone"], ["village"]):
        refused = await ask(cast, case_id, status=422, shared_fields=fields)
        assert refused["errors"][0]["pointer"] == "/shared_fields"
    await ask(cast, case_id, shared_fields=["phone", "safe_contact"])


async def test_a_case_goes_to_another_ngo_and_to_nobody_else(cast: Cast) -> None:
    case_id = await open_case(cast, "caseworker", SENSITIVE)
    for name in ("ngo", "clinic", "council"):
        await agreed(cast, case_id, organisation_id=cast.organisation(name))
        refused = await ask(cast, case_id, status=422, organisation_id=cast.organisation(name))
        assert refused["errors"][0]["pointer"] == "/organisation_id"
    await ask(cast, case_id, status=422, organisation_id=str(uuid4()))


async def test_a_case_waits_for_one_answer_at_a_time_and_a_closed_one_for_none(cast: Cast) -> None:
    transfer = await asked(cast)
    assert (await ask(cast, transfer["case_id"], status=409))["code"] == "conflict"
    await withdraw(cast, transfer)
    again = await ask(cast, transfer["case_id"])
    closing = {"to": "closed", "closure": {"reason": "client_request", "informed_can_return": True}}
    answered(await cast.client("caseworker").post(f"/cases/{transfer['case_id']}/transitions", json=closing), 200)
    assert (await sent(cast, again))["status"] == "cancelled"
    assert (await incoming(cast, again))["status"] == "cancelled"
    await accept(cast, again, status=409)
    assert (await ask(cast, transfer["case_id"], status=409))["code"] == "case_closed"


async def test_the_lead_asks_or_a_supervisor_of_a_standard_case(cast: Cast) -> None:
    case_id = await open_case(cast, "caseworker", SENSITIVE)
    await agreed(cast, case_id)
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    await ask(cast, case_id, "colleague", 403)
    await ask(cast, case_id, "supervisor", 404)
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await ask(cast, case_id, "supervisor", 403)
    transfer = await ask(cast, case_id)
    await withdraw(cast, transfer, "colleague", 403)
    assert (await sent(cast, transfer, "supervisor"))["reason"] == REASON
    standard = await open_case(cast, "caseworker", "id_poor")
    await agreed(cast, standard)
    transfer = await ask(cast, standard, "supervisor")
    await withdraw(cast, transfer, "colleague", 403)
    await withdraw(cast, transfer, "second_supervisor")


async def test_how_soon_somebody_must_answer_follows_from_the_priority(cast: Cast, clock: FrozenClock) -> None:
    transfer = await asked(cast, priority="urgent")
    assert transfer["priority"] == "urgent"
    await withdraw(cast, transfer)
    transfer = await ask(cast, transfer["case_id"], priority="stat")
    assert not (await incoming(cast, transfer))["overdue"]
    clock.advance(hours=4, minutes=1)
    assert (await incoming(cast, transfer))["overdue"]
    await withdraw(cast, transfer)
    assert not (await incoming(cast, transfer))["overdue"]


# ---- before the yes ----


async def test_before_the_yes_nobody_there_learns_who_she_is(cast: Cast, superuser: Superuser) -> None:
    transfer = await asked(cast)
    shown = await incoming(cast, transfer)
    assert shown == {
        "id": transfer["id"],
        "code": transfer["code"],
        "sender": {"id": cast.organisation("ngo"), "name": "ngo"},
        "sector": "other",
        "province_code": COMMUNE[:2],
        "priority": "routine",
        "status": "requested",
        "due_at": transfer["due_at"],
        "overdue": False,
        "answered_at": None,
        "opened": None,
        "version": 1,
        "created_at": transfer["created_at"],
    }
    assert transfer["code"].startswith("TR-")
    answer = (await cast.client("other_supervisor").get("/transfers", params={"status": "requested"})).text
    for secret in ("Sokhakolab", "hits", PHONE, COMMUNE, VILLAGE, "mangoes", "sister", transfer["case_id"]):
        assert secret not in answer, secret
    assert await status_of(cast, "other_supervisor", transfer["case_id"]) == 404
    assert await status_of(cast, "other_supervisor", transfer["case_id"], "/transfers") == 404
    row = superuser.execute("select sealed, snapshot_sealed from transfers where id = %s", [transfer["id"]]).fetchone()
    assert row is not None
    assert not any(b"Sokhakolab" in blob or b"sister" in blob for blob in row)


async def test_the_receivers_database_role_reaches_neither_row_nor_key(cast: Cast, database: DatabaseUrls) -> None:
    transfer = await asked(cast)
    looks = ("select from transfers where id = %s", "select from vault.data_keys where home = %s")
    with psycopg.connect(database.runtime) as connection:
        for who, expected in (("other_supervisor", 0), ("supervisor", 0), ("colleague", 0), ("caseworker", 1)):
            connection.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
            seen = [connection.execute(look.encode(), [transfer["id"]]).rowcount for look in looks]
            connection.rollback()
            assert seen == [expected, expected], who


async def test_only_supervisors_of_that_organisation_know_that_a_transfer_waits(cast: Cast) -> None:
    transfer = await asked(cast)
    assert transfer["id"] in [item["id"] for item in await listed(cast, "other_supervisor", "/transfers")]
    for who in ("supervisor", "second_supervisor"):
        assert transfer["id"] not in [item["id"] for item in await listed(cast, who, "/transfers")]
        await incoming(cast, transfer, who, 404)
        await accept(cast, transfer, who, 404)
        await decline(cast, transfer, who, 404)
    for who in ("stranger", "caseworker", "partner", "admin", "auditor", "liaison"):
        await incoming(cast, transfer, who, 403)
        await accept(cast, transfer, who, 403)


async def test_the_inbox_comes_in_pages_and_by_where_a_transfer_stands(cast: Cast) -> None:
    waiting = [await asked(cast) for _ in range(3)]
    await decline(cast, waiting[0])
    found = [item["id"] for item in await listed(cast, "other_supervisor", "/transfers", limit=2)]
    assert len(set(found)) == len(found)
    assert {transfer["id"] for transfer in waiting} <= set(found)
    for status, expected in (("requested", waiting[1:]), ("rejected", waiting[:1])):
        items = await listed(cast, "other_supervisor", "/transfers", status=status)
        assert {item["status"] for item in items} == {status}
        assert {transfer["id"] for transfer in expected} <= {item["id"] for item in items}


async def test_who_is_kept_away_from_the_new_case_alone_is_not_told_which_it_is(
    cast: Cast, superuser: Superuser
) -> None:
    away = await newcomer(cast, Role.SUPERVISOR, "other_ngo")
    transfer = await asked(cast)
    taken = await accept(cast, transfer)
    assert (await incoming(cast, transfer, away))["opened"] == taken["opened"]
    superuser.execute(
        "insert into case_exclusions (id, case_id, organisation_id, user_id, origin_id, reason_code, created_at,"
        " created_by) select x.id, c.id, c.organisation_id, %s, x.id, 'client_wish', c.opened_at, c.created_by"
        " from cases c cross join (select gen_random_uuid() as id) x where c.id = %s",
        [cast.id(away), taken["opened"]["id"]],
    )
    assert (await incoming(cast, transfer, away))["opened"] is None


async def test_an_excluded_supervisor_there_cannot_tell_that_it_exists(cast: Cast, superuser: Superuser) -> None:
    excluded = await newcomer(cast, Role.SUPERVISOR, "other_ngo")
    transfer = await asked(cast)
    await exclude(cast, "caseworker", transfer["case_id"], excluded)
    client = cast.client(excluded)
    calls: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("POST", "/accept", {"lead_id": None}),
        ("POST", "/decline", {"reason": "No."}),
        ("POST", "/decline", {}),
    ]
    for method, rest, body in calls:
        hidden = await client.request(method, f"/transfers/{transfer['id']}{rest}", json=body)
        not_there = await client.request(method, f"/transfers/{uuid4()}{rest}", json=body)
        assert hidden.status_code == 404
        assert without_instance(hidden) == without_instance(not_there)
    statuses: list[dict[str, str]] = [{}, {"status": "requested"}]
    for status in statuses:
        assert transfer["id"] not in [item["id"] for item in await listed(cast, excluded, "/transfers", **status)]
    await accept(cast, transfer)
    assert transfer["id"] not in [item["id"] for item in await listed(cast, excluded, "/transfers")]


async def test_a_supervisor_who_is_named_as_perpetrator_is_never_shown_it(cast: Cast) -> None:
    name = f"Perpetra {uuid4().hex[:5].translate(str.maketrans('0123456789', 'ghijklmnop'))}"
    known = await newcomer(cast, Role.SUPERVISOR, "other_ngo")
    renamed = {"display_name": name}
    path = f"/users/{cast.id(known)}"
    answered(await cast.client("admin").patch(path, json=renamed, headers={"If-Match": "*"}), 200)
    transfer = await asked(cast, incident={"perpetrators": [{"names": [name]}]})
    await incoming(cast, transfer, known, 404)
    unknown = await newcomer(cast, Role.SUPERVISOR, "other_ngo")  # of whom no token is kept yet
    named = cast.users[unknown].display_name
    transfer = await asked(cast, incident={"perpetrators": [{"names": [named]}]})
    await incoming(cast, transfer, unknown, 404)


# ---- the yes ----


async def test_at_the_yes_a_new_case_opens_there_with_what_she_agreed_to(cast: Cast, superuser: Superuser) -> None:
    transfer = await asked(cast, incident={"note": "With a belt.", "perpetrators": [{"names": ["Nobody Knownhere"]}]})
    superuser.execute("update cases set risk_level = 'high' where id = %s", [transfer["case_id"]])
    await withdraw(cast, transfer)
    transfer = await ask(cast, transfer["case_id"])
    age = (await read(cast, "caseworker", transfer["case_id"]))["client"]["age"]
    taken = await accept(cast, transfer)
    assert taken["status"] == "accepted"
    assert await incoming(cast, transfer) == taken
    case = await read(cast, "other_supervisor", taken["opened"]["id"])
    assert (case["code"], case["organisation_id"]) == (taken["opened"]["code"], cast.organisation("other_ngo"))
    assert (case["category"], case["sensitivity"], case["status"]) == (SENSITIVE, "sensitive", "intake")
    assert case["access"] == {"via": "reviewer", "mode": "contribute"}
    assert (case["summary"], case["risk_level"]) == ("He hits her; she hides.", "high")
    assert (case["commune_code"], case["village_code"]) == (COMMUNE, VILLAGE)
    assert case["safe_contact"]["code_phrase"] == "Are the mangoes ripe?"
    assert (case["lead"], case["incident"]) == (None, None)
    person = answered(await cast.client("other_supervisor").get(f"/people/{case['client']['id']}"), 200)
    assert (person["family_name_en"], person["sex"], person["language"]) == ("Kong", "female", "en")
    assert [phone["number"] for phone in person["phones"]] == [PHONE]
    assert person["disability"]["seeing"] == "a_lot"
    assert (person["age"], person["birth_date_precision"]) == (age, "year")
    assert person["birth_date"].endswith("-01-01")
    assert (person["address"], person["marital_status"]) == (None, "unknown")
    for rest in ("/incidents", "/notes", "/consents", "/assignments"):
        assert await listed(cast, "other_supervisor", f"/cases/{case['id']}{rest}") == []
    assert await finds(cast, "other_supervisor", case["id"], "/caseload", needs_lead=True)


@pytest.mark.parametrize("category", [SENSITIVE, "id_poor"])
async def test_the_risk_that_came_along_begins_its_history_there(
    cast: Cast, superuser: Superuser, category: str
) -> None:
    transfer = await asked(cast, category)
    superuser.execute("update cases set risk_level = 'high' where id = %s", [transfer["case_id"]])
    await withdraw(cast, transfer)
    taken = await accept(cast, await ask(cast, transfer["case_id"]), lead="stranger")
    (change,) = await listed(cast, "stranger", f"/cases/{taken['opened']['id']}/risk-history")
    assert (change["before"], change["level"], change["reason"]) == ("not_assessed", "high", None)
    assert change["by"]["id"] == cast.id("other_supervisor")
    assert change["review_due_at"] is None, "a supervisor has looked at it: the one who took it"
    kinds = [one["type"] for one in await listed(cast, "stranger", f"/cases/{taken['opened']['id']}/timeline")]
    assert kinds.count("risk.changed") == 1


async def test_an_overdue_transfer_is_told_to_the_sender_once_and_stays_on_the_receivers_worklist(
    cast: Cast, database: DatabaseUrls, clock: FrozenClock
) -> None:
    late, answered_in_time, taken_back = await asked(cast), await asked(cast), await asked(cast)
    await decline(cast, answered_in_time)
    await withdraw(cast, taken_back)
    later = await asked(cast)
    clock.advance(days=15)
    fresh = await asked(cast)
    for _ in range(2):
        await reminded(database, clock)
    for transfer, times in ((late, 1), (later, 1), (answered_in_time, 0), (taken_back, 0), (fresh, 0)):
        timeline = await listed(cast, "caseworker", f"/cases/{transfer['case_id']}/timeline")
        assert [one["type"] for one in timeline].count("transfer.overdue") == times
    items = await worklist(cast, "other_supervisor")
    waiting = {one["subject_id"]: one["overdue"] for one in items if one["kind"] == "transfer"}
    assert [waiting.get(one["id"]) for one in (late, later, answered_in_time, taken_back)] == [True, True, None, None]
    assert (await sent(cast, late))["version"] == late["version"]
    await accept(cast, late)


async def test_what_she_did_not_agree_to_stays_here(cast: Cast) -> None:
    transfer = await asked(cast, fields=[])
    taken = await accept(cast, transfer)
    case = await read(cast, "other_supervisor", taken["opened"]["id"])
    assert (case["summary"], case["client"]["display_name"]) == (transfer["code"], transfer["code"])
    assert (case["commune_code"], case["village_code"], case["safe_contact"]) == (COMMUNE[:2], None, None)
    assert (case["client"]["sex"], case["client"]["age"], case["risk_level"]) == ("unknown", None, "not_assessed")
    person = answered(await cast.client("other_supervisor").get(f"/people/{case['client']['id']}"), 200)
    assert (person["phones"], person["village_code"], person["disability"]) == ([], None, None)
    assert await listed(cast, "other_supervisor", f"/cases/{case['id']}/risk-history") == []


@pytest.mark.parametrize("category", [SENSITIVE, "id_poor"])
async def test_the_old_case_closes_as_transferred_and_nothing_is_due_there(
    cast: Cast, superuser: Superuser, category: str
) -> None:
    transfer = await asked(cast, category)
    case_id = transfer["case_id"]
    due = {"due_at": "2026-09-01T03:00:00Z", "channel": "phone"}
    path = f"/cases/{case_id}/follow-ups"
    planned = answered(await cast.client("caseworker").post(path, json=due), 201)
    done = answered(await cast.client("caseworker").post(path, json=due), 201)
    told = {"happened_at": cast.clock().isoformat(), "outcome": "met_safe"}
    answered(await cast.client("caseworker").post(f"{path}/{done['id']}/record", json=told), 200)
    recorded = await read(cast, "caseworker", case_id, f"/follow-ups/{done['id']}")
    taken = await accept(cast, transfer)
    assert await read(cast, "caseworker", case_id, f"/follow-ups/{done['id']}") == recorded
    assert one(superuser, "select snapshot_sealed is null from transfers where id = %s", transfer["id"])
    audience = "select audience from events where case_id = %s and data ->> 'to' = 'closed'"
    assert one(superuser, audience, case_id) == "team"
    case = await read(cast, "caseworker", case_id)
    assert (case["status"], case["next_due_at"], case["organisation_id"]) == ("closed", None, cast.organisation("ngo"))
    assert case["closed_at"] is not None
    assert (case["closure"]["reason"], case["closure"]["outcome"]) == ("transferred", "unknown")
    assert (await read(cast, "caseworker", case_id, f"/follow-ups/{planned['id']}"))["state"] == "cancelled"
    types = [item["type"] for item in await listed(cast, "caseworker", f"/cases/{case_id}/timeline")]
    assert {"transfer.requested", "transfer.accepted", "case.status_changed"} <= set(types)
    shown = await sent(cast, transfer)
    assert (shown["status"], "opened" in shown) == ("accepted", False)
    assert await status_of(cast, "caseworker", taken["opened"]["id"]) == 404
    assert await status_of(cast, "supervisor", taken["opened"]["id"]) == 404
    assert await status_of(cast, "other_supervisor", case_id) == 404
    change = await cast.client("caseworker").patch(
        f"/cases/{case_id}", json={"priority": "stat"}, headers={"If-Match": "*"}
    )
    assert answered(change, 409)["code"] == "case_closed"


async def test_a_case_that_was_about_to_close_says_that_it_was_transferred(cast: Cast, superuser: Superuser) -> None:
    transfer = await asked(cast)
    answered(
        await cast.client("caseworker").post(f"/cases/{transfer['case_id']}/transitions", json={"to": "assessment"}),
        200,
    )
    closure = {"reason": "needs_met", "informed_can_return": True}
    step = {"to": "closure_requested", "closure": closure}
    answered(await cast.client("caseworker").post(f"/cases/{transfer['case_id']}/transitions", json=step), 200)
    assert (await read(cast, "caseworker", transfer["case_id"]))["closure"]["reason"] == "needs_met"
    await accept(cast, transfer)
    assert (await read(cast, "caseworker", transfer["case_id"]))["closure"]["reason"] == "transferred"


async def test_a_lead_is_named_with_the_yes_unless_kept_away_from_her(cast: Cast) -> None:
    transfer = await asked(cast)
    taken = await accept(cast, transfer, lead="stranger")
    case = await read(cast, "stranger", taken["opened"]["id"])
    assert (case["lead"]["id"], case["access"]["via"]) == (cast.id("stranger"), "lead")
    assert await status_of(cast, "other_supervisor", taken["opened"]["id"]) == 404
    away = await newcomer(cast, Role.CASEWORKER, "other_ngo")
    transfer = await asked(cast)
    await exclude(cast, "caseworker", transfer["case_id"], away)
    taken = await accept(cast, transfer, lead=away)
    assert (await read(cast, "other_supervisor", taken["opened"]["id"]))["lead"] is None
    assert await status_of(cast, away, taken["opened"]["id"]) == 404
    transfer = await asked(cast)
    await accept(cast, transfer, lead="caseworker", status=422)
    await accept(cast, transfer, lead="partner", status=422)
    assert (await incoming(cast, transfer))["status"] == "requested"


async def test_exclusions_travel_with_her_before_anybody_there_sees_the_case(cast: Cast) -> None:
    brother = await newcomer(cast, Role.CASEWORKER, "other_ngo")
    cousin = await newcomer(cast, Role.SUPERVISOR, "other_ngo")
    transfer = await asked(cast, "id_poor", excluded_user_ids=[cast.id(brother)])
    await exclude(cast, "caseworker", transfer["case_id"], cousin)
    taken = await accept(cast, transfer)
    new_id = taken["opened"]["id"]
    assert await status_of(cast, "stranger", new_id) == 200, "a standard case is seen by the staff"
    for who in (brother, cousin):
        assert await status_of(cast, who, new_id) == 404
        assert not await finds(cast, who, new_id)
    assert not await finds(cast, cousin, new_id, "/caseload")
    refused = await cast.client("other_supervisor").post(
        f"/cases/{new_id}/assignments", json={"user_id": cast.id(brother), "role": "lead"}
    )
    answered(refused, 409)


async def test_an_exclusion_on_another_case_of_hers_travels_too(cast: Cast) -> None:
    first = await open_case(cast, "caseworker", SENSITIVE, client=SOKHA)
    brother = await newcomer(cast, Role.CASEWORKER, "other_ngo")
    second = answered(await open_again(cast, "caseworker", first), 201)["id"]
    await agreed(cast, second)
    transfer = await ask(cast, second)
    await exclude(cast, "caseworker", first, brother)
    taken = await accept(cast, transfer, lead=brother)
    assert await status_of(cast, brother, taken["opened"]["id"]) == 404
    late = await newcomer(cast, Role.CASEWORKER, "other_ngo")
    await exclude(cast, "caseworker", first, late)
    wanted = {"user_id": cast.id(late), "role": "lead"}
    answered(
        await cast.client("other_supervisor").post(f"/cases/{taken['opened']['id']}/assignments", json=wanted), 409
    )


async def test_perpetrators_are_compared_anew_there_and_its_own_lead_answers(cast: Cast, superuser: Superuser) -> None:
    known = await newcomer(cast, Role.CASEWORKER, "other_ngo")
    phone = f"+85512{uuid4().int % 1_000_000:06}"
    path, headers = f"/users/{cast.id(known)}", {"If-Match": "*"}
    answered(await cast.client("admin").patch(path, json={"phones": [phone]}, headers=headers), 200)
    transfer = await asked(cast, incident={"perpetrators": [{"phones": [phone]}]})
    case_id = transfer["case_id"]
    (match,) = await listed(cast, "caseworker", f"/cases/{case_id}/screening")
    said = {"answer": "somebody_else", "reason": "Not of the same village."}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/screening/{match['id']}/answer", json=said), 200)
    taken = await accept(cast, transfer, lead=known)
    new_id = taken["opened"]["id"]
    assert await status_of(cast, known, new_id) == 404
    (again,) = await listed(cast, "other_supervisor", f"/cases/{new_id}/screening", status="open")
    assert (again["user_id"], again["kinds"]) == (cast.id(known), ["phone"])
    later = await newcomer(cast, Role.CASEWORKER, "other_ngo")
    answered(
        await cast.client("admin").patch(f"/users/{cast.id(later)}", json={"phones": [phone]}, headers=headers), 200
    )
    found = {item["user_id"] for item in await listed(cast, "other_supervisor", f"/cases/{new_id}/screening")}
    assert found == {cast.id(known), cast.id(later)}
    assert one(superuser, "select count(*) from incidents where case_id = %s", new_id) == 0


async def test_who_accepts_and_meets_there_is_kept_away_like_everybody_else(cast: Cast) -> None:
    known = await newcomer(cast, Role.SUPERVISOR, "other_ngo")
    phone = f"+85512{uuid4().int % 1_000_000:06}"
    path, headers = f"/users/{cast.id(known)}", {"If-Match": "*"}
    answered(await cast.client("admin").patch(path, json={"phones": [phone]}, headers=headers), 200)
    transfer = await asked(cast, incident={"perpetrators": [{"phones": [phone]}]})
    case_id = transfer["case_id"]
    (match,) = await listed(cast, "caseworker", f"/cases/{case_id}/screening")
    said = {"answer": "somebody_else", "reason": "Not of the same village."}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/screening/{match['id']}/answer", json=said), 200)
    taken = await accept(cast, transfer, known)
    assert taken["status"] == "accepted"
    assert await status_of(cast, known, taken["opened"]["id"]) == 404
    await incoming(cast, transfer, known, 404)
    assert await status_of(cast, "other_supervisor", taken["opened"]["id"]) == 200


async def test_a_case_that_was_raised_stays_sensitive_there(cast: Cast) -> None:
    transfer = await asked(cast, "id_poor", sensitivity="sensitive")
    taken = await accept(cast, transfer)
    assert (await read(cast, "other_supervisor", taken["opened"]["id"]))["sensitivity"] == "sensitive"
    assert await status_of(cast, "stranger", taken["opened"]["id"]) == 404


async def test_twenty_who_accept_at_once_open_one_case(cast: Cast, superuser: Superuser) -> None:
    transfer = await asked(cast)
    before = one(superuser, "select count(*) from cases where organisation_id = %s", cast.organisation("other_ngo"))
    client = cast.client("other_supervisor")
    path = f"/transfers/{transfer['id']}/accept"
    answers = await asyncio.gather(*(client.post(path, json={}) for _ in range(20)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 19}
    after = one(superuser, "select count(*) from cases where organisation_id = %s", cast.organisation("other_ngo"))
    assert after == before + 1
    assert one(superuser, "select count(*) from transfers where case_id = %s", transfer["case_id"]) == 1


async def test_of_yes_no_and_withdrawal_at_once_one_counts(cast: Cast) -> None:
    for _ in range(4):
        transfer = await asked(cast)
        path = f"/cases/{transfer['case_id']}/transfers/{transfer['id']}/withdraw"
        answers = await asyncio.gather(
            cast.client("other_supervisor").post(f"/transfers/{transfer['id']}/accept", json={}),
            cast.client("other_supervisor").post(f"/transfers/{transfer['id']}/decline", json={"reason": "No."}),
            cast.client("caseworker").post(path, json={}),
        )
        assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 2}


async def test_a_repeated_yes_is_the_same_yes(cast: Cast) -> None:
    transfer = await asked(cast)
    path, headers = f"/transfers/{transfer['id']}/accept", {"Idempotency-Key": uuid4().hex}
    first = answered(await cast.client("other_supervisor").post(path, json={}, headers=headers), 200)
    again = await cast.client("other_supervisor").post(path, json={}, headers=headers)
    assert (answered(again, 200), again.headers["Idempotency-Replayed"]) == (first, "true")


async def test_a_yes_asks_for_the_password_again(cast: Cast, clock: FrozenClock) -> None:
    transfer = await asked(cast)
    clock.advance(minutes=6)
    client = cast.client("other_supervisor")
    bare = {"Authorization": (await client.get("/me")).request.headers["Authorization"]}
    async with type(client)(transport=cast.transport, base_url=client.base_url, headers=bare) as without_step_up:
        refused = await without_step_up.post(f"/transfers/{transfer['id']}/accept", json={})
        assert answered(refused, 401)["code"] == "step_up_required"
        unknown = await without_step_up.post(f"/transfers/{uuid4()}/accept", json={})
        assert unknown.status_code == 404


# ---- the no, and what ends it ----


async def test_a_no_is_told_to_the_sender_and_destroys_what_would_have_been_told(
    cast: Cast, superuser: Superuser
) -> None:
    transfer = await asked(cast)
    assert one(superuser, "select snapshot_sealed is not null from transfers where id = %s", transfer["id"])
    assert (await decline(cast, transfer))["status"] == "rejected"
    shown = await sent(cast, transfer)
    assert (shown["status"], shown["answer"]) == ("rejected", "Nobody of ours goes there.")
    stored = superuser.execute(
        "select snapshot_sealed, answer_sealed from transfers where id = %s", [transfer["id"]]
    ).fetchone()
    assert stored is not None
    assert stored[0] is None
    assert b"ours" not in stored[1]
    await accept(cast, transfer, status=409)
    await decline(cast, transfer, status=409)
    await withdraw(cast, transfer, status=409)
    assert (await read(cast, "caseworker", transfer["case_id"]))["status"] == "intake"
    types = [item["type"] for item in await listed(cast, "caseworker", f"/cases/{transfer['case_id']}/timeline")]
    assert "transfer.declined" in types
    await ask(cast, transfer["case_id"])


async def test_a_withdrawal_destroys_it_as_well(cast: Cast, superuser: Superuser) -> None:
    transfer = await asked(cast)
    assert (await withdraw(cast, transfer))["status"] == "cancelled"
    assert one(superuser, "select snapshot_sealed is null from transfers where id = %s", transfer["id"])
    await accept(cast, transfer, status=409)
    await withdraw(cast, transfer, status=409)


async def test_a_transfer_ends_in_the_second_in_which_she_takes_her_consent_back(
    cast: Cast, superuser: Superuser
) -> None:
    transfer = await asked(cast)
    other = await agreed(cast, transfer["case_id"], ["name"])
    consents = await listed(cast, "caseworker", f"/cases/{transfer['case_id']}/consents")
    (resting_on,) = [item["id"] for item in consents if item["purpose"] == "referral" and item["id"] != other]
    path = f"/cases/{transfer['case_id']}/consents"
    answered(await cast.client("caseworker").post(f"{path}/{other}/withdraw", json={}), 200)
    assert (await sent(cast, transfer))["status"] == "requested", "it rests on another one"
    answered(await cast.client("caseworker").post(f"{path}/{resting_on}/withdraw", json={}), 200)
    assert (await sent(cast, transfer))["status"] == "cancelled"
    types = [item["type"] for item in await listed(cast, "caseworker", f"/cases/{transfer['case_id']}/timeline")]
    assert "transfer.cancelled" in types
    assert one(superuser, "select snapshot_sealed is null from transfers where id = %s", transfer["id"])
    await accept(cast, transfer, status=409)


async def test_a_consent_that_has_lapsed_is_none(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, "caseworker", SENSITIVE)
    today = day_of(clock()).isoformat()
    await agreed(cast, case_id, expires_on=today)
    transfer = await ask(cast, case_id)
    in_time = await open_case(cast, "caseworker", SENSITIVE)
    await agreed(cast, in_time, expires_on=today)
    await accept(cast, await ask(cast, in_time))
    clock.advance(days=2)
    assert (await accept(cast, transfer, status=409))["code"] == "consent_required"
    assert (await sent(cast, transfer))["status"] == "requested"


async def test_a_consent_that_was_taken_back_is_none_even_if_nothing_was_cancelled(
    cast: Cast, superuser: Superuser
) -> None:
    transfer = await asked(cast)
    superuser.execute("set session_replication_role = replica")  # no trigger runs
    superuser.execute("update consents set withdrawn_at = created_at where case_id = %s", [transfer["case_id"]])
    superuser.execute("set session_replication_role = origin")
    assert (await accept(cast, transfer, status=409))["code"] == "consent_required"


async def test_when_what_is_safe_has_changed_no_contact_is_told(cast: Cast) -> None:
    transfer, of_another = await asked(cast), await asked(cast)
    headers = {"If-Match": "*"}
    change: Any = {"priority": "urgent"}
    answered(await cast.client("caseworker").patch(f"/cases/{transfer['case_id']}", json=change, headers=headers), 200)
    assert not (await sent(cast, transfer))["contact_suspended"]
    change = {"safe_contact": {"do_not_contact": True}}
    answered(await cast.client("caseworker").patch(f"/cases/{transfer['case_id']}", json=change, headers=headers), 200)
    assert (await sent(cast, transfer))["contact_suspended"]
    assert not (await sent(cast, of_another))["contact_suspended"]
    taken = await accept(cast, transfer)
    case = await read(cast, "other_supervisor", taken["opened"]["id"])
    assert (case["safe_contact"]["do_not_contact"], case["village_code"]) == (True, None)
    assert case["summary"] == "He hits her; she hides."
    person = answered(await cast.client("other_supervisor").get(f"/people/{case['client']['id']}"), 200)
    assert (person["phones"], person["village_code"]) == ([], None)


async def test_erasing_the_old_case_destroys_the_transfer_and_its_key(cast: Cast, superuser: Superuser) -> None:
    transfer = await asked(cast)
    case_id = transfer["case_id"]
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    wish = {"reason_code": "client_wish", "reason": "She asked us to forget her."}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/erasure", json=wish), 201)
    answered(await cast.client("supervisor").post(f"/cases/{case_id}/erasure/confirm"), 204)
    await incoming(cast, transfer, status=404)
    await accept(cast, transfer, status=404)
    assert one(superuser, "select count(*) from transfers where id = %s", transfer["id"]) == 0
    assert one(superuser, "select count(*) from vault.data_keys where home = %s", transfer["id"]) == 0


async def test_either_case_is_erased_without_the_other(cast: Cast, superuser: Superuser) -> None:
    transfer = await asked(cast)
    new_id = (await accept(cast, transfer, lead="stranger"))["opened"]["id"]
    await assign(cast, "other_supervisor", new_id, "other_supervisor", "reviewer")
    wish = {"reason_code": "client_wish", "reason": "She asked us to forget her."}
    answered(await cast.client("stranger").post(f"/cases/{new_id}/erasure", json=wish), 201)
    answered(await cast.client("other_supervisor").post(f"/cases/{new_id}/erasure/confirm"), 204)
    assert (await incoming(cast, transfer))["opened"] is None
    assert one(superuser, "select opened_case_id is null from transfers where id = %s", transfer["id"])
    assert (await sent(cast, transfer))["status"] == "accepted"


async def test_nobody_else_answers_by_the_databases_functions(
    cast: Cast, superuser: Superuser, database: DatabaseUrls
) -> None:
    waiting, declined, taken = await asked(cast), await asked(cast), await asked(cast)
    await decline(cast, declined)
    words = "select answer_sealed from transfers where id = %s"
    before = one(superuser, words, declined["id"])
    note = "select note_transfer(%s, 'x')"
    for who in ("stranger", "other_supervisor"):
        call_as(cast, database, who, note, waiting["id"])
        call_as(cast, database, who, note, declined["id"])
    assert one(superuser, words, waiting["id"]) is None
    assert one(superuser, words, declined["id"]) == before
    call_as(cast, database, "stranger", "select suspend_transfer_contact(%s)", waiting["case_id"])
    assert not (await sent(cast, waiting))["contact_suspended"]
    new_id = (await accept(cast, taken))["opened"]["id"]
    superuser.execute("update transfers set opened_case_id = null where id = %s", [taken["id"]])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        call_as(cast, database, "other_supervisor", "select settle_transfer(%s, %s)", taken["id"], new_id)


async def test_the_trail_says_who_of_the_receivers_looked_and_accepted(cast: Cast, superuser: Superuser) -> None:
    transfer = await asked(cast)
    await incoming(cast, transfer)
    taken = await accept(cast, transfer)
    query = (
        "select action, case_ids::text[], via from audit_events where actor_id = %s and %s = any (case_ids::text[])"
        " order by at, seq"
    )
    found = superuser.execute(query, [cast.id("other_supervisor"), transfer["case_id"]]).fetchall()
    ways = {action: dict(zip(cases, via, strict=True)) for action, cases, via in found}
    assert ways["read_incoming"][transfer["case_id"]] == "transfer"
    assert ways["accept_transfer"] == {transfer["case_id"]: "transfer", taken["opened"]["id"]: "opener"}


# ---- help that is not settled ----


@pytest.mark.parametrize(
    ("state", "blocked_by"),
    [
        ("submitted", "undecided_assistance"),
        ("approved", "unpaid_assistance"),
        ("part_paid", "unpaid_assistance"),
        ("paid", None),
        ("declined", None),
        ("withdrawn", None),
        ("cancelled", None),
    ],
)
async def test_a_case_is_not_handed_over_while_help_for_her_is_not_settled(
    cast: Cast, state: str, blocked_by: str | None
) -> None:
    transfer = await asked(cast, "id_poor")
    case_id = transfer["case_id"]
    request = await in_state(cast, case_id, state)
    if blocked_by is None:
        assert (await accept(cast, transfer))["status"] == "accepted"
        return
    # Who is to take it learns that something is, and not what; nothing has happened.
    refused = await accept(cast, transfer, status=409)
    assert (refused["code"], refused["cause"]) == ("conflict", "unsettled")
    assert "assistance" not in str(refused)
    assert (await sent(cast, transfer))["status"] == "requested"
    assert (await helping.read(cast, request))["status"] == state
    assert (await read(cast, "caseworker", case_id))["status"] == "intake"
    await withdraw(cast, transfer)
    again = await ask(cast, case_id, status=409)
    assert (again["code"], again["blocked_by"]) == ("closure_blocked", [blocked_by])


async def test_what_waits_on_another_case_of_hers_keeps_nobody_from_handing_this_one_over(cast: Cast) -> None:
    await in_state(cast, await open_case(cast), "part_paid")
    assert (await accept(cast, await asked(cast, "id_poor")))["status"] == "accepted"


async def test_who_worked_on_a_referral_of_hers_is_told_that_it_ends_with_the_transfer(cast: Cast) -> None:
    transfer, clinic = await asked(cast), await partner(cast)
    waiting, working = [await clinic.referred(transfer["case_id"]) for _ in range(2)]
    await clinic.move(working, "accepted")
    read_until = (await clinic.events())["next_cursor"]
    await accept(cast, transfer)
    told = (await clinic.events(after=read_until))["items"]
    assert {(one["type"], one["data"]["referral_id"]) for one in told} == {
        ("referral.cancelled", waiting["id"]),
        ("referral.cancelled", working["id"]),
    }
    ended = await clinic.call("GET", f"/referrals/{working['id']}", 200)
    assert (ended["status"], ended["disclosed"]) == ("cancelled", None)
