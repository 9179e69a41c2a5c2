"""What somebody can compute who knows all that is published: one system of equations, solved in whole numbers.

The unknown is never the table itself but a *move* away from it: a whole number for each cell, so that every sum stays
true and every cell within what is known of it. The true table is the move of zeros. A cell is safe when some move
changes it, for then the table and the moved table look the same from outside. What the solver says is taken for a move
only after it was checked in whole numbers: an error of rounding may hide too much, never too little.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import block_array, csr_array, hstack
from scipy.sparse.csgraph import connected_components

from app.disclosure.cells import Name, Small, Sum

Whole = NDArray[np.int64]
Mask = NDArray[np.bool_]
Costs = NDArray[np.float64]
Table = csr_array[np.int64]
# Of a cell's name and value: the least and the greatest value that it could have for who attacks.
Known = Callable[[Name, int], tuple[int, int]]

# More than the people of Cambodia (17 million), so that everybody knows that no count is larger.
EVERYBODY = 20_000_000
# No rule that takes this many for few is meant.
NEVER_SMALL = 1_000
# How many branches of a question in whole numbers are followed: known tables take one, a hostile one takes hours.
# Counted and not timed, so that the same tables are answered alike on a busy machine.
MOST_BRANCHES = 1_000
# How far from whole a solver's numbers may be before they are asked for again, as whole numbers.
WHOLE_ENOUGH = 1e-6


class Attacker:
    """n cells in the order of their names, m sums over them (m × n of -1, 0, 1), and how far each cell could be from
    its value, were it hidden: `down` ≤ 0 ≤ `up`, n each."""

    def __init__(self, names: Sequence[Name], values: Whole, sums: Table, down: Whole, up: Whole) -> None:
        self.names = names
        self.values = values
        self.sums = sums
        self.down = down
        self.up = up

    @classmethod
    def of(cls, cells: Mapping[Name, int], sums: Sequence[Sum], known: Known) -> Self:
        """Who knows all sums, and of a hidden cell what `known` says of its name and value."""
        names = sorted(cells)
        values = np.array([cells[name] for name in names], dtype=np.int64)
        bounds = np.array([known(name, cells[name]) for name in names], dtype=np.int64).reshape(-1, 2)
        return cls(names, values, _table(names, sums), bounds[:, 0] - values, bounds[:, 1] - values)

    def groups(self, free: Mask) -> list[Whole]:
        """The free cells in groups that no sum joins: places of cells, ascending."""
        places = np.flatnonzero(free)
        table = self.sums[:, places]
        joined: Table = block_array([[None, table.T], [table, None]], format="csr")
        _, labels = connected_components(joined, directed=False)
        labels = labels[: places.size]
        return [places[labels == label] for label in dict.fromkeys(labels.tolist())]

    def furthest(self, group: Whole, place: int, direction: int, *, best: bool) -> Whole | None:
        """A move of the group (others stay) that takes one cell down (-1) or up (1): far, or, as `best`, as far as it
        goes. None when no move takes it there."""
        here = group == place
        down, up = self.down[group], self.up[group]
        if not (up if direction > 0 else -down)[here].all():
            return None
        least, most = np.where(here & (direction > 0), 1, down), np.where(here & (direction < 0), -1, up)
        return _solve(np.where(here, -1.0 * direction, 0.0), self.sums[:, group], least, most, best=best)

    def stirred(self, group: Whole, costs: Costs) -> Whole | None:
        """Some move of the group: one of least cost (one for each cell, of either sign), which changes much at once."""
        return _solve(costs, self.sums[:, group], self.down[group], self.up[group], best=False)

    def cheapest(self, group: Whole, place: int, costs: Costs) -> Whole | None:
        """The move of the group that changes one cell, with the least cost: a cell's own (n) for each step that it
        takes. None when no move changes it."""
        found = [self._changing(group, place, costs[group], direction) for direction in (1, -1)]
        moves = [move for move in found if move is not None]
        return min(moves, key=lambda move: float(costs[group] @ abs(move)), default=None)

    def _changing(self, group: Whole, place: int, costs: Costs, direction: int) -> Whole | None:
        # Steps up and steps down are variables apart, so that a step costs the same in either direction.
        table = self.sums[:, group]
        most = np.concatenate([self.up[group], -self.down[group]])
        least = np.zeros_like(most)
        here = int(np.flatnonzero(group == place)[0])
        forth, back = (here, here + group.size) if direction > 0 else (here + group.size, here)
        least[forth], most[back] = 1, 0
        if most[forth] < 1:
            return None
        steps = _solve(np.concatenate([costs, costs]), hstack([table, -table], format="csr"), least, most, best=False)
        return None if steps is None else steps[: group.size] - steps[group.size :]


def printed_only(_name: Name, value: int) -> tuple[int, int]:
    """What is known of a hidden cell by who knows that counts are counts. ValueError for more than everybody."""
    if value > EVERYBODY:
        raise ValueError("a count is larger than the people of the country")
    return 0, EVERYBODY


def rule_and_labels(small: Small) -> Known:
    """… by who knows the rule, too, and of each hidden cell whether it is small or hidden for another's sake."""

    def known(name: Name, value: int) -> tuple[int, int]:
        first, end = _run(name, value, small)
        if value < first:
            return 0, 0
        return (first, end - 1) if value < end else (end, EVERYBODY)

    return known


