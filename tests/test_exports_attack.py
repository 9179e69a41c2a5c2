"""Attacks on what is released, with everything that an attacker could know short of the secrets themselves."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import polars as pl
import pytest

from app.exports.content import Release
from app.exports.profile import NOT_RECORDED, WITHHELD, profile_of
from app.exports.profile_file import read
from app.models.codes.files import ExportAttribute
from tests.cohorts import AUDITOR, PUBLIC, closed_by, cohort, released, say, table
from tests.test_exports_rules import classes_of

SIZES = (240, 960, 2400)
SEEDS = range(4)
ATTRIBUTES = [one.value for one in ExportAttribute]


def base_of(row: Mapping[str, object], levels: Mapping[str, str]) -> tuple[str, ...]:
    """What the attacker knows of a person, as the table writes it."""
    age = int(str(row["age"]))
    own = {"place": str(row["commune"]), "sex": str(row["sex"]), "age": "18-59"}
    own["age"] = "00-17" if age < 18 else "60+" if age >= 60 else "18-59"
    return tuple("all" if levels[name] == "all" else own[name] for name in ("place", "sex", "age"))


class Reader:
    """Reads a release once, then says of people what they could be."""

    def __init__(self, release: Release) -> None:
        self.levels = {one.attribute: release.profile.rung(one.rung).levels for one in release.tables}
        self.told = {name: classes_of(release, name) for name in self.levels}
        self.values = {one.name: set(one.values) for one in release.profile.attributes}

    def could_be(self, attribute: str, row: Mapping[str, object]) -> set[str]:
        """The values that a person of the cohort may have: shown ones of her class, all others where some are withheld,
        any where her class is not told or there is no table."""
        own = self.told[attribute].get(base_of(row, self.levels[attribute])) if attribute in self.told else None
        if own is None or own[WITHHELD]:
            return self.values[attribute]
        return set(own) - {WITHHELD}


def reidentified(release: Release, rows: pl.DataFrame) -> int:
    """People of whom some attribute is certain."""
    reader = Reader(release)
    return sum(any(len(reader.could_be(name, row)) == 1 for name in reader.told) for row in rows.iter_rows(named=True))


def unique(rows: pl.DataFrame, columns: Iterable[str]) -> float:
    """The share of rows that no other equals in these columns."""
    own = list(columns)
    return rows.group_by(own).len().filter(pl.col("len") == 1).height / rows.height


def control(rows: pl.DataFrame) -> pl.DataFrame:
    """What is often taken for anonymous: a pseudonym, the commune, ages in fives, and what the case is about."""
    return rows.with_columns(age=pl.col("age") // 5 * 5, pseudonym=pl.int_range(pl.len()))


@pytest.mark.parametrize("profile", [AUDITOR, PUBLIC], ids=lambda one: one.name)
def test_who_knows_all_base_values_and_who_is_in_it_reidentifies_nobody(profile: object) -> None:
    """Proof 3, one release; and the attack works on what is only pseudonymous."""
    own = AUDITOR if profile is AUDITOR else PUBLIC
    people, found, alone, shares = 0, 0, [], []
    for size in SIZES:
        for seed in SEEDS:
            rows = cohort(size, seed)
            release = released(rows, own)
            people += size
            found += reidentified(release, rows)
            if size == 240:
                naive = control(rows)
                alone.append(unique(naive, ["commune", "sex", "age", *ATTRIBUTES]))
                shares.append(unique(naive, ["commune", "sex", "age", "category"]))
    say(
        f"{own.name}: {people} people attacked, re-identified {found}; control at 240: unique {min(alone):.1%} to"
        f" {max(alone):.1%}, by commune, sex, age in fives and category {min(shares):.1%} to {max(shares):.1%}"
    )
    assert found == 0
    assert min(alone) > 0.9


def next_quarter(rows: pl.DataFrame, seed: int, share: float) -> tuple[pl.DataFrame, dict[int, int]]:
    """A cohort of the same size in which this share are women of the one before, with what does not change of a person:
    place, sex, disability, ID Poor. Gives where they are in it, by their place before."""
    draws = random.Random(seed)  # noqa: S311 - no secret
    later = cohort(rows.height, seed + 1000)
    again = dict(zip(draws.sample(range(rows.height), int(rows.height * share)), range(rows.height), strict=False))
    before, now = rows.to_dicts(), later.to_dicts()
    for old, new in again.items():
        now[new] |= {name: before[old][name] for name in ("commune", "sex", "age", "disability", "id_poor")}
    return pl.DataFrame(now, schema=later.schema), again


def test_who_sees_a_woman_in_two_consecutive_cohorts_reidentifies_nobody_either() -> None:
    """Proof 3, two releases: what she may be in one is cut with what she may be in the other; and a pseudonym kept from
    quarter to quarter would tell both cases to be hers."""
    people = found = 0
    narrowed = Counter[int]()
    for size in SIZES:
        for seed in SEEDS:
            rows = cohort(size, seed)
            later, again = next_quarter(rows, seed, share=0.4)
            first, second = Reader(released(rows)), Reader(released(later))
            olds, news = rows.to_dicts(), later.to_dicts()
            for old, new in again.items():
                people += 1
                both = [
                    first.could_be(name, olds[old]) & second.could_be(name, news[new])
                    for name in ("disability", "id_poor")
                ]
                found += any(len(one) == 1 for one in both)
                narrowed[min(len(one) for one in both)] += 1
    say(f"{people} women in two cohorts, re-identified {found}; possible values left {sorted(narrowed.items())}")
    assert people > 1000
    assert found == 0


def test_a_guess_is_right_no_oftener_than_the_profile_says() -> None:
    """The best guess of each class is its most frequent value; right in at most four of five of any class."""
    worst = 0.0
    for size in SIZES:
        for seed in SEEDS:
            release = released(cohort(size, seed))
            for one in release.tables:
                for values in classes_of(release, one.attribute).values():
                    worst = max(worst, max(values.values()) / sum(values.values()))
    say(f"surest guess in any class: {worst:.1%}")
    assert worst <= 0.8


TIES = {"closure_outcome": "closed", "status": NOT_RECORDED}


def surest_of_the_other(release: Release) -> tuple[float, int]:
    """What each table of status and outcomes says of the other in its worst class, for who knows that a case is closed
    when it has an outcome, and that fewer than k have what is withheld of the two; and how many are in classes where
    the other's answer is surer than four of five."""
    worst, sure = 0.0, 0
    for name in {one.attribute for one in release.tables} & set(TIES):
        away = NOT_RECORDED if name == "closure_outcome" else "closed"
        for values in classes_of(release, name).values():
            size = sum(values.values())
            most = values[away] or (release.profile.k - 1 if values[WITHHELD] else 0)
            worst = max(worst, 1 - most / size)
            sure += size if 1 - most / size > 0.8 else 0
    return worst, sure


