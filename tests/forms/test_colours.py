"""The colours of the page by WCAG 2.2 AA: text 4.5 to 1, shapes that say something 3 to 1; also inside the charts."""

import re
from pathlib import Path

import pytest

import app.forms

STYLE = (Path(app.forms.__file__).parent / "page.css").read_text(encoding="utf-8")
COLOURS = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", STYLE))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted(luminance(COLOURS[name]) for name in (one, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("ground", ["paper", "ground", "tint", "warn"])
@pytest.mark.parametrize("text", ["ink", "soft", "deep"])
def test_every_text_can_be_read_on_every_ground(text: str, ground: str) -> None:
    assert contrast(text, ground) >= 4.5


@pytest.mark.parametrize("shape", ["deep", "past", "gap"])
def test_every_shape_that_says_something_stands_out_from_the_paper(shape: str) -> None:
    assert contrast(shape, "paper") >= 3


def test_the_measure_is_that_of_wcag() -> None:
    assert luminance("#ffffff") == pytest.approx(1)
    assert luminance("#767676") == pytest.approx(1.05 / 4.54 - 0.05, abs=0.001)


def test_no_text_or_shape_has_a_colour_that_is_not_measured() -> None:
    used = set(re.findall(r"(?<![-\w])(?:color|fill|stroke): ([^;}]+)", STYLE))
    measured = {f"var(--{name})" for name in ("ink", "soft", "deep", "past", "gap")}
    background = {"var(--track)"}  # behind a bar: the number stands beside it
    assert used - measured - background <= {"none", "inherit", "#4b5b63"}
    assert COLOURS["soft"] == "#4b5b63"  # the number of the page, where variables are not known
