"""Caregivers of a case: who is suspected or unsafe neither agrees for a child nor is a way to her."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import Invalid, NotFound, UnsafeCaregiver, UnsafeContact
from app.models.case import CaseRow, SafeContact
from app.models.codes.consents import ConsentGivenBy
from app.models.codes.people import PersonRole
from app.models.consent import Consent, ConsentCreate
from app.models.person import Person, PersonUpdate
from app.sealing import opened, seal
from app.security import Actor
from app.services.visible import save_case

OWN_NAMES = ("given_name_km", "given_name_en", "alias", "known_as")
BOTH = ConsentGivenBy.CLIENT_AND_CAREGIVER


async def check_caregiver(session: AsyncSession, case_id: UUID, given: ConsentCreate, pointer: str) -> None:
    """404 for a caregiver who is none of the case, 409 `unsafe_caregiver`, 422 where it matters who it was."""
    if given.given_by is ConsentGivenBy.CLIENT:
        return
    caregivers = {row.id: is_doubted(session, row) for row in await _caregivers(session, case_id)}
    if given.caregiver_id is not None:
        if given.caregiver_id not in caregivers:
            raise NotFound
        if caregivers[given.caregiver_id]:
            raise UnsafeCaregiver
    elif caregivers and all(caregivers.values()):
        raise UnsafeCaregiver
    elif any(caregivers.values()):
        raise Invalid.at(f"{pointer}/caregiver_id", "required", "Say which caregiver agreed.")


async def end_doubted(session: AsyncSession, actor: Actor, case: CaseRow, person: Person) -> None:
    """What this caregiver agreed to ends; where the client had agreed with them, her own yes stays.

    Of consents that name nobody, those go that may have been this caregiver's: when no other is on the case.
    """
    others = [row for row in await _caregivers(session, case.id) if not is_doubted(session, row)]
    theirs = col(Consent.caregiver_id) == person.id
    if not others:
        theirs = theirs | col(Consent.caregiver_id).is_(None)
    statement = update(Consent).where(col(Consent.case_id) == case.id, col(Consent.withdrawn_at).is_(None), theirs)
    changed = {"updated_at": actor.now, "version": col(Consent.version) + 1}
    alone = col(Consent.given_by) == ConsentGivenBy.CAREGIVER
    await session.execute(
        statement.where(alone).values({**changed, "withdrawn_at": actor.now, "withdrawn_by": actor.id})
    )
    together = statement.where(col(Consent.given_by) == BOTH, col(Consent.caregiver_doubted_at).is_(None))
    await session.execute(together.values({**changed, "caregiver_doubted_at": actor.now}))
    said = case.private.get("safe_contact")
    if said and names(said.get("may_answer"), opened(session, person)):
        case.private = {**case.private, "safe_contact": {**said, "may_answer": None}}
        case.touch(actor.now)
        await save_case(session, case)


def check_doubt(row: Person, change: PersonUpdate) -> None:
    """422 for saying it of somebody who is no caregiver."""
    if change.caregiver_doubt is not None and row.role is not PersonRole.CAREGIVER:
        raise Invalid.at("/caregiver_doubt", "not_a_caregiver", "Only of a caregiver of a case this is said.")


async def apply_doubt(session: AsyncSession, actor: Actor, case: CaseRow, row: Person, change: PersonUpdate) -> None:
    """Of a suspected or unsafe caregiver no telephone is safe to call, and what they agreed to ends. 409
    `unsafe_contact` for saying otherwise."""
    if not is_doubted(session, row):
        return
    private = opened(session, row)
    if any(phone["safe_to_call"] for phone in private["phones"]):
        if "phones" in change.model_fields_set:
            raise UnsafeContact
        phones = [{**phone, "safe_to_call": False} for phone in private["phones"]]
        seal(session, row, {**private, "phones": phones})
    if "caregiver_doubt" in change.model_fields_set:
        await end_doubted(session, actor, case, row)


async def refuse_doubted_contact(session: AsyncSession, case_id: UUID, said: SafeContact | None) -> None:
    """409 `unsafe_contact` where a suspected or unsafe caregiver is named as the one who may answer."""
    if said is None or said.may_answer is None:
        return
    doubted = [row for row in await _caregivers(session, case_id) if is_doubted(session, row)]
    if any(names(said.may_answer, opened(session, row)) for row in doubted):
        raise UnsafeContact


def is_doubted(session: AsyncSession, person: Person) -> bool:
    """Is this caregiver suspected, or not safe for the child?"""
    return opened(session, person).get("caregiver_doubt") is not None


def names(text: str | None, private: Mapping[str, Any]) -> bool:
    """Does the text name this person, by given name, alias or `known_as`? A family name alone names too many."""
    said = (text or "").casefold()
    called = (private.get(name) for name in OWN_NAMES)
    return any(_is_said(name.casefold(), said) for name in called if name)


def _is_said(name: str, text: str) -> bool:
    """As a word; Khmer sets no spaces between words."""
    return bool(re.search(rf"\b{re.escape(name)}\b", text)) if name.isascii() else name in text


async def _caregivers(session: AsyncSession, case_id: UUID) -> list[Person]:
    statement = select(Person).where(col(Person.case_id) == case_id, col(Person.role) == PersonRole.CAREGIVER)
    return list((await session.execute(statement)).scalars())
