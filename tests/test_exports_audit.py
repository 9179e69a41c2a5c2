"""The audit finds what an attacker can compute of hidden cells, and nothing that fails it is released."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.disclosure import Name
from app.disclosure.attacker import Attacker
from app.disclosure.audit import mask, movable, unpinned
from app.exports.auditing import audited
from app.exports.base_classes import left_out
from app.exports.freezing import Figure, Refused
from app.exports.knowing import NO_LIMIT, Source, sources_of
from app.exports.recoding import Cohort, recode
from app.exports.rungs import Plan, Planner
from tests.cohorts import AUDITOR, COMMUNES, PUBLIC, cohort, released, rows_of, say, table, tiny
from tests.tables import crossed

FINE, WHOLE = {"place": "commune"}, {"place": "all"}
Square = list[list[int]]


def tiny_cohort(counts: Sequence[Sequence[int]]) -> Cohort:
    names: list[str | None] = ["a", "b", "c", None]
    told: Mapping[str, Mapping[str | None, int]] = {
        COMMUNES[at]: dict(zip(names, own, strict=False)) for at, own in enumerate(counts)
    }
    return recode(rows_of(told), tiny())


def source(
    cohort_: Cohort, levels: Mapping[str, str], hidden: Sequence[Sequence[bool]], most: int = NO_LIMIT
) -> Source:
    full = np.zeros_like(cohort_.counts("category", levels), dtype=np.bool_)
    for at, row in enumerate(hidden):
        full[at, : len(row)] = row
    return Source(levels, ~full, full, np.where(full, most, NO_LIMIT))


def primary_only(cohort_: Cohort, levels: Mapping[str, str], k: int) -> Source:
    counts = cohort_.counts("category", levels)
    return source(cohort_, levels, ((counts > 0) & (counts < k)).tolist())


def test_primary_suppression_alone_fails_the_audit() -> None:
    """Proof 6. Would catch: an audit that finds nothing, whatever it is given."""
    own = tiny_cohort([[3, 20, 20, 0], [20, 4, 2, 20]])
    cells, computed = audited("category", own, [primary_only(own, FINE, 5)])
    assert (cells, computed) == (3, 1)
    beside_total = [primary_only(own, FINE, 5), source(own, WHOLE, [])]
    assert audited("category", own, beside_total) == (3, 3)


def test_primary_suppression_alone_fails_at_the_real_size_and_what_is_released_does_not() -> None:
    """Proof 6, with the demo's skew: small cells hidden and nothing else, beside the totals of a submitted report."""
    found = released_cells = 0
    for seed in range(6):
        own = recode(cohort(240, seed), AUDITOR)
        for name in ("category", "id_poor"):
            counts = own.counts(name, AUDITOR.rung("commune").levels)
            hidden = (counts > 0) & (counts < 5)
            commune = Source(AUDITOR.rung("commune").levels, ~hidden, hidden, np.full(counts.shape, NO_LIMIT))
            found += audited(name, own, [commune])[1]
        figures = [Figure("category", value) for value in AUDITOR.attribute("category").values]
        release = released(cohort(240, seed), known=figures)
        assert release.audit.pinned == 0
        released_cells += release.audit.cells
    say(f"primary suppression alone: {found} cells computed; released: {released_cells} hidden cells, 0 computed")
    assert found > 0
    assert released_cells > 100


def brute(counts: Square, own: Square, whole: list[int], most: int, limit: int) -> tuple[int, int]:
    """The same by trying every pair of communes: hidden cells with somebody in them, and those with one value."""
    sizes = [sum(row) for row in counts]
    total = np.sum(counts, axis=0)

    def rows(size: int) -> list[tuple[int, ...]]:
        return [one for one in product(range(size + 1), repeat=4) if sum(one) == size]

    alike = [
        pair
        for pair in product(*(rows(size) for size in sizes))
        if all(
            pair[at][value] <= most if own[at][value] else pair[at][value] == counts[at][value]
            for at in (0, 1)
            for value in range(4)
        )
        and all(
            both <= limit if whole[value] else both == total[value]
            for value, both in enumerate(map(sum, zip(*pair, strict=True)))
        )
    ]
    fine = [(at, value) for at in (0, 1) for value in range(4) if own[at][value] and counts[at][value]]
    coarse = [value for value in range(4) if whole[value] and total[value] and any(own[at][value] for at in (0, 1))]
    known = [cell for cell in fine if len({pair[cell[0]][cell[1]] for pair in alike}) == 1]
    known_sums = [value for value in coarse if len({pair[0][value] + pair[1][value] for pair in alike}) == 1]
    return len(fine) + len(coarse), len(known) + len(known_sums)


