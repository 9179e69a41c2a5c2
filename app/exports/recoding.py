"""From rows to counts: every code is looked up in the profile, and from here on a cohort is nothing but counts."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from app.exports.hierarchy import NOT_RECORDED, OLDEST, Hierarchy
from app.exports.profile import Attribute, Profile
from app.exports.refusing import Refused

Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]
Places = NDArray[np.intp]

_A_CODE = re.compile(r"[a-z0-9_+-]{1,40}")


class Level(NamedTuple):
    """One level of a base column. `labels`: its values, sorted. `ways`: of each finest code the place among them."""

    labels: tuple[str, ...]
    ways: Places


@dataclass(frozen=True, slots=True)
class Cohort:
    """`levels`: of each base column, in the profile's order, its levels by name. `cubes`: attribute → counts, one axis
    for the finest codes of each base column and the last for the attribute's values."""

    rows: int
    base: tuple[Hierarchy, ...]
    levels: tuple[Mapping[str, Level], ...]
    cubes: Mapping[str, Counts]

    def classes(self, levels: Mapping[str, str]) -> list[tuple[str, ...]]:
        """The classes on these levels (column → level): the values of the base columns, in the order of `counts`."""
        return list(product(*(own.labels for own in self._of(levels))))

    def parents(self, fine: Mapping[str, str], coarse: Mapping[str, str]) -> Places:
        """For each class on fine levels the place of the one that holds it on coarser (or the same) levels."""
        ways = []
        for low, high in zip(self._of(fine), self._of(coarse), strict=True):
            way = np.zeros(len(low.labels), dtype=np.intp)
            way[low.ways] = high.ways
            ways.append(way)
        grids = np.meshgrid(*ways, indexing="ij")
        return np.ravel_multi_index(tuple(grid.ravel() for grid in grids), self._shape(coarse))

    def counts(self, attribute: str, levels: Mapping[str, str]) -> Counts:
        """Classes × values of an attribute on these levels."""
        return self._on(self.cubes[attribute], levels)

    def sizes(self, levels: Mapping[str, str]) -> Counts:
        """Rows of each class on these levels."""
        return self._on(next(iter(self.cubes.values())).sum(axis=-1, keepdims=True), levels)[:, 0]

    def _on(self, cube: Counts, levels: Mapping[str, str]) -> Counts:
        for axis, own in enumerate(self._of(levels)):
            cube = _gathered(cube, axis, own.ways, len(own.labels))
        return cube.reshape(-1, cube.shape[-1])

    def _of(self, levels: Mapping[str, str]) -> list[Level]:
        return [own[levels[one.column]] for own, one in zip(self.levels, self.base, strict=True)]

    def _shape(self, levels: Mapping[str, str]) -> tuple[int, ...]:
        return tuple(len(own.labels) for own in self._of(levels))


def recode(rows: pl.DataFrame, profile: Profile) -> Cohort:
    """The counts of these rows. Refused `unknown_code` names the column and the code; ValueError for a column that is
    missing or of another kind than codes and years."""
    codes, places = [], []
    for one in profile.base:
        own_codes, own_places = _base_places(rows, one)
        codes.append(own_codes)
        places.append(own_places)
    shape = tuple(len(own) for own in codes)
    classes = np.ravel_multi_index(tuple(places), shape) if rows.height else np.zeros(0, dtype=np.intp)
    values = _value_places(rows, profile.attributes)
    cubes = {}
    for attribute in profile.attributes:
        size = len(attribute.values)
        cells = classes * size + values[attribute.name]
        counted = np.bincount(cells, minlength=int(np.prod(shape)) * size)
        cubes[attribute.name] = counted.astype(np.int64, copy=False).reshape(*shape, size)
    levels = tuple(_levels(one, own) for one, own in zip(profile.base, codes, strict=True))
    return Cohort(rows.height, profile.base, levels, cubes)


def _levels(one: Hierarchy, codes: tuple[str, ...]) -> dict[str, Level]:
    found = {}
    for level in one.levels:
        told_as = [one.at(code, level) for code in codes]
        labels = tuple(sorted(set(told_as)))
        places = {label: at for at, label in enumerate(labels)}
        found[level] = Level(labels, np.array([places[told] for told in told_as], dtype=np.intp))
    return found


