"""The health record: for who works on the case, and the weeks that are left."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from app.permissions import Permission
from app.policy import RELATION_PERMISSIONS
from app.relations import Relation
from app.services.health import weeks_to_12
from tests.acts import SENSITIVE, assign, break_glass, exclude, without_instance
from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.trail import Superuser

TOLD = {"gestation_weeks": 8, "assessed_on": "2026-03-02", "basis": "Her last period.", "note": "Zq8 asked for care."}
FIRST = {"If-None-Match": "*"}
# How many rows and keys of the private parts of a case somebody reads.
PRIVATE = (
    "select (select count(*) from health_records where case_id = %(case)s)::int,"
    " (select count(*) from attachments where case_id = %(case)s)::int,"
    " (select count(*) from attachment_chunks where case_id = %(case)s)::int,"
    " (select count(*) from vault.data_keys where case_id = %(case)s and part is not null)::int"
)


async def writes(cast: Cast, who: str, case_id: str, status: int, told: Any = None, **headers: str) -> Any:
    """How somebody who writes the record is answered."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"/cases/{case_id}/health"
    return answered(await cast.client(who).put(path, json=TOLD if told is None else told, headers=sent), status)


async def looks(cast: Cast, who: str, case_id: str, status: int = 200) -> Any:
    """How somebody who reads the record is answered."""
    return answered(await cast.client(who).get(f"/cases/{case_id}/health"), status)


async def recorded(cast: Cast, category: str = SENSITIVE) -> str:
    """A case with a health record; gives its id."""
    case_id = await open_case(cast, category=category)
    await writes(cast, "caseworker", case_id, 201, If_None_Match="*")
    return case_id


async def test_the_lead_writes_and_reads_the_record(cast: Cast) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    await looks(cast, "caseworker", case_id, 404)
    made = await cast.client("caseworker").put(f"/cases/{case_id}/health", json=TOLD, headers=FIRST)
    assert answered(made, 201) == await looks(cast, "caseworker", case_id)
    assert (made.headers["ETag"], made.headers["Location"]) == ('"1"', f"/api/v1/cases/{case_id}/health")
    seen = await looks(cast, "caseworker", case_id)
    assert {name: seen[name] for name in TOLD} == TOLD
    whole = await writes(cast, "caseworker", case_id, 200, {"note": "Not pregnant."}, If_Match='"1"')
    assert (whole["version"], whole["gestation_weeks"], whole["basis"]) == (2, None, None), (
        "nothing is kept from before"
    )
    assert await looks(cast, "caseworker", case_id) == whole


async def test_a_version_that_nobody_has_seen_is_not_overwritten(cast: Cast) -> None:
    case_id = await recorded(cast)
    refused = await cast.client("caseworker").put(f"/cases/{case_id}/health", json=TOLD, headers=FIRST)
    assert (answered(refused, 412)["code"], refused.headers["ETag"]) == ("precondition_failed", '"1"')
    await writes(cast, "caseworker", case_id, 428)
    await writes(cast, "caseworker", case_id, 412, If_Match='"2"')
    await writes(cast, "caseworker", case_id, 200, If_Match='"1"')
    empty = await open_case(cast, category=SENSITIVE)
    await writes(cast, "caseworker", empty, 428)
    await writes(cast, "caseworker", empty, 412, If_Match="*")


@pytest.mark.parametrize(
    ("weeks", "assessed_on", "today", "left"),
    [
        (8, date(2026, 3, 2), date(2026, 3, 2), 4),
        (8, date(2026, 3, 2), date(2026, 3, 16), 2),
        (8, date(2026, 3, 2), date(2026, 3, 3), 3.85),  # 27 days, rounded down
        (11, date(2026, 3, 2), date(2026, 3, 8), 0.14),
        (11, date(2026, 3, 2), date(2026, 3, 9), 0),
        (11, date(2026, 3, 2), date(2026, 9, 9), 0),
        (12, date(2026, 3, 2), date(2026, 3, 2), 0),
        (0, date(2026, 3, 2), date(2026, 3, 2), 12),
        (30, date(2026, 3, 2), date(2026, 3, 2), 0),
        (None, date(2026, 3, 2), date(2026, 3, 2), None),
        (8, None, date(2026, 3, 2), None),
    ],
)
def test_the_weeks_that_are_left(weeks: int | None, assessed_on: date | None, today: date, left: float | None) -> None:
    noon = datetime(today.year, today.month, today.day, 5, tzinfo=UTC)
    assert weeks_to_12(weeks, assessed_on, noon) == left


