"""The FHIR face as a whole: it says truly what it can do, and refuses the rest in FHIR's own words."""

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel

from app.policy import ROLE_PERMISSIONS
from app.security import declared_permission
from tests.cast import Cast, answered
from tests.fhir.asking import FHIR_JSON, JSON_PATCH, ROOT, ask, get, refusal, transaction
from tests.fhir.oracle import problems
from tests.referring import referred

RESULT = {"_format", "_count", "_cursor", "_include"}


def routes(app: FastAPI) -> set[tuple[str, str]]:
    """Method and path of every route of the face, below its root."""
    return {
        (method, str(route.path_format).removeprefix("/fhir/R4"))
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
        if str(getattr(route, "path_format", "")).startswith("/fhir/R4")
    }


def parameters(app: FastAPI, kind: str) -> set[str]:
    """What the route of a search really takes."""
    (route,) = [one for one in iter_route_contexts(app.routes) if getattr(one, "path_format", "") == f"/fhir/R4/{kind}"]
    models = [field.field_info.annotation for field in route.dependant.query_params]
    assert all(isinstance(model, type) and issubclass(model, BaseModel) for model in models)
    return {field.alias or name for model in models for name, field in model.model_fields.items()}


async def test_the_capability_statement_tells_exactly_what_the_routes_do(cast: Cast, app: FastAPI) -> None:
    statement = await get(cast, "/metadata", "nobody")
    rest = statement["rest"][0]
    ways = {
        "read": ("GET", "/{kind}/{{id}}"),
        "search-type": ("GET", "/{kind}"),
        "update": ("PUT", "/{kind}/{{id}}"),
        "patch": ("PATCH", "/{kind}/{{id}}"),
    }
    said = {("GET", "/metadata")}
    for resource in rest["resource"]:
        for interaction in resource["interaction"]:
            method, path = ways[interaction["code"]]
            said.add((method, path.format(kind=resource["type"])))
    if {"code": "transaction"}.items() <= rest["interaction"][0].items():
        said |= {("POST", ""), ("POST", "/")}
    assert said == {(method, re.sub(r"\{[a-z_]+\}", "{id}", path)) for method, path in routes(app)}


async def test_it_tells_exactly_the_parameters_that_searches_take(cast: Cast, app: FastAPI) -> None:
    for resource in (await get(cast, "/metadata", "nobody"))["rest"][0]["resource"]:
        told = {param["name"] for param in resource["searchParam"]}
        taken = parameters(app, resource["type"])
        assert told == taken - RESULT
        assert ("searchInclude" in resource) == ("_include" in taken)
        for param in told:
            answer = await ask(cast, "partner", "GET", f"/{resource['type']}?{param}=")
            assert "unknown_field" not in answer.text, param


async def test_metadata_is_for_everybody_and_nothing_else_is(cast: Cast, app: FastAPI) -> None:
    await get(cast, "/metadata", "nobody")
    for method, path in routes(app) - {("GET", "/metadata")}:
        address = re.sub(r"\{[a-z_]+\}", str(uuid4()), path)
        refused = await ask(cast, "nobody", method, address)
        refusal(refused, 401, "unauthenticated")
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_every_operation_but_metadata_names_a_permission_that_partners_have(app: FastAPI) -> None:
    partner = next(held for role, held in ROLE_PERMISSIONS.items() if role.value == "partner")
    for route in iter_route_contexts(app.routes):
        path = str(getattr(route, "path_format", ""))
        if path.startswith("/fhir/R4/") and "metadata" not in path:
            assert declared_permission(route.dependant) in partner


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/Observation", 404, "not_found"),
        ("GET", "/Consent/1", 404, "not_found"),
        ("GET", "/Task/1/_history", 404, "not_found"),
        ("GET", "/", 405, "method_not_allowed"),
        ("POST", "/Task", 405, "method_not_allowed"),
        ("POST", "/Task/_search", 405, "method_not_allowed"),
        ("DELETE", "/Task/1", 405, "method_not_allowed"),
        ("PUT", "/Patient/1", 405, "method_not_allowed"),
        ("PATCH", "/ServiceRequest/1", 405, "method_not_allowed"),
        ("POST", "/Organization", 405, "method_not_allowed"),
    ],
)
async def test_what_there_is_not_is_refused_in_fhir(cast: Cast, method: str, path: str, status: int, code: str) -> None:
    refusal(await ask(cast, "partner", method, path), status, code)


@pytest.mark.parametrize("who", ["liaison", "auditor", "admin"])
async def test_who_may_not_read_referrals_may_not_here(cast: Cast, who: str) -> None:
    for kind in ("Task", "ServiceRequest", "Patient"):
        refusal(await ask(cast, who, "GET", f"/{kind}"), 403, "forbidden")
        refusal(await ask(cast, who, "GET", f"/{kind}/{uuid4()}"), 403, "forbidden")


async def test_formats_other_than_json_are_not_to_be_had(cast: Cast) -> None:
    for query in ("_format=xml", "_format=application/fhir%2Bxml", "_format=ttl"):
        refusal(await ask(cast, "partner", "GET", f"/Task?{query}"), 406, "not_acceptable")
    refusal(await ask(cast, "nobody", "GET", "/metadata?_format=xml"), 406, "not_acceptable")
    for accept in ("application/fhir+xml", "text/html", "application/xml;q=0.9"):
        refusal(await ask(cast, "partner", "GET", "/Task", headers={"Accept": accept}), 406, "not_acceptable")
    for query in (
        "_format=json",
        "_format=application/json",
        "_format=application/fhir%2Bjson",
        "_format=" + FHIR_JSON,
    ):
        assert (await ask(cast, "partner", "GET", f"/Task?{query}")).status_code == 200
    for accept in (FHIR_JSON, "application/json", "*/*", f"application/fhir+xml, {FHIR_JSON};q=0.5"):
        assert (await ask(cast, "partner", "GET", "/Task", headers={"Accept": accept})).status_code == 200


