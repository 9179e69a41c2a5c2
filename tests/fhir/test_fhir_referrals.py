"""A referral in FHIR: before the yes nothing of who she is, then what she agreed to; and the steps of both sides."""

import json
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from app.fhir.codes import coding
from app.labels import code_lists
from app.models.codes import CODE_LISTS
from tests.cast import COMMUNE, VILLAGE, Cast, answered
from tests.fhir.asking import LISTS, appointment, ask, concept, get, outcome, patch, refusal, where
from tests.referring import MESSAGE, NEED, PHONE, accepted, move, referred, seen

Superuser = psycopg.Connection[Any]

KINDS = ("Task", "ServiceRequest", "Patient")
# What nobody may know of her before the yes, in whatever form it is read.
SECRETS = ("Kong", "Sokhakolab", PHONE, VILLAGE, COMMUNE, "mangoes", NEED, MESSAGE, "1994", "31", "widowed", "pagoda")


async def everything(cast: Cast, referral: Any, who: str = "partner") -> dict[str, Any]:
    """All that the face tells of a referral: each kind by itself, in a search, and with what is included."""
    paths = [f"/{kind}/{referral['id']}" for kind in KINDS]
    paths += [f"/{kind}?_id={referral['id']}" for kind in KINDS]
    paths += [f"/Task?_id={referral['id']}&_include=Task:focus", f"/Task?focus=ServiceRequest/{referral['id']}"]
    return {path: (await ask(cast, who, "GET", path)).json() for path in paths}


def words_of(told: Any) -> str:
    """All of it without what is no news: ids, times and addresses."""
    passed_over = {"id", "fullUrl", "url", "reference", "lastUpdated", "authoredOn", "lastModified", "end", "versionId"}
    if isinstance(told, dict):
        return " ".join(words_of(value) for name, value in told.items() if name not in passed_over)
    if isinstance(told, list):
        return " ".join(words_of(value) for value in told)
    return str(told)


async def test_before_the_yes_no_resource_says_who_she_is_or_where(cast: Cast) -> None:
    referral = await referred(cast)
    told = await everything(cast, referral)
    for path, resource in told.items():
        for secret in SECRETS:
            assert secret not in words_of(resource), path
    task, request = told[f"/Task/{referral['id']}"], told[f"/ServiceRequest/{referral['id']}"]
    assert "for" not in task
    assert request["subject"]["extension"][0]["valueCode"] == "masked"
    assert request["locationCode"] == [{"coding": [{"system": "urn:samaki:areas", "code": "17"}]}]
    assert told[f"/Patient/{referral['id']}"]["resourceType"] == "OperationOutcome"
    assert "entry" not in told[f"/Patient?_id={referral['id']}"]


@pytest.mark.parametrize(
    ("service", "sector"), [("safe_abortion", "health"), ("police_protection", "other"), ("mental_health", "other")]
)
async def test_before_the_yes_a_protected_service_is_no_more_than_a_sector(
    cast: Cast, service: str, sector: str
) -> None:
    """Of a sector that has no other services `other` is told (decision 0036)."""
    referral = await referred(cast, service_type=service)
    told = await everything(cast, referral)
    assert service not in json.dumps(told)
    assert f"{LISTS}service_type" not in json.dumps(told)
    code = told[f"/ServiceRequest/{referral['id']}"]["code"]["coding"][0]
    assert (code["system"], code["code"]) == (f"{LISTS}sector", sector)
    await move(cast, referral, "accepted")
    request = await get(cast, f"/ServiceRequest/{referral['id']}")
    assert request["code"]["coding"][0]["code"] == service
    listed = await get(cast, f"/ServiceRequest?_id={referral['id']}")
    assert service not in json.dumps(listed), "a list never holds what is told at the yes"


async def test_a_service_that_is_not_protected_is_told_before_the_yes(cast: Cast) -> None:
    referral = await referred(cast)
    request = await get(cast, f"/ServiceRequest/{referral['id']}")
    assert request["code"]["coding"][0]["code"] == "general_health"


