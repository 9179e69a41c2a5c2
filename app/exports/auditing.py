"""What an attacker can compute of the cells that are hidden, from everything that was told of a cohort together.

The attacker knows how many rows each class has (all base values and who is in the cohort), every table and figure, and
how large a folded value may be. A cell is safe when another table exists that looks the same to them and in which it is
another number. Most are shown safe by moves of two or four cells, at once for all classes; the rest goes to the solver
(`app.disclosure`), and what that does not show safe counts as computed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array, csr_array

from app.disclosure.attacker import Attacker
from app.disclosure.audit import movable
from app.exports.content import Audit
from app.exports.knowing import NO_LIMIT, Known, Source, sources_of
from app.exports.profile import Profile
from app.exports.recoding import Cohort, Counts, Mask, Places
from app.exports.rungs import Plan

# What the solver looks at in one piece: more cells than this stay as they are, which can only find too many computed.
LARGEST_SYSTEM = 20_000


class Target(NamedTuple):
    """A hidden cell: of a source, by its place there, a class and a value."""

    source: int
    class_: int
    value: int


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Everything told of one attribute, on the coarsest classes (c) in which all of it can be said.

    `counts`, `most`: c × v. `free`: not known cell by cell. `unshown`: nor shown by a table of the attribute itself.
    `sums`: free cells of which a table gives the sum with others. `room`: could be one more for all that is known of
    how large hidden sums may be. `parents`: of each source, c.
    """

    counts: Counts
    most: Counts
    free: Mask
    unshown: Mask
    sums: Mask
    room: Mask
    sources: tuple[Source, ...]
    parents: tuple[Places, ...]


def audit(cohort: Cohort, profile: Profile, plan: Plan, known: Sequence[Known]) -> tuple[Audit, dict[str, int]]:
    """How many cells with somebody in them are hidden, and how many of these are computed; the latter by attribute."""
    cells, by_attribute = 0, dict[str, int]()
    for table in plan.tables:
        sources = sources_of(table.attribute, cohort, profile, plan, known)
        # One is enough to make a table coarser; nothing is released before there is none.
        own, computed = audited(table.attribute, cohort, sources, thorough=False)
        cells += own
        if computed:
            by_attribute[table.attribute] = computed
    return Audit(cells, sum(by_attribute.values())), by_attribute


def audited(name: str, cohort: Cohort, sources: Sequence[Source], *, thorough: bool = True) -> tuple[int, int]:
    """Hidden cells of one attribute with somebody in them, and how many of them are computed; unless `thorough`, some
    that are not may be counted once one is."""
    knowledge = knowledge_of(name, cohort, sources)
    alone, exchanged = _moved_in_a_class(knowledge), _moved_between_classes(knowledge)
    cells, left = 0, list[Target]()
    for at, source in enumerate(knowledge.sources):
        targets = _targets(knowledge, at)
        parents, whole = knowledge.parents[at], len(source.known) == len(knowledge.counts)
        safe = _any_of(alone, parents, len(source.known))
        if whole:
            safe |= exchanged
        cells += int(targets.sum())
        left += [Target(at, *place) for place in np.argwhere(targets & ~safe).tolist()]
    return cells, len(left) - (_moved_by_solver(knowledge, left, thorough=thorough) if left else 0)


def knowledge_of(name: str, cohort: Cohort, sources: Sequence[Source]) -> Knowledge:
    """What the sources say, brought together."""
    levels = {
        one.column: min((source.levels[one.column] for source in sources), key=one.levels.index) for one in cohort.base
    }
    counts = cohort.counts(name, levels)
    most, free, unshown = np.full(counts.shape, np.iinfo(np.int64).max), counts >= 0, counts >= 0
    sums, room = np.zeros_like(free), free.copy()
    ways = tuple(cohort.parents(levels, source.levels) for source in sources)
    for source, parents in zip(sources, ways, strict=True):
        most = np.minimum(most, source.most[parents])
        summed = _summed(counts, parents, len(source.known))
        room &= (summed < source.most)[parents]
        nobody = source.known & (summed == 0)
        single = np.bincount(parents, minlength=len(source.known)) == 1
        cell_by_cell = nobody | (source.known & single[:, None])
        free &= ~cell_by_cell[parents]
        unshown &= ~cell_by_cell[parents] if source.direct else True
        sums |= source.known[parents]
    most = np.minimum(most, counts.sum(axis=1, keepdims=True))
    room &= counts < most
    return Knowledge(counts, most, free, unshown, sums & free, room, tuple(sources), ways)


def _targets(knowledge: Knowledge, at: int) -> Mask:
    """The hidden cells of a source that have somebody in them, and that no other table of the attribute shows."""
    source, parents = knowledge.sources[at], knowledge.parents[at]
    somebody = _summed(knowledge.counts, parents, len(source.known)) > 0
    return source.hidden & somebody & _any_of(knowledge.unshown, parents, len(source.known))


def _moved_in_a_class(knowledge: Knowledge) -> Mask:
    """Cells that change when one row of their class is given another value, where no sum is told."""
    loose = knowledge.free & ~knowledge.sums
    up, down = loose & knowledge.room, loose & (knowledge.counts > 0)
    ups, downs = up.sum(axis=1, keepdims=True), down.sum(axis=1, keepdims=True)
    moved: Mask = (up & (downs - down > 0)) | (down & (ups - up > 0))
    return moved


