"""What only sealed fields tell of a thing to do: hours left for care, an unconfirmed contact, how she is reached."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from app.calendar import day_of, start_of
from app.models.case import SafeContact
from app.models.codes.care import ContactChannel, WorklistKind
from app.models.codes.cases import Sensitivity
from app.models.codes.incidents import DatePrecision
from app.models.incident import IncidentPrivate
from app.models.worklist import WorklistContact
from app.sealing import KeyRing
from app.services.incident_facts import age_at, care_ends, pregnancy_is_possible, type_of
from app.services.incident_views import Victim
from app.services.safe_contact import window_at

CONFIRMED_FOR = timedelta(days=30)
CONTACTS = {WorklistKind.FOLLOW_UP, WorklistKind.OVERDUE_HIGH_RISK}


@dataclass(frozen=True, slots=True)
class Todo:
    """Something to do: the row of its source, and of its case where the caller sees that."""

    kind: WorklistKind
    due_at: datetime | None
    row: Any
    case: Any | None


def judged(row: Any, case: Any | None, ring: KeyRing, now: datetime) -> Todo | None:
    """What a row of a source comes to; None where there is nothing to do after all."""
    kind, due_at = WorklistKind(row.kind), row.due_at
    if case is None:
        return Todo(kind, due_at, row, None) if row.code is not None else None  # a stub, or access that has just ended
    if kind is WorklistKind.CARE_WINDOW:
        due_at = min((end for end in _care_ends(row, case, ring) if end > now), default=None)
    elif kind is WorklistKind.SAFE_CONTACT_UNCONFIRMED:
        due_at = _unconfirmed_since(case, ring, now)
    fallen_away = kind in {WorklistKind.CARE_WINDOW, WorklistKind.SAFE_CONTACT_UNCONFIRMED} and due_at is None
    return None if fallen_away else Todo(kind, due_at, row, case)


def contact_of(one: Todo, said: SafeContact | None, ring: KeyRing, now: datetime) -> WorklistContact | None:
    """How she may be reached by the planned channel; None for a date at the desk and for what is no contact."""
    if one.kind not in CONTACTS:
        return None
    channel = ring.open("follow_ups", one.row.subject_id, one.row.case_id, one.row.sealed).get("channel")
    if channel is None:
        return None
    window = window_at(said, ContactChannel(channel), now)
    return WorklistContact(
        allowed_now=window.allowed,
        next_window=window.opens_next,
        channel=channel,
        leave_message=said is not None and said.leave_message,
    )


def said_of(private: Mapping[str, Any]) -> SafeContact | None:
    """What the client said about contacts, from the opened fields of her case."""
    said = private.get("safe_contact")
    return SafeContact.model_validate(said) if said else None


def _care_ends(row: Any, case: Any, ring: KeyRing) -> list[datetime]:
    told = IncidentPrivate.model_validate(ring.open("incidents", row.subject_id, row.case_id, row.sealed))
    victim = Victim.of(case.client_sex, ring.open("people", case.client_id, case.id, case.client_sealed))
    precision = DatePrecision(row.precision)
    possible = pregnancy_is_possible(victim.sex, age_at(victim.born, row.occurred_at, precision))
    return care_ends(type_of(told.answers), row.occurred_at, precision, pregnancy_possible=possible)


def _unconfirmed_since(case: Any, ring: KeyRing, now: datetime) -> datetime | None:
    """When it should have been confirmed again: where she said something, and of every sensitive case."""
    said = said_of(ring.open("cases", case.id, case.id, case.sealed))
    if said is None and case.sensitivity != Sensitivity.SENSITIVE:
        return None
    days: list[date] = [day_of(case.opened_at), *([said.last_confirmed_on] if said and said.last_confirmed_on else [])]
    again = start_of(max(days) + CONFIRMED_FOR)
    return again if again <= now else None
