"""The freezing of releases: killed, run out of disk, begun again, it gives the same bytes or none, and the rest of the
worker goes on meanwhile."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app import freezing, worker
from app.database_urls import DatabaseUrls
from app.exports.profile import load_profile
from app.freezing.reports import figures_of
from app.freezing.telling import told_in
from app.indicators.cases import CaseCount
from app.models.report import Disaggregation, IndicatorRead, ReportRead, SliceCell, Unit, Words
from tests.cast import FrozenClock, answered
from tests.quarters import PERIOD, Quarters, quarters_in
from tests.released import COHORT, put_export
from tests.submitted import put_report

SMALL = 40
AGAIN: tuple[Any, ...] = (
    "delete from export_files",
    "update exports set state = 'requested', known = null, report = null, manifest_sha256 = null",
)


@pytest.fixture
async def quarters(fresh_database: DatabaseUrls, keys_dir: Path, tmp_path: Path) -> AsyncIterator[Quarters]:
    async with quarters_in(fresh_database, keys_dir, FrozenClock(), tmp_path / "freezing") as found:
        yield found


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that takes 32 kilobytes."""
    place = tmp_path / "small"
    place.mkdir()
    options = ["-t", "tmpfs", "-o", "size=32k", "samaki-test"]
    if os.geteuid() or subprocess.run(["/bin/mount", *options, place], check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["/bin/umount", place], check=True)


def bytes_of(quarters: Quarters) -> list[Any]:
    query = "select name, number, content from export_chunks order by 1, 2"
    return quarters.db.execute(query).fetchall()


def process_of() -> int:
    """The computation's own process, found by its parent and its name."""
    found = subprocess.run(
        ["/usr/bin/pgrep", "-P", str(os.getpid()), "-f", "app.freezing"], check=False, capture_output=True
    )
    return int(found.stdout.split()[0]) if found.stdout else 0


async def test_whoever_is_killed_while_freezing_leaves_nothing_and_the_next_try_gives_the_same_bytes(
    quarters: Quarters,
) -> None:
    quarters.cases(SMALL)
    export_id = await quarters.requested()
    async with quarters.freezing() as task:  # the computation is killed
        await quarters.until("select count(*) from export_members")
        async with asyncio.timeout(60):
            while not (process := process_of()):  # noqa: ASYNC110 - a new process tells nobody
                await asyncio.sleep(0.01)
        os.kill(process, signal.SIGKILL)
        assert await task
    found = await quarters.read(export_id)
    assert (found["state"], found["code"], found["files"]) == ("requested", "internal_error", None)
    assert await quarters.work() == 0, "not at once"
    async with quarters.freezing(timedelta(minutes=2)) as task:  # the worker is killed
        await quarters.until("select count(*) from exports where known is not null and state = 'freezing'")
    assert (await quarters.read(export_id))["state"] == "freezing"
    assert quarters.count("select count(*) from export_files") == 0
    quarters.cases(3)  # too late for this one
    assert await quarters.work(timedelta(minutes=2, seconds=30)) == 0, "as long as its lease lasts it may be alive"
    assert await quarters.work(timedelta(minutes=4)) == 1
    frozen = await quarters.read(export_id)
    assert (frozen["state"], frozen["report"]["rows_in"]) == ("frozen", SMALL)
    first = bytes_of(quarters)
    for statement in AGAIN:
        quarters.db.execute(statement)
    assert await quarters.work(timedelta(minutes=4)) == 1
    assert bytes_of(quarters) == first
    assert not list(quarters.directory.iterdir())


async def test_a_new_column_in_any_table_changes_no_byte(quarters: Quarters) -> None:
    quarters.cases(SMALL)
    await quarters.frozen()
    first = bytes_of(quarters)
    for statement in (
        *AGAIN,
        "update exports set cohort_id = null",
        "delete from vault.data_keys where part = 'export'",
    ):
        quarters.db.execute(statement)
    for table in ("export_members", "export_parties", "export_cohorts"):
        quarters.db.execute(f"alter table {table} disable trigger user".encode())
        quarters.db.execute(f"delete from {table}".encode())
        quarters.db.execute(f"alter table {table} enable trigger user".encode())
    for table in ("cases", "people", "consents", "follow_ups", "referrals", "assistance_requests", "households"):
        quarters.db.execute(f"alter table {table} add column marker text default 'Kolab'".encode())
    assert await quarters.work() == 1
    assert bytes_of(quarters) == first
    assert not any(b"Kolab" in content for _, _, content in first)


