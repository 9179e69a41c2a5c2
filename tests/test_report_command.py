"""`samaki report` counts a whole organisation's quarter and submits nothing."""

import json
from typing import Any

import psycopg
from starlette.concurrency import run_in_threadpool

from app.database_urls import DatabaseUrls
from tests.cast import Cast
from tests.reporting import PERIOD, programme
from tests.test_cli import refusal, samaki

Superuser = psycopg.Connection[Any]


async def test_the_command_counts_what_a_submission_would_and_leaves_no_version(
    cast: Cast, superuser: Superuser, database: DatabaseUrls
) -> None:
    work = await programme(cast, superuser)
    work.visit(work.household(), topics=["domestic_violence"], created_by=cast.users[work.team["caseworker"]].id)
    place = {"SAMAKI_DATABASE_URL": database.admin}
    asked = ("report", PERIOD, "--organisation", str(work.organisation))
    told = await run_in_threadpool(samaki, *asked, **place)
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout)
    figures = {one["code"]: one["value"] for one in report["indicators"]}
    assert (figures["families_visited"], report["version"]) == (1, None)
    page = await run_in_threadpool(samaki, *asked, "--format", "html", "--language", "en", **place)
    assert page.stdout.lower().startswith("<!doctype html")
    kept = superuser.execute("select count(*) from report_versions where organisation_id = %s", [work.organisation])
    assert kept.fetchone() == (0,)


async def test_what_cannot_be_counted_is_said_in_one_sentence(database: DatabaseUrls) -> None:
    place = {"SAMAKI_DATABASE_URL": database.admin}
    said = await run_in_threadpool(refusal, "report", "2024Q5", **place)
    assert said == "There is no such quarter. Quarters are written 2024Q3."
    said = await run_in_threadpool(refusal, "report", "1950Q1", **place)
    assert said == "The programme had not begun. Quarters are written 2024Q3."
    said = await run_in_threadpool(refusal, "report", "2010Q1", **place)
    assert said == "no organisation has records of that quarter"