def rule_alone(small: Small) -> Known:
    """… by who knows where the small ones end, but not which of the hidden cells are zeros hidden for others' sake."""

    def known(name: Name, value: int) -> tuple[int, int]:
        _, end = _run(name, value, small)
        return (0, end - 1) if small(name, value) else (0, EVERYBODY)

    return known


def _run(name: Name, value: int, small: Small) -> tuple[int, int]:
    """First small number and the one after the last, both 0 when none is. ValueError for a rule of several runs."""
    printed_only(name, value)
    first = next((least for least in (0, 1) if small(name, least)), None)
    end = 0 if first is None else next((at for at in range(first, NEVER_SMALL) if not small(name, at)), NEVER_SMALL)
    if end == NEVER_SMALL or small(name, value) != ((first or 0) <= value < end):
        raise ValueError("a rule of what is small must hold for one run of numbers that begins at 0 or 1, below 1000")
    return first or 0, end


def _table(names: Sequence[Name], sums: Sequence[Sum]) -> Table:
    places = {name: place for place, name in enumerate(names)}
    # Sorted and each once: the same tables give the same system, in whatever order they were told.
    rows = sorted({(places[total], *sorted(places[part] for part in parts)) for total, parts in sums})
    table = [(row, place, 1 - 2 * (at == 0)) for row, cells in enumerate(rows) for at, place in enumerate(cells)]
    row, place, sign = np.array(table, dtype=np.int64).reshape(-1, 3).T
    return csr_array((sign, (row, place)), shape=(len(rows), len(names)))


def _solve(costs: Costs, table: Table, least: Whole, most: Whole, *, best: bool) -> Whole | None:
    """Whole numbers within their bounds, of which the table makes zeros, of the least cost; None when there are none,
    or none are found within `MOST_BRANCHES`: then a cell counts as known, and more is hidden.

    First without asking for whole numbers: the solution of most tables is whole anyway, and found sooner. Else, unless
    it must be the `best`, among what the broken solution moves, then with the cheaper half of all: the full question
    may take long (a table of three ways, 1300 cells: a third of the time).
    """
    broken = _milp(costs, table, least, most, whole=False)
    if broken is None:
        return None
    tries = [(least, most)]
    if not best:
        still = abs(broken) < WHOLE_ENOUGH
        fixed = (still, still & (costs > np.median(costs)))
        tries = [(np.where(one, 0, least), np.where(one, 0, most)) for one in fixed] + tries
    for found in chain([broken], (_milp(costs, table, *bounds, whole=True) for bounds in tries)):
        numbers = None if found is None else _checked(found, table, least, most)
        if numbers is not None:
            return numbers
    return None


def _milp(costs: Costs, table: Table, least: Whole, most: Whole, *, whole: bool) -> Costs | None:
    table = table[np.flatnonzero(np.diff(table.indptr))]
    return milp(
        costs,
        integrality=np.full(costs.size, int(whole)),
        bounds=Bounds(least, most),
        constraints=[LinearConstraint(table, 0, 0)] if table.shape[0] else [],
        options={"mip_rel_gap": 0, "node_limit": MOST_BRANCHES},
    ).x


def _checked(found: Costs, table: Table, least: Whole, most: Whole) -> Whole | None:
    """The solver's numbers as whole ones, if that is what they are and they keep bounds and sums exactly."""
    numbers = np.rint(found).astype(np.int64)
    near = bool((abs(found - numbers) < WHOLE_ENOUGH).all())
    within = bool((least <= numbers).all() and (numbers <= most).all())
    return numbers if near and within and not cast("Whole", table @ numbers).any() else None
