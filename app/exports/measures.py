"""How well a table withstands who knows much already: the measures of the literature, over whole columns at once.

Everything is computed from the cells of a table: its different rows with how often each stands there. A `class` is
the rows that are alike in the base columns, which an attacker is taken to know.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

CASES = "cases"  # the column of counts in an aggregate table
DIGITS = 6  # of a share or a risk in a manifest


@dataclass(frozen=True, slots=True)
class Measures:
    """Of one table. Shares and risks are between 0 and 1, to six digits; the smaller the better, but `k` and `l`.

    - `classes`, `smallest_cell`: different rows in the base columns; the smallest number of rows alike in all columns.
    - `k`: rows of the smallest class. Samarati, "Protecting respondents' identities in microdata release" (2001);
      Sweeney, "k-anonymity" (2002).
    - `l`: different values in the class that has the fewest (distinct l-diversity; `withheld` is one value although at
      least two stand behind it). Machanavajjhala et al., "l-diversity: privacy beyond k-anonymity" (2007).
    - `max_posterior`: the share of the commonest value in the class where it is largest: the best guess of who knows
      the class, if all are equally likely. Wong et al., "(alpha, k)-anonymity" (2006).
    - `max_t`: the largest distance between a class and the whole table, half the sum of the differences of shares
      (every two values are equally far apart). Li et al., "t-closeness" (2007), section 5.2, equal distance.
    - `prosecutor_risk`: the largest chance to find the row of a person who is known to be in the table, 1 / k.
    - `journalist_risk`: the same for one who has a list of people and knows of none that she is in the table. The
      smallest list there can be is the cohort itself, in which the classes that are told are as large as here; so
      this is 1 / k too: no assumption about a larger population makes it look smaller.
    - `marketer_risk`: the share of all rows that would be matched rightly, classes / rows.
      The three: El Emam and Dankar, "Protecting privacy using k-anonymity" (2008); El Emam, "Guide to the
      de-identification of personal health information" (2013), chapter 16.
    """

    rows: int
    classes: int
    smallest_cell: int
    k: int
    l: int  # noqa: E741 - the letter of l-diversity
    max_t: float
    max_posterior: float
    prosecutor_risk: float
    journalist_risk: float
    marketer_risk: float


def canonical(cells: pl.DataFrame) -> pl.DataFrame:
    """The same cells, each once and in canonical order, whatever order they come in."""
    names = [name for name in cells.columns if name != CASES]
    return cells.group_by(names).agg(pl.col(CASES).sum()).sort(names)


def measured(cells: pl.DataFrame) -> Measures:
    """The measures of a table with at least one row, whose last column (before `cases`) is the attribute."""
    counts = _counts(cells)
    sizes, whole = counts.sum(axis=1), counts.sum(axis=0)
    total = int(sizes.sum())
    # In whole numbers until the last division, so that no order of adding shows in the last digit.
    apart = np.abs(counts * total - np.outer(sizes, whole)).sum(axis=1)
    k = int(sizes.min())
    return Measures(
        rows=total,
        classes=len(sizes),
        smallest_cell=int(counts[counts > 0].min()),
        k=k,
        l=int((counts > 0).sum(axis=1).min()),
        max_t=_told((apart / (2 * sizes * total)).max()),
        max_posterior=_told((counts.max(axis=1) / sizes).max()),
        prosecutor_risk=_told(1 / k),
        journalist_risk=_told(1 / k),
        marketer_risk=_told(len(sizes) / total),
    )


def _counts(cells: pl.DataFrame) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Classes down, values across."""
    *base, attribute = [name for name in cells.columns if name != CASES]
    classes = _numbered(cells, base) if base else np.zeros(cells.height, dtype=np.int64)
    values = _numbered(cells, [attribute])
    counts = np.zeros((int(classes.max()) + 1, int(values.max()) + 1), dtype=np.int64)
    counts[classes, values] = cells[CASES].to_numpy()
    return counts


def _numbered(cells: pl.DataFrame, columns: list[str]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """0, 1, 2 … for the different rows in these columns."""
    ranks = cells.select(pl.struct(columns).rank("dense").cast(pl.Int64)).to_series()
    return ranks.to_numpy() - 1


def _told(share: float) -> float:
    return round(float(share), DIGITS)
