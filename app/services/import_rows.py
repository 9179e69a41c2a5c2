"""The rows of one chunk of an import, opened, read and weighed: what is wrong with each, what is known of it already.

Asked for the dry run and once more for the commit, so that what is written is what holds then. Everything that is
looked up is looked up as the uploader: what she does not see does not exist.
"""

import hmac
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.concurrency import run_in_threadpool

from app.db import fetch
from app.errors import FieldError, Invalid
from app.models.base import Body
from app.models.case import CaseCreate
from app.models.codes.cases import CaseloadLevel
from app.models.codes.files import ImportKind, ImportRowStatus
from app.models.imports import Import
from app.models.person import HouseholdCreate, PersonCreate
from app.registers import REASON, RowRead, read_rows
from app.sealing import ring_of
from app.security import Actor
from app.services.import_duplicates import perhaps_recorded
from app.services.import_records import ADD, refusal_of
from app.services.import_room import MINOR, WARNED, Room, minor_without_caregiver
from app.services.imports import CHUNKS
from app.services.intake_rows import sensitivity_of

CHUNK = "select id, sealed from import_chunks where import_id = %(id)s and number = %(number)s"
KNOWN_AREAS = "select code from areas where code = any(%(codes)s)"
IMPORTED = """
    select distinct digest from imported_rows where organisation_id = %(organisation)s and digest = any(%(digests)s)
"""
DIGEST_BYTES = 16
NEW = (ImportRowStatus.OK, ImportRowStatus.DUPLICATE_SUGGESTED)

REPEATED = FieldError("", "repeated_row", "The file has this very row before.")
RECORDED = FieldError("", "perhaps_recorded", "Somebody very like this is recorded already.")


@dataclass(slots=True)
class Digests:
    """Makes the keyed hash of each row of one import; the same row a second time is another one."""

    key: bytes = field(repr=False)
    organisation_id: UUID
    kind: ImportKind
    uploader_id: UUID | None = None  # where not even a colleague may know that a row was imported
    _seen: Counter[bytes] = field(default_factory=Counter)

    def of(self, body: Body) -> tuple[bytes, bool]:
        """The hash of a row, and whether the file has had the very same before."""
        text = body.model_dump_json(exclude_defaults=True).encode()  # a field that comes new one day changes no hash
        plain = self._hash(text)
        self._seen[plain] += 1
        times = self._seen[plain]
        return (plain, False) if times == 1 else (self._hash(b"%d\0" % times + text), True)

    def _hash(self, text: bytes) -> bytes:
        place = self.organisation_id.bytes + self.kind.value.encode() + b"\0"
        place += self.uploader_id.bytes if self.uploader_id else b""
        return hmac.digest(self.key, place + text, "sha256")[:DIGEST_BYTES]


@dataclass(frozen=True, slots=True)
class Weighed:
    """A row and what is said of it; `digest` where it can be read. `over_limit_reason`: why it is one too many."""

    row: RowRead
    digest: bytes | None
    status: ImportRowStatus
    errors: tuple[FieldError, ...] = ()
    warnings: tuple[FieldError, ...] = ()
    over_limit_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Scales:
    """What remembers the rows that one run has weighed before."""

    digests: Digests
    room: Room


async def weigh_chunk(
    session: AsyncSession, actor: Actor, source: Import, number: int, scales: Scales, *, suggest: bool
) -> tuple[UUID, list[Weighed]]:
    """The id and the rows of a chunk; `suggest`: look for who may be recorded already, too."""
    chunk = (await fetch(session, CHUNK, {"id": source.id, "number": number}))[0]
    document = ring_of(session).open(CHUNKS, chunk.id, source.id, chunk.sealed)
    rows = await run_in_threadpool(_read_all, document, source.kind, actor, scales.digests)
    areas = await _areas(session, (row.row.body for row in rows))
    rows = [_checked(row, areas) for row in rows]
    known = await _imported(session, source.organisation_id, rows)
    rows = [replace(row, status=ImportRowStatus.UNCHANGED, errors=()) if row.digest in known else row for row in rows]
    rows = [_placed(row, actor, scales.room, document.get(REASON)) for row in rows]
    if suggest and source.kind in ADD:
        rows = [await _tried(session, actor, source.kind, row) for row in rows]
    elif suggest:
        likely = await perhaps_recorded(session, source.organisation_id, _people(rows))
        rows = [_suggested(row) if place in likely else row for place, row in enumerate(rows)]
    return chunk.id, rows


