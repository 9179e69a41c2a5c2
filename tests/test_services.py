"""The directory: who keeps it and who reads it, that it says nothing impossible, and never where a shelter is."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from app.calendar import day_of
from app.database_urls import DatabaseUrls
from app.errors import NotFound
from app.models.codes.people import Sex
from app.services.service_warnings import warnings_of
from tests.cast import COMMUNE, OTHER_COMMUNE, VILLAGE, Cast, answered
from tests.doors import bearer, door, token
from tests.pages import pages, whole

Superuser = psycopg.Connection[Any]
MARKER = "Blue gate behind the ice factory"
LANDLINE, MOBILE = "+85563900001", "+85512000001"


@pytest.fixture
def runtime_connection(database: DatabaseUrls) -> Iterator[Superuser]:
    with psycopg.connect(database.runtime) as connection:
        yield connection


def wanted(**changes: Any) -> dict[str, Any]:
    """The body of an ordinary service."""
    return {"service_type": "general_health", "name": f"Clinic {uuid4().hex[:8]}", "name_km": "គ្លីនិក", **changes}


async def added(cast: Cast, who: str = "partner", expected: int = 201, **changes: Any) -> Any:
    return answered(await cast.client(who).post("/services", json=wanted(**changes)), expected)


async def patched(cast: Cast, service: dict[str, Any], expected: int, who: str = "partner", **fields: Any) -> Any:
    path = f"/services/{service['id']}"
    return answered(await cast.client(who).patch(path, json=fields, headers={"If-Match": "*"}), expected)


def pointers(refused: Any) -> list[tuple[str, str]]:
    return [(error["pointer"], error["code"]) for error in refused["errors"]]


async def home(cast: Cast, kind: str = "shelter") -> str:
    """A new organisation of this kind."""
    body = {"name": f"House {uuid4().hex[:8]}", "name_km": "ផ្ទះ", "kind": kind}
    return str(answered(await cast.client("admin").post("/organisations", json=body), 201)["id"])


async def test_a_partner_adds_reads_and_changes_a_service_of_its_own(cast: Cast) -> None:
    partner, body = (
        cast.client("partner"),
        wanted(
            description="Care for all.",
            description_km="ថែទាំទាំងអស់គ្នា។",
            eligibility="Everybody.",
            minimum_age=15,
            maximum_age=49,
            sex_served="female",
            fees="Free.",
            languages=["km", "en"],
            schedules=[{"days": ["MO", "FR"], "opens_at": "08:00", "closes_at": "16:30", "note": None}],
            phones=[{"number": "117", "note": "At every hour"}, {"number": MOBILE, "note": None}],
            locations=[{"area_code": VILLAGE, "address": "Beside the market", "address_km": None}],
            capacity="open",
            places_total=5,
            places_free=2,
            assured_on="2026-03-01",
        ),
    )
    keyed = {"Idempotency-Key": body["name"]}
    response = await partner.post("/services", json=body, headers=keyed)
    made = answered(response, 201)
    path = f"/services/{made['id']}"
    assert response.headers["location"] == f"/api/v1{path}"
    assert made | body == made
    assert (made["organisation_id"], made["organisation_name"]) == (cast.organisation("clinic"), "clinic")
    assert (made["status"], made["sector"], made["version"]) == ("active", "health", 1)
    assert answered(await partner.post("/services", json=body, headers=keyed), 201) == made
    assert answered(await cast.client("liaison").get(path), 200) == made
    assert answered(await partner.patch(path, json={"fees": None}), 428)
    changed = await partner.patch(path, json={"fees": None, "places_free": 0}, headers={"If-Match": '"1"'})
    expected = {"fees": None, "places_free": 0, "capacity": "full", "version": 2}
    assert answered(changed, 200) == made | expected | {"updated_at": changed.json()["updated_at"]}
    assert changed.headers["etag"] == '"2"'
    stale = await partner.patch(path, json={"fees": "5,000 riel"}, headers={"If-Match": '"1"'})
    assert (answered(stale, 412)["code"], stale.headers["etag"]) == ("precondition_failed", '"2"')
    assert answered(await partner.patch(path, json={}, headers={"If-Match": '"2"'}), 200)["version"] == 2
    for name in ("service_type", "status", "name", "name_km", "languages", "schedules", "phones", "locations"):
        refused = await partner.patch(path, json={name: None}, headers={"If-Match": '"2"'})
        assert [one for one, _ in pointers(answered(refused, 422))] == [f"/{name}"]


async def test_each_organisation_keeps_its_own_services_and_an_admin_everybody_s(cast: Cast) -> None:
    clinic, ngo = cast.organisation("clinic"), cast.organisation("ngo")
    of_clinic, of_ngo = await added(cast), await added(cast, "supervisor", organisation_id=ngo)
    assert (of_clinic["organisation_id"], of_ngo["organisation_id"]) == (clinic, ngo)
    for who, other, theirs in (
        ("supervisor", clinic, of_clinic),
        ("other_supervisor", ngo, of_ngo),
        ("partner", ngo, of_ngo),
    ):
        await added(cast, who, 403, organisation_id=other)
        await added(cast, who, 403, organisation_id=str(uuid4()))
        await patched(cast, theirs, 403, who, status="defunct")
        assert answered(await cast.client(who).get(f"/services/{theirs['id']}"), 200) == theirs
    assert (await patched(cast, of_clinic, 200, "admin", name="Renamed"))["name"] == "Renamed"
    assert pointers(await added(cast, "admin", 422)) == [("/organisation_id", "required")]
    unknown = await added(cast, "admin", 422, organisation_id=str(uuid4()))
    assert pointers(unknown) == [("/organisation_id", "unknown_organisation")]
    answered(await cast.client("partner").patch(f"/services/{uuid4()}", json={"x": 1}), 404)


async def test_a_partner_s_system_reads_the_directory_and_a_person_answers_for_it(app: object, cast: Cast) -> None:
    path = f"/organisations/{cast.organisation('clinic')}/clients"
    made = answered(await cast.client("admin").post(path, json={"name": "EMR"}), 201)
    system = answered(await cast.client("partner").post(f"{path}/{made['id']}/confirm"), 200)
    form = {name: system[name] for name in ("client_id", "client_secret")}
    client = door(app)
    signed_in = bearer(answered(await token(client, {"grant_type": "client_credentials", **form}), 200))
    service = await added(cast)
    answered(await client.get(f"/services/{service['id']}", headers=signed_in), 200)
    answered(await client.post("/services", json=wanted(), headers=signed_in), 403)
    sent: dict[str, Any] = {"json": {"name": "Other"}, "headers": {**signed_in, "If-Match": "*"}}
    answered(await client.patch(f"/services/{service['id']}", **sent), 403)


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"service_type": "bank"}, "/service_type", "unknown_code"),
        ({"status": "closed"}, "/status", "unknown_code"),
        ({"name_km": "\u200b"}, "/name_km", "text_empty"),
        ({"version": 7}, "/version", "unknown_field"),
        ({"minimum_age": -1}, "/minimum_age", None),
        ({"minimum_age": 121}, "/minimum_age", None),
        ({"minimum_age": "15"}, "/minimum_age", None),
        ({"minimum_age": 50, "maximum_age": 49}, "/maximum_age", "below_minimum"),
        ({"sex_served": "unknown"}, "/sex_served", "unknown_code"),
        ({"languages": ["fr"]}, "/languages/0", "unknown_code"),
        ({"schedules": [{"days": [], "opens_at": "08:00", "closes_at": "09:00"}]}, "/schedules/0/days", None),
        ({"schedules": [{"days": ["MO"], "opens_at": "8:00", "closes_at": "09:00"}]}, "/schedules/0/opens_at", None),
        ({"schedules": [{"days": ["MO"], "opens_at": "08:00", "closes_at": "24:00"}]}, "/schedules/0/closes_at", None),
        ({"phones": [{"number": "12"}]}, "/phones/0/number", "phone_invalid"),
        ({"phones": [{"number": 117}]}, "/phones/0/number", "text_type"),
        ({"phones": [{"number": MOBILE}] * 21}, "/phones", None),
        ({"locations": [{"area_code": 170201}]}, "/locations/0/area_code", None),
        ({"locations": [{"area_code": COMMUNE}, {"area_code": "99"}]}, "/locations/1/area_code", "unknown_area"),
        ({"locations": [{"area_code": COMMUNE, "latitude": 13.4}]}, "/locations/0/latitude", "unknown_field"),
        ({"places_free": 3, "places_total": 2}, "/places_free", "above_total"),
        ({"places_free": 0, "capacity": "open"}, "/capacity", "contradicts_places"),
        ({"places_free": 2, "capacity": "unknown"}, "/capacity", "contradicts_places"),
        ({"assured_on": "2126-03-01"}, "/assured_on", "in_the_future"),
        ({"assured_on": "22012-01-01"}, "/assured_on", "date_invalid"),
        ({"assured_on": "2022-05-1"}, "/assured_on", "date_invalid"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_is_written(
    cast: Cast, superuser: Superuser, changes: dict[str, Any], pointer: str, code: str | None
) -> None:
    count = "select count(*) from services"
    service = await added(cast)
    before = superuser.execute(count).fetchone()
    for refused in (await added(cast, expected=422, **changes), await patched(cast, service, 422, **changes)):
        found = pointers(refused)
        assert [one for one, _ in found] == [pointer]
        assert code in {None, found[0][1]}
    assert superuser.execute(count).fetchone() == before
    assert answered(await cast.client("partner").get(f"/services/{service['id']}"), 200) == service


async def test_the_free_places_say_whether_there_is_room(cast: Cast) -> None:
    service = await added(cast)
    assert service["capacity"] == "unknown"
    for fields, capacity in (
        ({"capacity": "full"}, "full"),
        ({"name": "Renamed"}, "full"),
        ({"places_free": 2}, "open"),
        ({"places_free": 0}, "full"),
        ({"places_free": None}, "unknown"),
        ({"capacity": "open"}, "open"),
        ({"places_free": None, "capacity": "full"}, "full"),
    ):
        assert (await patched(cast, service, 200, **fields))["capacity"] == capacity, fields


PLACE = [{"area_code": VILLAGE, "address": MARKER}]
PLACED = 'update services set locations = \'[{"area_code": "170201"}]\' where id = %s'
IN_A_WALL = [{"number": MOBILE}, {"number": LANDLINE}]


async def test_a_shelter_has_no_place_and_no_line_in_a_wall(cast: Cast) -> None:
    house = await home(cast)
    hidden = (
        {"service_type": "shelter"},
        {"organisation_id": house},
        {"organisation_id": house, "service_type": "shelter"},
    )
    for who in hidden:
        refused = await added(
            cast, "admin", 422, **{"organisation_id": cast.organisation("clinic"), **who}, locations=PLACE
        )
        assert pointers(refused) == [("/locations", "shelter_location")]
        refused = await added(
            cast, "admin", 422, **{"organisation_id": cast.organisation("clinic"), **who}, phones=IN_A_WALL
        )
        assert pointers(refused) == [("/phones/1/number", "shelter_location")]
        told: dict[str, Any] = {"organisation_id": cast.organisation("clinic"), **who, "phones": [{"number": MOBILE}]}
        shelter = await added(cast, "admin", **told)
        assert pointers(await patched(cast, shelter, 422, "admin", locations=PLACE)) == [
            ("/locations", "shelter_location")
        ]
        assert pointers(await patched(cast, shelter, 422, "admin", phones=IN_A_WALL))[0][1] == "shelter_location"
    open_to_all = await added(cast, locations=PLACE, phones=IN_A_WALL)
    becomes = {"service_type": "shelter"}
    assert pointers(await patched(cast, open_to_all, 422, **becomes)) == [("/locations", "shelter_location")]
    assert pointers(await patched(cast, open_to_all, 422, **becomes, locations=[])) == [
        ("/phones/1/number", "shelter_location")
    ]
    shelter = await patched(cast, open_to_all, 200, **becomes, locations=[], phones=[])
    assert (shelter["locations"], shelter["phones"]) == ([], [])


async def test_who_turns_out_to_be_a_shelter_has_never_had_a_place(cast: Cast, superuser: Superuser) -> None:
    """Marker: no row, list or public answer holds what had been told of the place."""
    organisation = await home(cast, "health")
    service = await added(cast, "admin", organisation_id=organisation, locations=PLACE)
    kept = await added(cast, locations=PLACE)
    path = f"/organisations/{organisation}"
    answered(await cast.client("admin").patch(path, json={"kind": "legal_aid"}, headers={"If-Match": "*"}), 200)
    assert answered(await cast.client("caseworker").get(f"/services/{service['id']}"), 200) == service
    change: dict[str, Any] = {"json": {"kind": "shelter"}, "headers": {"If-Match": "*"}}
    answered(await cast.client("admin").patch(path, **change), 200)
    after = answered(await cast.client("caseworker").get(f"/services/{service['id']}"), 200)
    assert (after["locations"], after["version"]) == ([], 2)
    assert answered(await cast.client("caseworker").get(f"/services/{kept['id']}"), 200)["locations"] != []
    await patched(cast, kept, 200, locations=[])
    rows = superuser.execute("select to_jsonb(s)::text from services s").fetchall()
    assert not [row for (row,) in rows if MARKER in row]
    listed = await cast.client("caseworker").get("/services", params={"limit": 200, "area_code": VILLAGE})
    assert MARKER not in listed.text
    assert service["id"] not in {one["id"] for one in listed.json()["items"]}
    public = await cast.client("nobody").get("http://samaki.test/hsds/services?full=true&per_page=200")
    assert MARKER not in public.text


async def test_the_database_itself_keeps_no_place_of_a_shelter(cast: Cast, superuser: Superuser) -> None:
    clinic, of_house = await added(cast), await added(cast, "admin", organisation_id=await home(cast))
    superuser.execute(PLACED, [clinic["id"]])
    with pytest.raises(psycopg.errors.CheckViolation):
        superuser.execute("update services set service_type = 'shelter' where id = %s", [clinic["id"]])
    with pytest.raises(psycopg.errors.CheckViolation):
        superuser.execute(PLACED, [of_house["id"]])
    with pytest.raises(psycopg.errors.CheckViolation):
        superuser.execute(
            "insert into services select gen_random_uuid(), version, created_at, updated_at, %s, service_type, status,"
            " name, name_km, description, description_km, eligibility, eligibility_km, minimum_age, maximum_age,"
            " sex_served, fees, fees_km, languages, schedules, phones, locations from services where id = %s",
            [of_house["organisation_id"], clinic["id"]],
        )


async def test_nobody_writes_a_place_while_the_organisation_becomes_one_of_shelters(
    cast: Cast, database: DatabaseUrls, superuser: Superuser
) -> None:
    service = await added(cast)
    with psycopg.connect(database.admin) as becoming:
        becoming.execute("update organisations set kind = 'shelter' where id = %s", [service["organisation_id"]])
        superuser.execute("set lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            superuser.execute(PLACED, [service["id"]])
        becoming.rollback()


async def test_a_service_is_never_taken_away_and_never_changes_its_organisation(
    cast: Cast, runtime_connection: Superuser
) -> None:
    service = await added(cast)
    assert (
        pointers(await patched(cast, service, 422, organisation_id=cast.organisation("ngo")))[0][0]
        == "/organisation_id"
    )
    assert (await cast.client("admin").delete(f"/services/{service['id']}")).status_code == 405
    for statement in (
        "delete from services where id = %s",
        "update services set organisation_id = organisation_id where id = %s",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            runtime_connection.execute(statement, [service["id"]])
        runtime_connection.rollback()
    assert (await patched(cast, service, 200, status="defunct"))["status"] == "defunct"


async def test_filters_narrow_and_an_area_holds_what_lies_in_it(cast: Cast) -> None:
    house = await home(cast, "legal_aid")
    reader = cast.client("caseworker")

    async def found(**query: Any) -> set[str]:
        return {one["id"] for one in await whole(reader, "/services", organisation_id=house, **query)}

    here = await added(
        cast, "admin", organisation_id=house, service_type="legal_aid", locations=[{"area_code": VILLAGE}]
    )
    there = await added(
        cast, "admin", organisation_id=house, service_type="birth_certificate", locations=[{"area_code": OTHER_COMMUNE}]
    )
    both = await added(
        cast,
        "admin",
        organisation_id=house,
        service_type="mental_health",
        status="inactive",
        locations=[{"area_code": OTHER_COMMUNE}, {"area_code": COMMUNE}],
    )
    nowhere = await added(cast, "admin", organisation_id=house, service_type="shelter")
    named = zip(("here", "there", "both", "nowhere"), (here, there, both, nowhere), strict=True)
    ids = {name: one["id"] for name, one in named}
    for query, names in (
        ({}, {"here", "there", "both", "nowhere"}),
        ({"service_type": "legal_aid"}, {"here"}),
        ({"sector": "psychosocial"}, {"both"}),
        ({"sector": "registration", "service_type": "legal_aid"}, set()),
        ({"status": "inactive"}, {"both"}),
        ({"area_code": "17"}, {"here", "there", "both"}),
        ({"area_code": COMMUNE}, {"here", "both"}),
        ({"area_code": VILLAGE}, {"here"}),
        ({"area_code": OTHER_COMMUNE, "status": "active"}, {"there"}),
        ({"area_code": "18"}, set()),
    ):
        assert await found(**query) == {ids[name] for name in names}, query
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"area_code": "170%"}, "/query/area_code"),
        ({"service_type": "x"}, "/query/service_type"),
        ({"organisation_id": "x"}, "/query/organisation_id"),
        ({"limit": 201}, "/query/limit"),
        ({"cursor": "x"}, "/query/cursor"),
        ({"q": "x"}, "/query/q"),
    )
    for query, pointer in wrong:
        assert [one for one, _ in pointers(answered(await reader.get("/services", params=query), 422))] == [pointer]


async def test_the_list_is_paged_newest_first_and_stable_while_entries_are_added(cast: Cast) -> None:
    house = await home(cast, "education")
    made = []
    for _ in range(5):
        cast.clock.advance(seconds=1)
        made.append((await added(cast, "admin", organisation_id=house))["id"])
    shown = []
    async for page in pages(cast.client("supervisor"), "/services", limit=2, organisation_id=house):
        assert len(page) <= 2
        shown += [one["id"] for one in page]
        cast.clock.advance(seconds=1)
        await added(cast, "admin", organisation_id=house)
    assert shown == made[::-1]


async def test_an_admin_reads_who_changed_an_entry_and_not_who_looked_for_one(cast: Cast) -> None:
    service = await added(cast)
    answered(await cast.client("caseworker").get(f"/services/{service['id']}"), 200)
    answered(await cast.client("caseworker").get("/services", params={"service_type": "safe_abortion"}), 200)
    told = await whole(cast.client("admin"), "/audit-events")
    rows = {(row["action"], row["subject_id"]) for row in told}
    assert ("add_service", service["id"]) in rows
    assert not {action for action, _ in rows} & {"read_service", "list_services"}


NOTHING: list[str] = []


@pytest.mark.parametrize(
    ("entry", "age", "sex", "codes"),
    [
        ({}, 34, Sex.FEMALE, NOTHING),
        ({"minimum_age": 18}, 17, Sex.FEMALE, ["age_not_served"]),
        ({"minimum_age": 18}, 18, Sex.FEMALE, NOTHING),
        ({"minimum_age": 18}, None, Sex.FEMALE, NOTHING),
        ({"minimum_age": 0, "maximum_age": 0}, 0, Sex.FEMALE, NOTHING),
        ({"maximum_age": 17}, 17, Sex.FEMALE, NOTHING),
        ({"maximum_age": 17}, 18, Sex.FEMALE, ["age_not_served"]),
        ({"sex_served": "female"}, 34, Sex.FEMALE, NOTHING),
        ({"sex_served": "female"}, 34, Sex.MALE, ["sex_not_served"]),
        ({"sex_served": "female"}, 34, Sex.OTHER, ["sex_not_served"]),
        ({"sex_served": "female"}, 34, Sex.UNKNOWN, NOTHING),
        ({"sex_served": "male"}, 34, Sex.FEMALE, ["sex_not_served"]),
        ({"capacity": "full"}, 34, Sex.FEMALE, ["full"]),
        ({"capacity": "open"}, 34, Sex.FEMALE, NOTHING),
        ({"places_free": 0}, 34, Sex.FEMALE, ["full"]),
        ({"assured_on": None}, 34, Sex.FEMALE, ["not_assured"]),
        ({"assured": 182}, 34, Sex.FEMALE, NOTHING),
        ({"assured": 183}, 34, Sex.FEMALE, ["not_assured"]),
        (
            {"minimum_age": 18, "sex_served": "female", "capacity": "full", "assured_on": None},
            3,
            Sex.MALE,
            ["age_not_served", "sex_not_served", "full", "not_assured"],
        ),
    ],
)
async def test_a_service_warns_of_what_does_not_fit_and_refuses_nothing(
    cast: Cast, entry: dict[str, Any], age: int | None, sex: Sex, codes: list[str]
) -> None:
    fields, today = dict(entry), day_of(cast.clock())
    fields.setdefault("assured_on", str(today - timedelta(days=fields.pop("assured", 0))))
    service = await added(cast, **fields)
    async with cast.runtime.database.transaction() as session:
        now = {"now": cast.clock().isoformat()}
        await session.execute(sa.text("select set_config('samaki.now', :now, true)"), now)
        found = await warnings_of(session, service["id"], age=age, sex=sex)
    assert [one.code.value for one in found] == codes
    assert all(one.en and one.km and one.en != one.km for one in found)


async def test_an_unknown_service_warns_of_nothing_and_is_not_there(cast: Cast) -> None:
    async with cast.runtime.database.transaction() as session:
        with pytest.raises(NotFound):
            await warnings_of(session, uuid4(), age=None, sex=Sex.UNKNOWN)