def test_the_weeks_are_counted_in_phnom_penh() -> None:
    assessed = date(2026, 3, 2)
    late, midnight = datetime(2026, 3, 2, 16, 59, tzinfo=UTC), datetime(2026, 3, 2, 17, tzinfo=UTC)
    assert (weeks_to_12(8, assessed, late), weeks_to_12(8, assessed, midnight)) == (4, 3.85)


async def test_the_window_shrinks_without_anybody_writing(cast: Cast, clock: FrozenClock) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    today = (clock() + timedelta(hours=7)).date().isoformat()
    before = await writes(
        cast, "caseworker", case_id, 201, {"gestation_weeks": 8, "assessed_on": today}, If_None_Match="*"
    )
    clock.advance(days=7)
    after = await looks(cast, "caseworker", case_id)
    assert (before["weeks_to_12"], after["weeks_to_12"], after["version"]) == (4, 3, 1)


@pytest.mark.parametrize(
    ("told", "pointer"),
    [
        ({"gestation_weeks": 8}, "/assessed_on"),
        ({"gestation_weeks": 8, "assessed_on": "2999-01-01"}, "/assessed_on"),
        ({"gestation_weeks": -1, "assessed_on": "2026-03-01"}, "/gestation_weeks"),
        ({"gestation_weeks": 46, "assessed_on": "2026-03-01"}, "/gestation_weeks"),
        ({"gestation_weeks": 8.5, "assessed_on": "2026-03-01"}, "/gestation_weeks"),
        ({"weeks": 8}, "/weeks"),
    ],
)
async def test_what_cannot_be_is_refused_to_who_sees_the_case_only(cast: Cast, told: Any, pointer: str) -> None:
    case_id = await open_case(cast, category=SENSITIVE)
    refused = await writes(cast, "caseworker", case_id, 422, told, If_None_Match="*")
    assert [error["pointer"] for error in refused["errors"]] == [pointer]
    await writes(cast, "stranger", case_id, 404, told, If_None_Match="*")
    await looks(cast, "caseworker", case_id, 404)


async def test_a_health_record_makes_the_case_sensitive_at_once(cast: Cast) -> None:
    case_id = await open_case(cast, category="id_poor")
    answered(await cast.client("colleague").get(f"/cases/{case_id}"), 200)
    await writes(cast, "caseworker", case_id, 201, If_None_Match="*")
    case = answered(await cast.client("caseworker").get(f"/cases/{case_id}"), 200)
    assert case["sensitivity"] == "sensitive"
    for who in ("colleague", "supervisor"):
        answered(await cast.client(who).get(f"/cases/{case_id}"), 404)


async def test_assigned_and_cover_read_and_write_and_nobody_else_who_sees_the_case(
    cast: Cast, clock: FrozenClock, superuser: Superuser
) -> None:
    case_id = await recorded(cast)
    until = clock().replace(year=clock().year + 1).isoformat()
    await assign(cast, "caseworker", case_id, "colleague", "cover", until=until)
    assert (await looks(cast, "colleague", case_id))["note"] == TOLD["note"]
    await writes(cast, "colleague", case_id, 200, If_Match="*")
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await break_glass(cast, superuser, case_id, "second_supervisor")
    for who in ("supervisor", "second_supervisor"):
        answered(await cast.client(who).get(f"/cases/{case_id}"), 200)
        await looks(cast, who, case_id, 403)
        await writes(cast, who, case_id, 403, If_Match="*")
    await assign(cast, "supervisor", case_id, "second_supervisor", "caseworker")
    await looks(cast, "second_supervisor", case_id)


