"""How coarse the base columns of each table are: by the size of the cohort, and coarser where too much is hidden."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from app.exports.base_classes import left_out
from app.exports.hiding import Hidden, hidden_of
from app.exports.profile import Profile
from app.exports.recoding import Cohort, Counts, Mask
from app.exports.refusing import Refused

BY_SIZE, BASE_RISK, TOO_MUCH, TIED, COMPUTED = "by_size", "base_risk", "too_much_hidden", "tied", "could_be_computed"
ONE_VALUE, FEW_VALUES, GIVES_AWAY = "one_value_prevails", "too_few_values", "gives_another_away"


@dataclass(frozen=True, slots=True)
class Planned:
    """A table before it has rows. `rung`: its place among the profile's rungs."""

    attribute: str
    rung: int
    why: str
    hidden: Hidden


@dataclass(frozen=True, slots=True)
class Plan:
    """The tables in the order of the profile's attributes, and why others are omitted."""

    tables: tuple[Planned, ...]
    omitted: Mapping[str, str]


class Planner:
    """Decides on the tables of one cohort; what it looked at once it knows."""

    def __init__(self, cohort: Cohort, profile: Profile) -> None:
        self.cohort, self.profile = cohort, profile
        self.by_size = next(at for at, rung in enumerate(profile.rungs) if cohort.rows >= rung.at_least)
        self._out: dict[int, Mask] = {}
        self.first = self._first_rung()
        self._tried: dict[tuple[str, int], tuple[Hidden, str | None]] = {}

    def plan(self, floors: Mapping[str, int]) -> Plan:
        """The tables, each on the finest rung that its rules allow. `floors`: attribute → the finest that the audit
        allows it; as many as there are rungs for none."""
        found: dict[str, Planned] = {}
        omitted: dict[str, str] = {}
        for names in _tied_groups(self.profile):
            tables, left_out = self._plan_group(names, floors)
            found |= {table.attribute: table for table in tables}
            omitted |= left_out
        order = [one.name for one in self.profile.attributes]
        return Plan(
            tuple(found[name] for name in order if name in found),
            {name: omitted[name] for name in order if name in omitted},
        )

    def _first_rung(self) -> int:
        """The rung by size, or the next coarser one on which whoever is looked for among all is found rarely enough."""
        for at in range(self.by_size, len(self.profile.rungs)):
            sizes = self.cohort.sizes(self.profile.rungs[at].levels)
            if _base_risk(sizes, ~self._left_out(at)) <= self.profile.largest_base_risk:
                return at
        raise Refused("cohort_too_small")

    def _plan_group(self, names: tuple[str, ...], floors: Mapping[str, int]) -> tuple[list[Planned], dict[str, str]]:
        """Attributes that tell something of each other are told together, on the finest rung that suits all, or none
        is: what one hides the other would tell."""
        last = len(self.profile.rungs)
        fits = {
            name: [at for at in range(max(self.first, floors[name]), last) if self._try(name, at)[1] is None]
            for name in names
        }
        for rung in range(self.first, last):
            told = self._told_by_all(names, rung) if all(rung in own for own in fits.values()) else None
            if told is not None:
                return [
                    Planned(name, rung, self._why(rung, fits[name], floors[name]), self._try(name, rung)[0].only(told))
                    for name in names
                ], {}
        return [], {
            name: COMPUTED if floors[name] >= last else self._try(name, last - 1)[1] or GIVES_AWAY for name in names
        }

    def _told_by_all(self, names: Sequence[str], rung: int) -> Mask | None:
        """The classes that each of the tables can tell: one that another does not would tell of it. None when they
        are too few."""
        tries = [self._try(name, rung)[0] for name in names]
        told: Mask = np.logical_and.reduce([one.told for one in tries])
        return told if all(self._objection(one.only(told), rung) is None for one in tries) else None

    def _why(self, rung: int, fits: list[int], floor: int) -> str:
        if rung == self.first:
            return BY_SIZE if rung == self.by_size else BASE_RISK
        if rung == floor:
            return COMPUTED
        return TOO_MUCH if fits[0] == rung else TIED

    def _left_out(self, at: int) -> Mask:
        if at not in self._out:
            self._out[at] = left_out(self.cohort, self.profile, at)
        return self._out[at]

    def _try(self, name: str, at: int) -> tuple[Hidden, str | None]:
        if (name, at) not in self._tried:
            self._tried[name, at] = self._judged(name, at)
        return self._tried[name, at]

    def _judged(self, name: str, at: int) -> tuple[Hidden, str | None]:
        """What is told of an attribute on one rung, and why that is not good enough."""
        counts = self.cohort.counts(name, self.profile.rungs[at].levels)
        hidden = hidden_of(counts, self._left_out(at), self.profile.attribute(name), self.profile)
        return hidden, self._objection(hidden, at)

    def _objection(self, hidden: Hidden, at: int) -> str | None:
        profile, rows = self.profile, self.cohort.rows
        if hidden.suppressed + hidden.withheld <= profile.hidden_share(rows, profile.rungs[at].name) * rows:
            return None if _base_risk(hidden.sizes, hidden.told) <= profile.largest_base_risk else BASE_RISK
        if len(hidden.sizes) == 1 and not hidden.told.any():
            return ONE_VALUE if hidden.counts.max() > profile.largest_posterior * rows else FEW_VALUES
        return TOO_MUCH


def _tied_groups(profile: Profile) -> Iterator[tuple[str, ...]]:
    tied = {name for names in profile.tied for name in names}
    yield from (tuple(sorted(names)) for names in profile.tied)
    yield from ((one.name,) for one in profile.attributes if one.name not in tied)


def _base_risk(sizes: Counts, told: Mask) -> float:
    """How often who is looked for by the base columns alone is found: classes by rows; 1 where nothing is told."""
    rows = int(sizes[told].sum())
    return int(told.sum()) / rows if rows else 1.0
