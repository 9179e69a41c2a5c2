"""What was told of one attribute, by whom whatever: classes on some levels, and which of their counts are known."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from app.exports.content import Release
from app.exports.hierarchy import ALL, Hierarchy
from app.exports.profile import WITHHELD, Profile
from app.exports.recoding import Cohort, Counts, Mask
from app.exports.rungs import Plan, Planned

NO_LIMIT = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True)
class Figure:
    """A count of the cohort that was told elsewhere (a submitted report): how many rows have this value.

    `where`: base column (`place`, `sex`, `age`) → the value on any level of it (`170201`, `female`, `18-29`, `18-59`).
    The number itself is not asked for: whoever was told it is taken to know the number of the exported rows exactly,
    although the report may have counted women who did not agree to statistics, or what was corrected since.
    """

    attribute: str
    value: str
    where: Mapping[str, str] = field(default_factory=dict)


Known = Release | Figure


@dataclass(frozen=True, slots=True)
class Source:
    """One table or figure. `levels`: column → level of its classes (n). `known`: counts that it gives, n × v.
    `hidden`: counts that it must not give, n × v. `most`: no hidden one is larger, n × v. `direct`: it is about this
    attribute itself, and not about another one that gives it away."""

    levels: Mapping[str, str]
    known: Mask
    hidden: Mask
    most: Counts
    direct: bool = True


def sources_of(name: str, cohort: Cohort, profile: Profile, plan: Plan, known: Sequence[Known]) -> list[Source]:
    """All that is told of an attribute: its own table, those released before, figures, and what is tied to it."""
    found = list(_direct(name, cohort, profile, plan, known))
    for other in {one for names in profile.tied if name in names for one in names} - {name}:
        found += (_given_away(name, other, source, profile) for source in _direct(other, cohort, profile, plan, known))
    return found


def _direct(name: str, cohort: Cohort, profile: Profile, plan: Plan, known: Sequence[Known]) -> Iterator[Source]:
    yield from (_own(table, profile) for table in plan.tables if table.attribute == name)
    for one in known:
        if isinstance(one, Figure):
            if one.attribute == name:
                yield _figure(one, cohort, profile)
            continue
        for table in one.tables:
            if table.attribute == name:
                yield _released(table.cells, one.profile.rung(table.rung).levels, name, cohort, profile)


def _own(table: Planned, profile: Profile) -> Source:
    hidden = table.hidden
    known = hidden.told[:, None] & ~hidden.folded
    most = np.where(hidden.folded, hidden.most[:, None], NO_LIMIT)
    return Source(profile.rungs[table.rung].levels, known, ~known, most)


def _released(cells: pl.DataFrame, levels: Mapping[str, str], name: str, cohort: Cohort, profile: Profile) -> Source:
    """A table told before: a class in it that has no `withheld` tells of every value, one that has some of those in
    it. What it said is taken to be so still."""
    values = [*profile.attribute(name).values, WITHHELD]
    columns = [one.column for one in profile.base]
    classes = {one: at for at, one in enumerate(cohort.classes(levels))}
    shown = np.zeros((len(classes), len(values)), dtype=np.bool_)
    for *base, value in cells.select(*columns, name).iter_rows():
        if (at := classes.get(tuple(base))) is not None and value in values:
            shown[at, values.index(value)] = True
    whole = shown.any(axis=1) & ~shown[:, -1]
    known = shown[:, :-1] | whole[:, None]
    return Source(levels, known, ~known, np.full(known.shape, NO_LIMIT))


def _figure(one: Figure, cohort: Cohort, profile: Profile) -> Source:
    """ValueError for a value that no level has."""
    levels = {own.column: _level_of(own, one.where.get(own.column)) for own in profile.base}
    wanted = tuple(one.where.get(own.column, ALL) for own in profile.base)
    values = profile.attribute(one.attribute).values
    classes = cohort.classes(levels)
    known = np.zeros((len(classes), len(values)), dtype=np.bool_)
    if wanted in classes:
        known[classes.index(wanted), values.index(one.value)] = True
    return Source(levels, known, np.zeros_like(known), np.full(known.shape, NO_LIMIT))


def _level_of(own: Hierarchy, value: str | None) -> str:
    if value is None:
        return ALL
    if own.pattern is not None:
        return own.levels[0]
    # The coarsest of equal ones: the others are the same rows.
    return next(
        level
        for at, level in reversed(list(enumerate(own.levels)))
        if any(path[at] == value for path in own.paths.values())
    )


def _given_away(name: str, other: str, source: Source, profile: Profile) -> Source:
    """What a table of another attribute says of this one: how many have the values known elsewhere, where it says how
    many have its own such values."""
    own, told = profile.attribute(name), profile.attribute(other)
    told_all = np.array([value in told.known_elsewhere for value in told.values])
    gives = np.array([value in own.known_elsewhere for value in own.values])
    known = source.known[:, told_all].all(axis=1, keepdims=True) & gives
    return replace(
        source,
        known=known,
        hidden=np.zeros_like(known),
        most=np.full(known.shape, NO_LIMIT),
        direct=False,
    )
