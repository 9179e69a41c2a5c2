"""Invented cohorts for the exports, with the skew of the demo's quarter: pure rows, no database."""

import hashlib
import random
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from app.demo.invented import POOR, SEXES
from app.demo.stories import IN_QUARTER
from app.exports.content import NarrowTable, Release
from app.exports.freezing import Known, release_of
from app.exports.profile import Profile, load_profile, profile_of

COMMUNES = ("170201", "170202", "170301", "170302", "170401", "170402")
# Some communes have more cases than others, and some ages.
SHARES = (26, 21, 18, 15, 12, 8)
AGES = {(5, 17): 9, (18, 44): 55, (45, 59): 24, (60, 79): 12}
TABLES: Mapping[str, Mapping[str | None, int]] = {
    "category": {one.value: share for one, share in IN_QUARTER.items()},
    "referral_type": {
        None: 45,
        "health": 24,
        "legal": 9,
        "psychosocial": 6,
        "social_protection": 4,
        "registration": 4,
        "several": 4,
        "shelter": 2,
        "police": 2,
    },
    "disability": {None: 20, "no": 68, "yes": 12},
    "id_poor": {None: 10} | {one.value: 10 * share for one, share in POOR.items()},
    "first_follow_up_band": {
        None: 12,
        "up_to_7_days": 38,
        "8_to_14_days": 26,
        "15_to_30_days": 15,
        "31_to_90_days": 7,
        "over_90_days": 2,
    },
    "status": {
        "closed": 46,
        "follow_up": 19,
        "implementation": 16,
        "planning": 8,
        "assessment": 6,
        "closure_requested": 3,
        "intake": 2,
    },
}
OUTCOMES = {"improved": 45, "resolved": 33, "unchanged": 14, "worse": 3, "unknown": 5}
KINDS = {None: 68, "social": 16, "financial": 13, "several": 3}
AMOUNTS = {"10_to_24_usd": 40, "25_to_49_usd": 35, "under_10_usd": 15, "50_to_99_usd": 7, "100_usd_and_more": 3}


def cohort(
    size: int, seed: int, communes: Sequence[str] = COMMUNES, shares: Sequence[int] | None = None
) -> pl.DataFrame:
    """So many cases; the same for the same seed."""
    draws = random.Random(seed)  # noqa: S311 - no secret

    def of(weights: Mapping[Any, int]) -> list[Any]:
        return draws.choices(list(weights), list(weights.values()), k=size)

    weights = shares or [SHARES[at % len(SHARES)] for at in range(len(communes))]
    columns: dict[str, list[Any]] = {
        "commune": draws.choices(communes, weights, k=size),
        "sex": [one.value for one in of(SEXES)],
        "age": [draws.randint(*span) for span in of(AGES)],
        **{name: of(table) for name, table in TABLES.items()},
    }
    outcomes, kinds, amounts = of(OUTCOMES), of(KINDS), of(AMOUNTS)
    columns["closure_outcome"] = [
        outcome if status == "closed" else None for outcome, status in zip(outcomes, columns["status"], strict=True)
    ]
    columns["assistance_kind"] = kinds
    columns["assistance_amount_band"] = [
        amount if kind is not None else None for amount, kind in zip(amounts, kinds, strict=True)
    ]
    text = {name: pl.String for name in columns if name != "age"}
    return pl.DataFrame(columns, schema_overrides=text | {"age": pl.Int64})


def closed_by(rows: pl.DataFrame, share: float, seed: int = 0) -> pl.DataFrame:
    """The same cohort looked at later or sooner: about this share of it is closed, and has an outcome."""
    draws = random.Random(seed)  # noqa: S311 - no secret
    closed = [draws.random() < share for _ in range(rows.height)]
    running = {name: number for name, number in TABLES["status"].items() if name != "closed"}
    drawn = [
        ("closed", *draws.choices(list(OUTCOMES), list(OUTCOMES.values())))
        if one
        else (*draws.choices(list(running), list(running.values())), None)
        for one in closed
    ]
    statuses, outcomes = zip(*drawn, strict=True)
    return rows.with_columns(
        pl.Series("status", statuses, dtype=pl.String), pl.Series("closure_outcome", outcomes, dtype=pl.String)
    )


AT = datetime(2024, 11, 1, tzinfo=UTC)
AUDITOR, PUBLIC = load_profile("auditor-v1"), load_profile("public-v1")


def released(rows: pl.DataFrame, profile: Profile = AUDITOR, known: Sequence[Known] = ()) -> Release:
    """What is released of these rows."""
    return release_of(rows, profile, period="2024Q3", frozen_at=AT, known=known)


def table(release: Release, attribute: str) -> NarrowTable:
    """The table of one attribute; KeyError when it is omitted."""
    return {one.attribute: one for one in release.tables}[attribute]


def digest(release: Release) -> str:
    """One hash over everything that is told."""
    omitted = sorted(release.omitted.items())
    found = hashlib.sha256(repr((release.profile.hash, release.rows_in, release.rung, omitted, release.audit)).encode())
    for one in release.tables:
        found.update(repr((one.attribute, one.rung, one.suppressed, one.withheld, one.why)).encode())
        found.update(one.rows.write_csv().encode())
    return found.hexdigest()


def tiny(**changes: Any) -> Profile:
    """A profile so small that every cohort can be tried: places and one attribute of three values."""
    data: dict[str, Any] = {
        "name": "tiny",
        "version": 1,
        "lists": "none",
        "k": 2,
        "l": 2,
        "l_binary": 2,
        "largest_posterior": 0.8,
        "largest_base_risk": 0.5,
        "largest_hidden_share": 0.6,
        "large": {"at_least": 1000, "largest_hidden_share": 0.1, "rungs": []},
        "rungs": [
            {"name": "commune", "at_least": 1, "levels": {"place": "commune"}},
            {"name": "all", "at_least": 0, "levels": {"place": "all"}},
        ],
        "base": [{"column": "place", "source": "commune", "levels": ["commune", "all"], "pattern": "[0-9]{6}"}],
        "attributes": [{"name": "category", "values": ["a", "b", "c"]}],
    }
    return profile_of(data | changes)


def rows_of(counts: Mapping[str, Mapping[str | None, int]]) -> pl.DataFrame:
    """Rows for `tiny`: commune → value → how many."""
    pairs = [(place, value) for place, own in counts.items() for value, number in own.items() for _ in range(number)]
    return pl.DataFrame(pairs, schema={"commune": pl.String, "category": pl.String}, orient="row")


def say(figures: str) -> None:
    """Figures of a proof, seen with `pytest -s` (`-rP` shows them for what passed)."""
    sys.stdout.write(f"\n{figures}\n")
