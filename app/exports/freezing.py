"""From the rows of a cohort to what may be released of them."""

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
import polars as pl

from app.exports.auditing import audit
from app.exports.content import Audit, NarrowTable, Release
from app.exports.knowing import Figure, Known
from app.exports.measures import CASES
from app.exports.profile import WITHHELD, Profile
from app.exports.recoding import Cohort, recode
from app.exports.refusing import Refused
from app.exports.rungs import COMPUTED, Plan, Planned, Planner

__all__ = ["Figure", "Known", "Progress", "Refused", "release_of"]

# A stage (`recoding`, `hiding`, `auditing`, `telling`), and how much of it is done, 0 to 1.
Progress = Callable[[str, float], None]


def release_of(
    rows: pl.DataFrame,
    profile: Profile,
    *,
    period: str,
    frozen_at: datetime,
    known: Sequence[Known] = (),
    progress: Progress | None = None,
) -> Release:
    """What may be released of these rows beside what is `known` of the same cohort.

    `rows`: one for each case: `commune` (six digits; a district, a province or null for none), `sex`, `age` (years) and
    a column for each attribute of the profile, all codes but `age`, null where nothing is recorded. Their order counts
    for nothing, nor does any other column. Refused: `unknown_code`, `cohort_too_small`, `nothing_left`, `audit_failed`;
    ValueError when a column is missing.
    """
    report = progress or _nobody
    report("recoding", 0)
    cohort = recode(rows, profile)
    report("hiding", 0)
    planner = Planner(cohort, profile)
    plan, audited = _safe_plan(cohort, profile, planner, known, report)
    if not plan.tables:
        raise Refused("audit_failed" if COMPUTED in plan.omitted.values() else "nothing_left")
    report("telling", 0)
    return Release(
        profile=profile,
        period=period,
        frozen_at=frozen_at,
        rows_in=cohort.rows,
        rung=profile.rungs[planner.by_size].name,
        tables=tuple(_table(table, cohort, profile) for table in plan.tables),
        omitted=dict(plan.omitted),
        audit=audited,
    )


def _safe_plan(
    cohort: Cohort, profile: Profile, planner: Planner, known: Sequence[Known], report: Progress
) -> tuple[Plan, Audit]:
    """The finest tables of which nothing hidden can be computed: what fails the audit is made coarser, step by step."""
    floors = dict.fromkeys((one.name for one in profile.attributes), 0)
    steps = len(floors) * len(profile.rungs)
    while True:
        plan = planner.plan(floors)
        report("auditing", sum(floors.values()) / steps)
        audited, computed = audit(cohort, profile, plan, known)
        if not computed:
            return plan, audited
        # What is tied to one of these follows: it is told on the same rung, or not at all.
        floors |= {table.attribute: table.rung + 1 for table in plan.tables if table.attribute in computed}


def _table(table: Planned, cohort: Cohort, profile: Profile) -> NarrowTable:
    """Counts, sorted by their values: which row was whose is gone."""
    levels = profile.rungs[table.rung].levels
    published = table.hidden.published
    values = np.array([*profile.attribute(table.attribute).values, WITHHELD])
    order = np.argsort(values)
    classes, places = np.nonzero(published[:, order])
    own = cohort.classes(levels)
    columns = {one.column: [own[at][axis] for at in classes.tolist()] for axis, one in enumerate(profile.base)} | {
        table.attribute: values[order][places].tolist()
    }
    told = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    times = published[:, order][classes, places]
    return NarrowTable(
        attribute=table.attribute,
        rung=profile.rungs[table.rung].name,
        cells=told.with_columns(pl.Series(CASES, times, dtype=pl.Int64)),
        suppressed=table.hidden.suppressed,
        withheld=table.hidden.withheld,
        why=table.why,
    )


def _nobody(_stage: str, _done: float) -> None:
    """Who does not ask for progress."""
