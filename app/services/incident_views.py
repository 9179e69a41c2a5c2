"""From an incident, and the client whom it happened to, to what is read of it: what was told and what follows."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch
from app.models.codes.people import Sex
from app.models.incident import IncidentPrivate, IncidentRead
from app.sealing import ring_of
from app.services.incident_facts import age_at, care_windows, contexts_of, pregnancy_is_possible, type_of

CLIENT = """
    select p.id, p.sex, p.sealed from cases c join people p on p.id = c.client_id where c.id = %(case_id)s
"""


@dataclass(frozen=True, slots=True)
class Victim:
    """As much of the client as the incident's facts follow from."""

    sex: Sex
    born: date | None

    @classmethod
    def of(cls, sex: str, private: Mapping[str, Any]) -> "Victim":
        """From the client's row and its opened private part."""
        born = private.get("birth_date")
        return cls(Sex(sex), date.fromisoformat(born) if born else None)


async def victim_of(session: AsyncSession, case_id: UUID) -> Victim:
    """The client of a case that the caller sees."""
    [row] = await fetch(session, CLIENT, {"case_id": case_id})
    return Victim.of(row.sex, ring_of(session).open("people", row.id, case_id, row.sealed))


def incident_read(told: Mapping[str, Any], private: Mapping[str, Any], victim: Victim, now: datetime) -> IncidentRead:
    """`told` are the clear fields of the row, `private` its opened ones."""
    kept = IncidentPrivate.model_validate(private)
    kind, at, precision = type_of(kept.answers), told["occurred_at"], told["precision"]
    age = age_at(victim.born, at, precision)
    relationships = [kept.perpetrator_relationship, *(one.relationship for one in kept.perpetrators)]
    possible = pregnancy_is_possible(victim.sex, age)
    return IncidentRead(
        type=kind,
        contexts=contexts_of(kept.answers, relationships, age),
        age=age,
        **asdict(care_windows(kind, at, precision, now, pregnancy_possible=possible)),
        perpetrators_count=len(kept.perpetrators),
        **told,
        **kept.model_dump(exclude={"perpetrators"}),
    )
