"""What must be hidden: the small cells, and as little more as keeps them from being computed."""

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from app.disclosure.attacker import Attacker, Mask, Whole, rule_alone, rule_and_labels
from app.disclosure.audit import mask, unpinned
from app.disclosure.cells import CannotHide, Name, Small, Sum, check, heights

# A cell that is hidden anyway costs nearly nothing: enough that no more of them move than need to.
A_LITTLE = 0.001


def suppress(
    cells: Mapping[Name, int], sums: Sequence[Sum], *, small: Small, told: Collection[Name] = ()
) -> frozenset[Name]:
    """The cells to hide: those that are `small`, and others, so that none of the hidden ones can be computed from the
    rest, by who knows all sums, the rule and which cells are small.

    `small` holds for one run of numbers that begins at 0 (where nobody is a secret, too) or 1. `told` were published
    and stay known; a zero that cannot be otherwise is one of them. Smaller cells are hidden before larger ones, totals
    last. ValueError for tables that do not add up, `CannotHide` for small cells that are known whatever is hidden.
    """
    check(cells, sums, told)
    strong, weak = (Attacker.of(cells, sums, knows(small)) for knows in (rule_and_labels, rule_alone))
    primary = mask(strong, [name for name, value in cells.items() if small(name, value)])
    known = mask(strong, told)
    ranks = heights(cells, sums)
    rank = np.array([ranks[name] for name in strong.names], dtype=np.int64)
    hidden, bare = _cover_all(strong, primary & ~known, known, rank, primary & ~known)
    if bare.any():
        hidden, bare = _cover_all(weak, hidden, known, rank, bare)
    lost = np.flatnonzero(bare | (primary & known)).tolist()
    if lost:
        raise CannotHide(strong.names[place] for place in lost)
    return frozenset(strong.names[place] for place in np.flatnonzero(hidden).tolist())


def _cover_all(attacker: Attacker, hidden: Mask, told: Mask, rank: Whole, wanted: Mask) -> tuple[Mask, Mask]:
    """Hide more until this attacker computes no wanted cell: what is hidden then, and the wanted that stay known."""
    hidden, safe, bare = hidden.copy(), unpinned(attacker, hidden), np.zeros_like(hidden)
    for place in np.flatnonzero(wanted).tolist():
        if safe[place]:
            continue
        move = _cover(attacker, hidden, _choices(hidden, told, rank), place)
        if move is None:
            bare[place] = True
        else:
            hidden |= move
            safe |= move
    return hidden, bare & ~safe


def _choices(hidden: Mask, told: Mask, rank: Whole) -> Iterator[Mask]:
    """What may change, in the order in which it is tried: without totals, then with them, the highest last."""
    for height in sorted(set(rank.tolist())):
        yield hidden | (~told & (rank <= height))


def _cover(attacker: Attacker, hidden: Mask, choices: Iterator[Mask], place: int) -> Mask | None:
    """The cells that change in the cheapest move that changes this one; None when no move does."""
    costs = np.where(hidden, A_LITTLE, attacker.values + 1).astype(np.float64)
    for free in choices:
        group = next(group for group in attacker.groups(free) if place in group)
        move = attacker.cheapest(group, place, costs)
        if move is not None:
            changed = np.zeros_like(hidden)
            changed[group] = move != 0
            return changed
    return None
