"""Notes, incidents, consents and the timeline of a case."""

from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from app.calendar import day_of
from tests.cases import SUPPORT, intake, open_case
from tests.cast import Cast, FrozenClock, answered


async def with_liaison(cast: Cast) -> str:
    case_id = await open_case(cast, "caseworker", "domestic_violence", consents=[SUPPORT])
    wanted = {"user_id": cast.id("liaison"), "role": "liaison"}
    answered(await cast.client("caseworker").post(f"/cases/{case_id}/assignments", json=wanted), 201)
    return case_id


async def test_a_note_for_the_caseworkers_never_reaches_the_liaison(cast: Cast) -> None:
    case_id = await with_liaison(cast)
    path = f"/cases/{case_id}/notes"
    secret = answered(await cast.client("caseworker").post(path, json={"text": "For us only"}), 201)
    shared = answered(await cast.client("caseworker").post(path, json={"text": "For all", "audience": "team"}), 201)
    assert secret["audience"] == "caseworkers"
    seen = answered(await cast.client("liaison").get(path), 200)["items"]
    assert [note["id"] for note in seen] == [shared["id"]]
    answered(await cast.client("liaison").get(f"{path}/{secret['id']}"), 404)
    own = answered(await cast.client("liaison").post(path, json={"text": "From me"}), 201)
    assert own["audience"] == "team"
    answered(await cast.client("liaison").post(path, json={"text": "x", "audience": "caseworkers"}), 403)


async def test_the_timeline_of_a_liaison_has_no_hidden_events_and_no_reasons(cast: Cast, clock: Any) -> None:
    case_id = await with_liaison(cast)
    clock.advance(minutes=1)
    lead = cast.client("caseworker")
    answered(await lead.post(f"/cases/{case_id}/incidents", json={"precision": "unknown"}), 201)
    answered(await lead.post(f"/cases/{case_id}/notes", json={"text": "x"}), 201)
    answered(await lead.post(f"/cases/{case_id}/consents", json={**SUPPORT, "purpose": "services"}), 201)
    clock.advance(minutes=1)
    step = {"to": "assessment", "reason": "She agreed"}
    answered(await lead.post(f"/cases/{case_id}/transitions", json=step), 200)
    full = answered(await lead.get(f"/cases/{case_id}/timeline"), 200)["items"]
    assert {"case.opened", "incident.reported", "note.added", "consent.given", "case.status_changed"} <= {
        item["type"] for item in full
    }
    assert full[0]["reason"] == "She agreed"
    seen = answered(await cast.client("liaison").get(f"/cases/{case_id}/timeline"), 200)["items"]
    assert [item["type"] for item in seen] == ["case.status_changed", "case.opened"]
    assert all(item["reason"] is None for item in seen)


async def test_an_incident_is_edited_with_its_version_and_keeps_its_answers(cast: Cast) -> None:
    case_id = await open_case(cast, "caseworker", "domestic_violence")
    lead = cast.client("caseworker")
    told = {
        "occurred_at": "2026-02-20T10:00:00Z",
        "precision": "day",
        "answers": {"physical": True},
        "note": "At home",
    }
    response = await lead.post(f"/cases/{case_id}/incidents", json=told)
    incident = answered(response, 201)
    path = response.headers["Location"].removeprefix("/api/v1")
    answered(await lead.patch(path, json={"note": None}), 428)
    changed = answered(await lead.patch(path, json={"note": None}, headers={"If-Match": '"1"'}), 200)
    assert (changed["note"], changed["answers"]["physical"], changed["version"]) == (None, True, 2)
    answered(await lead.patch(path, json={"note": "y"}, headers={"If-Match": '"1"'}), 412)
    assert answered(await lead.get(f"/cases/{case_id}"), 200)["incident"]["id"] == incident["id"]
    future = {**told, "occurred_at": "2199-01-01T00:00:00Z"}
    answered(await lead.post(f"/cases/{case_id}/incidents", json=future), 422)


async def test_what_follows_from_an_incident_is_read_with_it(cast: Cast, clock: FrozenClock) -> None:
    """Of the client's own sex and birth, and of what was answered; in the case and in the list alike."""
    born = date(day_of(clock()).year - 17, 1, 1)
    client = {"alias": "One", "sex": "female", "birth_date": born.isoformat()}
    case_id = await open_case(cast, category="domestic_violence", client=client)
    told = {
        "occurred_at": (clock() - timedelta(hours=1)).isoformat(),
        "precision": "exact",
        "answers": {"penetration": True, "forced_marriage": True},
        "perpetrators": [{"names": ["Somebody Unheard"], "relationship": "intimate_partner"}],
    }
    lead, path = cast.client("caseworker"), f"/cases/{case_id}/incidents"
    made = answered(await lead.post(path, json=told), 201)
    assert made["type"] == "rape"
    assert made["contexts"] == ["intimate_partner_violence", "child_sexual_abuse", "early_marriage"]
    assert made["age"] in {16, 17}  # a year may turn within the hour
    assert (made["pep_hours_left"], made["ec_hours_left"]) == (71, 119)
    assert made == answered(await lead.get(f"{path}/{made['id']}"), 200)
    assert [made] == answered(await lead.get(path), 200)["items"]
    assert made == answered(await lead.get(f"/cases/{case_id}"), 200)["incident"]
    corrected = {"answers": {"psychological": True}, "precision": "year"}
    changed = await lead.patch(f"{path}/{made['id']}", json=corrected, headers={"If-Match": '"1"'})
    after = answered(changed, 200)
    assert (after["type"], after["contexts"]) == ("psychological_abuse", ["intimate_partner_violence"])
    assert (after["pep_hours_left"], after["ec_hours_left"]) == (None, None)


