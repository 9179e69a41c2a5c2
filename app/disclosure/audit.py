"""The audit: what an attacker can compute of every hidden cell, from all tables together."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from app.disclosure.attacker import Attacker, Mask, printed_only, rule_and_labels
from app.disclosure.cells import Name, Small, Sum, check

# Of a large system: moves of everything at once, and how many cells are then asked for one by one (the others count as
# known).
STIRS = 8
ONE_BY_ONE = 60


def intervals(
    cells: Mapping[Name, int], sums: Sequence[Sum], hidden: Collection[Name], *, small: Small | None = None
) -> dict[Name, tuple[int, int]]:
    """The least and the greatest whole number that each hidden cell can be for who knows all others and all sums.

    With `small` for who knows, too, which of the hidden cells are small. ValueError for tables that do not add up.
    """
    check(cells, sums, hidden)
    attacker = Attacker.of(cells, sums, printed_only if small is None else rule_and_labels(small))
    return dict(sorted(_bounds(attacker, mask(attacker, hidden))))


def pinned(
    cells: Mapping[Name, int], sums: Sequence[Sum], hidden: Collection[Name], *, small: Small | None = None
) -> frozenset[Name]:
    """The hidden cells of which one value alone is possible; arguments as for `intervals`, but much sooner."""
    check(cells, sums, hidden)
    attacker = Attacker.of(cells, sums, printed_only if small is None else rule_and_labels(small))
    covered = mask(attacker, hidden)
    known = covered & ~unpinned(attacker, covered)
    return frozenset(attacker.names[place] for place in np.flatnonzero(known).tolist())


def mask(attacker: Attacker, names: Collection[Name]) -> Mask:
    """True at the places of these names."""
    wanted = set(names)
    return np.array([name in wanted for name in attacker.names], dtype=np.bool_)


def unpinned(attacker: Attacker, hidden: Mask) -> Mask:
    """Which of the hidden cells could have another value: one move shows it of every cell that it changes."""
    moved = np.zeros_like(hidden)
    for group in attacker.groups(hidden):
        for place in group.tolist():
            for direction in (1, -1):
                if not moved[place]:
                    move = attacker.furthest(group, place, direction, best=False)
                    moved[group] |= move != 0 if move is not None else False
    return moved


def movable(attacker: Attacker, wanted: Mask, *, thorough: bool = True) -> Mask:
    """Cells that could have another value, all cells being free: the wanted ones as far as the solver finds out, others
    by the way. For many cells: a few moves of everything at once leave few to be asked for one by one. Unless
    `thorough`, it ends at the first wanted one that stays."""
    moved = np.zeros_like(wanted)
    draws = np.random.default_rng(len(wanted))
    for group in attacker.groups(np.ones_like(wanted)):
        for _ in range(STIRS if wanted[group].any() else 0):
            if (wanted[group] & ~moved[group]).sum() > ONE_BY_ONE:
                move = attacker.stirred(group, draws.integers(-99, 100, group.size).astype(np.float64))
                moved[group] |= move != 0 if move is not None else False
        for place in group[wanted[group] & ~moved[group]][:ONE_BY_ONE].tolist():
            for direction in (1, -1):
                if not moved[place]:
                    move = attacker.furthest(group, place, direction, best=False)
                    moved[group] |= move != 0 if move is not None else False
            if not moved[place] and not thorough:
                return moved
    return moved


def _bounds(attacker: Attacker, hidden: Mask) -> Iterator[tuple[Name, tuple[int, int]]]:
    for group in attacker.groups(hidden):
        for at, place in enumerate(group.tolist()):
            # No answer of the solver is no proof of a second value: the cell counts as known.
            moves = (attacker.furthest(group, place, direction, best=True) for direction in (-1, 1))
            down, up = (0 if move is None else int(move[at]) for move in moves)
            value = int(attacker.values[place])
            yield attacker.names[place], (value + down, value + up)
