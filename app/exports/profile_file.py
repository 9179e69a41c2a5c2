"""The files of profiles: their shape, and what must fit together in them beside the hierarchies."""

import json
from collections.abc import Mapping
from importlib import resources
from itertools import pairwise
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.exports.hierarchy import ALL, Hierarchy, ProfileError


class Strict(BaseModel):
    """No key that nobody reads, no number as text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class BaseEntry(Strict):
    """A base column: see Hierarchy."""

    column: str
    source: str
    levels: list[str]
    paths: list[list[str]] = []
    pattern: str | None = None
    no_value: str | None = None
    years: dict[str, list[int]] | None = None


class AttributeEntry(Strict):
    """An attribute, without what all have alike."""

    name: str
    values: list[str] = Field(min_length=2)
    recode: dict[str, str] = {}
    known_elsewhere: list[str] = []
    bands: dict[str, int | None] | None = None


class RungEntry(Strict):
    """See Rung."""

    name: str
    at_least: int = Field(ge=0)
    levels: dict[str, str]


class LargeEntry(Strict):
    """See Large."""

    at_least: int = Field(ge=0)
    largest_hidden_share: float = Field(ge=0, lt=1)
    rungs: list[str]


class File(Strict):
    """A profile's file and its lists together."""

    name: str
    version: int = Field(ge=1)
    lists: str
    k: int = Field(ge=2)
    l: int = Field(ge=2)  # noqa: E741 - the letter of l-diversity
    l_binary: int = Field(ge=2)
    largest_posterior: float = Field(gt=0, lt=1)
    largest_base_risk: float = Field(gt=0, lt=1)
    largest_hidden_share: float = Field(ge=0, lt=1)
    large: LargeEntry
    rungs: list[RungEntry] = Field(min_length=1)
    base: list[BaseEntry] = Field(min_length=1)
    attributes: list[AttributeEntry] = Field(min_length=1)
    tied: list[list[str]] = []


def read(name: str) -> dict[str, Any]:
    """A file of the folder, which is there."""
    text = resources.files("app.exports").joinpath("profiles", f"{name}.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


def canonical(data: Mapping[str, Any]) -> bytes:
    """The bytes that a profile's hash is of."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def check_bands(one: AttributeEntry, values: tuple[str, ...]) -> None:
    """Bands rise, and the last has no end."""
    if one.bands is None:
        return
    lasts = list(one.bands.values())
    ends = [last for last in lasts[:-1] if last is not None]
    if lasts[-1] is not None or len(ends) != len(lasts) - 1 or ends != sorted(set(ends)):
        raise ProfileError(f"{one.name}: bands must rise, and only the last has no end")
    if not set(one.bands) <= set(values):
        raise ProfileError(f"{one.name}: a band is no value")


def check_rungs(rungs: list[RungEntry], base: tuple[Hierarchy, ...]) -> None:
    """Every rung is coarser than the one before in some columns and finer in none; the last is `all` everywhere."""
    for rung in rungs:
        if set(rung.levels) != {one.column for one in base}:
            raise ProfileError(f"rung `{rung.name}`: one level for each base column")
        for one in base:
            if rung.levels[one.column] not in one.levels:
                raise ProfileError(f"rung `{rung.name}`: {one.column} has no level `{rung.levels[one.column]}`")
    for finer, coarser in pairwise(rungs):
        steps = [
            one.levels.index(coarser.levels[one.column]) - one.levels.index(finer.levels[one.column]) for one in base
        ]
        if min(steps) < 0 or max(steps) == 0 or coarser.at_least >= finer.at_least:
            raise ProfileError(f"rung `{coarser.name}` is not coarser than `{finer.name}` (not nested)")
    if set(rungs[-1].levels.values()) != {ALL} or rungs[-1].at_least:
        raise ProfileError("the last rung takes every cohort and is `all` in every column (not total)")


def check_names(file: File, base: tuple[Hierarchy, ...]) -> None:
    """Every name once, and none of what is not there."""
    names = [one.column for one in base] + [one.name for one in file.attributes]
    if len(set(names)) < len(names) or len({rung.name for rung in file.rungs}) < len(file.rungs):
        raise ProfileError("two columns or two rungs have one name")
    if not set(file.large.rungs) <= {rung.name for rung in file.rungs}:
        raise ProfileError("large: there is no such rung")
    tied = [name for names in file.tied for name in names]
    if len(set(tied)) < len(tied) or not set(tied) <= {one.name for one in file.attributes}:
        raise ProfileError("tied attributes must be attributes, each once")
