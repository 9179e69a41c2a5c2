"""No small figure can be computed from what is published beside it: every rule against trying all tables."""

import random
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from app.disclosure import CannotHide, Name, Small, Sum, suppress
from app.disclosure.attacker import Attacker, rule_alone
from app.disclosure.audit import intervals, mask, pinned, unpinned
from tests.tables import Cells, Tables, alike, below_five, below_five_or_none, crossed, known_apart, sliced

YEAR = ("2024", "cases_opened")
LAND, VIOLENCE, PAPERS = "land_dispute", "domestic_violence", "vital_documents"

CORNERS = [("cell", r, c) for r in "01" for c in "01"]


def small_of_three(_name: Name, value: int) -> bool:
    """The threshold of the tables that are small enough to try all."""
    return 0 < value < 3


def year_of(*quarters: dict[str, int]) -> Tables:
    """Each quarter by category, and the year to date as the sums of its quarters."""
    cells: dict[Name, int] = {}
    sums: list[Sum] = []
    for number, values in enumerate(quarters, start=1):
        own, bound = sliced((f"2024Q{number}", "cases_opened"), {"category": values})
        cells |= own
        sums += bound
    for rest in ((), *(("category", code) for code in quarters[0])):
        parts = tuple((f"2024Q{number}", "cases_opened", *rest) for number in range(1, len(quarters) + 1))
        cells[(*YEAR, *rest)] = sum(cells[part] for part in parts)
        sums.append(Sum((*YEAR, *rest), parts))
    sums.append(Sum(YEAR, tuple((*YEAR, "category", code) for code in quarters[0])))
    return cells, sums


def test_a_small_cell_in_no_sum_is_hidden_alone() -> None:
    """Would catch: hiding more than is needed."""
    cells, sums = crossed([[3, 9], [8, 7]], totals=False)
    assert suppress(cells, sums, small=below_five) == {("cell", "0", "0")}


def test_beside_the_total_a_small_cell_needs_the_smallest_other() -> None:
    """Would catch: primary suppression alone; and a complement larger than needed."""
    cells, sums = sliced(YEAR, {"category": {LAND: 3, VIOLENCE: 30, PAPERS: 12}})
    hidden = suppress(cells, sums, small=below_five)
    assert hidden == {(*YEAR, "category", LAND), (*YEAR, "category", PAPERS)}


def test_primary_suppression_alone_fails_the_audit() -> None:
    """Would catch: an audit that finds nothing, whatever it is given."""
    for tables in (sliced(YEAR, {"category": {LAND: 3, PAPERS: 12}}), crossed([[3, 9], [8, 7]])):
        small = {name for name, value in tables[0].items() if below_five(name, value)}
        assert pinned(*tables, small) == small
        assert {low == high == 3 for low, high in intervals(*tables, small).values()} == {True}


def test_one_small_cell_of_a_two_way_table_needs_the_rectangle() -> None:
    """Would catch: complements looked for in one sum at a time."""
    cells, sums = crossed([[3, 9, 20], [8, 7, 20], [20, 20, 20]])
    hidden = suppress(cells, sums, small=below_five)
    assert hidden == {("cell", r, c) for r in "01" for c in "01"}


def test_the_year_less_the_other_quarters_does_not_give_the_quarter() -> None:
    """Would catch: quarters and the year to date protected each for itself."""
    cells, sums = year_of({LAND: 3, PAPERS: 12}, {LAND: 7, PAPERS: 9})
    apart = suppress(*sliced(YEAR, {"category": {LAND: 3, PAPERS: 12}}), small=below_five)
    quarter = {("2024Q1", "cases_opened", *name[2:]) for name in apart}
    assert pinned(cells, sums, quarter) == quarter
    hidden = suppress(cells, sums, small=below_five)
    assert quarter <= hidden
    assert pinned(cells, sums, hidden) == frozenset()


