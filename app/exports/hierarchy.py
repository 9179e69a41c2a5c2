"""From the finest code of a base column to `all`, level by level: every code has its way, and it is one way only."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

NOT_RECORDED = "not_recorded"
ALL = "all"
OLDEST = 130  # years of age


class ProfileError(Exception):
    """A profile or a hierarchy of it is not one; says of which level and value, all of which are codes of the file."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """One base column of the tables.

    `source`: the column of the input rows. `levels`: finest first, the last is `all`. `paths`: finest code → its value
    on every level, where codes are listed. `pattern`: else what the finest codes look like, which have two levels.
    `no_value`: what the codes look like that say nothing. `years`: where the source is an age, (first, last, code).
    """

    column: str
    source: str
    levels: tuple[str, ...]
    paths: Mapping[str, tuple[str, ...]]
    pattern: str | None
    no_value: str | None
    years: tuple[tuple[int, int, str], ...]

    def codes(self, present: Sequence[str] = ()) -> tuple[str, ...]:
        """The finest codes in their order, `not_recorded` last. `present`: those of the rows, where none are listed."""
        return (*(sorted(self.paths) if self.pattern is None else sorted(set(present) - {NOT_RECORDED})), NOT_RECORDED)

    def at(self, code: str, level: str) -> str:
        """What a finest code is on a level."""
        if level == ALL:
            return ALL
        return code if code == NOT_RECORDED or self.pattern is not None else self.paths[code][self.levels.index(level)]


def hierarchy_of(
    column: str,
    source: str,
    levels: Sequence[str],
    *,
    paths: Sequence[Sequence[str]] = (),
    pattern: str | None = None,
    no_value: str | None = None,
    years: Mapping[str, Sequence[int]] | None = None,
) -> Hierarchy:
    """The hierarchy; ProfileError when it is not total, not nested, or goes in a circle."""
    if len(set(levels)) < len(levels) or len(levels) < 2 or levels[-1] != ALL:
        raise ProfileError(f"{column}: levels must be different and end in `all`")
    if (pattern is None) == (not paths):
        raise ProfileError(f"{column}: either paths or a pattern")
    if pattern is not None:
        _check_pattern(column, levels, pattern)
    _check_total(column, levels, paths)
    _check_acyclic(column, levels, paths)
    _check_nested(column, levels, paths)
    bands = tuple(sorted((least, most, code) for code, (least, most) in (years or {}).items()))
    if years is not None:
        _check_years(column, levels, bands, {path[0] for path in paths})
    return Hierarchy(column, source, tuple(levels), {path[0]: tuple(path) for path in paths}, pattern, no_value, bands)


def _check_pattern(column: str, levels: Sequence[str], pattern: str) -> None:
    if len(levels) != 2:
        raise ProfileError(f"{column}: codes by a pattern have one level below `all`")
    try:
        re.compile(pattern)
    except re.error as error:
        raise ProfileError(f"{column}: level `{levels[0]}` has no pattern") from error


def _check_total(column: str, levels: Sequence[str], paths: Sequence[Sequence[str]]) -> None:
    for path in paths:
        if len(path) != len(levels):
            missing = levels[len(path)] if len(path) < len(levels) else levels[-1]
            raise ProfileError(f"{column}: `{path[0] if path else ''}` is not told on level `{missing}` (not total)")
        if path[-1] != ALL:
            raise ProfileError(f"{column}: `{path[0]}` does not end in `all` on level `{levels[-1]}` (not total)")
    if any(value in {NOT_RECORDED, ""} for path in paths for value in path):
        raise ProfileError(f"{column}: `{NOT_RECORDED}` and nothing are no codes")


def _check_acyclic(column: str, levels: Sequence[str], paths: Sequence[Sequence[str]]) -> None:
    # One value may stand on several levels in a row (`60+` is a band of both), but not come back after another.
    parents: dict[str, set[str]] = {}
    for path in paths:
        for child, parent in pairwise(path):
            if child != parent:
                parents.setdefault(child, set()).add(parent)
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        first = str(error.args[1][0])
        level = next(levels[path.index(first)] for path in paths if first in path)
        raise ProfileError(f"{column}: `{first}` of level `{level}` is above itself (a circle)") from error


def _check_nested(column: str, levels: Sequence[str], paths: Sequence[Sequence[str]]) -> None:
    if len({path[0] for path in paths}) < len(paths):
        raise ProfileError(f"{column}: a code of level `{levels[0]}` has two paths (not nested)")
    for at, level in enumerate(levels[:-1]):
        above: dict[str, str] = {}
        for path in paths:
            if above.setdefault(path[at], path[at + 1]) != path[at + 1]:
                raise ProfileError(f"{column}: `{path[at]}` of level `{level}` has two above it (not nested)")


def _check_years(column: str, levels: Sequence[str], bands: Sequence[tuple[int, int, str]], codes: set[str]) -> None:
    if {code for _, _, code in bands} != codes:
        raise ProfileError(f"{column}: every code of level `{levels[0]}` needs its years, and no other (not total)")
    ends = [-1, *(most for _, most, _ in bands)]
    starts = [*(least for least, _, _ in bands), OLDEST + 1]
    for end, start in zip(ends, starts, strict=True):
        if start != end + 1:
            raise ProfileError(f"{column}: the years of level `{levels[0]}` leave a gap or overlap at {start}")