async def test_after_the_yes_the_patient_is_exactly_what_she_agreed_to(cast: Cast) -> None:
    referral = await accepted(cast, ["name", "age", "need_summary"])
    patient = await get(cast, f"/Patient/{referral['id']}")
    assert patient.keys() == {"resourceType", "id", "meta", "name", "extension"}
    assert patient["name"] == [{"text": "Kong Sokhakolab"}]
    assert [one["url"] for one in patient["extension"]] == ["urn:samaki:fhir:age"]
    request = await get(cast, f"/ServiceRequest/{referral['id']}")
    assert request["reasonCode"] == [{"text": NEED}]
    assert request["subject"] == {"reference": f"Patient/{referral['id']}"}
    task = await get(cast, f"/Task/{referral['id']}")
    assert task["for"] == {"reference": f"Patient/{referral['id']}"}


async def test_each_field_is_told_by_itself_and_without_her_yes_to_it_never(cast: Cast) -> None:
    marks = {
        "name": "Sokhakolab",
        "sex": '"gender"',
        "age": "fhir:age",
        "commune": f'"{COMMUNE}"',
        "language": '"communication"',
        "disability": "a_lot",
        "risk_level": "risk-level",
        "safe_contact": "mangoes",
    }
    for field in marks:
        referral = await accepted(cast, [field])
        patient = json.dumps(await get(cast, f"/Patient/{referral['id']}"))
        assert {name for name, mark in marks.items() if mark in patient} == {field}


async def test_all_that_can_be_told_is_told_in_its_place(cast: Cast) -> None:
    referral = await accepted(cast)
    patient = await get(cast, f"/Patient/{referral['id']}")
    assert patient["telecom"][0]["value"] == PHONE
    assert patient["address"][0]["extension"][0]["valueCode"] == VILLAGE
    assert patient["gender"] == "female"
    rules = next(one for one in patient["extension"] if one["url"].endswith("safe-contact"))["extension"]
    assert {"url": "channel", "valueCode": "phone"} in rules
    assert {"url": "code", "valueString": "Are the mangoes ripe?"} in rules
    assert (await get(cast, f"/ServiceRequest/{referral['id']}"))["note"] == [{"text": MESSAGE}]


async def test_reading_a_patient_is_an_opening_on_the_receipt_and_reading_a_task_is_none(cast: Cast) -> None:
    referral = await referred(cast)
    assert (await patch(cast, referral, {"status": "accepted"})).status_code == 200
    for path in (f"/Task/{referral['id']}", f"/Task?_id={referral['id']}&_include=Task:focus", "/Patient"):
        await get(cast, path)
    assert (await seen(cast, referral, "caseworker", rest="/receipt"))["openings"] == []
    await get(cast, f"/Patient/{referral['id']}")
    await get(cast, f"/ServiceRequest/{referral['id']}")
    assert len((await seen(cast, referral, "caseworker", rest="/receipt"))["openings"]) == 2


