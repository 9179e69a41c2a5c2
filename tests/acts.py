"""What people do to cases at the beginning of many tests of rights, and how a test looks at what they see."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from app.database_urls import DatabaseUrls
from app.models.codes.people import Role
from tests.cases import SUPPORT, intake, open_case
from tests.cast import Cast, answered
from tests.pages import whole

SENSITIVE = "domestic_violence"


async def assign(cast: Cast, by: str, case_id: str, user: str, role: str, **more: Any) -> str:
    """Put somebody on the case; gives the assignment's id."""
    wanted = {"user_id": cast.id(user), "role": role, "reason": "As agreed.", **more}
    made: str = answered(await cast.client(by).post(f"/cases/{case_id}/assignments", json=wanted), 201)["id"]
    return made


async def exclude(cast: Cast, by: str, case_id: str, user: str, status: int = 201) -> Any:
    """Exclude somebody from the case."""
    wanted = {"user_id": cast.id(user), "reason_code": "client_wish"}
    return answered(await cast.client(by).post(f"/cases/{case_id}/exclusions", json=wanted), status)


async def lift(cast: Cast, by: str, case_id: str, exclusion_id: str, status: int = 200) -> Any:
    """Ask for the lifting of an exclusion, or complete it."""
    path = f"/cases/{case_id}/exclusions/{exclusion_id}/lift"
    return answered(await cast.client(by).post(path, json={"reason": "A mistake."}), status)


async def status_of(cast: Cast, who: str, case_id: str, rest: str = "") -> int:
    """How reading the case, or what hangs on it, is answered."""
    return (await cast.client(who).get(f"/cases/{case_id}{rest}")).status_code


async def listed(cast: Cast, who: str, path: str = "/cases", **query: Any) -> list[Any]:
    """Every item of every page."""
    return await whole(cast.client(who), path, **query)


async def finds(cast: Cast, who: str, case_id: str, path: str = "/cases", **query: Any) -> bool:
    """Is the case in this person's list?"""
    return case_id in [item["id"] for item in await listed(cast, who, path, **query)]


async def total(cast: Cast, who: str) -> int:
    """How many cases this person is told to see."""
    count: int = answered(await cast.client(who).get("/cases/counts"), 200)["total"]
    return count


async def with_liaison(cast: Cast, **consent: Any) -> tuple[str, str]:
    """A sensitive case with a liaison, and the id of the consent on which the liaison's access rests."""
    case_id = await open_case(cast, category=SENSITIVE)
    given = {**SUPPORT, **consent}
    made = answered(await cast.client("caseworker").post(f"/cases/{case_id}/consents", json=given), 201)
    await assign(cast, "caseworker", case_id, "liaison", "liaison")
    return case_id, made["id"]


async def break_glass(cast: Cast, superuser: psycopg.Connection, case_id: str, user: str, status: int = 201) -> Any:
    """Open the case in an emergency, by somebody whose earlier grants are all reviewed."""
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    reviewed = "update break_glass_grants set reviewed_at = created_at where user_id = %s and reviewed_at is null"
    superuser.execute(reviewed, [cast.id(user)])
    wanted = emergency(code_of(superuser, case_id))
    return answered(await cast.client(user).post("/break-glass", json=wanted), status)


def code_of(superuser: psycopg.Connection, case_id: str) -> str:
    """The code that people read out."""
    row = superuser.execute("select code from cases where id = %s", [case_id]).fetchone()
    assert row is not None
    return str(row[0])


def emergency(code: str) -> dict[str, str]:
    """The body of an ordinary emergency."""
    return {"case_code": code, "reason_code": "danger_to_life", "reason": "He is at her door."}


def grant_by_hand(cast: Cast, superuser: psycopg.Connection, case_id: str, user: str) -> None:
    """A grant that the API would refuse."""
    now = cast.clock()
    superuser.execute("select set_config('samaki.now', %s, false)", [now.isoformat()])
    superuser.execute(
        "insert into break_glass_grants"
        " (id, case_id, organisation_id, user_id, reason_code, created_at, expires_at)"
        " select %s, id, organisation_id, %s, 'danger_to_life', %s, %s from cases where id = %s",
        [uuid4(), cast.id(user), now, now + timedelta(hours=4), case_id],
    )


def call_as(cast: Cast, database: DatabaseUrls, who: str, statement: str, *values: Any) -> Any:
    """What the API's database role is answered as this person; what it did stays."""
    with psycopg.connect(database.runtime) as connection:
        connection.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
        row = connection.execute(statement.encode(), values).fetchone()
    return row and row[0]


def without_instance(response: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """What an answer says, but for the request's own id and duration."""
    own_id = response.headers["X-Request-ID"]
    headers = {name: value for name, value in response.headers.items() if name != "x-request-id"}
    return response.status_code, response.content.replace(own_id.encode(), b""), headers


async def newcomer(cast: Cast, role: Role, organisation: str) -> str:
    """One more person, of whom no other test knows."""
    name = f"newcomer_{uuid4().hex[:6]}"
    await cast.add(name, role, organisation, [])
    return name


async def open_again(cast: Cast, who: str, case_id: str, **changes: Any) -> httpx.Response:
    """Another case of the same client."""
    seen = answered(await cast.client(who).get(f"/cases/{case_id}"), 200)
    body = {**intake(SENSITIVE, **changes), "client_id": seen["client"]["id"]}
    del body["client"]
    return await cast.client(who).post("/cases", json=body)
