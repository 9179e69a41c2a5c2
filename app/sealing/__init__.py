"""Sealed fields: every case and every register row has a data key, and its private fields are one blob per row.

A row's *home* is the case that it hangs on, or the row itself: in a register, and where a part of a case is for fewer
people than the case. The keys of homes come with the statements that look at them (`ring_of(session).add`) or are
asked for together (`load_keys`); without its key a blob cannot be opened, by nobody.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db import fetch, insert
from app.errors import SealedAway
from app.logs import log
from app.sealing.data_key import DataKey, data_key, new_key
from app.sealing.key_encryption import KeyEncryption, SealBroken

KEYS = "select home, kek_id, wrapped from vault.data_keys where home = any(%(homes)s)"


class SealedRow(Protocol):
    """A row with a sealed part; `case_id` is missing or None where the row is a home of its own."""

    __tablename__: ClassVar[Any]
    id: UUID
    sealed: Any


class KeyRing:
    """The data keys that one request has seen."""

    def __init__(self, kek: KeyEncryption) -> None:
        self._kek = kek
        self._wrapped: dict[UUID, tuple[str, bytes]] = {}
        self._made: dict[UUID, DataKey] = {}

    def add(self, home: UUID, kek_id: str, wrapped: bytes) -> None:
        """Take the key of a home, as the database holds it."""
        self._wrapped[home] = kek_id, bytes(wrapped)

    def make(self, home: UUID) -> None:
        """A new key for a new home."""
        key = new_key()
        self._wrapped[home] = self._kek.current, self._kek.wrap(key, home)
        self._made[home] = DataKey(key, home)

    def wrapped(self, home: UUID) -> tuple[str, bytes]:
        """The id of what wraps the key of this home, and the wrapped key."""
        return self._wrapped[home]

    def has(self, home: UUID) -> bool:
        """Is the key of this home here already?"""
        return home in self._wrapped

    def forget(self, home: UUID) -> None:
        """The key of a home that is not needed any more, where there are tens of thousands."""
        self._wrapped.pop(home, None)
        self._made.pop(home, None)

    def seal(self, table: str, row_id: UUID, home: UUID, document: Mapping[str, Any]) -> bytes:
        """The document as the blob of this row."""
        return self.key(home).seal(table, row_id, document)

    def seal_text(self, table: str, row_id: UUID, home: UUID, text: bytes) -> bytes:
        """The same for a document that is JSON already."""
        return self.key(home).seal_text(table, row_id, text)

    def open(self, table: str, row_id: UUID, home: UUID, sealed: bytes | None) -> dict[str, Any]:
        """The document of this row; {} where nothing is sealed. 503 when it cannot be opened, with an alarm."""
        if sealed is None:
            return {}
        try:
            return self.key(home).open(table, row_id, sealed)
        except SealBroken:
            log.error("seal.broken", code=table, case_id=home)
            raise SealedAway from None

    def key(self, home: UUID) -> DataKey:
        """The key itself, for what is sealed in parts; raises SealBroken when it is not here."""
        if home in self._made:
            return self._made[home]
        if home not in self._wrapped:
            raise SealBroken
        kek_id, wrapped = self._wrapped[home]
        return data_key(self._kek.unwrap(kek_id, wrapped, home), home)


def ring_of(session: AsyncSession) -> KeyRing:
    """The request's keys."""
    ring: KeyRing = session.info["ring"]
    return ring


async def make_key(session: AsyncSession, home: UUID, organisation_id: UUID) -> None:
    """The data key of a new row of a register, written in the transaction that makes the row."""
    ring_of(session).make(home)
    await write_key(session, home, organisation_id, None)


async def write_key(
    session: AsyncSession, home: UUID, organisation_id: UUID, case_id: UUID | None, *, part: str | None = None
) -> None:
    """Write the key that the ring has made; of a case after the case itself, which says who may.

    `part` names what is for fewer people than the case: the key then is not for everybody who sees the case.
    """
    kek_id, wrapped = ring_of(session).wrapped(home)
    row = {"home": home, "case_id": case_id, "organisation_id": organisation_id, "kek_id": kek_id, "wrapped": wrapped}
    await insert(session, "vault.data_keys", row if part is None else {**row, "part": part})


async def load_keys(session: AsyncSession, homes: Iterable[UUID]) -> None:
    """The keys of these homes, in one query; of a home that the caller may not see there is none."""
    ring = ring_of(session)
    missing = [home for home in dict.fromkeys(homes) if not ring.has(home)]
    if missing:
        for row in await fetch(session, KEYS, {"homes": missing}):
            ring.add(row.home, row.kek_id, row.wrapped)


def home_of(row: SealedRow) -> UUID:
    """The case that the row hangs on, or the row itself: in a register, and where it has a key of its own."""
    if getattr(row, "own_key", False):
        return row.id
    case_id: UUID | None = getattr(row, "case_id", None)
    return case_id or row.id


def opened(session: AsyncSession, row: SealedRow) -> dict[str, Any]:
    """The private fields of a row."""
    return ring_of(session).open(row.__tablename__, row.id, home_of(row), row.sealed)


def seal(session: AsyncSession, row: SealedRow, document: Mapping[str, Any]) -> None:
    """Write the private fields of a row; nothing is sealed where there are none."""
    ring = ring_of(session)
    row.sealed = ring.seal(row.__tablename__, row.id, home_of(row), document) if document else None