async def test_a_search_for_patients_gives_ids_only(cast: Cast) -> None:
    referral = await accepted(cast)
    (entry,) = (await get(cast, f"/Patient?_id={referral['id']}"))["entry"]
    assert entry["resource"].keys() == {"resourceType", "id", "meta"}
    assert entry["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"


async def test_with_the_consent_the_patient_goes(cast: Cast) -> None:
    referral = await accepted(cast)
    case = answered(await cast.client("caseworker").get(f"/cases/{referral['case_id']}/consents"), 200)["items"]
    consent = next(one for one in case if one["purpose"] == "referral")
    path = f"/cases/{referral['case_id']}/consents/{consent['id']}/withdraw"
    answered(await cast.client("caseworker").post(path, json={}), 200)
    refusal(await ask(cast, "partner", "GET", f"/Patient/{referral['id']}"), 404, "not_found")
    task = await get(cast, f"/Task/{referral['id']}")
    assert (task["status"], "for" in task) == ("cancelled", False)
    assert task["statusReason"]["coding"][0]["code"] == "consent_withdrawn"
    assert NEED not in json.dumps(await everything(cast, referral))


@pytest.mark.parametrize("kind", KINDS)
async def test_hidden_and_unknown_are_the_same_bytes(cast: Cast, kind: str) -> None:
    referral = await referred(cast)
    answers = set()
    for who, own_id in (
        ("other_supervisor", referral["id"]),
        ("other_supervisor", str(uuid4())),
        ("other_supervisor", "no-id"),
    ):
        response = await ask(cast, who, "GET", f"/{kind}/{own_id}")
        own = response.headers["X-Request-ID"].encode()
        answers.add((response.status_code, response.content.replace(own, b"")))
    assert len(answers) == 1
    assert answers.pop()[0] == 404


async def test_a_referral_of_another_organisation_is_in_no_search(cast: Cast) -> None:
    referral = await referred(cast)
    for path in ("/Task?", f"/Task?_id={referral['id']}&", f"/Task?focus=ServiceRequest/{referral['id']}&"):
        page = await get(cast, f"{path}_count=200", "other_supervisor")
        assert referral["id"] not in json.dumps(page.get("entry", []))


# ---- steps ----


async def test_a_referral_goes_its_way_by_patches(cast: Cast, superuser: Superuser) -> None:
    referral = await referred(cast)
    steps: list[tuple[dict[str, Any], str]] = [
        ({"status": "accepted"}, "accepted"),
        ({"output": [appointment("2026-03-20T09:00:00+07:00")]}, "accepted"),
        ({"status": "in-progress"}, "in_progress"),
        ({"status": "on-hold", "statusReason": concept("referral_reason", "no_capacity", "Next week.")}, "on_hold"),
        ({"status": "in-progress", "businessStatus": concept("referral_business_status", "visited")}, "in_progress"),
        ({"status": "completed", "output": [outcome("attended")]}, "completed"),
    ]
    for values, state in steps:
        response = await patch(cast, referral, values)
        assert response.status_code == 200, response.json()
        assert response.headers["ETag"] == f'W/"{response.json()["meta"]["versionId"]}"'
        assert (await seen(cast, referral))["status"] == state
    ended = await seen(cast, referral)
    assert (ended["outcome_code"], ended["business_status"]) == ("attended", "visited")
    found = superuser.execute("select type from events where referral_id = %s order by at", [referral["id"]]).fetchall()
    told = [kind for (kind,) in found]
    assert told.count("referral.accepted") == 1
    assert told[-1] == "referral.completed"


async def test_the_whole_task_put_back_with_another_status_is_the_same_step(cast: Cast) -> None:
    referral = await referred(cast)
    read = await ask(cast, "partner", "GET", f"/Task/{referral['id']}")
    task = {**read.json(), "status": "rejected", "statusReason": concept("referral_reason", "no_capacity", "Full.")}
    put = await ask(cast, "partner", "PUT", f"/Task/{referral['id']}", json=task, headers={"If-Match": 'W/"1"'})
    assert put.json()["status"] == "rejected"
    assert put.json()["statusReason"]["text"] == "Full."
    assert (await seen(cast, referral, "caseworker"))["reason_code"] == "no_capacity"


async def test_a_task_put_back_as_it_is_changes_nothing(cast: Cast) -> None:
    referral = await referred(cast)
    task = await get(cast, f"/Task/{referral['id']}")
    put = await ask(cast, "partner", "PUT", f"/Task/{referral['id']}", json=task, headers={"If-Match": 'W/"1"'})
    assert put.json() == task


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("priority", "stat"),
        ("owner", {"reference": f"Organization/{uuid4()}"}),
        ("for", {"reference": "Patient/1"}),
        ("focus", {"reference": "ServiceRequest/1"}),
        ("id", "another"),
        ("restriction", {"period": {"end": "2030-01-01T00:00:00Z"}}),
        ("identifier", [{"value": "mine"}]),
        ("intent", "plan"),
        ("note", [{"text": "Hello"}]),
    ],
)
async def test_nothing_else_of_a_task_can_be_changed(cast: Cast, element: str, value: Any) -> None:
    referral = await referred(cast)
    task = {**await get(cast, f"/Task/{referral['id']}"), element: value, "status": "accepted"}
    refused = await ask(cast, "partner", "PUT", f"/Task/{referral['id']}", json=task, headers={"If-Match": "*"})
    refusal(refused, 422, "validation_failed")
    assert where(refused) == [element]
    assert (await seen(cast, referral))["status"] == "requested"


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"status": "banana"}, "[0].value"),
        ({"status": "received"}, "status"),
        ({"status": "rejected"}, "statusReason"),
        ({"status": "rejected", "statusReason": concept("referral_reason", "bananas")}, "statusReason"),
        ({"status": "rejected", "statusReason": {"text": "x" * 300}}, "statusReason"),
        ({"statusReason": {"text": "Why?"}}, "statusReason"),
        ({"status": "accepted", "output": [outcome("attended")]}, "output"),
        ({"output": [appointment("2026-03-20")]}, "output"),
        ({"output": [{"type": {"text": "other"}}]}, "output"),
        ({"output": [appointment("22012-01-01")]}, "[0].value[0].valueDateTime"),
        ({"businessStatus": {"text": "soon"}}, "businessStatus"),
        ({"owner": {"reference": "x"}}, "[0]"),
    ],
)
async def test_what_cannot_be_meant_is_refused_where_it_stands(cast: Cast, values: dict[str, Any], place: str) -> None:
    referral = await referred(cast)
    refused = await patch(cast, referral, values)
    refusal(refused, 422, "validation_failed")
    assert where(refused) == [place]
    assert (await seen(cast, referral))["status"] == "requested"


