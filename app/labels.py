"""The Khmer and English labels of every code, read once from models/labels.json and checked at import."""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from app.models.base import Read
from app.models.codes import CODE_LISTS

_FILE = Path(__file__).parent / "models" / "labels.json"


class CodeRead(Read):
    """One code with its labels."""

    code: str
    en: str
    km: str


def labelled(codes: type[StrEnum], labels: Mapping[str, Mapping[str, str]]) -> list[CodeRead]:
    """The codes in the order of their list; ValueError names the codes and labels that do not pair."""
    unpaired = {code.value for code in codes} ^ labels.keys()
    if unpaired:
        raise ValueError(f"{codes.__name__}: codes without labels or labels without code: {sorted(unpaired)}")
    blank = [code for code, label in labels.items() if not (label.get("en") and label.get("km"))]
    if blank:
        raise ValueError(f"{codes.__name__}: no label in English or in Khmer: {blank}")
    return [CodeRead(code=code.value, **labels[code]) for code in codes]


def _read(file: Path) -> dict[str, list[CodeRead]]:
    labels = json.loads(file.read_text(encoding="utf-8"))
    if labels.keys() != CODE_LISTS.keys():
        raise ValueError(f"lists without labels or codes: {sorted(labels.keys() ^ CODE_LISTS.keys())}")
    return {name: labelled(codes, labels[name]) for name, codes in CODE_LISTS.items()}


_CODE_LISTS = _read(_FILE)


def code_lists() -> dict[str, list[CodeRead]]:
    """Every code list by name, each code with its labels, in the agreed order."""
    return _CODE_LISTS
