"""Where a client is hidden: for lead and assigned, with a reason each time, and out of everybody else's reach."""

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from app.keys import add_key_encryption_key, ensure
from app.models.codes.people import Role
from app.models.codes.walls import WhereaboutsReason
from app.permissions import Permission
from app.policy import RELATION_PERMISSIONS
from app.relations import Relation
from app.sealing.key_encryption import key_encryption
from app.sealing.rotation import check_keys, rotate
from app.security import Runtime
from app.settings import Settings
from tests.acts import SENSITIVE, assign, break_glass, exclude, without_instance
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.doors import bearer, door, member, token
from tests.ground import ground
from tests.trail import Superuser, told

PLACE = "House 9 behind the Wat Zq8"
TOLD = {"kind": "shelter", "name": "Blue Lotus", "address": PLACE, "phone": "012345678", "known_to": "Nobody but us."}
FIRST = {"If-None-Match": "*"}
WHY = {"reason_code": "contact"}


async def hidden(cast: Cast, who: str = "caseworker", category: str = SENSITIVE) -> str:
    """A case whose client is somewhere; gives its id."""
    case_id = await open_case(cast, who, category)
    answered(await cast.client(who).put(f"/cases/{case_id}/whereabouts", json=TOLD, headers=FIRST), 201)
    return case_id


async def looks(cast: Cast, who: str, case_id: str, status: int = 200) -> Any:
    """How somebody who asks where she is is answered."""
    return answered(await cast.client(who).get(f"/cases/{case_id}/whereabouts", params=WHY), status)