async def test_a_step_of_the_other_side_and_a_step_twice_are_refused_as_everywhere(cast: Cast) -> None:
    referral = await referred(cast)
    refusal(await patch(cast, referral, {"status": "accepted"}, "caseworker"), 403, "forbidden")
    assert (await patch(cast, referral, {"status": "accepted"})).status_code == 200
    refused = await patch(cast, referral, {"status": "rejected", "statusReason": {"text": "No."}})
    issue = refusal(refused, 409, "illegal_transition")
    assert "in_progress" in issue["diagnostics"]
    refusal(await patch(cast, referral, {"status": "accepted"}, "other_supervisor"), 404, "not_found")


async def test_who_changes_a_task_says_which_version(cast: Cast) -> None:
    referral = await referred(cast)
    path = f"/Task/{referral['id']}"
    task = {**await get(cast, path), "status": "accepted"}
    refusal(await ask(cast, "partner", "PUT", path, json=task), 428, "precondition_required")
    for stale in ('W/"9"', '"9"', "nonsense"):
        refused = await ask(cast, "partner", "PUT", path, json=task, headers={"If-Match": stale})
        refusal(refused, 412, "precondition_failed")
        assert refused.headers["ETag"] == 'W/"1"'
    put = await ask(cast, "partner", "PUT", path, json=task, headers={"If-Match": 'W/"8", W/"1"'})
    assert put.json()["status"] == "accepted"


async def test_both_sides_numbers_stand_in_the_task(cast: Cast) -> None:
    referral = await referred(cast)
    (own,) = (await get(cast, f"/Task/{referral['id']}"))["identifier"]
    assert (own["type"]["coding"][0]["code"], own["value"]) == ("PLAC", referral["code"])
    task = await get(cast, f"/Task/{referral['id']}")
    assert task["restriction"]["period"]["end"] == referral["due_at"]
    assert task["requester"]["reference"] == f"Organization/{cast.organisation('ngo')}"
    assert task["owner"]["reference"] == f"Organization/{cast.organisation('clinic')}"
    assert task["focus"] == {"reference": f"ServiceRequest/{referral['id']}"}


# ---- searches ----


async def test_searches_find_what_they_name_and_nothing_else(cast: Cast) -> None:
    waits, goes = await referred(cast), await accepted(cast)
    clinic, ngo = cast.organisation("clinic"), cast.organisation("ngo")

    async def found(query: str) -> set[str]:
        page = await get(cast, f"/Task?_count=200&{query}")
        return {entry["resource"]["id"] for entry in page.get("entry", [])} & {waits["id"], goes["id"]}

    assert await found("status=requested") == {waits["id"]}
    assert await found("status=accepted,in-progress") == {goes["id"]}
    assert await found("status=draft") == set()
    assert await found(f"owner=Organization/{clinic}") == {waits["id"], goes["id"]}
    assert await found(f"owner={clinic}&status=accepted") == {goes["id"]}
    assert await found(f"requester={ngo}") == {waits["id"], goes["id"]}
    assert await found(f"requester={clinic}") == set()
    assert await found(f"owner={ngo}") == set()
    assert await found(f"focus=ServiceRequest/{goes['id']}") == {goes["id"]}
    assert await found(f"focus={goes['id']}&_id={waits['id']}") == set()
    assert await found(f"focus={goes['id']}&status=requested") == set()


