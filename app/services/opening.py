"""Opening a case: intake of a client, inline or copied, with consents, incident, lead and exclusions in one write."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.calendar import day_of, noon_of, refuse_future_day
from app.db import insert, insert_if_free
from app.errors import Invalid, NotFound, Unavailable
from app.ids import new_case_code, new_id
from app.models.case import CaseCreate, today_band
from app.models.codes import (
    AssignmentRole,
    CaseStatus,
    Difficulty,
    ExclusionReason,
    OrganisationKind,
    PersonRole,
    RiskLevel,
    Role,
    Sensitivity,
)
from app.models.organisation import Organisation
from app.policy import own_sensitivity
from app.sealing import opened, ring_of, write_key
from app.security import Actor
from app.services.assignments import may_be_assigned
from app.services.carrying import lead_with_room
from app.services.colleagues import names_of
from app.services.consents import add_consent
from app.services.events import record
from app.services.exclusions import put_exclusion
from app.services.incidents import add_incident
from app.services.people import check_person, private_of
from app.services.places import check_place
from app.services.search_index import add_tokens
from app.services.visible import person_row

MOST_DRAWS = 10  # of a code; that many taken ones in a row do not happen by chance


@dataclass(frozen=True, slots=True)
class Opened:
    """A case that was just opened, as far as its opener may know it."""

    id: UUID
    code: str
    organisation_id: UUID
    lead_id: UUID | None
    client_id: UUID


@dataclass(frozen=True, slots=True)
class _Client:
    private: dict[str, Any]
    sex: Any
    household_id: UUID | None
    copied_from: UUID | None


async def open_case(session: AsyncSession, actor: Actor, intake: CaseCreate) -> Opened:
    """Write the case and all that comes with it. The caller may be unable to read it back afterwards."""
    organisation_id = await _organisation(session, actor, intake)
    refuse_future_day(intake.opened_on, actor.now, "/opened_on")
    await check_place(session, intake.commune_code, intake.village_code)
    lead_id = await _lead(session, actor, intake, organisation_id)
    await _check_excluded(session, actor, intake, lead_id)
    client = await _client(session, actor, intake, organisation_id)
    case = await _write(session, actor, intake, Opened(new_id(), "", organisation_id, lead_id, new_id()), client)
    for number, consent in enumerate(intake.consents):
        await add_consent(session, actor, case, consent, f"/consents/{number}")
    if intake.incident:
        await add_incident(session, actor, case, intake.incident, "/incident")
    for user_id in dict.fromkeys(intake.excluded_user_ids):
        await put_exclusion(session, case.id, user_id, ExclusionReason.CLIENT_WISH, None)
    await name_lead(session, actor, case, may_be_excluded=_may_be_kept_away(intake, client))
    touched(session, case.id, "opener")
    await record(session, actor, "case.opened", case_id=case.id, organisation_id=organisation_id, for_team=True)
    return case


async def open_received(session: AsyncSession, actor: Actor, intake: CaseCreate) -> Opened:
    """Write a case that another organisation hands over, with its client and nothing else yet; nobody leads it."""
    client = await _client(session, actor, intake, actor.own_organisation)
    return await _write(session, actor, intake, Opened(new_id(), "", actor.own_organisation, None, new_id()), client)


async def _write(session: AsyncSession, actor: Actor, intake: CaseCreate, case: Opened, client: _Client) -> Opened:
    ring_of(session).make(case.id)
    case = await _with_free_code(session, case, _row(session, actor, intake, case, client))
    await write_key(session, case.id, case.organisation_id, case.id)
    await _add_client(session, actor, case, client)
    return case


async def _with_free_code(session: AsyncSession, case: Opened, row: dict[str, Any]) -> Opened:
    """Write the case's row; a code that is taken, once in some 30,000 at a million cases, is drawn again."""
    for _ in range(MOST_DRAWS):
        code = new_case_code()
        if await insert_if_free(session, "cases", {**row, "code": code}):
            return replace(case, code=code)
    raise Unavailable


async def _organisation(session: AsyncSession, actor: Actor, intake: CaseCreate) -> UUID:
    asked = intake.organisation_id
    if actor.role is not Role.CCWC_LIAISON:
        if asked not in {None, actor.own_organisation}:
            raise Invalid.at("/organisation_id", "not_your_organisation", "A case is opened in your own organisation.")
        return actor.own_organisation
    if intake.commune_code not in actor.communes:
        raise Invalid.at("/commune_code", "not_your_commune", "A liaison opens cases in the own communes.")
    if asked is None:
        raise Invalid.at("/organisation_id", "required", "A liaison names the organisation that takes the case.")
    found = await session.get(Organisation, asked)
    if found is None or not found.active or found.kind is not OrganisationKind.NGO:
        raise Invalid.at("/organisation_id", "unknown_organisation", "There is no such organisation to take a case.")
    return asked


async def _lead(session: AsyncSession, actor: Actor, intake: CaseCreate, organisation_id: UUID) -> UUID | None:
    if actor.role is Role.CCWC_LIAISON:
        if intake.lead_id is not None:
            raise Invalid.at("/lead_id", "not_allowed", "The organisation's supervisors name the lead.")
        return None
    return await lead_with_room(session, actor, intake.lead_id or actor.id, organisation_id)


