"""From a row of `services/visible.py` to what each audience reads of a case."""

from typing import Any

from app.calendar import day_of
from app.models.case import (
    AccessRead,
    CaseLiaisonRead,
    CaseRead,
    CaseSummary,
    ClientRead,
    Closure,
    Colleague,
    LiaisonClient,
)
from app.models.codes.cases import ClosureReason
from app.models.codes.incidents import DatePrecision
from app.models.incident import IncidentRead
from app.relations import Access
from app.sealing import KeyRing
from app.security import Actor
from app.services.incident_views import Victim, incident_read
from app.services.names import age_on, display_name


def summary_of(row: Any, access: Access, actor: Actor, ring: KeyRing) -> CaseSummary | CaseLiaisonRead:
    """One row of a list, for the caller's audience."""
    if access.is_liaison:
        return liaison_view(row, access, actor, ring)
    return CaseSummary(**_summary(row, access, actor, _private(row, ring), ring))


def detail_of(row: Any, access: Access, actor: Actor, ring: KeyRing) -> CaseRead | CaseLiaisonRead:
    """The case itself, for the caller's audience."""
    if access.is_liaison:
        return liaison_view(row, access, actor, ring)
    private = _private(row, ring)
    return CaseRead(
        **_summary(row, access, actor, private, ring),
        summary=private["summary"],
        safe_contact=private.get("safe_contact"),
        closure=_closure(row, private),
        referred_from=row.referred_from,
        death_review_due_at=row.death_review_due_at,
        incident=_latest_incident(row, actor, ring),
    )


def liaison_view(row: Any, access: Access, actor: Actor, ring: KeyRing) -> CaseLiaisonRead:
    """Access.md's liaison view: its version is its own, so that nothing hidden shows through a number."""
    return CaseLiaisonRead(
        id=row.id,
        code=row.code,
        status=row.status,
        priority=row.priority,
        commune_code=row.commune_code,
        village_code=_private(row, ring).get("village_code"),
        client=LiaisonClient(display_name=display_name(_client(row, ring), actor.language)),
        version=row.team_version,
        access=AccessRead(via=access.via, mode=access.mode),
    )


def _closure(row: Any, private: dict[str, Any]) -> Closure | None:
    """What was said at the end; of a case that another organisation has taken, only that it was."""
    said, transferred = private.get("closure"), ClosureReason.TRANSFERRED
    if row.closure_reason == transferred and (said is None or said["reason"] != transferred):
        return Closure(reason=transferred)
    return Closure.model_validate(said) if said is not None else None


def _private(row: Any, ring: KeyRing) -> dict[str, Any]:
    return ring.open("cases", row.id, row.id, row.sealed)


def _client(row: Any, ring: KeyRing) -> dict[str, Any]:
    return ring.open("people", row.client_id, row.id, row.client_sealed)


def _summary(row: Any, access: Access, actor: Actor, private: dict[str, Any], ring: KeyRing) -> dict[str, Any]:
    client = _client(row, ring)
    return {
        "id": row.id,
        "code": row.code,
        "category": row.category,
        "sensitivity": row.sensitivity,
        "status": row.status,
        "priority": row.priority,
        "risk_level": row.risk_level,
        "commune_code": row.commune_code,
        "village_code": private.get("village_code"),
        "client": ClientRead(
            id=row.client_id,
            display_name=display_name(client, actor.language),
            sex=row.client_sex,
            age=age_on(client, day_of(actor.now)),
        ),
        "lead": Colleague(id=row.lead_id, display_name=row.lead_name) if row.lead_id else None,
        "organisation_id": row.organisation_id,
        "opened_at": row.opened_at,
        "updated_at": row.updated_at,
        "closed_at": row.closed_at,
        "next_due_at": row.next_due_at,
        "version": row.version,
        "access": AccessRead(via=access.via, mode=access.mode),
    }


def _latest_incident(row: Any, actor: Actor, ring: KeyRing) -> IncidentRead | None:
    if row.incident_id is None:
        return None
    told = {
        "id": row.incident_id,
        "case_id": row.id,
        "occurred_at": row.occurred_at,
        "precision": DatePrecision(row.precision),
        "version": row.incident_version,
        "created_at": row.incident_created_at,
        "updated_at": row.incident_updated_at,
    }
    private = ring.open("incidents", row.incident_id, row.id, row.incident_sealed)
    return incident_read(told, private, Victim.of(row.client_sex, _client(row, ring)), actor.now)