def test_what_was_told_before_is_never_among_the_hidden() -> None:
    """Would catch: complements chosen among cells that everybody has read already."""
    cells, sums = year_of({LAND: 9, PAPERS: 12}, {LAND: 3, PAPERS: 9})
    told = [name for name in cells if name[0] == "2024Q1"]
    hidden = suppress(cells, sums, small=below_five, told=told)
    assert hidden.isdisjoint(told)
    assert {(*YEAR, "category", LAND), ("2024Q2", "cases_opened", "category", LAND)} <= hidden
    assert pinned(cells, sums, hidden) == frozenset()


def test_what_nothing_can_hide_is_said_by_name_and_its_name_not_in_the_message() -> None:
    """Would catch: a set that hides the cell and leaves it known; a message that ends in a log."""
    cells, sums = sliced(YEAR, {"category": {LAND: 3, PAPERS: 12, VIOLENCE: 30}})
    told = [name for name in cells if LAND not in name]
    with pytest.raises(CannotHide, match="1") as refused:
        suppress(cells, sums, small=below_five, told=told)
    assert refused.value.names == {(*YEAR, "category", LAND)}
    assert LAND not in str(refused.value)
    with pytest.raises(CannotHide):
        suppress(cells, sums, small=below_five, told=[(*YEAR, "category", LAND)])


def test_a_zero_is_published_or_hidden_as_the_rule_says() -> None:
    """Would catch: zero taken for small everywhere, or nowhere; and a zero that hides nothing as complement."""
    cells, sums = sliced(YEAR, {"category": {LAND: 0, PAPERS: 12, VIOLENCE: 30}})
    assert suppress(cells, sums, small=below_five) == frozenset()
    assert suppress(cells, sums, small=below_five_or_none) == {(*YEAR, "category", code) for code in (LAND, PAPERS)}
    cells, sums = sliced(YEAR, {"category": {LAND: 3, PAPERS: 0, VIOLENCE: 30}})
    assert (*YEAR, "category", VIOLENCE) in suppress(cells, sums, small=below_five)


def test_who_knows_the_rule_and_which_cell_is_small_computes_nothing_either() -> None:
    """Would catch: 1 hidden behind 5, where 6 in all and one below five, the other not, leave 1 and 5 alone."""
    cells, sums = sliced(YEAR, {"category": {LAND: 1, PAPERS: 5, VIOLENCE: 40}})
    pair = {(*YEAR, "category", code) for code in (LAND, PAPERS)}
    assert pinned(cells, sums, pair) == frozenset()
    assert pinned(cells, sums, pair, small=below_five) == pair
    hidden = suppress(cells, sums, small=below_five)
    assert pinned(cells, sums, hidden, small=below_five) == frozenset()


def test_the_whole_is_hidden_only_when_nothing_else_helps() -> None:
    """Would catch: a total hidden because it is the cheapest by its value."""
    cells, sums = sliced(YEAR, {"category": {LAND: 3, PAPERS: 900, VIOLENCE: 950}})
    assert YEAR not in suppress(cells, sums, small=below_five)
    told = [(*YEAR, "category", code) for code in (PAPERS, VIOLENCE)]
    assert YEAR in suppress(cells, sums, small=below_five, told=told)


@pytest.mark.parametrize("small", [below_five, below_five_or_none])
def test_the_order_in_which_cells_and_sums_are_told_changes_nothing(small: object) -> None:
    """Would catch: ties broken by the order of a mapping, or of a set."""
    chance = random.Random(35)  # noqa: S311 - no secret
    rule = below_five if small is below_five else below_five_or_none
    cells, sums = crossed([[chance.randrange(12) for _ in range(6)] for _ in range(5)])
    first = suppress(cells, sums, small=rule)
    for _ in range(5):
        names = list(cells)
        chance.shuffle(names)
        turned = [Sum(total, tuple(chance.sample(parts, len(parts)))) for total, parts in sums]
        chance.shuffle(turned)
        assert suppress({name: cells[name] for name in names}, turned, small=rule) == first


def test_four_cases_of_four_kinds_stay_unknown_although_a_hidden_total_below_five_has_to_hold_them() -> None:
    """Would catch: a report that is refused, or four ones that add up to what is known, because zeros are printed."""
    codes = (LAND, VIOLENCE, PAPERS, "id_poor")
    cells, sums = sliced(YEAR, {"category": dict.fromkeys(codes, 1) | {"disaster_relief": 0}})
    hidden = suppress(cells, sums, small=below_five)
    assert {name for name, value in cells.items() if value} <= hidden
    assert pinned(cells, sums, hidden) == frozenset()