async def writes(cast: Cast, who: str, case_id: str, status: int, **headers: str) -> Any:
    """How somebody who writes where she is is answered."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"/cases/{case_id}/whereabouts"
    return answered(await cast.client(who).put(path, json={**TOLD, "name": who}, headers=sent), status)


async def test_the_lead_writes_and_reads_where_she_is(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await looks(cast, "caseworker", case_id, 404)
    made = await cast.client("caseworker").put(f"/cases/{case_id}/whereabouts", json=TOLD, headers=FIRST)
    assert answered(made, 201).keys() == {"case_id", "version", "created_at", "updated_at"}
    assert (made.headers["ETag"], made.headers["Location"]) == ('"1"', f"/api/v1/cases/{case_id}/whereabouts")
    seen = await looks(cast, "caseworker", case_id)
    assert {name: seen[name] for name in TOLD} == {**TOLD, "phone": "+85512345678"}


async def test_a_version_that_nobody_has_seen_is_not_overwritten(cast: Cast) -> None:
    case_id = await hidden(cast)
    refused = await cast.client("caseworker").put(f"/cases/{case_id}/whereabouts", json=TOLD, headers=FIRST)
    assert (answered(refused, 412)["code"], refused.headers["ETag"]) == ("precondition_failed", '"1"')
    await writes(cast, "caseworker", case_id, 428)
    await writes(cast, "caseworker", case_id, 412, If_Match='"2"')
    assert (await writes(cast, "caseworker", case_id, 200, If_Match='"1"'))["version"] == 2
    await writes(cast, "caseworker", case_id, 412, If_Match='"1"')
    assert (await looks(cast, "caseworker", case_id))["name"] == "caseworker"
    empty = await open_case(cast, category=SENSITIVE)
    await writes(cast, "caseworker", empty, 428)
    await writes(cast, "caseworker", empty, 412, If_Match="*")


async def test_where_she_was_before_cannot_be_read_by_anybody_any_more(cast: Cast, superuser: Superuser) -> None:
    case_id = await hidden(cast)
    keys = "select home, wrapped from vault.data_keys where case_id = %s and part = 'whereabouts'"
    (before,) = superuser.execute(keys, [case_id]).fetchall()
    await writes(cast, "caseworker", case_id, 200, If_Match="*")
    (after,) = superuser.execute(keys, [case_id]).fetchall()
    assert before[0] != after[0]
    assert before[1] != after[1]
    gone = await cast.client("caseworker").delete(f"/cases/{case_id}/whereabouts", headers={"If-Match": '"2"'})
    assert gone.status_code == 204
    assert superuser.execute(keys, [case_id]).fetchall() == []
    await looks(cast, "caseworker", case_id, 404)
    again = await cast.client("caseworker").delete(f"/cases/{case_id}/whereabouts", headers={"If-Match": "*"})
    assert again.status_code == 404


async def test_who_is_assigned_reads_and_a_cover_writes_without_reading(cast: Cast, clock: FrozenClock) -> None:
    case_id = await hidden(cast)
    await looks(cast, "colleague", case_id, 404)
    until = clock().replace(year=clock().year + 1).isoformat()
    await assign(cast, "caseworker", case_id, "colleague", "cover", until=until)
    await looks(cast, "colleague", case_id, 403)
    answer = await writes(cast, "colleague", case_id, 200, If_Match="*")
    assert not set(TOLD) & answer.keys(), "who may not read is told nothing back"
    await looks(cast, "colleague", case_id, 403)
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    assert (await looks(cast, "colleague", case_id))["name"] == "colleague"


async def test_nobody_else_who_sees_the_case_sees_where_she_is(cast: Cast, superuser: Superuser) -> None:
    standard = await hidden(cast, category="id_poor")
    for staff in ("colleague", "supervisor"):
        await looks(cast, staff, standard, 403)
        await writes(cast, staff, standard, 403, If_Match="*")
    sensitive = await hidden(cast)
    await assign(cast, "supervisor", sensitive, "supervisor", "reviewer")
    await break_glass(cast, superuser, sensitive, "colleague")
    for looking in ("supervisor", "colleague"):
        await looks(cast, looking, sensitive, 403)
    for stranger in ("stranger", "second_supervisor"):
        refused = await cast.client(stranger).get(f"/cases/{sensitive}/whereabouts", params=WHY)
        unknown = await cast.client(stranger).get(f"/cases/{uuid4()}/whereabouts", params=WHY)
        assert refused.status_code == 404
        assert without_instance(refused) == without_instance(unknown)


async def test_who_is_excluded_or_taken_off_the_case_reads_it_no_more(cast: Cast) -> None:
    case_id = await hidden(cast)
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    await looks(cast, "colleague", case_id)
    await exclude(cast, "caseworker", case_id, "colleague")
    await looks(cast, "colleague", case_id, 404)
    await writes(cast, "colleague", case_id, 404, If_Match="*")


async def test_a_closed_case_is_read_and_not_written(cast: Cast) -> None:
    case_id = await hidden(cast)
    closure = {"reason": "declined", "informed_can_return": True}
    step = {"to": "closed", "reason": "Her wish.", "closure": closure}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/transitions", json=step), 200)
    assert (await writes(cast, "caseworker", case_id, 409, If_Match="*"))["code"] == "case_closed"
    gone = await cast.client("caseworker").delete(f"/cases/{case_id}/whereabouts", headers={"If-Match": "*"})
    assert answered(gone, 409)["code"] == "case_closed"
    await looks(cast, "caseworker", case_id)


# The reason, and the proof that it is she who asks.


@pytest.mark.parametrize("query", [{}, {"reason_code": "curiosity"}, {"reason_code": ""}, {**WHY, "more": "1"}])
async def test_nobody_looks_without_a_reason_from_the_list(cast: Cast, query: dict[str, str]) -> None:
    case_id = await hidden(cast)
    path = f"/cases/{case_id}/whereabouts"
    answered(await cast.client("caseworker").get(path, params=query), 422)
    answered(await cast.client("stranger").get(path, params=query), 404)


@pytest.mark.parametrize("reason", WhereaboutsReason)
async def test_every_look_is_in_the_trail_with_its_reason(
    cast: Cast, superuser: Superuser, reason: WhereaboutsReason
) -> None:
    case_id = await hidden(cast)
    path = f"/cases/{case_id}/whereabouts"
    look = await told(superuser, cast.client("caseworker"), "GET", path, params={"reason_code": reason.value})
    assert look.answer.status_code == 200
    row = look.row
    assert (row["action"], row["reason"], row["via"]) == ("read_whereabouts", reason.value, ["lead"])
    assert row["case_ids"] == [UUID(case_id)]
    refused = await told(superuser, cast.client("stranger"), "GET", path, params={"reason_code": reason.value})
    assert (refused.row["status"], refused.row["reason"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_it_asks_for_the_password_again(
    app: object, cast: Cast, runtime: Runtime, clock: FrozenClock, method: str
) -> None:
    case_id = await hidden(cast)
    somebody = await member(runtime, Role.CASEWORKER, cast.organisations["ngo"])
    wanted = {"user_id": somebody.id, "role": "caseworker", "reason": "As agreed."}
    answered(await cast.client("supervisor").post(f"/cases/{case_id}/assignments", json=wanted), 201)
    client = door(app)
    headers = bearer(answered(await token(client, somebody.grant()), 200))
    request: dict[str, Any] = {"params": WHY} if method == "GET" else {}
    if method == "PUT":
        request["json"] = TOLD
    path = f"/cases/{case_id}/whereabouts"
    clock.advance(minutes=6)
    refused = await client.request(method, path, headers={**headers, "If-Match": "*"}, **request)
    assert answered(refused, 401)["code"] == "step_up_required"
    hidden_case = await client.request(method, f"/cases/{uuid4()}/whereabouts", headers=headers, **request)
    assert hidden_case.status_code == 404, "what cannot be seen asks for no password"
    proof = {"password": somebody.password}
    assert (await client.post("/auth/step-up", json=proof, headers=headers)).status_code == 204
    given = await client.request(method, path, headers={**headers, "If-Match": "*"}, **request)
    assert given.status_code in {200, 204}


# Where it must never be.


async def test_it_is_nowhere_but_in_its_own_answer(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    case_id = await hidden(cast)
    await writes(cast, "caseworker", case_id, 200, If_Match="*")
    worker = cast.client("caseworker")
    told_elsewhere = ""
    for path in ("", "/timeline", "/people", "/notes", "/access-report"):
        told_elsewhere += (await worker.get(f"/cases/{case_id}{path}")).text
    for path in ("/cases", "/people", "/cases/counts", "/me/notices"):
        told_elsewhere += (await worker.get(path)).text
    told_elsewhere += (await cast.client("supervisor").get("/caseload")).text
    for text in (PLACE, "Blue Lotus", "shelter"):
        assert text not in told_elsewhere
    timeline = answered(await worker.get(f"/cases/{case_id}/timeline"), 200)["items"]
    assert "whereabouts" not in str(timeline), "not even that she has moved"
    assert PLACE not in capsys.readouterr().out


async def test_the_writing_leaves_the_case_as_it_was(cast: Cast) -> None:
    case_id = await open_case(cast, category="id_poor")
    before = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)
    await writes(cast, "caseworker", case_id, 201, If_None_Match="*")
    assert answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200) == before


@pytest.mark.parametrize("relation", [Relation.STAFF, Relation.SUPERVISOR, Relation.COVER])
async def test_a_forgotten_check_shows_nobody_where_she_is(
    cast: Cast, clock: FrozenClock, relation: Relation, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await hidden(cast, category="id_poor")
    who, status = {
        Relation.STAFF: ("colleague", 404),
        Relation.SUPERVISOR: ("supervisor", 404),
        Relation.COVER: ("colleague", 503),  # the row is hers to write; the key is not
    }[relation]
    if relation is Relation.COVER:
        until = clock().replace(year=clock().year + 1).isoformat()
        await assign(cast, "caseworker", case_id, who, "cover", until=until)
    more = RELATION_PERMISSIONS[relation] | {Permission.WHEREABOUTS_READ}
    monkeypatch.setitem(RELATION_PERMISSIONS, relation, more)
    await looks(cast, who, case_id, status)


def _opens(connection: psycopg.Connection[Any], cast: Cast, who: str, case_id: str) -> tuple[int, int]:
    """How many rows and keys of whereabouts this person reads as the API's role."""
    connection.execute("select from begin_request(%s, %s)", [cast.sessions[who], cast.clock()])
    counts = (
        "select (select count(*) from whereabouts where case_id = %s)::int,"
        " (select count(*) from vault.data_keys where case_id = %s and part is not null)::int"
    )
    rows, keys = connection.execute(counts, [case_id, case_id]).fetchone() or (-1, -1)
    connection.rollback()
    return rows, keys


