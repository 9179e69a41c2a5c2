"""Partners' systems: what an admin makes does nothing before the partner's yes, and then nothing beyond its scopes."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app import schema
from app.database_urls import DatabaseUrls
from app.models.codes.people import OrganisationKind, Role
from app.models.organisation import Organisation
from app.permissions import Permission
from app.policy import scopes_of_systems
from app.security import Runtime, declared_permission
from app.services import clients
from tests.acts import exclude, newcomer
from tests.backups import empty
from tests.cast import PASSWORD, Cast, FrozenClock, answered
from tests.confirmations import asked_system, credentials, working_system
from tests.database import Server
from tests.doors import bearer, blocked, change, door, member, token
from tests.referring import accepted, move, referred, seen
from tests.test_administration import acting
from tests.test_referrals_in import sending

# What everybody may do who is signed in, written down a second time.
EVERYBODYS = {"self:read", "self:details", "codes:read", "areas:read", "notice:read"}
SCOPES = sorted(scope.value for scope in scopes_of_systems())


def place(cast: Cast, client_id: str = "", organisation: str = "clinic") -> str:
    """Where the systems of an organisation are, or one of them."""
    return f"/organisations/{cast.organisation(organisation)}/clients{client_id and '/'}{client_id}"


async def confirm(cast: Cast, client_id: str, who: str = "partner") -> httpx.Response:
    return await cast.client(who).post(f"{place(cast, client_id)}/confirm")


async def signed_in(system: dict[str, Any], client: httpx.AsyncClient) -> dict[str, str]:
    return bearer(answered(await token(client, credentials(system)), 200))


@pytest.fixture
def client(app: object) -> httpx.AsyncClient:
    return door(app)


@pytest.fixture
async def rival(cast: Cast) -> str:
    """A person of another partner; gives the name."""
    async with cast.runtime.database.transaction() as session:
        row = Organisation.named(cast.clock(), name="Rival", name_km="គ្លីនិក", kind=OrganisationKind.HEALTH)
        session.add(row)
    cast.organisations["rival"] = row.id
    await cast.add("rival", Role.PARTNER, "rival", [])
    return "rival"


@pytest.fixture
def runtime_connection(database: DatabaseUrls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.runtime) as connection:
        yield connection


def refusal(response: httpx.Response) -> str:
    """The code of a 401 or a 403, as the problem or the OperationOutcome names it."""
    assert response.status_code in {401, 403}
    said = response.json()
    found: str = said["code"] if "code" in said else said["issue"][0]["details"]["coding"][0]["code"]
    return found


def operations(app: FastAPI) -> list[tuple[str, str, Permission]]:
    """Method, address and permission of what needs a token, but for what one does to one's own session and factors."""
    found: list[tuple[str, str, Permission]] = []
    for route in iter_route_contexts(app.routes):
        permission = declared_permission(route.dependant) if hasattr(route, "dependant") else None
        if permission is not None and permission is not Permission.SELF:
            url = "http://samaki.test" + re.sub(r"\{[a-z_]+\}", str(uuid4()), str(route.path_format))
            found += [(method, url, permission) for method in sorted(route.methods or ())]
    return found


# ---- before anybody of the partner said yes ----


async def test_a_system_that_nobody_confirmed_signs_in_and_may_do_nothing(
    app: FastAPI, client: httpx.AsyncClient, cast: Cast
) -> None:
    headers = await signed_in(await asked_system(cast), client)
    everything = operations(app)
    assert len(everything) >= 100
    for method, url, _ in everything:
        answer = await client.request(method, url, headers=headers)
        assert (answer.status_code, refusal(answer)) == (403, "confirmation_required"), (method, url)
    assert answered(await client.get("/me", headers=headers), 200)["role"] == "partner"
    keyed = {**headers, "Idempotency-Key": str(uuid4())}
    assert (await client.post("/auth/logout", headers=keyed)).status_code == 204


async def test_to_the_rows_a_system_is_nobody_until_it_is_confirmed(
    cast: Cast, client: httpx.AsyncClient, superuser: psycopg.Connection, runtime_connection: psycopg.Connection
) -> None:
    made = await asked_system(cast)
    await signed_in(made, client)
    confirmed = await working_system(cast)
    await signed_in(confirmed, client)
    for system, speaks in ((made, False), (confirmed, True)):
        [(own_session,)] = superuser.execute("select id from sessions where user_id = %s", [system["id"]]).fetchall()
        query = "select scopes, confirmation_due from begin_request(%s, %s)"
        found = runtime_connection.execute(query, [own_session, cast.clock()]).fetchall()
        assert found == [(SCOPES, not speaks)]
        for name in ("user_id", "role", "organisation_id", "principals"):
            [(value,)] = runtime_connection.execute("select current_setting(%s, true)", [f"samaki.{name}"]).fetchall()
            assert bool(value) is speaks, name
        runtime_connection.rollback()


