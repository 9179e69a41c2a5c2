"""Finding people by name, telephone or case code, among those whom the caller sees."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Self
from uuid import UUID

from pydantic import model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit import because, touched
from app.calendar import day_of
from app.db import fetch
from app.errors import Invalid
from app.models.base import Body, Page
from app.models.search import PersonFound
from app.paging import CursorText, Limit
from app.permissions import Permission
from app.policy import may
from app.relations import access_of
from app.sealing import load_keys, ring_of
from app.search_tokens import NameWanted, TokenKind
from app.security import Actor
from app.services.names import age_on, display_name
from app.services.search_index import Token, people_with, tokens_of
from app.services.visible import EVERY_WAY
from app.text import CaseCode, NameText, PhoneNumber, search_key

CLIENT = "select client_id from cases where code = %(code)s"
FOUND = f"""
    select w.id, w.case_id, w.organisation_id, w.role, w.sex, w.sealed, c.code, {EVERY_WAY}
      from people w
      left join cases c on c.id = w.case_id
     where w.id = any (%(ids)s)
"""
_SCRIPTS = ("km", "en")

Found = tuple[Any, dict[str, Any]]


class PersonSearch(Body):
    """Who is looked for: everything that is given must fit. `code` is the code of a case, whose client is meant."""

    name: NameText | None = None
    phone: PhoneNumber | None = None
    code: CaseCode | None = None
    limit: Limit = 50
    cursor: CursorText | None = None

    @model_validator(mode="after")
    def asks_something(self) -> Self:
        if self.name is None and self.phone is None and self.code is None:
            raise PydanticCustomError("criterion_required", "A name, a phone or a code is needed.")
        return self


async def search_people(session: AsyncSession, actor: Actor, wanted: PersonSearch) -> Page[PersonFound]:
    """One page of the people who fit everything that is asked, in the order of their ids; within it the nearest first.

    The trail is told what was searched by, and not what for.
    """
    because(session, "_".join(kind for kind in ("name", "phone", "code") if getattr(wanted, kind) is not None))
    after = _place(wanted.cursor)
    ids = await _ids(session, actor, wanted, after)
    found = await shown_people(session, ids[: wanted.limit])
    scored = [
        PersonFound(**summary_of(actor, row, private), score=_score(wanted.name, private)) for row, private in found
    ]
    cursor = _cursor(ids[wanted.limit - 1]) if len(ids) > wanted.limit else None
    return Page[PersonFound](items=sorted(scored, key=lambda one: (-one.score, one.id)), next_cursor=cursor)


async def _ids(session: AsyncSession, actor: Actor, wanted: PersonSearch, after: UUID | None) -> list[UUID]:
    tokens = tokens_of(session)
    only: UUID | None = None
    if wanted.code is not None:
        clients = await fetch(session, CLIENT, {"code": wanted.code})
        if not clients or after is not None:  # there is no second page of one
            return []
        only = clients[0].client_id
        if wanted.name is None and wanted.phone is None:
            return [clients[0].client_id]
    phones = [Token(TokenKind.PHONE, number) for number in tokens.phones([wanted.phone] if wanted.phone else [])]
    choices = [phones]
    if wanted.name is not None:
        choices = [[*phones, *choice] for choice in _choices(tokens.wanted(wanted.name))]
    return await people_with(session, actor.own_organisation, choices, wanted=wanted.limit + 1, after=after, only=only)


def _choices(name: NameWanted | None) -> list[list[Token]]:
    """Every word, or the whole without its spaces; nothing when nothing can be heard."""
    if name is None:
        return []
    words = [Token(TokenKind.NAME, word) for word in sorted(name.words)]
    joined = Token(TokenKind.NAME, name.joined)
    return [words] if words == [joined] else [words, [joined]]


async def shown_people(session: AsyncSession, ids: Sequence[UUID]) -> list[Found]:
    """These people with their private parts, as far as the caller sees them and may read them; told to the trail."""
    if not ids:
        return []
    ring, shown = ring_of(session), []
    rows = await fetch(session, FOUND, {"ids": list(ids)})
    await load_keys(session, (row.case_id or row.id for row in rows))
    for row in rows:
        home = row.case_id or row.id
        if not ring.has(home):
            continue  # nobody finds a case whose key is gone
        if row.case_id is not None:
            access = access_of(row.case_id, row.organisation_id, row.ways)
            if not may(access, Permission.CASE_PEOPLE_READ):
                continue
            touched(session, row.case_id, access.via)
        shown.append((row, ring.open("people", row.id, home, row.sealed)))
    return shown


def summary_of(actor: Actor, row: Any, private: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a PersonSummary."""
    return {
        "id": row.id,
        "case_id": row.case_id,
        "case_code": row.code,
        "role": row.role,
        "display_name": display_name(private, actor.language),
        "sex": row.sex,
        "age": age_on(private, day_of(actor.now)),
        "village_code": private.get("village_code"),
    }


def full_names(private: Mapping[str, Any]) -> list[str]:
    """What somebody is called, as it is compared: family and given name of each script, alias, `known_as`."""
    pairs = [(private.get(f"family_name_{script}"), private.get(f"given_name_{script}")) for script in _SCRIPTS]
    names = [" ".join(part for part in pair if part) for pair in pairs]
    return [search_key(name) for name in (*names, private.get("known_as"), private.get("alias")) if name]


def _score(asked: str | None, private: Mapping[str, Any]) -> int:
    """100 where every word is written so; below, how much of the letters agrees with the nearest name."""
    if asked is None:
        return 100
    key, names = search_key(asked), full_names(private)
    if any(set(key.split()) <= set(name.split()) for name in names):
        return 100
    return round(99 * max((SequenceMatcher(None, key, name).ratio() for name in names), default=0))


def _cursor(last: UUID) -> str:
    return base64.urlsafe_b64encode(last.bytes).decode().rstrip("=")


def _place(cursor: str | None) -> UUID | None:
    """The id at which the last page ended; 422 for anything that was not made here."""
    if cursor is None:
        return None
    try:
        place = UUID(bytes=base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        raise Invalid.at("/cursor", "cursor_invalid", "The cursor was not made by this list.") from None
    return place
