"""A release is the same whatever the order, the threads and the run, and whatever a table of the database gains."""

import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from app.exports.freezing import Refused, release_of
from tests.cohorts import AT, AUDITOR, PUBLIC, cohort, digest, released, say

PROJECT = Path(__file__).parent.parent


def test_the_order_of_rows_and_columns_changes_nothing() -> None:
    """Would catch: an order of rows that tells who was recorded first."""
    for size in (240, 960, 2000):
        rows = cohort(size, seed=4)
        first = digest(released(rows))
        for seed in range(3):
            turned = rows.sample(fraction=1, shuffle=True, seed=seed)
            assert digest(released(turned.select(sorted(turned.columns, reverse=bool(seed))))) == first


def test_another_process_with_other_threads_and_hashes_gives_the_same() -> None:
    """Proof of determinism across restarts; also with a release known before, for which the solver is asked."""
    program = (
        "from tests.cohorts import PUBLIC, cohort, digest, released;"
        "rows = cohort(960, 4); first = released(rows);"
        "print(digest(first), digest(released(rows, PUBLIC, [first])))"
    )
    rows = cohort(960, seed=4)
    first = released(rows)
    expected = [digest(first), digest(released(rows, PUBLIC, [first]))]
    given = os.environ | {"POLARS_MAX_THREADS": "1", "PYTHONHASHSEED": "77"}
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, env=given, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == expected


def test_a_new_column_changes_no_byte() -> None:
    """Proof 5. Would catch: rows that are more than the allow-list, or that are told apart by it."""
    rows = cohort(960, seed=6)
    more = rows.with_columns(
        village=pl.lit("17020105"),
        name=pl.int_range(pl.len()).cast(pl.String) + pl.lit(" Sok"),
        opened_at=pl.int_range(pl.len()),
    )
    assert digest(released(more)) == digest(released(rows))
    told = {column for one in released(more).tables for column in one.rows.columns}
    assert told == {"place", "sex", "age", *(one.name for one in AUDITOR.attributes)}


def test_a_release_does_not_change_with_the_rows_from_which_it_was_made() -> None:
    """Proof 4, the pure part: what is frozen shares nothing with what is added, corrected or erased later."""
    rows = cohort(240, seed=7)
    frozen = released(rows)
    before = digest(frozen)
    later = pl.concat([rows[1:], cohort(1, seed=8)]).with_columns(category=pl.lit("land_dispute"))
    other = released(later, known=[frozen])
    assert digest(frozen) == before
    assert "category" not in {one.attribute for one in other.tables}


def test_one_case_more_or_less_is_seen_by_nobody_who_has_only_one_of_the_two() -> None:
    """What the ledger forbids, and why: two releases of one cohort with and without a case differ in her row alone."""
    rows = cohort(300, seed=9)
    both = [released(one) for one in (rows, rows[1:])]
    columns = ["place", "sex", "age", "category"]
    counted = [
        next(one for one in release.tables if one.attribute == "category").rows.group_by(columns).len().sort(columns)
        for release in both
    ]
    changed = counted[0].join(counted[1], on=columns, how="anti").height
    say(f"differencing two freezes would find {changed} changed counts; the ledger keeps one")
    assert [release.rows_in for release in both] == [300, 299]


@pytest.mark.parametrize("size", [0, 1, 4, 5, 33])
def test_a_cohort_of_a_few_is_refused(size: int) -> None:
    with pytest.raises(Refused, match="cohort_too_small"):
        released(cohort(size, seed=1))


def test_a_cohort_in_which_nothing_is_recorded_has_nothing_to_tell() -> None:
    rows = cohort(240, seed=1)
    empty = rows.with_columns(pl.lit(None, dtype=pl.String).alias(one.name) for one in AUDITOR.attributes)
    with pytest.raises(Refused, match="nothing_left"):
        released(empty)


def test_progress_names_its_stages_in_order() -> None:
    told: list[tuple[str, float]] = []
    release_of(
        cohort(240, seed=1),
        AUDITOR,
        period="2024Q3",
        frozen_at=AT,
        progress=lambda stage, done: told.append((stage, done)),
    )
    assert list(dict.fromkeys(stage for stage, _ in told)) == ["recoding", "hiding", "auditing", "telling"]
    assert all(0 <= done <= 1 for _, done in told)
