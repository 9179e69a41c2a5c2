"""A case that turns out to be one of violence has its danger looked at, wherever it stands."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.cases import open_case
from tests.cast import Cast, FrozenClock, answered
from tests.pages import whole
from tests.plans import EDIT, assess, put_first
from tests.test_worklist import moment

Superuser = psycopg.Connection[Any]
VIOLENCE = {"category": "domestic_violence"}


async def become(cast: Cast, case_id: str, who: str = "caseworker", **change: Any) -> None:
    answered(await cast.client(who).patch(f"/cases/{case_id}", json=change or VIOLENCE, headers=EDIT), 200)


async def asked(cast: Cast, case_id: str) -> list[Any]:
    """The open actions."""
    found = await whole(cast.client("caseworker"), f"/cases/{case_id}/actions")
    return [one for one in found if one["state"] == "open"]


@pytest.mark.parametrize("category", ["marital_issue", "id_poor"])
async def test_it_is_asked_for_within_a_day_and_no_contact_waits_for_longer_than_at_high_risk(
    cast: Cast, clock: FrozenClock, superuser: Superuser, category: str
) -> None:
    case_id = await open_case(cast, category=category)
    await put_first(cast, case_id, due_at=(clock() + timedelta(days=29)).isoformat())
    superuser.execute("update cases set status = 'implementation' where id = %s", [case_id])
    await become(cast, case_id)
    [action] = await asked(cast, case_id)
    assert (action["prompt"], action["urgent"]) == ("new_assessment", True)
    assert (moment(action["due_at"]), action["assignee"]["id"]) == (
        clock() + timedelta(hours=24),
        cast.id("caseworker"),
    )
    [contact] = await whole(cast.client("caseworker"), f"/cases/{case_id}/follow-ups")
    assert moment(contact["due_at"]) == clock() + timedelta(days=7)
    await assess(cast, case_id)
    assert "new_assessment" not in [one["prompt"] for one in await asked(cast, case_id)]


async def test_it_is_asked_for_whoever_says_so_and_sees_the_case_no_more(cast: Cast) -> None:
    case_id = await open_case(cast)
    await become(cast, case_id, "supervisor")  # who does not review it
    answered(await cast.client("supervisor").get(f"/cases/{case_id}"), 404)
    assert [one["prompt"] for one in await asked(cast, case_id)] == ["new_assessment"]


async def test_what_is_known_or_was_violence_before_asks_for_nothing(cast: Cast) -> None:
    known = await open_case(cast, category="marital_issue")
    await assess(cast, known)
    await become(cast, known)
    assert await asked(cast, known) == []
    before = await open_case(cast, category="domestic_violence")
    await become(cast, before)
    assert await asked(cast, before) == []
    other = await open_case(cast)
    await become(cast, other, category="marital_issue")
    assert await asked(cast, other) == []


async def test_words_without_a_level_are_no_danger_assessment(cast: Cast, superuser: Superuser) -> None:
    case_id = await open_case(cast, category="domestic_violence")
    superuser.execute("update cases set status = 'planning' where id = %s", [case_id])
    path, day = f"/cases/{case_id}/assessments", f"{cast.clock():%Y-%m-%d}"
    lead, step = cast.client("caseworker"), {"to": "implementation"}
    for result, status in (({"text": "Talked."}, 409), ({"score": 3}, 409), ({"level": "low"}, 200)):
        body = {"tool": "mosaic", "assessed_on": day, "result": result}
        answered(await lead.post(path, json=body), 201)
        moved = answered(await lead.post(f"/cases/{case_id}/transitions", json=step), status)
        assert status == 200 or moved["missing"] == ["assessment"]