async def test_bodies_come_in_fhirs_type_or_as_json_and_patches_in_theirs(cast: Cast) -> None:
    for kind, status in ((FHIR_JSON, 200), ("application/json", 200), (f"{FHIR_JSON}; charset=utf-8", 200)):
        sent = json.dumps(transaction(cast))
        response = await ask(cast, "partner", "POST", "", content=sent, headers={"Content-Type": kind})
        assert response.status_code == status
    for kind in ("application/fhir+xml", "text/plain", JSON_PATCH, ""):
        response = await ask(cast, "partner", "POST", "", content=b"{}", headers={"Content-Type": kind})
        refusal(response, 415, "unsupported_media_type")
    path = f"/Task/{(await referred(cast))['id']}"
    for kind in (FHIR_JSON, "application/json"):
        refused = await ask(cast, "partner", "PATCH", path, content=b"[]", headers={"Content-Type": kind})
        refusal(refused, 415, "unsupported_media_type")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"a":1,"a":2}', b"[" * 60 + b"]" * 60, b"NaN"])
async def test_what_is_no_json_object_is_refused(cast: Cast, body: bytes) -> None:
    refused = await ask(cast, "partner", "POST", "", content=body, headers={"Content-Type": FHIR_JSON})
    assert refused.status_code in {415, 422}


async def test_titles_are_in_the_callers_language_and_codes_are_the_same(cast: Cast) -> None:
    texts = set()
    for language in ("en", "km"):
        refused = await ask(cast, "partner", "GET", f"/Task/{uuid4()}", headers={"Accept-Language": language})
        texts.add(refusal(refused, 404, "not_found")["details"]["text"])
    assert len(texts) == 2


async def test_the_codes_are_those_of_the_other_face(cast: Cast) -> None:
    for path in ("/referrals/" + str(uuid4()), "/referrals?limit=0"):
        problem = (await cast.client("partner").get(path)).json()
        fhir = path.replace("/referrals", "/Task").replace("limit=0", "_count=0")
        issue = (await ask(cast, "partner", "GET", fhir)).json()["issue"][0]
        codes = [one["code"] for one in issue["details"]["coding"]]
        assert codes == [problem["code"], *(error["code"] for error in problem.get("errors", []))]


async def test_what_is_refused_is_in_the_trail(cast: Cast, superuser: Any) -> None:
    refused = await ask(cast, "partner", "GET", f"/Patient/{uuid4()}")
    row = superuser.execute(
        "select action, status, reason from audit_events where request_id = %s", [refused.headers["X-Request-ID"]]
    ).fetchall()
    assert row == [("read_fhir_patient", 404, "not_found")]


async def test_the_directory_is_there_too(cast: Cast) -> None:
    clinic = cast.organisation("clinic")
    service = {
        "service_type": "general_health",
        "name": "Consultations",
        "name_km": "ការពិគ្រោះជំងឺ",
        "languages": ["km", "other"],
        "phones": [{"number": "012345678"}],
        "locations": [{"area_code": "170201"}],
    }
    made = answered(await cast.client("partner").post("/services", json=service), 201)
    read = await get(cast, f"/HealthcareService/{made['id']}", "caseworker")
    assert read["providedBy"]["reference"] == f"Organization/{clinic}"
    assert read["type"][0]["coding"][0]["code"] == "general_health"
    assert read["extension"] == [{"url": "urn:samaki:fhir:area-code", "valueCode": "170201"}]
    for query in (f"organization=Organization/{clinic}", "service-type=general_health", f"_id={made['id']}"):
        page = await get(cast, f"/HealthcareService?{query}&_count=200")
        assert made["id"] in [entry["resource"]["id"] for entry in page["entry"]]
    assert "entry" not in await get(cast, f"/HealthcareService?organization={uuid4()}")
    organisation = await get(cast, f"/Organization/{clinic}")
    assert organisation.keys() == {"resourceType", "id", "meta", "active", "type", "name", "alias"}
    assert (await get(cast, f"/Organization?_id={clinic}"))["entry"][0]["resource"] == organisation
    assert "entry" not in await get(cast, "/Organization?_id=nobody")
    refusal(await ask(cast, "partner", "GET", "/HealthcareService?service-type=banana"), 400, "validation_failed")


async def test_pages_of_organisations_neither_repeat_nor_miss_one(cast: Cast) -> None:
    found: list[str] = []
    path = "/Organization?_count=2"
    while path:
        page = await get(cast, path)
        found += [entry["resource"]["id"] for entry in page["entry"]]
        links = {link["relation"]: link["url"] for link in page["link"]}
        path = links.get("next", "").removeprefix(ROOT)
    assert len(found) == len(set(found))
    assert {str(own_id) for own_id in cast.organisations.values()} <= set(found)


async def test_examples_of_the_description_are_fhir(app: FastAPI) -> None:
    checked = 0
    for path, operations in app.openapi()["paths"].items():
        if not path.startswith("/fhir/"):
            continue
        for operation in operations.values():
            contents = [operation["responses"]["200"]["content"], operation.get("requestBody", {}).get("content", {})]
            for content in (one for kinds in contents for kind, one in kinds.items() if kind == FHIR_JSON):
                assert problems(content["example"]) == [], path
                checked += 1
    assert checked >= 15