def test_a_hidden_cell_of_the_version_before_stays_hidden_through_the_unchanged_ones() -> None:
    """Would catch: versions protected each for itself, where what is the same in both is known to be the same."""
    first, sums = sliced(("v1", "opened"), {"category": {LAND: 3, PAPERS: 9, VIOLENCE: 30}})
    then, later = sliced(("v2", "opened"), {"category": {LAND: 6, PAPERS: 9, VIOLENCE: 30}})
    sums += [
        *later,
        *(Sum(("v2", "opened", "category", code), (("v1", "opened", "category", code),)) for code in (PAPERS,)),
    ]
    secret = suppress(first, sums[:1], small=below_five)
    told = first.keys() - secret
    hidden = suppress(first | then, sums, small=below_five, told=told)
    assert suppress(then, later, small=below_five) == frozenset()
    assert {name[0] for name in hidden} == {"v1", "v2"}
    assert pinned(first | then, sums, hidden) == frozenset()


def test_what_flows_in_and_out_is_bound_through_a_sum_that_nobody_prints() -> None:
    """Would catch: opening + opened = closed + closing left out, which gives a hidden flow away."""
    flows = {"opening": 40, "opened": 3, "closed": 9, "closing": 34}
    cells: Cells = {("2024Q3", code): value for code, value in [*flows.items(), ("handled", 43)]}
    sums = [
        Sum(("2024Q3", "handled"), (("2024Q3", one), ("2024Q3", two)))
        for one, two in (("opening", "opened"), ("closing", "closed"))
    ]
    hidden = suppress(cells, sums, small=below_five)
    assert hidden - {("2024Q3", "handled")} > {("2024Q3", "opened")}


@pytest.mark.parametrize(
    ("cells", "sums", "told"),
    [
        ({("a",): -1}, [], ()),
        ({("a",): 3}, [Sum(("a",), (("b",),))], ()),
        ({("a",): 3, ("b",): 2}, [Sum(("a",), (("b",),))], ()),
        ({("a",): 4, ("b",): 2}, [Sum(("a",), (("b",), ("b",)))], ()),
        ({("a",): 3, ("b",): 3}, [Sum(("a",), (("b",),)), Sum(("b",), (("a",),))], ()),
        ({("a",): 3}, [], [("b",)]),
        ({("a",): 20_000_001}, [], ()),
    ],
    ids=["negative", "unknown part", "no sum", "twice", "circle", "told what is not", "more than everybody"],
)
def test_tables_that_cannot_be_are_refused(cells: Cells, sums: list[Sum], told: list[Name]) -> None:
    """Would catch: an audit of tables that are not those that are published."""
    with pytest.raises(ValueError, match=r"^a |nodes are in a cycle"):
        suppress(cells, sums, small=below_five, told=told)


def test_a_rule_with_a_hole_is_refused() -> None:
    """Would catch: an attacker thought to know less than the rule says."""
    for rule in (lambda _name, value: value in {1, 3}, lambda _name, value: value == 3, lambda _name, _value: True):
        with pytest.raises(ValueError, match="one run"):
            suppress({("a",): 3}, [], small=rule)


def test_no_cells_need_no_hiding() -> None:
    assert suppress({}, [], small=below_five) == frozenset()
    assert intervals({("a",): 3}, [], []) == {}


COUNTS = st.integers(0, 12) | st.integers(0, 4)


@st.composite
def overlapping(draw: st.DrawFn) -> tuple[Tables, list[Name]]:
    """A figure by category × commune, and sometimes by sex beside it; the parts of some sums told before."""
    width, height = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    cells, sums = crossed(
        draw(st.lists(st.lists(COUNTS, min_size=width, max_size=width), min_size=height, max_size=height))
    )
    girls = draw(st.integers(0, cells[("all",)]))
    cells |= {("sex", "f"): girls, ("sex", "m"): cells[("all",)] - girls}
    sums.append(Sum(("all",), (("sex", "f"), ("sex", "m"))))
    return (cells, sums), draw(st.lists(st.sampled_from(sorted(cells)), max_size=3, unique=True))