async def test_a_disk_that_fills_leaves_nothing_and_is_tried_again(quarters: Quarters, small_disk: Path) -> None:
    quarters.cases(SMALL)
    export_id = await quarters.requested()
    elsewhere, quarters.directory = quarters.directory, small_disk / "freezing"
    assert await quarters.work() == 1
    found = await quarters.read(export_id)
    assert (found["state"], found["code"], found["report"]) == ("requested", "disk_full", None)
    assert quarters.count("select count(*) from export_files") == 0
    assert not list(quarters.directory.iterdir())
    quarters.directory = elsewhere
    assert await quarters.work() == 0
    assert await quarters.work(timedelta(minutes=6)) == 1
    found = await quarters.read(export_id)
    assert (found["state"], found["code"]) == ("frozen", None)


async def test_the_rest_of_the_worker_goes_on_and_everybody_sees_how_far_it_is(quarters: Quarters) -> None:
    quarters.cases(SMALL)
    export_id = await quarters.requested()
    seen, ticks = [], 0
    async with (
        await psycopg.AsyncConnection.connect(quarters.urls.worker, autocommit=True) as house,
        quarters.freezing() as task,
    ):
        while not task.done():
            ticks += 1
            async with asyncio.timeout(5):
                await worker.tick(house, quarters.cast.clock())
            found = await quarters.read(export_id)
            seen.append(found["progress"])
            assert found["files"] is None
            await asyncio.sleep(0.05)
    assert ticks > 5
    assert next(one for one in seen if one is not None).keys() == {"stage", "share"}
    assert all(0 <= one["share"] <= 1 for one in seen if one)
    assert (await quarters.read(export_id))["progress"] is None


async def test_a_computation_that_never_ends_is_ended_and_given_up_after_three_tries(
    quarters: Quarters, monkeypatch: pytest.MonkeyPatch
) -> None:
    quarters.cases(SMALL)
    export_id = await quarters.requested()
    monkeypatch.setattr(freezing, "LONGEST", 0.0)
    for minutes, state in ((0, "requested"), (2, "requested"), (4, "refused")):
        assert await quarters.work(timedelta(minutes=minutes)) == 1
        found = await quarters.read(export_id)
        assert (found["state"], found["code"], process_of()) == (state, "internal_error", 0)
    assert quarters.count("select count(*) from export_files") == 0


async def test_a_worker_that_stops_gives_its_work_back_at_once(quarters: Quarters) -> None:
    quarters.cases(SMALL)
    export_id = await quarters.requested()
    stop = asyncio.Event()
    async with await psycopg.AsyncConnection.connect(quarters.urls.worker, autocommit=True) as connection:
        task = asyncio.create_task(quarters.freezer.step(connection, quarters.cast.clock(), stop))
        await quarters.until("select count(*) from exports where known is not null")
        stop.set()
        await task
    found = await quarters.read(export_id)
    assert (found["state"], found["code"]) == ("requested", None)
    assert await quarters.work() == 1


async def test_what_a_restored_backup_revives_is_withdrawn_by_the_ledger_of_erasures(quarters: Quarters) -> None:
    case_id = quarters.case()
    ngo, auditor = quarters.cast.organisations["ngo"], quarters.cast.users["auditor"].id
    run = lambda statement, *values: quarters.db.execute(statement, values)  # noqa: E731
    put_export(run, ngo, auditor, "released")
    put = "insert into export_members select id, organisation_id, %s from cases where id = %s"
    quarters.db.execute(put, [COHORT, case_id])
    with psycopg.connect(quarters.urls.worker, autocommit=True) as connection:
        done = "select replay_erasure(gen_random_uuid(), %s, '{}', %s)"
        assert connection.execute(done, [case_id, quarters.cast.clock()]).fetchone() == (True,)
    assert quarters.count("select count(*) from exports where state = 'withdrawn'") == 1
    assert quarters.count("select count(*) from export_chunks") == 0


