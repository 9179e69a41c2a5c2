"""A submitted report never changes; what comes later is late, or a later version; and who reads which."""

import asyncio
import hashlib
import json
from datetime import date
from typing import Any

import httpx
import psycopg
import pytest

from app.calendar import day_of
from app.database_urls import DatabaseUrls
from tests.acts import call_as
from tests.cast import Cast, answered
from tests.reporting import DAY, PERIOD, Programme, programme
from tests.test_case_flow import opened

Superuser = psycopg.Connection[Any]
VERSIONS = f"/reports/quarterly/{PERIOD}/versions"


def of_present(work: Programme) -> str:
    day = day_of(work.cast.clock())
    return f"{day.year}Q{(day.month - 1) // 3 + 1}"


async def test_a_version_is_kept_as_it_was_whatever_happens_to_the_records(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    home = work.household()
    visit = work.visit(home)
    made = await work.submit()
    assert (made["version"], made["report"]["version"]) == (1, 1)
    assert made["report"]["provisional"] is False
    stored = work.db.execute("select body from report_versions where sha256 = %s", [made["sha256"]]).fetchone()
    assert stored is not None
    assert hashlib.sha256(stored[0].encode()).hexdigest() == made["sha256"]
    assert json.loads(stored[0]) == made["report"]
    work.delete("home_visits", visit)
    work.db.execute("update organisations set name = 'Renamed' where id = %s", [work.organisation])
    assert answered(await work.supervisor.get(f"{VERSIONS}/1"), 200) == made
    work.cast.clock.advance(minutes=1)
    again = await work.submit()
    assert again["version"] == 2
    assert answered(await work.supervisor.get(f"{VERSIONS}/1"), 200) == made
    changes = answered(await work.supervisor.get(f"{VERSIONS}/2/diff"), 200)
    assert changes["against"] == 1
    assert {
        (one["indicator"], one["by"], one["year_to_date"], one["before"], one["after"]) for one in changes["changes"]
    } == {
        ("families_visited", None, False, 1, 0),
        ("families_visited", None, True, 1, 0),
        ("families_visited", "commune", False, 1, None),
    }
    first = answered(await work.supervisor.get(f"{VERSIONS}/1/diff"), 200)
    assert (first["against"], first["changes"]) == (None, [])
    listed = answered(await work.supervisor.get(VERSIONS), 200)["items"]
    assert [one["version"] for one in listed] == [2, 1]


async def test_what_is_received_after_the_report_counts_once_and_in_the_quarter_of_its_receipt(
    cast: Cast, superuser: Superuser
) -> None:
    work = await programme(cast, superuser)
    now = work.cast.clock
    early = work.activity("health_training", received=now())
    before = await work.figures()
    await work.submit()
    assert await work.figures() == before  # what was received until then is not late
    now.advance(minutes=1)
    work.activity("health_training", received=now())
    work.visit(work.household(), received=now())
    assert await work.figures() == before
    present = await work.report(of_present(work))
    late = {one["code"]: (one["value"], one["late_entries"]) for one in present["indicators"]}
    assert late["health_training_sessions"] == late["families_visited"] == (1, 1)
    assert "late_entries" in [caveat["code"] for caveat in present["caveats"]]
    assert (await work.submit(status=200))["report"]["indicators"][2]["value"] == 1
    assert await work.figures() == before  # asking for a later version moves no line
    present = await work.figures(of_present(work))
    assert present["health_training_sessions"] == 1
    work.delete("activities", early)  # a correction of what was there
    assert (await work.submit())["report"]["indicators"][2]["value"] == 0


async def test_everything_counts_by_its_date_until_the_report_is_submitted(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    work.cast.clock.advance(minutes=1)
    work.activity("health_training", date(2024, 7, 2), received=work.cast.clock())
    found = await work.indicator("health_training_sessions")
    assert (found["value"], found["late_entries"]) == (1, 0)


async def test_a_submission_is_one_however_often_it_is_sent(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    headers = {"Idempotency-Key": "once"}
    path = f"/reports/quarterly/{PERIOD}/submit"
    first = answered(await work.supervisor.post(path, headers=headers), 201)
    second = await work.supervisor.post(path, headers=headers)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert answered(second, 201) == first
    assert second.headers["Location"] == f"/api/v1{VERSIONS}/1"


async def test_twenty_submissions_at_once_are_one_version_and_nobody_waits_for_another(
    cast: Cast, superuser: Superuser
) -> None:
    work = await programme(cast, superuser)
    work.visit(work.household())
    path = f"/reports/quarterly/{PERIOD}/submit"
    answers = await asyncio.gather(*(work.supervisor.post(path) for _ in range(20)))
    made = [one for one in answers if one.status_code == 201]
    assert [answered(one, 201)["version"] for one in made] == [1]
    others = [one for one in answers if one.status_code != 201]
    for one in others:  # while it is counted, or when it stood already
        if one.status_code == 409:
            assert (one.json()["code"], one.json()["cause"]) == ("conflict", "in_progress")
        else:
            assert answered(one, 200) == made[0].json()
    assert len(others) == 19
    assert work.db.execute(
        "select count(*) from report_versions where organisation_id = %s", [work.organisation]
    ).fetchone() == (1,)


async def test_a_colleague_of_elsewhere_submits_meanwhile(cast: Cast, superuser: Superuser) -> None:
    ours, theirs = await programme(cast, superuser), await programme(cast, superuser)
    made = await asyncio.gather(ours.submit(), theirs.submit())
    assert [one["version"] for one in made] == [1, 1]


async def test_a_report_that_says_nothing_new_is_the_version_that_stands(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    work.visit(work.household())
    made = await work.submit()
    work.cast.clock.advance(minutes=1)
    again = await work.supervisor.post(f"/reports/quarterly/{PERIOD}/submit")
    assert answered(again, 200) == made
    assert again.headers["Content-Location"] == f"/api/v1{VERSIONS}/1"
    assert "Location" not in again.headers
    assert [one["version"] for one in answered(await work.supervisor.get(VERSIONS), 200)["items"]] == [1]
    answered(await work.supervisor.put(f"/reports/targets/{PERIOD}", json={"targets": {"families_visited": 9}}), 200)
    corrected = await work.submit()  # no figure differs, and yet it says something else
    assert corrected["version"] == 2
    assert await work.submit(status=200) == corrected, "that it corrects version 1 is nothing new"


async def test_the_same_figures_from_other_records_are_another_version(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    first = work.visit(work.household())
    made = await work.submit()
    work.delete("home_visits", first)
    work.visit(work.household())
    again = await work.submit()
    assert [one["value"] for one in again["report"]["indicators"]] == [
        one["value"] for one in made["report"]["indicators"]
    ]
    assert again["records"]["families_visited"] != made["records"]["families_visited"]


async def test_a_later_version_says_what_it_corrects_in_both_languages(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    visit = work.visit(work.household())
    since = day_of(work.cast.clock()).isoformat()
    first = await work.submit()
    assert "corrects" not in [one["code"] for one in first["report"]["caveats"]]
    work.delete("home_visits", visit)
    work.cast.clock.advance(minutes=1)
    later = await work.submit()
    changed = len(answered(await work.supervisor.get(f"{VERSIONS}/2/diff"), 200)["changes"])
    [said] = [one["text"] for one in later["report"]["caveats"] if one["code"] == "corrects"]
    assert said["en"] == f"This version corrects version 1, which stood since {since}: {changed} figures differ."
    assert said["km"] == f"កំណែនេះកែតម្រូវកំណែទី 1 ដែលមានសុពលភាពតាំងពី {since}៖ តួលេខ {changed} ខុសពីមុន។"


async def test_what_was_asked_in_vain_decides_nothing_of_a_consent(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    await work.submit()
    case_id = await opened(work)
    undecided = "select count(*) from case_flow where case_id = %s and not decided"
    before = work.db.execute(undecided, [case_id]).fetchone()
    assert before != (0,)
    await work.submit(status=200)
    assert work.db.execute(undecided, [case_id]).fetchone() == before


async def test_a_submission_needs_a_fresh_proof(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    work.cast.clock.advance(minutes=6)
    supervisor = work.supervisor
    token, _ = work.cast.runtime.tokens.issue(work.by, work.cast.sessions[work.team["supervisor"]], work.cast.clock())
    bare = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=supervisor._transport, base_url=supervisor.base_url) as client:
        refused = await client.post(f"/reports/quarterly/{PERIOD}/submit", headers=bare)
    assert answered(refused, 401)["code"] == "step_up_required"
    assert answered(await supervisor.get(VERSIONS), 200)["items"] == []


async def test_the_whole_organisation_is_counted_whatever_the_supervisor_sees(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    other = work.cast.users[work.team["caseworker"]].id
    work.visit(work.household(), created_by=other, caseworker_id=other, topics=["domestic_violence"])
    work.visit(work.household())
    assert (await work.figures())["families_visited"] == 1
    made = await work.submit()
    figures = {one["code"]: one["value"] for one in made["report"]["indicators"]}
    assert figures["families_visited"] == made["records"]["families_visited"]["count"] == 2


async def test_a_trace_gives_exactly_the_records_that_the_reader_sees_and_to_auditors_their_hash(
    cast: Cast, superuser: Superuser
) -> None:
    work = await programme(cast, superuser)
    woman, first, second = work.person(), work.activity("health_training"), work.activity("public_forum")
    work.activity("health_training", date(2024, 10, 1))
    for activity in (first, second):
        work.came(activity, woman)
    feedback = work.feedback(3)
    work.feedback(3, sex="male")
    report = await work.report()
    traces = {one["code"]: one["trace"] for one in report["indicators"]}
    expected = {
        "health_training_sessions": [f"/activities/{first}"],
        "women_girls_empowered": [f"/people/{woman}"],
        "public_service_feedback_women": [f"/feedback/{feedback}"],
        "families_visited": [],
    }
    for code, paths in expected.items():
        found = answered(await work.supervisor.get(traces[code]), 200)
        assert [one["path"] for one in found["items"]] == paths
        assert found["count"] == len(paths)
    made = await work.submit()
    auditor = work.cast.client("auditor")
    who = {"organisation_id": str(work.organisation)}
    for code in expected:
        own = answered(await work.supervisor.get(traces[code]), 200)
        told = answered(await auditor.get(traces[code], params=who), 200)
        assert told["items"] == []
        assert (told["count"], told["sha256"]) == (own["count"], own["sha256"])
        assert made["records"][code] == {"count": own["count"], "sha256": own["sha256"]}
    answered(await work.supervisor.get(f"/reports/quarterly/{PERIOD}/records/nothing"), 404)


async def test_the_trace_of_a_figure_that_is_not_told_says_nothing_of_it(cast: Cast, superuser: Superuser) -> None:
    """Everybody knows the hash of nothing."""
    work = await programme(cast, superuser)
    await opened(work, "domestic_violence", opened_on=f"{DAY}")
    made = await work.submit()
    hidden = [one["code"] for one in made["report"]["indicators"] if one["value"] is None]
    assert "cases_opened" in hidden
    auditor, who = work.cast.client("auditor"), {"organisation_id": str(work.organisation)}
    for code in hidden:
        assert made["records"][code] == {"count": None, "sha256": None}
        told = answered(await auditor.get(f"/reports/quarterly/{PERIOD}/records/{code}", params=who), 200)
        assert (told["count"], told["sha256"], told["items"]) == (None, None, [])


async def test_auditors_read_what_was_submitted_and_nothing_else(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    auditor = work.cast.client("auditor")
    who = {"organisation_id": str(work.organisation), "period": PERIOD}
    answered(await auditor.get("/reports/quarterly", params=who), 404)
    work.visit(work.household())
    made = await work.submit()
    work.visit(work.household())
    assert answered(await auditor.get("/reports/quarterly", params=who), 200) == made["report"]
    of = {"organisation_id": str(work.organisation)}
    assert answered(await auditor.get(f"{VERSIONS}/1", params=of), 200) == made
    assert [one["version"] for one in answered(await auditor.get(VERSIONS, params=of), 200)["items"]] == [1]
    answered(await auditor.get(f"{VERSIONS}/2", params=of), 404)
    commune = {**who, "commune_code": "170201"}
    answered(await auditor.get("/reports/quarterly", params=commune), 404)


async def test_nobody_reads_the_report_of_another_organisation(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    await work.submit()
    stranger = work.cast.client("other_supervisor")
    of = {"organisation_id": str(work.organisation)}
    for path in (
        VERSIONS,
        f"{VERSIONS}/1",
        f"{VERSIONS}/1/diff",
        f"/reports/quarterly/{PERIOD}/records/families_visited",
    ):
        answered(await stranger.get(path, params=of), 404)
    answered(await stranger.get("/reports/quarterly", params={**of, "period": PERIOD}), 404)
    assert answered(await stranger.get(VERSIONS), 200)["items"] == []
    for who in ("caseworker", "liaison", "partner", "admin"):
        answered(await work.cast.client(who).get("/reports/quarterly", params={"period": PERIOD}), 403)
        answered(await work.cast.client(who).get(VERSIONS), 403)


async def test_targets_stand_beside_the_figures_of_their_organisation_alone(cast: Cast, superuser: Superuser) -> None:
    work = await programme(cast, superuser)
    path = f"/reports/targets/{PERIOD}"
    answered(await work.supervisor.put(path, json={"targets": {"families_visited": 200, "cases_opened": 50}}), 200)
    assert (await work.indicator("families_visited"))["target"] == 200
    assert (await work.indicator("cases_opened"))["target"] == 50
    assert (await work.indicator("forum_participants"))["target"] is None
    answered(await work.supervisor.put(path, json={"targets": {"families_visited": 0}}), 200)
    assert (await work.indicator("families_visited"))["target"] == 0
    assert (await work.indicator("cases_opened"))["target"] is None
    other = answered(
        await work.cast.client("other_supervisor").get("/reports/quarterly", params={"period": PERIOD}), 200
    )
    assert [one["target"] for one in other["indicators"] if one["target"] is not None] == []
    for wrong in ({"nothing": 1}, {"families_visited": -1}, {"families_visited": 1.5}, {"families_visited": True}):
        answered(await work.supervisor.put(path, json={"targets": wrong}), 422)
    answered(await work.supervisor.put("/reports/targets/2024Q5", json={"targets": {}}), 422)


@pytest.mark.parametrize("form", ["html", "xlsx", "dhis2"])
async def test_a_report_comes_in_every_form(cast: Cast, superuser: Superuser, form: str) -> None:
    work = await programme(cast, superuser)
    work.visit(work.household())
    asked = await work.supervisor.get("/reports/quarterly", params={"period": PERIOD, "format": form})
    assert asked.status_code == 200
    kinds = {"html": "text/html; charset=utf-8", "dhis2": "application/json"}
    assert asked.headers["Content-Type"] == kinds.get(
        form, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    if form == "html":
        assert "default-src 'none'" in asked.headers["Content-Security-Policy"]
    assert asked.headers["Cache-Control"] == "no-store"


# ---- the net of the database, below the service ----


def test_no_role_of_the_service_changes_what_was_submitted(database: DatabaseUrls) -> None:
    for url in (database.runtime, database.reports, database.worker):
        for statement in (b"update report_versions set body = ''", b"delete from report_versions"):
            with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    with psycopg.connect(database.reports) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("insert into report_targets (id) values (gen_random_uuid())")


async def test_below_the_service_only_supervisors_read_and_write_and_in_their_own_name(
    cast: Cast, superuser: Superuser, database: DatabaseUrls
) -> None:
    work = await programme(cast, superuser)
    await work.submit()
    count = "select count(*) from report_versions where organisation_id = %s"
    working = "select count(*) from caseload_seen('2000-01-01', '2199-01-01')"
    copied = (
        "insert into report_versions select gen_random_uuid(), organisation_id, period, number + 1, starts_on, ends_on,"
        " as_of, submitted_at, %s, body, sha256, records from report_versions where organisation_id = %s returning 1"
    )
    await opened(work)
    worker, supervisor = work.team["caseworker"], work.team["supervisor"]
    assert call_as(cast, database, supervisor, count, work.organisation) == 1
    assert call_as(cast, database, supervisor, working) == 1
    assert call_as(cast, database, worker, count, work.organisation) == 0
    assert call_as(cast, database, worker, working) == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        call_as(cast, database, supervisor, copied, cast.users[worker].id, work.organisation)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        call_as(cast, database, worker, "select decide_statistics('2199-01-01', '2026-03-01')")