async def test_who_opens_a_case_for_others_gets_no_key_of_its_parts(
    cast: Cast, database: DatabaseUrls, superuser: Superuser
) -> None:
    case_id = await hidden(cast)
    await break_glass(cast, superuser, case_id, "colleague")
    with psycopg.connect(database.runtime) as connection:
        assert _opens(connection, cast, "caseworker", case_id) == (1, 1)
        for who in ("colleague", "supervisor", "stranger", "liaison", "admin"):
            assert _opens(connection, cast, who, case_id) == (0, 0), who


async def test_its_keys_are_wrapped_anew_with_the_others(fresh_database: DatabaseUrls, tmp_path: Path) -> None:
    keys_dir = tmp_path / "keys"
    ensure(keys_dir)
    async with ground(fresh_database, keys_dir) as on:
        case_id = await hidden(on.cast)
        add_key_encryption_key(keys_dir)
        kek = key_encryption(Settings(keys_dir=keys_dir))
        check_keys(fresh_database.runtime, kek)
        rotate(fresh_database.worker, kek, lambda *_: None)
        with psycopg.connect(fresh_database.admin) as connection:
            old = connection.execute("select count(*) from vault.data_keys where kek_id <> %s", [kek.current])
            assert old.fetchone() == (0,)
        assert (await looks(on.cast, "caseworker", case_id))["address"] == PLACE


async def test_an_exclusion_hides_where_she_is_even_from_whom_an_assignment_was_left(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    """The second wall alone: excluding ends assignments, so that nothing else ever meets this."""
    case_id = await open_case(cast, category=SENSITIVE)
    told = {"kind": "relative", "name": "Her aunt"}
    path = f"/cases/{case_id}/whereabouts"
    answered(await cast.client("caseworker").put(path, json=told, headers={"If-None-Match": "*"}), 201)
    sees = "select exists (select from whereabouts where case_id = %s)"
    for excluded in (False, True):
        with superuser.transaction(force_rollback=True):
            if excluded:
                superuser.execute(
                    "insert into case_exclusions (id, case_id, organisation_id, user_id, origin_id, reason_code,"
                    " created_at, created_by) select gen_random_uuid(), id, organisation_id, %s, gen_random_uuid(),"
                    " 'other', opened_at, created_by from cases where id = %s",
                    [cast.id("caseworker"), case_id],
                )
            superuser.execute("select from begin_request(%s, %s)", [cast.sessions["caseworker"], cast.clock()])
            superuser.execute("set local role samaki_runtime")
            assert superuser.execute(sees, [case_id]).fetchone() == (not excluded,)
