"""The directory for everybody: the shapes of HSDS 3.0, what is on it, and what of a shelter is not."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.main import create_app
from app.models.codes.referrals import SERVICE_TYPE_SECTOR, Sector, ServiceType
from app.security import Runtime
from app.settings import Settings
from tests.cast import OTHER_COMMUNE, VILLAGE, Cast, answered
from tests.test_services import MOBILE, added, home, patched

ROOT = "http://samaki.test/hsds"

Check = Callable[[Any], bool]


def text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() == value != ""


def uuid(value: Any) -> bool:
    return text(value) and str(UUID(value)) == value


def number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def matching(pattern: str) -> Check:
    return lambda value: text(value) and re.fullmatch(pattern, value) is not None


# By object: fields that HSDS 3.0 requires (our profile: but for postal_code), and the others that we tell; a text names
# the object that a field holds, in a list where HSDS has one. What stands in neither is refused.
SHAPES: dict[str, tuple[dict[str, Check | str], dict[str, Check | str]]] = {
    "api": ({}, dict.fromkeys(("version", "profile", "openapi_url"), text)),
    "service": (
        {"id": uuid, "name": text, "status": matching("active")},
        {
            **dict.fromkeys(
                ("alternate_name", "description", "alert", "eligibility_description", "fees_description"), text
            ),
            "minimum_age": number,
            "maximum_age": number,
            "assured_date": matching(r"\d{4}-\d\d-\d\d"),
            "last_modified": matching(r"\d{4}-\d\d-\d\dT[0-9:.]+Z"),
            "organization": "organization",
            "phones": "[phone]",
            "schedules": "[schedule]",
            "languages": "[language]",
            "service_at_locations": "[service_at_location]",
            "attributes": "[attribute]",
        },
    ),
    "organization": ({"id": uuid, "name": text, "description": text}, {"alternate_name": text}),
    "phone": ({"id": uuid, "number": text}, {"type": matching("voice"), "description": text}),
    "schedule": (
        {"id": uuid},
        {
            "freq": matching("WEEKLY|MONTHLY"),
            "wkst": matching("MO|TU|WE|TH|FR|SA|SU"),
            "timezone": number,
            "notes": text,
            "byday": matching("(MO|TU|WE|TH|FR|SA|SU)(,(MO|TU|WE|TH|FR|SA|SU))*"),
            **dict.fromkeys(("opens_at", "closes_at"), matching(r"\d\d:\d\d\+07:00")),
        },
    ),
    "language": ({"id": uuid}, {"name": text, "code": matching("[a-z]{2}")}),
    "service_at_location": ({"id": uuid}, {"location": "location"}),
    "location": (
        {"id": uuid, "location_type": matching("physical|postal|virtual")},
        {**dict.fromkeys(("name", "external_identifier", "external_identifier_type"), text), "addresses": "[address]"},
    ),
    "address": (
        {
            "id": uuid,
            "address_1": text,
            "city": text,
            "state_province": text,
            "country": matching("[A-Z]{2}"),
            "address_type": matching("physical|postal|virtual"),
        },
        {"region": text},
    ),
    "attribute": (
        {"id": uuid},
        {"link_type": text, "link_entity": matching("service"), "taxonomy_term": "taxonomy_term"},
    ),
    "taxonomy": ({"id": uuid, "name": text, "description": text}, {"version": text}),
    "taxonomy_term": (
        {"id": uuid, "name": text, "description": text},
        {
            "code": text,
            "parent_id": uuid,
            "taxonomy": text,
            "language": matching("[a-z]{3}"),
            "taxonomy_detail": "taxonomy",
        },
    ),
}


def check(kind: str, shown: Any) -> None:
    """Raises AssertionError unless the object has the shape; null is none."""
    required, more = SHAPES[kind]
    assert isinstance(shown, dict), kind
    assert required.keys() <= shown.keys() <= required.keys() | more.keys(), (kind, shown.keys())
    for name, value in shown.items():
        rule = (required | more)[name]
        if not isinstance(rule, str):
            assert rule(value), (kind, name, value)
        elif rule.startswith("["):
            for one in value:
                check(rule[1:-1], one)
        else:
            check(rule, value)


async def read(cast: Cast, path: str, status: int = 200, **query: Any) -> Any:
    response = await cast.client("nobody").get(f"{ROOT}{path}", params=query)
    assert response.headers["Cache-Control"] == "no-store"
    return answered(response, status)


async def page(cast: Cast, path: str, kind: str, **query: Any) -> Any:
    """A page, each of whose contents has its shape, and whose numbers agree."""
    shown = await read(cast, path, **query)
    assert shown.keys() == {
        *("total_items", "total_pages", "page_number", "size", "first_page", "last_page", "empty", "contents")
    }
    for one in shown["contents"]:
        check(kind, one)
    per_page = query.get("per_page", 50)
    assert shown["total_pages"] == -(-shown["total_items"] // per_page)
    assert shown["size"] == len(shown["contents"]) <= per_page
    assert shown["first_page"] is (shown["page_number"] == 1)
    assert shown["last_page"] is (shown["page_number"] >= shown["total_pages"])
    assert shown["empty"] is (shown["contents"] == [])
    return shown


FULL: dict[str, Any] = {
    "service_type": "family_planning",
    "description": "Care for all.",
    "description_km": "ថែទាំទាំងអស់គ្នា។",
    "eligibility": "Everybody.",
    "minimum_age": 15,
    "maximum_age": 49,
    "fees": "Free.",
    "languages": ["km", "other"],
    "schedules": [{"days": ["MO", "FR"], "opens_at": "08:00", "closes_at": "16:30", "note": "Not on holidays"}],
    "phones": [{"number": "117", "note": "At every hour"}, {"number": MOBILE}],
    "locations": [{"area_code": VILLAGE, "address": "Beside the market"}, {"area_code": "17"}],
    "capacity": "full",
    "assured_on": "2026-03-01",
}


async def test_what_this_face_is_and_where_it_differs(cast: Cast) -> None:
    api = await read(cast, "/")
    check("api", api)
    assert api == {
        "version": "3.0",
        "profile": f"{ROOT}/profile",
        "openapi_url": "http://samaki.test/api/v1/openapi.json",
    }
    nobody = cast.client("nobody")
    profile = answered(await nobody.get(api["profile"]), 200)
    assert "postal_code" not in profile["modifications"]["address.json"]["required"]
    assert set(profile["modifications"]["address.json"]["required"]) == SHAPES["address"][0].keys()
    described = answered(await nobody.get(api["openapi_url"]), 200)
    assert "/hsds/services" in described["paths"]


async def test_a_service_has_the_shape_of_hsds_whole_and_in_a_list(cast: Cast) -> None:
    house = await home(cast, "health")
    made = await added(cast, "admin", organisation_id=house, **FULL)
    cast.clock.advance(seconds=1)
    bare = await added(cast, "admin", organisation_id=house)
    whole = await read(cast, f"/services/{made['id']}")
    check("service", whole)
    assert whole["name"] == made["name"]
    assert (whole["alternate_name"], whole["description"]) == ("គ្លីនិក", "Care for all.")
    assert [one["number"] for one in whole["phones"]] == ["117", MOBILE]
    assert whole["schedules"][0]["byday"] == "MO,FR"
    assert whole["schedules"][0]["opens_at"] == "08:00+07:00"
    assert [one.get("code") for one in whole["languages"]] == ["km", None]
    first, second = (one["location"] for one in whole["service_at_locations"])
    assert first["external_identifier"] == VILLAGE
    assert first["addresses"][0]["address_1"] == "Beside the market"
    assert second["addresses"][0]["address_1"] == second["addresses"][0]["city"]
    assert whole["alert"].startswith("Full")
    assert whole["attributes"][0]["taxonomy_term"]["code"] == "family_planning"
    assert whole["organization"]["id"] == house
    check("service", await read(cast, f"/services/{bare['id']}"))

    listed = await page(cast, "/services", "service", organization_id=house)
    assert [one["id"] for one in listed["contents"]] == [made["id"], bare["id"]]
    parts = {"phones", "schedules", "languages", "service_at_locations", "attributes"}
    assert listed["contents"][0] == {name: value for name, value in whole.items() if name not in parts}
    full = await page(cast, "/services", "service", organization_id=house, full=True)
    assert full["contents"][0] == whole


async def test_khmer_is_read_by_who_asks_for_it(cast: Cast) -> None:
    made = await added(cast, **FULL)
    response = await cast.client("nobody").get(f"{ROOT}/services/{made['id']}", headers={"Accept-Language": "km"})
    shown = answered(response, 200)
    check("service", shown)
    assert (shown["name"], shown["alternate_name"]) == ("គ្លីនិក", made["name"])
    assert (shown["description"], shown["eligibility_description"]) == ("ថែទាំទាំងអស់គ្នា។", "Everybody.")
    assert shown["attributes"][0]["taxonomy_term"]["language"] == "khm"


@pytest.mark.parametrize("status", ["inactive", "defunct", "temporarily_closed"])
async def test_only_active_services_are_public(cast: Cast, status: str) -> None:
    house = await home(cast, "health")
    made = await added(cast, "admin", organisation_id=house, status=status)
    hidden, unknown = [await read(cast, f"/services/{one}", 404) for one in (made["id"], uuid4())]
    assert {name: value for name, value in hidden.items() if name != "instance"} == {
        name: value for name, value in unknown.items() if name != "instance"
    }
    assert (await page(cast, "/services", "service", organization_id=house))["total_items"] == 0
    assert house not in await organizations(cast)
    await patched(cast, made, 200, "admin", status="active")
    assert (await page(cast, "/services", "service", organization_id=house))["total_items"] == 1
    assert house in await organizations(cast)


async def organizations(cast: Cast) -> list[str]:
    shown = await page(cast, "/organizations", "organization", per_page=200)
    assert shown["total_pages"] == 1
    return [one["id"] for one in shown["contents"]]


async def test_a_closed_organisation_is_not_public_nor_are_its_services(cast: Cast) -> None:
    house = await home(cast, "health")
    made = await added(cast, "admin", organisation_id=house)
    await added(cast, "admin", organisation_id=house)
    assert (await organizations(cast)).count(house) == 1
    for active, status, found in ((False, 404, 0), (True, 200, 2)):
        change = {"active": active}
        done = await cast.client("admin").patch(f"/organisations/{house}", json=change, headers={"If-Match": "*"})
        answered(done, 200)
        await read(cast, f"/services/{made['id']}", status)
        assert (await page(cast, "/services", "service", organization_id=house))["total_items"] == found
        assert (house in await organizations(cast)) is (status == 200)


SECRET_HOURS: dict[str, Any] = {
    "schedules": [{"days": ["SU"], "opens_at": "03:33", "closes_at": "03:34", "note": "Ring twice"}]
}


@pytest.mark.parametrize(
    ("kind", "service_type"), [("shelter", "psychosocial_support"), ("health", "shelter"), ("shelter", "shelter")]
)
async def test_of_a_shelter_neither_place_nor_phone_nor_hours_are_public(
    cast: Cast, kind: str, service_type: str
) -> None:
    house = await home(cast, kind)
    phone: dict[str, Any] = {"phones": [{"number": "+85512000777", "note": "Ask for Maly"}]}
    made = await added(cast, "admin", organisation_id=house, service_type=service_type, **phone, **SECRET_HOURS)
    nobody = cast.client("nobody")
    shown = await nobody.get(f"{ROOT}/services/{made['id']}")
    check("service", answered(shown, 200))
    listed = await nobody.get(f"{ROOT}/services", params={"full": True, "organization_id": house})
    found = await nobody.get(f"{ROOT}/organizations", params={"per_page": 200})
    assert (shown.json()["phones"], shown.json()["schedules"], shown.json()["service_at_locations"]) == ([], [], [])
    for response in (shown, listed, found):
        for secret in ("+85512000777", "Maly", "03:33", "Ring twice"):
            assert secret not in response.text
    for query in ({"search": "Maly"}, {"search": "000777"}, {"search": "Ring"}):
        assert (await page(cast, "/services", "service", **query))["total_items"] == 0


async def test_pages_have_numbers_and_filters_narrow_together(cast: Cast) -> None:
    house, word = await home(cast, "education"), f"Needle{uuid4().hex[:8]}"
    made = []
    for number in range(5):
        cast.clock.advance(seconds=1)
        name = f"{word}_%{number}"
        entry = await added(cast, "admin", organisation_id=house, service_type="education", name=name)
        made.append(entry["id"])
    cast.clock.advance(seconds=1)
    other = await added(cast, service_type="legal_aid", description=f"As {word.upper()} does")

    async def found(**query: Any) -> list[str]:
        return [one["id"] for one in (await page(cast, "/services", "service", **query))["contents"]]

    shown = [await found(organization_id=house, per_page=2, page=number) for number in (1, 2, 3, 4)]
    assert shown == [made[:2], made[2:4], made[4:], []]
    assert await found(search=word.lower()) == [*made, other["id"]]
    assert await found(search="_%3") == [made[3]]
    assert await found(search=word, organization_id=house) == made
    terms = {one["code"]: one["id"] for one in (await read(cast, "/taxonomy_terms"))["contents"] if "parent_id" in one}
    assert await found(search=word, taxonomy_term_id=terms["legal_aid"]) == [other["id"]]
    assert await found(search=word, taxonomy_term_id=str(uuid4())) == []
    taxonomy_id = (await read(cast, "/taxonomies"))["contents"][0]["id"]
    assert await found(search=word, taxonomy_id=taxonomy_id) == [*made, other["id"]]
    assert await found(search=word, taxonomy_id=str(uuid4())) == []
    cast.clock.advance(hours=1)
    await patched(cast, {"id": made[1]}, 200, "admin", fees="Free.")
    assert await found(organization_id=house, modified_after=cast.clock().isoformat()) == [made[1]]
    for query, pointer in (
        ({"page": 0}, "page"),
        ({"per_page": 201}, "per_page"),
        ({"page": 10**9}, "page"),
        ({"full": "perhaps"}, "full"),
        ({"modified_after": "2022-05-1"}, "modified_after"),
        ({"organization_id": "1"}, "organization_id"),
        ({"postcode": "17000"}, "postcode"),
    ):
        errors = (await read(cast, "/services", 422, **query))["errors"]
        assert [one["pointer"] for one in errors] == [f"/query/{pointer}"], query


async def test_the_taxonomy_is_the_code_lists_with_ids_that_stay(cast: Cast) -> None:
    [taxonomy] = (await page(cast, "/taxonomies", "taxonomy"))["contents"]
    terms = (await page(cast, "/taxonomy_terms", "taxonomy_term", per_page=200))["contents"]
    assert len({one["id"] for one in terms}) == len(terms) == len(Sector) + len(ServiceType)
    sectors = {one["id"]: one["code"] for one in terms if "parent_id" not in one}
    assert {one["code"]: sectors[one["parent_id"]] for one in terms if "parent_id" in one} == SERVICE_TYPE_SECTOR
    assert {one["taxonomy_detail"]["id"] for one in terms} == {taxonomy["id"]}
    # Who keeps one of these in a system of their own finds it again after every new version.
    assert taxonomy["id"] == "62e59784-9db2-526b-9ccf-06e32a0ad6bf"
    health = next(own_id for own_id, code in sectors.items() if code == "health")
    below = await page(cast, "/taxonomy_terms", "taxonomy_term", parent_id=health)
    assert {one["code"] for one in below["contents"]} == {
        one for one, of in SERVICE_TYPE_SECTOR.items() if of == "health"
    }
    assert (await page(cast, "/taxonomy_terms", "taxonomy_term", taxonomy_id=str(uuid4())))["empty"] is True


async def test_a_place_that_a_later_gazetteer_has_no_more_is_told_by_its_code(cast: Cast, superuser: Any) -> None:
    made = await added(cast, locations=[{"area_code": OTHER_COMMUNE}])
    gone = "update services set locations = jsonb_set(locations, '{0,area_code}', '\"999999\"') where id = %s"
    superuser.execute(gone, [made["id"]])
    shown = await read(cast, f"/services/{made['id']}")
    check("service", shown)
    assert shown["service_at_locations"][0]["location"]["addresses"][0]["city"] == "999999"


@asynccontextmanager
async def visited(cast: Cast, runtime: Runtime, per_minute: int, address: str) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without an account at an address, before an application that allows so many requests."""
    app = create_app(
        Settings.model_validate({**runtime.settings.model_dump(), "visits_per_minute": per_minute}), cast.clock
    )
    transport = httpx.ASGITransport(app=app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url=ROOT) as client:
        yield client
        there = httpx.ASGITransport(app=app, client=("203.0.113.9", 1))
        async with httpx.AsyncClient(transport=there, base_url=ROOT) as elsewhere:
            answered(await elsewhere.get("/services"), 200)
    await app.state.runtime.database.close()


@pytest.mark.parametrize(
    "path",
    ["/", "/profile", "/services", f"/services/{UUID(int=7)}", "/organizations", "/taxonomies", "/taxonomy_terms"],
)
async def test_one_address_asks_only_so_often_and_others_as_before(cast: Cast, runtime: Runtime, path: str) -> None:
    assert Settings.model_fields["visits_per_minute"].default == 300
    async with visited(cast, runtime, 3, "198.51.100.7") as client:
        for _ in range(3):
            assert (await client.get(path)).status_code in {200, 404}
        refused = await client.get(path)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) > 0
