"""Who hurt her is no way to her: neither who may answer nor a telephone to call (docs/decisions/0014)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import UnsafeContact
from app.models.case import CaseCreate, CaseRow, SafeContact
from app.models.codes.people import PersonRole
from app.models.incident import Incident, Perpetrator
from app.models.person import Person, Phone
from app.sealing import opened, seal
from app.security import Actor
from app.services.events import record
from app.services.intake_rows import Client
from app.services.next_follow_up import escalate
from app.services.screening import tokens_of
from app.services.visible import save_case

Told = Sequence[Mapping[str, Any]]  # `Perpetrator` as JSON


async def refuse_contact(session: AsyncSession, case_id: UUID, said: SafeContact | None) -> None:
    """409 `unsafe_contact` where somebody whom an incident of the case names is to answer for her."""
    if said is not None and said.may_answer is not None:
        _refuse_naming(session, said.may_answer, await _told_on(session, case_id))


async def refuse_phones(session: AsyncSession, case_id: UUID, phones: Iterable[Phone]) -> None:
    """409 `unsafe_contact` where a perpetrator's telephone would be safe to call."""
    safe = {phone.number for phone in phones if phone.safe_to_call}
    if safe and safe & _numbers(await _told_on(session, case_id)):
        raise UnsafeContact


def kept_apart(session: AsyncSession, intake: CaseCreate, client: Client) -> Client:
    """The client as the case opens; 409 `unsafe_contact` where its own incident names who may answer, or a telephone
    that is called safe. A client who is copied keeps the telephone, and it is not called safe any more."""
    if intake.incident is None:
        return client
    told = [one.model_dump(mode="json") for one in intake.incident.perpetrators]
    if intake.safe_contact is not None and intake.safe_contact.may_answer is not None:
        _refuse_naming(session, intake.safe_contact.may_answer, told)
    phones, unsafe = _without(client.private.get("phones") or [], told)
    if unsafe and intake.client is not None:
        raise UnsafeContact
    return replace(client, private={**client.private, "phones": phones}) if unsafe else client


async def keep_away(session: AsyncSession, actor: Actor, case: CaseRow, named: Sequence[Perpetrator]) -> None:
    """What is told of an incident ends what was safe before: no telephone of theirs is called any more, and where they
    might answer for her, or had the client's own telephone, contact is suspended and her supervisors are told."""
    told = [one.model_dump(mode="json") for one in named]
    said = case.private.get("safe_contact") or {}
    answers = bool(said.get("may_answer")) and tokens_of(session).mention(said["may_answer"], told)
    if not (await _end_calls(session, actor, case, told) or answers):
        return
    changed = {**said, "do_not_contact": True, **({"may_answer": None} if answers else {})}
    case.private = {**case.private, "safe_contact": changed}
    case.touch(actor.now)
    await save_case(session, case)
    await _tell(session, actor, case, "case.changed", "safe_contact")
    await escalate(session, case.id)


async def _end_calls(session: AsyncSession, actor: Actor, case: CaseRow, told: Told) -> bool:
    """True when one of them was the client's own."""
    if not _numbers(told):
        return False
    hers = False
    for person in (await session.execute(select(Person).where(col(Person.case_id) == case.id))).scalars().all():
        private = opened(session, person)
        phones, unsafe = _without(private.get("phones") or [], told)
        if unsafe:
            seal(session, person, {**private, "phones": phones})
            person.touch(actor.now)
            await _tell(session, actor, case, "person.changed", "phones", subject_id=person.id)
            hers = hers or person.role is PersonRole.CLIENT
    return hers


def _without(phones: Sequence[Mapping[str, Any]], told: Told) -> tuple[list[dict[str, Any]], bool]:
    """The telephones, those of a perpetrator not safe to call; and whether one was."""
    theirs = _numbers(told)
    kept = [{**phone, "safe_to_call": phone["safe_to_call"] and phone["number"] not in theirs} for phone in phones]
    return kept, kept != list(phones)


def _numbers(told: Told) -> set[str]:
    return {number for one in told for number in one.get("phones", ())}


def _refuse_naming(session: AsyncSession, text: str, told: Told) -> None:
    if tokens_of(session).mention(text, told):
        raise UnsafeContact


async def _told_on(session: AsyncSession, case_id: UUID) -> list[Mapping[str, Any]]:
    rows = (await session.execute(select(Incident).where(col(Incident.case_id) == case_id))).scalars()
    return [one for row in rows for one in opened(session, row).get("perpetrators", ())]


async def _tell(
    session: AsyncSession, actor: Actor, case: CaseRow, event: str, field: str, subject_id: UUID | None = None
) -> None:
    case_id, organisation_id, data = case.id, case.organisation_id, {"fields": [field]}
    await record(
        session, actor, event, case_id=case_id, organisation_id=organisation_id, subject_id=subject_id, data=data
    )
