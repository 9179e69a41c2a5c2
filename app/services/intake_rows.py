"""The rows of a case that is being opened, by intake or from a register: what they hold, and not who writes them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.calendar import day_of, noon_of
from app.errors import Invalid
from app.ids import new_id
from app.models.case import CaseCreate, today_band
from app.models.codes.cases import AssignmentRole, CaseStatus, RiskLevel, Sensitivity
from app.models.codes.people import Difficulty, PersonRole
from app.policy import own_sensitivity
from app.sealing import ring_of
from app.security import Actor


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that was just opened, as far as its opener may know it."""

    id: UUID
    code: str
    organisation_id: UUID
    lead_id: UUID | None
    client_id: UUID
    place: tuple[UUID, bytes] | None = None  # the lead's assignment, where something of it is sealed


@dataclass(frozen=True, slots=True)
class Client:
    """Who the case is about: inline, or copied from another row."""

    private: dict[str, Any]
    sex: Any
    household_id: UUID | None
    copied_from: UUID | None


def case_row(session: AsyncSession, actor: Actor, intake: CaseCreate, case: Opened, client: Client) -> dict[str, Any]:
    """The row of a new case, without its code; its key is made already."""
    opened = _opened_at(intake.opened_on, actor.now)
    contact = intake.safe_contact
    private = {
        "summary": intake.summary,
        "village_code": intake.village_code,
        "safe_contact": contact.model_dump(mode="json", by_alias=True) if contact else None,
    }
    return {
        "id": case.id,
        "organisation_id": case.organisation_id,
        "category": intake.category,
        "sensitivity": sensitivity_of(intake),
        "status": CaseStatus.INTAKE,
        "priority": intake.priority,
        "risk_level": RiskLevel.NOT_ASSESSED,
        "commune_code": intake.commune_code,
        "referred_from": intake.referred_from,
        "client_id": case.client_id,
        "client_sex": client.sex,
        "client_age_band": today_band(_birth(client.private), day_of(opened)),
        "client_disability": _has_disability(client.private),
        "lead_id": None if may_be_kept_away(intake, client) else case.lead_id,  # it follows from the assignment
        "opened_at": opened,
        "sealed": ring_of(session).seal("cases", case.id, case.id, private),
        "team_version": 1,
        **first_version(actor),
    }


def client_row(session: AsyncSession, actor: Actor, case: Opened, client: Client) -> dict[str, Any]:
    """The client's row of a new case."""
    return {
        "id": case.client_id,
        "organisation_id": case.organisation_id,
        "case_id": case.id,
        "role": PersonRole.CLIENT,
        "sex": client.sex,
        "household_id": client.household_id,
        "sealed": ring_of(session).seal("people", case.client_id, case.id, client.private),
        **first_version(actor),
    }


def place_of(session: AsyncSession, case: Opened, over_limit_reason: str) -> tuple[UUID, bytes]:
    """The lead's assignment to be, sealed while the key of the case is at hand."""
    own_id = new_id()
    return own_id, ring_of(session).seal("assignments", own_id, case.id, {"over_limit_reason": over_limit_reason})


def lead_row(actor: Actor, case: Opened) -> dict[str, Any]:
    """The assignment of the lead of a new case."""
    own_id, sealed = case.place or (new_id(), None)
    return {
        "id": own_id,
        "case_id": case.id,
        "organisation_id": case.organisation_id,
        "user_id": case.lead_id,
        "role": AssignmentRole.LEAD,
        "created_at": actor.now,
        "created_by": actor.id,
        "sealed": sealed,
    }


def first_version(actor: Actor) -> dict[str, Any]:
    """What every new row that people edit begins with."""
    return {"version": 1, "created_at": actor.now, "updated_at": actor.now, "created_by": actor.id}


def sensitivity_of(intake: CaseCreate) -> Sensitivity:
    """By category, incident and wish; 422 for less than the category's."""
    least = own_sensitivity(intake.category)
    if intake.sensitivity is Sensitivity.STANDARD and least is Sensitivity.SENSITIVE:
        raise Invalid.at("/sensitivity", "category_is_sensitive", "Cases of this category are sensitive.")
    sensitive = intake.incident is not None or Sensitivity.SENSITIVE in {least, intake.sensitivity}
    return Sensitivity.SENSITIVE if sensitive else Sensitivity.STANDARD


def may_be_kept_away(intake: CaseCreate, client: Client) -> bool:
    """May the lead turn out to be excluded, or a match of the screening? Never where nobody is known yet."""
    return client.copied_from is not None or (intake.incident is not None and bool(intake.incident.perpetrators))


def _opened_at(day: date | None, now: datetime) -> datetime:
    return now if day is None or day == day_of(now) else noon_of(day)


def _birth(private: dict[str, Any]) -> date | None:
    return date.fromisoformat(private["birth_date"]) if private.get("birth_date") else None


def _has_disability(private: dict[str, Any]) -> bool | None:
    """The Washington Group's cut: at least one "a lot of difficulty"; None when nothing is recorded."""
    answers = set((private.get("disability") or {}).values()) - {Difficulty.UNKNOWN, Difficulty.REFUSED}
    return bool(answers & {Difficulty.A_LOT, Difficulty.CANNOT_DO}) if answers else None