async def _check_excluded(session: AsyncSession, actor: Actor, intake: CaseCreate, lead_id: UUID | None) -> None:
    excluded = set(intake.excluded_user_ids)
    if excluded & {actor.id, lead_id}:
        raise Invalid.at("/excluded_user_ids", "works_on_case", "Who opens or leads a case cannot be excluded from it.")
    if excluded and excluded != (await names_of(session, excluded)).keys():
        raise Invalid.at("/excluded_user_ids", "unknown_user", "There is no such user.")


async def _client(session: AsyncSession, actor: Actor, intake: CaseCreate, organisation_id: UUID) -> _Client:
    if intake.client_id is not None:
        if actor.role is Role.CCWC_LIAISON:
            raise NotFound  # the liaison view shows no id of a person: who names one may not copy what hangs on it
        row = await person_row(session, intake.client_id)  # 404: an id that is hidden does not exist
        if row.case_id is not None:
            touched(session, row.case_id, "client")
        # A household belongs to one organisation's register, so it is kept only within it.
        household = row.household_id if row.organisation_id == organisation_id else None
        return _Client(opened(session, row), row.sex, household, row.id)
    if intake.client is None:
        raise Invalid.at("/client", "required", "A client is needed.")
    await check_person(session, actor, intake.client, "/client")
    return _Client(private_of(intake.client), intake.client.sex, intake.client.household_id, None)


def _row(session: AsyncSession, actor: Actor, intake: CaseCreate, case: Opened, client: _Client) -> dict[str, Any]:
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
        "sensitivity": _sensitivity(intake),
        "status": CaseStatus.INTAKE,
        "priority": intake.priority,
        "risk_level": RiskLevel.NOT_ASSESSED,
        "commune_code": intake.commune_code,
        "referred_from": intake.referred_from,
        "client_id": case.client_id,
        "client_sex": client.sex,
        "client_age_band": today_band(_birth(client.private), day_of(opened)),
        "client_disability": _has_disability(client.private),
        "lead_id": None if _may_be_kept_away(intake, client) else case.lead_id,  # it follows from the assignment
        "opened_at": opened,
        "sealed": ring_of(session).seal("cases", case.id, case.id, private),
        "team_version": 1,
        **_first_version(actor),
    }


def _may_be_kept_away(intake: CaseCreate, client: _Client) -> bool:
    return client.copied_from is not None or (intake.incident is not None and bool(intake.incident.perpetrators))


def _first_version(actor: Actor) -> dict[str, Any]:
    return {"version": 1, "created_at": actor.now, "updated_at": actor.now, "created_by": actor.id}


def _sensitivity(intake: CaseCreate) -> Sensitivity:
    least = own_sensitivity(intake.category)
    if intake.sensitivity is Sensitivity.STANDARD and least is Sensitivity.SENSITIVE:
        raise Invalid.at("/sensitivity", "category_is_sensitive", "Cases of this category are sensitive.")
    sensitive = intake.incident is not None or Sensitivity.SENSITIVE in {least, intake.sensitivity}
    return Sensitivity.SENSITIVE if sensitive else Sensitivity.STANDARD


def _opened_at(day: date | None, now: datetime) -> datetime:
    return now if day is None or day == day_of(now) else noon_of(day)


def _birth(private: dict[str, Any]) -> date | None:
    return date.fromisoformat(private["birth_date"]) if private.get("birth_date") else None


def _has_disability(private: dict[str, Any]) -> bool | None:
    """The Washington Group's cut: at least one "a lot of difficulty"; None when nothing is recorded."""
    answers = set((private.get("disability") or {}).values()) - {Difficulty.UNKNOWN, Difficulty.REFUSED}
    return bool(answers & {Difficulty.A_LOT, Difficulty.CANNOT_DO}) if answers else None


async def _add_client(session: AsyncSession, actor: Actor, case: Opened, client: _Client) -> None:
    row = {
        "id": case.client_id,
        "organisation_id": case.organisation_id,
        "case_id": case.id,
        "role": PersonRole.CLIENT,
        "sex": client.sex,
        "household_id": client.household_id,
        "sealed": ring_of(session).seal("people", case.client_id, case.id, client.private),
        **_first_version(actor),
    }
    await insert(session, "people", row)
    await add_tokens(session, case.client_id, case.id, case.organisation_id, client.private, new=True)
    if client.copied_from is not None:
        link = {"id": new_id(), "person_id": case.client_id, "other_id": client.copied_from}
        await insert(session, "person_links", {**link, "created_at": actor.now, "created_by": actor.id})


async def name_lead(session: AsyncSession, actor: Actor, case: Opened, *, may_be_excluded: bool) -> None:
    """Put the lead on the case; nobody when they must be kept away from it."""
    if case.lead_id is None:
        return
    if may_be_excluded and not await may_be_assigned(session, case.id, case.lead_id):
        return  # excluded from another case of this client, or a match: hers waits for a lead, so that nothing is lost
    row = {
        "id": new_id(),
        "case_id": case.id,
        "organisation_id": case.organisation_id,
        "user_id": case.lead_id,
        "role": AssignmentRole.LEAD,
        "created_at": actor.now,
        "created_by": actor.id,
    }
    await insert(session, "assignments", row)