FOUR = st.lists(st.integers(0, 3), min_size=4, max_size=4)
MASK = st.lists(st.booleans(), min_size=4, max_size=4)


@settings(max_examples=60, deadline=None)
@given(FOUR, FOUR, MASK, MASK, MASK, st.sampled_from([3, NO_LIMIT]), st.booleans())
@example([0, 0, 0, 1], [0, 0, 1, 0], [False] * 4, [False, False, True, True], [False, False, True, True], 3, True)
def test_the_audit_finds_exactly_what_trying_every_table_finds(
    one: list[int], other: list[int], own: list[bool], others: list[bool], whole: list[bool], most: int, tight: bool
) -> None:
    """Proof 1 of the audit itself: moves in a class, between two, and the solver. Would catch: a move that breaks a sum
    or a limit, a cell that no move reaches although one exists, a count of cells that is not that of hidden ones."""
    counts = [one, other]
    if not all(map(sum, counts)):
        return
    cohort_ = tiny_cohort(counts)
    limit = max(a + b for a, b in zip(one, other, strict=True)) if tight else NO_LIMIT
    sources = [source(cohort_, FINE, [own, others], most), source(cohort_, WHOLE, [whole], limit)]
    as_numbers = [[int(cell) for cell in row] for row in (own, others)]
    assert audited("category", cohort_, sources) == brute(
        counts, as_numbers, [int(cell) for cell in whole], most, limit
    )


def knows(hidden: list[Name]) -> Callable[[Name, int], tuple[int, int]]:
    return lambda name, value: (0, 99) if name in hidden else (value, value)


def test_many_cells_at_once_are_judged_as_one_by_one() -> None:
    """Would catch: a move of everything at once that is no move, or that leaves out what could move."""
    draws = np.random.default_rng(5)
    for _ in range(10):
        cells, sums = crossed(draws.integers(0, 3, (9, 9)).tolist())
        hidden = [name for name in sorted(cells) if name[0] == "cell" and draws.random() < 0.6]
        attacker = Attacker.of(cells, sums, knows(hidden))
        wanted = mask(attacker, hidden)
        assert (movable(attacker, wanted) & wanted).tolist() == unpinned(attacker, wanted).tolist()


def test_a_figure_of_a_report_makes_a_table_coarser_where_both_would_tell_of_one_cell() -> None:
    """Told by the report: all of one value; by the table: all but those of one commune."""
    rows = rows_of({COMMUNES[0]: {"a": 20, "b": 3, "c": 3}, COMMUNES[1]: {"a": 20, "b": 20, "c": 20}})
    profile = tiny(k=5)
    alone = released(rows, profile)
    assert (table(alone, "category").rung, table(alone, "category").why) == ("commune", "by_size")
    told = released(rows, profile, [Figure("category", "b")])
    assert (table(told, "category").rung, table(told, "category").why) == ("all", "could_be_computed")
    same = released(rows, profile, [Figure("category", "a")])
    assert table(same, "category").rung == "commune"


def test_a_figure_of_a_commune_or_of_an_age_inside_a_band_is_known_too() -> None:
    """Would catch: figures on finer levels left out because no table has them."""
    rows = cohort(300, seed=5)
    alone = released(rows)
    names = [one.attribute for one in alone.tables if one.rung == "commune" and one.withheld]
    for name in names:
        own = table(alone, name)
        place = own.rows.filter(own.rows[name] == "withheld")["place"][0]
        values = AUDITOR.attribute(name).values
        inside = [Figure(name, value, {"place": place, "age": "18-29"}) for value in values]
        assert released(rows, known=inside).audit.pinned == 0
        everything = [Figure(name, value, {"place": one}) for value in values for one in COMMUNES]
        finer = released(rows, known=everything)
        assert finer.audit.pinned == 0
    assert names


def test_a_figure_of_no_value_that_there_is_is_an_error_of_the_program() -> None:
    with pytest.raises((ValueError, StopIteration)):
        released(cohort(300, seed=1), known=[Figure("category", "land_grab")])


@pytest.mark.parametrize("seed", range(4))
def test_the_second_profile_of_a_cohort_is_audited_with_the_first(seed: int) -> None:
    """Would catch: two releases each safe alone. (That some would give cells away is shown in test_exports_rules.)"""
    for size in (240, 960):
        rows = cohort(size, seed)
        first = released(rows)
        second = released(rows, PUBLIC, [first])
        assert second.audit.pinned == 0
        assert set(second.omitted.values()) <= {"could_be_computed", "one_value_prevails", "too_few_values"}
        backwards = released(rows, AUDITOR, [released(rows, PUBLIC)])
        assert backwards.audit.pinned == 0