async def test_what_a_submitted_report_tells_is_audited_with_the_release(quarters: Quarters) -> None:
    quarters.cases(SMALL)
    ngo, by = quarters.cast.organisations["ngo"], quarters.cast.users["supervisor"].id
    run = lambda statement, *values: quarters.db.execute(statement, values)  # noqa: E731
    put_report(run, ngo, by, PERIOD)
    body = quarters.db.execute("select body from report_versions").fetchone()
    assert body is not None
    report = ReportRead.model_validate_json(body[0]).model_copy(update={"indicators": [opened()]})
    quarters.db.execute("update report_versions set body = %s", [report.model_dump_json()])
    export = await quarters.frozen()
    known = quarters.db.execute("select known from exports where id = %s", [export["id"]]).fetchone()
    told = [
        {"attribute": "category", "value": "land_dispute"},
        {"attribute": "disability", "value": "not_recorded"},
        {"attribute": "disability", "value": "yes"},
    ]
    assert known == ({"releases": [], "figures": told},)
    assert figures_of([report.model_dump_json()] * 2) == told


def opened() -> IndicatorRead:
    """Cases opened, of which some cells are told and some are not."""
    word = Words(en="Cases", km="ករណី")

    def cells(by: str, **values: int | None) -> Disaggregation:
        return Disaggregation(by=by, cells=[SliceCell(code=c, label=word, value=v) for c, v in values.items()])

    return IndicatorRead(
        code=CaseCount.OPENED,
        name=word,
        definition=word,
        unit=Unit.CASES,
        value=SMALL,
        printed=word,
        target=None,
        year_to_date=None,
        disaggregations=[
            cells("category", land_dispute=12, id_poor=None),
            cells("sex", female=30),
            cells("disability", yes=11, no=None, unknown=9),
        ],
        suppressed=[],
        trace="",
        late_entries=None,
    )


async def test_reports_take_what_a_release_tells_as_known(quarters: Quarters) -> None:
    quarters.cases(240)
    quarters.cases(2, category="vital_documents")
    export = await quarters.frozen()
    row = quarters.db.execute("select told from exports where id = %s", [export["id"]]).fetchone()
    assert row is not None
    told = {one["value"] for one in row[0] if one["attribute"] == "category"}
    assert "social_assistance" in told
    assert "vital_documents" not in told
    submitted = await quarters.cast.client("supervisor").post(f"/reports/quarterly/{PERIOD}/submit")
    [opened_ones] = [one for one in answered(submitted, 201)["report"]["indicators"] if one["code"] == CaseCount.OPENED]
    [slicing] = [one for one in opened_ones["disaggregations"] if one["by"] == "category"]
    hidden = {one["code"] for one in slicing["cells"] if one["value"] is None}
    assert "vital_documents" in hidden
    assert not hidden & told, "what is told already does not hide it"
    answered(await quarters.cast.client("supervisor").get("/reports/quarterly", params={"period": PERIOD}), 200)
    with psycopg.connect(quarters.urls.runtime) as connection:
        assert connection.execute("select from told_by_own_releases()").fetchall() == []
        for who, knows in (("supervisor", True), ("other_supervisor", False), ("caseworker", False)):
            asked = [quarters.cast.sessions[who], quarters.cast.clock()]
            connection.execute("select from begin_request(%s, %s)", asked)
            assert bool(connection.execute("select from told_by_own_releases()").fetchall()) is knows, who
            connection.commit()


def test_a_table_tells_for_certain_what_is_shown_or_nothing_in_every_class(tmp_path: Path) -> None:
    profile = load_profile("auditor-v1")
    head = "place,sex,age,category,cases\n"
    one_class = [f"all,all,all,{value},7\n" for value in ("land_dispute", "id_poor", "withheld")]
    (tmp_path / "category-aggregate.csv").write_text(head + "".join(one_class))
    (tmp_path / "disability-aggregate.csv").write_text("place,sex,age,disability,cases\n")

    def told(suppressed: int) -> set[str]:
        manifest = {"columns": [{"attribute": "category", "suppressed": suppressed}]}
        return {one["value"] for one in told_in(tmp_path, profile, manifest)}

    assert told(0) == {"land_dispute", "id_poor"}
    assert told(3) == set()
    second = ["170201,all,all,land_dispute,9\n", "170201,all,all,domestic_violence,9\n"]
    (tmp_path / "category-aggregate.csv").write_text(head + "".join([*one_class, *second]))
    assert told(0) == {"land_dispute", "id_poor"}, "where nothing is withheld, what is not shown is nobody"
    third = ["170202,all,all,land_dispute,9\n", "170202,all,all,withheld,9\n"]
    (tmp_path / "category-aggregate.csv").write_text(head + "".join([*one_class, *second, *third]))
    assert told(0) == {"land_dispute"}
