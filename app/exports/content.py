"""What one release holds, before it is files: narrow tables, and what was hidden in them and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl

from app.exports.measures import CASES
from app.exports.profile import Profile


@dataclass(frozen=True, slots=True)
class NarrowTable:
    """One attribute beside the base columns of its rung: a row for each case that is told, no id, canonical order.

    `cells`: its different rows, with how many there are of each in the last column, `cases`: few, however large the
    cohort is. `withheld` rows are among them with this value; `suppressed` ones (base classes below k) are not.
    """

    attribute: str
    rung: str
    cells: pl.DataFrame
    suppressed: int
    withheld: int
    why: str  # a code: `by_size`, or what made the rung coarser

    @property
    def rows(self) -> pl.DataFrame:
        """The table as it is told, row by row."""
        return self.cells.drop(CASES)[np.repeat(np.arange(self.cells.height), self.cells[CASES].to_numpy())]


@dataclass(frozen=True, slots=True)
class Audit:
    """What an attacker can compute of the cells that were hidden; `pinned` is 0 in whatever is released."""

    cells: int
    pinned: int


@dataclass(frozen=True, slots=True)
class Release:
    """Everything of one cohort under one profile that may be written down. `omitted`: attribute → a code of why."""

    profile: Profile
    period: str
    frozen_at: datetime
    rows_in: int
    rung: str  # by the size of the cohort alone
    tables: tuple[NarrowTable, ...]
    omitted: Mapping[str, str]
    audit: Audit