async def test_a_referral_is_there_for_a_system_once_the_partner_said_yes(
    cast: Cast, client: httpx.AsyncClient
) -> None:
    referral = await referred(cast)
    made = await asked_system(cast)
    path, headers = f"/referrals/{referral['id']}", await signed_in(made, client)
    assert refusal(await client.get(path, headers=headers)) == "confirmation_required"
    working = answered(await confirm(cast, made["client_id"]), 200)
    answered(await client.get(path, headers=headers), 401)
    headers = await signed_in(working, client)
    assert answered(await client.get(path, headers=headers), 200)["code"] == referral["code"]
    accept = await client.post(f"{path}/transitions", json={"to": "accepted"}, headers=headers)
    assert answered(accept, 200)["disclosed"]
    assert (await seen(cast, referral, "caseworker"))["status"] == "accepted"


# ---- the yes ----


async def test_the_yes_comes_with_a_new_secret_and_what_the_admin_saw_is_dead(
    cast: Cast, client: httpx.AsyncClient, superuser: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await asked_system(cast)
    assert made["confirmed"] is False
    old = await signed_in(made, client)
    cast.clock.advance(seconds=1)
    response = await confirm(cast, made["client_id"])
    working = answered(response, 200)
    fresh = working["client_secret"]
    assert working | {"client_secret": made["client_secret"], "confirmed": False} == made
    assert fresh != made["client_secret"]
    answered(await client.get("/me", headers=old), 401)
    answered(await token(client, credentials(made)), 401)
    reasons = superuser.execute("select end_reason from sessions where user_id = %s", [made["id"]]).fetchall()
    assert reasons == [("confirmed",)]
    answered(await client.get("/codes", headers=await signed_in(working, client)), 200)
    for who in ("admin", "partner"):
        shown = answered(await cast.client(who).get(place(cast, made["client_id"])), 200)
        assert shown["confirmed"] is True
        assert "client_secret" not in shown
    for table in ("users", "user_credentials", "user_requests", "idempotency_keys", "audit_events"):
        found = superuser.execute(f"select count(*) from {table} t where t::text like %s", [f"%{fresh}%"])
        assert found.fetchone() == (0,)
    assert fresh not in capsys.readouterr().out


async def test_the_yes_is_told_to_the_trail_with_who_said_it(cast: Cast, superuser: psycopg.Connection) -> None:
    made = await asked_system(cast)
    answered(await confirm(cast, made["client_id"]), 200)
    query = (
        "select actor_id::text, kind, status from audit_events"
        " where subject_id = %s and action = 'confirm_client' and status <> 401"  # asked to step up first
    )
    assert superuser.execute(query, [made["id"]]).fetchall() == [(cast.id("partner"), "settings", 200)]


async def test_a_repeated_yes_shows_the_secret_no_second_time(cast: Cast) -> None:
    made = await asked_system(cast)
    path, keyed = f"{place(cast, made['client_id'])}/confirm", {"Idempotency-Key": str(uuid4())}
    first = answered(await cast.client("partner").post(path, headers=keyed), 200)
    again = await cast.client("partner").post(path, headers=keyed)
    assert again.headers["idempotency-replayed"] == "true"
    first.pop("client_secret")
    assert answered(again, 200) == first
    answered(await cast.client("partner").post(path), 409)


async def test_of_two_who_say_yes_at_once_one_gets_the_secret(cast: Cast, client: httpx.AsyncClient) -> None:
    made = await asked_system(cast)
    answers = await asyncio.gather(*(confirm(cast, made["client_id"]) for _ in range(6)))
    assert Counter(one.status_code for one in answers) == {200: 1, 409: 5}
    [working] = [one.json() for one in answers if one.status_code == 200]
    await signed_in(working, client)


async def test_a_sign_in_under_way_with_the_old_secret_opens_nothing(
    cast: Cast, client: httpx.AsyncClient, superuser: psycopg.Connection
) -> None:
    made = await asked_system(cast)
    cast.clock.advance(seconds=1)
    answered(await cast.client("partner").post("/auth/step-up", json={"password": PASSWORD}), 204)
    async with cast.runtime.database.transaction() as session:
        actor, organisation = await acting(cast, session, "partner"), cast.organisations["clinic"]
        await clients.confirm_client(session, actor, organisation, made["id"], "secret", "no hash")
        task = asyncio.create_task(token(client, credentials(made)))
        assert await blocked(superuser, task)
    answered(await task, 401)


async def test_nobody_but_a_person_of_the_partner_says_yes(cast: Cast, client: httpx.AsyncClient) -> None:
    made = await asked_system(cast)
    for name in ("admin", "supervisor", "caseworker", "liaison", "auditor"):
        assert refusal(await confirm(cast, made["client_id"], name)) == "forbidden"
    assert refusal(await confirm(cast, made["client_id"], "nobody")) == "unauthenticated"
    assert answered(await cast.client("partner").get(place(cast, made["client_id"])), 200)["confirmed"] is False


async def test_a_system_confirms_reads_and_ends_no_system(cast: Cast, client: httpx.AsyncClient) -> None:
    headers, other = await signed_in(await working_system(cast), client), await asked_system(cast)
    path = place(cast, other["client_id"])
    for method, where in (("POST", f"{path}/confirm"), ("GET", path), ("GET", place(cast)), ("DELETE", path)):
        assert refusal(await client.request(method, where, headers=headers)) == "forbidden"
    assert answered(await cast.client("admin").get(path), 200)["active"] is True


async def test_who_made_a_system_does_not_confirm_it_as_a_person_of_the_partner_either(
    cast: Cast, runtime: Runtime, client: httpx.AsyncClient
) -> None:
    maker = await member(runtime, Role.ADMIN)
    headers = bearer(answered(await token(client, maker.grant()), 200))
    made = answered(await client.post(place(cast), json={"name": "Own"}, headers=headers), 201)
    await change(runtime, maker, role=Role.PARTNER, organisation_id=cast.organisations["clinic"])
    path = place(cast, made["client_id"])
    answered(await client.get(path, headers=headers), 200)
    assert refusal(await client.post(f"{path}/confirm", headers=headers)) == "forbidden"
    answered(await confirm(cast, made["client_id"]), 200)


async def test_to_another_partner_its_systems_are_not_there(
    cast: Cast, rival: str, superuser: psycopg.Connection
) -> None:
    made, stranger = await asked_system(cast), cast.client(rival)
    nothing, own = str(uuid4()), cast.organisation(rival)
    for method, rest in (("GET", ""), ("POST", "/confirm"), ("DELETE", ""), ("GET", "?x=1"), ("POST", "/confirm?x=1")):
        answers = {
            (answer.status_code, answer.content.replace(answer.headers["X-Request-ID"].encode(), b""))
            for organisation, client_id in (
                (cast.organisation("clinic"), made["client_id"]),  # of another
                (cast.organisation("clinic"), nothing),
                (own, nothing),
                (nothing, nothing),
            )
            for answer in [await stranger.request(method, f"/organisations/{organisation}/clients/{client_id}{rest}")]
        }
        assert len(answers) == 1, (method, rest)
        assert {status for status, _ in answers} == {404}
    for organisation in (cast.organisation("clinic"), cast.organisation("ngo"), nothing):
        for query in ("", "?limit=0"):
            answered(await stranger.get(f"/organisations/{organisation}/clients{query}"), 404)
    answered(await stranger.get(f"/organisations/{own}/clients/{made['client_id']}"), 404)
    answered(await stranger.post(f"/organisations/{own}/clients/{made['client_id']}/confirm"), 404)
    assert answered(await stranger.get(f"/organisations/{own}/clients"), 200)["items"] == []
    query = "select active, confirmed_at from users where id = %s"
    assert superuser.execute(query, [made["id"]]).fetchone() == (True, None)


async def test_a_person_is_not_confirmed_as_a_system_and_a_system_not_as_a_person(cast: Cast) -> None:
    made = await asked_system(cast)
    for name in ("partner", "supervisor", "admin"):
        answered(await cast.client(name).post(f"/users/{made['id']}/confirm"), 404)
    answered(await confirm(cast, cast.id("partner")), 404)


async def test_the_partner_lists_its_systems_and_ends_them(cast: Cast, client: httpx.AsyncClient) -> None:
    waiting, working = await asked_system(cast), await working_system(cast)
    headers, partner = await signed_in(working, client), cast.client("partner")
    listed = answered(await partner.get(place(cast), params={"limit": 200}), 200)["items"]
    told = {one["client_id"]: (one["active"], one["confirmed"]) for one in listed}
    assert (told[waiting["client_id"]], told[working["client_id"]]) == ((True, False), (True, True))
    for one in (waiting, working):
        assert (await partner.delete(place(cast, one["client_id"]))).status_code == 204
        assert answered(await partner.get(place(cast, one["client_id"])), 200)["active"] is False
    answered(await client.get("/me", headers=headers), 401)
    answered(await token(client, credentials(working)), 401)
    answered(await confirm(cast, waiting["client_id"]), 409)


async def test_a_yes_and_an_end_by_the_partner_ask_for_a_step_up_after_the_404(
    cast: Cast, runtime: Runtime, client: httpx.AsyncClient
) -> None:
    made = await asked_system(cast)
    nurse = await member(runtime, Role.PARTNER, cast.organisations["clinic"])
    headers = bearer(answered(await token(client, nurse.grant()), 200))
    cast.clock.advance(minutes=5, seconds=1)
    path = place(cast, made["client_id"])
    assert refusal(await client.post(f"{path}/confirm", headers=headers)) == "step_up_required"
    assert refusal(await client.delete(path, headers=headers)) == "step_up_required"
    answered(await client.post(f"{place(cast, str(uuid4()))}/confirm", headers=headers), 404)
    answered(await client.delete(place(cast, str(uuid4())), headers=headers), 404)
    answered(await client.post(f"/users/{made['id']}/confirm", headers=headers), 404)
    assert answered(await client.get(path, headers=headers), 200)["confirmed"] is False


async def notices(cast: Cast, name: str, client_id: str) -> list[dict[str, Any]]:
    """What this person is told of a system."""
    items = answered(await cast.client(name).get("/me/notices", params={"limit": 200}), 200)["items"]
    return [one for one in items if one["username"] == client_id]


async def test_the_partner_is_told_that_a_system_waits_and_the_admin_what_became_of_it(cast: Cast) -> None:
    made, ended = await asked_system(cast), await asked_system(cast)
    own_id = made["client_id"]
    for name, may in (("partner", True), ("admin", False)):
        [notice] = await notices(cast, name, own_id)
        assert (notice["kind"], notice["may_confirm"], notice["settled_at"]) == ("client", may, None)
        assert notice["user"] == {"id": own_id, "display_name": "Records"}
    for name in ("supervisor", "caseworker", "second_supervisor"):
        assert await notices(cast, name, own_id) == []
    answered(await confirm(cast, own_id), 200)
    answered(await cast.client("partner").delete(place(cast, ended["client_id"])), 204)
    for name in ("partner", "admin"):
        for client_id, confirmed in ((own_id, True), (ended["client_id"], False)):
            [notice] = await notices(cast, name, client_id)
            assert (notice["may_confirm"], notice["confirmed"]) == (False, confirmed)
            assert notice["settled_at"] is not None


async def test_a_system_is_told_what_is_asked_about_itself_and_nothing_of_people_or_other_systems(
    cast: Cast, client: httpx.AsyncClient
) -> None:
    ours = await working_system(cast)
    other = await asked_system(cast)
    nurse = {"username": f"nurse_{uuid4().hex[:8]}", "display_name": "Nurse", "role": "partner"}
    person = {**nurse, "organisation_id": cast.organisation("clinic"), "communes": []}
    answered(await cast.client("admin").post("/users", json=person), 201)
    for known in (other["client_id"], nurse["username"]):
        assert len(await notices(cast, "partner", known)) == 1
    headers = await signed_in(ours, client)
    told = answered(await client.get("/me/notices?limit=200", headers=headers), 200)["items"]
    assert {one["username"] for one in told} == {ours["client_id"]}


async def test_a_signatorys_supervisor_speaks_for_a_partner_without_people_but_not_for_its_systems(cast: Cast) -> None:
    body = {"name": "Empty", "name_km": "គ្លីនិក", "kind": "health"}
    empty = answered(await cast.client("admin").post("/organisations", json=body), 201)["id"]
    path = f"/organisations/{empty}/clients"
    made = answered(await cast.client("admin").post(path, json={"name": "EMR"}), 201)
    assert await notices(cast, "supervisor", made["client_id"]) == []
    assert refusal(await cast.client("supervisor").post(f"{path}/{made['client_id']}/confirm")) == "forbidden"
    answered(await cast.client("partner").post(f"{path}/{made['client_id']}/confirm"), 404)


# ---- scopes ----


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_system_does_what_its_scope_names_and_what_everybody_does_and_nothing_else(
    app: FastAPI, client: httpx.AsyncClient, cast: Cast, scope: str
) -> None:
    headers = await signed_in(await working_system(cast, scopes=[scope]), client)
    within = 0
    for method, url, permission in operations(app):
        answer = await client.request(method, url, headers=headers)
        if permission in EVERYBODYS | {scope}:
            assert answer.status_code != 403, (method, url)
            within += permission == scope
        else:
            assert (answer.status_code, refusal(answer)) == (403, "forbidden"), (method, url)
    assert within, "some operation needs it"
    assert answered(await client.get("/me", headers=headers), 200)["permissions"] == sorted(EVERYBODYS | {scope})


async def test_a_system_that_may_read_referrals_neither_answers_nor_sends_any(
    cast: Cast, client: httpx.AsyncClient
) -> None:
    referral = await referred(cast)
    headers = await signed_in(await working_system(cast, scopes=["referral:read"]), client)
    path = f"/referrals/{referral['id']}"
    before = answered(await client.get(path, headers=headers), 200)
    assert refusal(await client.post(f"{path}/transitions", json={"to": "accepted"}, headers=headers)) == "forbidden"
    assert refusal(await client.post("/referrals", json={}, headers=headers)) == "forbidden"
    assert answered(await client.get(path, headers=headers), 200) == before
    await move(cast, referral, "accepted")


async def test_a_system_that_may_only_send_sends_and_reads_nothing_back(cast: Cast, client: httpx.AsyncClient) -> None:
    headers = await signed_in(await working_system(cast, scopes=["referral:send"]), client)
    sent = answered(await client.post("/referrals", json=sending(cast), headers=headers), 201)
    assert sent["direction"] == "outgoing"
    assert refusal(await client.get(f"/referrals/{sent['id']}", headers=headers)) == "forbidden"
    assert (await seen(cast, sent))["id"] == sent["id"], "the partner's people follow it"


async def test_without_scopes_a_system_may_what_systems_may_and_never_what_is_a_persons(
    cast: Cast, client: httpx.AsyncClient
) -> None:
    assert {"referral:answer", "referral:read", "referral:send"} <= set(SCOPES)
    personal = {"user:confirm", "client:read", "client:confirm", "client:end", "service:edit", "webhook:edit"}
    assert not personal & set(SCOPES)
    for made in (await asked_system(cast), await asked_system(cast, scopes=None)):
        assert made["scopes"] == SCOPES
    working = await working_system(cast)
    me = answered(await client.get("/me", headers=await signed_in(working, client)), 200)
    assert me["permissions"] == sorted(EVERYBODYS | set(SCOPES))
    person = set(answered(await cast.client("partner").get("/me"), 200)["permissions"])
    assert person == EVERYBODYS | set(SCOPES) | personal


async def test_the_answers_name_the_scopes_each_once(cast: Cast, client: httpx.AsyncClient) -> None:
    made = await asked_system(cast, scopes=["referral:send", "referral:read", "referral:send"])
    assert made["scopes"] == ["referral:read", "referral:send"]
    assert answered(await token(client, credentials(made)), 200)["scope"] == "referral:read referral:send"
    working = answered(await confirm(cast, made["client_id"]), 200)
    assert working["scopes"] == made["scopes"]
    for who in ("admin", "partner"):
        shown = answered(await cast.client(who).get(place(cast, made["client_id"])), 200)
        assert shown["scopes"] == made["scopes"]


async def test_a_persons_token_has_no_scope(cast: Cast, runtime: Runtime, client: httpx.AsyncClient) -> None:
    nurse = await member(runtime, Role.PARTNER, cast.organisations["clinic"])
    assert "scope" not in answered(await token(client, nurse.grant()), 200)


@pytest.mark.parametrize(
    ("scopes", "pointer", "code"),
    [
        (["referral:read", "case:read"], "/scopes/1", "unknown_code"),
        (["user:confirm"], "/scopes/0", "unknown_code"),
        (["client:confirm"], "/scopes/0", "unknown_code"),
        (["codes:read"], "/scopes/0", "unknown_code"),
        (["*"], "/scopes/0", "unknown_code"),
        (["referral:read referral:send"], "/scopes/0", "unknown_code"),
        (["REFERRAL:READ"], "/scopes/0", "unknown_code"),
        ([""], "/scopes/0", "unknown_code"),
        (["x" * 41], "/scopes/0", None),
        ([1], "/scopes/0", None),
        ([], "/scopes", None),
        ("referral:read", "/scopes", None),
    ],
)
async def test_a_scope_that_no_system_may_have_is_refused(
    cast: Cast, superuser: psycopg.Connection, scopes: Any, pointer: str, code: str | None
) -> None:
    systems = "select count(*) from users where system"
    before = superuser.execute(systems).fetchone()
    response = await cast.client("admin").post(place(cast), json={"name": "EMR", "scopes": scopes})
    [error] = answered(response, 422)["errors"]
    assert error["pointer"] == pointer
    assert code in {None, error["code"]}
    answered(await cast.client("admin").post(f"/organisations/{uuid4()}/clients", json={"scopes": scopes}), 404)
    assert superuser.execute(systems).fetchone() == before


def test_systems_of_an_earlier_version_keep_what_they_could_and_wait_for_the_yes(
    server: Server, clock: FrozenClock
) -> None:
    row = (
        "insert into users (id, version, created_at, updated_at, username, display_name, role, communes, language,"
        " active, system, principal) values (gen_random_uuid(), 1, %(at)s, %(at)s, %(name)s, %(name)s, 'partner', '{}',"
        " 'en', true, %(system)s, gen_random_uuid())"
    )
    with empty(server) as urls:
        schema.prepare(urls.admin)
        schema.make_tables(urls.owner, "0022")
        with psycopg.connect(urls.admin) as connection:
            for system in (True, False):
                connection.execute(row, {"at": clock(), "name": f"system.{system}", "system": system})
        schema.upgrade(urls.owner)
        with psycopg.connect(urls.admin) as connection:
            found = connection.execute("select system, scopes, confirmed_at from users order by system").fetchall()
    assert found == [(False, None, None), (True, ["referral:answer", "referral:read", "referral:send"], None)]


# ---- whose eyes it has ----


async def test_what_is_kept_from_who_confirmed_a_system_is_kept_from_the_system(
    cast: Cast, client: httpx.AsyncClient, superuser: psycopg.Connection
) -> None:
    """Whoever confirmed it holds its secret."""
    keeper, colleague = await newcomer(cast, Role.PARTNER, "clinic"), await newcomer(cast, Role.PARTNER, "clinic")
    systems = []
    for who in (keeper, colleague):
        system = await asked_system(cast)
        systems.append(await signed_in(answered(await confirm(cast, system["id"], who), 200), client))
    kept, other = await accepted(cast), await accepted(cast)

    async def reads(headers: dict[str, str], referral: Any) -> int:
        paths = (f"/referrals/{referral['id']}", f"http://samaki.test/fhir/R4/Patient/{referral['id']}")
        [status] = {(await client.get(path, headers=headers)).status_code for path in paths}
        return status

    assert [await reads(headers, kept) for headers in systems] == [200, 200]
    exclusion = await exclude(cast, "caseworker", kept["case_id"], keeper)
    assert [await reads(headers, kept) for headers in systems] == [404, 200]
    assert await reads(systems[0], other) == 200
    listed = answered(await client.get("/referrals", headers=systems[0], params={"limit": 200}), 200)["items"]
    assert kept["id"] not in {one["id"] for one in listed}
    superuser.execute("update case_exclusions set lifted_at = created_at where origin_id = %s", [exclusion["id"]])
    assert await reads(systems[0], kept) == 200


async def test_who_may_only_answer_is_told_nothing_by_the_answer(
    cast: Cast, client: httpx.AsyncClient, superuser: psycopg.Connection
) -> None:
    narrow = await signed_in(await working_system(cast, scopes=["referral:answer"]), client)
    wide = await signed_in(await working_system(cast, scopes=["referral:answer", "referral:read"]), client)
    for headers, is_told in ((narrow, False), (wide, True)):
        referral = await referred(cast)
        path = f"/referrals/{referral['id']}"
        yes = await client.post(f"{path}/transitions", json={"to": "accepted"}, headers=headers)
        match = {**headers, "If-Match": yes.headers["ETag"]}
        dated = await client.patch(path, json={"appointment_at": "2030-01-15T02:00:00Z"}, headers=match)
        for answer in (answered(yes, 200), answered(dated, 200)):
            assert answer["status"] == "accepted"
            told = [answer[name] is not None for name in ("disclosed", "commune_code", "message")]
            assert told == [is_told] * 3
        seen_by = {
            opening["user"]["id"] for opening in (await seen(cast, referral, "caseworker", rest="/receipt"))["openings"]
        }
        assert bool(seen_by) is is_told
