"""Incidents of a case, as data; an incident makes its case sensitive."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.calendar import refuse_future
from app.errors import Invalid, NotFound
from app.models.base import Page
from app.models.case import OfCase
from app.models.codes.incidents import DatePrecision
from app.models.incident import Incident, IncidentCreate, IncidentPrivate, IncidentRead, IncidentUpdate
from app.paging import ListQuery, newest_first
from app.permissions import Permission
from app.preconditions import check_match
from app.sealing import opened, seal
from app.security import Actor
from app.services.cases import open_for_change, raise_to_sensitive
from app.services.events import record
from app.services.incident_views import Victim, incident_read, victim_of
from app.services.perpetrators import keep_away
from app.services.screening import hold_client_graph, screen_incident
from app.services.visible import access_for

_CLEAR = {"occurred_at", "precision"}


async def report_incident(session: AsyncSession, actor: Actor, case_id: UUID, told: IncidentCreate) -> IncidentRead:
    """Record what happened; 409 when the case is closed."""
    if told.perpetrators:
        await access_for(session, case_id, Permission.INCIDENT_EDIT)
        await hold_client_graph(session)
    case = await open_for_change(session, case_id, Permission.INCIDENT_EDIT)
    await raise_to_sensitive(session, case, actor)
    victim = await victim_of(session, case_id)  # first: who meets in the screening sees nothing of the case afterwards
    await keep_away(session, actor, case, told.perpetrators)
    return _read(session, actor, await add_incident(session, actor, case, told, ""), victim)


async def add_incident(
    session: AsyncSession, actor: Actor, case: OfCase, told: IncidentCreate, pointer: str
) -> Incident:
    """Write one incident of a case that is being opened or changed; errors point below `pointer`."""
    _check_moment(told.occurred_at, told.precision, actor.now, pointer)
    incident = Incident(
        case_id=case.id,
        organisation_id=case.organisation_id,
        occurred_at=told.occurred_at,
        precision=told.precision,
        created_at=actor.now,
        updated_at=actor.now,
        created_by=actor.id,
    )
    seal(session, incident, told.model_dump(mode="json", include=set(IncidentPrivate.model_fields)))
    session.add(incident)
    await record(
        session,
        actor,
        "incident.reported",
        case_id=case.id,
        organisation_id=case.organisation_id,
        subject_id=incident.id,
    )
    if told.perpetrators:
        await screen_incident(session, incident.id, opened(session, incident)["perpetrators"])
    return incident


async def list_incidents(session: AsyncSession, actor: Actor, case_id: UUID, query: ListQuery) -> Page[IncidentRead]:
    """The incidents of a case, newest recorded first."""
    await access_for(session, case_id, Permission.INCIDENT_READ)
    statement = select(Incident).where(col(Incident.case_id) == case_id)
    rows, cursor = await newest_first(session, statement, Incident.created_at, Incident.id, query)
    victim = await victim_of(session, case_id)
    return Page[IncidentRead](items=[_read(session, actor, row, victim) for row in rows], next_cursor=cursor)


async def read_incident(session: AsyncSession, actor: Actor, case_id: UUID, incident_id: UUID) -> IncidentRead:
    """One incident; 404 when it is not of this case."""
    await access_for(session, case_id, Permission.INCIDENT_READ)
    incident = await _of_case(session, case_id, incident_id)
    return _read(session, actor, incident, await victim_of(session, case_id))


async def edit_incident(
    session: AsyncSession,
    actor: Actor,
    case_id: UUID,
    incident_id: UUID,
    change: IncidentUpdate,
    if_match: str | None,
) -> IncidentRead:
    """Merge the fields sent. 428/412 by If-Match, 409 when the case is closed."""
    names_others = "perpetrators" in change.model_fields_set
    if names_others:
        await access_for(session, case_id, Permission.INCIDENT_EDIT)
        await hold_client_graph(session)
    case = await open_for_change(session, case_id, Permission.INCIDENT_EDIT)
    incident, victim = await _of_case(session, case_id, incident_id), await victim_of(session, case_id)
    check_match(if_match, incident.version)
    if _CLEAR & change.model_fields_set:
        then = {name: getattr(incident, name) for name in _CLEAR} | change.model_dump(
            include=_CLEAR, exclude_unset=True
        )
        _check_moment(then["occurred_at"], then["precision"], actor.now, "")
    if names_others:
        await keep_away(session, actor, case, change.perpetrators)
    sent: dict[str, Any] = change.model_dump(mode="json", exclude_unset=True)
    if sent:
        for name in _CLEAR & sent.keys():
            setattr(incident, name, getattr(change, name))
        private = {name: value for name, value in sent.items() if name not in _CLEAR}
        seal(session, incident, {**opened(session, incident), **private})
        incident.touch(actor.now)
        await record(
            session,
            actor,
            "incident.changed",
            case_id=case.id,
            organisation_id=case.organisation_id,
            subject_id=incident.id,
            data={"fields": sorted(sent)},
        )
        await session.flush()
        if names_others:
            await screen_incident(session, incident.id, sent["perpetrators"])
    return _read(session, actor, incident, victim)


def _check_moment(at: datetime | None, precision: DatePrecision, now: datetime, pointer: str) -> None:
    """422 for what has not happened yet, and for how exactly a moment is known that is not known."""
    refuse_future(at, now, f"{pointer}/occurred_at")
    if at is None and precision is not DatePrecision.UNKNOWN:
        raise Invalid.at(f"{pointer}/occurred_at", "required", "Without a time its precision is unknown.")


async def _of_case(session: AsyncSession, case_id: UUID, incident_id: UUID) -> Incident:
    statement = select(Incident).where(col(Incident.id) == incident_id, col(Incident.case_id) == case_id)
    incident = (await session.execute(statement)).scalar_one_or_none()
    if incident is None:
        raise NotFound
    return incident


def _read(session: AsyncSession, actor: Actor, incident: Incident, victim: Victim) -> IncidentRead:
    told = incident.model_dump(
        include={"id", "case_id", "occurred_at", "precision", "version", "created_at", "updated_at"}
    )
    return incident_read(told, opened(session, incident), victim, actor.now)
