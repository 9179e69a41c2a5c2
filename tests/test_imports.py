"""Registers that come as files: who may, what is told of each row, and that all is written or nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from app import worker
from app.errors import messages
from app.importing import Importer
from app.models.codes.files import ImportKind
from app.services import import_steps as steps
from tests.acts import without_instance
from tests.cast import COMMUNE, VILLAGE, answered
from tests.database import Server
from tests.imports import CASES, HOUSEHOLDS, PEOPLE, Desk, cases, csv_file, desk, people, xlsx_file

OTHERS = ("second_supervisor", "other_supervisor")


@pytest.fixture(scope="module")
async def on(server: Server, template: str, keys_dir: Path) -> AsyncIterator[Desk]:
    with server.clone(template) as urls:
        async with desk(urls, keys_dir) as made:
            yield made


async def test_a_register_of_people_is_checked_and_then_written(on: Desk) -> None:
    register, before = people(3), on.count("people")
    sent = answered(await on.send(csv_file(PEOPLE, register)), 201)
    nothing = {"ok": 0, "error": 0, "duplicate_suggested": 0, "unchanged": 0, "written": 0}
    assert (sent["state"], sent["rows"]) == ("queued", {"total": 3, "done": 0, **nothing})
    await on.work()
    assert (await on.read(sent["id"]))["rows"] == {"total": 3, "done": 3, **nothing, "ok": 3}
    assert [(row["row"], row["status"]) for row in await on.report(sent["id"])] == [(2, "ok"), (3, "ok"), (4, "ok")]
    assert on.count("people") == before, "a dry run writes nothing"
    answered(await on.cast.client("supervisor").post(f"/imports/{sent['id']}/commit"), 202)
    await on.work()
    done = await on.read(sent["id"])
    assert (done["state"], done["rows"]["written"]) == ("committed", 3)
    wanted = {"name": f"{register[2][0]} {register[2][1]}"}
    found = answered(await on.cast.client("caseworker").post("/people/search", json=wanted), 200)["items"]
    read = answered(await on.cast.client("caseworker").get(f"/people/{found[0]['id']}"), 200)
    assert read["family_name_km"] == register[2][0]
    assert (read["birth_date"], read["birth_date_precision"]) == ("1990-01-01", "year")


async def test_cases_of_a_register_are_opened_as_any_other(on: Desk) -> None:
    header = [*CASES, "consent_form", "consent_on", "phone"]
    register = [[*row, "verbal", "1/3/2026", "+855 12 345 678"] for row in cases(2)]
    await on.committed(csv_file(header, register), "cases")
    wanted = {"name": f"{register[0][3]} {register[0][4]}"}
    (found,) = answered(await on.cast.client("caseworker").post("/people/search", json=wanted), 200)["items"]
    case_id = found["case_id"]
    case = answered(await on.cast.client("caseworker").get(f"/cases/{case_id}"), 200)
    assert (case["status"], case["lead"]["id"], case["summary"]) == ("intake", on.cast.id("supervisor"), "Asks.")
    consents = answered(await on.cast.client("caseworker").get(f"/cases/{case_id}/consents"), 200)["items"]
    assert [one["purpose"] for one in consents] == ["services"]
    events = answered(await on.cast.client("caseworker").get(f"/cases/{case_id}/timeline"), 200)["items"]
    assert {one["type"] for one in events} == {"case.opened", "consent.given", "follow_up.planned"}
    told = answered(await on.cast.client("supervisor").get(f"/cases/{case_id}/access-report"), 200)["items"]
    assert "write_import" in {one["action"] for one in told}
    assert answered(await on.cast.client("supervisor").get(f"/cases/{case_id}"), 200)["access"]["via"] == "lead"
    moved = await on.cast.client("supervisor").post(f"/cases/{case_id}/transitions", json={"to": "assessment"})
    assert moved.status_code == 200


async def test_households_of_a_register_are_written(on: Desk) -> None:
    await on.committed(csv_file(HOUSEHOLDS, [[VILLAGE, "id_poor_1", "៥"]]), "households")
    one = answered(await on.cast.client("caseworker").get("/households"), 200)["items"][0]
    assert (one["size"], one["id_poor_level"], one["village_code"]) == (5, "id_poor_1", VILLAGE)


async def test_sensitive_rows_go_to_a_named_lead_and_nobody_else_sees_them(on: Desk) -> None:
    file = csv_file(CASES, [*cases(1), *cases(2, "domestic_violence")])
    refused = answered(await on.send(file, "cases"), 422)
    assert [one["pointer"] for one in refused["errors"]] == ["/lead_id"]
    await on.cast.add("import_lead", on.cast.users["caseworker"].role, "ngo", [])
    await on.committed(file, "cases", lead_id=on.cast.id("import_lead"))
    sensitive = {"sensitivity": "sensitive"}
    seen = answered(await on.cast.client("import_lead").get("/cases", params=sensitive), 200)["items"]
    assert [(one["status"], one["access"]["via"]) for one in seen] == [("intake", "lead")] * 2
    for who in ("colleague", "supervisor", "second_supervisor", "stranger"):
        ids = [one["id"] for one in answered(await on.cast.client(who).get("/cases", params=sensitive), 200)["items"]]
        assert not {one["id"] for one in seen} & set(ids), who


@pytest.mark.parametrize("who", ["partner", "stranger", "nobody_at_all"])
async def test_the_lead_must_be_a_colleague(on: Desk, who: str) -> None:
    lead_id = str(uuid4()) if who == "nobody_at_all" else on.cast.id(who)
    refused = answered(await on.send(csv_file(CASES, cases(1)), "cases", lead_id=lead_id), 422)
    assert refused["errors"][0]["code"] == "unknown_colleague"


async def test_only_cases_have_a_lead(on: Desk) -> None:
    refused = answered(await on.send(csv_file(PEOPLE, people(1)), lead_id=on.cast.id("caseworker")), 422)
    assert refused["errors"][0] == {
        "pointer": "/lead_id", "code": "not_allowed", "message": "Only cases have a lead.",
    }  # fmt: skip


async def test_the_description_names_every_kind_of_register_that_is_taken(on: Desk) -> None:
    body = on.app.openapi()["paths"]["/api/v1/imports"]["post"]["requestBody"]
    told = body["content"]["multipart/form-data"]["schema"]["properties"]["kind"]["enum"]
    assert set(told) == set(ImportKind)


async def test_one_bad_row_at_the_end_writes_nothing(on: Desk) -> None:
    register = people(600)
    register[-1][2] = "neither"
    before = on.count("people")
    made = await on.checked(csv_file(PEOPLE, register))
    (bad,) = await on.report(made, status="error")
    assert (bad["row"], bad["errors"][0]["pointer"], bad["errors"][0]["code"]) == (601, "/sex", "unknown_code")
    refused = answered(await on.cast.client("supervisor").post(f"/imports/{made}/commit"), 409)
    assert (refused["code"], refused["blocked_by"]) == ("import_blocked", ["row_errors"])
    await on.work()
    assert on.count("people") == before
    assert (await on.read(made))["state"] == "checked"


async def test_the_report_on_a_register_is_read_in_khmer_where_khmer_is_asked_for(on: Desk) -> None:
    wrong = [["ចាន់", "=1+1", "ស្រី", "1990", "", ""], ["ចាន់", "B", "neither", "31/02/1990", "", "99"]]
    same = ["ចាន់", "សុខា", "ស្រី", "1990", "", ""]
    made = await on.checked(xlsx_file(PEOPLE, [*wrong, same, same]))
    supervisor, told = on.cast.client("supervisor"), {}
    for language in ("en", "km"):
        report = await supervisor.get(f"/imports/{made}/rows", headers={"Accept-Language": language})
        told[language] = [one for row in answered(report, 200)["items"] for one in row["errors"]]
    assert [one["code"] for one in told["en"]][:4] == ["formula", "unknown_code", "invalid_date", "repeated_row"]
    for english, khmer in zip(told["en"], told["km"], strict=True):
        assert (english["pointer"], english["code"]) == (khmer["pointer"], khmer["code"])
        assert khmer["message"] == messages.KHMER[khmer["code"]] != english["message"]


async def test_the_warnings_on_a_row_are_in_her_language_too(on: Desk) -> None:
    child = [["id_poor", COMMUNE, "Asks.", "Chan", "Sophea", "f", "2015", "verbal", "2026-03-01"]]
    made = await on.checked(csv_file([*CASES, "consent_form", "consent_on"], child), "cases")
    path, told = f"/imports/{made}/rows", []
    for language in ("en", "km"):
        answer = await on.cast.client("supervisor").get(path, headers={"Accept-Language": language})
        told += answered(answer, 200)["items"][0]["warnings"]
    assert [one["code"] for one in told] == ["caregiver_required", "caregiver_required"]
    assert told[1]["message"] == messages.KHMER["caregiver_required"] != told[0]["message"]


async def test_a_row_that_went_bad_since_the_check_writes_nothing(on: Desk) -> None:
    code, before = "17020199", on.count("people")
    on.admin.execute(
        "insert into areas (code, level, name_km, parent) values (%s, 'village', 'ក', %s)", [code, COMMUNE]
    )
    register = people(600)
    register[-1][5] = code
    made = await on.checked(csv_file(PEOPLE, register))
    on.admin.execute("delete from areas where code = %s", [code])
    answered(await on.cast.client("supervisor").post(f"/imports/{made}/commit"), 202)
    await on.work()
    failed = await on.read(made)
    assert (failed["state"], failed["failure"], failed["rows"]["written"]) == ("failed", "row_errors", 0)
    assert on.count("people") == before


async def test_places_are_those_of_the_gazetteer_and_a_village_lies_in_its_commune(on: Desk) -> None:
    header = [*CASES, "village_code"]
    wrong = [["id_poor", commune, "B", "C", "D", "", "", village] for commune, village in (
        ("170299", ""), ("170301", VILLAGE), (COMMUNE, "17020298"), ("17", VILLAGE),
    )]  # fmt: skip
    made = await on.checked(csv_file(header, wrong), "cases")
    told = [[error["pointer"] for error in row["errors"]] for row in await on.report(made)]
    assert told == [["/commune_code"], ["/village_code"], ["/village_code"], []]


async def test_a_row_said_to_be_standard_in_a_sensitive_category_is_an_error(on: Desk) -> None:
    file = csv_file([*CASES, "sensitivity"], [[*cases(1, "domestic_violence")[0], "standard"]])
    made = await on.checked(file, "cases", lead_id=on.cast.id("caseworker"))
    assert (await on.report(made))[0]["errors"][0]["code"] == "category_is_sensitive"


async def test_the_same_file_again_changes_nothing_in_whatever_form_it_comes(on: Desk) -> None:
    register = cases(30)
    first = await on.committed(csv_file(CASES, register), "cases")
    assert first["repeat_of"] is None
    before = on.count("cases")
    again = await on.committed(csv_file(CASES, register), "cases")
    assert (again["repeat_of"], again["rows"]["unchanged"], again["rows"]["written"]) == (first["id"], 30, 0)
    more = [*register, *cases(1)]
    other = await on.committed(xlsx_file(CASES, more), "cases")
    assert (other["repeat_of"], other["rows"]["unchanged"], other["rows"]["written"]) == (None, 30, 1)
    assert on.count("cases") == before + 1


async def test_a_row_twice_in_a_file_is_pointed_out_and_both_are_kept(on: Desk) -> None:
    row = people(1)[0]
    made = await on.checked(csv_file(PEOPLE, [row, row]))
    told = await on.report(made)
    assert [(one["status"], [error["code"] for error in one["errors"]]) for one in told] == [
        ("ok", []), ("duplicate_suggested", ["repeated_row"]),
    ]  # fmt: skip
    answered(await on.cast.client("supervisor").post(f"/imports/{made}/commit"), 202)
    await on.work()
    assert (await on.read(made))["rows"]["written"] == 2
    assert (await on.committed(csv_file(PEOPLE, [row, row])))["rows"]["unchanged"] == 2


async def test_what_another_has_imported_is_known_only_as_far_as_one_sees_it(on: Desk) -> None:
    hidden, seen = cases(2, "domestic_violence"), cases(3)
    lead = {"lead_id": on.cast.id("caseworker")}
    await on.committed(csv_file(CASES, [*hidden, *seen]), "cases", **lead)
    file = csv_file(CASES, [*seen, *hidden])
    mine = await on.read(await on.checked(file, "cases", **lead))
    assert mine["rows"]["unchanged"] == 5, "she knows what she has imported"
    theirs = await on.read(await on.checked(file, "cases", "second_supervisor", **lead), "second_supervisor")
    assert (theirs["rows"]["unchanged"], theirs["rows"]["ok"]) == (3, 2)
    elsewhere = csv_file(CASES, seen)
    other = await on.read(await on.checked(elsewhere, "cases", "other_supervisor"), "other_supervisor")
    assert other["rows"]["unchanged"] == 0


async def test_likely_duplicates_are_suggested_among_those_alone_whom_one_sees(on: Desk) -> None:
    known, hidden, far = people(1)[0], people(1)[0], people(1)[0]
    person = dict(zip(PEOPLE, known, strict=True))
    del person["phone"]
    body = {**person, "birth_date": "1990-01-01", "birth_date_precision": "year"}
    answered(await on.cast.client("caseworker").post("/people", json=body), 201)
    client = {**body, "family_name_km": hidden[0], "given_name_km": hidden[1]}
    case = {"category": "domestic_violence", "client": client, "commune_code": COMMUNE, "summary": "Asks."}
    answered(await on.cast.client("caseworker").post("/cases", json=case), 201)
    stranger = {**body, "family_name_km": far[0], "given_name_km": far[1]}
    answered(await on.cast.client("stranger").post("/people", json=stranger), 201)
    namesake = [*known[:3], "1960", "", ""]
    made = await on.checked(csv_file(PEOPLE, [known, hidden, far, namesake]))
    told = [(one["status"], [error["code"] for error in one["errors"]]) for one in await on.report(made)]
    assert told == [("duplicate_suggested", ["perhaps_recorded"]), ("ok", []), ("ok", []), ("ok", [])]


async def test_nobody_but_the_uploader_can_tell_that_the_import_exists(on: Desk) -> None:
    made = await on.checked(csv_file(PEOPLE, people(1)))
    for who in OTHERS:
        client = on.cast.client(who)
        for method, rest in (
            ("GET", ""),
            ("GET", "/rows"),
            ("GET", "/rows?limit=0"),
            ("POST", "/commit"),
            ("DELETE", ""),
        ):
            hidden = await client.request(method, f"/imports/{made}{rest}")
            unknown = await client.request(method, f"/imports/{uuid4()}{rest}")
            assert hidden.status_code == 404, (who, method, rest)
            assert without_instance(hidden) == without_instance(unknown)
        assert made not in [one["id"] for one in answered(await client.get("/imports"), 200)["items"]]
    assert (await on.read(made))["state"] == "checked"
    assert made in [one["id"] for one in answered(await on.cast.client("supervisor").get("/imports"), 200)["items"]]


@pytest.mark.parametrize("who", ["caseworker", "liaison", "partner", "auditor", "admin"])
async def test_who_is_no_supervisor_may_not_even_send_one(on: Desk, who: str) -> None:
    before = on.count("imports")
    answered(await on.send(csv_file(PEOPLE, people(1)), who=who), 403)
    assert on.count("imports") == before


async def test_two_commits_at_once_are_one(on: Desk) -> None:
    made, before = await on.checked(csv_file(PEOPLE, people(40))), on.count("people")
    post = on.cast.client("supervisor").post
    answers = await asyncio.gather(*(post(f"/imports/{made}/commit") for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [202, 409, 409, 409]
    await asyncio.gather(*(Importer(on.runtime).step() for _ in range(3)))
    assert on.count("people") == before + 40
    answered(await post(f"/imports/{made}/commit"), 409)


async def test_two_imports_of_one_register_write_it_once(on: Desk) -> None:
    file, before = csv_file(PEOPLE, people(40)), on.count("people")
    both = [await on.checked(file), await on.checked(file)]
    for made in both:
        answered(await on.cast.client("supervisor").post(f"/imports/{made}/commit"), 202)
    steps_taken = await asyncio.gather(*(Importer(on.runtime).step() for _ in range(2)))
    assert sorted(steps_taken) == [False, True], "commits of one organisation follow each other"
    await on.work()
    assert on.count("people") == before + 40
    assert sorted([(await on.read(made))["rows"]["written"] for made in both]) == [0, 40]


async def test_progress_is_visible_while_it_runs(on: Desk) -> None:
    made = await on.sent(csv_file(PEOPLE, people(2_500)))
    seen: dict[str, set[int]] = {}
    for ending in ("checked", "committed"):
        if ending == "committed":
            answered(await on.cast.client("supervisor").post(f"/imports/{made}/commit"), 202)
        working = asyncio.create_task(on.importer.step())
        while not working.done():
            now = await on.read(made)
            seen.setdefault(now["state"], set()).add(now["rows"]["done"])
        await working
    assert len(seen["checking"] & {500, 1000, 1500, 2000}) >= 2
    assert len(seen["committing"] & {500, 1000, 1500, 2000, 2500}) >= 2
    assert (await on.read(made))["state"] == "committed"


async def test_what_is_killed_in_the_middle_is_begun_again_by_another(on: Desk) -> None:
    register, before = people(1_500), on.count("people")
    made = await on.sent(csv_file(PEOPLE, register))
    await killed_when(on, made, "checking")
    assert await Importer(on.runtime).step() is False, "it may still be alive"
    on.clock.advance(seconds=91)
    await on.work()
    assert (await on.read(made))["rows"]["ok"] == 1_500
    answered(await on.cast.client("supervisor").post(f"/imports/{made}/commit"), 202)
    await killed_when(on, made, "committing")
    assert on.count("people") == before, "half of a register is nothing"
    on.clock.advance(seconds=91)
    await on.work()
    assert (await on.read(made))["state"] == "committed"
    assert on.count("people") == before + 1_500


async def killed_when(on: Desk, import_id: str, state: str) -> None:
    """The work is cut off once the first rows are done."""
    working = asyncio.create_task(on.importer.step())
    while True:
        now = await on.read(import_id)
        if now["state"] == state and now["rows"]["done"]:
            break
        assert not working.done()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


async def test_who_comes_back_from_the_dead_writes_nothing(on: Desk) -> None:
    made, before = await on.checked(csv_file(PEOPLE, people(20))), on.count("people")
    answered(await on.cast.client("supervisor").post(f"/imports/{made}/commit"), 202)
    late = Importer(on.runtime)
    async with on.runtime.database.transaction() as session:
        await on.runtime.database.use_clock(session)
        job = await steps.claim(session, uuid4())
    assert job is not None
    on.clock.advance(seconds=91)
    await on.work()
    with pytest.raises(steps.LostImport):
        await late._commit(job)
    assert on.count("people") == before + 20


@pytest.mark.parametrize("ending", ["signed out", "deactivated", "moved"])
async def test_rights_that_end_before_the_work_end_the_import(on: Desk, ending: str) -> None:
    who = await supervisor(on)
    made = await on.sent(csv_file(PEOPLE, people(3)), who=who)
    end(on, who, ending)
    await on.work()
    assert state_of(on, made) == ("failed", "rights_ended")
    assert on.one("select count(*) from import_chunks where import_id = %s", made) == 0
    assert on.one("select count(*) from vault.data_keys where home = %s", made) == 0


@pytest.mark.parametrize("ending", ["signed out", "deactivated", "moved"])
async def test_rights_that_end_while_it_is_written_leave_nothing_written(on: Desk, ending: str) -> None:
    who = await supervisor(on)
    made, before = await on.checked(csv_file(CASES, cases(1_200)), "cases", who), on.count("cases")
    answered(await on.cast.client(who).post(f"/imports/{made}/commit"), 202)
    working = asyncio.create_task(on.importer.step())
    while on.one("select rows_done from imports where id = %s", made) == 0:  # noqa: ASYNC110 (nobody is told)
        await asyncio.sleep(0.01)
    end(on, who, ending)
    await working
    assert state_of(on, made) == ("failed", "rights_ended")
    assert on.count("cases") == before


async def test_a_lead_who_left_since_the_check_leads_nothing(on: Desk) -> None:
    await on.cast.add("leaving_lead", on.cast.users["caseworker"].role, "ngo", [])
    lead = {"lead_id": on.cast.id("leaving_lead")}
    made, before = await on.checked(csv_file(CASES, cases(2, "domestic_violence")), "cases", **lead), on.count("cases")
    answered(await on.cast.client("supervisor").post(f"/imports/{made}/commit"), 202)
    on.admin.execute("update users set active = false where id = %s", [lead["lead_id"]])
    await on.work()
    assert state_of(on, made) == ("failed", "lead_unavailable")
    assert on.count("cases") == before


async def test_file_and_report_are_sealed_and_gone_after_the_commit(on: Desk) -> None:
    register = people(2)
    register[1][2] = "Kolab-secret"
    made = await on.checked(csv_file(PEOPLE, register))
    for column in ("sealed", "report_sealed"):
        blob = bytes(on.one(f"select {column} from import_chunks where import_id = %s", made))
        for word in (register[0][0], "Kolab-secret", "/sex", "unknown_code"):
            assert word.encode() not in blob
    assert "Kolab" not in str(await on.report(made))
    done = await on.committed(csv_file(PEOPLE, people(2)))
    assert on.one("select count(*) from import_chunks where import_id = %s", done["id"]) == 0
    assert on.one("select count(*) from vault.data_keys where home = %s", done["id"]) == 0
    answered(await on.cast.client("supervisor").get(f"/imports/{done['id']}/rows"), 404)


async def test_what_is_not_committed_in_a_day_is_gone(on: Desk) -> None:
    made = await on.checked(csv_file(PEOPLE, people(2)))
    await tick(on, hours=23.9)
    assert (await on.read(made))["state"] == "checked"
    await tick(on, hours=0.2)
    assert (await on.read(made))["state"] == "expired"
    assert on.one("select count(*) from import_chunks where import_id = %s", made) == 0
    assert on.one("select count(*) from vault.data_keys where home = %s", made) == 0
    answered(await on.cast.client("supervisor").get(f"/imports/{made}/rows"), 404)
    refused = answered(await on.cast.client("supervisor").post(f"/imports/{made}/commit"), 409)
    assert refused["blocked_by"] == ["expired"]


async def test_an_import_that_is_taken_away_is_gone_with_its_key(on: Desk) -> None:
    made = await on.checked(csv_file(PEOPLE, people(2)))
    answered(await on.cast.client("supervisor").delete(f"/imports/{made}"), 204)
    answered(await on.cast.client("supervisor").get(f"/imports/{made}"), 404)
    assert on.one("select count(*) from import_chunks where import_id = %s", made) == 0
    assert on.one("select count(*) from vault.data_keys where home = %s", made) == 0
    waiting = await on.checked(csv_file(PEOPLE, people(2)))
    answered(await on.cast.client("supervisor").post(f"/imports/{waiting}/commit"), 202)
    answered(await on.cast.client("supervisor").delete(f"/imports/{waiting}"), 409)
    await on.work()
    assert (await on.read(waiting))["state"] == "committed"


async def test_the_report_comes_in_pages_in_the_order_of_the_file(on: Desk) -> None:
    register = people(1_203)
    for number in (3, 700, 1_202):
        register[number][2] = "x"
    made = await on.checked(csv_file(PEOPLE, register))
    found, cursor = [], None
    while True:
        query = {"limit": 200, **({"cursor": cursor} if cursor else {})}
        page = answered(await on.cast.client("supervisor").get(f"/imports/{made}/rows", params=query), 200)
        found += [one["row"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == list(range(2, 1_205))
    assert [one["row"] for one in await on.report(made, status="error")] == [5, 702, 1_204]
    assert [one["row"] for one in await on.report(made, status="error", limit=2)] == [5, 702]
    assert len(await on.report(made, status="ok", limit=200)) == 200
    for cursor in ("x", "cm93IC0x", "cm93IDk5OTk5OTk5OTk5OTk5OTk5OTk5OQ"):
        answered(await on.cast.client("supervisor").get(f"/imports/{made}/rows", params={"cursor": cursor}), 422)


async def test_the_same_key_and_file_is_one_import_though_the_boundary_is_another(on: Desk) -> None:
    file, headers = csv_file(PEOPLE, people(1)), {"Idempotency-Key": str(uuid4())}
    post = on.cast.client("supervisor").post
    first = await post("/imports", files={"file": file}, data={"kind": "people"}, headers=headers)
    again = await post("/imports", files={"file": file}, data={"kind": "people"}, headers=headers)
    assert answered(first, 201)["id"] == answered(again, 201)["id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.request.headers["Content-Type"] != again.request.headers["Content-Type"]
    same = json.dumps({name: name for name in PEOPLE})
    for content, mapping in ((file + b"\n", {}), (file, {"mapping": same})):
        other = await post("/imports", files={"file": content}, data={"kind": "people", **mapping}, headers=headers)
        assert answered(other, 422)["code"] == "idempotency_key_reused"


async def test_what_is_no_form_with_one_file_is_refused(on: Desk) -> None:
    post = on.cast.client("supervisor").post
    file, kind = {"file": csv_file(PEOPLE, people(1))}, {"kind": "people"}
    assert (await post("/imports", json={"kind": "people"})).status_code == 415
    for sent, code in (
        ({"data": kind, "files": {"other": b"x"}}, "unknown_field"),
        ({"data": {**kind, "more": "x"}, "files": file}, "unknown_field"),
        ({"data": {"kind": "whales"}, "files": file}, "unknown_code"),
        ({"data": {}, "files": file}, "required"),
        ({"data": {**kind, "mapping": "{"}, "files": file}, "json_invalid"),
        ({"data": {**kind, "mapping": "[1]"}, "files": file}, "invalid_object"),
        ({"data": {**kind, "lead_id": "x"}, "files": file}, "invalid_id"),
        ({"files": {"kind": (None, "people"), "file": (None, "alias")}}, "not_a_file"),
        ({"files": [("kind", (None, "people"))]}, "required"),
        ({"files": [("kind", (None, "people")), ("kind", (None, "people")), *file.items()]}, "duplicate_field"),
        ({"files": [("kind", ("kind.txt", "people")), *file.items()]}, "duplicate_field"),
        ({"data": {**kind, "mapping": "x" * 100_001}, "files": file}, "too_long"),
        ({"files": [("kind", (None, b"\xff")), *file.items()]}, "malformed_body"),
        ({"files": [("file", b"a"), ("file", b"b")], "data": kind}, "too_many_parts"),
    ):
        assert answered(await post("/imports", **sent), 422)["errors"][0]["code"] == code, sent.keys()
    broken = {"Content-Type": "multipart/form-data; boundary=b"}
    assert (await post("/imports", content=b"--b\r\nKolab", headers=broken)).status_code == 422
    assert (await post("/imports", content=b"", headers={"Content-Type": "multipart/form-data"})).status_code == 422


async def test_twenty_megabytes_are_the_most(on: Desk) -> None:
    line = b"a" * 9_999 + b"\n"
    fits = b"alias\n" + line * 1_999
    taken = answered(await on.send(fits), 201)["id"]
    answered(await on.cast.client("supervisor").delete(f"/imports/{taken}"), 204)
    assert (await on.send(fits + line * 2)).status_code == 413
    assert (await on.send(line * 2_200)).status_code == 413


async def test_no_plain_text_of_a_file_goes_to_a_disk(
    on: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))  # any file made there would be an error
    taken = await on.sent(b"alias\n" + (b"a" * 9_999 + b"\n") * 800)
    answered(await on.cast.client("supervisor").delete(f"/imports/{taken}"), 204)


async def test_the_check_and_the_writing_are_in_the_trail(on: Desk) -> None:
    done = await on.committed(csv_file(CASES, cases(401)), "cases")
    query = "select action, cardinality(case_ids) from audit_events where subject_id = %s and action ~ '_import$'"
    told = on.admin.execute(query.encode(), [done["id"]]).fetchall()
    assert sorted(told) == sorted(
        [
            *(("send_import", 0), ("check_import", 0), ("commit_import", 0), ("read_import", 0), ("read_import", 0)),
            *(("write_import", 200), ("write_import", 200), ("write_import", 1)),
        ]
    )


async def test_the_worker_takes_old_imports_away_and_reads_none(on: Desk) -> None:
    made = await on.checked(csv_file(PEOPLE, people(1)))
    with psycopg.connect(on.urls.worker, autocommit=True) as connection:
        for table in ("imports", "import_chunks", "imported_rows", "cases", "people"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select * from {table}".encode())
        for call in ("claim_import(gen_random_uuid())", "fail_import(gen_random_uuid(), gen_random_uuid(), 'x')"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select {call}".encode())
    assert state_of(on, made) == ("checked", None)


async def supervisor(on: Desk) -> str:
    """A supervisor of whom no other test knows."""
    name = f"supervisor_{uuid4().hex[:6]}"
    await on.cast.add(name, on.cast.users["supervisor"].role, "ngo", [])
    return name


def end(on: Desk, who: str, how: str) -> None:
    """The end of somebody's rights, as the API writes it."""
    on.admin.execute("select set_config('samaki.now', %s, false)", [on.clock().isoformat()])
    if how == "signed out":
        on.admin.execute("update sessions set ended_at = now() where user_id = %s", [on.cast.id(who)])
    elif how == "deactivated":
        on.admin.execute("update users set active = false where id = %s", [on.cast.id(who)])
    else:
        change = "update users set organisation_id = %s where id = %s"
        on.admin.execute(change, [on.cast.organisation("other_ngo"), on.cast.id(who)])


def state_of(on: Desk, import_id: str) -> tuple[str, str | None]:
    row = on.admin.execute("select state, failure from imports where id = %s", [import_id]).fetchone()
    assert row is not None
    return row[0], row[1]


async def tick(on: Desk, **later: float) -> None:
    """The worker's turn after some time."""
    on.clock.advance(**later)
    async with await psycopg.AsyncConnection.connect(on.urls.worker, autocommit=True) as connection:
        await worker.tick(connection, on.clock())
