"""Small tables of counts, and all other tables that look the same from outside, found by trying every one."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product

from app.disclosure import Name, Sum

Cells = dict[Name, int]
Tables = tuple[Cells, list[Sum]]


def below_five(_name: Name, value: int) -> bool:
    """Nobody is no secret."""
    return 0 < value < 5


def below_five_or_none(_name: Name, value: int) -> bool:
    """That there was nobody is a secret, too."""
    return value < 5


def sliced(whole: Name, *slices: Mapping[str, Mapping[str, int]]) -> Tables:
    """One figure by several things at once: {"category": {"land": 3, …}}, every one of which sums to the same."""
    cells: Cells = {}
    sums: list[Sum] = []
    for by, values in (entry for one in slices for entry in one.items()):
        names = {code: (*whole, by, code) for code in values}
        cells |= {names[code]: value for code, value in values.items()}
        cells[whole] = sum(values.values())
        sums.append(Sum(whole, tuple(names.values())))
    return cells, sums


def crossed(rows: Sequence[Sequence[int]], *, totals: bool = True) -> Tables:
    """A two-way table with the totals of its rows and columns and their total."""
    cells: Cells = {("cell", str(r), str(c)): value for r, row in enumerate(rows) for c, value in enumerate(row)}
    sums: list[Sum] = []
    for by, at, count in (("row", 1, len(rows)), ("column", 2, len(rows[0]))):
        for place in range(count):
            parts = tuple(name for name in cells if name[0] == "cell" and name[at] == str(place))
            cells[(by, str(place))] = sum(cells[part] for part in parts)
            sums.append(Sum((by, str(place)), parts))
    cells[("all",)] = sum(map(sum, rows))
    sums += [Sum(("all",), tuple(name for name in cells if name[0] == by)) for by in ("row", "column")]
    return (cells, sums) if totals else ({name: cells[name] for name in cells if name[0] == "cell"}, [])


def alike(cells: Cells, sums: Sequence[Sum], hidden: Collection[Name], most: int) -> Iterator[Cells]:
    """Every table of counts up to `most` with the same published cells, in which the sums hold: by brute force."""
    names = sorted(hidden)
    for values in product(range(most + 1), repeat=len(names)):
        other = cells | dict(zip(names, values, strict=True))
        if all(other[total] == sum(other[part] for part in parts) for total, parts in sums):
            yield other


def known_apart(cells: Cells, sums: Sequence[Sum], hidden: Collection[Name], most: int) -> set[Name]:
    """Hidden cells that have one value in every table that looks alike."""
    candidates = list(alike(cells, sums, hidden, most))
    assert cells in candidates
    return {name for name in hidden if len({other[name] for other in candidates}) == 1}
