"""Commitments: what leaders promised, recorded by staff and by liaisons in communes of theirs."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.errors import Invalid
from app.models.activity import Activity
from app.models.base import Day, Page
from app.models.codes.programme import CommitmentBy, CommitmentIssue, CommitmentStatus
from app.models.commitment import Commitment, CommitmentCreate, CommitmentPrivate, CommitmentRead, CommitmentUpdate
from app.preconditions import check_match
from app.sealing import load_keys, opened, ring_of, seal, write_key
from app.security import Actor
from app.services.named_in import names_somebody
from app.services.records import (
    RecordQuery,
    as_written,
    begun,
    check_counted_day,
    check_day,
    check_order,
    check_own_commune,
    check_where,
    record_page,
    record_row,
    recorders,
    row_to_change,
)

PART = "commitment"
_WORDS = set(CommitmentPrivate.model_fields)
_PLAIN = {"promised_by", "commune_code", "issue", "activity_id", "made_on", "due_on", "status", "status_on"}


class CommitmentQuery(RecordQuery):
    """`due_until`: those that were to be kept by this day."""

    issue: CommitmentIssue | None = None
    status: CommitmentStatus | None = None
    promised_by: CommitmentBy | None = None
    activity_id: UUID | None = None
    due_until: Day | None = None


async def list_commitments(session: AsyncSession, actor: Actor, query: CommitmentQuery) -> Page[CommitmentRead]:
    """The organisation's, newest first."""
    statement = select(Commitment).where(col(Commitment.organisation_id) == actor.organisation_id)
    if query.due_until is not None:
        due: Any = Commitment.due_on
        statement = statement.where(due <= query.due_until)
    equal = ["issue", "status", "promised_by", "activity_id"]
    rows, cursor = await record_page(session, actor, Commitment, query, equal, statement)
    return Page[CommitmentRead](items=await _reads(session, rows), next_cursor=cursor)


async def read_commitment(session: AsyncSession, commitment_id: UUID) -> CommitmentRead:
    """One; 404 when it is not of the caller's organisation."""
    return (await _reads(session, [await record_row(session, Commitment, commitment_id)]))[0]


async def add_commitment(session: AsyncSession, actor: Actor, wanted: CommitmentCreate) -> CommitmentRead:
    """Write one down. 422 `names_a_person` for words that name somebody whom the caller sees."""
    row = Commitment(**begun(actor, wanted.recorded_at), **wanted.model_dump(include=_PLAIN))
    words = wanted.model_dump(include=_WORDS)
    await _check(session, actor, row, words, set(CommitmentCreate.model_fields))
    ring = ring_of(session)
    ring.make(row.id)
    seal(session, row, words)
    session.add(row)
    await session.flush()
    await write_key(session, row.id, row.organisation_id, None, part=PART)
    return (await _reads(session, [row]))[0]


async def edit_commitment(
    session: AsyncSession, actor: Actor, commitment_id: UUID, change: CommitmentUpdate, if_match: str | None
) -> CommitmentRead:
    """Merge the fields sent; a status may also be corrected back to open. 404, 403, then 428/412."""
    row = await row_to_change(session, actor, Commitment, commitment_id)
    check_match(if_match, row.version)
    sent = change.sent()
    if sent:
        await load_keys(session, [row.id])
        words = {**opened(session, row), **{name: sent[name] for name in sent.keys() & _WORDS}}
        changes = {name: sent[name] for name in sent.keys() & _PLAIN}
        if sent.get("status") is CommitmentStatus.OPEN:
            changes.setdefault("status_on", None)
        wanted = Commitment(**row.model_dump() | changes)
        await _check(session, actor, wanted, words, set(sent))
        row.sqlmodel_update(changes)
        if sent.keys() & _WORDS:
            seal(session, row, words)
        row.touch(actor.now)
        await session.flush()
    return (await _reads(session, [row]))[0]


async def delete_commitment(session: AsyncSession, actor: Actor, commitment_id: UUID, if_match: str | None) -> None:
    """Take one away, with the key of its words."""
    row = await row_to_change(session, actor, Commitment, commitment_id)
    check_match(if_match, row.version)
    await session.delete(row)
    await session.flush()


async def _check(session: AsyncSession, actor: Actor, row: Commitment, words: dict[str, Any], sent: set[str]) -> None:
    if row.activity_id is not None and "activity_id" in sent:
        await record_row(session, Activity, row.activity_id)
    check_counted_day(actor, row.made_on, "made_on")
    check_order(row.due_on, "due_on", row.made_on)
    if (row.status is CommitmentStatus.OPEN) == (row.status_on is not None):
        message = "The day belongs to what is kept, broken or withdrawn, and to nothing that is open."
        raise Invalid.at("/status_on", "status_mismatch", message)
    check_day(actor, row.status_on, "status_on", after=row.made_on)
    if "commune_code" in sent:
        check_own_commune(actor, row.commune_code)
        await check_where(session, actor, row.commune_code)
    for name in ("what", "evidence"):
        if name in sent and words[name] and await names_somebody(session, actor, words[name]):
            raise Invalid.at(f"/{name}", "names_a_person", "A promise is told without the name of anybody.")


async def _reads(session: AsyncSession, rows: Sequence[Commitment]) -> list[CommitmentRead]:
    await load_keys(session, (row.id for row in rows))
    people = await recorders(session, rows)
    return [
        CommitmentRead(
            **as_written(row, people[row.created_by]),
            **row.model_dump(include=_PLAIN),
            **CommitmentPrivate.model_validate(opened(session, row)).model_dump(),
        )
        for row in rows
    ]