def _moved_between_classes(knowledge: Knowledge) -> Mask:
    """Cells that change when two rows of two classes, which every coarser table holds together, exchange values."""
    kin = _kin(knowledge)
    moved = np.zeros_like(knowledge.free)
    up = knowledge.free & (knowledge.counts < knowledge.most)
    down = knowledge.free & (knowledge.counts > 0)
    for one, other in combinations(range(moved.shape[1]), 2):
        gains, gives = up[:, one] & down[:, other], down[:, one] & up[:, other]
        if gains.any() and gives.any():
            both = (gains & (_number(gives, kin) - gives > 0)) | (gives & (_number(gains, kin) - gains > 0))
            moved[:, one] |= both
            moved[:, other] |= both
    return moved


def _kin(knowledge: Knowledge) -> Places:
    """Classes that lie in the same class of every source that is coarser, as numbers."""
    size = len(knowledge.counts)
    coarser = [
        parents
        for source, parents in zip(knowledge.sources, knowledge.parents, strict=True)
        if len(source.known) < size
    ]
    if not coarser:
        return np.zeros(size, dtype=np.intp)
    return np.unique(np.stack(coarser, axis=1), axis=0, return_inverse=True)[1].ravel()


def _moved_by_solver(knowledge: Knowledge, left: Sequence[Target], *, thorough: bool) -> int:
    """How many of the targets some move changes, as the solver finds."""
    kept = _kept(knowledge, left)
    places = np.full(kept.shape, -1, dtype=np.int64)
    places[kept] = np.arange(kept.sum())
    counts, most = knowledge.counts[kept], knowledge.most[kept]
    rows = [*_class_sums(places), *_told_sums(knowledge, places)]
    totals = [*left, *(target for target in _limited(knowledge) if target not in set(left))]
    down, up = [-counts], [most - counts]
    for number, target in enumerate(totals):
        within = knowledge.parents[target.source] == target.class_
        parts = places[within, target.value]
        parts = parts[parts >= 0]
        # Of the whole sum: what of it is known cell by cell takes its part of the limit.
        here = knowledge.counts[within, target.value].sum()
        limit = knowledge.sources[target.source].most[target.class_, target.value] - here
        down.append(down[0][parts].sum(keepdims=True))
        up.append(np.minimum(up[0][parts].sum(keepdims=True), limit))
        rows.append(np.append(parts, -1 - len(counts) - number))
    width = len(counts) + len(totals)
    values = np.concatenate([counts, np.zeros(len(totals), dtype=np.int64)])  # only moves are asked for
    names = [(str(at),) for at in range(width)]
    attacker = Attacker(names, values, _table(rows, width), np.concatenate(down), np.concatenate(up))
    places_of_left = np.arange(width)
    wanted = (places_of_left >= len(counts)) & (places_of_left < len(counts) + len(left))
    return int((movable(attacker, wanted, thorough=thorough) & wanted).sum())


def _limited(knowledge: Knowledge) -> Iterator[Target]:
    """Hidden sums of which it is known that they are no larger than so many."""
    for at, source in enumerate(knowledge.sources):
        if len(source.known) < len(knowledge.counts):
            places = np.argwhere(source.hidden & (source.most < NO_LIMIT))
            yield from (Target(at, class_, value) for class_, value in places.tolist())


def _kept(knowledge: Knowledge, left: Sequence[Target]) -> Mask:
    """The free cells; where they are too many, of the classes of the targets first, and of others as many as may be."""
    if knowledge.free.sum() <= LARGEST_SYSTEM:
        return knowledge.free
    wanted = np.zeros(len(knowledge.counts), dtype=np.bool_)
    for target in left:
        wanted |= knowledge.parents[target.source] == target.class_
    order = np.argsort(~wanted, kind="stable")
    within = knowledge.free[order].sum(axis=1).cumsum() <= LARGEST_SYSTEM
    kept = np.zeros_like(wanted)
    kept[order[within]] = True
    return knowledge.free & kept[:, None]


def _class_sums(places: Counts) -> list[Counts]:
    return [row[row >= 0] for row in places if (row >= 0).any()]


def _told_sums(knowledge: Knowledge, places: Counts) -> list[Counts]:
    """Of each count that a source gives the places of the free cells that are in it."""
    found = []
    for source, parents in zip(knowledge.sources, knowledge.parents, strict=True):
        order = np.argsort(parents, kind="stable")
        starts = np.searchsorted(parents[order], np.arange(len(source.known) + 1))
        for own, value in np.argwhere(source.known).tolist():
            parts = places[order[starts[own] : starts[own + 1]], value]
            if (parts >= 0).any():
                found.append(parts[parts >= 0])
    return found


def _table(rows: Sequence[Counts], width: int) -> "csr_array[np.int64]":
    """Sums as rows of ones; -1 - n stands for minus the n-th cell."""
    at = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    columns = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    signs = np.where(columns < 0, -1, 1)
    columns = np.where(columns < 0, -1 - columns, columns)
    return coo_array((signs, (at, columns)), shape=(len(rows), width), dtype=np.int64).tocsr()


def _summed(counts: Counts, parents: Places, size: int) -> Counts:
    found = np.zeros((size, counts.shape[1]), dtype=np.int64)
    np.add.at(found, parents, counts)
    return found


def _any_of(cells: Mask, parents: Places, size: int) -> Mask:
    return _summed(cells.astype(np.int64), parents, size) > 0


def _number(members: Mask, groups: Places) -> Counts:
    """Of each place how many members its group has."""
    return np.bincount(groups, weights=members, minlength=int(groups.max(initial=0)) + 1).astype(np.int64)[groups]
