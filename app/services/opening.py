"""Opening a case: intake of a client, inline or copied, with consents, incident, lead and exclusions in one write."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import touched
from app.calendar import day_of, refuse_future_day
from app.db import insert, insert_if_free
from app.errors import CaseloadFull, Invalid, NotFound, Unavailable
from app.ids import new_case_code, new_id
from app.models.case import CaseCreate
from app.models.codes.people import OrganisationKind, Role
from app.models.codes.walls import ExclusionReason
from app.models.organisation import Organisation
from app.policy import forbid
from app.sealing import opened, ring_of, write_key
from app.security import Actor
from app.services.agreed import check_bypass
from app.services.assignments import may_be_assigned
from app.services.carrying import lead_is_full
from app.services.colleagues import names_of, other_supervisors
from app.services.consents import add_consent
from app.services.events import record
from app.services.exclusions import put_exclusion
from app.services.first_date import first_within, plan_first_date
from app.services.incidents import add_incident
from app.services.intake_rows import Client, Opened, case_row, client_row, lead_row, may_be_kept_away, place_of
from app.services.own_ids import id_for, refuse_taken
from app.services.people import check_person, private_of
from app.services.perpetrators import kept_apart
from app.services.places import check_place
from app.services.safe_contact import check_said
from app.services.search_index import add_tokens
from app.services.visible import person_row

MOST_DRAWS = 10  # of a code; that many taken ones in a row do not happen by chance


async def open_case(session: AsyncSession, actor: Actor, intake: CaseCreate) -> Opened:
    """Write the case and all that comes with it. The caller may be unable to read it back afterwards."""
    organisation_id = await _organisation(session, actor, intake)
    refuse_future_day(intake.opened_on, actor.now, "/opened_on")
    check_said(intake.safe_contact, actor.now, "/safe_contact")
    await check_place(session, intake.commune_code, intake.village_code)
    lead_id = _lead(actor, intake)
    over = await _over_limit(session, actor, intake, lead_id, organisation_id)
    await _check_excluded(session, actor, intake, lead_id, organisation_id)
    client = kept_apart(session, intake, await _client(session, actor, intake, organisation_id))
    mine = Opened(await id_for(session, "cases", intake.id), "", organisation_id, lead_id, new_id())
    case = await _write(session, actor, intake, mine, client)
    for number, consent in enumerate(intake.consents):
        check_bypass(consent, client.private, day_of(actor.now), f"/consents/{number}")
        await add_consent(session, actor, case, consent, f"/consents/{number}")
    if intake.incident:
        await add_incident(session, actor, case, intake.incident, "/incident")
    for user_id in dict.fromkeys(intake.excluded_user_ids):
        await put_exclusion(session, case.id, user_id, ExclusionReason.CLIENT_WISH, None)
    if over and intake.over_limit_reason is not None:
        case = replace(case, place=place_of(session, case, intake.over_limit_reason))
    led = await name_lead(session, actor, case, may_be_excluded=may_be_kept_away(intake, client))
    touched(session, case.id, "opener")
    await record(session, actor, "case.opened", case_id=case.id, organisation_id=organisation_id, for_team=True)
    await plan_first_date(session, actor, case, lead_id if led else None, first_within(session, intake.category))
    return case


async def open_received(session: AsyncSession, actor: Actor, intake: CaseCreate, organisation_id: UUID) -> Opened:
    """Write a case that another organisation hands over, with its client and nothing else yet; nobody leads it."""
    client = await _client(session, actor, intake, organisation_id)
    return await _write(session, actor, intake, Opened(new_id(), "", organisation_id, None, new_id()), client)


async def _write(session: AsyncSession, actor: Actor, intake: CaseCreate, case: Opened, client: Client) -> Opened:
    ring_of(session).make(case.id)
    case = await _with_free_code(session, case, case_row(session, actor, intake, case, client))
    await write_key(session, case.id, case.organisation_id, case.id)
    await _add_client(session, actor, case, client)
    return case


async def _with_free_code(session: AsyncSession, case: Opened, row: dict[str, Any]) -> Opened:
    """Write the case's row; a code that is taken, once in some 30,000 at a million cases, is drawn again. 409 where the
    same device sent the same case twice at once."""
    for _ in range(MOST_DRAWS):
        code = new_case_code()
        if await insert_if_free(session, "cases", {**row, "code": code}):
            return replace(case, code=code)
        await refuse_taken(session, "cases", case.id)
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


def _lead(actor: Actor, intake: CaseCreate) -> UUID | None:
    if actor.role is Role.CCWC_LIAISON:
        if intake.lead_id is not None:
            raise Invalid.at("/lead_id", "not_allowed", "The organisation's supervisors name the lead.")
        return None
    return intake.lead_id or actor.id


async def _over_limit(session: AsyncSession, actor: Actor, intake: CaseCreate, lead: UUID | None, home: UUID) -> bool:
    """Is it one case too many for the lead, as a supervisor allows with a reason? Else 409 `caseload_full`."""
    forbid(intake.over_limit_reason is not None and actor.role is not Role.SUPERVISOR)
    over = lead is not None and await lead_is_full(session, actor, lead, home)
    if over and intake.over_limit_reason is None:
        raise CaseloadFull
    return over


async def _check_excluded(
    session: AsyncSession, actor: Actor, intake: CaseCreate, lead_id: UUID | None, organisation_id: UUID
) -> None:
    excluded = set(intake.excluded_user_ids)
    if excluded & {actor.id, lead_id}:
        raise Invalid.at("/excluded_user_ids", "works_on_case", "Who opens or leads a case cannot be excluded from it.")
    if excluded and excluded != (await names_of(session, excluded)).keys():
        raise Invalid.at("/excluded_user_ids", "unknown_user", "There is no such user.")
    if excluded and lead_id is None and not await other_supervisors(session, organisation_id, excluded):
        # Said by what she named and the directory alone, never by what the screening knows. Nobody would ever see it.
        raise Invalid.at("/excluded_user_ids", "nobody_left", "Nobody of this organisation is left to take the case.")


async def _client(session: AsyncSession, actor: Actor, intake: CaseCreate, organisation_id: UUID) -> Client:
    if intake.client_id is not None:
        if actor.role is Role.CCWC_LIAISON:
            raise NotFound  # the liaison view shows no id of a person: who names one may not copy what hangs on it
        row = await person_row(session, intake.client_id)  # 404: an id that is hidden does not exist
        if row.case_id is not None:
            touched(session, row.case_id, "client")
        # A household belongs to one organisation's register, so it is kept only within it.
        household = row.household_id if row.organisation_id == organisation_id else None
        return Client(opened(session, row), row.sex, household, row.id)
    if intake.client is None:
        raise Invalid.at("/client", "required", "A client is needed.")
    await check_person(session, actor, intake.client, "/client")
    return Client(private_of(intake.client), intake.client.sex, intake.client.household_id, None)


async def _add_client(session: AsyncSession, actor: Actor, case: Opened, client: Client) -> None:
    await insert(session, "people", client_row(session, actor, case, client))
    await add_tokens(session, case.client_id, case.id, case.organisation_id, client.private, new=True)
    if client.copied_from is not None:
        link = {"id": new_id(), "person_id": case.client_id, "other_id": client.copied_from}
        await insert(session, "person_links", {**link, "created_at": actor.now, "created_by": actor.id})


async def name_lead(session: AsyncSession, actor: Actor, case: Opened, *, may_be_excluded: bool) -> bool:
    """Put the lead on the case; False, and nobody, when they must be kept away from it."""
    if case.lead_id is None:
        return False
    if may_be_excluded and not await may_be_assigned(session, case.id, case.lead_id):
        return False  # excluded from another case of this client, or a match: hers waits for a lead, nothing is lost
    await insert(session, "assignments", lead_row(actor, case))
    return True
