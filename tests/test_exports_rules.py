"""What is released of any cohort keeps the rules, also against who knows them and everything but the secrets."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exports.content import Release
from app.exports.freezing import Figure, Refused
from app.exports.profile import NOT_RECORDED, WITHHELD, Profile
from tests.cohorts import AUDITOR, COMMUNES, PUBLIC, closed_by, cohort, released, rows_of, say, table, tiny

Counts = tuple[int, ...]


def classes_of(release: Release, attribute: str) -> dict[tuple[str, ...], Counter[str]]:
    """An independent reading of a table: class → value → how many, row by row."""
    found: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for *own, value in table(release, attribute).rows.iter_rows():
        found[tuple(own)][value] += 1
    return found


def truth(rows: pl.DataFrame, release: Release, attribute: str) -> dict[tuple[str, ...], Counter[str]]:
    """The same of the rows that went in, by rules of its own."""
    levels = release.profile.rung(table(release, attribute).rung).levels
    recode = release.profile.attribute(attribute).recode
    found: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for row in rows.iter_rows(named=True):
        place = row["commune"] if row["commune"] and len(row["commune"]) == 6 else NOT_RECORDED
        own = {"place": place}
        if "sex" in levels:
            own["sex"] = NOT_RECORDED if row["sex"] in {None, "unknown"} else row["sex"]
            age = row["age"]
            own["age"] = NOT_RECORDED if age is None else "00-17" if age < 18 else "18-59" if age < 60 else "60+"
        value = row[attribute]
        told = tuple("all" if levels[name] == "all" else own[name] for name in own)
        found[told][NOT_RECORDED if value is None else recode.get(value, value)] += 1
    return found


def faults(rows: pl.DataFrame, release: Release) -> list[str]:
    """Every rule that a release breaks, by an own count of its rows."""
    found = []
    profile = release.profile
    for one in release.tables:
        told, real = classes_of(release, one.attribute), truth(rows, release, one.attribute)
        least, elsewhere = profile.attribute(one.attribute).l, profile.attribute(one.attribute).known_elsewhere
        for own, values in told.items():
            size, withheld = sum(values.values()), values[WITHHELD]
            folded = {value for value, number in real[own].items() if number and value not in values}
            checks = {
                "class": size >= profile.k and size == sum(real[own].values()),
                "value": min(values.values()) >= profile.k,
                "l": len(values) >= least,
                "posterior": max(values.values()) <= 0.8 * size,
                "shown": all(real[own][value] == number for value, number in values.items() if value != WITHHELD),
                "withheld": withheld == sum(real[own][value] for value in folded),
                # Without what another table gives away: still two values, and k rows.
                "two": not folded
                or (
                    len(folded - elsewhere) >= 2 and sum(real[own][value] for value in folded - elsewhere) >= profile.k
                ),
            }
            found += [f"{one.attribute} {own} {name}" for name, kept in checks.items() if not kept]
        lost = sum(sum(values.values()) for own, values in real.items() if own not in told)
        if (one.suppressed, one.withheld) != (lost, sum(values[WITHHELD] for values in told.values())):
            found.append(f"{one.attribute} counts")
        if lost + one.withheld > 0.25 * rows.height:
            found.append(f"{one.attribute} hides too much")
        if len(told) > profile.largest_base_risk * one.rows.height:
            found.append(f"{one.attribute} base risk")
        if one.rows.height + lost != rows.height or not one.rows.equals(one.rows.sort(one.rows.columns)):
            found.append(f"{one.attribute} rows")
    if any(0 < len(names & {one.attribute for one in release.tables}) < 2 for names in profile.tied):
        found.append("one of two tied")
    if {one.attribute for one in release.tables} & set(release.omitted) or release.audit.pinned:
        found.append("omitted or pinned")
    return found


@st.composite
def cohorts(draw: st.DrawFn) -> pl.DataFrame:
    """Cohorts of any size and skew, with holes."""
    communes = draw(st.lists(st.sampled_from([*COMMUNES, "170501"]), min_size=1, max_size=7, unique=True))
    shares = draw(st.lists(st.integers(1, 30), min_size=len(communes), max_size=len(communes)))
    rows = cohort(draw(st.integers(34, 1600)), draw(st.integers(0, 999)), communes, shares)
    share = draw(st.sampled_from([0.1, 0.5, 0.8, 0.95, 1.0]))
    rows = closed_by(rows, share, seed=rows.height)
    hole = draw(st.sampled_from(["commune", "sex", "age", "category", "disability", "status"]))
    every = draw(st.integers(2, 40))
    return rows.with_columns(pl.when(pl.int_range(pl.len()) % every != 0).then(pl.col(hole)).alias(hole))


@settings(max_examples=50, deadline=None)
@given(cohorts(), st.sampled_from([AUDITOR, PUBLIC]))
def test_whatever_is_released_of_any_cohort_keeps_every_rule(rows: pl.DataFrame, profile: Profile) -> None:
    """Proof 1, on all attributes. Would catch: any rule that is left out for some class, rung or value."""
    try:
        found = faults(rows, released(rows, profile))
    except Refused as refused:
        found = [] if refused.code in {"nothing_left", "cohort_too_small"} else [refused.code]
    assert found == []


def parts(total: int, into: int) -> Iterator[Counts]:
    """All ways to give `total` rows to so many values."""
    if into == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in parts(total - first, into - 1))


def as_rows(values: Sequence[str], *communes: Counts) -> pl.DataFrame:
    names = [None if value == NOT_RECORDED else value for value in values]
    return rows_of({COMMUNES[at]: dict(zip(names, own, strict=True)) for at, own in enumerate(communes)})


class Look(NamedTuple):
    """All that somebody sees of a cohort, and what they know from elsewhere."""

    rung: str
    why: str
    suppressed: int
    withheld: int
    told: tuple[tuple[str, ...], ...]
    elsewhere: tuple[tuple[object, ...], ...]


def look_of(rows: pl.DataFrame, release: Release, elsewhere: frozenset[str]) -> Look:
    one = release.tables[0]
    real = truth(rows, release, "category") if elsewhere else {}
    told = {row[0] for row in one.rows.rows()}  # tied tables tell the same classes
    known = sorted((place, name, own[name]) for place, own in real.items() if place[0] in told for name in elsewhere)
    return Look(one.rung, one.why, one.suppressed, one.withheld, tuple(one.rows.rows()), tuple(known))


EVERY = [
    pytest.param((5, 4), tiny(), id="k=2"),
    pytest.param((6, 5), tiny(k=3, attributes=[{"name": "category", "values": ["a", "b"]}]), id="k=3, binary"),
    pytest.param((7,), tiny(k=3, largest_hidden_share=0.9), id="k=3, one place"),
    pytest.param(
        (4, 4),
        tiny(attributes=[{"name": "category", "values": ["a", "b", "c"], "known_elsewhere": [NOT_RECORDED]}]),
        id="k=2, one value known elsewhere",
    ),
]


@pytest.mark.parametrize(("sizes", "profile"), EVERY)
def test_who_runs_the_rules_on_every_possible_cohort_computes_no_hidden_count(
    sizes: tuple[int, ...], profile: Profile
) -> None:
    """Proof 1, exhaustively. The attacker knows the size of each class and the program, of values that another table
    gives away their count, too, and tries every cohort: those that look the same disagree on every hidden count. Would
    catch: folding that can be run backwards (a tie broken by name, a group of which all are equally many), which no
    audit of sums sees."""
    attribute = profile.attribute("category")
    looks: dict[Look, list[tuple[Counts, ...]]] = defaultdict(list)
    for own in product(*(list(parts(size, len(attribute.values))) for size in sizes)):
        rows = as_rows(attribute.values, *own)
        try:
            look = look_of(rows, released(rows, profile), attribute.known_elsewhere)
        except Refused:
            continue
        looks[look].append(own)
    hidden = 0
    for look, alike in looks.items():
        groups = {"all": range(len(sizes))} if look.rung == "all" else {COMMUNES[at]: [at] for at in range(len(sizes))}
        for place, group in groups.items():
            shown = {value for own, value in look.told if own == place}
            for at, value in enumerate(attribute.values):
                if (not shown or (WITHHELD in shown and value not in shown)) and value not in attribute.known_elsewhere:
                    hidden += 1
                    assert len({sum(own[part][at] for part in group) for own in alike}) > 1, (look, value)
    say(f"{sum(map(len, looks.values()))} cohorts, {len(looks)} looks, {hidden} hidden counts, none known")
    assert hidden > 10


def tied(**changes: object) -> Profile:
    """Two tables of which each tells of the other how many are closed."""
    data: dict[str, object] = {
        "attributes": [
            {"name": "category", "values": ["a", "b", "closed"], "known_elsewhere": ["closed"]},
            {"name": "outcome", "values": ["x", "y", "z"], "known_elsewhere": [NOT_RECORDED]},
        ],
        "l": 2,
        "tied": [["category", "outcome"]],
        "rungs": [{"name": "all", "at_least": 0, "levels": {"place": "all"}}],
        "largest_hidden_share": 0.75,
    }
    return tiny(**data | changes)


def tied_rows(*own: int) -> pl.DataFrame:
    """Running cases `a` and `b`, closed ones with outcomes `x`, `y` and `z`, and cases of which nothing is known."""
    kinds = [("a", None), ("b", None), ("closed", "x"), ("closed", "y"), ("closed", "z"), (None, None)]
    rows = [(COMMUNES[0], *kind) for kind, number in zip(kinds, own, strict=False) for _ in range(number)]
    return pl.DataFrame(rows, schema=dict.fromkeys(["commune", "category", "outcome"], pl.String), orient="row")


def test_who_tries_every_cohort_of_two_tied_tables_is_sure_of_neither_answer() -> None:
    """Proof 1 over a tie, exhaustively: of all cohorts of eight that look the same in both tables, reasons and all,
    none has more than four of five closed, or running, where one is told; and they disagree on every hidden count but
    those of the tie itself. Would catch: a posterior kept by each table for itself."""
    profile, looks = tied(), defaultdict[tuple[object, ...], list[Counts]](list)
    cells: dict[tuple[object, ...], set[tuple[str, str]]] = {}
    for own in parts(8, 6):
        try:
            release = released(tied_rows(*own), profile)
        except Refused:
            continue
        told: list[object] = [(one.attribute, one.withheld, *one.cells.rows()) for one in release.tables]
        look = (*told, *release.omitted.items())
        looks[look].append(own)
        cells[look] = {(one.attribute, value) for one in release.tables for value in one.cells[one.attribute]}
        cells[look] |= {(one.attribute, "all") for one in release.tables if not one.withheld}
    names = [("category", "a"), ("category", "b"), ("outcome", "x"), ("outcome", "y"), ("outcome", "z")]
    hidden = 0
    for look, alike in looks.items():
        assert all(2 <= sum(own[2:5]) <= 6 for own in alike), look
        for at, name in enumerate(names):
            if name not in cells[look] and (name[0], "all") not in cells[look]:
                hidden += 1
                assert len({own[at] for own in alike}) > 1, (look, name)
    say(f"{sum(map(len, looks.values()))} cohorts with a tie, {len(looks)} looks, {hidden} hidden counts, none known")
    assert hidden > 10


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ((10, 10, 40, 20, 20), {"category", "outcome"}),
        ((19, 0, 41, 20, 20), set()),
        ((4, 0, 2, 4, 10), set()),
        ((40, 40, 10, 5, 5), {"category", "outcome"}),
        ((41, 40, 9, 5, 5), set()),
        ((0, 0, 40, 40, 20), set()),
    ],
    ids=["80 % closed", "more", "80 %, but four running", "80 % running", "more running", "all closed"],
)
def test_tied_tables_are_told_where_what_both_tell_may_be_told(own: Counts, told: set[str]) -> None:
    """Would catch: a look at one of the two answers alone, or one that takes `not_recorded` for no answer."""
    rows, profile = tied_rows(*own), tied(k=5, l=2)
    try:
        found = {one.attribute for one in released(rows, profile).tables}
    except Refused as refused:
        found = {refused.code} - {"nothing_left", "cohort_too_small"}
    assert found == told


def test_a_tied_table_becomes_coarser_with_the_one_that_could_be_computed() -> None:
    """Told by a report: all with the outcome `x`, of which one commune hides its few. Would catch: the other table left
    where it is, which tells the same of the commune."""
    rungs = [{"name": name, "at_least": at, "levels": {"place": name}} for at, name in ((1, "commune"), (0, "all"))]
    profile = tied(k=5, largest_hidden_share=0.4, rungs=rungs)
    one, other = tied_rows(20, 20, 3, 4, 20), tied_rows(20, 20, 20, 20, 20)
    rows = pl.concat([one, other.with_columns(commune=pl.lit(COMMUNES[1]))])
    alone = {told.attribute: (told.rung, told.why) for told in released(rows, profile).tables}
    assert alone == {"category": ("commune", "by_size"), "outcome": ("commune", "by_size")}
    reported = released(rows, profile, [Figure("outcome", "x")])
    together = {told.attribute: (told.rung, told.why) for told in reported.tables}
    assert together == {"category": ("all", "tied"), "outcome": ("all", "could_be_computed")}


def test_what_a_table_hides_does_not_make_the_rest_of_it_a_list_of_small_groups() -> None:
    """Of eleven communes the largest is of one answer and left out: the others are one in thirty, where one in 33 may
    be found. Would catch: a base risk that is looked at for the cohort alone."""
    few: Mapping[str | None, int] = {"a": 10, "b": 10, "c": 10}
    large: Mapping[str | None, int] = {"a": 400}
    rows = rows_of({"170401": large} | {f"1702{at:02}": few for at in range(1, 11)})
    kept = released(rows, tiny(k=5, largest_base_risk=0.04))
    assert (table(kept, "category").rung, table(kept, "category").rows.height) == ("commune", 300)
    one = table(released(rows, tiny(k=5, largest_base_risk=0.03)), "category")
    assert (one.rung, one.rows.height) == ("all", 700)


def test_a_table_that_would_give_another_away_is_left_out_with_a_reason_of_its_own() -> None:
    """Would catch: a reason that says of the outcomes what is true of the status alone."""
    release = released(closed_by(cohort(960, seed=3), 0.95), AUDITOR)
    assert release.omitted["closure_outcome"] == "gives_another_away"
    assert release.omitted["status"] == "one_value_prevails"
    assert len(release.tables) == 7


def test_in_two_releases_of_one_cohort_no_sum_gives_a_count_away() -> None:
    """Proof 1, joint. The attacker has the releases of two profiles and tries all cohorts that fit both. Would catch:
    each release hidden for itself, which the total of one less the communes of the other undoes."""
    fine, whole = tiny(), tiny(name="whole", rungs=[{"name": "all", "at_least": 0, "levels": {"place": "all"}}])
    every = list(parts(5, 4))
    tried, together, alone = 0, list[tuple[str, str]](), list[tuple[str, str]]()
    for one, other in product(every[::6], every[1::5]):
        rows = as_rows(("a", "b", "c", NOT_RECORDED), one, other)
        try:
            first = released(rows, fine)
            apart = released(rows, whole)
        except Refused:
            continue
        tried += 1
        alone += known_to_all(rows, [first, apart], every)
        try:
            together += known_to_all(rows, [first, released(rows, whole, [first])], every)
        except Refused as refused:
            together += [("", refused.code)] if refused.code != "audit_failed" else []
    say(f"{tried} cohorts twice: counts given away {len(together)}, were each release made alone {len(alone)}")
    assert together == []
    assert len(alone) > 50


def known_to_all(rows: pl.DataFrame, releases: list[Release], every: list[Counts]) -> list[tuple[str, str]]:
    """Hidden counts of communes with somebody in them on which all cohorts agree that fit what was told."""
    told = []
    for release in releases:
        for one in release.tables:
            counted = Counter(one.rows.rows())
            told.append((one.rung, counted, {place for place, _ in counted}))
    names = ["a", "b", "c", NOT_RECORDED]

    def fits(own: tuple[Counts, ...]) -> bool:
        for rung, counted, places in told:
            for at, place in [(None, "all")] if rung == "all" else list(enumerate(COMMUNES[:2])):
                if place not in places:
                    continue
                counts = np.sum(own, axis=0) if at is None else own[at]
                for value, number in zip(names, counts, strict=True):
                    said = counted[place, value]
                    if said != number and (said or not counted[place, WITHHELD]):
                        return False
        return True

    alike = [own for own in product(every, repeat=2) if fits(own)]
    real = Counter(rows.with_columns(pl.col("category").fill_null(NOT_RECORDED)).rows())
    shown = {row for _, counted, _ in told for row in counted}
    cells = [(at, place, value) for at, place in enumerate(COMMUNES[:2]) for value in names]
    return [
        (place, value)
        for at, place, value in cells
        if (place, value) not in shown
        and real[place, value]
        and len({own[at][names.index(value)] for own in alike}) == 1
    ]


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"a": 8, "b": 30, "c": 20, None: 3}, {"b": 30, WITHHELD: 31}),
        ({"a": 3, "b": 9, "c": 40, None: 6}, {"c": 40, NOT_RECORDED: 6, WITHHELD: 12}),
        ({"a": 3, "b": 9, "c": 40, None: 4}, {"c": 40, WITHHELD: 16}),
        ({"a": 9, "b": 30, "c": 20, None: 6}, {"a": 9, "b": 30, "c": 20, NOT_RECORDED: 6}),
    ],
    ids=["covers no other", "is shown from k on", "is folded below k", "nothing to fold"],
)
def test_a_value_known_elsewhere_covers_no_other(counts: dict[str | None, int], told: dict[str, int]) -> None:
    """Would catch: a group of two values of which a tied table gives one away, so that the other is known for all."""
    attribute = {"name": "category", "values": ["a", "b", "c", "d"], "known_elsewhere": [NOT_RECORDED]}
    release = released(rows_of({COMMUNES[0]: counts}), tiny(k=5, attributes=[attribute]))
    assert dict(classes_of(release, "category")[COMMUNES[0],]) == told
