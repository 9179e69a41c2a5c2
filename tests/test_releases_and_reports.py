"""A release and a report of the same cases at the same time: whichever is later knows what the other one tells."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg
import pytest

from app.database_urls import DatabaseUrls
from app.freezing.reports import figures_of
from app.indicators.cases import CaseCount
from tests.cast import FrozenClock, answered
from tests.quarters import PERIOD, Quarters, quarters_in

SMALL = 40
# Who submits waits until no consent is being changed, who stores until there is room for files.
CONSENTS_MOVE: LiteralString = "lock table consents in row exclusive mode"
NO_ROOM: LiteralString = "lock table export_files in share mode"
WAITING: LiteralString = (
    "select count(*) from pg_locks l join pg_database d on d.oid = l.database and d.datname = current_database()"
    " where not l.granted and "
)
WAIT_FOR_REPORTS: LiteralString = WAITING + "l.locktype = 'advisory'"
WAIT_FOR_CONSENTS: LiteralString = WAITING + "l.relation = 'consents'::regclass"
WAIT_FOR_ROOM: LiteralString = WAITING + "l.relation = 'export_files'::regclass"


@pytest.fixture
async def quarters(fresh_database: DatabaseUrls, keys_dir: Path, tmp_path: Path) -> AsyncIterator[Quarters]:
    place = tmp_path / "freezing"
    # A request that waits for another process may do so on a busy machine.
    async with quarters_in(fresh_database, keys_dir, FrozenClock(), place, statement_timeout_ms=60_000) as found:
        yield found


async def submits(quarters: Quarters, who: str = "supervisor") -> httpx.Response:
    return await quarters.cast.client(who).post(f"/reports/quarterly/{PERIOD}/submit")


def known(quarters: Quarters) -> Any:
    """What the only release was audited with."""
    row = quarters.db.execute("select known from exports").fetchone()
    assert row is not None
    return row[0]


def figures(quarters: Quarters) -> list[dict[str, str]]:
    """What submitted reports tell of its cases."""
    return figures_of(row[0] for row in quarters.db.execute("select body from report_versions").fetchall())


async def test_a_report_that_comes_between_the_tries_of_a_freezing_is_audited_with_it(quarters: Quarters) -> None:
    quarters.cases(SMALL)
    export_id = await quarters.requested()
    async with quarters.freezing():  # a worker that is killed, and knew of no report
        await quarters.until("select count(*) from exports where known is not null and state = 'freezing'")
    assert known(quarters)["figures"] == []
    frozen_at = quarters.db.execute("select frozen_at from export_cohorts").fetchone()
    answered(await submits(quarters), 201)
    quarters.cases(3)  # too late for this one
    assert await quarters.work(timedelta(minutes=2)) == 2, "the second try gives it back, the third one knows"
    found = await quarters.read(export_id)
    assert (found["state"], found["report"]["rows_in"], found["code"]) == ("frozen", SMALL, None)
    assert known(quarters) == {"releases": [], "figures": figures(quarters)}
    assert figures(quarters)
    assert quarters.db.execute("select frozen_at from exports").fetchone() == frozen_at, "the same rows and instant"


async def test_who_submits_while_a_release_is_computed_is_waited_for_and_audited(quarters: Quarters) -> None:
    quarters.cases(SMALL)
    export_id = await quarters.requested()
    with psycopg.connect(quarters.urls.admin) as mover:
        mover.execute(CONSENTS_MOVE)
        report = asyncio.create_task(submits(quarters))
        await quarters.until(WAIT_FOR_CONSENTS)
        async with quarters.freezing() as freezing:
            await quarters.until(WAIT_FOR_REPORTS)
            assert not freezing.done()
            mover.rollback()
            answered(await report, 201)
            assert await freezing
    assert (await quarters.read(export_id))["state"] == "requested"
    assert quarters.count("select count(*) from export_files") == 0, "nothing of it was shown"
    assert known(quarters) is None
    assert await quarters.work() == 1
    assert (await quarters.read(export_id))["state"] == "frozen"
    assert known(quarters)["figures"] == figures(quarters) != []


async def test_who_submits_while_a_release_is_stored_waits_and_reckons_with_it(quarters: Quarters) -> None:
    quarters.cases(240)
    quarters.cases(2, category="vital_documents")
    export_id = await quarters.requested()
    with psycopg.connect(quarters.urls.admin) as mover:
        mover.execute(NO_ROOM)
        async with quarters.freezing() as freezing:
            await quarters.until(WAIT_FOR_ROOM)
            report = asyncio.create_task(submits(quarters))
            await quarters.until(WAIT_FOR_REPORTS)
            mover.rollback()
            assert await freezing
            told = answered(await report, 201)["report"]
    assert (await quarters.read(export_id))["state"] == "frozen"
    by_release = quarters.db.execute("select told from exports").fetchone()
    assert by_release is not None
    [opened] = [one for one in told["indicators"] if one["code"] == CaseCount.OPENED]
    [slicing] = [one for one in opened["disaggregations"] if one["by"] == "category"]
    hidden = {one["code"] for one in slicing["cells"] if one["value"] is None}
    assert "vital_documents" in hidden
    assert not hidden & {one["value"] for one in by_release[0] if one["attribute"] == "category"}
