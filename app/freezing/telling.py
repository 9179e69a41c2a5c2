"""What a release tells of the cases of a quarter for certain: reports must reckon with it later."""

import csv
from collections import defaultdict
from pathlib import Path
from typing import Any

from app.exports.profile import WITHHELD, Profile
from app.freezing.reports import TABLES

AGGREGATE = "{}-aggregate.csv"


def told_in(place: Path, profile: Profile, manifest: dict[str, Any]) -> list[dict[str, str]]:
    """Attribute and value of each count that can be read off: it is shown, or is nothing, in every class of a table
    that leaves out no row."""
    complete = {one["attribute"] for one in manifest["columns"] if not one["suppressed"]}
    return [
        {"attribute": attribute, "value": value}
        for attribute in sorted(TABLES.values())
        if attribute in complete
        for value in _told(place / AGGREGATE.format(attribute), attribute, profile)
    ]


def _told(path: Path, attribute: str, profile: Profile) -> list[str]:
    shown: dict[tuple[str, ...], set[str]] = defaultdict(set)
    base = [one.column for one in profile.base]
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            shown[tuple(row.get(column) or "" for column in base)].add(row[attribute])
    classes = shown.values()
    values = profile.attribute(attribute).values
    return [value for value in values if all(value in one or WITHHELD not in one for one in classes)]