@settings(max_examples=80, deadline=None)
@given(overlapping(), st.sampled_from([below_five, below_five_or_none]))
def test_in_any_tables_nothing_hidden_is_known_and_what_is_refused_is_known_indeed(
    drawn: tuple[Tables, list[Name]], rule: Small
) -> None:
    """Would catch: a small cell published, a told one hidden, a hidden one pinned, a refusal without need."""
    (cells, sums), told = drawn
    small = {name for name, value in cells.items() if rule(name, value)}
    refused: frozenset[Name] = frozenset()
    hidden: frozenset[Name] = frozenset()
    try:
        hidden = suppress(cells, sums, small=rule, told=told)
    except CannotHide as refusal:
        refused = refusal.names
    assert refused <= small
    if refused:
        attacker = Attacker.of(cells, sums, rule_alone(rule))
        free = mask(attacker, cells.keys() - set(told))
        assert refused >= small & set(told)
        assert not (unpinned(attacker, free) & mask(attacker, refused)).any()
        return
    assert small <= hidden
    assert hidden.isdisjoint(told)
    bounds = intervals(cells, sums, hidden)
    assert bounds.keys() == hidden
    assert all(low <= cells[name] <= high and low < high for name, (low, high) in bounds.items())
    assert pinned(cells, sums, hidden) == frozenset()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=4, max_size=4), st.data())
def test_the_audit_finds_exactly_what_trying_all_tables_finds(values: list[int], data: st.DataObject) -> None:
    """Would catch: an audit that misses a cell, or that finds one which could be another."""
    cells, sums = crossed([values[:2], values[2:]])
    hidden = data.draw(st.lists(st.sampled_from(sorted(set(cells) - {("all",)})), max_size=5, unique=True))
    assert pinned(cells, sums, hidden) == known_apart(cells, sums, hidden, 9)


def test_every_small_two_way_table_is_safe_against_trying_all_tables() -> None:
    """Would catch: any hidden cell with one possible value, by a check that shares no line with the algorithm; also
    where totals are hidden, for they follow from the four cells."""
    squares = [crossed([values[:2], values[2:]]) for values in product(range(8), repeat=4)]
    few = [tables for tables in squares if max(tables[0][cell] for cell in CORNERS) < 4]
    assert len(few) == 4**4
    for cells, sums in few:
        hidden = suppress(cells, sums, small=small_of_three)
        printed = cells.keys() - hidden
        looks = [other for other, _ in squares if all(other[name] == cells[name] for name in printed)]
        assert {name for name in hidden if len({other[name] for other in looks}) == 1} == set(), cells


def test_intervals_are_those_of_trying_all_tables() -> None:
    """Would catch: bounds of fractions, bounds of one sum at a time, a gap that the solver may leave."""
    chance = random.Random(36)  # noqa: S311 - no secret
    for _ in range(25):
        cells, sums = crossed([[chance.randrange(3) for _ in range(3)] for _ in range(2)])
        hidden = chance.sample([name for name in cells if name[0] == "cell"], 5)
        seen = list(alike(cells, sums, hidden, 7))
        expected = {name: (min(one[name] for one in seen), max(one[name] for one in seen)) for name in hidden}
        assert intervals(cells, sums, hidden) == expected


def test_a_question_that_would_take_for_long_is_given_up_and_its_cell_counts_as_known() -> None:
    """Would catch: a report that waits for half a minute (or, of more cells, for good) on one cell that could move."""
    count, draws = 60, np.random.default_rng(2)
    tangle = csr_array(draws.integers(-1, 2, (15, count)))  # each sum over two thirds of the cells, of either sign
    nothing, one = np.zeros(count, dtype=np.int64), np.ones(count, dtype=np.int64)
    attacker = Attacker([(str(place),) for place in range(count)], nothing, tangle, nothing, one)
    assert attacker.furthest(np.arange(count), 0, 1, best=True) is None
