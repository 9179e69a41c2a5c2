"""What the documents point to is there."""

import re
from pathlib import Path

PROJECT = Path(__file__).parent.parent
PLACE = re.compile(r"`((?:app|tests|docs|migrations|requirements)/[\w./-]+?)(?:::(\w+))?`")


def test_every_file_and_test_that_the_asvs_list_names_is_there() -> None:
    named = PLACE.findall((PROJECT / "docs" / "asvs.md").read_text(encoding="utf-8"))
    assert len(named) > 80
    gone = [
        f"{path}::{test}"
        for path, test in named
        if not (PROJECT / path).exists()
        or (test and not re.search(rf"def {test}\(", (PROJECT / path).read_text(encoding="utf-8")))
    ]
    assert gone == []


def test_no_item_of_the_asvs_list_is_claimed_twice() -> None:
    rows = re.findall(r"^\| ([\d., –]+) \|", (PROJECT / "docs" / "asvs.md").read_text(encoding="utf-8"), re.MULTILINE)
    items = [item for row in rows for item in re.findall(r"\d+\.\d+\.\d+", row)]
    assert len(items) > 100
    assert len(items) == len(set(items))


def test_the_index_of_decisions_names_every_page_once_and_in_order() -> None:
    pages = PROJECT / "docs" / "decisions"
    named = re.findall(r"\[(\d{4})\]\((\S+)\)", (pages / "README.md").read_text(encoding="utf-8"))
    assert named == sorted((page.name[:4], page.name) for page in pages.glob("0*.md"))


def test_no_point_of_the_readme_is_made_twice() -> None:
    points = re.findall(r"^- \*\*(.+?)\*\*", (PROJECT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(points) > 30
    assert len(points) == len(set(points))
