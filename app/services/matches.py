"""Likely duplicates of a person, among those whom the caller sees: suggested with reasons, decided by a human."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import because
from app.db import fetch
from app.errors import Invalid
from app.models.base import Page
from app.models.codes.people import MatchReason
from app.models.search import MatchesWanted, PersonMatch
from app.permissions import Permission
from app.sealing import opened
from app.search_tokens import SearchTokens, TokenKind, sound
from app.security import Actor
from app.services.people import check_person, private_of
from app.services.search import full_names, shown_people, summary_of
from app.services.search_index import Token, people_with, tokens_of
from app.services.visible import access_for, person_row

MOST_EXAMINED, MOST_SHOWN = 200, 20
# What speaks for one human, of 100. Phones are shared and villages are small: none is enough by itself.
WEIGHTS = {
    MatchReason.SAME_PHONE: 35,
    MatchReason.SAME_NAME: 40,
    MatchReason.NEAR_NAME: 25,
    MatchReason.BIRTH_YEAR: 15,
    MatchReason.VILLAGE: 10,
}
_TELLING = {MatchReason.SAME_PHONE, MatchReason.SAME_NAME, MatchReason.NEAR_NAME}
LINKED = "select person_id, other_id from person_links where %(id)s in (person_id, other_id)"


async def match_people(session: AsyncSession, actor: Actor, wanted: MatchesWanted) -> Page[PersonMatch]:
    """Up to 20 people who share a phone or a whole name with this one, likeliest first; without those already linked.

    404 for a person, or a household of a new one, that is not there for the caller.
    """
    private, known = await _whose(session, actor, wanted)
    choices = [[token] for token in telling_tokens(tokens_of(session), private)]
    because(session, "_".join(sorted({token.kind.value for (token,) in choices})) or "nothing")
    ids = await people_with(session, actor.own_organisation, choices, wanted=MOST_EXAMINED)
    matches = []
    for row, other in await shown_people(session, [own_id for own_id in ids if own_id not in known]):
        reasons = reasons_for(private, other)
        if not _TELLING & set(reasons):
            continue  # a name of one word is the family name of many
        score = min(100, sum(WEIGHTS[reason] for reason in reasons))
        matches.append(PersonMatch(**summary_of(actor, row, other), score=score, reasons=reasons))
    likeliest = sorted(matches, key=lambda one: (-one.score, one.id))
    return Page[PersonMatch](items=likeliest[:MOST_SHOWN])


async def _whose(session: AsyncSession, actor: Actor, wanted: MatchesWanted) -> tuple[Mapping[str, Any], set[UUID]]:
    """The private part of who is compared, and who need not be suggested: they themselves, and who is linked."""
    if wanted.person_id is None:
        return await _new(session, actor, wanted), set()
    row = await person_row(session, wanted.person_id)
    if row.case_id is not None:
        await access_for(session, row.case_id, Permission.CASE_PEOPLE_READ)
    linked = await fetch(session, LINKED, {"id": row.id})
    return opened(session, row), {row.id, *(own_id for link in linked for own_id in link)}


async def _new(session: AsyncSession, actor: Actor, wanted: MatchesWanted) -> Mapping[str, Any]:
    if wanted.person is None:
        raise Invalid.at("/person", "required", "A person is needed.")
    await check_person(session, actor, wanted.person, "/person")
    return private_of(wanted.person)


def telling_tokens(tokens: SearchTokens, private: Mapping[str, Any]) -> list[Token]:
    """Phones, and names as a whole: a family name alone says nothing."""
    names = {wanted.joined for name in full_names(private) if (wanted := tokens.wanted(name)) is not None}
    phones = tokens.phones(phone["number"] for phone in private.get("phones") or ())
    return [Token(TokenKind.NAME, name) for name in sorted(names)] + [
        Token(TokenKind.PHONE, number) for number in sorted(phones)
    ]


def reasons_for(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[MatchReason]:
    """What speaks for one human, from two private parts."""
    reasons = []
    if _phones(one) & _phones(other):
        reasons.append(MatchReason.SAME_PHONE)
    if _words(one) & _words(other):
        reasons.append(MatchReason.SAME_NAME)
    elif _heard(one) & _heard(other):
        reasons.append(MatchReason.NEAR_NAME)
    if _year(one) and _year(one) == _year(other):
        reasons.append(MatchReason.BIRTH_YEAR)
    if one.get("village_code") and one.get("village_code") == other.get("village_code"):
        reasons.append(MatchReason.VILLAGE)
    return reasons


def _phones(private: Mapping[str, Any]) -> set[str]:
    return {phone["number"] for phone in private.get("phones") or ()}


def _words(private: Mapping[str, Any]) -> set[frozenset[str]]:
    """Each whole name as its words, whose order does not matter."""
    return {frozenset(name.split()) for name in full_names(private)}


def _heard(private: Mapping[str, Any]) -> set[str]:
    """How each whole name sounds, in either order."""
    orders = [order for name in full_names(private) for order in (name, " ".join(reversed(name.split())))]
    return {sound(order) for order in orders} - {""}


def _year(private: Mapping[str, Any]) -> str | None:
    written = private.get("birth_date")
    return written and written[:4]