@pytest.mark.parametrize("precision", ["exact", "day", "month", "year"])
async def test_nobody_knows_exactly_when_without_knowing_when(cast: Cast, precision: str) -> None:
    lead, told = cast.client("caseworker"), {"precision": precision}
    case_id = await open_case(cast, category="domestic_violence")
    path = f"/cases/{case_id}/incidents"
    opened = await lead.post("/cases", json=intake("domestic_violence", incident=told))
    assert pointers(opened) == ["/incident/occurred_at"]
    assert pointers(await lead.post(path, json=told)) == ["/occurred_at"]
    made = answered(await lead.post(path, json={**told, "occurred_at": "2026-02-20T10:00:00Z"}), 201)
    one, any_version = f"{path}/{made['id']}", {"If-Match": "*"}
    assert pointers(await lead.patch(one, json={"occurred_at": None}, headers=any_version)) == ["/occurred_at"]
    answered(await lead.patch(one, json={"note": "By night."}, headers=any_version), 200)
    neither = {"occurred_at": None, "precision": "unknown"}
    changed = answered(await lead.patch(one, json=neither, headers=any_version), 200)
    assert (changed["occurred_at"], changed["precision"]) == (None, "unknown")
    assert pointers(await lead.patch(one, json=told, headers=any_version)) == ["/occurred_at"]


def pointers(answer: httpx.Response) -> list[str]:
    return [error["pointer"] for error in answered(answer, 422)["errors"]]


async def test_a_time_written_with_an_offset_is_answered_in_utc(cast: Cast) -> None:
    case_id = await open_case(cast)
    told = {"occurred_at": "2026-02-20T17:00:00+07:00", "precision": "exact"}
    made = answered(await cast.client("caseworker").post(f"/cases/{case_id}/incidents", json=told), 201)
    read = answered(await cast.client("caseworker").get(f"/cases/{case_id}/incidents/{made['id']}"), 200)
    assert made["occurred_at"] == read["occurred_at"] == "2026-02-20T10:00:00Z"


async def test_an_incident_hides_a_standard_case_from_the_rest_of_the_organisation(cast: Cast) -> None:
    case_id = await open_case(cast)
    assert answered(await cast.client("colleague").get(f"/cases/{case_id}"), 200)["access"]["via"] == "organisation"
    answered(
        await cast.client("caseworker").post(f"/cases/{case_id}/incidents", json={"precision": "unknown"}),
        201,
    )
    answered(await cast.client("colleague").get(f"/cases/{case_id}"), 404)


async def test_a_consent_lasts_through_its_last_day_in_phnom_penh(cast: Cast, clock: Any) -> None:
    today = str(day_of(clock()))
    case_id = await open_case(cast, consents=[])
    lead = cast.client("caseworker")
    given = {"purpose": "services", "form": "written", "obtained_on": "2026-03-01", "expires_on": today}
    consent = answered(await lead.post(f"/cases/{case_id}/consents", json=given), 201)
    assert consent["active"] is True
    clock.advance(hours=24)
    again = answered(await lead.get(f"/cases/{case_id}/consents/{consent['id']}"), 200)
    assert again["active"] is False
    assert answered(await lead.post(f"/cases/{case_id}/transitions", json={"to": "assessment"}), 409)["code"] == (
        "consent_required"
    )


async def test_a_consent_is_withdrawn_once_and_stays_on_record(cast: Cast) -> None:
    case_id = await open_case(cast)
    lead = cast.client("caseworker")
    consent = answered(await lead.get(f"/cases/{case_id}/consents"), 200)["items"][0]
    path = f"/cases/{case_id}/consents/{consent['id']}"
    withdrawn = answered(await lead.post(f"{path}/withdraw", json={"reason": "Changed her mind"}), 200)
    assert withdrawn["active"] is False
    assert withdrawn["withdrawn_at"] is not None
    answered(await lead.post(f"{path}/withdraw", json={}), 409)
    other = await open_case(cast)
    answered(await lead.get(f"/cases/{other}/consents/{consent['id']}"), 404)
