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
