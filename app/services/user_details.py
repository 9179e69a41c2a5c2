"""What a user is called, called from, and to whom related: written by an admin, read by the user alone, and used for
screening only. Adding counts at once; what would take something away waits for the same confirmation as a change of
role does, because it could let a relative in.
"""

import json
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import SealedAway
from app.logs import log
from app.models.screening import UserPrivate
from app.models.user import User, UserDetailsRead
from app.sealed_secret import SecretSeal, UnreadableSecret
from app.security import Actor
from app.services.screening import put_user_tokens
from app.services.user_requests import open_request

DETAILS = ("names_km", "names_en", "phones", "relations")
EARLIER = "earlier_names"  # display names that the person bore before: a new one must not hide who they are
SETTLE = text("select settle_user_private(:user_id)")

Details = dict[str, list[str]]


async def add_details(session: AsyncSession, user: User, told: Mapping[str, list[str]]) -> None:
    """The details of a new user, whose row is flushed; screened by the display name too."""
    details = {**_nothing(), **{name: list(told[name]) for name in DETAILS}}
    if any(details.values()):
        session.add(UserPrivate(user_id=user.id, sealed=_seal(session, user.id, details)))
        await session.flush()
    await _put_tokens(session, user.id, user.display_name, details)


async def change_details(
    session: AsyncSession, user: User, sent: Mapping[str, list[str]], display_name: str
) -> list[str] | None:
    """Merge details, and a new display name, of a user whose row is held, before it is changed itself.

    Gives the fields that would lose something, which waits for a confirmation; None when nothing waits or waited.
    """
    renamed = display_name != user.display_name
    if not sent and not renamed:
        return None
    row = await session.get(UserPrivate, user.id, with_for_update=True)
    request = await open_request(session, user.id)
    waited = row is not None and row.wanted is not None and request is not None and "details" in request.wanted
    kept = _open(session, user.id, row.sealed) if row else _nothing()
    if renamed:
        kept[EARLIER] = _joined(kept[EARLIER], [user.display_name])
    aimed = {**(_open(session, user.id, row.wanted) if row and waited else kept), **sent, EARLIER: kept[EARLIER]}
    kept |= {name: _joined(kept[name], values) for name, values in sent.items()}
    loses = [name for name in DETAILS if set(kept[name]) - set(aimed[name])]
    row = row or UserPrivate(user_id=user.id, sealed=b"")
    row.sealed = _seal(session, user.id, kept)
    row.wanted = _seal(session, user.id, aimed) if loses else None
    session.add(row)
    await session.flush()
    if loses or waited:
        await _put_tokens(session, user.id, display_name, aimed, wanted=True)
    await _put_tokens(session, user.id, display_name, kept)
    return loses if loses or waited else None


async def settle_details(session: AsyncSession, user_id: UUID) -> None:
    """What waited is confirmed."""
    await session.execute(SETTLE, {"user_id": user_id})


async def read_own(session: AsyncSession, actor: Actor) -> UserDetailsRead:
    """What is kept of the caller."""
    row = await session.get(UserPrivate, actor.id)
    details = _open(session, actor.id, row.sealed) if row else _nothing()
    return UserDetailsRead(**details)


async def _put_tokens(
    session: AsyncSession, user_id: UUID, display_name: str, details: Details, *, wanted: bool = False
) -> None:
    names = [display_name, *details[EARLIER], *details["names_km"], *details["names_en"]]
    phones, relations = details["phones"], details["relations"]
    await put_user_tokens(session, user_id, names=names, phones=phones, relations=relations, wanted=wanted)


def _nothing() -> Details:
    return {name: [] for name in (*DETAILS, EARLIER)}


def _joined(first: list[str], second: list[str]) -> list[str]:
    return list(dict.fromkeys([*first, *second]))


def _seal(session: AsyncSession, user_id: UUID, details: Details) -> bytes:
    return _sealer(session).seal(json.dumps(details, ensure_ascii=False).encode(), user_id)


def _open(session: AsyncSession, user_id: UUID, sealed: bytes | None) -> Details:
    try:
        details: Details = json.loads(_sealer(session).open(sealed or b"", user_id))
    except UnreadableSecret:
        log.error("seal.broken", code=UserPrivate.__tablename__)
        raise SealedAway from None
    return details


def _sealer(session: AsyncSession) -> SecretSeal:
    seal: SecretSeal = session.info["details"]
    return seal
