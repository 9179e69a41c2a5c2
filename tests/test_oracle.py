"""The API against the rules of access written a second time (tests/oracle), for thousands of operations."""

import secrets
import sys
from pathlib import Path

import psycopg
import pytest

from app.database_urls import DatabaseUrls
from tests.oracle.driver import compare
from tests.oracle.stage import stage

FIXED_SEED = 20260302
COMPARED = 5_000


async def test_every_answer_is_as_the_rules_of_access_say(
    fresh_database: DatabaseUrls, keys_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compared = 0
    for seed in (FIXED_SEED, secrets.randbits(32)):
        async with stage(fresh_database, keys_dir) as here:
            tally, found = await compare(here, seed, COMPARED // 2)
        compared += tally.compared
        with capsys.disabled():
            differences = 0 if found is None else 1
            said = f"seed {seed}, {tally.compared:,} operations compared, {differences} differences"
            sys.stdout.write(f"\noracle: {said}\n")
        assert found is None, str(found)
    assert compared >= COMPARED


async def test_the_oracle_finds_a_mistake_and_shows_it_in_few_operations(
    fresh_database: DatabaseUrls, keys_dir: Path
) -> None:
    with psycopg.connect(fresh_database.admin) as connection:
        connection.execute(
            "create or replace function app_excluded_cases() returns uuid[] language sql stable security definer"
            " as $$ select '{}'::uuid[] $$"
        )
    async with stage(fresh_database, keys_dir) as here:
        _, found = await compare(here, FIXED_SEED, COMPARED)
    assert found is not None
    assert len(found.operations) <= 6, str(found)