async def test_a_span_of_time_holds_exactly(cast: Cast) -> None:
    before = await referred(cast)
    cast.clock.advance(days=2)
    after = await referred(cast)
    at = after["updated_at"]

    async def found(*bounds: str) -> set[str]:
        page = await get(cast, "/Task?_count=200&" + "&".join(f"_lastUpdated={bound}" for bound in bounds))
        return {entry["resource"]["id"] for entry in page.get("entry", [])} & {before["id"], after["id"]}

    assert await found(f"ge{at}") == {after["id"]}
    assert await found(f"gt{at}") == set()
    assert await found(f"lt{at}") == {before["id"]}
    assert await found(f"le{at}") == {before["id"], after["id"]}
    assert await found(f"ge{before['updated_at']}", f"lt{at}") == {before["id"]}
    assert await found(f"ge{at[:10]}") == {after["id"]}
    assert await found(f"gt{at[:10]}") == set()
    assert await found(f"le{at[:10]}") == {before["id"], after["id"]}
    assert await found(f"lt{at[:10]}") == {before["id"]}


async def test_bounds_beyond_all_years_hold_too(cast: Cast) -> None:
    one = await referred(cast)

    async def found(kind: str, bound: str) -> set[str]:
        page = await get(cast, f"/{kind}?_count=200&_id={one['id']}&_lastUpdated={bound}")
        listed = await get(cast, f"/{kind}?_count=200&_lastUpdated={bound}")
        both = [{entry["resource"]["id"] for entry in each.get("entry", [])} for each in (page, listed)]
        assert both[0] <= both[1]
        return both[0]

    for kind in ("Task", "ServiceRequest"):
        for everything in ("gt1900-01-01", "ge0001-01-02", "ge1899-12-31T20:00:00Z", "le9999-12-31", "lt9998-01-01"):
            assert await found(kind, everything) == {one["id"]}, everything
        for nothing in (
            "ge9000-01-01",
            "ge9999-12-31T23:59:59Z",
            "gt9999-12-31T23:59:59Z",
            "ge2200-01-01",
            "lt1900-01-01",
        ):
            assert await found(kind, nothing) == set(), nothing


async def test_pages_follow_one_another_by_their_links(cast: Cast) -> None:
    wanted = {(await referred(cast))["id"] for _ in range(5)}
    found: list[str] = []
    path = "/Task?_count=2&status=requested&_include=Task:focus"
    for _ in range(200):
        page = await get(cast, path)
        tasks = [entry["resource"]["id"] for entry in page["entry"] if entry["search"]["mode"] == "match"]
        assert len(tasks) <= 2
        included = [entry["resource"]["id"] for entry in page["entry"] if entry["search"]["mode"] == "include"]
        assert included == tasks
        found += tasks
        links = {link["relation"]: link["url"] for link in page["link"]}
        if "next" not in links:
            break
        following = urlsplit(links["next"])
        path = f"{following.path.removeprefix('/fhir/R4')}?{following.query}"
    assert len(found) == len(set(found))
    assert wanted <= set(found)


@pytest.mark.parametrize(
    "query",
    [
        "_count=0",
        "_count=201",
        "_count=x",
        "colour=red",
        "status:not=requested",
        "_summary=true",
        "status=banana",
        "owner=Patient/1",
        "_lastUpdated=2026-03-01",
        "_lastUpdated=eq2026-03-01",
        "_lastUpdated=ge22012-01-01",
        "_lastUpdated=ge2022-05-1",
        "_lastUpdated=ge2026-03-01T10:00:00",
        "_include=Task:owner",
        "_cursor=nonsense",
        "status=requested&status=accepted",
    ],
)
async def test_a_search_that_cannot_be_meant_is_a_bad_request(cast: Cast, query: str) -> None:
    refused = await ask(cast, "partner", "GET", f"/Task?{query}")
    refusal(refused, 400, "validation_failed")
    named = query.partition("=")[0]
    assert refused.json()["issue"][0].get("location") in ([f"http.{named}"], None)


def test_a_word_of_several_lists_keeps_the_list_that_was_meant() -> None:
    """Whatever was asked for before: equal words of different lists are equal to Python."""
    for name, entries in code_lists().items():
        for code, entry in zip(CODE_LISTS[name], entries, strict=True):
            found = coding(code)
            assert (found.system, found.code, found.display) == (f"{LISTS}{name}", code.value, entry.en)