async def test_staff_supervisor_and_liaison_of_a_standard_case_do_not_even_learn_of_one(cast: Cast) -> None:
    case_id = await open_case(cast, category="id_poor")
    for who in ("colleague", "supervisor"):
        await looks(cast, who, case_id, 403)
        await writes(cast, who, case_id, 403, If_None_Match="*")
    await looks(cast, "liaison", case_id, 403)
    for who in ("stranger", "other_supervisor"):
        refused = await cast.client(who).get(f"/cases/{case_id}/health")
        unknown = await cast.client(who).get(f"/cases/{uuid4()}/health")
        assert refused.status_code == 404
        assert without_instance(refused) == without_instance(unknown)


async def test_who_is_excluded_reads_it_no_more(cast: Cast) -> None:
    case_id = await recorded(cast)
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    await looks(cast, "colleague", case_id)
    await exclude(cast, "caseworker", case_id, "colleague")
    await looks(cast, "colleague", case_id, 404)
    await writes(cast, "colleague", case_id, 404, If_Match="*")


async def test_a_closed_case_is_read_and_not_written(cast: Cast) -> None:
    case_id = await recorded(cast)
    closure = {"reason": "declined", "informed_can_return": True}
    step = {"to": "closed", "reason": "Her wish.", "closure": closure}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/transitions", json=step), 200)
    assert (await writes(cast, "caseworker", case_id, 409, If_Match="*"))["code"] == "case_closed"
    await looks(cast, "caseworker", case_id)


async def test_the_timeline_says_that_and_never_what(cast: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    case_id = await recorded(cast)
    await writes(cast, "caseworker", case_id, 200, If_Match="*")
    timeline = answered(await cast.client("caseworker").get(f"/cases/{case_id}/timeline"), 200)["items"]
    told = {item["type"]: item["data"] for item in timeline if item["type"].startswith("health.")}
    assert told == {"health.recorded": {}, "health.changed": {}}
    elsewhere = str(timeline) + (await cast.client("caseworker").get(f"/cases/{case_id}")).text
    for word in ("Zq8", "gestation", "period"):
        assert word not in elsewhere
    assert "Zq8" not in capsys.readouterr().out


@pytest.mark.parametrize("relation", [Relation.STAFF, Relation.SUPERVISOR, Relation.REVIEWER, Relation.BREAK_GLASS])
async def test_a_forgotten_check_shows_nobody_the_record(
    cast: Cast, superuser: Superuser, relation: Relation, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = await recorded(cast)
    if relation is Relation.REVIEWER:
        await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    elif relation is Relation.BREAK_GLASS:
        await break_glass(cast, superuser, case_id, "supervisor")
    else:
        superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
        superuser.execute("update cases set sensitivity = 'standard' where id = %s", [case_id])
    more = RELATION_PERMISSIONS[relation] | {Permission.HEALTH_READ}
    monkeypatch.setitem(RELATION_PERMISSIONS, relation, more)
    await looks(cast, "colleague" if relation is Relation.STAFF else "supervisor", case_id, 404)


async def test_an_exclusion_hides_it_even_from_whom_an_assignment_was_left(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    """The second wall alone: excluding ends assignments, so that nothing else ever meets this."""
    case_id = await recorded(cast)
    made = await cast.client("caseworker").post(f"/cases/{case_id}/attachments", files={"file": ("a.txt", b"Letter")})
    answered(made, 201)
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
            assert superuser.execute(PRIVATE, {"case": case_id}).fetchone() == (
                (0, 0, 0, 0) if excluded else (1, 1, 1, 2)
            )


async def test_who_works_on_another_case_reads_nothing_of_this_one(
    cast: Cast, superuser: psycopg.Connection[Any]
) -> None:
    """The second wall alone."""
    case_id = await recorded(cast)
    made = await cast.client("caseworker").post(f"/cases/{case_id}/attachments", files={"file": ("a.txt", b"Letter")})
    answered(made, 201)
    await open_case(cast, "colleague", SENSITIVE)
    with superuser.transaction(force_rollback=True):
        superuser.execute("select from begin_request(%s, %s)", [cast.sessions["colleague"], cast.clock()])
        superuser.execute("set local role samaki_runtime")
        assert superuser.execute(PRIVATE, {"case": case_id}).fetchone() == (0, 0, 0, 0)
