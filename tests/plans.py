"""What people record of danger and of what is planned against it, for tests of the care plan."""

from typing import Any

import psycopg

from app.calendar import day_of
from app.models.codes.incidents import DangerItem
from tests.cast import Cast, answered
from tests.pages import whole

FIRST, EDIT = {"If-None-Match": "*"}, {"If-Match": "*"}
PLAN = {"needed": True, "developed_with_client": True, "strategies": "She goes to her aunt."}


def da5(cast: Cast, *yes: str, **more: Any) -> dict[str, Any]:
    """The body of a DA-5 of today in which these were answered with yes."""
    answers = {item.value: item.value in yes for item in DangerItem}
    return {"tool": "da5", "assessed_on": f"{cast.clock():%Y-%m-%d}", "answers": answers, **more}


async def assess(cast: Cast, case_id: str, *yes: str, who: str = "caseworker", **more: Any) -> Any:
    """Record a DA-5."""
    made = await cast.client(who).post(f"/cases/{case_id}/assessments", json=da5(cast, *yes, **more))
    return answered(made, 201)


async def set_risk(cast: Cast, case_id: str, level: str, who: str = "caseworker", status: int = 201) -> Any:
    """Set the level by hand."""
    body = {"level": level, "reason": "What she told us."}
    return answered(await cast.client(who).post(f"/cases/{case_id}/risk", json=body), status)


async def put_plan(cast: Cast, case_id: str, who: str = "caseworker", **more: Any) -> Any:
    """The first safety plan."""
    path = f"/cases/{case_id}/safety-plan"
    return answered(await cast.client(who).put(path, json={**PLAN, **more}, headers=FIRST), 201)


async def make_ready(cast: Cast, case_id: str) -> None:
    """What domestic violence needs to go on and to close: an assessment, and a plan that was looked at again."""
    await assess(cast, case_id)
    await put_plan(cast, case_id, reviewed_on=f"{day_of(cast.clock())}")


async def end_contacts(cast: Cast, case_id: str) -> None:
    """Take back every contact that is planned on a case about to close."""
    for one in await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups"):
        if one["state"] == "planned":
            path = f"/cases/{case_id}/follow-ups/{one['id']}"
            answered(await cast.client("caseworker").delete(path, headers=EDIT), 204)


async def put_first(cast: Cast, case_id: str, **change: Any) -> Any:
    """Make the date that the opening has planned another one: somebody plans it now."""
    (first,) = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
    path = f"/cases/{case_id}/follow-ups/{first['id']}"
    return answered(await cast.client("caseworker").patch(path, json=change, headers=EDIT), 200)


def put_undated(superuser: psycopg.Connection[Any], cast: Cast, case_id: str) -> None:
    """A case without a date, as of a database from before the openings planned one."""
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    superuser.execute("delete from follow_ups where case_id = %s", [case_id])


async def add_action(cast: Cast, case_id: str, who: str = "caseworker", status: int = 201, **more: Any) -> Any:
    """A step of the care plan."""
    body = {"title": "Ask for a new card", "need": "documents", "due_on": f"{cast.clock():%Y-%m-%d}", **more}
    return answered(await cast.client(who).post(f"/cases/{case_id}/actions", json=body), status)