def test_nothing_is_released_where_everything_would_be_computed() -> None:
    rows = rows_of({COMMUNES[0]: {"a": 30, "b": 3, "c": 2, None: 30}})
    profile = tiny(k=5)
    with pytest.raises(Refused, match="audit_failed"):
        released(rows, profile, [Figure("category", "b"), Figure("category", "a")])


def test_tied_tables_stand_on_one_rung_and_tell_the_same_classes() -> None:
    """Would catch: closed cases that are hidden in one table and follow from the outcomes of another."""
    pairs = [("status", "closure_outcome"), ("assistance_kind", "assistance_amount_band")]
    seen = 0
    for seed in range(12):
        release = released(cohort(500, seed))
        for one, other in pairs:
            if {one, other} & set(release.omitted):
                continue
            seen += 1
            first, second = table(release, one), table(release, other)
            assert first.rung == second.rung
            base = ["place", "sex", "age"]
            assert first.rows.select(base).unique().sort(base).equals(second.rows.select(base).unique().sort(base))
    assert seen > 20


def test_the_size_of_a_class_left_out_does_not_follow_from_what_is_told_of_its_commune() -> None:
    """Where three of four sexes are told, the fourth is the commune less these: the next smallest stays out with it."""
    sexes = {"female": 60, "male": 20, "other": 9, None: 3}
    rows = cohort(460, seed=1).with_columns(
        commune=np.array(COMMUNES[:5]).repeat(92), sex=np.array([one for one, n in sexes.items() for _ in range(n)] * 5)
    )
    own = recode(rows, AUDITOR)
    out = left_out(own, AUDITOR, 1)
    classes, sizes = np.array(own.classes(AUDITOR.rungs[1].levels)), own.sizes(AUDITOR.rungs[1].levels)
    assert set(classes[out & (sizes > 0)][:, 1]) == {"other", "not_recorded"}
    assert Planner(own, AUDITOR).first == 1


def test_classes_that_one_of_two_tied_tables_cannot_tell_make_neither_coarser() -> None:
    """Would catch: each told for itself, which the audit sees, and which costs both their places."""
    release = released(cohort(5000, seed=2))
    assert "could_be_computed" not in {one.why for one in release.tables}
    assert release.omitted == {}


def test_rows_of_two_communes_do_not_exchange_values_where_each_commune_is_told() -> None:
    """Would catch: women of two communes taken for one group, although what is told of each commune less its men gives
    the women of each."""
    base = [
        {"column": "place", "source": "commune", "levels": ["commune", "all"], "pattern": "[0-9]{6}"},
        {"column": "sex", "source": "sex", "levels": ["sex", "all"], "paths": [["female", "all"], ["male", "all"]]},
    ]
    fine, commune = {"place": "commune", "sex": "sex"}, {"place": "commune", "sex": "all"}
    rungs = [
        {"name": "fine", "at_least": 1, "levels": fine},
        {"name": "all", "at_least": 0, "levels": {"place": "all", "sex": "all"}},
    ]
    one = [("female", "a")] * 3 + [("female", "b")] * 4 + [("male", "a")] * 9 + [("male", "b")] * 8
    rows = pl.DataFrame(
        [(place, *row) for place in COMMUNES[:2] for row in one], schema=["commune", "sex", "category"], orient="row"
    )
    own = recode(rows, tiny(base=base, rungs=rungs))
    women = np.array([[sex == "female"] * 4 for _, sex in own.classes(fine)])
    women[:, 2:] = False
    hidden = Source(fine, ~women, women, np.full(women.shape, NO_LIMIT))
    everything = np.ones_like(own.counts("category", commune), dtype=np.bool_)
    told = Source(commune, everything, ~everything, np.full(everything.shape, NO_LIMIT))
    assert audited("category", own, [hidden]) == (4, 0)
    assert audited("category", own, [hidden, told]) == (4, 4)


def test_a_count_that_a_tied_table_gives_away_is_computed_and_not_shown() -> None:
    own = tiny_cohort([[3, 4, 20, 20]])
    hidden = source(own, FINE, [[True, True]])
    away = np.zeros_like(hidden.known)
    away[0, 0] = True
    twin = Source(FINE, away, np.zeros_like(away), hidden.most, direct=False)
    assert audited("category", own, [hidden]) == (2, 0)
    assert audited("category", own, [hidden, twin]) == (2, 2)


def test_a_class_told_before_without_withheld_tells_of_its_zeros_too() -> None:
    rows = rows_of({COMMUNES[0]: {"a": 20, "b": 20, "c": 20}, COMMUNES[1]: {"a": 3, "b": 4, "c": 20}})
    profile = tiny(k=5)
    (before,) = sources_of("category", recode(rows, profile), profile, Plan((), {}), [released(rows, profile)])
    told, partly = before.known[:2].tolist()
    assert told == [True] * 4
    assert partly == [False, False, True, False]
