"""Releases of anonymised cases, from the request to the files: the same bytes for everybody, after two people's yes,
and none at all once a member was erased."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.database_urls import DatabaseUrls
from app.exports.verifying import public_keys, verify
from app.models.codes.people import Role
from app.periods import Period
from tests.cases import open_case
from tests.cast import FrozenClock, answered
from tests.quarters import DAY, PERIOD, Quarters, quarters_in
from tests.test_erasure import ask, confirm

LARGE, SMALL = 240, 40
KEY_SET = "http://samaki.test/.well-known/export-keys.json"
AGREED = [{"purpose": one, "form": "verbal", "obtained_on": "2024-08-01"} for one in ("services", "statistics")]


@pytest.fixture
def own_clock() -> FrozenClock:
    """Other tests do not move it."""
    return FrozenClock()


@pytest.fixture
async def quarters(
    fresh_database: DatabaseUrls, keys_dir: Path, own_clock: FrozenClock, tmp_path: Path
) -> AsyncIterator[Quarters]:
    async with quarters_in(fresh_database, keys_dir, own_clock, tmp_path / "freezing") as found:
        yield found


async def test_a_release_goes_from_the_request_to_files_that_verify(quarters: Quarters, tmp_path: Path) -> None:
    quarters.cases(LARGE)
    asked = await quarters.request()
    export_id = answered(asked, 202)["id"]
    assert asked.headers["Location"] == f"/api/v1/exports/{export_id}"
    waits = await quarters.read(export_id)
    assert (waits["state"], waits["report"], waits["files"], waits["approvals"]) == ("requested", None, None, None)
    supervisor, auditor = quarters.cast.client("supervisor"), quarters.cast.client("auditor")
    answered(await supervisor.get(f"/exports/{export_id}"), 404)  # whose rows are in it nobody knows yet
    assert await quarters.work() == 1
    frozen = await quarters.read(export_id, "supervisor")
    assert frozen["state"] == "frozen", frozen["code"]
    assert frozen["report"]["rows_in"] == LARGE
    assert frozen["approvals"] == {"given": 0, "awaited": [quarters.cast.organisation("ngo")]}
    page = await supervisor.get(f"/exports/{export_id}/files/risk-km.html")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert (await supervisor.get(f"/exports/{export_id}/manifest")).headers["ETag"] == f'"{frozen["manifest_sha256"]}"'
    for path in ("manifest", "files/category.csv"):
        refused = answered(await auditor.get(f"/exports/{export_id}/{path}"), 409)
        assert (refused["code"], refused["cause"]) == ("conflict", "not_released")
    released = answered(await quarters.approve(frozen), 200)
    assert (released["state"], released["approvals"]) == ("released", {"given": 1, "awaited": []})
    files = await quarters.files(await quarters.read(export_id))
    assert {"category.csv", "category.parquet", "manifest.json"} <= files.keys()
    manifest = await auditor.get(f"/exports/{export_id}/manifest")
    assert (manifest.content, manifest.headers["Content-Type"]) == (files["manifest.json"], "application/json")
    assert hashlib.sha256(manifest.content).hexdigest() == frozen["manifest_sha256"]
    place = tmp_path / "downloaded"
    place.mkdir()
    for name, content in files.items():
        (place / name).write_bytes(content)
    published = public_keys((await quarters.cast.client("nobody").get(KEY_SET)).content)
    assert verify(place, published) == []
    (place / "category.csv").write_bytes(files["category.csv"][:-2] + b"x\n")
    assert verify(place, published) != []
    assert not list((tmp_path / "freezing").iterdir()), "nothing stays where the files were written"


async def test_a_file_is_sent_in_parts_and_not_again_to_who_has_it(quarters: Quarters) -> None:
    quarters.cases(SMALL)
    released = await quarters.released()
    files, auditor = await quarters.files(released), quarters.cast.client("auditor")
    one = next(one for one in released["files"] if one["name"].endswith(".csv"))
    path, whole = f"/exports/{released['id']}/files/{one['name']}", files[one["name"]]
    tag = f'"{one["sha256"]}"'
    assert (one["bytes"], one["sha256"]) == (len(whole), hashlib.sha256(whole).hexdigest())
    part = await auditor.get(path, headers={"Range": "bytes=3-9", "If-Range": tag})
    assert (part.status_code, part.content, part.headers["ETag"]) == (206, whole[3:10], tag)
    assert part.headers["Content-Range"] == f"bytes 3-9/{len(whole)}"
    other = await auditor.get(path, headers={"Range": "bytes=3-9", "If-Range": '"another"'})
    assert (other.status_code, other.content) == (200, whole)
    has_it = await auditor.get(path, headers={"If-None-Match": tag})
    assert (has_it.status_code, has_it.content, has_it.headers["ETag"]) == (304, b"", tag)
    answered(await auditor.get(path, headers={"Range": f"bytes={len(whole)}-"}), 416)
    for name in ("nothing.csv", "..%2fcategory.csv", "category.csv%00"):
        assert (await auditor.get(f"/exports/{released['id']}/files/{name}")).status_code in {404, 422}
    answered(await quarters.cast.client("supervisor").get(path), 404)


async def test_twenty_first_requests_at_once_are_one_release_with_one_hash(quarters: Quarters) -> None:
    quarters.cases(SMALL)
    people = ["auditor", "second_auditor"] * 10
    answers = await asyncio.gather(*(quarters.request(who=who) for who in people))
    assert sorted(one.status_code for one in answers) == [200] * 19 + [202]
    [export_id] = {one.json()["id"] for one in answers}
    assert quarters.count("select count(*) from exports") == 1
    assert await quarters.work() == 1
    answered(await quarters.approve(await quarters.read(export_id)), 200)
    later = [await quarters.request(who=who) for who in ("auditor", "second_auditor")]
    assert [(one.status_code, one.json()["id"], one.json()["state"]) for one in later] == [
        (200, export_id, "released")
    ] * 2
    assert await quarters.files(later[0].json()) == await quarters.files(later[1].json(), "second_auditor")
    assert await quarters.work() == 0


async def test_what_happens_after_the_freeze_changes_no_byte(quarters: Quarters, own_clock: FrozenClock) -> None:
    members = quarters.cases(SMALL)
    silent = quarters.case(statistics=False)
    elsewhere = quarters.case(organisation="other_ngo")  # which signs for nobody
    released = await quarters.released()
    before = await quarters.files(released)
    own_clock.advance(hours=2)
    late = quarters.case(created=own_clock())
    quarters.db.execute("select set_config('samaki.now', %s, false)", [own_clock().isoformat()])
    quarters.db.execute(
        "update cases set category = 'disaster_relief', commune_code = '170301' where id = %s", [members[0]]
    )
    withdrawn = "update consents set withdrawn_at = created_at where case_id = %s and purpose = 'statistics'"
    quarters.db.execute(withdrawn, [members[1]])
    agreed = (
        "insert into consents (id, version, created_at, updated_at, case_id, organisation_id, purpose, given_by, form,"
        " obtained_on, shared_fields, created_by, sealed) select gen_random_uuid(), 1, now(), now(), id,"
        " organisation_id, 'statistics', 'client', 'verbal', '2024-09-01', '[]', created_by, '' from cases"
        " where id = %s"
    )
    quarters.db.execute(agreed, [silent])
    again = answered(await quarters.request(), 200)
    assert await quarters.files(again) == before
    quarters.cases(SMALL, opened=DAY + timedelta(days=90))
    await quarters.frozen(period="2024Q4")
    cohorts = dict(
        quarters.db.execute(
            "select case_id, c.period from export_members join export_cohorts c on c.id = cohort_id"
        ).fetchall()
    )
    assert {cohorts.get(one) for one in members} == {PERIOD}
    assert cohorts.get(late) == "2024Q4", "what was recorded after the freeze is in the next cohort"
    assert silent not in cohorts, "who had not agreed at the freeze is in none"
    assert elsewhere not in cohorts
    assert len(cohorts) == 2 * SMALL + 1
    assert await quarters.files(again) == before


async def test_another_profile_shows_the_same_frozen_rows_after_another_person_s_yes(quarters: Quarters) -> None:
    quarters.cases(LARGE)
    first = await quarters.released()
    quarters.cases(5)
    second = await quarters.frozen("public-v1")
    assert (second["report"]["rows_in"], second["report"]["promise"]["k"]) == (LARGE, 11)
    assert second["report"]["frozen_at"] == first["report"]["frozen_at"]
    known = quarters.db.execute("select known -> 'releases' from exports where id = %s", [second["id"]]).fetchone()
    assert known == ([first["id"]],), "what the first one tells is audited with it"
    refused = answered(await quarters.approve(second), 409)
    assert refused["cause"] == "same_person"
    answered(await quarters.approve(second, "second_supervisor"), 200)


async def test_each_organisation_with_rows_says_yes_to_what_it_has_read(quarters: Quarters) -> None:
    quarters.db.execute(
        "update organisations set signatory = true where id = %s", [quarters.cast.organisation("other_ngo")]
    )
    quarters.cases(SMALL)
    quarters.cases(SMALL, organisation="other_ngo")
    await quarters.cast.add("without_rows", Role.SUPERVISOR, "council", [])
    frozen = await quarters.frozen()
    other = "0" * 64
    assert answered(await quarters.approve(frozen, sha256=other), 409)["cause"] == "outdated"
    answered(await quarters.approve(frozen, "without_rows"), 404)
    answered(await quarters.cast.client("without_rows").get(f"/exports/{frozen['id']}"), 404)
    assert answered(await quarters.cast.client("without_rows").get("/exports"), 200)["items"] == []
    answered(await quarters.approve(frozen, "auditor"), 403)
    half = answered(await quarters.approve(frozen), 200)
    assert (half["state"], half["approvals"]) == (
        "frozen",
        {"given": 1, "awaited": [quarters.cast.organisation("other_ngo")]},
    )
    assert answered(await quarters.approve(frozen, "second_supervisor"), 409)["cause"] == "answered"
    answered(await quarters.cast.client("auditor").get(f"/exports/{frozen['id']}/files/category.csv"), 409)
    # Who moves to the other organisation in between cannot be its second person, too.
    moved = "update users set organisation_id = %s where id = %s"
    there = quarters.cast.organisation("other_ngo")
    quarters.db.execute(moved, [there, quarters.cast.id("supervisor")])
    assert answered(await quarters.approve(frozen), 409)["cause"] == "same_person"
    both = await asyncio.gather(*(quarters.approve(frozen, "other_supervisor") for _ in range(5)))
    assert sorted(one.status_code for one in both) == [200, 409, 409, 409, 409]
    assert (await quarters.read(frozen["id"]))["state"] == "released"


@pytest.mark.parametrize("size", [0, 1, 4])
async def test_a_cohort_that_is_too_small_is_refused_and_leaves_nothing(quarters: Quarters, size: int) -> None:
    quarters.cases(size)
    export_id = await quarters.requested()
    await quarters.work()
    found = await quarters.read(export_id)
    assert (found["state"], found["code"], found["report"]) == ("refused", "cohort_too_small", None)
    assert quarters.count("select count(*) from export_files") == 0
    answered(await quarters.cast.client("auditor").get(f"/exports/{export_id}/manifest"), 409)
    again = answered(await quarters.request(), 200)
    assert (again["id"], again["state"]) == (export_id, "refused")


async def test_an_unknown_code_is_refused_by_name_and_nothing_is_written(quarters: Quarters) -> None:
    quarters.cases(SMALL - 1)
    quarters.case(status="archived")
    export_id = await quarters.requested()
    await quarters.work()
    found = await quarters.read(export_id)
    assert (found["state"], found["code"]) == ("refused", "unknown_code")
    assert quarters.count("select count(*) from export_files") == 0


async def test_an_erased_member_withdraws_every_release_of_its_cohort_at_once(quarters: Quarters) -> None:
    quarters.cases(LARGE)
    case_id = await open_case(quarters.cast, opened_on="2024-08-20", consents=AGREED)
    released = [await quarters.released(), await quarters.released("public-v1", who="second_supervisor")]
    assert quarters.count("select count(*) from export_members where case_id = %s", case_id) == 1
    assert quarters.count("select count(*) from vault.data_keys where part = 'export'") == 1
    await ask(quarters.cast, case_id)
    await confirm(quarters.cast, case_id)
    auditor = quarters.cast.client("auditor")
    for one in released:
        found = await quarters.read(one["id"])
        assert (found["state"], found["report"], found["manifest_sha256"]) == ("withdrawn", None, None)
        assert (found["files"], found["approvals"]) == (None, None)
        for path in ("manifest", "files/category.csv", "files/never.csv"):
            gone = await auditor.get(f"/exports/{one['id']}/{path}", headers={"Accept-Language": "km"})
            assert answered(gone, 410)["code"] == "withdrawn"
            assert set(gone.json()) == {"type", "title", "status", "code", "instance"}, "no reason"
        answered(await quarters.approve(one, "second_supervisor"), 410)
    for table in ("export_files", "export_chunks"):
        assert quarters.count(f"select count(*) from {table}") == 0
    assert quarters.count("select count(*) from export_cohorts where sealed is not null") == 0
    assert quarters.count("select count(*) from vault.data_keys where part = 'export'") == 0
    again = answered(await quarters.request(), 200)
    assert (again["id"], again["state"]) == (released[0]["id"], "withdrawn")
    assert await quarters.work() == 0, "it is never issued again"


async def test_an_erasure_during_the_freezing_withdraws_it_too(quarters: Quarters) -> None:
    quarters.cases(SMALL)
    case_id = await open_case(quarters.cast, opened_on="2024-08-20", consents=AGREED)
    export_id = await quarters.requested()
    async with quarters.freezing() as freezing:
        await quarters.until("select count(*) from export_members")
        await ask(quarters.cast, case_id)
        await confirm(quarters.cast, case_id)
        await freezing
    found = await quarters.read(export_id)
    assert (found["state"], found["report"]) == ("withdrawn", None)
    assert quarters.count("select count(*) from export_files") == 0
    answered(await quarters.request("public-v1"), 410)
    assert answered(await quarters.cast.client("auditor").get(f"/exports/{export_id}/manifest"), 410)


async def test_a_quarter_is_settled_thirty_days_after_its_end(quarters: Quarters, own_clock: FrozenClock) -> None:
    day = own_clock() + timedelta(days=200)
    period = Period.of(day.date())
    settled = period.moments[1] + timedelta(days=30)
    own_clock.at = settled - timedelta(seconds=1)
    early = answered(await quarters.request(period=str(period)), 409)
    assert early["cause"] == "too_early"
    own_clock.advance(seconds=1)
    answered(await quarters.request(period=str(period)), 202)
    for wrong, pointer in (
        ({"period": "2024Q5"}, "/period"),
        ({"period": "24Q1"}, "/period"),
        ({"period": "1900Q1"}, "/period"),
        ({"period": "2009Q4"}, "/period"),
        ({"profile": "auditor-v9"}, "/profile"),
        ({"profile": "../auditor-v1"}, "/profile"),
        ({"columns": ["village"]}, "/columns"),
        ({"commune_code": "170201"}, "/commune_code"),
    ):
        body = {"profile": "auditor-v1", "period": PERIOD, **wrong}
        refused = answered(await quarters.cast.client("auditor").post("/exports", json=body), 422)
        assert [one["pointer"] for one in refused["errors"]] == [pointer]
    answered(await quarters.request(period="2101Q1"), 409)
    assert quarters.count("select count(*) from exports") == 1, "no name of a quarter that cannot be stays"
    answered(await quarters.request(period="2010Q1"), 202)


async def test_a_cohort_has_three_releases_at_most(quarters: Quarters) -> None:
    other = (
        "insert into exports (id, profile, profile_version, profile_hash, period, state, requested_by, requested_at)"
        " values (gen_random_uuid(), %s, '1', '', %s, %s, %s, %s)"
    )
    now, by = quarters.cast.clock(), quarters.cast.id("auditor")
    for name, state in (("a", "released"), ("b", "frozen"), ("c", "refused")):
        quarters.db.execute(other, [name, PERIOD, state, by, now])
    answered(await quarters.request(), 202)
    assert answered(await quarters.request("public-v1"), 409)["cause"] == "too_many"
    answered(await quarters.request("public-v1", period="2024Q2"), 202)


async def test_requests_and_approvals_want_the_password_of_the_last_five_minutes(
    quarters: Quarters, own_clock: FrozenClock
) -> None:
    quarters.cases(SMALL)
    frozen = await quarters.frozen()
    own_clock.advance(minutes=6)
    said = {"manifest_sha256": frozen["manifest_sha256"]}
    wanted = {"profile": "auditor-v1", "period": "2024Q2"}
    for who, path, body in (("auditor", "/exports", wanted), ("supervisor", f"/exports/{frozen['id']}/approve", said)):
        user, sign_in = quarters.cast.users[who].id, quarters.cast.sessions[who]
        token, _ = quarters.cast.runtime.tokens.issue(user, sign_in, own_clock())
        headers = {"Authorization": f"Bearer {token}"}
        answer = await quarters.cast.client("nobody").post(path, json=body, headers=headers)
        assert answered(answer, 401)["code"] == "step_up_required"
