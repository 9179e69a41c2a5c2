"""The words of the room: cells, the sums that bind them, and the refusal when something cannot be hidden."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import NamedTuple

# ("2024Q3", "cases_opened", "category", "land_dispute"): whatever tells a cell from all others.
Name = tuple[str, ...]
Small = Callable[[Name, int], bool]


class Sum(NamedTuple):
    """`total` is the sum of its `parts`; of one part alone: the two are known to be equal."""

    total: Name
    parts: tuple[Name, ...]


class CannotHide(Exception):  # noqa: N818 - says what happened, as the other refusals do
    """Cells that are small and stay known whatever else is hidden, since what was told before gives them away.

    `names` is not in the message: that a cell is among them says that it is small.
    """

    def __init__(self, names: Iterable[Name]) -> None:
        self.names = frozenset(names)
        super().__init__(f"cells that nothing can hide: {len(self.names)}")


def check(cells: Mapping[Name, int], sums: Sequence[Sum], named: Collection[Name]) -> None:
    """ValueError unless counts are counts, everything named is a cell, and every sum adds up."""
    if any(value < 0 for value in cells.values()):
        raise ValueError("a count is below zero")
    if not set(named) <= cells.keys():
        raise ValueError("a cell is named that does not exist")
    for total, parts in sums:
        if len(set(parts)) < len(parts) or not {total, *parts} <= cells.keys():
            raise ValueError("a sum names a cell twice, or one that does not exist")
        if cells[total] != sum(cells[part] for part in parts):
            raise ValueError("a sum does not add up")


def heights(names: Iterable[Name], sums: Sequence[Sum]) -> dict[Name, int]:
    """How high a cell stands above those that are sums of nothing (0). ValueError when sums go in a circle."""
    below: dict[Name, set[Name]] = {name: set() for name in names}
    for total, parts in sums:
        below[total].update(parts)
    found: dict[Name, int] = {}
    for name in TopologicalSorter(below).static_order():
        found[name] = 1 + max((found[part] for part in below[name]), default=-1)
    return found
