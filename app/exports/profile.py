"""Profiles: what an export may say and how much of it, as versioned data. What no profile names is never exported."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from app.exports.hierarchy import NOT_RECORDED, Hierarchy, ProfileError, hierarchy_of
from app.exports.profile_file import (
    AttributeEntry,
    BaseEntry,
    File,
    canonical,
    check_bands,
    check_names,
    check_rungs,
    read,
)

__all__ = ["NOT_RECORDED", "WITHHELD", "Attribute", "Profile", "ProfileError", "Rung", "load_profile", "profile_of"]

WITHHELD = "withheld"
PROFILES = ("auditor-v1", "public-v1")


@dataclass(frozen=True, slots=True)
class Rung:
    """One coarseness of the base columns: column → level. It is where a cohort of `at_least` rows begins."""

    name: str
    at_least: int
    levels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Large:
    """A cohort of `at_least` rows hides no more than this share on these rungs: it has coarser ones that hide less and
    still say where."""

    at_least: int
    largest_hidden_share: float
    rungs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Attribute:
    """The one attribute of a table.

    `values`: what may be told, `not_recorded` last. `recode`: codes of the rows that are told as another value.
    `l`: how many different values a class must show. `known_elsewhere`: values whose count another table gives, so
    that they hide no others. `bands`: the last number of each band in order (None: no last), where numbers are banded.
    """

    name: str
    values: tuple[str, ...]
    recode: Mapping[str, str]
    l: int  # noqa: E741 - the letter of l-diversity
    known_elsewhere: frozenset[str]
    bands: Mapping[str, int | None] | None

    def band(self, number: int) -> str:
        """The band of a number (US cents, days). ValueError where the profile has none for it."""
        for code, last in (self.bands or {}).items():
            if number >= 0 and (last is None or number <= last):
                return code
        raise ValueError(f"no band of {self.name} holds this number")


@dataclass(frozen=True, slots=True)
class Profile:
    """Shares are between 0 and 1. `rungs`: finest first, the last is `all`. `tied`: attributes of which one tells
    something of the other in every row, and which therefore stand on the same rung."""

    name: str
    version: int
    hash: str
    k: int
    largest_posterior: float
    largest_base_risk: float
    largest_hidden_share: float
    large: Large
    base: tuple[Hierarchy, ...]
    rungs: tuple[Rung, ...]
    attributes: tuple[Attribute, ...]
    tied: tuple[frozenset[str], ...]

    def hidden_share(self, rows: int, rung: str) -> float:
        """The largest share of a cohort of so many rows that a table on a rung may suppress and withhold."""
        large = rows >= self.large.at_least and rung in self.large.rungs
        return self.large.largest_hidden_share if large else self.largest_hidden_share

    def attribute(self, name: str) -> Attribute:
        """The attribute of this name; KeyError when the profile has none."""
        return {one.name: one for one in self.attributes}[name]

    def rung(self, name: str) -> Rung:
        """The rung of this name; KeyError when the profile has none."""
        return {one.name: one for one in self.rungs}[name]


def load_profile(name: str) -> Profile:
    """The profile of this name as it comes with the software; ProfileError for an unknown or malformed one."""
    if name not in PROFILES:
        raise ProfileError("there is no such profile")
    own = read(name)
    return profile_of(own | read(str(own.get("lists"))))


def profile_of(data: Mapping[str, Any]) -> Profile:
    """The profile that these data are; ProfileError says what is wrong with them."""
    try:
        file = File.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise ProfileError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    base = tuple(_hierarchy(one) for one in file.base)
    attributes = tuple(_attribute(one, file) for one in file.attributes)
    check_rungs(file.rungs, base)
    check_names(file, base)
    return Profile(
        name=file.name,
        version=file.version,
        hash=hashlib.sha256(canonical(data)).hexdigest(),
        k=file.k,
        largest_posterior=file.largest_posterior,
        largest_base_risk=file.largest_base_risk,
        largest_hidden_share=file.largest_hidden_share,
        large=Large(file.large.at_least, file.large.largest_hidden_share, frozenset(file.large.rungs)),
        base=base,
        rungs=tuple(Rung(one.name, one.at_least, one.levels) for one in file.rungs),
        attributes=attributes,
        tied=tuple(frozenset(names) for names in file.tied),
    )


def _hierarchy(one: BaseEntry) -> Hierarchy:
    if one.years is not None and any(len(years) != 2 for years in one.years.values()):
        raise ProfileError(f"{one.column}: years have a first and a last")
    return hierarchy_of(
        one.column,
        one.source,
        one.levels,
        paths=one.paths,
        pattern=one.pattern,
        no_value=one.no_value,
        years=one.years,
    )


def _attribute(one: AttributeEntry, file: File) -> Attribute:
    if len(set(one.values)) < len(one.values) or {NOT_RECORDED, WITHHELD, ""} & set(one.values):
        raise ProfileError(f"{one.name}: values must be different, and none of the words of the tables")
    values = (*one.values, NOT_RECORDED)
    if not set(one.recode.values()) <= set(values) or set(one.recode) & set(values):
        raise ProfileError(f"{one.name}: what is told as another value is no value, and the other is one")
    if not set(one.known_elsewhere) <= set(values):
        raise ProfileError(f"{one.name}: a value known elsewhere is no value")
    check_bands(one, values)
    binary = len(one.values) == 2
    return Attribute(
        name=one.name,
        values=values,
        recode=one.recode,
        l=file.l_binary if binary else file.l,
        known_elsewhere=frozenset(one.known_elsewhere),
        bands=one.bands,
    )
