"""How the work runs: who carries what, and how long things take, over what a supervisor sees and no more."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from app.calendar import day_of
from app.periods import Period
from tests.cases import intake
from tests.cast import Cast, FrozenClock, answered
from tests.helping import of_their_own

Superuser = psycopg.Connection[Any]
SERVICES = {"purpose": "services", "form": "verbal", "obtained_on": "2026-03-01"}


async def opened(cast: Cast, who: str, category: str = "id_poor", **more: Any) -> str:
    body = intake(category, consents=[SERVICES], **more)
    return str(answered(await cast.client(who).post("/cases", json=body), 201)["id"])


async def lines(cast: Cast, who: str, **query: str) -> dict[str | None, Any]:
    report = answered(await cast.client(who).get("/reports/caseload", params=query), 200)
    return {one["lead"] and one["lead"]["id"]: one for one in report["items"]}


async def kpi(cast: Cast, who: str, code: str, **query: str) -> Any:
    report = answered(await cast.client(who).get("/reports/kpis", params=query), 200)
    return next(one for one in report["kpis"] if one["code"] == code)


async def test_the_caseload_counts_stubs_and_says_their_risk_to_nobody(cast: Cast, superuser: Superuser) -> None:
    team = await of_their_own(cast)
    worker = team["caseworker"]
    seen = [await opened(cast, worker) for _ in range(2)]
    hidden = await opened(cast, worker, "domestic_violence")
    risk = {"level": "high", "reason": "He has a weapon."}
    answered(await cast.client(worker).post(f"/cases/{hidden}/risk", json=risk), 201)
    answered(await cast.client(worker).post(f"/cases/{seen[0]}/risk", json={**risk, "level": "medium"}), 201)
    mine = (await lines(cast, team["supervisor"]))[cast.id(worker)]
    assert (mine["open"], mine["stubs"], mine["high"], mine["medium"], mine["not_assessed"]) == (3, 1, 0, 1, 1)
    assert (mine["opened"], mine["closed"], mine["level"]) == (2, 0, "normal")
    excluded = {"user_id": cast.id(team["supervisor"]), "reason_code": "client_wish"}
    answered(await cast.client(worker).post(f"/cases/{seen[0]}/exclusions", json=excluded), 201)
    mine = (await lines(cast, team["supervisor"]))[cast.id(worker)]
    assert (mine["open"], mine["medium"], mine["opened"]) == (2, 0, 1)
    theirs = (await lines(cast, team["second"]))[cast.id(worker)]
    assert (theirs["open"], theirs["medium"], theirs["opened"]) == (3, 1, 2)
    closing = {"to": "closed", "closure": {"reason": "declined"}}
    answered(await cast.client(worker).post(f"/cases/{seen[1]}/transitions", json=closing), 200)
    mine = (await lines(cast, team["supervisor"]))[cast.id(worker)]
    assert (mine["open"], mine["closed"], mine["opened"]) == (1, 1, 1)
    before = str(Period.of(day_of(cast.clock())).previous())
    mine = (await lines(cast, team["supervisor"], period=before))[cast.id(worker)]
    assert (mine["opened"], mine["closed"]) == (0, 0)


async def test_who_may_not_run_the_work_reads_neither(cast: Cast) -> None:
    for who in ("caseworker", "liaison", "partner", "auditor", "admin"):
        for path in ("/reports/caseload", "/reports/kpis"):
            answered(await cast.client(who).get(path), 403)
    for period in ("2024Q5", "2199Q1"):
        answered(await cast.client("supervisor").get("/reports/kpis", params={"period": period}), 422)


async def test_nothing_is_null_and_a_few_are_not_told(cast: Cast, clock: FrozenClock) -> None:
    team = await of_their_own(cast)
    worker, supervisor = team["caseworker"], team["supervisor"]
    report = answered(await cast.client(supervisor).get("/reports/kpis"), 200)
    told = {(one["over"], one["value"], one["count"], one["suppressed"]) for one in report["kpis"]}
    assert told == {("seen_cases", None, 0, False), ("assigned_cases", None, None, False)}
    assert all(one["definition"]["en"] and one["definition"]["km"] for one in report["kpis"])
    lead = cast.client(worker)
    for number in range(5):
        case_id = await opened(cast, worker)
        happened = (clock() - timedelta(days=number + 1)).isoformat()
        body = {"occurred_at": happened, "precision": "exact"}
        answered(await lead.post(f"/cases/{case_id}/incidents", json=body), 201)
        add = {"user_id": cast.id(supervisor), "role": "reviewer", "reason": "To look at it."}
        answered(await cast.client(supervisor).post(f"/cases/{case_id}/assignments", json=add), 201)
        one = await kpi(cast, supervisor, "incident_to_report")
        assert (one["value"], one["count"]) == ((3.0, 5) if number == 4 else (None, None))
    unseen = await kpi(cast, team["second"], "incident_to_report")
    # An incident made the cases sensitive: to her they are stubs. That is no zero, and it says what it is about.
    assert (unseen["over"], unseen["value"], unseen["count"]) == ("assigned_cases", None, None)
    assert (unseen["suppressed"], unseen["bands"]) == (False, [])


@pytest.mark.parametrize(("late", "share"), [(0, 1.0), (5, 0.5)])
async def test_a_follow_up_is_on_time_on_its_day_and_not_the_day_after(
    cast: Cast, superuser: Superuser, clock: FrozenClock, late: int, share: float
) -> None:
    team = await of_their_own(cast)
    case_id = await opened(cast, team["caseworker"])
    due = clock().replace(hour=1)  # eight in the morning there: at ten in the evening it is still that day
    put = (
        "insert into follow_ups (id, version, created_at, updated_at, case_id, organisation_id, due_at, assignee_id,"
        " happened_at, created_by, sealed) select gen_random_uuid(), 1, %s, %s, id, organisation_id, %s, created_by,"
        " %s, created_by, '' from cases where id = %s"
    )
    superuser.execute("select set_config('samaki.now', %s, false)", [clock().isoformat()])
    superuser.execute("update follow_ups set of_opening = true where case_id = %s", [case_id])
    for number in range(5 + late):
        happened = due + timedelta(hours=14 if number < 5 else 17)
        superuser.execute(put, [due, due, due, happened, case_id])
    clock.advance(days=1)
    period = str(Period.of(day_of(due)))
    one = await kpi(cast, team["supervisor"], "follow_ups_on_time", period=period)
    assert (one["value"], one["count"]) == (share, 5 + late)
