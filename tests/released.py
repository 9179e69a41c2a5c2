"""One release of anonymised cases, put there by hand: for the matrix and the walls."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

AT = datetime(2024, 11, 20, 3, tzinfo=UTC)
COHORT, EXPORT = UUID("5f0c7f5e-3c1d-4a52-9a55-6d1f3f5f7a11"), UUID("5f0c7f5e-3c1d-4a52-9a55-6d1f3f5f7a12")
FILE, CONTENT = "category.csv", b"place,sex,age,category\nall,all,all,land_dispute\n"
MANIFEST = b'{"files":[]}'
PAGES, PAGE = ("risk-en.html", "risk-km.html"), b"<!doctype html>"
SHA256 = hashlib.sha256(MANIFEST).hexdigest()
PROFILE, PERIOD = "auditor-v1", "2024Q3"

NO_EXPORTS: tuple[LiteralString, ...] = (
    "delete from export_files",
    "delete from export_approvals",
    "delete from exports",
    "delete from export_members",
    "delete from export_parties",
    "delete from export_cohorts",
)
PUT_COHORT = """
    insert into export_cohorts (id, period, starts_on, ends_on, frozen_at, cases, withdrawn_at)
    values (%s, %s, '2024-07-01', '2024-09-30', %s, 1, %s)
"""
PUT_EXPORT = """
    insert into exports (id, profile, profile_version, profile_hash, period, cohort_id, state, report, manifest_sha256,
                         requested_by, requested_at, frozen_at)
    values (%s, %s, '1', '', %s, %s, %s, '{}', %s, %s, %s, %s)
"""
PUT_FILE = "insert into export_files (export_id, name, size, sha256) values (%s, %s, %s, %s)"
PUT_CHUNK = "insert into export_chunks (export_id, name, number, content) values (%s, %s, 0, %s)"

Run = Callable[..., Any]


def clear_exports(run: Run) -> None:
    """As if nobody had ever asked for one."""
    for statement in NO_EXPORTS:
        run(statement)


def put_export(run: Run, organisation: UUID, auditor: UUID, state: str) -> None:
    """The only release of the only cohort, with rows of one organisation."""
    clear_exports(run)
    withdrawn = state == "withdrawn"
    run(PUT_COHORT, COHORT, PERIOD, AT, AT if withdrawn else None)
    run("insert into export_parties (cohort_id, organisation_id) values (%s, %s)", COHORT, organisation)
    sha256 = None if withdrawn else SHA256
    run(PUT_EXPORT, EXPORT, PROFILE, PERIOD, COHORT, state, sha256, auditor, AT, AT)
    if not withdrawn:
        for name, content in ((FILE, CONTENT), ("manifest.json", MANIFEST), *((page, PAGE) for page in PAGES)):
            run(PUT_FILE, EXPORT, name, len(content), hashlib.sha256(content).hexdigest())
            run(PUT_CHUNK, EXPORT, name, content)
