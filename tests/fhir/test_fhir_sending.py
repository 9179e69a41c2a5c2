"""A partner sends a client in a transaction: taken once and whole, or refused where it is wrong and nothing written."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.calendar import day_of
from tests.cast import COMMUNE, VILLAGE, Cast
from tests.fhir.asking import FHIR_JSON, ROOT, ask, changed, concept, get, refusal, resource_of, transaction, where
from tests.fhir.oracle import problems
from tests.referring import seen
from tests.test_referrals_in import case_of

Superuser = psycopg.Connection[Any]

WRITTEN = """
    select (select count(*) from cases), (select count(*) from referrals), (select count(*) from people),
           (select count(*) from consents), (select count(*) from events)
"""


async def send(cast: Cast, bundle: Any, who: str = "partner", path: str = "") -> Any:
    return await ask(cast, who, "POST", path, json=bundle)


def own_number(bundle: dict[str, Any]) -> str:
    number: str = resource_of(bundle, "Task")["identifier"][0]["value"]
    return number


async def test_what_is_sent_is_fhir_and_so_is_what_comes_back(cast: Cast) -> None:
    bundle = transaction(cast)
    assert problems(bundle) == []
    answer = (await send(cast, bundle)).json()
    assert answer["type"] == "transaction-response"
    made = [entry["response"] for entry in answer["entry"]]
    assert [one["status"] for one in made] == ["201 Created"] * 4
    kinds = [one.get("location", "").partition("/")[0] for one in made]
    assert kinds == ["Patient", "ServiceRequest", "Task", ""]
    task = await get(cast, f"/{made[2]['location']}")
    codes = {one["type"]["coding"][0]["code"]: one["value"] for one in task["identifier"]}
    assert codes["PLAC"] == own_number(bundle)
    assert codes["FILL"].startswith("RF-")
    assert (task["status"], "for" in task) == ("requested", False)


async def test_she_is_taken_in_with_all_that_was_sent_and_the_sender_reads_none_of_it(cast: Cast) -> None:
    place = [{"text": "Behind the pagoda", "extension": [{"url": "urn:samaki:fhir:area-code", "valueCode": VILLAGE}]}]
    rules = [{"url": "channel", "valueCode": "phone"}, {"url": "code", "valueString": "Are the mangoes ripe?"}]
    safe = [{"url": "urn:samaki:fhir:safe-contact", "extension": rules}]
    bundle = changed(transaction(cast), "Patient", address=place, extension=safe)
    bundle = changed(bundle, "ServiceRequest", note=[{"text": "Her left arm."}])
    location = (await send(cast, bundle)).json()["entry"][2]["response"]["location"]
    referral = {"id": location.partition("/")[2]}
    case = await case_of(cast, referral)
    assert (case["category"], case["commune_code"], case["priority"]) == ("domestic_violence", COMMUNE, "urgent")
    assert case["summary"] == "She came with a broken arm.\nHer left arm."
    assert case["safe_contact"]["code_phrase"] == "Are the mangoes ripe?"
    assert case["client"]["sex"] == "female"
    for kind in ("Task", "ServiceRequest"):
        read = json.dumps(await get(cast, f"/{kind}/{referral['id']}"), ensure_ascii=False)
        for secret in ("Sreymom", "Chan", "ស្រីមុំ", VILLAGE, COMMUNE, "mangoes", "broken", case["id"], case["code"]):
            assert secret not in read
    refusal(await ask(cast, "partner", "GET", f"/Patient/{referral['id']}"), 404, "not_found")


async def test_the_same_identifier_again_is_the_first_referral(cast: Cast, superuser: Superuser) -> None:
    bundle = transaction(cast)
    first = (await send(cast, bundle)).json()["entry"][2]["response"]
    before = superuser.execute(WRITTEN).fetchone()
    again = (await send(cast, bundle, path="/")).json()["entry"][2]
    assert again["response"]["location"] == first["location"]
    assert again["response"]["status"] == "200 OK"
    assert superuser.execute(WRITTEN).fetchone() == before


async def test_the_same_identifier_for_something_else_is_a_conflict(cast: Cast, superuser: Superuser) -> None:
    bundle = transaction(cast)
    await send(cast, bundle)
    before = superuser.execute(WRITTEN).fetchone()
    elsewhere = {"reference": f"Organization/{cast.organisation('other_ngo')}"}
    moved = changed(changed(bundle, "Task", owner=elsewhere), "ServiceRequest", performer=[elsewhere])
    both = changed(bundle, "ServiceRequest", priority="stat"), changed(bundle, "Patient", birthDate="1992")
    for other in (*both, moved):
        refusal(await send(cast, other), 409, "external_id_reused")
    assert superuser.execute(WRITTEN).fetchone() == before


async def test_an_idempotency_key_takes_nothing_from_the_answer(cast: Cast) -> None:
    bundle, headers = transaction(cast), {"Idempotency-Key": uuid4().hex}
    first, again = [await ask(cast, "partner", "POST", "", json=bundle, headers=headers) for _ in range(2)]
    assert [one.json()["entry"][2]["response"]["status"] for one in (first, again)] == ["201 Created", "200 OK"]


async def test_the_same_bundle_many_times_at_once_is_one_case(cast: Cast, superuser: Superuser) -> None:
    bundle, before = transaction(cast), superuser.execute("select count(*) from cases").fetchone()
    answers = await asyncio.gather(*(send(cast, bundle) for _ in range(8)))
    assert len({answer.json()["entry"][2]["response"]["location"] for answer in answers}) == 1
    after = superuser.execute("select count(*) from cases").fetchone()
    assert before is not None
    assert after == (before[0] + 1,)


async def test_only_partners_send(cast: Cast) -> None:
    for who in ("caseworker", "supervisor", "liaison", "auditor", "admin"):
        refusal(await send(cast, transaction(cast), who), 403, "forbidden")
    refusal(await send(cast, transaction(cast), "nobody"), 401, "unauthenticated")


ACTS = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ADDRESS = "urn:samaki:fhir:area-code"
WRONG: dict[str, tuple[Any, str]] = {
    "an unknown resource": (
        lambda b: b["entry"].append({"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Banana"}}),
        "entry[4].resource",
    ),
    "a resource that is not taken": (
        lambda b: b["entry"][0].update(resource={"resourceType": "Observation", "status": "final"}),
        "entry[0].resource",
    ),
    "a second Task": (lambda b: b["entry"].append({**b["entry"][2], "fullUrl": "urn:uuid:2"}), "entry"),
    "no Consent": (lambda b: b["entry"].pop(3), "entry"),
    "two entries of one address": (lambda b: b["entry"][3].update(fullUrl=b["entry"][0]["fullUrl"]), "entry"),
    "a dangling focus": (
        lambda b: b["entry"][2]["resource"].update(focus={"reference": "urn:uuid:none"}),
        "entry[2].resource.focus",
    ),
    "a dangling subject": (
        lambda b: b["entry"][1]["resource"].update(subject={"reference": "Patient/1"}),
        "entry[1].resource.subject",
    ),
    "a dangling patient": (
        lambda b: b["entry"][3]["resource"].update(patient={"reference": "urn:uuid:none"}),
        "entry[3].resource.patient",
    ),
    "a focus of another type": (
        lambda b: b["entry"][2]["resource"].update(focus={"reference": b["entry"][0]["fullUrl"]}),
        "entry[2].resource.focus",
    ),
    "no focus": (lambda b: b["entry"][2]["resource"].pop("focus"), "entry[2].resource.focus"),
    "banana": (lambda b: b["entry"][2]["resource"].update(status="banana"), "entry[2].resource.status"),
    "a status of FHIR's that is none to begin with": (
        lambda b: b["entry"][2]["resource"].update(status="accepted"),
        "entry[2].resource.status",
    ),
    "a draft request": (
        lambda b: b["entry"][1]["resource"].update(status="draft"),
        "entry[1].resource.status",
    ),
    "a year of five digits": (
        lambda b: b["entry"][3]["resource"].update(dateTime="22012-01-01"),
        "entry[3].resource.dateTime",
    ),
    "a day of one digit": (
        lambda b: b["entry"][0]["resource"].update(birthDate="2022-05-1"),
        "entry[0].resource.birthDate",
    ),
    "a day that there is not": (
        lambda b: b["entry"][0]["resource"].update(birthDate="2022-02-30"),
        "entry[0].resource.birthDate",
    ),
    "a time without a zone": (
        lambda b: b["entry"][2]["resource"].update(authoredOn="2026-03-01T10:00:00"),
        "entry[2].resource.authoredOn",
    ),
    "an area code as a number": (
        lambda b: b["entry"][0]["resource"].update(address=[{"extension": [{"url": ADDRESS, "valueCode": 170201}]}]),
        "entry[0].resource.address[0].extension[0].valueCode",
    ),
    "an area code as an integer of FHIR": (
        lambda b: b["entry"][0]["resource"].update(address=[{"extension": [{"url": ADDRESS, "valueInteger": 170201}]}]),
        "entry[0].resource.address",
    ),
    "an unknown area": (
        lambda b: b["entry"][0]["resource"].update(address=[{"extension": [{"url": ADDRESS, "valueCode": "990101"}]}]),
        "entry[0].resource.address",
    ),
    "no area": (lambda b: b["entry"][0]["resource"].pop("address"), "entry[0].resource.address"),
    "no name": (lambda b: b["entry"][0]["resource"].pop("name"), "entry[0].resource.name"),
    "an element that nobody reads": (
        lambda b: b["entry"][0]["resource"].update(maritalStatus={"text": "M"}),
        "entry[0].resource.maritalStatus",
    ),
    "an extension that nobody reads": (
        lambda b: b["entry"][0]["resource"].update(extension=[{"url": "http://x/y", "valueCode": "z"}]),
        "entry[0].resource.extension",
    ),
    "a null": (lambda b: b["entry"][0]["resource"].update(birthDate=None), "?"),
    "no number of the sender": (
        lambda b: b["entry"][2]["resource"].pop("identifier"),
        "entry[2].resource.identifier",
    ),
    "a number that is a name": (
        lambda b: b["entry"][2]["resource"]["identifier"][0].update(value="Chan Sreymom"),
        "entry[2].resource.identifier",
    ),
    "no category": (lambda b: b["entry"][1]["resource"].pop("category"), "entry[1].resource.category"),
    "an unknown category": (
        lambda b: b["entry"][1]["resource"].update(category=[concept("category", "banana")]),
        "entry[1].resource.category",
    ),
    "nothing of the need": (
        lambda b: b["entry"][1]["resource"].pop("reasonCode"),
        "entry[1].resource.reasonCode",
    ),
    "an unknown receiver": (
        lambda b: [
            b["entry"][2]["resource"].update(owner={"reference": f"Organization/{uuid4()}"}),
            b["entry"][1]["resource"].pop("performer"),
        ],
        "entry[2].resource.owner",
    ),
    "another performer": (
        lambda b: b["entry"][1]["resource"].update(performer=[{"reference": f"Organization/{uuid4()}"}]),
        "entry[1].resource.performer",
    ),
    "another sender": (
        lambda b: b["entry"][2]["resource"].update(requester={"reference": f"Organization/{uuid4()}"}),
        "entry[2].resource.requester",
    ),
    "a consent that is not": (
        lambda b: b["entry"][3]["resource"].update(status="rejected"),
        "entry[3].resource.status",
    ),
    "a consent that forbids": (
        lambda b: b["entry"][3]["resource"].update(provision={"type": "deny"}),
        "entry[3].resource.provision.type",
    ),
    "a consent without a form": (
        lambda b: b["entry"][3]["resource"].pop("extension"),
        "entry[3].resource.extension",
    ),
    "a consent of no day": (
        lambda b: b["entry"][3]["resource"].pop("dateTime"),
        "entry[3].resource.dateTime",
    ),
    "a consent to somebody else": (
        lambda b: b["entry"][3]["resource"].update(
            provision={
                "actor": [{"role": {"text": "recipient"}, "reference": {"reference": f"Organization/{uuid4()}"}}]
            }
        ),
        "entry[3].resource.provision.actor",
    ),
    "a consent that ends before it was given": (
        lambda b: b["entry"][3]["resource"].update(provision={"period": {"end": "2020-01-01"}}),
        "entry[3].resource.provision.period",
    ),
    "a consent that is over": (
        lambda b: b["entry"][3]["resource"].update(dateTime="2025-01-01", provision={"period": {"end": "2025-06-01"}}),
        "entry[3].resource.provision.period",
    ),
    "a consent that begins later": (
        lambda b: b["entry"][3]["resource"].update(provision={"period": {"start": "2030-01-01"}}),
        "entry[3].resource.provision.period",
    ),
    "a consent that begins in another year": (
        lambda b: b["entry"][3]["resource"].update(provision={"period": {"start": "2030"}}),
        "entry[3].resource.provision.period",
    ),
    "who has opted out": (
        lambda b: b["entry"][3]["resource"].update(policyRule={"coding": [{"system": ACTS, "code": "OPTOUT"}]}),
        "entry[3].resource.policyRule",
    ),
    "who has opted out with exceptions": (
        lambda b: b["entry"][3]["resource"].update(policyRule={"coding": [{"system": ACTS, "code": "OPTOUTE"}]}),
        "entry[3].resource.policyRule",
    ),
    "a consent to research": (
        lambda b: b["entry"][3]["resource"]["scope"]["coding"][0].update(code="research"),
        "entry[3].resource.scope",
    ),
    "a consent that somebody else keeps": (
        lambda b: b["entry"][3]["resource"].update(organization=[{"reference": f"Organization/{uuid4()}"}]),
        "entry[3].resource.organization",
    ),
    "two forms of the consent": (
        lambda b: b["entry"][3]["resource"]["extension"].append(
            {"url": "urn:samaki:fhir:consent-form", "valueCode": "written"}
        ),
        "entry[3].resource.extension",
    ),
    "two categories": (
        lambda b: b["entry"][1]["resource"]["category"].insert(0, concept("category", "id_poor")),
        "entry[1].resource.category",
    ),
    "two areas of one address": (
        lambda b: b["entry"][0]["resource"].update(
            address=[{"extension": [{"url": ADDRESS, "valueCode": code} for code in (COMMUNE, "170202")]}]
        ),
        "entry[0].resource.address",
    ),
    "an address of before": (
        lambda b: b["entry"][0]["resource"]["address"][0].update(use="old"),
        "entry[0].resource.address",
    ),
    "a telephone of before": (
        lambda b: b["entry"][0]["resource"]["telecom"][0].update(use="old"),
        "entry[0].resource.telecom",
    ),
    "a telephone of two people": (
        lambda b: b["entry"][0]["resource"]["telecom"][0].update(
            extension=[{"url": "urn:samaki:fhir:phone-owner", "valueCode": who} for who in ("self", "neighbour")]
        ),
        "entry[0].resource.telecom",
    ),
    "two rules for how she is reached": (
        lambda b: b["entry"][0]["resource"].update(
            extension=[
                {"url": "urn:samaki:fhir:safe-contact", "extension": [{"url": "do-not-contact", "valueBoolean": said}]}
                for said in (True, False)
            ]
        ),
        "entry[0].resource.extension",
    ),
    "two answers to one question": (
        lambda b: b["entry"][0]["resource"].update(
            extension=[
                {
                    "url": "urn:samaki:fhir:disability",
                    "extension": [{"url": "seeing", "valueCode": said} for said in ("none", "a_lot")],
                }
            ]
        ),
        "entry[0].resource.extension",
    ),
    "two priorities": (
        lambda b: b["entry"][2]["resource"].update(priority="stat"),
        "entry[2].resource.priority",
    ),
    "a condition under which it is made": (
        lambda b: b["entry"][2]["request"].update(ifNoneExist="identifier=1"),
        "entry[2].request.ifNoneExist",
    ),
    "an update in it": (lambda b: b["entry"][2]["request"].update(method="PUT"), "entry[2].request.method"),
    "a request of another type": (
        lambda b: b["entry"][2]["request"].update(url="Patient"),
        "entry[2].request.url",
    ),
    "a batch": (lambda b: b.update(type="batch"), "type"),
    "no Bundle": (lambda b: b.update(resourceType="Task"), "resourceType"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_bundle_is_refused_where_it_is_wrong_and_nothing_is_written(
    cast: Cast, superuser: Superuser, wrong: str
) -> None:
    bundle = transaction(cast)
    number, (change, place) = own_number(bundle), WRONG[wrong]
    change(bundle)
    before = superuser.execute(WRITTEN).fetchone()
    refused = await send(cast, bundle)
    refusal(refused, 422, "validation_failed")
    assert where(refused)[0] == place
    assert number not in refused.text
    assert superuser.execute(WRITTEN).fetchone() == before


@pytest.mark.parametrize(
    ("kind", "element", "value"),
    [
        ("ServiceRequest", "reasonReference", [{"reference": "Condition/1"}]),
        ("ServiceRequest", "basedOn", [{"reference": "ServiceRequest/1"}]),
        ("ServiceRequest", "occurrenceDateTime", "2026-03-02"),
        ("Task", "input", []),
        ("Task", "partOf", [{"reference": "Task/1"}]),
        ("Patient", "maritalStatus", {"text": "M"}),
    ],
)
async def test_an_element_of_fhir_that_is_not_read_is_called_so(
    cast: Cast, kind: str, element: str, value: Any
) -> None:
    """There is such a field in FHIR: who is told that there is none looks for a mistake that was not made."""
    issue = refusal(await send(cast, changed(transaction(cast), kind, **{element: value})), 422, "validation_failed")
    assert (issue["code"], issue["details"]["coding"][1]["code"]) == ("not-supported", "not_supported")
    assert issue["diagnostics"] == "This is not read in what is sent in."


async def test_what_is_no_referral_is_told_what_one_is(cast: Cast) -> None:
    taken = "one Patient, ServiceRequest, Task and Consent"
    foreign = transaction(cast)
    foreign["entry"][0]["resource"] = {"resourceType": "Observation", "status": "final"}
    odd = transaction(cast)
    odd["entry"][0]["resource"]["resourceType"] = ["Patient"]
    for bundle in (foreign, odd, *({**transaction(cast), "type": kind} for kind in ("message", "batch", "document"))):
        issue = refusal(await send(cast, bundle), 422, "validation_failed")
        assert issue["code"] == "not-supported"
        assert taken in issue["diagnostics"]
    alone = resource_of(transaction(cast), "Task")
    issue = refusal(await send(cast, alone, path="/Task"), 405, "method_not_allowed")
    assert taken in issue["diagnostics"]


async def test_a_consent_that_says_yes_in_every_way_opens_an_intake(cast: Cast) -> None:
    optin = {"coding": [{"system": ACTS, "code": "OPTIN"}]}
    own = [{"reference": f"Organization/{cast.organisation('clinic')}"}]
    today = day_of(cast.clock()).isoformat()
    lasts = {"type": "permit", "period": {"start": today[:7], "end": today}}
    bundle = changed(transaction(cast), "Consent", policyRule=optin, organization=own, provision=lasts)
    assert (await send(cast, bundle)).json()["entry"][3]["response"]["status"] == "201 Created"


async def test_five_megabytes_are_refused_and_nothing_is_written(cast: Cast, superuser: Superuser) -> None:
    bundle = changed(transaction(cast), "ServiceRequest", reasonCode=[{"text": "a" * 5_000_000}])
    before = superuser.execute(WRITTEN).fetchone()
    refusal(await send(cast, bundle), 413, "payload_too_large")
    many = transaction(cast)
    many["entry"] *= 2_000
    refused = await ask(cast, "partner", "POST", "", content=json.dumps(many), headers={"Content-Type": FHIR_JSON})
    assert refused.status_code in {413, 422}
    assert superuser.execute(WRITTEN).fetchone() == before


async def test_the_trail_and_the_feed_know_of_it_as_of_every_referral(cast: Cast, superuser: Superuser) -> None:
    response = await cast.client("partner").post(ROOT, json=transaction(cast), headers={"Content-Type": FHIR_JSON})
    own_id = response.json()["entry"][2]["response"]["location"].partition("/")[2]
    row = superuser.execute(
        "select action, status from audit_events where request_id = %s", [response.headers["X-Request-ID"]]
    ).fetchall()
    assert row == [("send_fhir_transaction", 200)]
    events = superuser.execute("select type from events where referral_id = %s", [own_id]).fetchall()
    assert events == [("referral.requested",)]
    await seen(cast, {"id": own_id})
