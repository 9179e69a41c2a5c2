"""People of the register who are named in a record of the programme, as they stood at its day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch
from app.errors import FieldError, Invalid, NotFound
from app.models.case import today_band
from app.models.codes.people import AgeBand, Difficulty, Sex
from app.models.person import Disability
from app.sealing import load_keys, ring_of

# What decides is asked before there is a row, as for one person (visible.py).
NAMED = """
    select p.id, p.case_id, p.sex, p.household_id, p.sealed
      from unnest(%(ids)s::uuid[]) as w (id)
     cross join lateral (select app_sees_home_of(w.id) as sees offset 0) s
      join people p on p.id = w.id and s.sees
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody at a day. `disability`: None where it is not known; `commune_code`: of her village, if that is."""

    id: UUID
    sex: Sex
    age_band: AgeBand
    disability: bool | None
    commune_code: str | None
    household_id: UUID | None


async def people_at(session: AsyncSession, ids: Sequence[UUID], day: date, pointer: str) -> dict[UUID, Standing]:
    """These people as they stood at `day`. 404 when one is hidden or unknown; 422 for who belongs to a visible case,
    at `pointer`, in which `{}` stands for the place among `ids`."""
    if not ids:
        return {}
    rows = {row.id: row for row in await fetch(session, NAMED, {"ids": list(ids)})}
    if rows.keys() < set(ids):
        raise NotFound
    of_cases = [place for place, own_id in enumerate(ids) if rows[own_id].case_id is not None]
    if of_cases:
        message = "Only people of the register are named here."
        raise Invalid([FieldError(pointer.format(place), "not_of_the_register", message) for place in of_cases])
    await load_keys(session, ids)
    return {
        own_id: _at(row, ring_of(session).open("people", own_id, own_id, row.sealed), day)
        for own_id, row in rows.items()
    }


def _at(row: Any, private: Mapping[str, Any], day: date) -> Standing:
    birth, village = private.get("birth_date"), private.get("village_code")
    return Standing(
        id=row.id,
        sex=Sex(row.sex),
        age_band=today_band(date.fromisoformat(birth) if birth else None, day),
        disability=has_disability(private.get("disability") or {}),
        commune_code=village[:6] if village else None,
        household_id=row.household_id,
    )


def has_disability(answers: Mapping[str, str]) -> bool | None:
    """The Washington Group's cut: true with one "a lot of difficulty", false when all six are less, else not known."""
    if set(answers.values()) & {Difficulty.A_LOT, Difficulty.CANNOT_DO}:
        return True
    given = [answers.get(question) for question in Disability.model_fields]
    return False if set(given) <= {Difficulty.NONE, Difficulty.SOME} else None
