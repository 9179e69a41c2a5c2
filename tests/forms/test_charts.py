"""Charts: one scale from zero, the longest mark fills the room, and what is hidden has no length and sets no scale."""

from collections.abc import Callable

import pytest

from app.forms.charts import WIDTH, Chart, bars, columns


def cells(*values: int | None) -> list[tuple[str, str, int | None]]:
    return [(f"slice {at}", str(value), value) for at, value in enumerate(values)]


def sizes(chart: Chart) -> list[float | None]:
    return [mark.size for mark in chart.marks]


def test_a_bar_is_as_long_as_its_share_of_the_longest() -> None:
    assert sizes(bars("", "", "", cells(100, 50, 25, 0))) == [WIDTH, WIDTH / 2, WIDTH / 4, 0]


def test_something_is_never_drawn_as_nothing() -> None:
    assert sizes(bars("", "", "", cells(100_000, 1, 0))) == [WIDTH, 1.5, 0]


def test_a_hidden_cell_has_no_length_and_the_others_are_measured_without_it() -> None:
    assert sizes(bars("", "", "", cells(None, 10, 20))) == [None, WIDTH / 2, WIDTH]
    assert sizes(columns("", "", "", cells(None, None))) == [None, None]


@pytest.mark.parametrize("draw", [bars, columns])
def test_no_cells_and_only_zeros_are_charts_too(draw: Callable[..., Chart]) -> None:
    assert sizes(draw("", "", "", ())) == []
    assert sizes(draw("", "", "", cells(0, 0))) == [0, 0]


def test_columns_go_from_old_to_new_and_the_last_is_now() -> None:
    chart = columns("", "", "", cells(*range(1, 13)))
    assert [mark.now for mark in chart.marks] == [False] * 7 + [True]
    assert [mark.label for mark in chart.marks] == [f"slice {at}" for at in range(4, 12)]
    assert [mark.at for mark in chart.marks] == [at * WIDTH / 8 for at in range(8)]
    assert len(chart.rows) == 12