@pytest.mark.parametrize("profile", [AUDITOR, PUBLIC], ids=lambda one: one.name)
def test_who_knows_that_what_has_an_outcome_is_closed_is_sure_of_no_status(profile: object) -> None:
    """Proof 3, over tables. Would catch: a status that is left out since nearly all are closed, while the outcomes tell
    who is not; or, early, outcomes left out that the status tells."""
    own = AUDITOR if profile is AUDITOR else PUBLIC
    told, surest = Counter[tuple[float, str]](), 0.0
    for size in (148, *SIZES):
        for share in (0.1, 0.46, 0.75, 0.8, 0.85, 0.95, 1.0):
            for seed in range(3):
                release = released(closed_by(cohort(size, seed), share, seed), own)
                found, sure = surest_of_the_other(release)
                surest = max(surest, found)
                told.update((share, one.attribute) for one in release.tables if one.attribute in TIES)
                assert sure == 0, (size, share, seed)
    say(f"{own.name}: surest guess of a status by outcomes or of an outcome by status {surest:.1%}; told {told}")
    assert told[0.46, "status"] == told[0.46, "closure_outcome"] == 12
    assert told[0.75, "closure_outcome"] == 12
    assert not told[0.95, "closure_outcome"]


def test_the_attack_by_outcomes_works_on_a_table_of_outcomes_alone() -> None:
    """The control: told without a look at the status, nearly all, or all, are known to be closed."""
    rows = closed_by(cohort(240, seed=1), 0.95, seed=1)
    alone = profile_of(read("auditor-v1") | read("lists-v1") | {"tied": []})
    release = released(rows, alone)
    assert release.omitted["status"] == "one_value_prevails"
    worst, sure = surest_of_the_other(release)
    say(f"outcomes told alone: status surer than 80 % for {sure} of 240, at most {worst:.1%}")
    assert worst > 0.9
    assert sure > 200


def shown(size: int, seed: int, attribute: str) -> float:
    """The share of the cohort whose value the table tells."""
    one = table(released(cohort(size, seed)), attribute)
    return (one.rows.height - one.withheld) / size


@pytest.mark.parametrize(("size", "least"), [(240, 0.7), (960, 0.9)])
def test_the_category_is_shown_for_most_rows_at_the_real_size(size: int, least: float) -> None:
    """Would catch: a release that is safe since it says nothing."""
    shares = [shown(size, seed, "category") for seed in range(20)]
    say(f"n = {size}: category shown for {min(shares):.0%} to {max(shares):.0%} of rows (k = 5, 20 cohorts)")
    assert min(shares) >= least


def test_most_attributes_are_told_at_the_real_size() -> None:
    told: dict[str, list[float]] = defaultdict(list)
    for seed in range(20):
        release = released(cohort(240, seed))
        for one in release.tables:
            told[one.attribute].append((one.rows.height - one.withheld) / 240)
    say("n = 240, mean share told: " + ", ".join(f"{name} {sum(own) / 20:.0%}" for name, own in told.items()))
    assert {name for name, own in told.items() if sum(own) / 20 >= 0.7} == set(ATTRIBUTES)


def test_a_value_that_nearly_all_have_takes_no_other_table_along() -> None:
    """Would catch: one rung for all attributes, or a refusal."""
    rows = cohort(960, seed=3)
    same = rows.with_columns(
        disability=pl.when(pl.int_range(pl.len()) % 12 == 0).then(pl.lit("yes")).otherwise(pl.lit("no"))
    )
    before, after = released(rows), released(same)
    assert after.omitted == {"disability": "one_value_prevails"}
    assert [one.attribute for one in after.tables] == [name for name in ATTRIBUTES if name != "disability"]
    for one in after.tables:
        assert one.rows.equals(table(before, one.attribute).rows)
    assert NOT_RECORDED in set(table(after, "id_poor").rows["id_poor"])