async def _tried(session: AsyncSession, actor: Actor, kind: ImportKind, row: Weighed) -> Weighed:
    """A record of the programme that would be new, written and taken back."""
    if row.status not in NEW or row.row.body is None:
        return row
    errors = await refusal_of(session, actor, kind, row.row.body)
    return Weighed(row.row, None, ImportRowStatus.ERROR, errors) if errors else row


def person_of(body: Body | None) -> PersonCreate | None:
    """Whom a row is about; None for a household."""
    return body.client if isinstance(body, CaseCreate) else body if isinstance(body, PersonCreate) else None


def _read_all(document: dict[str, Any], kind: ImportKind, actor: Actor, digests: Digests) -> list[Weighed]:
    return [_first_look(row, digests) for row in read_rows(document, kind, actor.now)]


def _first_look(row: RowRead, digests: Digests) -> Weighed:
    if row.body is None:
        return Weighed(row, None, ImportRowStatus.ERROR, row.errors)
    if isinstance(row.body, CaseCreate):
        try:
            sensitivity_of(row.body)
        except Invalid as refused:
            return Weighed(row, None, ImportRowStatus.ERROR, refused.errors)
    digest, repeated = digests.of(row.body)
    if repeated:
        return Weighed(row, digest, ImportRowStatus.DUPLICATE_SUGGESTED, (REPEATED,))
    return Weighed(row, digest, ImportRowStatus.OK)


def _placed(row: Weighed, actor: Actor, room: Room, reason: str | None) -> Weighed:
    """A case that would be new, as far as its lead has room for it; and whether her consent counts by itself."""
    if row.status not in NEW or not isinstance(row.row.body, CaseCreate):
        return row
    level, refused = room.take(reason)
    if refused is not None:
        return Weighed(row.row, None, ImportRowStatus.ERROR, (refused,))
    warnings = [WARNED[level]] if level in WARNED else []
    warnings += [MINOR] if minor_without_caregiver(row.row.body, actor) else []
    over = reason if room.chosen and level is CaseloadLevel.OVER else None
    return replace(row, warnings=tuple(warnings), over_limit_reason=over)


def _suggested(row: Weighed) -> Weighed:
    return replace(row, status=ImportRowStatus.DUPLICATE_SUGGESTED, errors=(*row.errors, RECORDED))


def _people(rows: Sequence[Weighed]) -> dict[int, PersonCreate]:
    """By place in the chunk, those who may be recorded already: not who is known to be, and not who is no row yet."""
    found = {place: person_of(row.row.body) for place, row in enumerate(rows) if row.status in NEW}
    return {place: person for place, person in found.items() if person is not None}


async def _imported(session: AsyncSession, organisation_id: UUID, rows: Sequence[Weighed]) -> set[bytes]:
    digests = [row.digest for row in rows if row.digest is not None]
    found = await fetch(session, IMPORTED, {"organisation": organisation_id, "digests": digests})
    return {bytes(one.digest) for one in found}


async def _areas(session: AsyncSession, bodies: Iterable[Body | None]) -> set[str]:
    asked = sorted({code for body in bodies if body is not None for _, code in _codes(body)})
    return {row.code for row in await fetch(session, KNOWN_AREAS, {"codes": asked})}


def _codes(body: Body) -> list[tuple[str, str]]:
    """The places that a row names, each with its column."""
    named = (
        [("/village_code", body.village_code)] if isinstance(body, CaseCreate | PersonCreate | HouseholdCreate) else []
    )
    commune = [("/commune_code", body.commune_code)] if isinstance(body, CaseCreate) else []
    return [(pointer, code) for pointer, code in (*commune, *named) if code is not None]


def _checked(row: Weighed, areas: Collection[str]) -> Weighed:
    """An error where a place is unknown, or a village not in the commune (as `services.places` has it)."""
    body = row.row.body
    if body is None:
        return row
    unknown = [pointer for pointer, code in _codes(body) if code not in areas]
    if isinstance(body, CaseCreate) and not (body.village_code or body.commune_code).startswith(body.commune_code):
        unknown = [*unknown, "/village_code"]
    if not unknown:
        return row
    errors = tuple(FieldError(pointer, "unknown_area", "There is no such area.") for pointer in dict.fromkeys(unknown))
    return Weighed(row.row, None, ImportRowStatus.ERROR, errors)
