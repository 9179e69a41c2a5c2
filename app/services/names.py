"""How a person is called and how old they are, from the private part of their row."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from app.models.codes.people import Language


def display_name(private: Mapping[str, Any], language: Language) -> str:
    """Family name first, in the reader's script when known; else the other script, `known_as`, or the alias."""
    khmer = _full(private, "km")
    roman = _full(private, "en")
    by_script = (roman, khmer) if language is Language.EN else (khmer, roman)
    return next(name for name in (*by_script, private.get("known_as"), private.get("alias"), "—") if name)


def _full(private: Mapping[str, Any], script: str) -> str:
    parts = (private.get(f"family_name_{script}"), private.get(f"given_name_{script}"))
    return " ".join(part for part in parts if part)


def age_on(private: Mapping[str, Any], day: date) -> int | None:
    """Whole years at `day`; None when the birth date is unknown."""
    written = private.get("birth_date")
    if written is None:
        return None
    birth = date.fromisoformat(written)
    return max(0, day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day)))