def _base_places(rows: pl.DataFrame, one: Hierarchy) -> tuple[tuple[str, ...], Places]:
    if one.years:
        return one.codes(), _age_places(_column(rows, one.source), one)

    def told(raw: str) -> str | None:
        if one.no_value is not None and re.fullmatch(one.no_value, raw):
            return NOT_RECORDED
        known = raw in one.paths if one.pattern is None else re.fullmatch(one.pattern, raw) is not None
        return raw if known else None

    found, told_as = _looked_up(_column(rows, one.source), told)
    codes = one.codes(list(told_as))
    places = {code: at for at, code in enumerate(codes)}
    return codes, np.array([places[code] for code in told_as], dtype=np.intp)[found]


def _value_places(rows: pl.DataFrame, attributes: Sequence[Attribute]) -> dict[str, Places]:
    """By attribute the places among its values. Codes are listed, so all columns are looked up in one go."""
    known, wanted = {}, []
    for one in attributes:
        known[one.name] = {value: value for value in one.values if value != NOT_RECORDED} | dict(one.recode)
        _check_codes(_column(rows, one.name))
        coded = pl.col(one.name).cast(pl.String).cast(pl.Enum(list(known[one.name])), strict=False)
        wanted.append(coded.to_physical().cast(pl.UInt32).fill_null(len(known[one.name])))
    found, places = rows.select(wanted), {}
    for one in attributes:
        told, at = known[one.name], found[one.name].to_numpy()
        if np.count_nonzero(at == len(told)) > rows[one.name].null_count():
            _looked_up(rows[one.name], told.get)  # says which code it is
        places[one.name] = np.array([one.values.index(value) for value in (*told.values(), NOT_RECORDED)])[at]
    return places


def _age_places(column: pl.Series, one: Hierarchy) -> Places:
    if not (column.dtype.is_integer() or column.dtype == pl.Null):
        raise ValueError(f"{column.name} must be years")
    wrong = column.filter((column < 0) | (column > OLDEST)) if column.dtype.is_integer() else column.clear()
    if wrong.len():
        raise Refused("unknown_code", column=column.name, value=str(wrong.min()))
    codes = one.codes()
    place_of_age: Places = np.full(OLDEST + 2, codes.index(NOT_RECORDED), dtype=np.intp)
    for first, last, code in one.years:
        place_of_age[first : last + 1] = codes.index(code)
    ages: Places = column.cast(pl.Int64).fill_null(OLDEST + 1).to_numpy()
    return place_of_age[ages]


def _looked_up(column: pl.Series, told: Callable[[str], str | None]) -> tuple[Places, list[str]]:
    """Places in a list of told values, and the list: the last one is `not_recorded`, for what is null."""
    _check_codes(column)
    column = column.cast(pl.String)
    raw = column.drop_nulls().unique().sort().to_list()
    told_as = [told(value) for value in raw]
    for value, known in zip(raw, told_as, strict=True):
        if known is None:
            shown = value if _A_CODE.fullmatch(value) else "(no code)"
            raise Refused("unknown_code", column=column.name, value=shown)
    found = column.cast(pl.Enum(raw)).to_physical().cast(pl.UInt32).fill_null(len(raw)).to_numpy()
    return found, [value for value in told_as if value is not None] + [NOT_RECORDED]


def _check_codes(column: pl.Series) -> None:
    if column.dtype not in {pl.String, pl.Null, pl.Categorical} and not isinstance(column.dtype, pl.Enum):
        raise ValueError(f"{column.name} must be codes")


def _column(rows: pl.DataFrame, name: str) -> pl.Series:
    if name not in rows.columns:
        raise ValueError(f"{name} is missing")
    return rows[name]


def _gathered(cube: Counts, axis: int, ways: Places, size: int) -> Counts:
    """The cube with one axis summed up into so many places; few, or one for each."""
    if size == len(ways):  # sorted, as the codes are
        return cube if (ways == np.arange(size)).all() else cube.take(np.argsort(ways), axis)
    return np.stack([cube.compress(ways == place, axis).sum(axis) for place in range(size)], axis)
