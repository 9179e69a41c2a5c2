"""Every step of product.md's lifecycle, legal and illegal, by everybody who might ask for it, cell by cell.

Written from the table of product.md and the one of access.md, and not from the code.
"""

from itertools import product
from typing import Any

import psycopg
import pytest

from app.models.codes.people import Role
from tests.acts import assign, newcomer
from tests.cases import SUPPORT, open_case
from tests.cast import Cast, answered

STATUSES = ("intake", "assessment", "planning", "implementation", "follow_up", "closure_requested", "closed")

# Who may take a step: lead, assigned, supervisor (of a sensitive case its reviewer). Nobody else may. Who is assigned
# has asked for the closure here, and takes it back for that alone.
LEGAL = """
from               to                 standard                  sensitive
intake             assessment         lead,assigned,supervisor  lead,assigned
intake             implementation     lead,assigned,supervisor  -
intake             closed             lead,supervisor           lead,reviewer
assessment         planning           lead,assigned,supervisor  lead,assigned
assessment         closure_requested  lead,assigned,supervisor  lead,assigned
planning           assessment         lead,assigned,supervisor  lead,assigned
planning           implementation     lead,assigned,supervisor  lead,assigned
planning           closure_requested  lead,assigned,supervisor  lead,assigned
implementation     planning           lead,assigned,supervisor  lead,assigned
implementation     follow_up          lead,assigned,supervisor  lead,assigned
implementation     closure_requested  lead,assigned,supervisor  lead,assigned
follow_up          planning           lead,assigned,supervisor  lead,assigned
follow_up          implementation     lead,assigned,supervisor  lead,assigned
follow_up          closure_requested  lead,assigned,supervisor  lead,assigned
closure_requested  follow_up          lead,assigned,supervisor  lead,assigned,reviewer
closure_requested  closed             lead,supervisor           reviewer
closed             assessment         lead,supervisor           lead,reviewer
"""
CATEGORY = {"standard": "id_poor", "sensitive": "marital_issue"}
# Who asks, and as whom the cast plays it. Staff of the organisation see a standard case only, and move none; to a
# supervisor who does not review it a sensitive case does not exist.
PLAYED = {
    "lead": "caseworker",
    "assigned": "colleague",
    "supervisor": "second_supervisor",
    "reviewer": "supervisor",
    "liaison": "liaison",
}
REFUSED = {
    ("standard", "staff"): 403,
    ("standard", "liaison"): 403,
    ("sensitive", "staff"): 404,
    ("sensitive", "supervisor"): 404,
    ("sensitive", "liaison"): 403,
}


def legal() -> dict[tuple[str, str, str], set[str]]:
    """Who takes the step from, to, of a case of this sensitivity."""
    head, *lines = [line.split() for line in LEGAL.splitlines() if line]
    return {
        (sensitivity, line[0], line[1]): set(who.split(","))
        for line in lines
        for sensitivity, who in zip(head[2:], line[2:], strict=True)
        if who != "-"
    }


def expected(sensitivity: str, status: str, to: str, who: str) -> int:
    """The answer to the step."""
    if (sensitivity, who) in REFUSED:
        return REFUSED[sensitivity, who]
    allowed = legal().get((sensitivity, status, to))
    if allowed is None:
        return 409
    return (
        200 if who in allowed or ((sensitivity, who) == ("standard", "reviewer") and "supervisor" in allowed) else 403
    )


async def case_of_everybody(cast: Cast, sensitivity: str) -> str:
    """A case with a lead, somebody assigned, a reviewer and a liaison."""
    services = {**SUPPORT, "purpose": "services"}
    case_id = await open_case(cast, category=CATEGORY[sensitivity], consents=[SUPPORT, services])
    await assign(cast, "caseworker", case_id, "colleague", "caseworker")
    await assign(cast, "supervisor", case_id, "supervisor", "reviewer")
    await assign(cast, "caseworker", case_id, "liaison", "liaison")
    return case_id


def put(superuser: psycopg.Connection[Any], cast: Cast, case_id: str, status: str) -> None:
    """The case in this status, its closure asked for by who is assigned."""
    superuser.execute("select set_config('samaki.now', %s, false)", [cast.clock().isoformat()])
    ends = status in {"closure_requested", "closed"}
    superuser.execute(
        "update cases set status = %s, closure_reason = %s, closure_requested_by = %s, closed_at = %s where id = %s",
        [
            status,
            "moved_away" if ends else None,
            cast.id("colleague") if ends else None,
            cast.clock() if status == "closed" else None,
            case_id,
        ],
    )


def body_of(status: str, to: str) -> dict[str, Any]:
    """A well-formed request for the step."""
    ends = to == "closure_requested" or (status, to) == ("intake", "closed")
    closure = {"closure": {"reason": "client_request", "informed_can_return": True}} if ends else {}
    return {"to": to, "reason": "As agreed.", **closure}


@pytest.mark.parametrize("sensitivity", list(CATEGORY))
async def test_every_step_by_everybody_is_answered_as_the_table_says(
    cast: Cast, superuser: psycopg.Connection[Any], sensitivity: str
) -> None:
    case_id = await case_of_everybody(cast, sensitivity)
    played = {**PLAYED, "staff": await newcomer(cast, Role.CASEWORKER, "ngo")}
    wrong, asked = [], 0
    for status, to, who in product(STATUSES, STATUSES, played):
        put(superuser, cast, case_id, status)
        answer = await cast.client(played[who]).post(f"/cases/{case_id}/transitions", json=body_of(status, to))
        asked += 1
        wanted = expected(sensitivity, status, to, who)
        code = answer.json().get("code") if wanted == 409 else "illegal_transition"
        if (answer.status_code, code) != (wanted, "illegal_transition"):
            wrong.append(f"{who}: {status} to {to} is {answer.status_code}, not {wanted}")
        now = superuser.execute("select status from cases where id = %s", [case_id]).fetchone()
        if now != (to if wanted == 200 else status,):
            wrong.append(f"{who}: {status} to {to} leaves {now}")
    assert asked == 7 * 7 * 6
    assert wrong == []


async def test_a_refused_step_says_which_steps_there_are(cast: Cast, superuser: psycopg.Connection[Any]) -> None:
    for sensitivity in CATEGORY:
        case_id = await case_of_everybody(cast, sensitivity)
        for status in STATUSES:
            put(superuser, cast, case_id, status)
            steps = {to for of, start, to in legal() if (of, start) == (sensitivity, status)}
            answer = await cast.client("caseworker").post(f"/cases/{case_id}/transitions", json=body_of(status, status))
            assert answered(answer, 409)["allowed"] == sorted(steps)
