"""Releases made up for the tests of their files: of a seed, as large as asked, keeping what they promise."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import polars as pl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.exports.content import Audit, NarrowTable, Release
from app.exports.files import write
from app.exports.freezing import release_of
from app.exports.manifest import Manifest
from app.exports.measures import CASES, canonical
from app.exports.profile import WITHHELD, Profile, load_profile
from app.exports.verifying import PublicKeys, public_keys
from app.key_pairs import ExportKey
from app.keys import export_jwks
from tests.cohorts import cohort

FROZEN_AT = datetime(2024, 10, 31, 3, 0, tzinfo=UTC)
SOFTWARE = "samaki 0.1.0 (test)"
COMMUNES = ("170201", "170202", "170203", "170204", "170205", "170206")

Cell = tuple[Sequence[str], int]  # the values of one row, and how many rows are alike


def key(number: int = 1) -> ExportKey:
    """The same key for the same number, so that signatures can be compared."""
    return ExportKey(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


def published(*keys: ExportKey) -> PublicKeys:
    """As an auditor has them."""
    return public_keys(json.dumps(export_jwks(keys)).encode())


def table(
    attribute: str, base: Sequence[str], cells: Sequence[Cell], rung: str = "commune", why: str = "by_size"
) -> NarrowTable:
    """A narrow table with these cells, in canonical order."""
    columns = dict.fromkeys([*base, attribute], pl.String) | {CASES: pl.Int64}
    frame = pl.DataFrame([(*values, times) for values, times in cells], schema=columns, orient="row")
    withheld = sum(times for values, times in cells if values[-1] == WITHHELD)
    return NarrowTable(attribute, rung, canonical(frame), suppressed=0, withheld=withheld, why=why)


def invented(seed: int, attribute: str, profile: Profile, per_cell: int = 8) -> NarrowTable:
    """Communes with several values each, none rarer than k; the rarest of the last commune are withheld."""
    draw, values = Random(seed), profile.attribute(attribute).values  # noqa: S311 - reproducible on purpose
    cells: list[Cell] = []
    for commune in COMMUNES:
        shown = [*draw.sample(values[:-1], min(len(values) - 1, 5)), values[-1]]
        cells += [((commune, value), draw.randint(per_cell, per_cell + 8) + profile.k) for value in shown]
    cells.append(((COMMUNES[-1], WITHHELD), profile.k + 3))
    return table(attribute, ("place",), cells)


def release(*tables: NarrowTable, profile: Profile | None = None, omitted: Mapping[str, str] | None = None) -> Release:
    """A cohort as large as its largest table; what other tables lack of it was suppressed in them."""
    rows_in = max(one.rows.height for one in tables)
    return Release(
        profile=profile or load_profile("auditor-v1"),
        period="2024Q3",
        frozen_at=FROZEN_AT,
        rows_in=rows_in,
        rung="commune",
        tables=tuple(replace(one, suppressed=rows_in - one.rows.height) for one in tables),
        omitted=omitted or {},
        audit=Audit(17, 0),
    )


def quarter(seed: int = 7, profile_name: str = "auditor-v1") -> Release:
    """Three tables of six communes and one that tells nothing beside its attribute."""
    profile = load_profile(profile_name)
    tables = [invented(seed + at, name, profile) for at, name in enumerate(("category", "id_poor", "status"))]
    alone: list[Cell] = [(("no",), 210), (("not_recorded",), 60), (("yes",), 40)]
    tables.append(table("disability", (), alone, rung="all"))
    return release(*tables, profile=profile)


def written(room: Path, one: Release, signer: ExportKey | None = None) -> Manifest:
    """The release as files in `room`, which is new."""
    return write(one, room, signer=signer or key(), software_version=SOFTWARE)


def cohort_release(profile_name: str = "auditor-v1", size: int = 960, seed: int = 7) -> Release:
    """What is released of an invented cohort, by the way that a real one takes."""
    rows, profile = cohort(size, seed), load_profile(profile_name)
    return release_of(rows, profile, period="2024Q3", frozen_at=FROZEN_AT)
