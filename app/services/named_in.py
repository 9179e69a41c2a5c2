"""Does a text name somebody whom the caller sees? A promise is told in public, and so names nobody.

The tokens of names find who may be meant, by sound; their names as they are spelled then decide: a sentence holds many
words that sound like somebody's name. In Latin letters each part of a name must be a word of the text, wherever; Khmer
sets no spaces between words, so there the parts must stand together, in either order.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.concurrency import run_in_threadpool

from app.db import fetch
from app.models.codes.people import Role
from app.sealing import load_keys, ring_of
from app.search_tokens import SearchTokens, plain_words
from app.security import Actor
from app.services.case_rows import OWN_CASES
from app.services.search_index import tokens_of

FEWEST_PARTS = 2
LONGEST_NAME = 8  # Khmer letters with their signs
MOST_WORDS = 4  # of a name in Latin letters
AT_ONCE = 500
_POSSESSIVE = re.compile("['’ʼ][sS]\\b")  # Dara's
_KHMER = re.compile("[\u1780-\u17dd]")
_LETTER = re.compile("[\u1780-\u17b3](?:\u17d2[\u1780-\u17b3]|[\u17b4-\u17d1\u17d3\u17dd])*")

# As every search (search_index.py): what the whole staff sees, and the cases to which the caller has a way of her own.
_HEARD = "t.kind = 'name' and t.token = any (%(words)s)"
_SHARED = "t.organisation_id = %(organisation_id)s and not t.sensitive"
_ENOUGH = "group by t.person_id having count(*) > 1 or bool_or(t.token = any (%(whole)s))"
CANDIDATES = f"""
    select t.person_id from search_tokens t where {_SHARED} and {_HEARD} {_ENOUGH}
    union
    select t.person_id from {OWN_CASES} own
     cross join lateral (select t.person_id, t.token from search_tokens t
                          where t.case_id = own.case_id and {_HEARD} offset 0) t {_ENOUGH}
"""  # noqa: S608 (constants)
CLIENTS = """
    select p.id from people p
     where p.case_id in (select a.case_id from case_access a
                          where a.principal = any ((select app_principals())::uuid[]))
"""
NAMES = "select p.id, p.case_id, p.sealed from people p where p.id = any (%(ids)s)"


async def names_somebody(session: AsyncSession, actor: Actor, text: str) -> bool:
    """Whether the text holds the name of a person of the register, or of a case, that the caller sees."""
    words = plain_words(_POSSESSIVE.sub(" ", text))
    spelled, joined = set(words), "".join(words)
    found = iter(await _meant(session, actor, words))
    while ids := list(islice(found, AT_ONCE)):
        for private in await _private(session, ids):
            if any(_stands(parts, spelled, joined) for parts in _names(private)):
                return True
    return False


async def _meant(session: AsyncSession, actor: Actor, words: list[str]) -> list[UUID]:
    """Whose names may be among the words."""
    if actor.role is Role.CCWC_LIAISON:  # who finds nobody by name, and sees few
        return [row.id for row in await fetch(session, CLIENTS, {})]
    single, whole = await run_in_threadpool(_tokens, tokens_of(session), words)
    asked = {
        "organisation_id": actor.organisation_id,
        "words": sorted(single | whole),
        "whole": sorted(whole),
    }
    return [row.person_id for row in await fetch(session, CANDIDATES, asked)]


def _tokens(tokens: SearchTokens, words: list[str]) -> tuple[set[int], set[int]]:
    """The tokens of what may be a part of a name, and of what may be the whole of one."""
    single, whole = _pieces(words)
    return tokens.names(*single), tokens.names(*(piece.replace(" ", "") for piece in whole))


def _pieces(words: list[str]) -> tuple[set[str], set[str]]:
    """Words that may be a part of a name, and pieces that may be the whole of one."""
    single = {word for word in words if not _KHMER.search(word)}
    whole = {
        " ".join(words[start : start + size]) for size in range(2, MOST_WORDS + 1) for start in range(len(words))
    } - single
    letters = _LETTER.findall("".join(word for word in words if _KHMER.search(word)))
    whole |= {
        "".join(letters[start : start + size])
        for size in range(2, LONGEST_NAME + 1)
        for start in range(len(letters) - size + 1)
    }
    return single, whole


async def _private(session: AsyncSession, ids: list[UUID]) -> list[dict[str, Any]]:
    ring, rows = ring_of(session), await fetch(session, NAMES, {"ids": ids})
    await load_keys(session, (row.case_id or row.id for row in rows))
    homes = [(row, row.case_id or row.id) for row in rows]
    return [ring.open("people", row.id, home, row.sealed) for row, home in homes if ring.has(home)]


def _names(private: Mapping[str, Any]) -> Iterable[list[str]]:
    """The parts of each name that has two or more."""
    for script in ("km", "en"):
        family, given = private.get(f"family_name_{script}"), private.get(f"given_name_{script}")
        if family and given:
            yield (
                ["".join(plain_words(family)), "".join(plain_words(given))]
                if script == "km"
                else [
                    *plain_words(family),
                    *plain_words(given),
                ]
            )
    for other in (private.get("alias"), private.get("known_as")):
        if other and len(parts := plain_words(other)) >= FEWEST_PARTS:
            yield parts


def _stands(parts: list[str], spelled: set[str], joined: str) -> bool:
    if len(parts) < FEWEST_PARTS:
        return False
    if any(_KHMER.search(part) for part in parts):
        return "".join(parts) in joined or "".join(reversed(parts)) in joined
    return set(parts) <= spelled
